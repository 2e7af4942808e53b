"""What a driver refuses when it is made, and the one thing that it only warns of.

All of it happens before anything is written, so that an optimizer is driven whole or left as it was.
"""

import warnings
from typing import Any

import torch

from glidepath.core.schedule import Schedule
from glidepath.errors import GlidepathWarning, SchedulerError
from glidepath.review.rates import LOOKS_LIKE_A_RATE, peak_of

from .bound import Lane
from .clock import clocks_of


def check_arguments(optimizer: Any, plan: Any) -> None:
    """Refuses what is no optimizer, and the two arguments the wrong way round."""
    if isinstance(optimizer, Schedule):
        raise SchedulerError("the optimizer comes first: Scheduler(optimizer, plan)")
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise SchedulerError(
            f"{type(optimizer).__name__} is no torch.optim.Optimizer: give the optimizer that it wraps"
        )
    if isinstance(plan, torch.optim.Optimizer):
        raise SchedulerError("the plan comes second: Scheduler(optimizer, plan)")


def refuse_second_driver(optimizer: Any, lanes: list[Lane]) -> None:
    """Refuses a hyperparameter that another driver of this optimizer writes already."""
    wanted = {str(lane.target.hyperparameter) for lane in lanes}
    for clock in clocks_of(optimizer):
        for name in wanted & {str(lane.target.hyperparameter) for lane in clock.lanes}:
            raise SchedulerError(
                f"{name} of this optimizer has a driver already: detach that one first, scheduler.detach() or "
                "glidepath.torch.detach(optimizer), or combine the plans with * or >>"
            )


def check_lanes(lanes: list[Lane]) -> None:
    """Refuses lanes that drive nothing, or could only ever write one value."""
    for lane in lanes:
        target = lane.target
        if not lane.groups:
            raise SchedulerError(f"{target.label} matches no parameter group{_names(target.selector)}")
        if not target.sets and not any(lane.bases):
            raise SchedulerError(f"{target.label} is 0, and a scaled 0 stays 0: set it above 0, or use Set(plan)")
        if target.minimum is not None and target.minimum > min(lane.bases) > 0:
            raise SchedulerError(f"minimum={target.minimum} is above the base rate {min(lane.bases)} of a group")
        _warn_about_absolute_plan(lane)


def _names(selector: Any) -> str:
    return f": no group has the name {selector!r}" if isinstance(selector, str) else ""


def _warn_about_absolute_plan(lane: Lane) -> None:
    """A plan that peaks at 3e-4 on an optimizer with lr=3e-4 would train at 9e-8."""
    if lane.target.sets or not lane.target.is_data or str(lane.target.hyperparameter) != "lr":
        return
    peak = peak_of(lane.target.plan)
    if 0 < peak < LOOKS_LIKE_A_RATE and any(0.5 < base / peak < 2 for base in lane.bases):
        warnings.warn(
            f"the plan peaks at {peak:g} and scales a rate of {lane.bases[0]:g}, so the optimizer would get "
            f"{peak * lane.bases[0]:g}: leave the peak to the optimizer, or write Set(plan)",
            GlidepathWarning,
            stacklevel=4,
        )
