"""`glidepath compare`: train a task under several schedules and tell which one wins."""

import contextlib
import json
import math
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, TypeVar

from cyclopts import Parameter

from glidepath.errors import StudyError
from glidepath.study.curve import Curve
from glidepath.study.executors import check_place, executor_for
from glidepath.study.report.screening import flat
from glidepath.study.report.summary import summary
from glidepath.study.report.tables import summary_table
from glidepath.study.report.terminal import show
from glidepath.study.result import facts, save_results
from glidepath.study.screening.row import ScreeningRow
from glidepath.study.screening.screen import find_candidates
from glidepath.study.spec.study import Study, study_from
from glidepath.study.spec.yaml_io import read_study
from glidepath.study.store import Store
from glidepath.study.training.cost import CostEstimate, estimate_cost
from glidepath.study.training.prepare import Prepared, prepare, train, verify
from glidepath.study.training.progress import Screen

from .options.plans import name_and_text
from .output import screening
from .store import size

Item = TypeVar("Item")
Several = Annotated[list[Item] | None, Parameter(negative=())]  # an option that may be given again and again
Flag = Annotated[bool, Parameter(negative=())]


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
    threads: int | None = None,
    share: bool | None = None,
    on: str = "local",
    workers: int | None = None,
    dry_run: Flag = False,
    as_json: Annotated[bool, Parameter(name="--json", negative=())] = False,
    verify_one: Annotated[bool, Parameter(name="--verify", negative=())] = False,
    screen: int | None = None,
    out: Annotated[Path | None, Parameter(alias="-o")] = None,
    store: Path = Path(".glidepath"),
    disk: str = "4GB",
) -> None:
    """Train a task under several schedules and tell which one wins.

    Every schedule gets the same first weights and the same batches, and what several runs have in common is trained
    once. Whatever was trained is kept in the store, so the same command goes on where it was stopped, and a schedule
    that is added later costs no more than its own branch.

    Example: glidepath compare digits --steps 300 --schedule cosine="cosine(100%)" --schedule fixed="constant()"

    Parameters
    ----------
    study
        A task (digits, stdlib_gpt, package.module:function, file.py:function) or a study file (YAML).
    steps
        Updates of every run; without it, a schedule that has a length runs for that long.
    schedule
        NAME=TEXT, once for each; without any, the ways to decay a rate that people use most.
    peak
        The largest rate of a run, once for each; without any, the optimizer's own.
    seed
        Once for each; without any, 0 to 4.
    horizon
        In place of --steps: several lengths of run, once for each.
    evaluate_every
        Updates between two evaluations; without it, 16 to 32 evaluations in the longest run.
    threads
        CPU threads of one training, 1 without it; another number gives other bits.
    share
        Train every run alone with --no-share: for a task that cannot be reproduced.
    on
        Where to train: local (this process), processes (several on this machine), ray (a cluster on this machine) or
        ray://HOST:PORT.
    workers
        How many trainings at a time; without it, as many as the machine, or the cluster, has cores for.
    dry_run
        Only print the plan: runs, updates alone and shared, disk, advice.
    as_json
        Print the plan, or the summary, as JSON.
    verify_one
        Afterwards, train one run again from scratch and compare every bit.
    screen
        Of many schedules, train the three that tell most about the others, predict those, and train the N most
        promising to confirm: --screen 4.
    out
        The folder for the results.
    store
        The folder for what was trained.
    disk
        How much of it the snapshots may take.
    """
    check_place(on, workers)
    if screen is not None and screen < 1:
        raise StudyError(f"--screen trains at least one schedule to confirm, not {screen}")
    options = {
        "steps": steps,
        "schedules": _named(schedule) if schedule else None,
        "peaks": peak,
        "seeds": seed,
        "horizons": horizon,
        "evaluate_every": evaluate_every,
        "threads": threads,
        "share": share,
    }
    described = _study(study, {key: value for key, value in options.items() if value is not None})
    with Store(store) as opened:
        prepared = prepare(described, opened, size(disk))
        plan = estimate_cost(prepared)
        for warning in plan.warnings:
            print(f"glidepath: {warning}", file=sys.stderr)
        few = None if screen is None else find_candidates(prepared)
        if dry_run:
            print(json.dumps(asdict(plan), indent=2) if as_json else _shown(plan))
            if few is not None:
                print(f"trained first: {', '.join([*few.others, *few.first()])}", file=sys.stderr)
            return
        folder = _made(out or _folder(study))
        with _left_as_it_was(folder):
            screened: tuple[ScreeningRow, ...] = ()
            if few is None or screen is None:
                curves = _trained(prepared, folder, on, workers)
            else:
                train_it = lambda part: _trained(part, folder, on, workers)
                done, prepared = screening.screened(few, screen, prepared, size(disk), train_it)
                curves, screened = done.curves, done.rows
                screening.tell(folder, done, plan, estimate_cost(prepared), as_json)
                plan = estimate_cost(prepared)
            if verify_one:
                found = f"{verify(prepared)}, trained again alone: every loss, metric and last bit is the same\n"
                print(found, file=sys.stderr if as_json else sys.stdout)
            _report(folder, prepared, plan, curves, screened, as_json)


