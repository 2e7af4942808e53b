"""transformers' named schedules where they have the same values; elsewhere its own way, a LambdaLR.

Its warmups begin at k / n, which a plan writes as linear(n, to=1.0, start=0.0). Its cosine rises again past its end,
so it is the plan that does that too: repeat(cosine(n) >> cosine(n, to=1.0, start=0.0)).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from glidepath.core.curves import Cosine, Curve, Linear, OneMinusSqrt, Polynomial
from glidepath.core.endless import Constant, InversePower
from glidepath.core.schedule import Schedule
from glidepath.core.transforms import Repeated

from . import lambda_lr
from .call import call
from .layout import indent, write_row
from .program import program
from .scaled_leaves import ScaledLeaf, split_plan, wave

NO_NAME = "No name of transformers has the same values: give the Trainer optimizers=(optimizer, scheduler)."
DECAYS: dict[type[Schedule], str] = {Linear: "linear", Cosine: "cosine", OneMinusSqrt: "1-sqrt"}


class NamedSchedule(NamedTuple):
    """A name of `get_scheduler`, its counts, and its own options."""

    name: str
    warmup: int | None = None
    steps: int | None = None
    options: Mapping[str, Any] | None = None


def write(plan: Schedule, peak: float | None) -> str:
    """Write `make_scheduler(optimizer)`, by `get_scheduler` where one of its names has the same values."""
    schedule = _find_name(split_plan(plan))
    if schedule is None:
        return lambda_lr.write(plan, peak, NO_NAME)
    scheduler = call(
        "get_scheduler",
        f'"{schedule.name}"',
        "optimizer",
        num_warmup_steps=schedule.warmup,
        num_training_steps=schedule.steps,
        scheduler_specific_kwargs=None if schedule.options is None else _dictionary(schedule.options),
    )
    body = "\n".join(indent(f"return {scheduler.text}", 1))
    imports = ["from transformers import get_scheduler"]
    return program(plan, [lambda_lr.rate_note(peak)], imports, f"def make_scheduler(optimizer):\n{body}")


def _dictionary(options: Mapping[str, Any]) -> str:
    items = [f'"{key}": {value!r}'.replace("'", '"') for key, value in options.items()]
    return write_row("{", items, "}")


def _find_name(leaves: list[ScaledLeaf]) -> NamedSchedule | None:
    if any(scaled.height != 1.0 for scaled in leaves[:-1]):
        return None
    rise, *rest = leaves
    if not rest or not isinstance(rise.leaf, Linear) or rise.leaf.to != 1.0 or rise.leaf.steps != rise.steps:
        return _after(0, leaves) if len(leaves) == 1 else _stable(0, 0.0, leaves)
    warmup, low = rise.leaf.steps, rise.leaf.start
    if len(rest) == 1:
        return _after(warmup, rest) if low == 0.0 else None
    return _stable(warmup, low, rest)


def _after(warmup: int, leaves: list[ScaledLeaf]) -> NamedSchedule | None:
    """Return the name of a warmup and the one leaf after it."""
    leaf, height, _ = leaves[0]
    if height != 1.0:
        return None
    match leaf:
        case Constant():
            return NamedSchedule("constant_with_warmup", warmup) if warmup else NamedSchedule("constant")
        case Linear(to=0.0, start=1.0, steps=steps) if steps:
            return NamedSchedule("linear", warmup, warmup + steps)
        case Polynomial(to=0.0, start=1.0, k=1.0, power=power, steps=steps) if steps:
            return NamedSchedule("polynomial", warmup, warmup + steps, {"lr_end": 0.0, "power": power})
        case InversePower(timescale=scale, power=0.5):
            return NamedSchedule("inverse_sqrt", warmup, None, {"timescale": scale})
        case Repeated():
            return _repeat(warmup, leaf)
    return None


def _repeat(warmup: int, leaf: Repeated) -> NamedSchedule | None:
    fall, cycle = wave(leaf), leaf.plan
    if fall is not None and fall.to == 0.0:
        return NamedSchedule("cosine", warmup, warmup + fall.steps)
    if fall is not None and fall.to > 0.0:
        return NamedSchedule("cosine_with_min_lr", warmup, warmup + fall.steps, {"min_lr_rate": fall.to})
    if (
        not isinstance(cycle, Cosine)
        or cycle != Cosine(cycle.steps)
        or leaf.times is None
        or (leaf.growth, leaf.shrink) != (1.0, 1.0)
    ):
        return None
    steps = leaf.times * cycle.steps
    if any(leaf.times * (i * cycle.steps / steps) % 1.0 for i in range(leaf.times)):
        return None  # transformers would lose a restart to rounding
    return NamedSchedule("cosine_with_restarts", warmup, warmup + steps, {"num_cycles": leaf.times})


def _stable(warmup: int, low: float, leaves: list[ScaledLeaf]) -> NamedSchedule | None:
    """Return the name of a plateau and a cooldown to the value that the warmup began with."""
    if len(leaves) != 2 or not isinstance(leaves[0].leaf, Constant) or leaves[1].height != 1.0:
        return None
    fall = leaves[1].leaf
    decay = DECAYS.get(type(fall))
    if decay is None or not isinstance(fall, Curve) or not fall.steps or fall.start != 1.0:
        return None
    bent = isinstance(fall, Cosine) and (fall.power, fall.k) != (1.0, 1.0)
    if bent or fall.to < 0.0 or (warmup and fall.to != low):
        return None
    counts = {"num_stable_steps": leaves[0].steps, "num_decay_steps": fall.steps}
    return NamedSchedule("warmup_stable_decay", warmup, None, {**counts, "decay_type": decay, "min_lr_ratio": fall.to})
