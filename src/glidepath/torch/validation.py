"""Checks of a new scheduler, and a warning about plans that are rates.

All of them run before anything is written, so that an optimizer is scheduled whole or left as it was.
"""

from collections.abc import Sequence
from typing import Any

import torch

from glidepath.core.schedule import Schedule
from glidepath.errors import Argument, Cure, SchedulerError
from glidepath.review.rates import LOOKS_LIKE_A_RATE, peak_of
from glidepath.warn import warn_caller

from .bound_schedule import BoundSchedule
from .clock import clocks_of
from .group_names import name_group
from .wrapper_chain import container_name, inner_name, members_of


def check_arguments(optimizer: Any, plan: Any) -> None:
    """Check that the optimizer is one, and that the two arguments are in order.

    Raises:
        SchedulerError: if not.
    """
    if isinstance(optimizer, Schedule):
        raise SchedulerError("the optimizer comes first: Scheduler(optimizer, plan)")
    if not isinstance(optimizer, torch.optim.Optimizer) and len(members_of(optimizer)) == 1:
        inner = inner_name(optimizer)
        advice = "give the optimizer that it wraps" if inner is None else f"give the optimizer in it, {inner}"
        raise SchedulerError(f"{type(optimizer).__name__} is not a torch.optim.Optimizer", cures=[Cure(advice)])
    if isinstance(plan, torch.optim.Optimizer):
        raise SchedulerError("the plan comes second: Scheduler(optimizer, plan)")
    _check_parts(optimizer)
    _check_rates(optimizer)


def _check_parts(optimizer: Any) -> None:
    """Check that the optimizer updates by its own groups, and not by other optimizers with groups of their own.

    The Trainer of Transformers gets such a stand-in for layer-wise optimizers, and torchtitan's container is one.
    """
    name = container_name(optimizer)
    if name is not None:
        raise SchedulerError(
            f"{type(optimizer).__name__} steps other optimizers, and their rates are not those of its own groups",
            cures=[Cure(f"give them, as {name}")],
        )


def _check_rates(optimizer: Any) -> None:
    """Check that the optimizer uses a rate: some that compute their own, as Adafactor of Transformers, have None."""
    for number, group in enumerate(optimizer.param_groups):
        if "lr" in group and group["lr"] is None:
            raise SchedulerError(
                f"lr of {name_group(group, number)} is None: {type(optimizer).__name__} computes its own rate",
                cures=[Cure("build it with a rate to scale", Argument("relative_step", False), Argument("lr", 1e-3))],
            )


def check_unscheduled(optimizer: Any, schedules: Sequence[BoundSchedule]) -> None:
    """Check that no other scheduler of this optimizer writes the same hyperparameter.

    Raises:
        SchedulerError: if one does.
    """
    names = {str(schedule.target.hyperparameter) for schedule in schedules}
    for clock in clocks_of(optimizer):
        for name in names & {str(schedule.target.hyperparameter) for schedule in clock.schedules}:
            raise SchedulerError(
                f"{name} of this optimizer has a scheduler already: detach that one first, scheduler.detach() or "
                "glidepath.torch.detach(optimizer), or combine the plans with * or >>"
            )


def check_schedules(schedules: Sequence[BoundSchedule]) -> None:
    """Check that every schedule selects a group and can change its value.

    Raises:
        SchedulerError: if one selects nothing, scales zeros, or has a minimum above a base.
    """
    for schedule in schedules:
        target, bases = schedule.target, [slot.base for slot in schedule.slots]
        if not bases:
            raise SchedulerError(f"{target.label} matches no parameter group{_name_hint(target.selector)}")
        if not target.sets and not any(bases):
            raise SchedulerError(f"{target.label} is 0, and a scaled 0 stays 0: set it above 0, or use Set(plan)")
        if target.minimum is not None and target.minimum > min(bases) > 0:
            raise SchedulerError(f"minimum={target.minimum} is above the base rate {min(bases)} of a group")
        _warn_about_absolute_plan(schedule)


def _name_hint(selector: Any) -> str:
    return f": no group has the name {selector!r}" if isinstance(selector, str) else ""


def _warn_about_absolute_plan(schedule: BoundSchedule) -> None:
    """Warn about a plan that looks like the rate itself: a peak of 3e-4 on lr=3e-4 makes 9e-8."""
    target, bases = schedule.target, [slot.base for slot in schedule.slots]
    if target.sets or not target.is_data or str(target.hyperparameter) != "lr":
        return
    peak = peak_of(target.plan)
    if 0 < peak < LOOKS_LIKE_A_RATE and any(0.5 < base / peak < 2 for base in bases):
        warn_caller(
            f"the plan peaks at {peak:g} and scales a rate of {bases[0]:g}, so the optimizer would get "
            f"{peak * bases[0]:g}: leave the peak to the optimizer, or write Set(plan)",
            "GP705",
        )
