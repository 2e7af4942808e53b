"""Of many schedules train a few, predict the rest, and train the most promising to confirm.

The first few are those whose losses tell most about all the others (`telling`). Then, one after the other, the
schedule with the lowest predicted loss is trained, and the laws are fitted again to all that is known.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import final

import numpy as np

from glidepath.errors import LawError, RunError, StudyError
from glidepath.law import fit_committee
from glidepath.law.advising.advice import RankedSchedule, rank_schedules
from glidepath.law.advising.next_run import choose_first_runs
from glidepath.law.evaluation.fast_sum import FloatArray
from glidepath.runs.aggregate import ONE_PEAK
from glidepath.runs.run import Run as LoggedRun
from glidepath.study.curve import Curve
from glidepath.study.report.summary import first_metric
from glidepath.study.spec.runs import StudyRun
from glidepath.study.spec.study import Study
from glidepath.study.training.prepare import Prepared

from .row import Role, ScreeningRow

FIRST = 3  # schedules that are trained before anything is predicted
Train = Callable[[Study], list[Curve]]


@final
@dataclass(frozen=True)
class Screening:
    """How it went.

    Args:
        rows: those that were trained, the best first, then the others, the most promising first.
        study: of the schedules that were trained.
        curves: theirs.
    """

    rows: tuple[ScreeningRow, ...]
    study: Study
    curves: list[Curve]


@final
@dataclass(frozen=True)
class Candidates:
    """The schedules of a study, and the rates of those that a law can speak of.

    Args:
        study: with one horizon and one peak.
        rates: (T,) of the first group, by name.
        others: names of the rest, which no law speaks of: plateaus, other hyperparameters, another largest rate.
    """

    study: Study
    rates: Mapping[str, FloatArray]
    others: tuple[str, ...]

    def first(self) -> list[str]:
        """Those to train before anything is predicted."""
        peak = max(float(one.max()) for one in self.rates.values())
        return choose_first_runs({name: one / peak for name, one in self.rates.items()}, FIRST)


def find_candidates(prepared: Prepared) -> Candidates:
    """What can be screened of a study.

    Raises:
        StudyError: if it has several horizons or peaks, or nothing that could be predicted.
    """
    runs, values = prepared.runs, prepared.coordinator.values
    if len({(run.horizon, run.peak) for run in runs}) > 1:
        raise StudyError("--screen compares schedules over one horizon and at one peak: give one of each")
    seed = runs[0].seed
    known = {
        run.schedule: values[run.number].table(0, run.horizon)[:, 0]
        for run in runs
        if run.seed == seed and _rate_only(run)
    }
    peak = max((float(one.max()) for one in known.values()), default=0.0)
    rates = {name: one for name, one in known.items() if one.max() >= (1 - ONE_PEAK) * peak}
    if not any(one[int(one.argmax()) :].min() < 0.9 * one.max() for one in rates.values()):
        raise StudyError("--screen has nothing to learn from: no schedule of this study decays the rate")
    return Candidates(
        prepared.study, rates, tuple(name for name in prepared.study.schedules or {} if name not in rates)
    )


def screen(found: Candidates, train: Train, confirm: int) -> Screening:
    """Train the few that tell most, then the most promising.

    Args:
        found: from `candidates`.
        train: trains a study of some of the schedules, or takes from the store what is known.
        confirm: how many of the predicted schedules to train.
    """
    first = found.first()
    trained = dict.fromkeys([*found.others, *first])
    enough = len(trained) + confirm
    predicted: dict[str, RankedSchedule] = {}
    part, curves = _trained(found.study, trained, train)
    while True:
        every, left = _predictions(found, curves), [name for name in found.rates if name not in trained]
        predicted |= {name: every[name] for name in left}
        if not left or len(trained) >= enough:
            break
        trained[min(left, key=lambda name: predicted[name].loss)] = None
        part, curves = _trained(found.study, trained, train)
    rows = [_row(name, found, first, predicted.get(name), curves) for name in found.study.schedules or {}]
    return Screening(tuple(sorted(rows, key=_place)), part, curves)


def _rate_only(run: StudyRun) -> bool:
    return run.plan is not None and set(run.plan) == {"lr"}


def _trained(study: Study, names: Mapping[str, None], train: Train) -> tuple[Study, list[Curve]]:
    every = study.schedules or {}
    part = study.model_copy(update={"schedules": {name: every[name] for name in every if name in names}})
    return part, train(part)


def _predictions(found: Candidates, curves: Sequence[Curve]) -> dict[str, RankedSchedule]:
    """What the laws say of every schedule, after those that were trained.

    Raises:
        StudyError: if no law can be fitted to them.
    """
    try:
        known = fit_committee([run for name in found.rates if (run := mean_run(name, curves)) is not None])
        order = rank_schedules(known, found.rates)
    except (LawError, RunError) as error:
        raise StudyError(
            f"--screen cannot predict the rest of this study: {error}. Without --screen all of it is trained; what was "
            "trained so far is kept"
        ) from error
    return {one.name: one for one in order}


def mean_run(name: str, curves: Sequence[Curve]) -> LoggedRun | None:
    """The runs of a schedule as one, the mean over its seeds of the metric that ranks; None if there is none whole."""
    own = [curve for curve in curves if curve.run.schedule == name and not curve.diverged]
    if not own:
        return None
    metric = next(iter(own[0].records[-1].metrics))
    seen = [{record.step + 1: record.metrics[metric] for record in curve.records if record.metrics} for curve in own]
    updates = sorted(set.intersection(*map(set, seen)))
    losses = [fmean(one[update] for one in seen) for update in updates]
    rates = np.array([record.rate for record in own[0].records])
    return LoggedRun(name, rates, np.array(updates), np.array(losses))


def _row(
    name: str, found: Candidates, first: Sequence[str], predicted: RankedSchedule | None, curves: Sequence[Curve]
) -> ScreeningRow:
    ends = [first_metric(curve) for curve in curves if curve.run.schedule == name]
    role: Role = "to tell" if name in first else "to confirm" if ends else "left out"
    return ScreeningRow(
        name, "not predictable" if name in found.others else role, predicted, fmean(ends) if ends else None
    )


def _place(row: ScreeningRow) -> tuple[bool, float]:
    if row.found is not None:
        return False, row.found
    return True, row.predicted.loss if row.predicted else np.inf
