"""`glidepath compare`: train a task under several schedules and tell which one wins."""

import sys
from pathlib import Path
from typing import Annotated, Any, TypeVar

from cyclopts import Parameter

from glidepath.study.curve import Curve
from glidepath.study.errors import StudyError
from glidepath.study.progress import progress
from glidepath.study.report.files import report
from glidepath.study.report.screen import show
from glidepath.study.report.summary import summary
from glidepath.study.run import Prepared, prepare, train_all
from glidepath.study.spec import Study, study_from
from glidepath.study.written import read_study

Item = TypeVar("Item")
Several = Annotated[list[Item] | None, Parameter(negative=())]  # an option that may be given again and again


def compare(
    study: str,
    /,
    *,
    steps: str | None = None,
    schedule: Several[str] = None,
    peak: Several[float] = None,
    seed: Several[int] = None,
    horizon: Several[str] = None,
    evaluate_every: int | None = None,
    out: Annotated[Path | None, Parameter(alias="-o")] = None,
    force: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """Train a task under several schedules and tell which one wins.

    Every schedule gets the same first weights and the same batches. Finished runs are kept, so the same command goes
    on where it was stopped.

    Example: glidepath compare digits --steps 300 --schedule cosine="cosine(100%)" --schedule fixed="constant()"

    Parameters
    ----------
    study
        A task (digits, stdlib_gpt, package.module:function, file.py:function) or a study file (YAML).
    steps
        Updates of every run.
    schedule
        NAME=TEXT, once for each; without any, the ways to decay a rate that people use most.
    peak
        The largest rate of a run, once for each; without any, the optimizer's own.
    seed
        Once for each; without any, 0, 1 and 2.
    horizon
        In place of --steps: several lengths of run, once for each.
    evaluate_every
        Updates between two evaluations; without it, a twentieth of the run.
    out
        The folder for the results.
    force
        Train again, and give up whatever study the folder holds.
    """
    options = {
        "steps": steps,
        "schedules": _named(schedule) if schedule else None,
        "peaks": peak,
        "seeds": seed,
        "horizons": horizon,
        "evaluate_every": evaluate_every,
    }
    given = {key: value for key, value in options.items() if value is not None}
    prepared = prepare(_study(study, given), out or _folder(study), force=force)
    curves = _trained(prepared)
    rows = summary(curves)
    show(rows)
    files = report(prepared.folder, curves, rows)
    print(f"\nwrote {', '.join(file.name for file in files)} in {prepared.folder}")


def _study(name: str, given: dict[str, Any]) -> Study:
    return read_study(Path(name), given) if _is_file(name) else study_from({"task": name, **given})


def _is_file(name: str) -> bool:
    return Path(name).suffix.lower() in (".yaml", ".yml")


def _folder(name: str) -> Path:
    """The default: results/ with the name of the study file or of the task's function."""
    return Path("results") / (Path(name).stem if _is_file(name) else name.rpartition(":")[2])


def _named(schedules: list[str]) -> dict[str, str]:
    """NAME=TEXT by name; an equals sign within a text always follows a parenthesis."""
    pairs = [_pair(text) for text in schedules]
    names = [name for name, _ in pairs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise StudyError(f"--schedule: two schedules are called {twice!r}")
    return dict(pairs)


def _pair(given: str) -> tuple[str, str]:
    """A schedule without a name is called by its text."""
    name, sign, text = given.partition("=")
    return (name.strip(), text.strip()) if sign and "(" not in name else (given.strip(), given.strip())


def _trained(prepared: Prepared) -> list[Curve]:
    """Train what waits; a stop says what is kept."""
    finished = len(prepared.finished)
    if finished:
        print(f"{finished} finished runs found in {prepared.folder}", file=sys.stderr)
    done: list[Curve] = []
    try:
        with progress(prepared.waiting) as watch:
            return train_all(prepared, watch, done.append)
    except KeyboardInterrupt:
        kept, every = finished + len(done), finished + len(prepared.waiting)
        print(
            f"stopped: {kept} of {every} runs are kept in {prepared.folder}; the same command goes on", file=sys.stderr
        )
        raise
