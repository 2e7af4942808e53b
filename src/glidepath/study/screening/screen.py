"""Of many schedules train a few, predict the rest, and train the most promising to confirm.

The first few are those whose losses tell most about all the others (`choose_first_runs`). Then, one after the other,
the schedule with the lowest predicted loss is trained, and the laws are fitted again to all that was trained.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import final

import numpy as np

from glidepath.errors import Argument, LawError, RunError, StudyError
from glidepath.law import fit_committee
from glidepath.law.advising.advice import rank_schedules
from glidepath.law.advising.next_run import choose_first_runs
from glidepath.law.evaluation.fast_sum import FloatArray
from glidepath.runs.aggregate import ONE_PEAK
from glidepath.study.curve import Curve
from glidepath.study.mean_run import mean_run
from glidepath.study.report.summary import first_metric
from glidepath.study.spec.runs import StudyRun
from glidepath.study.spec.study import Study
from glidepath.study.training.prepare import Prepared

from .row import PredictedLoss, Role, ScreeningRow

FIRST = 3  # schedules that are trained before anything is predicted
SCREEN = Argument("screen")
Train = Callable[[Study], list[Curve]]


@final
@dataclass(frozen=True)
class Screening:
    """The outcome of a screening.

    Args:
        rows: schedules that were trained, the best first, then the others, the most promising first.
        study: of the schedules that were trained.
        curves: of their runs.
    """

    rows: tuple[ScreeningRow, ...]
    study: Study
    curves: list[Curve]


@final
@dataclass(frozen=True)
class Candidates:
    """The schedules of a study, and the rates of those that a law can predict.

    Args:
        study: with one horizon and one peak.
        rates: (T,) of the first group, by name.
        others: names of the rest, which no law predicts: plateaus, other hyperparameters, another largest rate.
    """

    study: Study
    rates: Mapping[str, FloatArray]
    others: tuple[str, ...]

    def first(self) -> list[str]:
        """Choose the schedules to train before anything is predicted."""
        peak = max(float(rates.max()) for rates in self.rates.values())
        return choose_first_runs({name: rates / peak for name, rates in self.rates.items()}, FIRST)


def find_candidates(prepared: Prepared) -> Candidates:
    """Find the schedules of a study that can be screened.

    Raises:
        StudyError: if it has several horizons or peaks, or nothing that could be predicted.
    """
    runs, values = prepared.runs, prepared.coordinator.values
    if len({(run.horizon, run.peak) for run in runs}) > 1:
        raise StudyError((SCREEN, " compares schedules over one horizon and at one peak: give one of each"))
    seed = runs[0].seed
    columns = {
        run.schedule: values[run.number].matrix(0, run.horizon)[:, 0]
        for run in runs
        if run.seed == seed and _rate_only(run)
    }
    peak = max((float(rates.max()) for rates in columns.values()), default=0.0)
    candidates = {name: rates for name, rates in columns.items() if rates.max() >= (1 - ONE_PEAK) * peak}
    if not any(map(_decays, candidates.values())):
        raise StudyError((SCREEN, " has nothing to learn from: no schedule of this study decays the rate"))
    others = tuple(name for name in prepared.study.schedules or {} if name not in candidates)
    return Candidates(prepared.study, candidates, others)


def screen_schedules(candidates: Candidates, train: Train, confirm: int) -> Screening:
    """Train the few that tell most, then the most promising.

    Args:
        candidates: from `find_candidates`.
        train: trains a study of some of the schedules, or takes from the store what it has.
        confirm: how many of the predicted schedules to train.
    """
    first = candidates.first()
    chosen = dict.fromkeys([*candidates.others, *first])
    enough = len(chosen) + confirm
    predicted: dict[str, PredictedLoss] = {}
    part, curves = _train_part(candidates.study, chosen, train)
    while True:
        predictions = _predict(candidates, curves)
        left = [name for name in candidates.rates if name not in chosen]
        predicted |= {name: predictions[name] for name in left}
        if not left or len(chosen) >= enough:
            break
        chosen[min(left, key=lambda name: predicted[name].loss)] = None
        part, curves = _train_part(candidates.study, chosen, train)
    names = candidates.study.schedules or {}
    rows = [_row(name, candidates, first, predicted.get(name), curves) for name in names]
    return Screening(tuple(sorted(rows, key=_rank)), part, curves)


def _rate_only(run: StudyRun) -> bool:
    return run.plan is not None and set(run.plan) == {"lr"}


def _decays(rates: FloatArray) -> bool:
    return bool(rates[int(rates.argmax()) :].min() < 0.9 * rates.max())


def _train_part(study: Study, names: Mapping[str, None], train: Train) -> tuple[Study, list[Curve]]:
    schedules = study.schedules or {}
    part = study.model_copy(update={"schedules": {name: schedules[name] for name in schedules if name in names}})
    return part, train(part)


def _predict(candidates: Candidates, curves: Sequence[Curve]) -> dict[str, PredictedLoss]:
    """Predict the loss of every schedule from those that were trained.

    Raises:
        StudyError: if no law can be fitted to them.
    """
    try:
        runs = [mean_run(name, curves) for name in candidates.rates]
        committee = fit_committee([run for run in runs if run is not None])
        ranking = rank_schedules(committee, candidates.rates)
    except (LawError, RunError) as error:
        problem = (SCREEN, " cannot predict the rest of this study: ", *error.parts(), ". Without ", SCREEN)
        rest = " all of it is trained; what was trained so far is kept"
        raise StudyError((*problem, rest), code=error.code) from error
    return {ranked.name: PredictedLoss(ranked.loss, ranked.low, ranked.high) for ranked in ranking}


def _row(
    name: str, candidates: Candidates, first: Sequence[str], predicted: PredictedLoss | None, curves: Sequence[Curve]
) -> ScreeningRow:
    ends = [first_metric(curve) for curve in curves if curve.run.schedule == name]
    role: Role = "to fit" if name in first else "to confirm" if ends else "left out"
    if name in candidates.others:
        role = "not predictable"
    return ScreeningRow(name, role, predicted, fmean(ends) if ends else None)


def _rank(row: ScreeningRow) -> tuple[bool, float]:
    if row.measured is not None:
        return False, row.measured
    return True, row.predicted.loss if row.predicted else np.inf
