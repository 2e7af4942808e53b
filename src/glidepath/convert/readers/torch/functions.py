"""PyTorch's schedulers that ask a function, one for all groups or one for each.

A plan of ours that was given as the function is itself, and a function of transformers is what it computes; any other
is asked as it is.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from glidepath.convert.readers import transformers
from glidepath.convert.readers.rates import level
from glidepath.convert.readers.ratios import ratio
from glidepath.core.schedule import Schedule
from glidepath.recipes import formula

from .part import Entry, Part, floats

NO_TEXT = "it asks a Python function, so it has no text"


def absolute(scheduler: Any, entry: Entry) -> Part:
    """LambdaLR: its base rates times the functions, whatever it finds."""
    known = [_known(function) for function in scheduler.lr_lambdas]
    own = zip(floats(scheduler.base_lrs), entry.bases, known, strict=True)
    plans = tuple(level(ratio(lr, base), plan) for lr, base, (plan, _) in own)
    return Part(plans, tuple(dict.fromkeys(quirk for _, quirks in known for quirk in quirks)))


def _known(function: Any) -> tuple[Schedule, tuple[str, ...]]:
    if isinstance(function, Schedule):
        return function, ()
    if transformers.knows(function):
        return transformers.plan(function)
    return formula(function), (NO_TEXT,)


def multiplied(scheduler: Any, entry: Entry) -> Part:
    """MultiplicativeLR: what it finds times f(1) f(2) ... f(k); at a milestone times f(0) too."""
    product = lru_cache(None)(lambda function: formula(Product(function)))
    first = [float(f(0)) if entry.at_milestone else 1.0 for f in scheduler.lr_lambdas]
    factors = [start * begin for start, begin in zip(entry.found, first, strict=True)]
    plans = tuple(level(factor, product(f)) for factor, f in zip(factors, scheduler.lr_lambdas, strict=True))
    on = ("at its milestone MultiplicativeLR goes on from the rate before it",) if entry.at_milestone else ()
    return Part(plans, (*on, NO_TEXT))


class Product:
    """f(1) f(2) ... f(k), each asked once, in their order."""

    def __init__(self, function: Callable[[int], float]) -> None:
        self._function = function
        self._products = [1.0]

    def __call__(self, step: int) -> float:
        """The product up to `step`."""
        for k in range(len(self._products), step + 1):
            self._products.append(self._products[-1] * float(self._function(k)))
        return self._products[step]
