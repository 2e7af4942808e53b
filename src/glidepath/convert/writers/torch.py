"""PyTorch's own schedulers: one for each leaf of the plan, a SequentialLR over them.

Their conventions: LinearLR reaches its end at update total_iters, so a warmup of n updates has n - 1 of them;
CosineAnnealingLR rises again past T_max, so a leaf that holds follows it where the plan does not; eta_min is a rate,
not a share, and is written only where the peak is known.
"""

from collections.abc import Callable
from typing import Any

from glidepath.core.curves import Cosine, Linear, Polynomial, Warmup
from glidepath.core.endless import Constant, Exponential, Multistep, Step
from glidepath.core.schedule import Schedule
from glidepath.core.transforms import Repeated

from . import lambda_lr
from .call import Call, call, write_list
from .expression import Operand, tidy, to_expression
from .layout import indent
from .program import program
from .scaled_leaves import ScaledLeaf, boundaries, split_plan, wave

NO_CLASSES = "PyTorch has no classes for this plan with the same values, so it is a function of the step."


def write(plan: Schedule, peak: float | None) -> str:
    """Write `make_scheduler(optimizer)`, of PyTorch's own classes where they have the same values."""
    leaves = _hold_last_cosine(split_plan(plan))
    calls = [_scheduler(leaf, peak) for leaf in leaves]
    schedulers = [scheduler for scheduler in calls if scheduler is not None]
    if len(schedulers) < len(calls):
        return lambda_lr.write(plan, peak, NO_CLASSES)
    scheduler = schedulers[0] if len(schedulers) == 1 else _sequential(schedulers, boundaries(leaves))
    names = sorted({each.name for each in (*schedulers, scheduler)})
    imports = [f"from torch.optim.lr_scheduler import {', '.join(names)}"]
    body = "\n".join(indent(f"return {scheduler.text}", 1))
    return program(plan, [lambda_lr.rate_note(peak)], imports, f"def make_scheduler(optimizer):\n{body}")


def _hold_last_cosine(leaves: list[ScaledLeaf]) -> list[ScaledLeaf]:
    """Add a leaf that holds the end of a last cosine."""
    *before, last = leaves
    if isinstance(last.leaf, Cosine) and last.leaf.steps:
        end = ScaledLeaf(Constant(), last.height * last.leaf.to, None)
        return [*before, last._replace(steps=last.leaf.steps), end]
    return leaves


def _sequential(schedulers: list[Call], milestones: list[int]) -> Call:
    return call(
        "SequentialLR",
        "optimizer",
        schedulers=write_list([each.text for each in schedulers]),
        milestones=repr(milestones),
    )


def _scheduler(scaled: ScaledLeaf, peak: float | None) -> Call | None:
    """Write the call that builds the scheduler of a leaf; None if PyTorch has none with the same values."""
    leaf = scaled.leaf
    if isinstance(leaf, Constant):
        return _constant(scaled.height)
    if isinstance(leaf, (Linear, Warmup)):
        return _linear(leaf, scaled.height)
    if scaled.height != 1.0:
        return None
    if type(leaf) in BY_SHAPE:
        return BY_SHAPE[type(leaf)](leaf)
    return WITH_FLOOR[type(leaf)](leaf, peak) if type(leaf) in WITH_FLOOR else None


def _constant(height: float) -> Call:
    if height == 1.0:
        return call("ConstantLR", "optimizer", factor=1.0, total_iters=0)
    return call("LambdaLR", "optimizer", f"lambda step: {height!r}")


def _linear(leaf: Linear | Warmup, height: float) -> Call | None:
    is_warmup = isinstance(leaf, Warmup)
    start, end, steps = tidy(height * leaf.start), tidy(height * leaf.to), leaf.steps - is_warmup
    if steps < 1:
        return None
    first = start + (end - start) / leaf.steps if is_warmup else start
    if not (0.0 < first <= 1.0 and 0.0 <= end <= 1.0):
        return None
    start_factor: Operand = to_expression(1) / leaf.steps if is_warmup and (start, end) == (0.0, 1.0) else first
    return call("LinearLR", "optimizer", start_factor=start_factor, end_factor=end, total_iters=steps)


def _cosine(leaf: Cosine, peak: float | None) -> Call | None:
    floor = _floor(leaf, peak)
    if (leaf.start, leaf.power, leaf.k) != (1.0, 1.0, 1.0) or floor is None or not leaf.steps:
        return None
    return call("CosineAnnealingLR", "optimizer", T_max=leaf.steps, eta_min=floor or None)


def _floor(leaf: Cosine, peak: float | None) -> float | None:
    """Return its end as a rate; None if the peak is missing."""
    return 0.0 if leaf.to == 0.0 else None if peak is None else tidy(leaf.to * peak)


def _polynomial(leaf: Polynomial) -> Call | None:
    if (leaf.to, leaf.start, leaf.k) != (0.0, 1.0, 1.0) or not leaf.steps:
        return None
    return call("PolynomialLR", "optimizer", total_iters=leaf.steps, power=leaf.power)


def _exponential(leaf: Exponential) -> Call | None:
    return call("ExponentialLR", "optimizer", gamma=leaf.factor) if leaf.every == 1 else None


def _step(leaf: Step) -> Call:
    return call("StepLR", "optimizer", step_size=leaf.every, gamma=leaf.factor)


def _multistep(leaf: Multistep) -> Call | None:
    if not isinstance(leaf.factor, float):
        return None
    return call("MultiStepLR", "optimizer", milestones=repr(list(leaf.milestones)), gamma=leaf.factor)


def _repeat(leaf: Repeated, peak: float | None) -> Call | None:
    fall = wave(leaf)
    return _restarts(leaf, peak) if fall is None else _cosine(fall, peak)


def _restarts(leaf: Repeated, peak: float | None) -> Call | None:
    cycle = leaf.plan
    if not isinstance(cycle, Cosine) or leaf.times is not None or leaf.shrink != 1.0 or not leaf.growth.is_integer():
        return None
    floor = _floor(cycle, peak)
    if (cycle.start, cycle.power, cycle.k) != (1.0, 1.0, 1.0) or floor is None:
        return None
    growth = None if leaf.growth == 1.0 else int(leaf.growth)
    return call("CosineAnnealingWarmRestarts", "optimizer", T_0=cycle.steps, T_mult=growth, eta_min=floor or None)


BY_SHAPE: dict[type[Schedule], Callable[[Any], Call | None]] = {
    Polynomial: _polynomial,
    Exponential: _exponential,
    Step: _step,
    Multistep: _multistep,
}
WITH_FLOOR: dict[type[Schedule], Callable[[Any, float | None], Call | None]] = {Cosine: _cosine, Repeated: _repeat}
