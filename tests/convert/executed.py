"""Code that was written, executed; and the steps at which it is compared."""

import math
from typing import Any

import numpy as np

from glidepath import Schedule
from glidepath.convert import read

RUN = 10_000


def executed(source: str) -> dict[str, Any]:
    """The names that a program defines."""
    names: dict[str, Any] = {"__name__": "written"}
    exec(compile(source, "written.py", "exec"), names)
    return names


def steps_of(plan: Schedule, longest: int = 2**53) -> list[int]:
    """Every step of a run, some of all of the plan, and around and past its end; none from `longest` on."""
    end = plan.duration or RUN
    few = [end * i // 97 for i in range(98)] + [end - 1, end, end + 1, 2 * end, 3 * end + 5]
    steps = [*range(RUN), *sorted(k for k in few if RUN <= k < longest)]
    return [k for k in steps if math.isfinite(plan(k))]  # a plan may grow until it is infinite, which is no rate


def apart(theirs: Any, plan: Schedule, steps: list[int], peak: float = 1.0) -> float:
    """The largest distance of values from the plan, as a share of the plan's largest value (or of 1)."""
    ours = peak * np.array([plan(k) for k in steps])
    return float(np.max(np.abs(np.asarray(theirs) - ours)) / max(peak, np.max(np.abs(ours))))


def read_back(theirs: Any, plan: Schedule) -> float:
    """How far a schedule that was written is from its plan once it is read again, in the run and past its end."""
    again, steps = read(theirs).schedule, list(range(RUN + 100))
    return apart([again(k) for k in steps], plan, steps)
