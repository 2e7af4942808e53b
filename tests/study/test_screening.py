"""Of many schedules a few are trained: on losses that a law gives, so that the best one is known."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from glidepath import parse
from glidepath.cli.output.screening import build_table
from glidepath.errors import StudyError
from glidepath.law import NoiseFloorLaw
from glidepath.study.curve import Curve, Record
from glidepath.study.mean_run import mean_run
from glidepath.study.report.screening import save_screening
from glidepath.study.screening.screen import FIRST, Candidates, find_candidates, screen_schedules
from glidepath.study.spec.runs import StudyRun
from glidepath.study.spec.study import Study, study_from
from glidepath.study.store import Store
from glidepath.study.training.prepare import prepare

STEPS, EVERY, PEAK = 600, 20, 0.003
LAW = NoiseFloorLaw(PEAK, 1.2, 0.8, 0.4, 0.3, 0.6, 0.3, 0.8)
TEXTS = {
    "constant": "constant()",
    "cosine": "cosine(100%)",
    "linear": "linear(100%)",
    "halves": "step(every=150, factor=0.5)",
    "thirds": "step(every=200, factor=0.3)",
    **{f"wsd {share}%": f"constant() >> linear({share}%)" for share in (5, 10, 20, 30, 40, 60, 80)},
    **{f"1-sqrt {share}%": f"constant() >> one_minus_sqrt({share}%)" for share in (10, 30, 60)},
}
RATES = {name: PEAK * parse(text).over(STEPS)(np.arange(STEPS)) for name, text in TEXTS.items()}


def truth(rates: NDArray[np.float64]) -> float:
    return float(LAW.predict(rates, updates=[STEPS])[0])


class Trainer:
    """Trains as the law says, with seeds that differ a little, and remembers what it was asked for."""

    def __init__(self, rates: Mapping[str, NDArray[np.float64]] = RATES, broken: str = "") -> None:
        self.rates, self.broken, self.trained = rates, broken, list[list[str]]()

    def __call__(self, study: Study) -> list[Curve]:
        self.trained.append(list(study.schedules or {}))
        return [self._curve(name, seed) for seed in study.seeds for name in study.schedules or {}]

    def _curve(self, name: str, seed: int) -> Curve:
        rates = self.rates[name]
        when = range(EVERY, STEPS + 1, EVERY)
        seen = dict(zip(when, LAW.predict(rates, updates=when), strict=True))
        metrics = lambda k: {"loss of validation": float(seen[k + 1]) + 0.001 * seed} if k + 1 in seen else {}
        records = [Record(k, float(rate), 1.0, metrics(k)) for k, rate in enumerate(rates)]
        if name == self.broken:
            records = [*records[:50], Record(50, float(rates[50]), float("nan"))]
        return Curve(StudyRun(0, name, TEXTS.get(name, ""), None, STEPS, PEAK, seed), PEAK, tuple(records))


def study(**more: object) -> Study:
    described = {"task": "digits", "steps": STEPS, "seeds": [0, 1], "schedules": TEXTS, **more}
    return study_from({key: value for key, value in described.items() if value is not None})


def found(rates: Mapping[str, NDArray[np.float64]] = RATES, others: tuple[str, ...] = ()) -> Candidates:
    return Candidates(study(), rates, others)


def test_the_best_schedule_is_found_and_most_are_never_trained() -> None:
    trainer = Trainer()
    done = screen_schedules(found(), trainer, confirm=2)
    best = min(TEXTS, key=lambda name: truth(RATES[name]))
    assert done.rows[0].schedule == best
    assert [len(names) for names in trainer.trained] == [FIRST, FIRST + 1, FIRST + 2]
    assert list(done.study.schedules or {}) == trainer.trained[-1]
    assert {curve.run.schedule for curve in done.curves} == set(trainer.trained[-1])


def test_what_is_predicted_is_close_to_what_training_would_show() -> None:
    done = screen_schedules(found(), Trainer(), confirm=1)
    predicted = {row.schedule: row.predicted.loss for row in done.rows if row.predicted is not None}
    assert len(predicted) == len(TEXTS) - FIRST
    errors = [loss - truth(RATES[name]) for name, loss in predicted.items()]
    assert np.abs(errors).max() < 0.03
    assert np.corrcoef(list(predicted.values()), [truth(RATES[name]) for name in predicted])[0, 1] > 0.98


def test_the_first_ones_are_told_apart_from_those_that_confirm_and_those_left_out() -> None:
    rows = screen_schedules(found(), Trainer(), confirm=2).rows
    roles = [row.role for row in rows]
    assert (roles.count("to fit"), roles.count("to confirm")) == (FIRST, 2)
    assert all((row.measured is None) == (row.role == "left out") for row in rows)
    assert all(row.predicted is None for row in rows if row.role == "to fit")
    left = [row.predicted.loss for row in rows if row.role == "left out" and row.predicted is not None]
    assert left == sorted(left)
    shown = [row.measured for row in rows if row.measured is not None]
    assert shown == sorted(shown)


def test_what_is_shown_is_what_was_predicted_before_the_schedule_was_trained() -> None:
    done = screen_schedules(found(), Trainer(), confirm=2)
    once = screen_schedules(found(), Trainer(), confirm=1)
    first = next(row for row in once.rows if row.role == "to confirm")
    again = next(row for row in done.rows if row.schedule == first.schedule)
    assert first.predicted is not None
    assert again.predicted == first.predicted


def test_the_most_promising_is_trained_first() -> None:
    trainer = Trainer()
    done = screen_schedules(found(), trainer, confirm=1)
    chosen = next(row for row in done.rows if row.role == "to confirm")
    others = [row.predicted.loss for row in done.rows if row.role == "left out" and row.predicted is not None]
    assert chosen.predicted is not None
    assert chosen.predicted.loss < np.mean(others)


def test_a_metric_after_an_update_counts_that_update() -> None:
    run = mean_run("cosine", Trainer()(study(schedules={"cosine": TEXTS["cosine"]})))
    assert run is not None
    assert run.updates.tolist() == list(range(EVERY, STEPS + 1, EVERY))
    assert run.losses == pytest.approx(LAW.predict(RATES["cosine"], updates=run.updates) + 0.0005)
    assert run.rates == pytest.approx(RATES["cosine"])


def test_what_no_law_speaks_of_is_trained_too() -> None:
    trainer = Trainer({**RATES, "plateau": RATES["halves"]})
    wider = study(schedules={**TEXTS, "plateau": "plateau(patience=2)"})
    done = screen_schedules(Candidates(wider, RATES, ("plateau",)), trainer, confirm=1)
    assert all("plateau" in names for names in trainer.trained)
    assert {row.role for row in done.rows if row.schedule == "plateau"} == {"not predictable"}


def test_more_to_confirm_than_there_are_trains_all_and_ends() -> None:
    trainer, few = Trainer(), {name: RATES[name] for name in ("constant", "cosine", "linear", "halves", "wsd 20%")}
    done = screen_schedules(
        Candidates(study(schedules={name: TEXTS[name] for name in few}), few, ()), trainer, confirm=100
    )
    assert set(trainer.trained[-1]) == set(few)
    assert all(row.measured is not None for row in done.rows)


def test_a_run_that_diverged_is_no_lesson_and_stands_last_of_those_trained() -> None:
    first = found().first()[0]
    done = screen_schedules(found(), Trainer(broken=first), confirm=1)
    trained = [row for row in done.rows if row.measured is not None]
    assert (trained[-1].schedule, trained[-1].measured) == (first, np.inf)


def test_nothing_but_divergence_is_an_error_that_says_so() -> None:
    one = {name: RATES[name] for name in ("cosine",)}
    with pytest.raises(StudyError, match="cannot predict the rest"):
        screen_schedules(Candidates(study(), one, ()), Trainer(broken="cosine"), confirm=1)


def test_the_candidates_of_a_study_are_those_whose_rate_alone_decides(tmp_path: Path) -> None:
    schedules = {
        "cosine": "cosine(100%)",
        "plateau": "plateau(patience=2)",
        "lower": "0.5 * cosine(100%)",
        "decay too": {"lr": "cosine(100%)", "weight_decay": "linear(100%)"},
    }
    with Store(tmp_path) as store:
        few = find_candidates(prepare(study(steps=30, schedules=schedules), store))
    assert (list(few.rates), few.others) == (["cosine"], ("plateau", "lower", "decay too"))
    assert few.rates["cosine"].shape == (30,)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"peaks": [0.1, 0.2]}, "one horizon and at one peak"),
        ({"steps": None, "horizons": [20, 40]}, "one horizon and at one peak"),
        ({"schedules": {"a": "constant()", "b": "warmup(5) >> constant()"}}, "nothing to learn from"),
    ],
)
def test_a_study_that_cannot_be_screened_says_why(tmp_path: Path, more: dict[str, object], message: str) -> None:
    described = {"steps": 30, **more}
    with Store(tmp_path) as store, pytest.raises(StudyError, match=message):
        find_candidates(prepare(study(**described), store))


def test_the_figure_and_the_file_show_every_schedule(tmp_path: Path) -> None:
    done = screen_schedules(found(), Trainer(), confirm=1)
    table, figure = save_screening(tmp_path, done.rows, "validation loss")
    lines = table.read_text().splitlines()
    assert lines[0] == "schedule,why trained,metric,predicted,low,high,measured,error"
    assert [line.split(",")[0] for line in lines[1:]] == [row.schedule for row in done.rows]
    assert figure.stat().st_size > 10_000
    assert build_table(done.rows, "validation loss").row_count == len(TEXTS)
