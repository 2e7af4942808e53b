"""ReduceLROnPlateau: cuts the rate when a metric has stopped getting better."""

import math
from collections.abc import Mapping
from typing import Any, Literal, SupportsFloat

from torch.optim import Optimizer
from torch.optim import lr_scheduler as stock

from glidepath.core.checks import count, real
from glidepath.errors import GroupError, ScheduleError
from glidepath.warn import warn_caller

from .base import EPOCH_DEPRECATION_WARNING, NOT_GIVEN, LRScheduler, warn_about_verbose
from .groups import check_optimizer, read_rates, write_value


class ReduceLROnPlateau(LRScheduler, stock.ReduceLROnPlateau):
    """lr = max(lr * factor, min_lr), whenever more than `patience` steps in a row were no better than the best

    A metric is better if it beats the best by the threshold: with mode "min" and threshold_mode "rel" below
    best - threshold * |best|, with "abs" below best - threshold; with mode "max" above it, likewise.

    Args:
        optimizer: the optimizer.
        mode: "min" if the metric is to fall (a loss), "max" if it is to rise (an accuracy).
        factor: what the rate is multiplied by, from 0 to below 1.
        patience: steps in a row without an improvement that are allowed; the next one cuts.
        threshold: by how much a metric must beat the best.
        threshold_mode: "rel" as a share of the best, "abs" as a number.
        cooldown: steps after a cut that are not counted.
        min_lr: the lowest rate, or a list, one for each group.
        eps: a cut by no more than this is not made.
        verbose: deprecated, except that True prints every cut.

    Differs from PyTorch's: the relative threshold is right for negative metrics too, where PyTorch takes a little worse
    for better; a metric that is NaN or infinite is never the best, and raises a warning (it counts as no better,
    as in PyTorch). `glidepath.torch` has a controller with an explicit policy for these, warmup, and several processes.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: Literal["min", "max"] = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: Literal["rel", "abs"] = "rel",
        cooldown: int = 0,
        min_lr: list[float] | float = 0,
        eps: float = 1e-8,
        verbose: Any = NOT_GIVEN,
    ) -> None:
        warn_about_verbose(verbose)
        self.factor = real(factor, "factor", at_least=0)
        if self.factor >= 1.0:
            raise ScheduleError(f"Factor should be < 1.0, so that the rate falls, not {factor!r}")
        self.optimizer = check_optimizer(optimizer)
        self.default_min_lr, self.min_lrs = _lowest(optimizer, min_lr)
        self.patience, self.cooldown = count(patience, "patience"), count(cooldown, "cooldown")
        self.eps = real(eps, "eps", at_least=0)
        self.verbose = verbose is True
        self.last_epoch = 0
        self._last_lr = read_rates(optimizer)
        self._init_is_better(mode, real(threshold, "threshold"), threshold_mode)
        self._reset()

    def _init_is_better(self, mode: Any, threshold: float, threshold_mode: Any) -> None:
        if mode not in ("min", "max"):
            raise ScheduleError(f"mode {mode!r} is unknown: 'min' or 'max'")
        if threshold_mode not in ("rel", "abs"):
            raise ScheduleError(f"threshold mode {threshold_mode!r} is unknown: 'rel' or 'abs'")
        self.mode, self.threshold, self.threshold_mode = mode, threshold, threshold_mode
        self.mode_worse = math.inf if mode == "min" else -math.inf

    def _reset(self) -> None:
        """Forget all metrics; the rate stays."""
        self.best = self.mode_worse
        self.cooldown_counter = 0
        self.num_bad_epochs = 0

    @property
    def in_cooldown(self) -> bool:
        """Return whether a cut was made so recently that steps are not counted."""
        return self.cooldown_counter > 0

    def step(self, metrics: SupportsFloat, epoch: Any = None) -> None:  # type: ignore[override]
        """Take the metric of one step, and cut the rate if the patience is exceeded.

        Args:
            metrics: one number.
            epoch: deprecated; the step that this is.
        """
        current = float(metrics)
        if epoch is not None:
            warn_caller(EPOCH_DEPRECATION_WARNING, "GP708")
        self._warn_unless_finite(current)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        self._count(current)
        if self.num_bad_epochs > self.patience:
            self._reduce_lr(self.last_epoch)
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
        self._last_lr = read_rates(self.optimizer)

    def _count(self, current: float) -> None:
        if self._is_better(current, self.best):
            self.best = current
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0

    def _is_better(self, a: float, best: float) -> bool:
        if not math.isfinite(a):
            return False
        sign = 1.0 if self.mode == "min" else -1.0  # sign * metric is to fall
        if self.threshold_mode == "abs":
            return bool(sign * a < sign * best - self.threshold)
        share = self.threshold if sign * best > 0 else -self.threshold
        return bool(sign * a < sign * best * (1.0 - share))

    def _reduce_lr(self, epoch: Any) -> None:
        self._match_groups()
        for i, (group, lowest) in enumerate(zip(self.optimizer.param_groups, self.min_lrs, strict=True)):
            old = float(group["lr"])
            new = max(old * self.factor, float(lowest))
            if old - new > self.eps:
                write_value(group, "lr", new)
                if self.verbose:
                    print(f"epoch {epoch}: learning rate of group {i} reduced to {new:.4e}")

    def _match_groups(self) -> None:
        groups = len(self.optimizer.param_groups)
        if groups != len(self.min_lrs):
            if self.default_min_lr is None:
                raise GroupError(
                    f"The number of param groups in the optimizer is {groups}, and min_lr was given for "
                    f"{len(self.min_lrs)}: append the new ones to scheduler.min_lrs"
                )
            self.min_lrs = [self.default_min_lr] * groups

    def _warn_unless_finite(self, metric: float) -> None:
        if not math.isfinite(metric):
            warn_caller(
                f"the metric is {metric}: it counts as no better, so {self.patience + 1} of them in a row cut the rate",
                "GP712",
            )

    def _load(self, state: Mapping[str, Any]) -> None:
        super()._load(state)
        self._init_is_better(self.mode, self.threshold, self.threshold_mode)


def _lowest(optimizer: Optimizer, min_lr: Any) -> tuple[Any, list[Any]]:
    groups = len(optimizer.param_groups)
    if not isinstance(min_lr, (list, tuple)):
        lowest = real(min_lr, "min_lr", at_least=0)
        return lowest, [lowest] * groups
    if len(min_lr) != groups:
        raise ScheduleError(f"expected {groups} min_lrs, one for each parameter group, got {len(min_lr)}")
    return None, [real(lowest, "a min_lr", at_least=0) for lowest in min_lr]
