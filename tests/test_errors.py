"""Errors are data: worded for Python by str, for another interface by `worded`, and carried between processes."""

import ast
import pickle
import re
import tomllib
import warnings
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glidepath import errors, extras
from glidepath.errors import Argument, Cure, GlidepathError, GlidepathWarning, MissingExtraError, Place
from glidepath.extras import needs_extra

ROOT = Path(__file__).parent.parent
CLASSES = sorted(
    {c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, GlidepathError)},
    key=lambda c: c.__name__,
)
PLAIN = [c for c in CLASSES if c is not MissingExtraError]


def option(argument):
    """Another interface, which writes an argument its own way."""
    return f"--{argument.name}" + (f" {argument.key}=..." if argument.key else f" {argument.value or ''}".rstrip())


def test_an_argument_is_written_as_a_python_user_gives_it():
    assert str(Argument("peak")) == "peak="
    assert str(Argument("peak", 0.1)) == "peak=0.1"
    assert str(Argument("columns", key="rate")) == 'columns={"rate": ...}'
    assert str(Argument("columns", "eta", key="rate")) == 'columns={"rate": "eta"}'


def test_a_cure_words_its_arguments_for_whoever_shows_it():
    cure = Cure("give the schedule of the run", Argument("plan"), Argument("peak", 0.1))
    assert cure.worded() == "give the schedule of the run, plan= and peak=0.1"
    assert cure.worded(option) == "give the schedule of the run, --plan and --peak 0.1"
    assert Cure("wait").worded(option) == "wait"


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (Place("log.csv"), "log.csv"),
        (Place("log.csv", line=3), "log.csv:3"),
        (Place("state.json", part="log_history[2]"), "state.json, log_history[2]"),
        (Place("run", step=0), "run, step 0"),
    ],
)
def test_a_place_is_as_exact_as_it_is_known(place, text):
    assert str(place) == text


def test_an_error_is_its_place_its_problem_what_there_is_and_its_cures():
    error = errors.RunError(
        ["no column for the rate, and no ", Argument("plan")],
        place=Place("a.csv", line=1),
        choices=["it", "loss"],
        cures=[Cure("name it", Argument("columns", key="rate")), Cure("log it")],
    )
    middle = "; there are it, loss: name it, "
    assert error.worded() == f'a.csv:1: no column for the rate, and no plan={middle}columns={{"rate": ...}}, or log it'
    assert (
        error.worded(option) == f"a.csv:1: no column for the rate, and no --plan{middle}--columns rate=..., or log it"
    )
    assert str(error) == f"{error.worded()} [GP401]"


def test_the_code_stands_at_the_end_of_the_first_line():
    assert str(errors.TextError("unknown name", text="cosin(9)", offset=0)).splitlines() == [
        "unknown name [GP106]",
        "  cosin(9)",
        "  ^",
    ]


def test_a_kind_within_a_class_has_a_code_of_its_own():
    assert str(errors.ScheduleError("no", code="GP109")) == "no [GP109]"
    assert errors.ScheduleError.code == "GP101"


@pytest.mark.parametrize("kind", PLAIN, ids=lambda kind: kind.__name__)
def test_every_error_goes_through_a_pickle_with_all_that_it_says(kind):
    error = (
        kind("wrong", cures=[Cure("mend it", Argument("plan"))])
        if kind is not errors.TextError
        else kind("wrong", text="abc")
    )
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert (str(copy), copy.code, copy.cures) == (str(error), error.code, error.cures)
    assert isinstance(copy, GlidepathError)


def test_a_missing_package_goes_through_a_pickle_too():
    error = MissingExtraError("scipy", "law", "loss laws")
    error.add_note("in a worker")
    copy = pickle.loads(pickle.dumps(error.at(Place("task.py", line=3))))
    assert (str(copy), copy.place, copy.__notes__) == (str(error), error.place, ["in a worker"])


@given(st.text(alphabet=st.characters(blacklist_categories=["Cs"])))
def test_no_text_of_a_user_changes_what_is_said(text):
    assert GlidepathError(text).worded(option) == text


@pytest.mark.parametrize(("purpose", "verb"), [("loss laws", "need"), ("a Ray cluster", "needs")])
def test_a_missing_package_is_told_with_the_extra_that_is_enough(purpose, verb):
    with pytest.raises(MissingExtraError) as caught, needs_extra("law", purpose):
        import nothing_of_this_name.inside  # noqa: F401
    assert caught.value.package == "nothing_of_this_name"
    assert caught.value.worded() == (
        f'{purpose} {verb} nothing_of_this_name, which is not installed: pip install "glidepath[law]"'
    )


