"""Multipliers of the rate that parameter groups carry by name, as layer-wise decay does.

timm, MAE and BEiT write `lr_scale` into each group, older vision code `lr_mult`, and the scheduler is to set
lr * multiplier. PyTorch's schedulers ignore both. They are read where that is safe, and what is done is said once.
muP needs nothing: its optimizers (`mup.MuAdam`) divide the rates of the groups themselves.
"""

import math
from collections.abc import Iterator, Sequence
from types import CodeType, FunctionType

from glidepath.core.checks import is_number
from glidepath.warn import warn_caller

from .hyperparameter import Group

KEYS = ("lr_scale", "lr_mult")
ROUNDING = 1e-6


def apply_multipliers(groups: Sequence[Group], rates: Sequence[float], kind: type | None = None) -> list[float]:
    """Return the base rate of each group, which is its rate times its multiplier where that is not yet in the rate.

    - Equal rates are multiplied, and one warning says so.
    - Rates that stand in the ratio of the multipliers already are returned as they are.
    - Any others are too, and one warning says that the multipliers are not read.

    Args:
        groups: of the optimizer, all that one plan drives.
        rates: of the groups: their `lr`, or the `initial_lr` of a run that goes on.
        kind: class of the optimizer; one whose own methods read the multipliers is left to itself.

    Examples:
        >>> apply_multipliers([{"lr_scale": 1.0}, {}], [0.5, 0.5])
        [0.5, 0.5]
        >>> apply_multipliers([{"lr_scale": 0.25}, {"lr_scale": 1.0}], [0.125, 0.5])
        [0.125, 0.5]
    """
    multipliers = read_multipliers(groups, kind)
    if multipliers is None or all(multiplier == 1 for multiplier in multipliers):
        return list(rates)
    names = " and ".join(key for key in KEYS if any(key in group for group in groups))
    if all(rate == rates[0] for rate in rates):
        _warn_that_they_are_read(names, multipliers, rates[0])
        return [rate * multiplier for rate, multiplier in zip(rates, multipliers, strict=True)]
    if not _are_proportional(rates, multipliers):
        warn_caller(
            f"{names} of the groups is not read: their rates differ already, and not by it ({_list(rates)} beside "
            f"{_list(multipliers)}); give all groups one lr to have it read, or remove it",
            "GP736",
        )
    return list(rates)


def read_multipliers(groups: Sequence[Group], kind: type | None = None) -> list[float] | None:
    """Return the multiplier of each group, 1 where it has none; None if there are none to read.

    There are none, too, if one is not a finite number of at least 0, or the optimizer reads them itself.
    """
    keys = [key for key in KEYS if any(key in group for group in groups)]
    if not keys or (kind is not None and any(_reads(kind, key) for key in keys)):
        return None
    values = [[group.get(key, 1.0) for key in keys] for group in groups]
    if not all(is_number(value) and math.isfinite(value) and value >= 0 for row in values for value in row):
        return None
    return [float(math.prod(row)) for row in values]


def _warn_that_they_are_read(names: str, multipliers: Sequence[float], rate: float) -> None:
    low, high = min(multipliers), max(multipliers)
    warn_caller(
        f"the groups have {names}, from {low:.4g} to {high:.4g}, and one lr ({rate:.4g}): each group's base is lr "
        f"times its {names}, from {low * rate:.4g} to {high * rate:.4g}, as in timm (PyTorch's schedulers ignore it); "
        f'to ignore it, remove it first: for group in optimizer.param_groups: group.pop("{names.split()[0]}", None)',
        "GP736",
    )


def _are_proportional(rates: Sequence[float], multipliers: Sequence[float]) -> bool:
    """Return whether rates are multiples of the multipliers by one factor."""
    highest = max(range(len(rates)), key=lambda i: multipliers[i])
    factor = rates[highest] / multipliers[highest] if multipliers[highest] else 0.0
    pairs = zip(rates, multipliers, strict=True)
    return all(math.isclose(rate, factor * multiplier, rel_tol=ROUNDING) for rate, multiplier in pairs)


def _list(values: Sequence[float]) -> str:
    shown = ", ".join(f"{value:.4g}" for value in values[:4])
    return shown if len(values) <= 4 else f"{shown}, ..."


def _reads(kind: type, key: str) -> bool:
    """Return whether a method of an optimizer's class names a key of the groups."""
    functions = [value for base in kind.__mro__ for value in vars(base).values()]
    codes = [code for function in functions if (code := _code_of(function)) is not None]
    return any(key in constants for code in codes for constants in _constants(code))


def _code_of(function: object) -> CodeType | None:
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    return function.__code__ if isinstance(function, FunctionType) else None


def _constants(code: CodeType) -> Iterator[tuple[object, ...]]:
    yield code.co_consts
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _constants(constant)
