"""Schedulers that call the user's own function, one for all groups or one for each."""

import types
from abc import ABC
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from torch.optim import Optimizer

from glidepath.errors import GroupError, OptimizerError, ScheduleError

from .base import NOT_GIVEN
from .closed_form import ClosedForm
from .groups import Group, check_optimizer

Function = Callable[[int], float]


class _FunctionScheduler(ClosedForm, ABC):
    """Base of schedulers with functions; saves the state of functions that have one."""

    lr_lambdas: list[Function]

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Function | list[Function],
        last_epoch: int = -1,
        verbose: Any = NOT_GIVEN,
    ) -> None:
        self.lr_lambdas = _expand_to_groups(check_optimizer(optimizer), lr_lambda)
        super().__init__(optimizer, last_epoch, verbose)

    def _join(self, group: Group) -> None:
        i = len(self.base_lrs)
        if i == len(self.lr_lambdas):
            if any(f is not self.lr_lambdas[0] for f in self.lr_lambdas):
                raise GroupError(f"group {i} has no function: append one to scheduler.lr_lambdas")
            self.lr_lambdas.append(self.lr_lambdas[0])
        super()._join(group)

    def state_dict(self) -> dict[str, Any]:
        """Return the state of every scheduler, with the states of the functions (see `save_function`)."""
        return {**super().state_dict(), "lr_lambdas": [save_function(f) for f in self.lr_lambdas]}

    def _load(self, state: Mapping[str, Any]) -> None:
        functions = state.get("lr_lambdas", ())
        super()._load({key: value for key, value in state.items() if key != "lr_lambdas"})
        self.lr_lambdas = [
            *(load_function(f, of) for f, of in zip(self.lr_lambdas, functions, strict=False)),
            *self.lr_lambdas[len(functions) :],
        ]


class LambdaLR(_FunctionScheduler):
    """base * lr_lambda(k)

    Args:
        optimizer: the optimizer.
        lr_lambda: a function of the step, or a list of them, one for each group.
        last_epoch: -1 to begin; k to resume after step k.
        verbose: deprecated.

    Differs from PyTorch's: a rate that other code changes stays changed, and other schedulers' factors are kept; a
    value that is not finite is written with a warning; any callable can be saved (see `save_function`).

    Examples:
        >>> import torch
        >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
        >>> LambdaLR(optimizer, lambda epoch: 0.5**epoch).lr_at(3)
        [0.0625]
    """

    _continues = False

    def lr_at(self, step: int) -> list[float]:
        return self._rates_of(step, self._starts())

    def _rates_of(self, number: int, starts: list[float]) -> list[float]:
        return [start * float(f(number)) for start, f in zip(starts, self.lr_lambdas, strict=True)]

    def _ignores(self, rate: float) -> bool:
        return rate == 0


class MultiplicativeLR(_FunctionScheduler):
    """base * lr_lambda(1) * lr_lambda(2) * ... * lr_lambda(k)

    Args:
        optimizer: the optimizer.
        lr_lambda: a function of the step, or a list of them, one for each group. Called once for every step.
        last_epoch: -1 to begin; k to resume after step k, for which it is called for all steps up to there.
        verbose: deprecated.

    Differs from PyTorch's: starts again from its base rate when a SequentialLR reaches it.
    """

    _stays_when_resumed = True

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Function | list[Function],
        last_epoch: int = -1,
        verbose: Any = NOT_GIVEN,
    ) -> None:
        self._products: list[float] = []  # of the functions up to step `_multiplied`
        self._multiplied = 0
        super().__init__(optimizer, lr_lambda, last_epoch, verbose)

    def lr_at(self, step: int) -> list[float]:
        if step < self._multiplied or len(self._products) != len(self.base_lrs):
            self._products, self._multiplied = [1.0] * len(self.base_lrs), 0
        return self._rates_of(step, self._starts())

    def _rates_of(self, number: int, starts: list[float]) -> list[float]:
        """Return the rates of a step that is not before the last one."""
        while self._multiplied < number:
            k = self._multiplied + 1
            self._products = [p * float(f(k)) for p, f in zip(self._products, self.lr_lambdas, strict=True)]
            self._multiplied = k
        return [start * product for start, product in zip(starts, self._products, strict=True)]


# --- functions with a state ---


def save_function(function: Any) -> dict[str, Any] | None:
    """Return the state of a function object: its attributes and slots, or the arguments of a partial.

    None for what is only code: functions, methods, built-ins, classes.
    """
    if isinstance(function, partial):
        return {"args": list(function.args), "keywords": dict(function.keywords)}
    if isinstance(function, (types.FunctionType, types.MethodType, types.BuiltinFunctionType, type)):
        return None
    return {**getattr(function, "__dict__", {}), **{name: getattr(function, name) for name in _slots(function)}} or None


def load_function(function: Any, state: Mapping[str, Any] | None) -> Any:
    """Return `function` with its state loaded: the object itself, or for a partial a new one."""
    if not state:
        return function
    if isinstance(function, partial):
        return partial(function.func, *state["args"], **state["keywords"]) if "args" in state else function
    for name, value in state.items():
        setattr(function, name, value)
    return function


def _slots(function: Any) -> list[str]:
    named = [getattr(cls, "__slots__", ()) for cls in type(function).__mro__]
    flat = [name for slots in named for name in ((slots,) if isinstance(slots, str) else slots)]
    return [name for name in flat if not name.startswith("__") and hasattr(function, name)]


def _expand_to_groups(optimizer: Optimizer, functions: Any) -> list[Function]:
    groups = len(optimizer.param_groups)
    listed = list(functions) if isinstance(functions, (list, tuple)) else [functions] * groups
    if len(listed) != groups:
        raise ScheduleError(f"Expected {groups} lr_lambdas, one for each parameter group, but got {len(listed)}")
    for function in listed:
        if not callable(function):
            raise OptimizerError(
                f"lr_lambda should be a function of the step, but got {type(function).__name__}: "
                "write lambda epoch: ..."
            )
    return listed
