"""Logs that were printed as text, by Megatron-LM, torchtune, nanoGPT or Keras, or in the form that a pattern describes.

A line of a known form begins with its step, and has names with numbers; all other lines are passed over. Lines are
bounded in length, so that a regular expression cannot run for long on one of them.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from glidepath.errors import Argument, Place, RunError

from ..dialects import UNKNOWN, dialect_of
from ..lines import open_binary, read_lines
from ..names import short_repr
from ..series import Scalars
from .objects import gather_rows
from .printed_forms import Form, rows_of_line
from .runs_in_file import scalars_of_rows

MOST_BYTES = 10_000  # of a line that is read
MOST_CHARACTERS = 1000  # of a pattern
SKIPPED = "number of skipped iterations"  # since the row before, of Megatron-LM
COMMON = {"log", "printed", "output", "train", "out", "stdout"}  # names of files that do not name a run
RETURNS = re.compile(r"[\r\b]+")  # with which a line is printed over

GIVE_PATTERN = Argument("pattern", r"step (?P<step>\d+).*lr (?P<rate>\S+).*loss (?P<loss>\S+)")


def is_text_log(beginning: bytes) -> bool:
    """Return whether a file that begins so is a log in a known form."""
    form = Form()
    for line in beginning.decode("utf-8", "replace").splitlines():
        if len(line) <= MOST_BYTES:
            list(rows_of_line(line, form))
        if form.is_known or form.is_printed:
            return True
    return False


def scalars_of_text(
    file: Path, pattern: str | None, columns: Mapping[str, str], per_epoch: int | None = None
) -> list[Scalars]:
    """Return the runs in a file of text.

    Args:
        file: to be read.
        pattern: a regular expression with the groups `step`, `rate`, `loss` and others; the known forms if not given.
        columns: may name the step.
        per_epoch: the updates of an epoch, for rows whose steps are epochs.

    Raises:
        RunError: if no line has the form, or the rows are not those of a run.
    """
    left_out: list[str] = []
    lines = _lines(file, left_out)
    rows = gather_rows(
        _rows_by_form(file, lines) if pattern is None else _rows_by_pattern(lines, compile_pattern(pattern)),
        lambda line: Place(str(file), line=line),
        set(columns.values()),
    )
    if not rows.cells:
        problem = "no line of the file has a form that is known: describe it, " if pattern is None else "no line has "
        raise RunError((problem, GIVE_PATTERN if pattern is None else Argument("pattern", pattern)), place=str(file))
    skipped = rows.cells.get(SKIPPED, (np.empty(0), np.empty(0)))[1].sum()
    if skipped:
        left_out.append(f"{skipped:,.0f} iterations were skipped, and repeat a rate: which ones is not in the log")
    dialect = dialect_of(rows.names) if pattern is None else UNKNOWN
    name = file.resolve().parent.name if file.stem in COMMON else file.stem
    every = scalars_of_rows(Place(str(file)), name, rows, columns, dialect, per_epoch)
    return [each.assume(*left_out) for each in every]


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Return a pattern that can read a log.

    Raises:
        RunError: if it is no regular expression, far too long, or has no group for the step.
    """
    if len(pattern) > MOST_CHARACTERS:
        raise RunError((Argument("pattern"), f" has more than {MOST_CHARACTERS:,} characters"))
    try:
        compiled = re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise RunError((Argument("pattern", pattern), f" is not a regular expression: {error}")) from error
    if not {"step", "epoch"} & set(compiled.groupindex):
        problem = " has no group for the step: write (?P<step>\\d+) where the step stands"
        raise RunError((Argument("pattern", pattern), problem))
    return compiled


def _lines(file: Path, left_out: list[str]) -> Iterator[tuple[int, str]]:
    """Yield the lines with their numbers, one that was printed over in its parts; too long ones are left out."""
    whole, number, long = True, 0, 0
    with open_binary(file) as stream:
        for _, line in read_lines(stream, MOST_BYTES):
            number += whole
            begins, whole = whole, line.endswith(b"\n")
            if not begins:
                continue
            if len(line) > MOST_BYTES and b"\r" not in line:
                long += 1
                continue
            for part in RETURNS.split(line.decode("utf-8", "replace")):
                yield number, part
    if long:
        left_out.append(f"{long} line{'s' * (long > 1)} of more than {MOST_BYTES:,} bytes left out")


def _rows_by_form(file: Path, lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, Mapping[str, float]]]:
    form, printed = Form(), 0
    for number, line in lines:
        yield from ((number, row) for row in rows_of_line(line, form))
        printed = printed or (number if form.is_printed else 0)
    last = form.take_epoch()
    if last:
        yield number, last
    if printed and not form.is_known:
        problem = "a line that the Trainer printed has no step: give its trainer_state.json, or describe the lines, "
        raise RunError((problem, GIVE_PATTERN), place=Place(str(file), line=printed))


def _rows_by_pattern(
    lines: Iterator[tuple[int, str]], pattern: re.Pattern[str]
) -> Iterator[tuple[int, Mapping[str, object]]]:
    for number, line in lines:
        match = pattern.search(line)
        if match is not None:
            yield number, {name: _value(text) for name, text in match.groupdict().items() if text is not None}


def _value(text: str) -> object:
    """Return a number, or the text if it is none: what is needed is then refused with its line."""
    try:
        return float(text.strip().rstrip(",;").replace("_", "?"))
    except ValueError:
        return short_repr(text)
