"""The runs of a study by Glidepath itself: which are read, their names, and what their updates mean.

A study keeps every update 0..T-1, so nothing about its rates is assumed. The loss of update k was computed after k
updates, and a metric after it when k + 1 had been made.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from glidepath.errors import Argument, Cure, Place, RunError
from glidepath.runs.deviation import Rates
from glidepath.runs.run import FloatArray, Run, at_step

Only = Sequence[int] | Sequence[str]  # the runs to read, by their numbers in a study or by name


@final
@dataclass(frozen=True)
class StudySettings:
    """What sets a run apart in its study, and its number there."""

    number: int
    schedule: str
    peak: float
    steps: int
    seed: int
    study: str = ""


def choose_by_number(settings: Sequence[StudySettings], only: Only | None, place: Place) -> list[StudySettings]:
    """Return the runs with these numbers, in the order in which they were asked for; all if only names are given.

    Raises:
        RunError: if there is none, or a number belongs to none or to several.
    """
    if not settings:
        raise RunError(f"{place} has no runs yet")
    numbers = None if only is None else [number for number in only if not isinstance(number, str)]
    if numbers is None or (only and not numbers):
        return list(settings)
    studies = {each.study for each in settings}
    if len(studies) > 1:
        raise RunError(f"{place} has {len(studies)} studies, each with its own numbers: read one study's results")
    by_number = {each.number: each for each in settings}
    unknown = [number for number in numbers if number not in by_number]
    if unknown or not numbers:
        missing = f"run {unknown[0]}" if unknown else "run without a number"
        raise RunError(f"{place} has no {missing}; it has {_join_numbers(sorted(by_number))}")
    return [by_number[number] for number in numbers]


def _join_numbers(numbers: Sequence[int]) -> str:
    texts = [str(number) for number in numbers]
    return ", ".join(texts if len(texts) <= 12 else [*texts[:10], "...", texts[-1]])


def names_of(settings: Sequence[StudySettings]) -> list[str]:
    """Return the schedule of each run, with as much else as it takes to distinguish them.

    >>> names_of([StudySettings(0, "cosine", 0.1, 90, 0), StudySettings(1, "linear", 0.1, 90, 0)])
    ['cosine', 'linear']
    >>> names_of([StudySettings(i, "cosine", peak, 90, i) for i, peak in enumerate((0.1, 0.1, 0.2))])
    ['cosine (peak 0.1, seed 0)', 'cosine (peak 0.1, seed 1)', 'cosine (peak 0.2, seed 2)']
    """
    ways = [
        [f"peak {each.peak:g}" for each in settings],
        [f"{each.steps} steps" for each in settings],
        [f"seed {each.seed}" for each in settings],
        [f"study {each.study}" for each in settings],
        [f"run {each.number}" for each in settings],
    ]
    schedules = [each.schedule for each in settings]
    used: list[list[str]] = []
    for way in ways:
        if _unique(_join_names(schedules, used)):
            break
        if len(set(way)) > 1:
            used.append(way)
    return _join_names(schedules, used)


def _unique(texts: Sequence[str]) -> bool:
    return len(set(texts)) == len(texts)


def _join_names(schedules: Sequence[str], used: Sequence[Sequence[str]]) -> list[str]:
    if not used:
        return list(schedules)
    return [f"{schedule} ({', '.join(parts)})" for schedule, *parts in zip(schedules, *used, strict=True)]


def rates_of_run(name: str, place: Place, steps: FloatArray, rates: FloatArray) -> Rates:
    """Build the rates of a run, which are known even where its training diverged.

    Raises:
        RunError: if an update is missing.
    """
    _check_steps(name, place, steps)
    return Rates(name, range(len(steps)), rates.tolist())


def run_of_losses(
    name: str, place: Place, steps: FloatArray, rates: FloatArray, losses: FloatArray, *cures: Cure
) -> Run:
    """Build a run with its training losses; NaN where training diverged: `cures` are what else to do then.

    Raises:
        RunError: if an update is missing, or the run diverged.
    """
    _check_steps(name, place, steps)
    for step in np.flatnonzero(~np.isfinite(losses))[:1]:
        where = at_step(Place(place.file, place.line, name), step)
        cure = Cure("choose the other runs", Argument("only"))
        raise RunError("the loss is not a number: the run diverged", place=where, cures=[cure, *cures])
    return Run(name, rates, np.arange(1, len(steps)), losses[1:], loss="training_loss")


def run_of_metric(
    name: str, place: Place, steps: FloatArray, rates: FloatArray, values: FloatArray, metric: str
) -> Run:
    """Build a run with a metric in place of its losses; NaN where it was not measured.

    Raises:
        RunError: if an update is missing, or the metric was measured less than twice.
    """
    _check_steps(name, place, steps)
    measured = np.flatnonzero(~np.isnan(values))
    return Run(name, rates, measured + 1, values[measured], loss=metric)


def _check_steps(name: str, place: Place, steps: FloatArray) -> None:
    if not np.array_equal(steps, np.arange(len(steps))):
        problem = f"{name} does not have every update from 0 on, each once: the file is damaged"
        raise RunError(problem, place=place)