@contextlib.contextmanager
def _left_as_it_was(folder: Path) -> Iterator[None]:
    """No empty folder of results stays behind an error or a stop."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            folder.rmdir()
        raise


def _report(
    folder: Path,
    prepared: Prepared,
    plan: CostEstimate,
    curves: list[Curve],
    screened: Sequence[ScreeningRow],
    as_json: bool,
) -> None:
    """The table on the screen, or as JSON with everything else that is told on stderr; and the files in the folder."""
    rows = summary(curves)
    if as_json:
        plain: Any = _plain(summary_table(rows).rows)
        print(json.dumps({"screening": _plain(map(flat, screened)), "summary": plain} if screened else plain, indent=2))
    else:
        show(rows)
    known = facts(prepared, plan)
    files = save_results(folder, prepared.study, curves, rows, known)
    names = ", ".join(file.name for file in files)
    found = f"wrote {names} in {folder}" if files else f"everything in {folder} is as it was"
    print(f"\n{known['updates']}\n{found}", file=sys.stderr if as_json else sys.stdout)


def _plain(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows as they are in a CSV file; what is no finite number, which JSON does not have, is null."""
    return [{name: _finite(value) for name, value in row.items()} for row in rows]


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _trained(prepared: Prepared, folder: Path, on: str, workers: int | None) -> list[Curve]:
    """Train what the store lacks; a stop says what is kept."""
    with Screen() as screen:
        executor = executor_for(on, prepared.store.snapshots, prepared.study.threads, workers, screen.updated)
        try:
            return train(prepared, executor, screen, str(folder))
        except KeyboardInterrupt:
            finished = len(prepared.coordinator.finished(range(len(prepared.runs))))
            print(
                f"stopped: {finished} of {len(prepared.runs)} runs are finished, and what was trained is "
                f"kept in {prepared.store.folder}; the same command goes on",
                file=sys.stderr,
            )
            raise
        finally:
            executor.close()


def _shown(plan: CostEstimate) -> str:
    """The plan for people."""
    about = "" if plan.exact else "at most "
    lines = [
        f"{plan.runs} runs",
        f"{plan.steps_alone:,} updates, if each run were trained alone",
        f"{about}{plan.steps_shared:,} updates, each different one once: {plan.ratio:.2f} times fewer",
        f"{about}{plan.steps_to_train:,} updates still to train",
        f"{plan.bytes / 1e6:,.0f} MB of snapshots at most",
        *(f"advice: {text}" for text in plan.advice),
    ]
    return "\n".join(lines)


def _study(name: str, given: dict[str, Any]) -> Study:
    return read_study(Path(name), given) if _is_file(name) else study_from({"task": name, **given})


def _is_file(name: str) -> bool:
    return Path(name).suffix.lower() in (".yaml", ".yml")


def _folder(name: str) -> Path:
    """The default: results/ with the name of the study file or of the task's function."""
    return Path("results") / (Path(name).stem if _is_file(name) else name.rpartition(":")[2])


def _made(folder: Path) -> Path:
    """The folder, known to take results before hours are spent on them."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(13, "it cannot be written")
    except OSError as error:
        raise StudyError(f"{folder} cannot hold results: {error.strerror}") from error
    return folder


def _named(schedules: list[str]) -> dict[str, str]:
    """NAME=TEXT by name; a schedule without a name is called by its text."""
    pairs = [(name or text.strip(), text) for name, text in map(name_and_text, schedules)]
    names = [name for name, _ in pairs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise StudyError(f"--schedule: two schedules are called {twice!r}")
    return dict(pairs)
