"""The folder of a study: `study.yaml` as it ran, and `curves.csv` with every update of every finished run.

A folder belongs to one study. The text of `study.yaml` begins with what else decides the bits (versions, the task's
file), so finished runs are used again exactly when that text is the same.
"""

import csv
import math
import os
import platform
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import torch

import glidepath
from glidepath.tasks.loading import NamedTask

from .curve import Curve, Record
from .errors import StudyError
from .runs import Run
from .spec import Study
from .written import written

COLUMNS = ("run", "schedule", "horizon", "seed", "peak", "step", "rate", "loss")


def described(study: Study, task: NamedTask) -> str:
    """The text of `study.yaml`: where the bits come from, then the study."""
    return (
        f"# glidepath {glidepath.__version__}, torch {torch.__version__}, Python {platform.python_version()}\n"
        f"# the task's file: SHA-256 {task.digest}\n"
        f"{written(study)}"
    )


def opened(folder: Path, text: str, *, force: bool) -> None:
    """Make `folder` the folder of the study with this text.

    Args:
        folder: made if it is not there.
        text: from `described`.
        force: give up whatever study the folder holds.

    Raises:
        StudyError: if another study lives there, or the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        before = _text(folder / "study.yaml")
        if before is not None and before != text and not force:
            raise StudyError(_another(folder, before, text))
        if before != text or force:
            (folder / "curves.csv").unlink(missing_ok=True)
        (folder / "study.yaml").write_text(text)
    except OSError as error:
        raise StudyError(f"{folder} cannot hold results: {error.strerror}") from error


def save_curves(folder: Path, curves: Iterable[Curve]) -> None:
    """Write every update of these runs, all or nothing: floats as Python prints them, so that no bit is lost."""
    rows = [row for curve in sorted(curves, key=lambda curve: curve.run.number) for row in _rows(curve)]
    metrics = dict.fromkeys(name for row in rows for name in row if name not in COLUMNS)
    save_table(folder / "curves.csv", [*COLUMNS, *metrics], rows)


def save_table(file: Path, columns: list[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a CSV file in one move, so that an interrupted run leaves the old one."""
    new = file.with_suffix(".new")
    with new.open("w", newline="") as stream:
        table = csv.DictWriter(stream, columns, restval="", lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    os.replace(new, file)


def saved_curves(folder: Path, runs: Iterable[Run]) -> list[Curve]:
    """The runs that `curves.csv` holds.

    Raises:
        StudyError: if the file is not what `save_curves` writes.
    """
    file, known = folder / "curves.csv", {run.number: run for run in runs}
    if not file.exists():
        return []
    try:
        with file.open(newline="") as stream:
            grouped = groupby(csv.DictReader(stream), key=lambda row: int(row["run"]))
            return [_curve(known[number], list(rows)) for number, rows in grouped]
    except (KeyError, ValueError, TypeError, csv.Error) as error:
        raise StudyError(f"{file} is not as it was written: move it away, or use --force to train again") from error


def _rows(curve: Curve) -> Iterator[dict[str, Any]]:
    run = curve.run
    same = {"run": run.number, "schedule": run.schedule, "horizon": run.horizon, "seed": run.seed, "peak": curve.peak}
    for record in curve.records:
        yield same | {"step": record.step, "rate": record.rate, "loss": record.loss} | dict(record.metrics)


def _curve(run: Run, rows: list[dict[str, str]]) -> Curve:
    curve = Curve(run, float(rows[0]["peak"]), tuple(_record(row) for row in rows))
    if curve.records[-1].step != run.horizon - 1 and math.isfinite(curve.records[-1].loss):
        raise ValueError("a run ends before its horizon")
    return curve


def _record(row: dict[str, str]) -> Record:
    if None in row.values():
        raise ValueError("a row ends too early")
    metrics = {name: float(value) for name, value in row.items() if name not in COLUMNS and value}
    return Record(int(row["step"]), float(row["rate"]), float(row["loss"]), metrics)


def _text(file: Path) -> str | None:
    return file.read_text() if file.exists() else None


def _another(folder: Path, before: str, text: str) -> str:
    """What differs first, so that the reader sees whether it matters."""
    old, new = before.splitlines(), text.splitlines()
    was, now = next(
        ((a, b) for a, b in zip([*old, "(nothing)"], [*new, "(nothing)"], strict=False) if a != b), ("", "")
    )
    return (
        f"{folder} holds another study: there {was.strip('# ')!r}, here {now.strip('# ')!r}\n"
        "choose another folder with --out, or give that one up with --force"
    )
