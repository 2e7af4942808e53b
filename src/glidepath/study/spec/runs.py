"""The runs of a study: every seed, horizon, peak and schedule, with each plan resolved and its values checked."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import final

from glidepath.errors import GlidepathError, Mistake, ScheduleError, StudyError

from .plateau_spec import PlateauArgument
from .schedule_spec import Plans, ScheduleSpec, schedules_in
from .study import Study


@final
@dataclass(frozen=True)
class StudyRun:
    """One training run of a study.

    Args:
        number: place in the study, from 0.
        schedule: the schedule's name.
        text: the schedule's text.
        plan: the plan of each hyperparameter, over the run's horizon; None for a plateau.
        horizon: updates.
        peak: the largest rate; None for the optimizer's own.
        seed: decides the first weights and the batches.
        plateau: the keyword arguments of a plateau; None for a schedule.
    """

    number: int
    schedule: str
    text: str
    plan: Plans | None
    horizon: int
    peak: float | None
    seed: int
    plateau: Mapping[str, PlateauArgument] | None = None

    def __str__(self) -> str:
        peak = "" if self.peak is None else f", peak {self.peak:g}"
        return f"{self.schedule}{peak}, {self.horizon} steps, seed {self.seed}"


def list_runs(study: Study) -> list[StudyRun]:
    """List every run, in the order of the study: all schedules of the first seed come first.

    Raises:
        StudyError: naming every schedule that does not fit a horizon, or has a value no optimizer can use.
    """
    plans = _plans(study)
    specs = study.schedules or {}
    peaks: Sequence[float | None] = study.peaks or [None]
    lengths = dict.fromkeys(steps for _, steps in plans)
    keys = [key for key in product(study.seeds, lengths, peaks, specs) if (key[3], key[1]) in plans]
    return [
        StudyRun(i, name, str(specs[name]), plans[name, steps], steps, peak, seed, specs[name].plateau)
        for i, (seed, steps, peak, name) in enumerate(keys)
    ]


def _plans(study: Study) -> dict[tuple[str, int], Plans | None]:
    plans: dict[tuple[str, int], Plans | None] = {}
    mistakes = []
    for name, spec in (study.schedules or {}).items():
        for steps in study.horizons_of(spec):
            try:
                plans[name, steps] = _usable(spec, steps)
            except GlidepathError as error:
                mistakes.append(Mistake(("schedules", name), (f"over {steps} steps: ", *error.parts())))
    if mistakes:
        raise StudyError(mistakes)
    return plans


def _usable(spec: ScheduleSpec, steps: int) -> Plans | None:
    """Resolve a schedule over a horizon, every value of it finite and not negative; None for a plateau."""
    plans = spec.over(steps)
    for plan in () if plans is None else schedules_in(plans):
        for step, value in enumerate(plan.block(0, steps)):
            if not math.isfinite(value) or value < 0:
                raise ScheduleError(f"update {step} would use the value {value:g}: a rate is finite and at least 0")
    return plans
