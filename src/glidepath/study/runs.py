"""The runs of a study: every seed, horizon, peak and schedule, with each plan resolved and looked at."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import final

from glidepath.core.errors import GlidepathError, ScheduleError
from glidepath.core.schedule import Schedule
from glidepath.text import parse

from .errors import Mistake, StudyError
from .feedback import is_feedback
from .spec import Study


@final
@dataclass(frozen=True)
class Run:
    """One training run of a study.

    Args:
        number: place in the study, from 0.
        schedule: the schedule's name.
        text: the schedule's text.
        plan: the schedule over the run's horizon; None for a plateau.
        horizon: updates.
        peak: the largest rate; None for the optimizer's own.
        seed: decides the first weights and the batches.
    """

    number: int
    schedule: str
    text: str
    plan: Schedule | None
    horizon: int
    peak: float | None
    seed: int

    def __str__(self) -> str:
        peak = "" if self.peak is None else f", peak {self.peak:g}"
        return f"{self.schedule}{peak}, {self.horizon} steps, seed {self.seed}"


def runs(study: Study) -> list[Run]:
    """Every run, in the order in which they are trained: all schedules of the first seed come first.

    Raises:
        StudyError: naming every schedule that does not fit a horizon, or has a value no optimizer can use.
    """
    plans = _plans(study)
    texts = study.schedules or {}
    peaks: Sequence[float | None] = study.peaks or [None]
    every = product(study.seeds, study.lengths, peaks, texts)
    return [
        Run(i, name, texts[name], plans[name, steps], steps, peak, seed)
        for i, (seed, steps, peak, name) in enumerate(every)
    ]


def _plans(study: Study) -> dict[tuple[str, int], Schedule | None]:
    plans: dict[tuple[str, int], Schedule | None] = {}
    wrong = []
    for (name, text), steps in product((study.schedules or {}).items(), study.lengths):
        try:
            plans[name, steps] = None if is_feedback(text) else _usable(parse(text), steps)
        except GlidepathError as error:
            wrong.append(Mistake(("schedules", name), f"over {steps} steps: {error}"))
    if wrong:
        raise StudyError(wrong)
    return plans


def _usable(draft: Schedule, steps: int) -> Schedule:
    """The plan over a horizon, every value of it finite and not negative."""
    plan = draft.over(steps)
    for step, value in enumerate(plan.block(0, steps)):
        if not math.isfinite(value) or value < 0:
            raise ScheduleError(f"update {step} would use the value {value:g}: a rate is finite and at least 0")
    return plan
