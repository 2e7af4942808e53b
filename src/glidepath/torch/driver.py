"""`Scheduler`: puts plans on the hyperparameters of a PyTorch optimizer, exactly and resumably.

The rate of an update is a pure function of the number of updates made before it. The clock (`clock.py`) counts
those itself and writes before each, so `step()` only shows the next values early: calling it before or after
`optimizer.step()`, once, never or N times, from N processes or once per epoch, changes nothing.
"""

import warnings
from collections.abc import Mapping
from typing import Any, Literal, final

import torch
from torch.optim.lr_scheduler import LRScheduler

from glidepath.core.checks import count, real
from glidepath.core.errors import DriverError, GlidepathWarning
from glidepath.core.schedule import Schedule
from glidepath.units import Horizon

from . import state as states
from .clock import Clock
from .lane import Lane
from .targets import Plan, Selector, Set, read_targets, uses_epochs

Driven = Plan | Set | Mapping[Selector, Plan | Set] | tuple[Plan | Set | None, ...]


@final
class Scheduler(LRScheduler):
    """Drives hyperparameters of an optimizer by plans; a subclass of PyTorch's `LRScheduler`.

    Update k uses `base * plan(k)`, base being the group's own value when the driver was made: the peak stays where
    people tune it. Hyperparameters other than the rate are given by name.

    Args:
        optimizer: any PyTorch optimizer. Its groups may differ in their rates; later groups join by themselves.
        lr: the plan of the learning rate: a schedule, its text, `Set(plan)`, or a mapping from group names (or
            predicates on the group) to those.
        minimum: absolute floor of the rate, at least 0; or a mapping like that of `lr`.
        clock: "updates" counts real updates through the optimizer's hooks, and `step()` is an idempotent sync;
            "calls" counts calls of `step()`, for updates that no hook sees (CUDA graph replay, DeepSpeed ZeRO).
        position: updates already made.
        horizon: resolves plans that are drafts ("5%", "3ep").
        **hyperparameters: plans for others, as in `weight_decay=plan`, `momentum=Set(plan)`,
            `betas=(Set(plan), None)`, each also a mapping over groups.

    Raises:
        DriverError: if a name matches no group, a base to be scaled is zero, another driver has the hyperparameter,
            or a plan has no finite value at the position. The optimizer is then as it was.

    Examples:
        >>> import torch, glidepath as gp
        >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
        >>> scheduler = Scheduler(optimizer, gp.warmup(2) >> gp.cosine(8))
        >>> for _ in range(3):
        ...     optimizer.step()
        ...     scheduler.step()
        >>> scheduler.position, scheduler.get_last_lr() == [0.1 * gp.cosine(8)(1)]
        (3, True)
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        lr: Driven | None = None,
        *,
        minimum: float | Mapping[Selector, float] | None = None,
        clock: Literal["updates", "calls"] = "updates",
        position: int = 0,
        horizon: Horizon | int | None = None,
        **hyperparameters: Driven,
    ) -> None:
        _check_optimizer(optimizer, lr)
        if clock not in ("updates", "calls"):
            raise DriverError(f'clock is "updates" or "calls", not {clock!r}')
        arguments = {"lr": lr, **hyperparameters}
        lanes = [Lane(target) for target in read_targets(arguments, minimum, horizon)]
        _refuse_second_driver(optimizer, lanes)
        self.optimizer = optimizer
        self.clock = clock
        self._epochs = uses_epochs(arguments)
        self._clock = Clock(lanes, count(position, "position"))
        self._clock.regroup(optimizer)
        _check_lanes(lanes)
        self._start()

    def _start(self) -> None:
        """Writes the current values and begins to listen."""
        self._clock.write(self.optimizer)
        self._clock.attach(self.optimizer, counts=self.clock == "updates")
        self._synced = self.position
        self._long_gaps, self._warned = 0, False
        self._step_count = 1

    # --- position and values ---

    @property
    def position(self) -> int:
        """Updates made so far; the next one uses the plan's value at this step."""
        return self._clock.position

    @property
    def last_epoch(self) -> int:
        """The position, under the name that frameworks read."""
        return self._clock.position

    @last_epoch.setter
    def last_epoch(self, value: int) -> None:
        """Frameworks that count for us (ignite) may write it; the clock has already counted."""

    @property
    def base_lrs(self) -> list[float]:  # type: ignore[override]
        """The base rate of every group: its own rate where no plan drives it."""
        return [self._lr_lane_value(group, lambda lane, i: lane.bases[i]) for group in self.optimizer.param_groups]

    @property
    def _last_lr(self) -> list[float]:  # type: ignore[override]
        return self.get_last_lr()

    def get_last_lr(self) -> list[float]:  # type: ignore[override]
        """The rates now in the optimizer, as floats."""
        return [float(group["lr"]) for group in self.optimizer.param_groups]

    def get_lr(self) -> list[float]:  # type: ignore[override]
        """The rates of the next update, one for each group; writes nothing."""
        position = self.position
        return [
            self._lr_lane_value(group, lambda lane, i: lane.values_at(position)[i])
            for group in self.optimizer.param_groups
        ]

    _get_closed_form_lr = get_lr

    def _lr_lane_value(self, group: dict[str, Any], read: Any) -> float:
        for lane in self._clock.lanes:
            if str(lane.target.hyperparameter) == "lr":
                for i, driven in enumerate(lane.groups):
                    if driven is group:
                        return float(read(lane, i))
        return float(group["lr"])

    # --- driving ---

    def step(self, epoch: int | None = None) -> None:
        """Shows the values of the next update in the optimizer; with `clock="calls"`, counts it first.

        Args:
            epoch: ignored; frameworks pass it.
        """
        clock = self._clock
        if self.clock == "calls":
            clock.advance()
        elif clock.position - self._synced != 1 and not self._warned:
            self._watch()
        else:
            self._synced, self._long_gaps = clock.position, 0
        self._step_count += 1
        clock.write(self.optimizer)

    def rebase(self, **bases: float) -> None:
        """Makes changes by hand the new base; or sets it, as in `rebase(lr=3e-3)`.

        Args:
            **bases: a new base for the largest group of a hyperparameter; the other groups keep their ratio to it.
        """
        known = {str(lane.target.hyperparameter) for lane in self._clock.lanes}
        for name, value in bases.items():
            if name not in known:
                raise DriverError(f"no plan drives {name!r}: this driver has {', '.join(sorted(known))}")
            real(value, name)
        self._observe()
        for lane in self._clock.lanes:
            owned = lane.owned()
            new = bases.get(str(lane.target.hyperparameter))
            ratio = 1.0 if new is None else new / max(owned)
            lane.bases, lane.factors = [own * ratio for own in owned], [1.0] * len(owned)
        self._clock.write(self.optimizer)

    def _observe(self) -> None:
        """Takes in new groups and hand changes, and leaves the next write to the long way."""
        self._clock.regroup(self.optimizer)
        for lane in self._clock.lanes:
            lane.observe(self.position)

    def detach(self) -> None:
        """Stops driving; the optimizer keeps its present values."""
        self._clock.detach()

    def _watch(self) -> None:
        """Warns once about the two ways in which syncs and updates do not go together."""
        done = self.position - self._synced
        self._long_gaps = self._long_gaps + 1 if done > 1 else 0
        if done == 0 and self._step_count > 1 and not _overflowed(self.optimizer):
            self._warn("step() was called twice with no optimizer update in between, so the rate stayed")
        elif self._long_gaps >= 2 and not self._epochs:
            self._warn(f"step() is called once in {done} updates, and the plan counts updates")
        self._synced = self.position

    def _warn(self, what: str) -> None:
        self._warned = True
        warnings.warn(
            f"{what} ({self.position} updates so far). Plans follow real updates here. If yours is in epochs, write it "
            'in epochs ("30ep" over Horizon(steps, steps_per_epoch=...)); to count calls of step() instead, pass '
            'clock="calls"; to look at a plan, plan.plot() needs no optimizer.',
            GlidepathWarning,
            stacklevel=4,
        )

    # --- state ---

    def state_dict(self) -> dict[str, Any]:
        """Position, plans as text, and each group's base and hand factor: numbers, texts, lists and dicts only."""
        self._observe()
        return states.save(self._clock)

    def load_state_dict(
        self, state_dict: dict[str, Any], on_change: Literal["warn", "error", "saved"] = "warn"
    ) -> None:
        """Goes on from a saved position; the optimizer may be loaded before or after.

        Args:
            state_dict: what `state_dict` returned.
            on_change: what to do if the saved plan gives other values than the one in the code: "warn" keeps the
                code's plan and warns, "error" refuses, "saved" takes the saved plan.

        Raises:
            StateError: if the state is not this driver's, or the plans differ and `on_change` is "error". Nothing is
                changed then.
        """
        self._clock.regroup(self.optimizer)
        states.load(self._clock, state_dict, on_change)
        self._synced, self._step_count = self.position, 1
        self._clock.write(self.optimizer)

    def __getstate__(self) -> dict[str, Any]:
        self._clock.regroup(self.optimizer)
        return {"optimizer": self.optimizer, "clock": self.clock, "epochs": self._epochs, "_clock": self._clock}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.optimizer, self.clock = state["optimizer"], state["clock"]
        self._epochs, self._clock = state["epochs"], state["_clock"]
        self._start()

    def __repr__(self) -> str:
        plans = ", ".join(f"{lane.target.label}={lane.target.plan!r}" for lane in self._clock.lanes)
        return f"Scheduler({plans}, position={self.position})"