def test_a_package_of_no_extra_is_installed_by_its_own_name():
    assert MissingExtraError("keras", "", "this").worded().endswith(": pip install keras")


def test_a_missing_part_of_glidepath_itself_is_a_bug_and_stays_one():
    with pytest.raises(ModuleNotFoundError) as caught, needs_extra("law", "loss laws"):
        import glidepath.nothing_of_this_name  # noqa: F401
    assert not isinstance(caught.value, MissingExtraError)


def test_a_warning_shows_its_code_and_can_be_ignored_by_it():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=r".*\[GP799\]")
        warnings.warn(GlidepathWarning("hush", code="GP799"), stacklevel=1)
        with pytest.raises(GlidepathWarning, match=r"loud \[GP700\]"):
            warnings.warn(GlidepathWarning("loud"), stacklevel=1)


DISTRIBUTIONS = {"jinja2": "jinja2", "sklearn": "scikit-learn", "ruamel": "ruamel.yaml"}


@pytest.mark.parametrize("extra", extras.PACKAGES)
def test_the_packages_of_an_extra_are_those_that_it_installs(extra):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    def installed(name):
        for requirement in project["optional-dependencies"][name]:
            inner = re.fullmatch(r"glidepath\[(.*)\]", requirement)
            for other in inner[1].split(",") if inner else ():
                yield from installed(other)
            if not inner:
                yield re.match(r"[\w.-]+", requirement)[0]

    packages = {DISTRIBUTIONS.get(package, package) for package in extras.PACKAGES[extra]}
    assert packages <= set(installed(extra))
    assert packages >= set(installed(extra)) - {"cyclopts", "rich"}


def test_an_extra_that_is_not_there_is_found_missing_before_anything_is_imported(monkeypatch):
    monkeypatch.setitem(extras.PACKAGES, "law", ("sys", "nothing_of_this_name"))
    with pytest.raises(MissingExtraError, match=r'loss laws need nothing_of_this_name.*"glidepath\[law\]"'):
        extras.require_extras("loss laws", "torch", "law")


def test_an_extra_that_brings_all_that_is_missing_is_named_one_that_was_asked_for_first(monkeypatch):
    for extra, packages in {
        "torch": ("no_torch", "no_numpy"),
        "law": ("no_numpy",),
        "compare": ("no_torch", "no_numpy", "no_jinja"),
    }.items():
        monkeypatch.setitem(extras.PACKAGES, extra, packages)
    for needed, enough in {("law",): "law", ("law", "torch"): "torch", ("compare",): "compare"}.items():
        with pytest.raises(MissingExtraError) as caught:
            extras.require_extras("this", *needed)
        assert caught.value.extra == enough


@given(st.text())
def test_a_text_as_a_value_is_python_that_gives_it_back(text):
    shown = str(Argument("columns", text, key="rate"))
    assert ast.literal_eval(shown.partition("=")[2]) == {"rate": text}
    assert shown.isprintable()


VALUES = ("ScheduleError", "HorizonError", "TextError", "SchedulerError", "StateError", "TaskError", "StudyError")
BUILT_IN = {
    **dict.fromkeys((*VALUES, "RunError", "LawError", "ConvertError"), ValueError),
    **dict.fromkeys(("ArgumentError", "StepError", "DraftError", "OptimizerError"), TypeError),
    "ResumeError": KeyError,
    "GroupError": RuntimeError,
    "MissingExtraError": ImportError,
}


@pytest.mark.parametrize("name", BUILT_IN)
def test_an_error_is_also_the_built_in_one_that_a_reader_expects(name):
    assert issubclass(getattr(errors, name), BUILT_IN[name])


def test_the_errors_of_machines_and_files_are_of_no_built_in_kind():
    for kind in (errors.StoreError, errors.SnapshotError, errors.MachineError, errors.WorkerLostError):
        assert not issubclass(kind, ValueError | TypeError | OSError)


def test_a_study_says_all_its_mistakes_each_with_its_key():
    mistakes = [errors.Mistake(("seeds", 1), "0 is given twice"), errors.Mistake((), "it is empty")]
    error = errors.StudyError(mistakes, lambda path: "study.yaml:3: " if path else "")
    assert error.worded() == "study.yaml:3: seeds[1]: 0 is given twice\nthe study: it is empty"
    assert error.mistakes == tuple(mistakes)
    assert errors.dotted(("schedules", "late drop", "lr")) == "schedules.late drop.lr"
