"""Curves built by hand, whose ends are chosen."""

import math

from glidepath.study.curve import Curve, Record
from glidepath.study.spec.runs import StudyRun


def curve(
    schedule: str,
    seed: int,
    end: float,
    *,
    horizon: int = 20,
    peak: float = 0.1,
    losses: list[float] | None = None,
    number: int = 0,
    text: str = "constant()",
) -> Curve:
    """A run with one evaluation, which is `end`; NaN makes it diverge."""
    run = StudyRun(number, schedule, text, None, horizon, peak, seed)
    losses = losses or [1.0 / (k + 1) for k in range(horizon)]
    records = [Record(k, peak, loss) for k, loss in enumerate(losses)]
    last = Record(horizon - 1, peak, math.nan) if math.isnan(end) else Record(horizon - 1, peak, losses[-1], {"m": end})
    return Curve(run, peak, (*records[:-1], last))


def curves(*, peak: float = 0.1, horizon: int = 20, **ends: list[float]) -> list[Curve]:
    """A run for every seed of every schedule."""
    return [
        curve(name, seed, end, peak=peak, horizon=horizon, number=len(values) * place + seed)
        for place, (name, values) in enumerate(ends.items())
        for seed, end in enumerate(values)
    ]
