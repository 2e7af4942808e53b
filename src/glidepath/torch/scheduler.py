"""`Scheduler`: schedules the hyperparameters of PyTorch optimizers, exactly and resumably.

The rate of an update is a pure function of the number of updates made before it. The clock (`clock.py`) counts
those itself and writes before each, so `step()` only shows the next values early: calling it before or after
`optimizer.step()`, once, never or N times, from N processes or once per epoch, changes nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NoReturn, final

import torch
from torch.optim.lr_scheduler import LRScheduler

from glidepath.core.checks import count, real
from glidepath.core.horizon import Horizon
from glidepath.errors import Cure, SchedulerError

from .bases import Late
from .binding import build_clocks, list_optimizers
from .bound_schedule import BoundSchedule
from .clock import clocks_of, unwrap_optimizer
from .hyperparameter import Group
from .misuse_warning import MisuseDetector
from .multipliers import read_multipliers
from .own_rates import warn_about_own_rates
from .plan_changes import cooldown_of, replace_plans
from .state import build_state, load_foreign_state, load_state
from .targets import Plan, Selector, Set, has_epochs

PlanArgument = Plan | Set | Mapping[Selector, Plan | Set] | tuple[Plan | Set | None, ...]
Optimizers = torch.optim.Optimizer | Sequence[torch.optim.Optimizer] | Mapping[Any, torch.optim.Optimizer]


@final
class Scheduler(LRScheduler):
    """Schedules hyperparameters of optimizers by plans; a subclass of PyTorch's `LRScheduler`.

    Update k uses `base * plan(k)`, base being the group's own value when the scheduler was built: the peak stays where
    people tune it. It is kept in the group as "initial_lr". Hyperparameters other than the rate are passed by name.

    The scheduler lives in the optimizer's hooks and keeps working when the object is dropped. An optimizer that is
    copied or pickled alone loses its hooks, and so its scheduler; copy or pickle the scheduler, which takes its
    optimizer along.

    Args:
        optimizer: any PyTorch optimizer, or a wrapper of one; or several, as a list or a mapping, each with its own
            count of updates. Groups may differ in their rates; later groups join by themselves.
        lr: the plan of the learning rate: a schedule, its text, `Set(plan)`, or a mapping from group names (or
            predicates on the group) to those.
        minimum: absolute floor of the rate, at least 0; or a mapping like that of `lr`.
        clock: "updates" counts real updates through the optimizer's hooks, and `step()` may be called any number of
            times; "calls" counts calls of `step()`, for updates that no hook sees (CUDA graph replay, DeepSpeed ZeRO).
        position: updates already made. The bases are then the groups' "initial_lr".
        horizon: resolves plans that are drafts ("5%", "3ep"). If it knows tokens, a run that is resumed with another
            batch goes on where it was in tokens.
        base: the rate that the plan scales, in place of what the groups hold: of the group with the highest rate, the
            others keep their ratio to it; or a list, one for each group.
        late: how the rate of a group that joins during the run is read: "base" is scaled by the plan, "now" is what
            its first update uses; without it the default rate is a base, and another the rate now.
        **hyperparameters: plans for others, as in `weight_decay=plan`, `momentum=Set(plan)`,
            `betas=(Set(plan), None)`, each also a mapping over groups.

    Raises:
        SchedulerError: if a name matches no group, a base to be scaled is zero or cannot be told, another scheduler has
            the hyperparameter, or a value is not finite or outside its bounds. The optimizer is then as it was.

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

    trainer_updates: Callable[[], int] | None = None  # the count of a framework, which proves that of a foreign state

    def __init__(
        self,
        optimizer: Optimizers,
        lr: PlanArgument | None = None,
        *,
        minimum: float | Mapping[Selector, float] | None = None,
        clock: Literal["updates", "calls"] = "updates",
        position: int = 0,
        horizon: Horizon | int | None = None,
        base: float | Sequence[float] | None = None,
        late: Late | None = None,
        **hyperparameters: PlanArgument,
    ) -> None:
        optimizers = list_optimizers(optimizer, lr)
        if clock not in ("updates", "calls"):
            raise SchedulerError(f'clock is "updates" or "calls", not {clock!r}')
        if late not in (None, "base", "now"):
            raise SchedulerError(f'late is "base" or "now", not {late!r}')
        arguments = {"lr": lr, **hyperparameters}
        self._clocks = build_clocks(
            optimizers, arguments, minimum, horizon, position=count(position, "position"), base=base, late=late
        )
        self.optimizer, self.optimizers, self.clock, self.horizon = optimizers[0], optimizers, clock, horizon
        self._clock = self._clocks[0]
        plans = [schedule.target.plan for schedule in self._clock.schedules]
        self._misuse = MisuseDetector(self.position, epochs=has_epochs(arguments), plans=plans)
        for each, clock_of_it in zip(optimizers, self._clocks, strict=True):
            warn_about_own_rates(unwrap_optimizer(each), clock_of_it.schedules)
        self._start()

    def _start(self) -> None:
        """Write the present values, and attach the clocks to the optimizers."""
        self._clock, self._last_position = self._clocks[0], self._clocks[0].position
        self._cache = self._clock.cache if self.clock == "updates" and len(self._clocks) == 1 else None
        self._inner = [unwrap_optimizer(optimizer) for optimizer in self.optimizers]
        self._write()
        for optimizer, clock in zip(self.optimizers, self._clocks, strict=True):
            clock.attach(optimizer, counts=self.clock == "updates")
        self._step_count = 1

    # --- position and values ---

    @property
    def position(self) -> int:
        """Return the number of updates made so far; the next one uses the plan's value at this step."""
        return self._clock.position

    @property
    def positions(self) -> list[int]:
        """Return the number of updates made so far by each optimizer."""
        return [clock.position for clock in self._clocks]

    @property
    def last_epoch(self) -> int:
        """Return the position, under the name that frameworks read."""
        return self._clock.position

    @last_epoch.setter
    def last_epoch(self, value: int) -> None:
        """Ignore what frameworks write that count themselves (ignite): the clock has already counted.

        Raises:
            SchedulerError: if it is set back, as PyTorch's SequentialLR does to its members.
        """
        if value < self.position:
            self._initial_step()

    def _initial_step(self) -> NoReturn:
        """Refuse to be a member of PyTorch's SequentialLR, which begins and ends the turns of its members."""
        raise SchedulerError(
            "a Scheduler cannot be a member of SequentialLR: it counts updates by itself, and writes before each",
            cures=[Cure("join the plans, Scheduler(optimizer, warmup(500) >> cosine(9_500))")],
        )

    @property
    def base_lrs(self) -> list[float]:  # type: ignore[override]
        """Return the base rate of every group: its own rate where no plan schedules it."""
        return self._rates_or({id(slot.group): slot.base for schedule in self._of_rate() for slot in schedule.slots})

    @property
    def _last_lr(self) -> list[float]:  # type: ignore[override]
        return self.get_last_lr()

    @property
    def multipliers(self) -> list[float]:
        """Return the multiplier of the rate that each group carries by name (`lr_scale`, `lr_mult`), or 1."""
        return [
            multiplier
            for optimizer in self._inner
            for multiplier in read_multipliers(optimizer.param_groups, type(optimizer))
            or [1.0] * len(optimizer.param_groups)
        ]

    def get_last_lr(self) -> list[float]:  # type: ignore[override]
        """Return the rates now in the optimizers, as floats."""
        return self._rates_or({})

    def get_lr(self) -> list[float]:  # type: ignore[override]
        """Return the rates of the next update, one for each group, as far as they are known now; write nothing.

        Other code that writes them for that update, as ignite does, changes nothing.
        """
        for clock in self._clocks:
            for schedule in clock.schedules:
                schedule.writes.answered = clock.position
        return self._next_rates()

    def _next_rates(self) -> list[float]:
        values = [
            (slot, value)
            for clock in self._clocks
            for schedule in clock.schedules
            if schedule.is_rate and not schedule.writes.replaced
            for slot, value in zip(schedule.slots, schedule.values_at(clock.position), strict=True)
            if not schedule.writes.leaves(slot, clock.position)
        ]
        return self._rates_or({id(slot.group): value for slot, value in values})

    _get_closed_form_lr = get_lr

    def _schedules(self) -> list[BoundSchedule]:
        return [schedule for clock in self._clocks for schedule in clock.schedules]

    def _of_rate(self) -> list[BoundSchedule]:
        return [schedule for schedule in self._schedules() if schedule.is_rate]

    def _rates_or(self, values: dict[int, float]) -> list[float]:
        """Return a value for each group, by the identity of the group, and its rate where there is none."""
        groups = [group for optimizer in self.optimizers for group in optimizer.param_groups]
        return [values[id(group)] if id(group) in values else float(group["lr"]) for group in groups]

    # --- steps ---

    def step(self, epoch: int | None = None) -> None:
        """Write the values of the next update into the optimizer early; with `clock="calls"`, count an update first.

        Args:
            epoch: ignored; frameworks pass it.
        """
        self._step_count += 1
        cache = self._cache
        if cache is None:
            self._step_all()
            return
        updates = cache.first + cache.index - self._last_position
        if updates != 1:
            self._misuse.check_unusual_call(updates, self.position, self.optimizer)
        self._last_position += updates
        group: Group = self._inner[0].param_groups[-1]
        if group is cache.only_group and group["lr"] is cache.written:  # as `RowCache.write`, without its call
            group["lr"] = cache.written = cache.rows[cache.index]
        else:
            self._clock.show(self._inner[0])

    def _step_all(self) -> None:
        """Do what `step` does for several optimizers, and for calls that count as updates."""
        if self.clock == "calls":
            for clock, optimizer in zip(self._clocks, self._inner, strict=True):
                clock.count_call(optimizer)
        else:
            updates = self.position - self._last_position
            if updates != 1:
                self._misuse.check_unusual_call(updates, self.position, self.optimizer)
            self._last_position += updates
        for clock, optimizer in zip(self._clocks, self._inner, strict=True):
            clock.show(optimizer)

    # --- changing a run ---

    def expect_base(self) -> None:
        """Read what other code writes before the first update as a new base, as learning-rate finders mean it.

        Without this such a write is read as a base or as a multiple of the rate that was shown, whichever is nearer.
        """
        for clock in self._clocks:
            clock.cache.flush()  # the next update is to see what was written
        for schedule in self._schedules():
            schedule.expects_base = True

    def rebase(self, **bases: float) -> None:
        """Make changes by other code the new bases; or set a base, as in `rebase(lr=3e-3)`.

        Args:
            **bases: a new base for the largest group of a hyperparameter; the other groups keep their ratio to it.

        Raises:
            SchedulerError: if no plan schedules that hyperparameter, or `Set(plan)` does, which has no base.
        """
        scheduled = {str(schedule.target.hyperparameter) for schedule in self._schedules()}
        absolute = {str(schedule.target.hyperparameter) for schedule in self._schedules() if schedule.target.sets}
        for name, value in bases.items():
            if name not in scheduled:
                raise SchedulerError(f"no plan schedules {name!r}: this Scheduler has {', '.join(sorted(scheduled))}")
            if name in absolute:
                raise SchedulerError(
                    f"{name} is given by Set(plan), which has no base: change the plan, replace({name}=Set(...))"
                )
            real(value, name, above=0)
        self._observe()
        if any(
            schedule.writes.replaced and str(schedule.target.hyperparameter) in bases for schedule in self._of_rate()
        ):
            raise SchedulerError(
                "SWALR has taken over the rate, so there is no plan that a base would scale: write the rate into the "
                'groups as "swa_lr", or follow a plan again, replace(plan)'
            )
        highest: dict[str, float] = {}
        for schedule in self._schedules():
            name = str(schedule.target.hyperparameter)
            highest[name] = max([highest.get(name, 0.0), *(slot.multiplier for slot in schedule.slots)])
        for schedule in self._schedules():
            name = str(schedule.target.hyperparameter)
            schedule.rebase(bases[name] / highest[name] if name in bases and highest[name] else 1.0)
        self._write()

    def replace(self, lr: PlanArgument | None = None, **hyperparameters: PlanArgument) -> None:
        """Follow other plans from the next update on; position, bases and counts stay.

        The new plan is asked at the same position: a longer horizon is `replace("warmup(100) >> cosine(20_000)")`. It
        is part of the saved state, and goes on after a resume if the code still gives the plan that it replaced.

        Args:
            lr: the new plan of the learning rate, with the same groups as before.
            **hyperparameters: new plans of others.

        Raises:
            SchedulerError: if a plan is not one, is for a hyperparameter without a plan, or gives a value that cannot
                be used. Nothing is changed then.
        """
        self._observe()
        replace_plans(self._clocks, {"lr": lr, **hyperparameters}, self.horizon)
        self._begin_plans()

    def cooldown(self, shape: Plan) -> None:
        """Decay from the present rate, from the next update on, by a shape such as `one_minus_sqrt(2000)`.

        Args:
            shape: a plan that begins at 1; it scales the value that each rate has at the next update.

        Raises:
            SchedulerError: if the shape is not a plan, or no plan schedules the rate. Nothing is changed then.
        """
        self._observe()
        cooldown_of(self._clocks, shape, self.horizon)
        self._begin_plans()

    def _begin_plans(self) -> None:
        """Write the values of plans that have just replaced others."""
        self._misuse.plans = tuple(schedule.target.plan for schedule in self._clock.schedules)
        self._misuse.reset(self.position)
        self._last_position = self.position
        self._write()

    def _observe(self) -> None:
        """Take in new groups and changes by other code, and leave the next write to the slow path."""
        for clock, optimizer in zip(self._clocks, self._inner, strict=True):
            clock.observe(optimizer)

    def _write(self) -> None:
        for clock, optimizer in zip(self._clocks, self._inner, strict=True):
            clock.write(optimizer)

    def detach(self) -> None:
        """Stop scheduling; the optimizer keeps its present values."""
        for clock in self._clocks:
            clock.detach()

    # --- state ---

    def state_dict(self) -> dict[str, Any]:
        """Return the position, the plans as text, and the base and factor of each group, as plain data.

        The keys that PyTorch's own schedulers look for are among them, so that those can go on from here.
        """
        self._observe()
        return build_state(self._clocks, self.horizon, bases=self.base_lrs, rates=self._next_rates())

    def load_state_dict(
        self, state_dict: dict[str, Any], on_change: Literal["warn", "error", "saved"] = "warn"
    ) -> None:
        """Resume from a saved position; the optimizer may be loaded before or after.

        The state of another scheduler (PyTorch's, Transformers', Lightning's) is taken over: its position, if the
        optimizer's own count of updates agrees with it, and its bases.

        Args:
            state_dict: what `state_dict` returned.
            on_change: what to do if the saved plan gives other values than the one in the code: "warn" keeps the
                code's plan and warns, "error" raises, "saved" takes the saved plan.

        Raises:
            StateError: if the state does not fit this scheduler, or the plans differ and `on_change` is "error".
                Nothing is changed then.
        """
        for clock, optimizer in zip(self._clocks, self._inner, strict=True):
            clock.bind_groups(optimizer)
        if not load_foreign_state(self._clocks, self.optimizers, state_dict, self.trainer_updates):
            load_state(self._clocks, state_dict, on_change, self.horizon)
        self._misuse.reset(self.position)
        self._last_position = self.position
        self._write()

    def __getstate__(self) -> dict[str, Any]:
        for clock, optimizer in zip(self._clocks, self._inner, strict=True):
            clock.bind_groups(optimizer)
        names = ("optimizer", "optimizers", "clock", "horizon", "_clocks", "_misuse")
        return {name: getattr(self, name) for name in names}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._start()

    def __repr__(self) -> str:
        targets = [schedule.target for schedule in self._clock.schedules]
        plans = ", ".join(f"{target.label}={target.text}" for target in targets)
        return f"Scheduler({plans}, position={self.position})"


def detach(optimizer: torch.optim.Optimizer) -> None:
    """Detach every scheduler of an optimizer, also one whose object is lost (a notebook cell that was run again)."""
    for clock in clocks_of(unwrap_optimizer(optimizer)):
        clock.detach()
