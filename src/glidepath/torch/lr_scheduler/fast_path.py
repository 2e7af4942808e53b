"""The fast path of `step()`: where nothing has changed since the last step, a step is one comparison and one write.

A class with a formula splits it in two: numbers that all groups share (`_numbers`, computed ahead where they can be),
and the rates that follow from one of them (`_rates_of`). The slow path, in `closed_form.py`, takes every step at which
anything else has happened: a rate or a hyperparameter that was set by hand, another scheduler, a new group, a loaded
state, a tensor, a value that is not finite. Both write the same bits.
"""

from collections.abc import Iterator
from math import isfinite
from operator import itemgetter
from typing import TYPE_CHECKING, Any, final

from .last_written import LastWrite

if TYPE_CHECKING:
    from .closed_form import ClosedForm

MOVING = {  # what a step itself changes; all other attributes are what the numbers are computed from
    *("optimizer", "last_epoch", "_step_count", "_last_lr", "_formula", "_external"),
    *("_products", "_multiplied", "T_cur", "T_i"),  # of single classes
}


def open_fast_path(scheduler: "ClosedForm") -> "FastPath | None":
    """Return a fast path from the present step on, or None if the groups do not hold what was written last."""
    groups, last, formula = scheduler.optimizer.param_groups, scheduler._last_lr, scheduler._formula
    if len(groups) != len(last) or len(formula) != len(last):
        return None
    for group, rate, value, factor in zip(groups, last, formula, scheduler._external, strict=True):
        if group["lr"] is not rate or type(rate) is not float or rate != value * factor:
            return None
    if any(type(base) is not float for base in scheduler.base_lrs):
        return None
    return FastPath(scheduler)


def _copy_input(value: Any) -> Any:
    """Return `value`, copied if it can change in place."""
    return dict(value) if isinstance(value, dict) else value.copy() if isinstance(value, list) else value


@final
class FastPath:
    """The steps of a scheduler, as long as only they change it and the rates. Does not refer to the scheduler."""

    __slots__ = (
        "epoch",
        "external",
        "inputs",
        "names",
        "number",
        "numbers",
        "read_inputs",
        "record",
        "starts",
        "written",
    )

    def __init__(self, scheduler: "ClosedForm") -> None:
        attributes = vars(scheduler)
        self.names = len(attributes)
        self.read_inputs = itemgetter(*(name for name in attributes if name not in MOVING))
        self.inputs = tuple(map(_copy_input, self.read_inputs(attributes)))
        self.starts = scheduler._starts()
        self.external = None if set(scheduler._external) == {1.0} else list(scheduler._external)
        self.epoch = scheduler.last_epoch
        self.numbers: Iterator[Any] = iter(())
        self.number: Any = None
        self.written = list(scheduler._last_lr)
        self.record = LastWrite(self.epoch, self.written, [])

    def step(self, scheduler: "ClosedForm") -> bool:
        """Make a step; return False, with nothing changed, if it is one for the slow path."""
        attributes = scheduler.__dict__
        groups = attributes["optimizer"].param_groups
        if len(groups) != len(self.written) or attributes["last_epoch"] != self.epoch:
            return False
        if len(attributes) != self.names or self.read_inputs(attributes) != self.inputs:
            return False
        for group, rate in zip(groups, self.written):  # noqa: B905 (strict costs a third here)
            if group["lr"] is not rate:
                return False
        number = next(self.numbers, None)
        if number is None:
            self.numbers = scheduler._numbers()
            number = next(self.numbers)
        if number != self.number and not self._write(attributes, groups, scheduler._rates_of(number, self.starts)):
            return False
        self.number = number
        attributes["last_epoch"] = self.epoch = self.epoch + 1
        attributes["_step_count"] += 1
        attributes["_last_lr"] = self.written[:]
        attributes["optimizer"]._scheduled = self.record
        scheduler._follow(number)
        return True

    def _write(self, attributes: dict[str, Any], groups: list[dict[str, Any]], formula: list[float]) -> bool:
        """Write the rates of a formula; return False if one is not finite, which the slow path warns of."""
        rates = formula
        if self.external is not None:
            rates = [value * factor for value, factor in zip(formula, self.external)]  # noqa: B905
        if not isfinite(sum(rates)):
            return False
        for group, rate in zip(groups, rates):  # noqa: B905
            group["lr"] = rate
        attributes["_formula"] = formula
        self.written = self.record.rates = rates
        return True