def detach(optimizer: torch.optim.Optimizer) -> None:
    """Stops every driver of an optimizer, also one whose object is lost (a notebook cell that was run again)."""
    for clock in _clocks(optimizer):
        clock.detach()


def _clocks(optimizer: Any) -> list[Clock]:
    hooks = optimizer._optimizer_load_state_dict_post_hooks.values()
    return [hook.__self__ for hook in hooks if isinstance(getattr(hook, "__self__", None), Clock)]


def _check_optimizer(optimizer: Any, plan: Any) -> None:
    if isinstance(optimizer, Schedule):
        raise DriverError("the optimizer comes first: Scheduler(optimizer, plan)")
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise DriverError(f"{type(optimizer).__name__} is no torch.optim.Optimizer: give the optimizer that it wraps")
    if isinstance(plan, torch.optim.Optimizer):
        raise DriverError("the plan comes second: Scheduler(optimizer, plan)")


def _refuse_second_driver(optimizer: Any, lanes: list[Lane]) -> None:
    wanted = {str(lane.target.hyperparameter) for lane in lanes}
    for clock in _clocks(optimizer):
        for name in wanted & {str(lane.target.hyperparameter) for lane in clock.lanes}:
            raise DriverError(
                f"{name} of this optimizer has a driver already: detach that one first, scheduler.detach() or "
                "glidepath.torch.detach(optimizer), or combine the plans with * or >>"
            )


