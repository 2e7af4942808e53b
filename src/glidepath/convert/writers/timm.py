"""timm's own schedulers where one of them has the same values; elsewhere a class of its own kind.

They count updates here (t_in_epochs=False, and `step_update(k)` before update k) and begin after their warmup
(warmup_prefix=True). Their ends are rates, not shares, and are written only where the peak is known. Milestone m of
timm takes effect at m - 1.
"""

from collections.abc import Callable
from typing import Any

from glidepath.core.curves import Cosine, Linear, Polynomial, Tanh
from glidepath.core.endless import Multistep, Step
from glidepath.core.schedule import Schedule
from glidepath.core.transforms import Repeated

from . import lambda_lr
from .call import Call, call
from .dialect import PYTHON
from .expression import tidy, to_expression
from .function import write_function
from .layout import INDENT, indent
from .program import program
from .scaled_leaves import ScaledLeaf, split_plan

NO_CLASS = "timm has no scheduler for this plan with the same values, so it is one of its own."
COUNTING = "It counts updates: call scheduler.step_update(k) before update k."

CLASS = """\
class PlanScheduler(Scheduler):
    def __init__(self, optimizer):
        super().__init__(optimizer, param_group_field="lr", t_in_epochs=False)
        self.step_update(0)

    def _get_lr(self, t):
        return [base * factor(t) for base in self.base_values]"""

Options = dict[str, Any]


def write(plan: Schedule, peak: float | None) -> str:
    """Write `make_scheduler(optimizer)`, one of timm's own classes where it has the same values."""
    scheduler = _own(split_plan(plan), peak)
    if scheduler is None:
        return _class(plan, peak)
    imports = [f"from timm.scheduler import {scheduler.name}"]
    body = "\n".join(indent(f"return {scheduler.text}", 1))
    notes = [lambda_lr.rate_note(peak), COUNTING]
    return program(plan, notes, imports, f"def make_scheduler(optimizer):\n{body}")


def _class(plan: Schedule, peak: float | None) -> str:
    whole = write_function(plan, "step", PYTHON, to_expression(1.0))
    imports = [*(["import math\n"] if whole.uses("math") else []), "from timm.scheduler.scheduler import Scheduler"]
    make_scheduler = f"def make_scheduler(optimizer):\n{INDENT}return PlanScheduler(optimizer)"
    notes = [lambda_lr.rate_note(peak), whole.note(NO_CLASS), COUNTING]
    return program(plan, notes, imports, *whole.before, whole.definition("factor(step)"), CLASS, make_scheduler)


def _own(leaves: list[ScaledLeaf], peak: float | None) -> Call | None:
    """Write the call of the one class of timm that is these leaves."""
    *rise, fall = leaves
    warmup = _warmup(rise, peak)
    options = CLASSES[type(fall.leaf)][1](fall.leaf) if type(fall.leaf) in CLASSES and fall.height == 1.0 else None
    if warmup is None or options is None:
        return None
    low = options.pop("lr_min", 0.0)
    if low and peak is None:
        return None
    keywords = {**options, "lr_min": tidy(low * (peak or 1.0)) or None, **warmup, "t_in_epochs": "False"}
    return call(CLASSES[type(fall.leaf)][0], "optimizer", **keywords)


def _warmup(rise: list[ScaledLeaf], peak: float | None) -> Options | None:
    """Return the options of the warmup; None if timm has no such warmup."""
    if not rise:
        return {}
    leaf = rise[0].leaf
    if len(rise) > 1 or rise[0].height != 1.0 or not isinstance(leaf, Linear) or leaf.to != 1.0:
        return None
    if leaf.steps != rise[0].steps or (leaf.start and peak is None):
        return None
    first = {"warmup_lr_init": tidy(leaf.start * peak)} if leaf.start and peak else {}
    return {"warmup_t": leaf.steps, **first, "warmup_prefix": "True"}


def _cosine(leaf: Cosine) -> Options | None:
    if (leaf.start, leaf.power) != (1.0, 1.0) or leaf.steps < 2 or leaf.to < 0.0:
        return None
    return {"t_initial": leaf.steps, "lr_min": leaf.to, **_k_decay(leaf)}


def _restarts(leaf: Repeated) -> Options | None:
    """Return the options of a number of equal cycles; timm's floor does not shrink with them."""
    cycle = leaf.plan
    options = _cosine(cycle) if isinstance(cycle, Cosine) else None
    if options is None or leaf.times is None or leaf.growth != 1.0 or (leaf.shrink != 1.0 and options["lr_min"]):
        return None
    return {**options, "cycle_limit": leaf.times, "cycle_decay": None if leaf.shrink == 1.0 else leaf.shrink}


def _polynomial(leaf: Polynomial) -> Options | None:
    if leaf.start != 1.0 or leaf.steps < 2 or leaf.to < 0.0:
        return None
    return {"t_initial": leaf.steps, "power": leaf.power, "lr_min": leaf.to, **_k_decay(leaf)}


def _k_decay(leaf: Cosine | Polynomial) -> Options:
    return {} if leaf.k == 1.0 else {"k_decay": leaf.k}


def _tanh(leaf: Tanh) -> Options | None:
    if leaf.start != 1.0 or leaf.steps < 2 or leaf.to < 0.0 or leaf.lower >= leaf.upper:
        return None
    return {"t_initial": leaf.steps, "lb": leaf.lower, "ub": leaf.upper, "lr_min": leaf.to}


def _step(leaf: Step) -> Options:
    return {"decay_t": leaf.every, "decay_rate": leaf.factor}


def _multistep(leaf: Multistep) -> Options | None:
    if not isinstance(leaf.factor, float):
        return None
    return {"decay_t": repr([milestone + 1 for milestone in leaf.milestones]), "decay_rate": leaf.factor}


CLASSES: dict[type[Schedule], tuple[str, Callable[[Any], Options | None]]] = {
    Cosine: ("CosineLRScheduler", _cosine),
    Repeated: ("CosineLRScheduler", _restarts),
    Polynomial: ("PolyLRScheduler", _polynomial),
    Tanh: ("TanhLRScheduler", _tanh),
    Step: ("StepLRScheduler", _step),
    Multistep: ("MultiStepLRScheduler", _multistep),
}
