"""Optimizers of other libraries that do not use the rate as it is set: a table, read without importing any of them.

Each row names a class, or the keys that its groups carry, and says what the optimizer does instead. Seen with
pytorch_optimizer 4.1.0, transformers 5.24.0, timm 1.0.31, torch_optimizer 0.3.0, schedulefree 1.4.1, heavyball 3.2.1,
ranger21 0.1.0 and bitsandbytes 0.50.2. Prodigy and D-Adaptation find the scale of the rate themselves and multiply it
by `lr`, so a plan on lr=1 is right there and nothing is said.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, final

from glidepath.warn import warn_caller

from .bound_schedule import BoundSchedule
from .hyperparameter import Group

COMPARED = 1_000  # updates of a plan that are compared with its first, to see whether it changes


@final
@dataclass(frozen=True)
class OwnRate:
    """An optimizer with a rate of its own.

    Args:
        classes: names of the class; empty for any.
        keys: of its groups.
        applies: whether this optimizer, group and plan are concerned.
        message: what it does, and the cure; `{kind}` is the class, other names are attributes of the optimizer or keys
            of the group.
        code: of the warning.
    """

    classes: tuple[str, ...]
    keys: tuple[str, ...]
    applies: Callable[[Any, Group, BoundSchedule], bool]
    message: str
    code: str

    def matches(self, optimizer: Any, group: Group, schedule: BoundSchedule) -> bool:
        """Return whether this row is about an optimizer with such a group under such a schedule."""
        names = {base.__name__ for base in type(optimizer).__mro__}
        return (
            (not self.classes or not names.isdisjoint(self.classes))
            and all(key in group for key in self.keys)
            and self.applies(optimizer, group, schedule)
        )

    def fill(self, optimizer: Any, group: Group) -> str:
        """Return the message with the numbers of this optimizer."""
        return self.message.format_map({**vars(optimizer), **group, "kind": type(optimizer).__name__})


def _rises_at_first(schedule: BoundSchedule) -> bool:
    return schedule.target.is_data and schedule.target.plan(0) < schedule.target.plan(1)


def _changes(schedule: BoundSchedule) -> bool:
    target = schedule.target
    return not target.is_data or len(set(target.plan.block(0, min(target.plan.duration or COMPARED, COMPARED)))) > 1


RELATIVE = OwnRate(
    (),
    ("relative_step",),
    lambda optimizer, group, schedule: bool(group["relative_step"]),
    "{kind} computes its own rate (relative_step=True) and never reads lr, so this schedule has no effect: build it "
    "with relative_step=False, warmup_init=False and an lr",
    "GP737",
)

TABLE = (
    RELATIVE,
    OwnRate(
        ("ApolloDQN",),
        ("init_lr",),
        lambda optimizer, group, schedule: optimizer.warmup_steps > 1,
        "{kind} warms up by itself from {init_lr} until update {warmup_steps} and does not read lr before, so this "
        "schedule has no effect there: build it with warmup_steps=1",
        "GP737",
    ),
    OwnRate(
        ("Apollo",),
        ("init_lr", "warmup"),
        lambda optimizer, group, schedule: group["warmup"] > 1,
        "{kind} warms up by itself from {init_lr} in its first {warmup} updates and does not read lr there, so this "
        "schedule has no effect on them: build it with warmup=0",
        "GP737",
    ),
    OwnRate(
        ("Ranger21",),
        (),
        lambda optimizer, group, schedule: not getattr(optimizer, "disable_lr_scheduler", True),
        "{kind} has a schedule of its own: it multiplies lr by a warmup over {num_warm_up_iterations} updates, and "
        "replaces it by a decay from update {start_warm_down} on: build it with disable_lr_scheduler=True",
        "GP737",
    ),
    OwnRate(
        ("Ranger21",),
        (),
        lambda optimizer, group, schedule: any(
            getattr(optimizer, name, False) for name in ("use_warmup", "warmdown_active")
        ),
        "{kind} has a schedule of its own, a warmup that multiplies lr and a decay at the end that replaces it: build "
        "it with use_warmup=False, warmdown_active=False",
        "GP737",
    ),
    OwnRate(  # schedulefree, and pytorch_optimizer's copies
        (),
        ("warmup_steps", "weight_lr_power"),
        lambda optimizer, group, schedule: group["warmup_steps"] > 1 and _rises_at_first(schedule),
        "{kind}(warmup_steps={warmup_steps}) multiplies lr by a warmup of its own, and the plan has one too, so the "
        "first updates use their product: build it with warmup_steps=0, or give a plan without a warmup",
        "GP738",
    ),
    OwnRate(  # heavyball
        (),
        ("warmup_steps", "caution"),
        lambda optimizer, group, schedule: group["warmup_steps"] > 0 and _rises_at_first(schedule),
        "{kind}(warmup_steps={warmup_steps}) multiplies lr by a warmup of its own, and the plan has one too, so the "
        "first updates use their product: build it with warmup_steps=0, or give a plan without a warmup",
        "GP738",
    ),
    OwnRate(
        ("FTRL",),
        ("lr_power",),
        lambda optimizer, group, schedule: _changes(schedule),
        "{kind} computes every parameter anew from the sum of its gradients, in proportion to lr, so a plan that "
        "lowers the rate shrinks what was learned, to 0 at a rate of 0: keep lr constant, or use another optimizer",
        "GP739",
    ),
)


def warn_about_library_rates(optimizer: Any, schedules: Sequence[BoundSchedule]) -> None:
    """Warn once if an optimizer of another library ignores, warms up or reuses the rate that the schedules set.

    Args:
        optimizer: which makes the updates.
        schedules: those of the rate.
    """
    pairs = [(slot.group, schedule) for schedule in schedules for slot in schedule.slots]
    for row in TABLE:
        for group, schedule in pairs:
            if row.matches(optimizer, group, schedule):
                warn_caller(row.fill(optimizer, group), row.code)
                return
    _warn_about_overrides(optimizer, [group for group, _ in pairs])


def _warn_about_overrides(optimizer: Any, groups: Sequence[Group]) -> None:
    """Warn if the manager of bitsandbytes' optimizers gives some parameters a rate of their own."""
    manager = getattr(optimizer, "mng", None)
    by_parameter = getattr(manager, "pid2config", {})
    by_place = getattr(manager, "index2config", {})
    rates = [
        {**by_place.get((number, place), {}), **by_parameter.get(id(parameter), {})}.get("lr")
        for number, group in enumerate(getattr(optimizer, "param_groups", ()))
        if any(group is driven for driven in groups)
        for place, parameter in enumerate(group["params"])
    ]
    overrides = [rate for rate in rates if rate is not None]
    if overrides:
        warn_caller(
            f"GlobalOptimManager overrides lr for {len(overrides)} of {len(rates)} parameters (lr={overrides[0]}), and "
            "this schedule has no effect on them: put them into a group of their own, with that lr",
            "GP737",
        )
