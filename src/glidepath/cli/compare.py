"""`glidepath compare`: train a task under several schedules and tell which one wins."""

import json
import math
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, TypeVar

from cyclopts import Parameter

from glidepath import study as studies
from glidepath.errors import StudyError
from glidepath.study import CostEstimate, Result, Study, read_study, study_from
from glidepath.study.report.screening import to_columns
from glidepath.study.report.tables import summary_table
from glidepath.study.report.verdict import first_name
from glidepath.study.result import results_folder

from .options.plans import split_name
from .output.progress import ProgressBars
from .output.screening import write_screening
from .output.verdict import show
from .output.wording import word_as_options
from .store import size

Item = TypeVar("Item")
Several = Annotated[list[Item] | None, Parameter(negative=())]  # an option that may be given again and again
Flag = Annotated[bool, Parameter(negative=())]
OPTIONS = {
    "on": "--on",
    "workers": "--workers",
    "share": "--share",
    "store": "--store",
    "screen": "--screen",
}


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
        A seed's number, once for each: --seed 0 --seed 1; without any, 0 to 4.
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
    options = {
        "steps": steps,
        "schedules": _schedules(schedule) if schedule else None,
        "peaks": peak,
        "seeds": seed,
        "horizons": horizon,
        "evaluate_every": evaluate_every,
        "threads": threads,
        "share": share,
    }
    if seed and len(seed) == 1:
        _write_one_seed(seed[0])
    with word_as_options(OPTIONS):
        described = _study(study, {key: value for key, value in options.items() if value is not None})
        if dry_run:
            _write_cost(studies.estimate(described, store=store, screen=screen), as_json)
            return
        with results_folder(out or _folder(study)) as folder:
            with ProgressBars(store) as progress:
                result = studies.compare(
                    described,
                    store=store,
                    on=on,
                    workers=workers,
                    screen=screen,
                    budget=size(disk),
                    progress=progress,
                    name=str(folder),
                )
            if result.screening and not as_json:
                write_screening(result.screening, first_name(result.rows))
            if verify_one:
                run = studies.verify(result.study, store=store)
                _write_note(f"{run}, trained again alone: every loss, metric and last bit is the same\n", as_json)
            _write_result(result, folder, as_json)


def _write_one_seed(seed: int) -> None:
    """Write that a number after --seed is a seed, not how many there are."""
    example = "--seed 0 --seed 1 --seed 2"
    text = f"one seed, number {seed}, shows no difference between schedules; give several as {example}"
    print(f"glidepath: {text}", file=sys.stderr)


def _write_result(result: Result, folder: Path, as_json: bool) -> None:
    """Write the table, or JSON with all other lines on stderr; and the files."""
    if as_json:
        _write_json(result)
    else:
        show(result.rows)
    files = result.save(folder)
    names = ", ".join(file.name for file in files)
    if "screening" in result.facts:
        _write_note(f"\nscreened: {result.facts['screening']}", as_json)
    saved = f"wrote {names} in {folder}" if files else f"everything in {folder} is as it was"
    _write_note(f"\n{result.facts['updates']}; {result.trained:,} trained now\n{saved}", as_json)


def _write_json(result: Result) -> None:
    rows: Any = _plain(summary_table(result.rows).rows)
    metric = first_name(result.rows)
    screening = _plain(to_columns(row, metric) for row in result.screening)
    answer = {"screening": screening, "summary": rows} if result.screening else rows
    print(json.dumps(answer, indent=2))


def _write_note(text: str, as_json: bool) -> None:
    """Write a line beside the answer."""
    print(text, file=sys.stderr if as_json else sys.stdout)


def _plain(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows as they are in a CSV file; a number that is not finite, which JSON does not have, is null."""
    return [{name: _finite(value) for name, value in row.items()} for row in rows]


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _write_cost(cost: CostEstimate, as_json: bool) -> None:
    """Write what a study will cost."""
    for warning in cost.warnings:
        print(f"glidepath: {warning}", file=sys.stderr)
    print(json.dumps(asdict(cost), indent=2) if as_json else _cost_lines(cost))
    if cost.trained_first:
        print(f"trained first: {', '.join(cost.trained_first)}", file=sys.stderr)


def _cost_lines(cost: CostEstimate) -> str:
    bound = "" if cost.exact else "at most "
    lines = [
        f"{cost.runs} runs",
        f"{cost.steps_alone:,} updates, if each run were trained alone",
        f"{bound}{cost.steps_shared:,} updates, each different one once: {cost.ratio:.2f} times fewer",
        f"{bound}{cost.steps_to_train:,} updates still to train",
        f"{cost.bytes / 1e6:,.0f} MB of snapshots at most",
        *(f"advice: {text}" for text in cost.advice),
    ]
    return "\n".join(lines)


def _study(name: str, keys: dict[str, Any]) -> Study:
    return read_study(Path(name), keys) if _is_file(name) else study_from({"task": name, **keys})


def _is_file(name: str) -> bool:
    return Path(name).suffix.lower() in (".yaml", ".yml")


def _folder(name: str) -> Path:
    """Return the default: results/ with the name of the study file or of the task's function."""
    return Path("results") / (Path(name).stem if _is_file(name) else name.rpartition(":")[2])


def _schedules(options: list[str]) -> dict[str, str]:
    """Return NAME=TEXT by name; a schedule without a name is called by its text."""
    pairs = [(name or text.strip(), text) for name, text in map(split_name, options)]
    names = [name for name, _ in pairs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise StudyError(f"--schedule: two schedules are called {twice!r}")
    return dict(pairs)
