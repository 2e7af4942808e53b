"""PyTorch's schedulers that call a function, one for all groups or one for each.

A Glidepath plan that was given as the function is itself, and a function of transformers is what it computes; any other
is called as it is.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from glidepath.convert.readers import transformers
from glidepath.convert.readers.rates import level
from glidepath.convert.readers.ratios import ratio
from glidepath.core.schedule import Schedule
from glidepath.recipes import formula

from .group_plans import GroupPlans, InitialState, floats

NO_TEXT = "it calls a Python function, so it has no text"


def read_lambda(scheduler: Any, initial: InitialState) -> GroupPlans:
    """Read LambdaLR: its base rates times the functions, whatever is in the groups."""
    readings = [_read_function(function) for function in scheduler.lr_lambdas]
    rows = zip(floats(scheduler.base_lrs), initial.bases, readings, strict=True)
    plans = tuple(level(ratio(lr, base), plan) for lr, base, (plan, _) in rows)
    return GroupPlans(plans, tuple(dict.fromkeys(quirk for _, quirks in readings for quirk in quirks)))


def _read_function(function: Any) -> tuple[Schedule, tuple[str, ...]]:
    if isinstance(function, Schedule):
        return function, ()
    if transformers.is_schedule_function(function):
        return transformers.read_function(function)
    return formula(function), (NO_TEXT,)


def read_multiplicative(scheduler: Any, initial: InitialState) -> GroupPlans:
    """Read MultiplicativeLR: the rate in the group times f(1) f(2) ... f(k); at a milestone times f(0) too."""
    product = lru_cache(None)(lambda function: formula(RunningProduct(function)))
    first = [float(f(0)) if initial.at_milestone else 1.0 for f in scheduler.lr_lambdas]
    factors = [start * begin for start, begin in zip(initial.ratios, first, strict=True)]
    plans = tuple(level(factor, product(f)) for factor, f in zip(factors, scheduler.lr_lambdas, strict=True))
    resumed = ("at its milestone MultiplicativeLR continues from the rate before it",) if initial.at_milestone else ()
    return GroupPlans(plans, (*resumed, NO_TEXT))


class RunningProduct:
    """The product f(1) f(2) ... f(k), each called once, in their order."""

    def __init__(self, function: Callable[[int], float]) -> None:
        self._function = function
        self._products = [1.0]

    def __call__(self, step: int) -> float:
        """Return the product up to `step`."""
        for k in range(len(self._products), step + 1):
            self._products.append(self._products[-1] * float(self._function(k)))
        return self._products[step]
