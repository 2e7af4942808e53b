"""Optimizers of PyTorch that do not use the rate as it is set: one warning each, with what they do and the cure.

Seen with PyTorch 2.13.0; the programs that show it are in `findings/`. Those of other libraries are in
`library_rates.py`.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch

from glidepath.warn import warn_caller

from .bound_schedule import BoundSchedule
from .library_rates import warn_about_library_rates

LONGEST_RUN = 10_000_000  # updates; a plan without an end is searched so far
GRID = sorted({round(1.02**i) - 1 for i in range(815)})  # steps at which a plan is compared with the cap of Adafactor
ROUNDING = 1e-9

ALWAYS: dict[str, tuple[str, str]] = {  # by the name of the optimizer: the warning, and its code
    "Rprop": (
        "Rprop reads lr at its first update only, so this schedule has no effect after it: use another optimizer, or "
        "schedule nothing",
        "GP714",
    ),
    "ASGD": (
        "ASGD uses each rate one update late: update k moves by the rate of update k - 1; give plan[1:], which is "
        "right from update 1 on",
        "GP715",
    ),
}
OWN = (*ALWAYS, "Adafactor")


def warn_about_own_rates(optimizer: torch.optim.Optimizer, schedules: Sequence[BoundSchedule]) -> None:
    """Warn if the optimizer ignores, delays or caps the rate that the schedules set."""
    kind = next((base for base in type(optimizer).__mro__ if base.__name__ in OWN and _is_from_torch(base)), object)
    rates = [schedule for schedule in schedules if str(schedule.target.hyperparameter) == "lr"]
    if not rates:
        return
    if not _is_from_torch(type(optimizer)):
        warn_about_library_rates(optimizer, rates)
    if kind.__name__ in ALWAYS:
        warn_caller(*ALWAYS[kind.__name__])
    elif kind.__name__ == "Adafactor":
        _warn_about_cap([step for schedule in rates if (step := _first_capped_step(schedule)) is not None])


def _is_from_torch(kind: type) -> bool:
    return kind.__module__.partition(".")[0] == "torch"


def _warn_about_cap(steps: Sequence[int]) -> None:
    """Warn if a plan is above the cap of Adafactor, min(lr, 1 / sqrt(k + 1)) at update k, anywhere."""
    if steps:
        warn_caller(
            f"Adafactor uses at most 1 / sqrt(updates made), and the plan is above that at update {min(steps):,}: it "
            "is cut off there; lower lr, or use another optimizer",
            "GP716",
        )


def _first_capped_step(schedule: BoundSchedule) -> int | None:
    """Return the first step at which the rate is above the cap, searched on a grid; None if it is below."""
    target = schedule.target
    if not target.is_data:
        return None
    scale = 1.0 if target.sets else max((slot.base for slot in schedule.slots), default=0.0)
    floor = target.minimum or 0.0

    def is_capped(step: int) -> bool:
        rate: float = max(scale * target.plan(step), floor)
        return rate > (1 + ROUNDING) / math.sqrt(step + 1)

    end = min(target.plan.duration or LONGEST_RUN, LONGEST_RUN)
    for before, step in pairwise([-1, *(step for step in GRID if step < end - 1), end - 1]):
        if is_capped(step):
            return next(k for k in range(before + 1, step + 1) if is_capped(k))
    return None
