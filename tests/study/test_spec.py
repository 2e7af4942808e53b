"""A study is checked as a whole: every mistake at once, each at its key."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

import glidepath as gp
from glidepath import parser
from glidepath.core import syntax
from glidepath.core.syntax import Node
from glidepath.errors import StudyError
from glidepath.study.spec import plateau_spec
from glidepath.study.spec.runs import list_runs
from glidepath.study.spec.study import default_schedules, study_from
from glidepath.study.spec.yaml_io import read_study
from glidepath.study.store import Store
from glidepath.study.training.prepare import prepare
from glidepath.torch import Set


def refusal(**described: Any) -> list[str]:
    with pytest.raises(StudyError) as error:
        list_runs(study_from({"task": "digits", **described}))
    return str(error.value).split("\n")


def test_a_task_is_enough() -> None:
    study = study_from({"task": "digits"})
    assert study.longest == 400
    assert study.seeds == [0, 1, 2, 3, 4]
    assert len(list_runs(study)) == 5 * len(default_schedules(400))


def test_the_defaults_fit_any_length_from_two() -> None:
    for steps in (2, 3, 7, 100_000):
        assert list_runs(study_from({"task": "digits", "steps": steps, "seeds": [0]}))


def test_a_complete_study_completes_to_itself() -> None:
    study = study_from({"task": "digits", "horizons": [100, 200]})
    assert study_from(study.model_dump()) == study


def test_every_mistake_is_reported_at_once() -> None:
    found = refusal(stes=5, seeds=[0, -1], peaks=[0.0], schedules={"a": "cosin(5%)", "b": "cosine("})
    places = {line.partition(":")[0] for line in found if ": " in line}
    assert {"stes", "seeds[1]", "peaks[0]", "schedules.a", "schedules.b"} <= places


@pytest.mark.parametrize(
    ("described", "words"),
    [
        ({"stes": 5}, "stes: this is not a key of a study; did you mean steps?"),
        ({"steps": 0}, "steps: the horizon must be at least 1, not 0"),
        ({"steps": True}, "steps: the horizon is a count of steps, a whole number, not True"),
        ({"steps": 1.5}, "a whole number, not 1.5"),
        ({"steps": 5, "horizons": [5]}, "horizons: give steps or horizons, not both"),
        ({"horizons": [5, 5]}, "horizons: 5 is given twice"),
        ({"seeds": [1, 2, 1]}, "seeds: 1 is given twice"),
        ({"seeds": 5}, "seeds: this is a list of the seeds' numbers, not how many there are: [0, 1, 2, 3, 4] for 5"),
        ({"seeds": 100}, "[0, 1, ..., 99] for 100"),
        ({"seeds": "3"}, "seeds: this is a list, not '3'"),
        ({"seeds": range(3)}, "seeds: this is a list, not range(0, 3)"),
        ({"peaks": 0.1}, "peaks: this is a list, as in [0.1]"),
        ({"lr": 0.1}, "lr: this is not a key of a study; the largest rates are a list, as in peaks: [0.1]"),
        ({"peak": 0.1}, "peaks: [0.1]"),
        ({"seed": 1}, "seeds are a list of numbers, as in seeds: [0, 1, 2, 3, 4]"),
        ({"schedule": "cosine(5)"}, "as in schedules: {cosine: cosine(100%)}"),
        ({"horizon": 5}, "as in horizons: [1000, 2000]"),
        ({"epochs": 5}, "epochs: this is not a key of a study; a run is as long as its updates, as in steps: 1000"),
        ({"task": print}, "task: a task is given by a name, file.py:function or package.module:function, not by the "),
        (
            {"schedules": ["constant()"]},
            'this is a mapping from names to schedules, as in {"cosine": "cosine(100%)"}, not [\'constant()\']',
        ),
        ({"schedules": {"a": gp.formula(lambda step: 1.0)}}, "schedules.a: formula(<function <lambda>>) has no text"),
        ({"seeds": []}, "seeds: this is empty: give at least one, or leave seeds out"),
        ({"peaks": [float("nan")]}, "peaks[0]: a peak must be a finite number"),
        ({"peaks": ["0.1"]}, "peaks[0]: a peak must be a finite number, not '0.1'"),
        ({"peaks": [-0.1]}, "peaks[0]: a peak must be above 0"),
        ({"schedules": {}}, "schedules: this is empty: give at least one, or leave schedules out"),
        ({"schedules": {" ": "constant()"}}, "the name of a schedule"),
        (
            {"schedules": {"a": 5}},
            "schedules.a: a schedule is a text, as in cosine(100%), or one for each hyperparameter, not 5",
        ),
        ({"schedules": {"a": "cosin(5%)"}}, "did you mean cosine?"),
        ({"schedules": {"a": "plateau(0.5)"}}, "named arguments only"),
        ({"schedules": {"a": "plateau(factor=cosine(5))"}}, "a number or a quoted text"),
        ({"schedules": {"a": "warmup(600) >> cosine(50%)"}}, "schedules.a: over 400 steps: the plan needs 800"),
        ({"schedules": {"a": "formula('1 - step / 200')"}}, "update 201 would use the value -0.005"),
        ({"schedules": {"a": "formula('sin(step) / step')"}}, "update 0 would use the value nan"),
        ({"task": ""}, "task: "),
        ({"task": 5}, "task: this should be a valid string, not 5"),
    ],
)
def test_a_mistake_is_named_with_its_key(described: dict[str, Any], words: str) -> None:
    assert words in "\n".join(refusal(**described))


def test_a_study_without_a_task_is_told_how_to_name_one() -> None:
    with pytest.raises(StudyError, match="task: this key is missing"):
        study_from({})


def test_every_schedule_that_does_not_fit_is_reported_at_once() -> None:
    found = refusal(
        horizons=[100, 1000], schedules={"a": "linear(500) >> linear(1%)", "b": "cosine(200) >> linear(1%)"}
    )
    assert [line.partition(": the plan")[0] for line in found] == [
        "schedules.a: over 100 steps",
        "schedules.b: over 100 steps",
    ]


def test_runs_are_every_seed_horizon_peak_and_schedule_the_first_seed_first() -> None:
    described = {"task": "digits", "horizons": [10, 20], "peaks": [0.1, 0.2], "seeds": [5, 3]}
    every = list_runs(study_from({**described, "schedules": {"a": "constant()", "b": "cosine(100%)"}}))
    assert [run.number for run in every] == list(range(16))
    assert [run.seed for run in every] == [5] * 8 + [3] * 8
    assert [(run.horizon, run.peak, run.schedule) for run in every[:5]] == [
        (10, 0.1, "a"),
        (10, 0.1, "b"),
        (10, 0.2, "a"),
        (10, 0.2, "b"),
        (20, 0.1, "a"),
    ]


def test_percentages_are_resolved_over_each_horizon() -> None:
    every = list_runs(
        study_from({"task": "digits", "horizons": [10, 20], "seeds": [0], "schedules": {"a": "cosine(100%)"}})
    )
    assert [run.plan for run in every] == [{"lr": gp.cosine(10)}, {"lr": gp.cosine(20)}]


def test_without_a_horizon_a_schedule_runs_for_its_own_length_and_the_others_for_the_longest() -> None:
    texts = {
        "a": "cosine(30)",
        "b": "warmup(5) >> cosine(45)",
        "c": "constant()",
        "d": "linear(100%)",
        "e": "plateau()",
    }
    every = list_runs(study_from({"task": "digits", "seeds": [0], "schedules": texts}))
    assert {run.schedule: run.horizon for run in every} == {"a": 30, "b": 50, "c": 50, "d": 50, "e": 50}


def test_every_hyperparameter_and_group_may_have_its_own_schedule() -> None:
    entry = {"lr": {"head": "cosine(100%)"}, "weight_decay": "Set(linear(100%))"}
    every = list_runs(study_from({"task": "digits", "steps": 7, "seeds": [0], "schedules": {"a": entry}}))
    assert every[0].plan == {"lr": {"head": gp.cosine(7)}, "weight_decay": Set(gp.linear(7))}
    assert every[0].text == "lr: head: cosine(100%), weight_decay: Set(linear(100%))"


def test_schedules_are_given_as_plans_too_and_their_texts_are_stored() -> None:
    plans = {"a": gp.cosine("100%"), "b": {"lr": {"head": gp.linear(7)}, "weight_decay": Set(gp.linear("100%"))}}
    texts = {"a": 'cosine("100%")', "b": {"lr": {"head": "linear(7)"}, "weight_decay": 'Set(linear("100%"))'}}
    given, written = (study_from({"task": "digits", "steps": 7, "schedules": s}) for s in (plans, texts))
    assert [run.plan for run in list_runs(given)] == [run.plan for run in list_runs(written)]
    stored = given.model_dump()["schedules"]
    assert study_from({"task": "digits", "steps": 7, "schedules": stored}) == given
    assert isinstance(stored["a"], str)


def test_the_default_evaluations_of_a_longer_horizon_are_among_those_of_a_shorter_one() -> None:
    grids = [study_from({"task": "digits", "steps": steps}).evaluate_every or 0 for steps in range(1, 2000)]
    for short, long in itertools.pairwise(grids):
        assert long % short == 0
    assert all(steps <= 16 or 16 <= steps / grid < 32 for steps, grid in enumerate(grids, 1))


def test_each_text_is_parsed_once_from_the_file_to_the_runs_that_are_prepared(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts: list[str] = []

    def counted(text: str) -> Node:
        texts.append(text)
        return syntax.tree(text)

    for module in (parser, plateau_spec):
        monkeypatch.setattr(module, "tree", counted)
    described = {"a": "constant()", "b": {"lr": "cosine(100%)", "momentum": "Set(linear(9))"}, "c": "plateau()"}
    (here / "study.yaml").write_text(json.dumps({"task": "lines.py:line", "horizons": [8, 9], "schedules": described}))
    with Store(here / "store") as store:
        prepare(read_study(here / "study.yaml"), store)
    assert sorted(texts) == sorted(["constant()", "cosine(100%)", "Set(linear(9))", "plateau()"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("plateau(factr=0.5)", "plateau has no argument 'factr'; did you mean factor?"),
        ("plateau(optimizer=1)", "plateau has no argument 'optimizer'"),
        ("plateau() >> cosine(5)", "a plateau stands alone"),
    ],
)
def test_a_wrong_plateau_is_found_before_anything_is_built(text: str, words: str) -> None:
    assert words in "\n".join(refusal(schedules={"a": text}))
