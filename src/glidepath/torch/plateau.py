"""`Plateau`: lowers the rate when a metric stops improving, and reports each time what it did and why.

The rule, for reports m_1, m_2, ... in mode "min" (mode "max" mirrors it):

    m is better       if  m < best - margin,   margin = threshold * |best| ("rel") or threshold ("abs")
    the rate is cut   when more than `patience` reports in a row were not better: rate <- max(factor * rate, minimum)

|best| makes the margin right for negative metrics too, where `best * (1 - threshold)` would call a worse report better.
It multiplies the rate that the optimizer has, so a `Scheduler` on the same optimizer keeps the cut as a factor.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, final

import torch
from torch.optim.lr_scheduler import ReduceLROnPlateau

from glidepath.core.checks import count, real
from glidepath.errors import ScheduleError, SchedulerError, StateError
from glidepath.recipes import warmup as warmup_recipe

from .hyperparameter import current_rates
from .scheduler import Scheduler

Action = Literal["improved", "waited", "reduced", "cooling", "warming", "skipped", "at minimum"]


@final
@dataclass(frozen=True)
class Event:
    """The result of one report; true if the rate was cut.

    Args:
        action: what was done.
        reason: why, in words.
        metric: the report, after `reduce`.
        best: the best report so far.
        bad: reports in a row that were not better.
        rates: the rate of each group now.
    """

    action: Action
    reason: str
    metric: float
    best: float
    bad: int
    rates: tuple[float, ...]

    def __bool__(self) -> bool:
        return self.action == "reduced"

    def __str__(self) -> str:
        return f"{self.action}: {self.reason}"


@final
class Plateau(ReduceLROnPlateau):
    """Cuts the learning rate of an optimizer when a metric has stopped improving.

    It is an instance of PyTorch's `ReduceLROnPlateau`, so a framework that gives that class its metric gives it to
    this one: in Lightning it is an `lr_scheduler` with a `monitor`. Nothing else of that class is used.

    Args:
        optimizer: any PyTorch optimizer; every group is cut.
        mode: "min" if lower is better (a loss), "max" if higher is (an accuracy).
        factor: rate after a cut over rate before it, between 0 and 1.
        patience: reports in a row that may be no better; the next one cuts.
        threshold: what counts as better, at least 0.
        threshold_mode: "rel" takes `threshold` as a share of |best|, "abs" in the metric's own unit.
        cooldown: reports after a cut that are not counted.
        minimum: absolute floor of the rate, at least 0.
        epsilon: a cut that changes the rate by less than this share of it is left out.
        nan: a report that is NaN or infinite counts as "bad", is left out ("skip"), or is an error ("raise").
        reduce: combines the reports of several processes into one number (`mean_over_processes`), so that all of
            them decide alike; called at every report.
        warmup: updates of a linear warmup first, by a `Scheduler`; reports before its end are not counted.
        verbose: print each cut.

    Raises:
        ScheduleError: if an argument is out of its range.

    Examples:
        >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
        >>> plateau = Plateau(optimizer, factor=0.5, patience=1)
        >>> [plateau.step(loss).action for loss in (1.0, 1.0, 1.0)]
        ['improved', 'waited', 'reduced']
        >>> optimizer.param_groups[0]["lr"]
        0.05
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        *,
        mode: Literal["min", "max"] = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: Literal["rel", "abs"] = "rel",
        cooldown: int = 0,
        minimum: float = 0.0,
        epsilon: float = 1e-8,
        nan: Literal["bad", "skip", "raise"] = "bad",
        reduce: Callable[[float], float] | None = None,
        warmup: int = 0,
        verbose: bool = False,
    ) -> None:
        _check_choice("mode", mode, ("min", "max"))
        _check_choice("threshold_mode", threshold_mode, ("rel", "abs"))
        _check_choice("nan", nan, ("bad", "skip", "raise"))
        self.mode, self.threshold_mode, self.nan = mode, threshold_mode, nan
        self.factor = real(factor, "factor", above=0)
        if self.factor >= 1:
            raise ScheduleError(f"factor must be below 1, not {self.factor!r}: it lowers the rate")
        self.patience, self.cooldown = count(patience, "patience"), count(cooldown, "cooldown")
        self.threshold = real(threshold, "threshold", at_least=0)
        self.minimum = real(minimum, "minimum", at_least=0)
        self.epsilon = real(epsilon, "epsilon", at_least=0)
        self.reduce, self.verbose, self.optimizer = reduce, verbose, optimizer
        length = count(warmup, "warmup")
        self.warmup = Scheduler(optimizer, warmup_recipe(length)) if length else None
        self._warmup_steps = length
        self.best: float | None = None  # type: ignore[assignment]
        self.bad, self.cooling = 0, 0
        self.last_epoch = 0

    def step(self, metric: Any) -> Event:  # type: ignore[override]
        """Take a report, and cut the rate if the patience is exceeded.

        Args:
            metric: a number, or a tensor with one element.

        Raises:
            SchedulerError: if the report is not a number, or is NaN or infinite and `nan` is "raise".
        """
        value = _number(metric)
        if self.reduce is not None:
            value = float(self.reduce(value))
        self.last_epoch += 1
        event = self._event(*self._decide(value), value)
        if self.verbose and event:
            print(event)
        return event

    def _event(self, action: Action, reason: str, value: float) -> Event:
        best = math.nan if self.best is None else self.best
        return Event(action, reason, value, best, self.bad, tuple(self.rates()))

    def rates(self) -> list[float]:
        """Return the rate of each group now."""
        return current_rates(self.optimizer)

    def get_last_lr(self) -> list[float | torch.Tensor]:
        """Return the rate of each group now, by the name that frameworks ask for."""
        return [*self.rates()]

    @property
    def in_cooldown(self) -> bool:
        """Return whether reports are not counted because a cut was made lately."""
        return self.cooling > 0

    # --- the decision ---

    def _decide(self, value: float) -> tuple[Action, str]:
        if self.warmup is not None and self.warmup.position < self._warmup_steps:
            return "warming", f"update {self.warmup.position} of a warmup of {self._warmup_steps}"
        if not math.isfinite(value):
            if self.nan == "raise":
                raise SchedulerError(
                    f'the metric is {value}; nan="skip" leaves such reports out, nan="bad" counts them'
                )
            if self.nan == "skip":
                return "skipped", f"the metric is {value}"
        elif self.best is None or self._better(value, self.best):
            before, self.best, self.bad = self.best, value, 0
            self.cooling = max(0, self.cooling - 1)
            return (
                "improved",
                f"{value:g} is the first report" if before is None else f"{value:g} is better than {before:g}",
            )
        return self._no_better(value)

    def _better(self, value: float, best: float) -> bool:
        margin = self.threshold * abs(best) if self.threshold_mode == "rel" else self.threshold
        return bool(value < best - margin if self.mode == "min" else value > best + margin)

    def _no_better(self, value: float) -> tuple[Action, str]:
        comparison = "not a number" if self.best is None else f"no better than {self.best:g}"
        if self.cooling > 0:
            self.cooling -= 1
            return "cooling", f"{value:g} is {comparison}; {self.cooling} reports of cooldown left"
        self.bad += 1
        if self.bad <= self.patience:
            return "waited", f"{value:g} is {comparison}; {self.bad} of {self.patience} in patience"
        bad, self.bad, self.cooling = self.bad, 0, self.cooldown
        return self._cut(f"{bad} reports in a row, the last {value:g}, were {comparison}")

    def _cut(self, reason: str) -> tuple[Action, str]:
        """Lower every rate, or none."""
        before = self.rates()
        after = [max(self.factor * rate, min(self.minimum, rate)) for rate in before]
        if all(old - new <= self.epsilon * old for old, new in zip(before, after, strict=True)):
            return "at minimum", f"{reason}; the rate stays at {_join_rates(before)}"
        for group, rate in zip(self.optimizer.param_groups, after, strict=True):
            if isinstance(group["lr"], torch.Tensor):
                group["lr"].fill_(rate)
            else:
                group["lr"] = rate
        return "reduced", f"{reason}; the rate goes from {_join_rates(before)} to {_join_rates(after)}"

    # --- state ---

    def state_dict(self) -> dict[str, Any]:
        """Return what changes from report to report; the arguments stay in the code, and the rate in the optimizer."""
        warmup = None if self.warmup is None else self.warmup.state_dict()
        counts = {"bad": self.bad, "cooling": self.cooling, "last_epoch": self.last_epoch}
        return {"version": 1, "best": self.best, **counts, "warmup": warmup}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Resume from a saved state.

        Raises:
            StateError: if it is not a state of a Plateau; nothing is changed then.
        """
        if not isinstance(state_dict, dict) or {"best", "bad", "cooling"} - set(state_dict):
            raise StateError("this is not the state of a Plateau, which has best, bad and cooling")
        if (self.warmup is None) != (state_dict.get("warmup") is None):
            raise StateError(
                "the state and this Plateau do not both have a warmup: build this Plateau as the saved one was"
            )
        best = None if state_dict["best"] is None else real(state_dict["best"], "best")
        bad, cooling = count(state_dict["bad"], "bad"), count(state_dict["cooling"], "cooling")
        reports = count(state_dict.get("last_epoch", 0), "last_epoch")  # a state of an older version has none
        if self.warmup is not None:
            self.warmup.load_state_dict(state_dict["warmup"])
        self.best, self.bad, self.cooling, self.last_epoch = best, bad, cooling, reports

    def __repr__(self) -> str:
        names = ("mode", "factor", "patience", "threshold", "threshold_mode", "cooldown", "minimum", "epsilon", "nan")
        return f"Plateau({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"


def mean_over_processes(metric: float) -> float:
    """Return the mean of a metric over the processes of `torch.distributed`, or the metric if there is one process."""
    distributed = torch.distributed
    if not distributed.is_available() or not distributed.is_initialized():
        return metric
    backend = distributed.get_backend()
    total = torch.tensor(metric, dtype=torch.float64, device="cuda" if backend == "nccl" else "cpu")
    distributed.all_reduce(total)
    return float(total.item()) / distributed.get_world_size()


def _number(metric: Any) -> float:
    try:
        return float(metric)
    except (TypeError, ValueError) as error:
        raise SchedulerError(f"a metric is one number, or a tensor with one element, not {metric!r}") from error


def _check_choice(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ScheduleError(f"{name} is one of {', '.join(map(repr, allowed))}, not {value!r}")


def _join_rates(rates: list[float]) -> str:
    return ", ".join(f"{rate:g}" for rate in dict.fromkeys(rates))