def _check_lanes(lanes: list[Lane]) -> None:
    for lane in lanes:
        target = lane.target
        if not lane.groups:
            raise DriverError(f"{target.label} matches no parameter group{_names(target.selector)}")
        if not target.sets and not any(lane.bases):
            raise DriverError(f"{target.label} is 0, and a scaled 0 stays 0: set it above 0, or use Set(plan)")
        if target.minimum is not None and target.minimum > min(lane.bases) > 0:
            raise DriverError(f"minimum={target.minimum} is above the base rate {min(lane.bases)} of a group")
        _warn_about_absolute_plan(lane)


def _names(selector: Any) -> str:
    return f": no group has the name {selector!r}" if isinstance(selector, str) else ""


def _warn_about_absolute_plan(lane: Lane) -> None:
    """A plan that peaks at 3e-4 on an optimizer with lr=3e-4 would train at 9e-8."""
    if lane.target.sets or str(lane.target.hyperparameter) != "lr":
        return
    peak = max(lane.target.plan.block(0, min(lane.target.plan.duration or 1000, 10_000)) or [1.0])
    if 0 < peak < 0.05 and any(0.5 < base / peak < 2 for base in lane.bases):
        warnings.warn(
            f"the plan peaks at {peak:g} and scales a rate of {lane.bases[0]:g}, so the optimizer would get "
            f"{peak * lane.bases[0]:g}: leave the peak to the optimizer, or write Set(plan)",
            GlidepathWarning,
            stacklevel=4,
        )


def _overflowed(optimizer: torch.optim.Optimizer) -> bool:
    """Whether gradients are infinite or NaN, so that a GradScaler has skipped the update. Only asked when in doubt."""
    gradients = (p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None)
    return any(not bool(torch.isfinite(gradient).all()) for gradient in gradients)
