"""The numbers in rows that are objects of JSON, by the names under which a logger wrote them.

A number in an object within a row is called by its path, as in "info/lr"; so are the numbers of a list that is called
like a rate, one for each group of parameters. What a step is, and which rows are a run, is left to `runs_in_file.py`.
"""

import json
from array import array
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from glidepath.errors import Place, RunError
from glidepath.runs.run import FloatArray, IntArray

from ..names import loss_names, rate_names, short_repr, validation_names
from ..series import Locate, Series
from .csv_rows import EMPTY, is_number, number_of

BoolArray = NDArray[np.bool_]
MOST_NAMES = 10_000
MOST_CHARACTERS = 1000  # of a name
MOST_DEPTH = 20  # of objects in objects
MOST_GROUPS = 100
NO_NUMBERS = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}  # of W&B and trackio


@final
@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of a log.

    Args:
        length: how many there are.
        cells: the rows that have a number, and these numbers, by its name.
        texts: the names of what is no number.
        locate: where a row is.
    """

    length: int
    cells: Mapping[str, tuple[IntArray, FloatArray]]
    texts: frozenset[str]
    locate: Locate

    @property
    def names(self) -> list[str]:
        """Return the names of the numbers, in the order in which they came."""
        return list(self.cells)

    def column(self, name: str) -> FloatArray:
        """Return the number of every row; NaN where it has none."""
        column = np.full(self.length, np.nan)
        rows, values = self.cells[name]
        column[rows] = values
        return column

    def series(self, steps: FloatArray, chosen: BoolArray) -> dict[str, Series]:
        """Return all numbers of some rows, given the step of every row; `chosen` is True where a row is one of them."""
        every = {}
        for name, (rows, values) in self.cells.items():
            kept = chosen[rows]
            if kept.any():
                every[name] = Series(steps[rows[kept]], values[kept], rows[kept], self.locate)
        return every


def gather_rows(
    rows: Iterable[tuple[int, Mapping[str, Any]]], locate: Callable[[int], Place], named: Collection[str] = ()
) -> Rows:
    """Gather the numbers of rows.

    Args:
        rows: each with a number that says where it is: its line, or its first byte.
        locate: turns this number into a place.
        named: the names that have to be numbers, beside those of rates and losses.

    Raises:
        RunError: if something that has to be a number is none, or the rows are too much for a log.
    """
    gathering, keys = _Gathering(named), array("q")
    cells, texts = gathering.cells, gathering.texts
    for i, (key, row) in enumerate(rows):
        keys.append(key)
        for name, value in row.items():
            kind = type(value)
            if kind is float and name in cells:  # nearly all
                cells[name][0].append(i)
                cells[name][1].append(value)
            elif value is not None and not (kind is str and name in texts and value not in NO_NUMBERS):
                gathering.add(i, name, value, partial(locate, key))
    arrays = {name: (np.array(places), np.array(values)) for name, (places, values) in cells.items()}
    return Rows(len(keys), arrays, frozenset(texts), lambda i: locate(keys[i]))


@final
class _Gathering:
    """The numbers so far, and the names of what is no number."""

    def __init__(self, named: Collection[str]) -> None:
        self.cells: dict[str, tuple[array[int], array[float]]] = {}
        self.texts: set[str] = set()
        self.named = named

    def add(self, i: int, name: str, value: Any, locate: Callable[[], Place]) -> None:
        """Add what stands in row i under a name."""
        for path, leaf in _leaves(name, value, locate, 0):
            number = self._number(path, leaf, locate)
            if number is None:
                self.texts.add(path)
                continue
            if path not in self.cells:
                self.cells[path] = (array("q"), array("d"))
            self.cells[path][0].append(i)
            self.cells[path][1].append(number)
        if len(self.cells) + len(self.texts) > MOST_NAMES:
            raise RunError(f"more than {MOST_NAMES:,} names: this is not the log of a run", place=locate())

    def _number(self, name: str, value: Any, locate: Callable[[], Place]) -> float | None:
        """Return a value as a number; None if it is something else, and need not be one."""
        if type(value) is float or (type(value) is int and abs(value) < 2**63):
            return float(value)
        needed = value not in EMPTY and (name in self.named or is_needed(name))
        if isinstance(value, str) and (value in NO_NUMBERS or (needed and is_number(value))):
            return NO_NUMBERS[value] if value in NO_NUMBERS else number_of(value)
        if needed:
            problem = f"{name} is {short_repr(value)}, not a number; where nothing was logged, it is left out or null"
            raise RunError(problem, place=locate())
        return None


def _leaves(path: str, value: Any, locate: Callable[[], Place], depth: int) -> Iterable[tuple[str, Any]]:
    """Return what an object holds, by its path."""
    if len(path) > MOST_CHARACTERS:
        problem = f"a name of more than {MOST_CHARACTERS:,} characters: this is not the log of a run"
        raise RunError(problem, place=locate())
    if isinstance(value, list) and len(value) <= MOST_GROUPS and rate_names([path]):
        value = dict(enumerate(value))
    if not isinstance(value, dict):
        return ((path, value),)
    if depth == MOST_DEPTH:
        raise RunError("objects in objects, too deep for the log of a run", place=locate())
    within = value.items()
    return (leaf for name, inner in within for leaf in _leaves(f"{path}/{name}", inner, locate, depth + 1))


def is_needed(name: str) -> bool:
    """Return whether something is called like a rate or a loss."""
    return is_trained(name) or bool(validation_names([name]))


def is_trained(name: str) -> bool:
    """Return whether something is called like a rate, or like a loss in training."""
    return bool(loss_names([name]) or rate_names([name]))


def parse_json(text: str, place: Place) -> Any:
    """Return what a text of JSON says; NaN and Infinity are numbers, as Python writes them.

    Raises:
        RunError: if it is something else, or nested too deep.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise RunError(f"{error.msg}: this is not JSON, or was cut off", place=place) from error
    except RecursionError as error:
        raise RunError("lists in lists, too deep for the log of a run", place=place) from error
    except ValueError as error:  # a number with thousands of digits
        raise RunError(f"{error}: the file is damaged", place=place) from error
