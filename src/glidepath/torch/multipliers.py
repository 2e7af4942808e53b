"""Multipliers of the rate that parameter groups carry by name, as layer-wise decay does.

timm, MAE and BEiT write `lr_scale` into each group, older vision code `lr_mult`, and the scheduler is to set
lr * multiplier. PyTorch's schedulers ignore both. They are read where that is safe, and what is done is said once.
A scheduler leaves a note of it beside "initial_lr", so that one that is built later does not apply them again.
muP needs nothing: its optimizers (`mup.MuAdam`) divide the rates of the groups themselves.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from types import CodeType, FunctionType

from glidepath.core.checks import is_number
from glidepath.warn import warn_caller

from .hyperparameter import Group

CODE = "GP736"
KEYS = ("lr_scale", "lr_mult")
SCALE_KEY = "initial_lr_scale"  # in a group that a Scheduler has driven: the multiplier that is in its initial_lr
ROUNDING = 1e-6


def scale_rates(groups: Sequence[Group], rates: Sequence[float], kind: type, *, begins: bool) -> list[float]:
    """Return the base rate of each group as `apply_multipliers` does, but apply none a second time.

    Args:
        groups: of the optimizer, all that one plan drives.
        rates: of the groups: their `lr`, or the `initial_lr` of a run that goes on.
        kind: class of the optimizer.
        begins: whether the rates are those in the groups, where they may have been set anew since.
    """
    multipliers = read_multipliers(groups, kind)
    if multipliers is None:
        return list(rates)
    pairs = list(zip(groups, rates, strict=True))
    scales = [1.0 if begins and _is_set_anew(*pair) else pair[0].get(SCALE_KEY, 1.0) for pair in pairs]
    if scales == multipliers:
        return list(rates)
    raw = [rate / scale if scale else rate for rate, scale in zip(rates, scales, strict=True)]
    return apply_multipliers(groups, raw, kind)


def _is_set_anew(group: Group, rate: float) -> bool:
    """Return whether a group that was driven holds the rate again that it had before its multiplier was applied."""
    scale, initial = group.get(SCALE_KEY, 1.0), group.get("initial_lr", math.nan)
    return scale != 1 and math.isclose(rate * scale, float(initial), rel_tol=ROUNDING)


def scale_late_base(
    group: Group, base: float, usual: float, kind: type, *, scales: bool, warn: Callable[[str, str], None]
) -> float:
    """Return the base of a group that joined late, with the multiplier that it carries by name.

    Args:
        group: that joined.
        base: what its rate says.
        usual: the base of the other groups without their multipliers.
        kind: class of the optimizer.
        scales: whether its rate is the optimizer's default, into which no multiplier was put.
        warn: gives the warning.
    """
    multipliers = read_multipliers([group], kind)
    if multipliers is None or multipliers[0] == 1 or math.isclose(base, multipliers[0] * usual, rel_tol=ROUNDING):
        return base
    names, scaled = " and ".join(key for key in KEYS if key in group), base * multipliers[0]
    if scales:
        warn(
            f"a group joined with {names} {multipliers[0]:.4g} and the rate {base:.4g}: its base is {scaled:.4g}", CODE
        )
        return scaled
    warn(f"{names} of a group that joined is not read, as it came with a rate of its own ({base:.4g})", CODE)
    return base


def warn_if_not_read(groups: Sequence[Group], rates: Sequence[float] | None, kind: type, owner: str) -> None:
    """Warn about multipliers that are not read, because `owner` gives each rate itself, and not in proportion."""
    multipliers = read_multipliers(groups, kind)
    if multipliers is None or all(multiplier == 1 for multiplier in multipliers):
        return
    if rates is None or not _are_proportional(rates, multipliers):
        warn_caller(f"{_names(groups)} of the groups is not read: {owner}; remove it, or multiply by it there", CODE)


def _names(groups: Sequence[Group]) -> str:
    return " and ".join(key for key in KEYS if any(key in group for group in groups))


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
    names = _names(groups)
    if all(rate == rates[0] for rate in rates):
        _warn_that_they_are_read(names, multipliers, rates[0])
        return [rate * multiplier for rate, multiplier in zip(rates, multipliers, strict=True)]
    if not _are_proportional(rates, multipliers):
        warn_caller(
            f"{names} of the groups is not read: their rates differ already, and not by it ({_list(rates)} beside "
            f"{_list(multipliers)}); give all groups one lr to have it read, or remove it",
            CODE,
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
        CODE,
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
