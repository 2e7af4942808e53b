"""What a `Recorder` writes in a row: the hyperparameters that an update used, and the numbers that it is given."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, final

from torch import Tensor

from glidepath.errors import Cure, GlidepathError

from .clock import LOAD_HOOKS, clocks_of
from .hyperparameter import Group, Hyperparameter

RATE = Hyperparameter("lr")
COUNTS = ("update", "updates_made", "glidepath")  # columns of the file's own
EVALUATION = re.compile(r"(val|valid|validation|eval|evaluation|test|dev)([_/.-]|$)")


def parse_hyperparameter(name: str) -> Hyperparameter:
    """Read a name: "momentum", or an element such as "betas[0]"."""
    match = re.fullmatch(r"(\w+)\[(\d+)\]", name)
    return Hyperparameter(match[1], int(match[2])) if match else Hyperparameter(name)


def is_evaluation(name: str) -> bool:
    """Return whether a number is one of an evaluation by its name.

    >>> [is_evaluation(name) for name in ("val_loss", "eval/accuracy", "test", "loss", "value")]
    [True, True, True, False, False]
    """
    return EVALUATION.match(name) is not None


@final
class UsedValues:
    """Reads the rate, the hyperparameters that a `Scheduler` drives, and those that were named.

    Args:
        members: the chain of optimizers, in whose hooks the schedulers are.
        names: of further hyperparameters.
    """

    def __init__(self, members: Sequence[Any], names: Sequence[str]) -> None:
        self._names = [parse_hyperparameter(name) for name in names]
        self._hooks: list[int | None] = []  # the last hook of each member, by which a new scheduler is noticed
        self._columns: dict[str, Hyperparameter] = {}
        self._list_columns(members)

    def read(self, members: Sequence[Any]) -> dict[str, float]:
        """Return the values in the groups of the innermost optimizer, by column."""
        if self._last_hooks(members) != self._hooks:
            self._list_columns(members)
        values: dict[str, float] = {}
        groups = members[-1].param_groups
        for name, hyperparameter in self._columns.items():
            first = values[name] = _number_in(groups[0], hyperparameter)
            for number in range(1, len(groups)):
                value = _number_in(groups[number], hyperparameter)
                if value != first:
                    values[f"{name}/{_label(groups, number)}"] = value
        return {name: value for name, value in values.items() if value is not None}

    def refuse(self, names: Iterable[str]) -> None:
        """Check that none of the names of given numbers is a column that is written by itself.

        Raises:
            GlidepathError: if one is.
        """
        for name in names:
            if name in COUNTS or name.partition("/")[0] in self._columns:
                raise GlidepathError(
                    f"{name} is a column that Recorder writes by itself",
                    cures=[Cure("leave it out"), Cure("rename it")],
                )

    def _list_columns(self, members: Sequence[Any]) -> None:
        self._hooks = self._last_hooks(members)
        scheduled = [s.target.hyperparameter for each in members for clock in clocks_of(each) for s in clock.schedules]
        self._columns = {str(each): each for each in (RATE, *scheduled, *self._names)}

    def _last_hooks(self, members: Sequence[Any]) -> list[int | None]:
        return [next(reversed(getattr(member, LOAD_HOOKS, {})), None) for member in members]


def _number_in(group: Group, hyperparameter: Hyperparameter) -> Any:
    """Return a value in a group as a number; None if there is none."""
    try:
        value = hyperparameter.get(group)
    except (KeyError, IndexError, TypeError):
        return None
    if type(value) is float:
        return value
    return float(value) if isinstance(value, (int, float, Tensor)) else None


def _label(groups: Sequence[Group], number: int) -> str:
    """Return the name of a group, or its number where it has no name of its own."""
    name = groups[number].get("name")
    unique = isinstance(name, str) and sum(group.get("name") == name for group in groups) == 1
    return str(name) if unique else str(number)


def read_number(name: str, value: Any) -> Any:
    """Return a given value as a plain number, or as the text that it is; None stays.

    Raises:
        GlidepathError: if it is neither.

    >>> from torch import tensor
    >>> read_number("loss", tensor(0.5)), read_number("phase", "warm")
    (0.5, 'warm')
    """
    try:
        plain = value.item() if hasattr(value, "item") else value
    except (RuntimeError, ValueError):  # a tensor or an array of several
        plain = value
    if plain is None or isinstance(plain, (int, float, str)):
        return plain
    raise GlidepathError(
        f"{name} is one number or a text, not {type(value).__name__}",
        cures=[Cure("give its mean, or each number by a name")],
    )
