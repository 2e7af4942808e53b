"""`Scheduler`: schedules the hyperparameters of a PyTorch optimizer, exactly and resumably.

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

from .bound_schedule import BoundSchedule
from .clock import Clock, clocks_of, unwrap_optimizer
from .hyperparameter import current_rates
from .misuse_warning import MisuseDetector
from .own_rates import warn_about_own_rates
from .state import build_state, load_state
from .targets import Plan, Selector, Set, has_epochs, read_targets
from .validation import check_arguments, check_schedules, check_unscheduled

PlanArgument = Plan | Set | Mapping[Selector, Plan | Set] | tuple[Plan | Set | None, ...]


@final
class Scheduler(LRScheduler):
    """Schedules hyperparameters of an optimizer by plans; a subclass of PyTorch's `LRScheduler`.

    Update k uses `base * plan(k)`, base being the group's own value when the scheduler was built: the peak stays where
    people tune it. Hyperparameters other than the rate are passed by name.

    The scheduler lives in the optimizer's hooks and keeps working when the object is dropped. An optimizer that is
    copied or pickled alone loses its hooks, and so its scheduler; copy or pickle the scheduler, which takes its
    optimizer along.

    Args:
        optimizer: any PyTorch optimizer, or Accelerate's wrapper of one. Its groups may differ in their rates; later
            groups join by themselves.
        lr: the plan of the learning rate: a schedule, its text, `Set(plan)`, or a mapping from group names (or
            predicates on the group) to those.
        minimum: absolute floor of the rate, at least 0; or a mapping like that of `lr`.
        clock: "updates" counts real updates through the optimizer's hooks, and `step()` may be called any number of
            times; "calls" counts calls of `step()`, for updates that no hook sees (CUDA graph replay, DeepSpeed ZeRO).
        position: updates already made.
        horizon: resolves plans that are drafts ("5%", "3ep").
        **hyperparameters: plans for others, as in `weight_decay=plan`, `momentum=Set(plan)`,
            `betas=(Set(plan), None)`, each also a mapping over groups.

    Raises:
        SchedulerError: if a name matches no group, a base to be scaled is zero, another scheduler has the
            hyperparameter, or a plan has no finite value at the position. The optimizer is then as it was.

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
        lr: PlanArgument | None = None,
        *,
        minimum: float | Mapping[Selector, float] | None = None,
        clock: Literal["updates", "calls"] = "updates",
        position: int = 0,
        horizon: Horizon | int | None = None,
        **hyperparameters: PlanArgument,
    ) -> None:
        check_arguments(optimizer, lr)
        optimizer = unwrap_optimizer(optimizer)
        if clock not in ("updates", "calls"):
            raise SchedulerError(f'clock is "updates" or "calls", not {clock!r}')
        arguments = {"lr": lr, **hyperparameters}
        schedules = [BoundSchedule(target) for target in read_targets(arguments, minimum, horizon)]
        check_unscheduled(optimizer, schedules)
        self.optimizer = optimizer
        self.clock = clock
        self._clock = Clock(schedules, count(position, "position"))
        self._misuse = MisuseDetector(self.position, epochs=has_epochs(arguments))
        self._clock.bind_groups(optimizer)
        check_schedules(schedules)
        warn_about_own_rates(optimizer, schedules)
        self._start()

    def _start(self) -> None:
        """Write the present values, and attach the clock to the optimizer."""
        self._clock.write(self.optimizer)
        self._clock.attach(self.optimizer, counts=self.clock == "updates")
        self._step_count = 1

    # --- position and values ---

    @property
    def position(self) -> int:
        """Return the number of updates made so far; the next one uses the plan's value at this step."""
        return self._clock.position

    @property
    def last_epoch(self) -> int:
        """Return the position, under the name that frameworks read."""
        return self._clock.position

    @last_epoch.setter
    def last_epoch(self, value: int) -> None:
        """Ignore what frameworks write that count themselves (ignite): the clock has already counted."""

    @property
    def base_lrs(self) -> list[float]:  # type: ignore[override]
        """Return the base rate of every group: its own rate where no plan schedules it."""
        return self._rates_or({id(slot.group): slot.base for schedule in self._of_rate() for slot in schedule.slots})

    @property
    def _last_lr(self) -> list[float]:  # type: ignore[override]
        return self.get_last_lr()

    def get_last_lr(self) -> list[float]:  # type: ignore[override]
        """Return the rates now in the optimizer, as floats."""
        return current_rates(self.optimizer)

    def get_lr(self) -> list[float]:  # type: ignore[override]
        """Return the rates of the next update, one for each group; write nothing."""
        values = [
            (slot, value)
            for schedule in self._of_rate()
            for slot, value in zip(schedule.slots, schedule.values_at(self.position), strict=True)
        ]
        return self._rates_or({id(slot.group): value for slot, value in values})

    _get_closed_form_lr = get_lr

    def _of_rate(self) -> list[BoundSchedule]:
        return [schedule for schedule in self._clock.schedules if str(schedule.target.hyperparameter) == "lr"]

    def _rates_or(self, values: dict[int, float]) -> list[float]:
        """Return a value for each group, by the identity of the group, and its rate where there is none."""
        groups = self.optimizer.param_groups
        return [values[id(group)] if id(group) in values else float(group["lr"]) for group in groups]

    # --- steps ---

    def step(self, epoch: int | None = None) -> None:
        """Write the values of the next update into the optimizer early; with `clock="calls"`, count an update first.

        Args:
            epoch: ignored; frameworks pass it.
        """
        clock = self._clock
        if self.clock == "calls":
            clock.count()
        else:
            self._misuse.check_call(clock.position, self.optimizer)
        self._step_count += 1
        clock.write(self.optimizer)

    def rebase(self, **bases: float) -> None:
        """Make changes by other code the new bases; or set a base, as in `rebase(lr=3e-3)`.

        Args:
            **bases: a new base for the largest group of a hyperparameter; the other groups keep their ratio to it.

        Raises:
            SchedulerError: if no plan schedules that hyperparameter.
        """
        scheduled = {str(schedule.target.hyperparameter) for schedule in self._clock.schedules}
        for name, value in bases.items():
            if name not in scheduled:
                raise SchedulerError(f"no plan schedules {name!r}: this Scheduler has {', '.join(sorted(scheduled))}")
            real(value, name, above=0)
        self._observe()
        for schedule in self._clock.schedules:
            multipliers = [slot.multiplier for slot in schedule.slots]
            new = bases.get(str(schedule.target.hyperparameter))
            ratio = 1.0 if new is None or not any(multipliers) else new / max(multipliers)
            for slot, multiplier in zip(schedule.slots, multipliers, strict=True):
                slot.base, slot.factor = multiplier * ratio, 1.0
        self._clock.write(self.optimizer)

    def _observe(self) -> None:
        """Take in new groups and changes by other code, and leave the next write to the slow path."""
        self._clock.bind_groups(self.optimizer)
        for schedule in self._clock.schedules:
            schedule.observe(self.position)

    def detach(self) -> None:
        """Stop scheduling; the optimizer keeps its present values."""
        self._clock.detach()

    # --- state ---

    def state_dict(self) -> dict[str, Any]:
        """Return the position, the plans as text, and the base and factor of each group, as plain data."""
        self._observe()
        return build_state(self._clock)

    def load_state_dict(
        self, state_dict: dict[str, Any], on_change: Literal["warn", "error", "saved"] = "warn"
    ) -> None:
        """Resume from a saved position; the optimizer may be loaded before or after.

        Args:
            state_dict: what `state_dict` returned.
            on_change: what to do if the saved plan gives other values than the one in the code: "warn" keeps the
                code's plan and warns, "error" raises, "saved" takes the saved plan.

        Raises:
            StateError: if the state does not fit this scheduler, or the plans differ and `on_change` is "error".
                Nothing is changed then.
        """
        self._clock.bind_groups(self.optimizer)
        load_state(self._clock, state_dict, on_change)
        self._misuse.reset(self.position)
        self._clock.write(self.optimizer)

    def __getstate__(self) -> dict[str, Any]:
        self._clock.bind_groups(self.optimizer)
        return {name: getattr(self, name) for name in ("optimizer", "clock", "_clock", "_misuse")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._start()

    def __repr__(self) -> str:
        targets = [schedule.target for schedule in self._clock.schedules]
        plans = ", ".join(f"{target.label}={target.plan!r}" for target in targets)
        return f"Scheduler({plans}, position={self.position})"


def detach(optimizer: torch.optim.Optimizer) -> None:
    """Detach every scheduler of an optimizer, also one whose object is lost (a notebook cell that was run again)."""
    for clock in clocks_of(unwrap_optimizer(optimizer)):
        clock.detach()
