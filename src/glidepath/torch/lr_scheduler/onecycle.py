"""OneCycleLR: one rise and one fall, over a fixed number of steps."""

from typing import Any, Literal

from torch.optim import Optimizer

from glidepath.core.checks import count, real
from glidepath.errors import GroupError, ScheduleError

from . import interpolate
from .base import NOT_GIVEN, check_key
from .cyclic import per_group
from .groups import Group, check_optimizer, copy_value
from .momentum import MomentumScheduler, is_beta1, set_bounds

Phase = dict[str, Any]  # end_step, and the names of what it goes from and to
Weights = tuple[float, float, float]  # of the start and of the end, and what their sum is divided by
Place = tuple[int, Phase, Weights]  # the step too, so that no two are equal: the bounds may change in the groups


class OneCycleLR(MomentumScheduler):
    """From max_lr / div_factor up to max_lr, and down to 1 / final_div_factor of where it began

    The way up ends at step pct_start * total_steps - 1, the way down at total_steps - 1. With three_phase the way
    down to the start is as long as the way up, and a tail to the end follows.

    Args:
        optimizer: the optimizer; its rates are replaced.
        max_lr: the peak, or a list, one for each group.
        total_steps: length of the cycle; or else
        epochs: epochs of the cycle, together with
        steps_per_epoch: steps of an epoch.
        pct_start: share of the way up, from 0 to 1.
        anneal_strategy: "cos" or "linear".
        cycle_momentum: whether the momentum (or beta1) moves the other way.
        base_momentum: the momentum at the peak, or a list.
        max_momentum: the momentum at both ends, or a list.
        div_factor: the peak over the first rate.
        final_div_factor: the first rate over the last.
        three_phase: whether the way down is symmetrical, with a tail.
        last_epoch: -1 to begin; k to resume after step k.
        verbose: deprecated.

    Differs from PyTorch's: past its end it holds its last rate; a way up of one step divides nothing by zero; a
    change by other code after the first step is kept as a factor.

    Sources:
        Smith and Topin, 2018, Super-convergence, section 3, https://arxiv.org/abs/1708.07120.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
        verbose: Any = NOT_GIVEN,
    ) -> None:
        if anneal_strategy not in ("cos", "linear"):
            raise ScheduleError(f"anneal_strategy must be one of 'cos' or 'linear', not {anneal_strategy!r}")
        self.total_steps = _total(total_steps, epochs, steps_per_epoch)
        share = real(pct_start, "pct_start", at_least=0, at_most=1)
        self._schedule_phases = _phases(self.total_steps, share, three_phase)
        self._anneal_func_type: str = anneal_strategy
        div = real(div_factor, "div_factor", above=0)
        final = real(final_div_factor, "final_div_factor", above=0)
        peaks = per_group("max_lr", check_optimizer(optimizer), max_lr)
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.use_beta1 = is_beta1(optimizer)
            lows = per_group("base_momentum", optimizer, base_momentum)
            highs = per_group("max_momentum", optimizer, max_momentum)
        if last_epoch != -1:
            check_key(optimizer, "max_lr")
        else:
            for i, (group, peak) in enumerate(zip(optimizer.param_groups, peaks, strict=True)):
                group["max_lr"], group["initial_lr"], group["min_lr"] = peak, peak / div, peak / div / final
                if cycle_momentum:
                    set_bounds(group, lows[i], highs[i])
        super().__init__(optimizer, last_epoch, verbose)

    def _join(self, group: Group) -> None:
        if "max_lr" not in group:
            self._copy_bounds(group)
        super()._join(group)

    def _copy_bounds(self, group: Group) -> None:
        """Add a new group with the bounds of the others, if they all have the same."""
        older = self.optimizer.param_groups[: len(self.base_lrs)]
        keys = ["max_lr", "initial_lr", "min_lr", *(["max_momentum", "base_momentum"] if self.cycle_momentum else [])]
        for key in keys:
            if any(float(other[key]) != float(older[0][key]) for other in older):
                raise GroupError(
                    f"group {len(older)} is new, and the {key} of the others differ: give it {', '.join(keys)}"
                )
        group.update({key: copy_value(older[0][key]) for key in keys})

    # --- the formula ---

    def _rates_of(self, number: Place, starts: list[float]) -> list[float]:
        _, phase, (a, b, total) = number
        start, end, groups = phase["start_lr"], phase["end_lr"], self.optimizer.param_groups
        return [(float(group[start]) * a + float(group[end]) * b) / total for group in groups]

    def _momenta_of(self, number: Place) -> list[float]:
        _, phase, (a, b, total) = number
        start, end, groups = phase["start_momentum"], phase["end_momentum"], self.optimizer.param_groups
        return [(float(group[start]) * a + float(group[end]) * b) / total for group in groups]

    def _place(self, step: int) -> Place:
        """Return the step, the phase that it is in, and the weights of its two ends there."""
        phase, passed, length = self._phase_at(step)
        kind = getattr(self, "_anneal_func_type", None)
        if kind == "cos":
            return step, phase, (*interpolate.cosine_weights(passed, length), 1.0)
        if kind == "linear":
            return step, phase, (length - passed, passed, length)
        anneal, share = vars(self)["anneal_func"], passed / length  # a state of PyTorch before 2.0 brings a function
        return step, phase, (float(anneal(1.0, 0.0, share)), float(anneal(0.0, 1.0, share)), 1.0)

    def _phase_at(self, step: int) -> tuple[Phase, float, float]:
        """Return the phase that `step` is in, the steps into it, and its length."""
        last = self.total_steps - 1
        step = step if step < last else last
        begin = 0.0
        for phase in self._schedule_phases:
            if step <= phase["end_step"]:
                break
            begin = phase["end_step"]
        length = phase["end_step"] - begin
        return (phase, step - begin, length) if length > 0 else (phase, 1.0, 1.0)

    @staticmethod
    def _annealing_cos(start: float, end: float, pct: float) -> float:
        return interpolate.cosine(start, end, pct, 1.0)

    @staticmethod
    def _annealing_linear(start: float, end: float, pct: float) -> float:
        return interpolate.linear(start, end, pct, 1.0)


def _total(total_steps: int | None, epochs: int | None, steps_per_epoch: int | None) -> int:
    if total_steps is not None:
        return count(total_steps, "total_steps", at_least=1)
    if epochs is None or steps_per_epoch is None:
        raise ScheduleError("You must define either total_steps OR (epochs AND steps_per_epoch)")
    return count(epochs, "epochs", at_least=1) * count(steps_per_epoch, "steps_per_epoch", at_least=1)


def _phases(steps: int, share: float, three: bool) -> list[Phase]:
    up = _phase(share * steps - 1, ("initial_lr", "max_lr"), ("max_momentum", "base_momentum"))
    if not three:
        return [up, _phase(steps - 1, ("max_lr", "min_lr"), ("base_momentum", "max_momentum"))]
    down = _phase(2 * share * steps - 2, ("max_lr", "initial_lr"), ("base_momentum", "max_momentum"))
    tail = _phase(steps - 1, ("initial_lr", "min_lr"), ("max_momentum", "max_momentum"))
    return [up, down, tail]


def _phase(end: float, lr: tuple[str, str], momentum: tuple[str, str]) -> Phase:
    return {
        "end_step": end,
        "start_lr": lr[0],
        "end_lr": lr[1],
        "start_momentum": momentum[0],
        "end_momentum": momentum[1],
    }
