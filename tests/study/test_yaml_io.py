"""A study file: YAML without YAML's traps, and every mistake with its line."""

from pathlib import Path
from typing import Any

import pytest

from glidepath.errors import StudyError
from glidepath.study.spec.schedule_spec import read_spec
from glidepath.study.spec.study import Study, study_from
from glidepath.study.spec.yaml_io import read_study, study_to_yaml


@pytest.fixture
def file(here: Path) -> Path:
    return here / "study.yaml"


def reading(file: Path, text: str, **instead: Any) -> Study:
    file.write_text(text)
    return read_study(file, instead)


def refusal(file: Path, text: str, **instead: Any) -> str:
    with pytest.raises(StudyError) as error:
        reading(file, text, **instead)
    return str(error.value)


def test_numbers_without_a_point_are_numbers(file: Path) -> None:
    study = reading(file, "task: digits\nsteps: 1e2\npeaks: [1e-3, 5E-2]\n")
    assert study.steps == 100
    assert study.peaks == [0.001, 0.05]


def test_yes_and_no_are_names_and_not_truths(file: Path) -> None:
    study = reading(file, "task: digits\nschedules:\n  yes: constant()\n  no: cosine(100%)\n")
    assert list(study.schedules or {}) == ["yes", "no"]


def test_a_count_may_carry_its_unit(file: Path) -> None:
    assert reading(file, "task: digits\nsteps: 10k\n").steps == 10_000


def test_a_key_given_twice_is_an_error_with_line_and_column(file: Path) -> None:
    message = refusal(file, "task: digits\nsteps: 5\nsteps: 6\n")
    assert message.startswith(f"{file}:3:1: ")
    assert "duplicate key" in message


def test_a_schedule_given_twice_is_an_error_too(file: Path) -> None:
    assert f"{file}:4:3: " in refusal(file, "task: digits\nschedules:\n  a: constant()\n  a: cosine(9)\n")


def test_an_unknown_key_is_named_with_its_line(file: Path) -> None:
    hint = "seeds are a list of numbers, as in seeds: [0, 1, 2, 3, 4]"
    message = refusal(file, "task: digits\n\nseed: [1]\n")
    assert message == f"{file}:3: seed: this is not a key of a study; {hint} [GP302]"


def test_every_mistake_comes_with_its_own_line(file: Path) -> None:
    text = "task: digits\nsteps: 0\nseeds:\n- 1\n- x\nschedules:\n  good: constant()\n  bad: cosin(5%)\n"
    message = refusal(file, text)
    assert f"{file}:2: steps: " in message
    assert f"{file}:5: seeds[1]: " in message
    assert f"{file}:8: schedules.bad: " in message


def test_an_option_overrides_its_key_and_is_not_blamed_on_the_file(file: Path) -> None:
    text = "task: digits\nsteps: 5\nseeds: [1]\n"
    assert reading(file, text, seeds=[7]).seeds == [7]
    assert refusal(file, text, seeds=[-7]).startswith("seeds[0]: ")


def test_steps_given_otherwise_override_horizons_and_the_reverse(file: Path) -> None:
    assert reading(file, "task: digits\nhorizons: [5, 6]\n", steps=7).horizons_of(read_spec("constant()")) == [7]
    assert reading(file, "task: digits\nsteps: 5\n", horizons=[7, 8]).horizons_of(read_spec("constant()")) == [7, 8]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "just words",
        "- task\n- digits",
        "task: [digits",
        "task: digits\n\tsteps: 5",
        "task: &a [*a]",
        "task: !!python/object/apply:os.system ['true']",
        "a: b: c",
        "%YAML 9.9\n---\ntask: digits",
        "--- a\n--- b",
        "? [1, 2]\n: 3",
        "[" * 5000,
        "task: \0",
        "1: 2",
        "task: digits\nsteps: 2020-01-01",
        "task: digits\nschedules: [constant()]",
        "task: digits\nschedules: {0.1: constant()}",
    ],
)
def test_what_is_no_study_is_refused_in_words(file: Path, text: str) -> None:
    assert str(file) in refusal(file, text)


def test_bytes_that_are_no_text_are_refused(file: Path) -> None:
    file.write_bytes(b"task: \xff\xfe")
    with pytest.raises(StudyError, match="not YAML"):
        read_study(file)


def test_a_file_that_is_missing_or_huge_is_refused(here: Path) -> None:
    with pytest.raises(StudyError, match="cannot be read"):
        read_study(here / "absent.yaml")
    (here / "huge.yaml").write_text("#" * 2_000_000)
    with pytest.raises(StudyError, match="at most"):
        read_study(here / "huge.yaml")


def test_what_is_written_reads_back_the_same(file: Path) -> None:
    schedules = {"a: b": "formula('1 / (1 + step)')", "#": "step(every=5, factor=0.1)", "yes": "plateau(mode='min')"}
    study = study_from({"task": "x.py:f", "peaks": [1e-5, 0.1, 1 / 3], "horizons": [10, 20], "schedules": schedules})
    assert reading(file, study_to_yaml(study)) == study


def test_a_task_file_may_lie_beside_its_study(here: Path) -> None:
    (here / "inner").mkdir()
    (here / "inner" / "mine.py").touch()
    inner = here / "inner" / "study.yaml"
    assert reading(inner, "task: mine.py:fit\n").task == f"{here / 'inner' / 'mine.py'}:fit"
    (here / "mine.py").touch()
    assert reading(inner, "task: mine.py:fit\n").task == "mine.py:fit"
