"""The runs of a study by Glidepath itself: which are meant, what they are called, and what their updates say.

A study keeps every update 0..T-1, so nothing about its rates is assumed. The loss of update k was seen after k
updates, and a metric after it when k + 1 had been made.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from glidepath.errors import RunError
from glidepath.runs.run import FloatArray, Run, diverged


@final
@dataclass(frozen=True)
class Setting:
    """What a run is: its number in its study, and what sets it apart."""

    number: int
    schedule: str
    peak: float
    steps: int
    seed: int
    study: str = ""


def chosen(settings: Sequence[Setting], numbers: Sequence[int] | None, where: str) -> list[Setting]:
    """The runs that are meant, in the order in which they were asked for.

    Raises:
        RunError: if there is none, or a number belongs to none or to several.
    """
    if not settings:
        raise RunError(f"{where} has no runs yet")
    if numbers is None:
        return list(settings)
    studies = {one.study for one in settings}
    if len(studies) > 1:
        raise RunError(f"{where} knows {len(studies)} studies, each with its own numbers: read the results of one")
    known = {one.number: one for one in settings}
    absent = [number for number in numbers if number not in known]
    if absent or not len(numbers):
        raise RunError(f"{where} has no run {absent[0] if absent else 'of no number'}; it has {_listed(sorted(known))}")
    return [known[number] for number in numbers]


def _listed(numbers: Sequence[int]) -> str:
    few = [str(number) for number in numbers]
    return ", ".join(few if len(few) <= 12 else [*few[:10], "...", few[-1]])


def names(settings: Sequence[Setting]) -> list[str]:
    """The schedule of each run, with whatever else it takes to tell them apart.

    >>> names([Setting(0, "cosine", 0.1, 90, 0), Setting(1, "linear", 0.1, 90, 0)])
    ['cosine', 'linear']
    >>> names([Setting(0, "cosine", 0.1, 90, 0), Setting(1, "cosine", 0.1, 90, 1), Setting(2, "cosine", 0.2, 90, 0)])
    ['cosine (peak 0.1, seed 0)', 'cosine (peak 0.1, seed 1)', 'cosine (peak 0.2, seed 0)']
    """
    ways = [
        [f"peak {one.peak:g}" for one in settings],
        [f"{one.steps} steps" for one in settings],
        [f"seed {one.seed}" for one in settings],
        [f"study {one.study}" for one in settings],
        [f"run {one.number}" for one in settings],
    ]
    schedules = [one.schedule for one in settings]
    used: list[list[str]] = []
    for way in ways:
        if _unique(_joined(schedules, used)):
            break
        if len(set(way)) > 1:
            used.append(way)
    return _joined(schedules, used)


def _unique(texts: Sequence[str]) -> bool:
    return len(set(texts)) == len(texts)


def _joined(schedules: Sequence[str], used: Sequence[Sequence[str]]) -> list[str]:
    if not used:
        return list(schedules)
    return [f"{schedule} ({', '.join(parts)})" for schedule, *parts in zip(schedules, *used, strict=True)]


def run_of_losses(name: str, where: str, steps: FloatArray, rates: FloatArray, losses: FloatArray) -> Run:
    """A run with its training losses; NaN where training diverged.

    Raises:
        RunError: if an update is missing, or the run diverged.
    """
    _check_steps(name, where, steps)
    for step in np.flatnonzero(~np.isfinite(losses))[:1]:
        raise RunError(f"{where}: {name}: {diverged(int(step), 'no number')}, or leave the run out: numbers=")
    return Run(name, rates, np.arange(1, len(steps)), losses[1:])


def run_of_metric(name: str, where: str, steps: FloatArray, rates: FloatArray, metric: FloatArray) -> Run:
    """A run with a metric in place of its losses; NaN where it was not measured.

    Raises:
        RunError: if an update is missing, or the metric was measured less than twice.
    """
    _check_steps(name, where, steps)
    measured = np.flatnonzero(~np.isnan(metric))
    return Run(name, rates, measured + 1, metric[measured])


def _check_steps(name: str, where: str, steps: FloatArray) -> None:
    if not np.array_equal(steps, np.arange(len(steps))):
        raise RunError(f"{where}: {name} does not have every update from 0 on, each once: the file is damaged")
