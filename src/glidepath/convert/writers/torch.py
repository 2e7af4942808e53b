"""PyTorch's own schedulers: one for each part of the plan, a SequentialLR over them.

Their conventions: LinearLR reaches its end at update total_iters, so a warmup of n updates has n - 1 of them;
CosineAnnealingLR rises again past T_max, so a part that holds follows it where the plan does not; eta_min is a rate,
not a share, and is written only where the peak is known.
"""

from collections.abc import Callable
from typing import Any

from glidepath.core.curves import Cosine, Linear, Polynomial, Warmup
from glidepath.core.endless import Constant, Exponential, Multistep, Step
from glidepath.core.schedule import Schedule
from glidepath.core.transforms import Repeated

from . import lambda_lr
from .call import call, listing
from .expression import Operand, tidy, to_expression
from .layout import indent
from .program import program
from .scaled_leaves import ScaledLeaf, boundaries, split_plan, wave

NO_CLASSES = "PyTorch has no classes for this plan with the same values, so it is a function of the step."


def write(plan: Schedule, peak: float | None) -> str:
    """`make_scheduler(optimizer)`, of PyTorch's own classes where they have the same values."""
    found = _held(split_plan(plan))
    calls = [_scheduler(part, peak) for part in found]
    known = [one for one in calls if one is not None]
    if len(known) < len(calls):
        return lambda_lr.write(plan, peak, NO_CLASSES)
    made = known[0] if len(known) == 1 else _sequential(known, boundaries(found))
    names = sorted({text.partition("(")[0] for text in (*known, made)})
    imports = [f"from torch.optim.lr_scheduler import {', '.join(names)}"]
    body = "\n".join(indent(f"return {made}", 1))
    return program(plan, [lambda_lr.of_rate(peak)], imports, f"def make_scheduler(optimizer):\n{body}")


def _held(found: list[ScaledLeaf]) -> list[ScaledLeaf]:
    """A last cosine gets a part that holds its end."""
    *before, last = found
    if isinstance(last.leaf, Cosine) and last.leaf.steps:
        end = ScaledLeaf(Constant(), last.height * last.leaf.to, None)
        return [*before, last._replace(steps=last.leaf.steps), end]
    return found


def _sequential(schedulers: list[str], milestones: list[int]) -> str:
    return call("SequentialLR", "optimizer", schedulers=listing(schedulers), milestones=repr(milestones))


def _scheduler(part: ScaledLeaf, peak: float | None) -> str | None:
    """The call that builds the scheduler of a part; None if PyTorch has none with the same values."""
    leaf = part.leaf
    if isinstance(leaf, Constant):
        return _constant(part.height)
    if isinstance(leaf, (Linear, Warmup)):
        return _linear(leaf, part.height)
    if part.height != 1.0:
        return None
    if type(leaf) in BY_SHAPE:
        return BY_SHAPE[type(leaf)](leaf)
    return WITH_FLOOR[type(leaf)](leaf, peak) if type(leaf) in WITH_FLOOR else None


def _constant(height: float) -> str:
    if height == 1.0:
        return call("ConstantLR", "optimizer", factor=1.0, total_iters=0)
    return call("LambdaLR", "optimizer", f"lambda step: {height!r}")


def _linear(leaf: Linear | Warmup, height: float) -> str | None:
    early = isinstance(leaf, Warmup)
    start, end, steps = tidy(height * leaf.start), tidy(height * leaf.to), leaf.steps - early
    if steps < 1:
        return None
    first = start + (end - start) / leaf.steps if early else start
    if not (0.0 < first <= 1.0 and 0.0 <= end <= 1.0):
        return None
    shown: Operand = to_expression(1) / leaf.steps if early and (start, end) == (0.0, 1.0) else first
    return call("LinearLR", "optimizer", start_factor=shown, end_factor=end, total_iters=steps)


def _cosine(leaf: Cosine, peak: float | None) -> str | None:
    floor = _floor(leaf, peak)
    if (leaf.start, leaf.power, leaf.k) != (1.0, 1.0, 1.0) or floor is None or not leaf.steps:
        return None
    return call("CosineAnnealingLR", "optimizer", T_max=leaf.steps, eta_min=floor or None)


def _floor(leaf: Cosine, peak: float | None) -> float | None:
    """Where it ends, as a rate; None if that is not known."""
    return 0.0 if leaf.to == 0.0 else None if peak is None else tidy(leaf.to * peak)


def _polynomial(leaf: Polynomial) -> str | None:
    if (leaf.to, leaf.start, leaf.k) != (0.0, 1.0, 1.0) or not leaf.steps:
        return None
    return call("PolynomialLR", "optimizer", total_iters=leaf.steps, power=leaf.power)


def _exponential(leaf: Exponential) -> str | None:
    return call("ExponentialLR", "optimizer", gamma=leaf.factor) if leaf.every == 1 else None


def _step(leaf: Step) -> str:
    return call("StepLR", "optimizer", step_size=leaf.every, gamma=leaf.factor)


def _multistep(leaf: Multistep) -> str | None:
    if not isinstance(leaf.factor, float):
        return None
    return call("MultiStepLR", "optimizer", milestones=repr(list(leaf.milestones)), gamma=leaf.factor)


def _repeated(leaf: Repeated, peak: float | None) -> str | None:
    falling = wave(leaf)
    return _restarts(leaf, peak) if falling is None else _cosine(falling, peak)


def _restarts(leaf: Repeated, peak: float | None) -> str | None:
    cycle = leaf.plan
    if not isinstance(cycle, Cosine) or leaf.times is not None or leaf.shrink != 1.0 or not leaf.growth.is_integer():
        return None
    floor = _floor(cycle, peak)
    if (cycle.start, cycle.power, cycle.k) != (1.0, 1.0, 1.0) or floor is None:
        return None
    growth = None if leaf.growth == 1.0 else int(leaf.growth)
    return call("CosineAnnealingWarmRestarts", "optimizer", T_0=cycle.steps, T_mult=growth, eta_min=floor or None)


BY_SHAPE: dict[type[Schedule], Callable[[Any], str | None]] = {
    Polynomial: _polynomial,
    Exponential: _exponential,
    Step: _step,
    Multistep: _multistep,
}
WITH_FLOOR: dict[type[Schedule], Callable[[Any, float | None], str | None]] = {Cosine: _cosine, Repeated: _repeated}
