"""The runs of a study: every seed, horizon, peak and schedule, with each plan resolved and looked at."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import final

from glidepath.errors import GlidepathError, Mistake, ScheduleError, StudyError

from .feedback import is_feedback
from .schedule_spec import Driven, Entry, resolved, schedules, text_of
from .study import Study

Plans = Mapping[str, Driven]


@final
@dataclass(frozen=True)
class Run:
    """One training run of a study.

    Args:
        number: place in the study, from 0.
        schedule: the schedule's name.
        text: the schedule's text.
        plan: what drives each hyperparameter, over the run's horizon; None for a plateau.
        horizon: updates.
        peak: the largest rate; None for the optimizer's own.
        seed: decides the first weights and the batches.
    """

    number: int
    schedule: str
    text: str
    plan: Plans | None
    horizon: int
    peak: float | None
    seed: int

    def __str__(self) -> str:
        peak = "" if self.peak is None else f", peak {self.peak:g}"
        return f"{self.schedule}{peak}, {self.horizon} steps, seed {self.seed}"


def runs(study: Study) -> list[Run]:
    """Every run, in the order of the study: all schedules of the first seed come first.

    Raises:
        StudyError: naming every schedule that does not fit a horizon, or has a value no optimizer can use.
    """
    plans = _plans(study)
    entries = study.schedules or {}
    peaks: Sequence[float | None] = study.peaks or [None]
    lengths = dict.fromkeys(steps for _, steps in plans)
    every = [key for key in product(study.seeds, lengths, peaks, entries) if (key[3], key[1]) in plans]
    return [
        Run(i, name, text_of(entries[name]), plans[name, steps], steps, peak, seed)
        for i, (seed, steps, peak, name) in enumerate(every)
    ]


def _plans(study: Study) -> dict[tuple[str, int], Plans | None]:
    plans: dict[tuple[str, int], Plans | None] = {}
    wrong = []
    for name, entry in (study.schedules or {}).items():
        for steps in study.horizons_of(entry):
            try:
                plans[name, steps] = _usable(entry, steps)
            except GlidepathError as error:
                wrong.append(Mistake(("schedules", name), f"over {steps} steps: {error}"))
    if wrong:
        raise StudyError(wrong)
    return plans


def _usable(entry: Entry, steps: int) -> Plans | None:
    """The plans of an entry over a horizon, every value of them finite and not negative; None for a plateau."""
    if isinstance(entry, str) and is_feedback(entry):
        return None
    plans = resolved(entry, steps)
    for plan in schedules(plans):
        for step, value in enumerate(plan.block(0, steps)):
            if not math.isfinite(value) or value < 0:
                raise ScheduleError(f"update {step} would use the value {value:g}: a rate is finite and at least 0")
    return plans
