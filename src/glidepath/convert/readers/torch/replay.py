"""PyTorch's own code, run on copies, for what has no closed form: schedulers that write over each other's rates.

The copies get a stand-in for the optimizer; the scheduler that is read is left alone. What comes out is a Python
function that steps them as far as needed, so it has no text.
"""

import copy
from functools import partial
from typing import Any

import torch
from torch.optim import lr_scheduler as stock

from glidepath.convert.readers.ratios import ratio
from glidepath.core.schedule import Schedule
from glidepath.recipes import formula

from .group_plans import GroupPlans, floats
from .single import class_name

QUIRK = "its members write over each other's rates: torch's own steps are repeated on copies, so it has no text"


def replay(scheduler: Any) -> GroupPlans:
    """Return every group's ratio by update, and the momenta, by stepping copies."""
    bases = floats(group["initial_lr"] for group in scheduler.optimizer.param_groups)
    run = Replay(scheduler)
    representatives = [0 if _scales(scheduler) else i for i in range(len(bases))]
    plans = {i: _rates(run, i, base) for i, base in enumerate(bases) if i in representatives}
    others = {name: tuple(formula(partial(run, name, i)) for i in range(len(bases))) for name in run.momenta}
    return GroupPlans(tuple(plans[i] for i in representatives), (QUIRK,), others)


def _rates(run: "Replay", group: int, base: float) -> Schedule:
    return formula(lambda step: ratio(run("lr", group, step), base))


def _scales(scheduler: Any) -> bool:
    """Return whether all groups have the same ratios: no absolute rate in it, nor another function in each."""
    if hasattr(scheduler, "_schedulers"):
        return all(map(_scales, scheduler._schedulers))
    if class_name(scheduler) in ("CyclicLR", "OneCycleLR", "SWALR") or getattr(scheduler, "eta_min", 0.0) != 0.0:
        return False
    return len(set(map(id, getattr(scheduler, "lr_lambdas", ())))) <= 1


class Replay:
    """The values of every update so far, by stepping copies."""

    def __init__(self, scheduler: Any) -> None:
        groups = scheduler.optimizer.param_groups
        self.momenta = sorted({name for single in _singles(scheduler) if (name := _momentum(single))})
        self._optimizer = torch.optim.SGD([_copy_group(group) for group in groups], lr=0.0)
        stock.LambdaLR(self._optimizer, lambda step: 1.0)  # marks the optimizer as one that schedulers know
        for group, original in zip(self._optimizer.param_groups, groups, strict=True):
            group["lr"] = group["initial_lr"] = float(original["initial_lr"])
        vars(self._optimizer)["_opt_called"] = True  # so that no copy warns of an order that is not the user's
        self._copy = _rebuild(scheduler, self._optimizer)
        self._values = [self._now()]

    def __call__(self, name: str, group: int, step: int) -> float:
        """Return the value of one hyperparameter at an update."""
        while len(self._values) <= step:
            self._copy.step()
            self._values.append(self._now())
        return self._values[step][name][group]

    def _now(self) -> dict[str, list[float]]:
        groups = self._optimizer.param_groups
        values = {"lr": [float(group["lr"]) for group in groups]}
        if "momentum" in self.momenta:
            values["momentum"] = [float(group["momentum"]) for group in groups]
        if "betas[0]" in self.momenta:
            values["betas[0]"] = [float(group["betas"][0]) for group in groups]
        return values


def _singles(scheduler: Any) -> list[Any]:
    members = getattr(scheduler, "_schedulers", None)
    return [scheduler] if members is None else [single for member in members for single in _singles(member)]


def _momentum(scheduler: Any) -> str | None:
    if not getattr(scheduler, "cycle_momentum", False):
        return None
    return "betas[0]" if scheduler.use_beta1 else "momentum"


def _copy_group(group: dict[str, Any]) -> dict[str, Any]:
    options = {key: value for key, value in group.items() if key != "params" and not isinstance(value, torch.Tensor)}
    return {**options, "params": [torch.zeros(1)]}


def _rebuild(scheduler: Any, optimizer: Any) -> Any:
    """Build a copy at its beginning, on another optimizer."""
    if hasattr(scheduler, "_schedulers"):
        members = [_rebuild(member, optimizer) for member in scheduler._schedulers]
        if class_name(scheduler) == "SequentialLR":
            return stock.SequentialLR(optimizer, members, list(scheduler._milestones))
        return stock.ChainedScheduler(members, optimizer)
    class_name(scheduler)  # raises for what is not PyTorch's
    twin = copy.copy(scheduler)
    twin.optimizer, twin.last_epoch = optimizer, -1
    if hasattr(twin, "T_cur"):
        twin.T_cur, twin.T_i = -1, twin.T_0
    twin._initial_step()
    return twin
