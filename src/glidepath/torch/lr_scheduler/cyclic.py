"""CyclicLR: triangles between two absolute rates, for ever."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from torch.optim import Optimizer

from glidepath.core.checks import real
from glidepath.errors import GroupError, ScheduleError

from .base import NOT_GIVEN
from .functions import load_function, save_function
from .groups import Group, check_optimizer, copy_value
from .momentum import MomentumScheduler, is_beta1, set_bounds

MODES = ("triangular", "triangular2", "exp_range")


class CyclicLR(MomentumScheduler):
    """base_lr + (max_lr - base_lr) * triangle(k) * scale, up in step_size_up steps and down in step_size_down

    The scale is 1 ("triangular"), 2^-i in cycle i = 0, 1, ... ("triangular2") or gamma^k ("exp_range").

    Args:
        optimizer: the optimizer; its rates are replaced.
        base_lr: the lower rate, or a list of them, one for each group.
        max_lr: the upper rate, or a list.
        step_size_up: steps of the way up, above 0.
        step_size_down: steps of the way down; None for as many.
        mode: "triangular", "triangular2" or "exp_range"; ignored if there is a `scale_fn`.
        gamma: for "exp_range", at least 0.
        scale_fn: another scale, a function of the cycle (from 1) or of the step.
        scale_mode: its argument, "cycle" or "iterations".
        cycle_momentum: whether the momentum (or beta1) moves the other way.
        base_momentum: the momentum at the upper rate, or a list.
        max_momentum: the momentum at the lower rate, or a list.
        last_epoch: -1 to begin; k to resume after step k.
        verbose: deprecated.

    Differs from PyTorch's: places in a cycle are computed without rounding; a size of 0 is refused; a change by other
    code after the first step is kept as a factor; loading does not change the state that is loaded.

    Sources:
        Smith, 2017, Cyclical learning rates, section 3.1, https://arxiv.org/abs/1506.01186.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: Literal["triangular", "triangular2", "exp_range"] = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: Literal["cycle", "iterations"] = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
        verbose: Any = NOT_GIVEN,
    ) -> None:
        if mode not in MODES and scale_fn is None:
            raise ScheduleError(f"mode is one of {MODES}, not {mode!r}, unless a scale_fn is given")
        if scale_mode not in ("cycle", "iterations"):
            raise ScheduleError(f"scale_mode is 'cycle' or 'iterations', not {scale_mode!r}")
        up = real(step_size_up, "step_size_up", above=0)
        down = up if step_size_down is None else real(step_size_down, "step_size_down", at_least=0)
        self.total_size, self.step_ratio = up + down, up / (up + down)
        self.mode, self.gamma = mode, real(gamma, "gamma", at_least=0)
        self._scale_fn_custom = scale_fn
        self.scale_mode = scale_mode if scale_fn is not None else _scale_mode_of(mode)
        self._lows = per_group("base_lr", check_optimizer(optimizer), base_lr)
        self.max_lrs = per_group("max_lr", optimizer, max_lr)
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.use_beta1 = is_beta1(optimizer)
            self.base_momentums = per_group("base_momentum", optimizer, base_momentum)
            self.max_momentums = per_group("max_momentum", optimizer, max_momentum)
        super().__init__(optimizer, last_epoch, verbose)

    def _join(self, group: Group) -> None:
        i = len(self.base_lrs)
        if i == len(self._lows):
            self._extend()
        group.setdefault("initial_lr", copy_value(self._lows[i]))
        super()._join(group)
        self.base_lrs[i] = copy_value(self._lows[i])
        if self.cycle_momentum:
            set_bounds(group, self.base_momentums[i], self.max_momentums[i])

    def _extend(self) -> None:
        """Add a new group with the bounds of the others, if they all have the same."""
        lists = [self._lows, self.max_lrs]
        if self.cycle_momentum:
            lists += [self.base_momentums, self.max_momentums]
        for values in lists:
            if any(float(value) != float(values[0]) for value in values):
                raise GroupError(
                    f"group {len(self.base_lrs)} is new, and the others have different bounds ({values}): "
                    "build the scheduler again"
                )
        for values in lists:
            values.append(copy_value(values[0]))

    # --- the formula ---

    def _places_ahead(self) -> int:
        return super()._places_ahead() if self._scale_fn_custom is None else 1  # a function is called at its own step

    def _place(self, step: int) -> float:
        """Return the height in the cycle, from 0 at the lower rate to 1 at the upper one, times the scale."""
        cycle, place = divmod(step, self.total_size)
        up = round(self.total_size * self.step_ratio, 9)
        triangle = place / up if place <= up else (self.total_size - place) / (self.total_size - up)
        return triangle * float(self.scale_fn(int(cycle) + 1 if self.scale_mode == "cycle" else step))

    def _rates_of(self, number: float, starts: list[float]) -> list[float]:
        lows, highs = map(float, self.base_lrs), map(float, self.max_lrs)
        return [low + (high - low) * number for low, high in zip(lows, highs, strict=True)]

    def _momenta_of(self, number: float) -> list[float]:
        lows, highs = map(float, self.base_momentums), map(float, self.max_momentums)
        return [high - (high - low) * number for low, high in zip(lows, highs, strict=True)]

    def scale_fn(self, x: float) -> float:
        """Return the scale of cycle or step `x`."""
        return self._scale_fn_custom(x) if self._scale_fn_custom is not None else self._scale_by_mode(x)

    @property
    def _scale_fn_ref(self) -> Callable[[float], float]:
        return lambda x: self._scale_by_mode(x)

    def _scale_by_mode(self, x: float) -> float:
        if self.mode == "triangular":
            return 1.0
        return float(0.5 ** (x - 1) if self.mode == "triangular2" else self.gamma**x)

    # --- state ---

    def state_dict(self) -> dict[str, Any]:
        """Return the state of every scheduler, with the state of a custom scale (see `save_function`)."""
        state = super().state_dict()
        return {**state, "_scale_fn_custom": save_function(state["_scale_fn_custom"])}

    def _load(self, state: Mapping[str, Any]) -> None:
        custom = load_function(self._scale_fn_custom, state.get("_scale_fn_custom"))
        super()._load({**state, "_scale_fn_custom": custom})


def per_group(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """Return one value for each group, from a number or a list; tensors are copied."""
    groups = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        value = [value] * groups
    if len(value) != groups:
        raise ScheduleError(
            f"{name} must have the same length as optimizer.param_groups: {len(value)} values for {groups} groups"
        )
    return [_unwrap_value(name, v) for v in value]


def _unwrap_value(name: str, value: Any) -> Any:
    """Return a finite number as a float, or a copy of a tensor."""
    number = real(float(value), name)
    return copy_value(value) if hasattr(value, "clone") else number


def _scale_mode_of(mode: str) -> str:
    return "iterations" if mode == "exp_range" else "cycle"
