"""Optimizers of PyTorch that do not use the rate as it is set: one warning each, with what they do and the cure.

Seen with PyTorch 2.13.0; the programs that show it are in `findings/`.
"""

from collections.abc import Callable
from itertools import pairwise

import torch

from .bound_schedule import BoundSchedule
from .targets import Target
from .warn_caller import warn_caller

LONGEST_RUN = 10_000_000  # updates; a plan without an end is looked at so far
GRID = sorted({round(1.02**i) - 1 for i in range(815)})  # steps at which a plan is compared with the cap of Adafactor
ROUNDING = 1e-9

Warner = Callable[[BoundSchedule], None]


def warn_about_own_rates(optimizer: torch.optim.Optimizer, schedules: list[BoundSchedule]) -> None:
    """Warn if the optimizer ignores, delays or caps the rate that the schedules set."""
    warner = WARNERS.get(type(optimizer))
    rates = [schedule for schedule in schedules if str(schedule.target.hyperparameter) == "lr"]
    if warner is not None and rates:
        warner(rates[0])


def _warn_about_rprop(schedule: BoundSchedule) -> None:
    warn_caller(
        "Rprop reads lr at its first update only, so this schedule has no effect after it: use another optimizer, or "
        "schedule nothing",
        "GP714",
    )


def _warn_about_asgd(schedule: BoundSchedule) -> None:
    warn_caller(
        "ASGD uses each rate one update late: update k moves by the rate of update k - 1; give plan[1:], which is "
        "right from update 1 on",
        "GP715",
    )


def _warn_about_adafactor(schedule: BoundSchedule) -> None:
    """Warn if the plan is above the cap of Adafactor, min(lr, 1 / sqrt(k + 1)) at update k, anywhere."""
    step = _first_capped_step(schedule.target, max((slot.base for slot in schedule.slots), default=0.0))
    if step is not None:
        warn_caller(
            f"Adafactor uses at most 1 / sqrt(updates made), and the plan is above that at update {step:,}: it is cut "
            "off there; lower lr, or use another optimizer",
            "GP716",
        )


def _first_capped_step(target: Target, base: float) -> int | None:
    """Return the first step at which the rate is above the cap, searched on a grid; None if it is below."""
    if not target.is_data:
        return None
    scale = 1.0 if target.sets else base
    end = min(target.plan.duration or LONGEST_RUN, LONGEST_RUN)
    is_capped = lambda step: scale * target.plan(step) * (step + 1) ** 0.5 > 1 + ROUNDING
    grid = [step for step in GRID if step < end - 1]
    for before, step in pairwise([-1, *grid, end - 1]):
        if is_capped(step):
            return next(k for k in range(before + 1, step + 1) if is_capped(k))
    return None


WARNERS: dict[type[torch.optim.Optimizer], Warner] = {
    torch.optim.Rprop: _warn_about_rprop,
    torch.optim.ASGD: _warn_about_asgd,
    **({torch.optim.Adafactor: _warn_about_adafactor} if hasattr(torch.optim, "Adafactor") else {}),  # since 2.5
}
