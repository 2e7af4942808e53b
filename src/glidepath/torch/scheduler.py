"""`Scheduler`: puts plans on the hyperparameters of a PyTorch optimizer, exactly and resumably.

The rate of an update is a pure function of the number of updates made before it. The clock (`clock.py`) counts
those itself and writes before each, so `step()` only shows the next values early: calling it before or after
`optimizer.step()`, once, never or N times, from N processes or once per epoch, changes nothing.
"""

from collections.abc import Mapping
from typing import Any, Literal, final

import torch
from torch.optim.lr_scheduler import LRScheduler

from glidepath.core.checks import count, real
from glidepath.core.horizon import Horizon
from glidepath.errors import SchedulerError

from . import state as states
from .bound import Lane
from .clock import Clock, clocks_of, unwrapped
from .misuse_warning import Watch
from .targets import Plan, Selector, Set, read_targets, uses_epochs
from .validation import check_arguments, check_lanes, refuse_second_driver

Driven = Plan | Set | Mapping[Selector, Plan | Set] | tuple[Plan | Set | None, ...]


@final
class Scheduler(LRScheduler):
    """Drives hyperparameters of an optimizer by plans; a subclass of PyTorch's `LRScheduler`.

    Update k uses `base * plan(k)`, base being the group's own value when the driver was made: the peak stays where
    people tune it. Hyperparameters other than the rate are given by name.

    The driver lives in the optimizer's hooks: drop the object and it goes on. An optimizer that is copied or pickled
    alone loses its hooks, and so its driver; copy or pickle the driver, which takes its optimizer along.

    Args:
        optimizer: any PyTorch optimizer, or Accelerate's wrapper of one. Its groups may differ in their rates; later
            groups join by themselves.
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
        SchedulerError: if a name matches no group, a base to be scaled is zero, another driver has the hyperparameter,
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
        check_arguments(optimizer, lr)
        optimizer = unwrapped(optimizer)
        if clock not in ("updates", "calls"):
            raise SchedulerError(f'clock is "updates" or "calls", not {clock!r}')
        arguments = {"lr": lr, **hyperparameters}
        lanes = [Lane(target) for target in read_targets(arguments, minimum, horizon)]
        refuse_second_driver(optimizer, lanes)
        self.optimizer = optimizer
        self.clock = clock
        self._clock = Clock(lanes, count(position, "position"))
        self._watch = Watch(self.position, epochs=uses_epochs(arguments))
        self._clock.regroup(optimizer)
        check_lanes(lanes)
        self._start()

    def _start(self) -> None:
        """Writes the current values and begins to listen."""
        self._clock.write(self.optimizer)
        self._clock.attach(self.optimizer, counts=self.clock == "updates")
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
        else:
            self._watch.see(clock.position, self.optimizer)
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
                raise SchedulerError(f"no plan drives {name!r}: this driver has {', '.join(sorted(known))}")
            real(value, name, above=0)
        self._observe()
        for lane in self._clock.lanes:
            owned = lane.owned()
            new = bases.get(str(lane.target.hyperparameter))
            ratio = 1.0 if new is None or not any(owned) else new / max(owned)
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
        self._watch.start_again(self.position)
        self._clock.write(self.optimizer)

    def __getstate__(self) -> dict[str, Any]:
        self._clock.regroup(self.optimizer)
        return {name: getattr(self, name) for name in ("optimizer", "clock", "_clock", "_watch")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._start()

    def __repr__(self) -> str:
        plans = ", ".join(f"{lane.target.label}={lane.target.plan!r}" for lane in self._clock.lanes)
        return f"Scheduler({plans}, position={self.position})"


def detach(optimizer: torch.optim.Optimizer) -> None:
    """Stops every driver of an optimizer, also one whose object is lost (a notebook cell that was run again)."""
    for clock in clocks_of(unwrapped(optimizer)):
        clock.detach()
