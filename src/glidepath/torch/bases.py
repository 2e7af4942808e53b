"""Where a base comes from: what the plan of a group is multiplied by.

A base is kept in the group under "initial_lr" ("initial_weight_decay" and so on for others), where PyTorch's own
schedulers and timm keep theirs, so it is part of every checkpoint of the optimizer:

- at position 0 the base is what the group holds now;
- further on the group may hold a rate that has decayed, so the base is the group's "initial_lr", or "max_lr" where
  OneCycleLR has overwritten that; without either it is the present rate if the optimizer has no state yet, and
  refused otherwise;
- a group that joins later has the optimizer's default as its base, or a rate for the update to come (`late_base`).
"""

import math
from collections.abc import Sequence
from typing import Any, Literal

from glidepath.core.checks import is_number, real
from glidepath.errors import SchedulerError

from .hyperparameter import Group, Hyperparameter, initial_key
from .once import OnceWarnings

Late = Literal["base", "now"]

RATE = Hyperparameter("lr")
SAME = 1e-9  # relative: rates that differ by less are equal
BASE_CURES = (
    "give base=0.1 (what the plan is multiplied by), build the scheduler before the optimizer is loaded, or load the "
    "scheduler's own saved state"
)


def base_at_start(
    optimizer: Any, group: Group, number: int, hyperparameter: Hyperparameter, position: int, once: OnceWarnings
) -> float:
    """Return the base of a group that is there when its scheduler is built, after `position` updates.

    Raises:
        SchedulerError: if updates were made and nothing says what the rate was before them.
    """
    value, key = float(hyperparameter.get(group)), initial_key(hyperparameter)
    initial = float(group[key]) if key in group else None
    if str(hyperparameter) != "lr":
        if position and initial is None:
            _defer_doubt(optimizer, value, number, hyperparameter, position, once)
        return value if initial is None or position == 0 else initial
    if position == 0:
        if initial is not None and not math.isclose(initial, value, rel_tol=SAME):
            once.defer(
                f"group {number} holds the rate {value:g}, and an earlier scheduler began at {initial:g} (initial_lr): "
                f"the plan scales {value:g}; to go on where that one was, give position=",
                "GP721",
            )
        return value
    if is_from_one_cycle(group):
        once.defer(
            f"group {number} comes from OneCycleLR: the plan scales its max_lr, {float(group['max_lr']):g}; "
            "give base= for another",
            "GP721",
        )
        return float(group["max_lr"])
    return _base_without_marker(optimizer, value, number, position, once) if initial is None else initial


def is_from_one_cycle(group: Group) -> bool:
    """Return whether a group has the marks of OneCycleLR; some optimizers have a max_lr of another meaning."""
    return all(is_number(group.get(key)) for key in ("max_lr", "min_lr"))


def _base_without_marker(optimizer: Any, value: float, number: int, position: int, once: OnceWarnings) -> float:
    if optimizer.state:
        raise SchedulerError(
            f"group {number} holds the rate {value:g} after {position} updates, which may have decayed, and no "
            f"initial_lr says where it began: {BASE_CURES}"
        )
    if not is_default(optimizer, value):
        once.defer(
            f"the plan scales the present rate of group {number}, {value:g}; if that has decayed in the {position} "
            f"updates before, {BASE_CURES}",
            "GP721",
        )
    return value


def _defer_doubt(
    optimizer: Any, value: float, number: int, hyperparameter: Hyperparameter, position: int, once: OnceWarnings
) -> None:
    """Warn about the base of another hyperparameter than the rate, unless it is the optimizer's default."""
    if not is_default(optimizer, value, hyperparameter):
        name = str(hyperparameter)
        cure = "build the scheduler before the optimizer is loaded, or load the scheduler's own saved state"
        if hyperparameter.index is None:
            cure = f"call rebase({name}=...), {cure}"
        once.defer(
            f"the plan of {name} scales the present value of group {number}, {value:g}, and no "
            f"{initial_key(hyperparameter)} says where it began; if it has changed in the {position} updates before, "
            f"{cure}",
            "GP721",
        )


def is_default(optimizer: Any, value: float, hyperparameter: Hyperparameter = RATE) -> bool:
    """Return whether a value is the one that the optimizer was built with."""
    defaults = getattr(optimizer, "defaults", {})
    default = hyperparameter.get(defaults) if hyperparameter.key in defaults else None
    return default is not None and not isinstance(default, bool) and math.isclose(float(default), value, rel_tol=SAME)


def read_bases(base: Any, present: Sequence[float]) -> list[float]:
    """Return the bases that the argument `base` describes.

    Args:
        base: one number for the group with the highest rate, the others keep their ratio to it; or one for each group.
        present: the rates of the groups.

    Raises:
        SchedulerError: if there is not one for each group.
    """
    if isinstance(base, (list, tuple)):
        if len(base) != len(present):
            raise SchedulerError(f"base has {len(base)} numbers for {len(present)} groups: give one for each")
        return [real(value, "base", at_least=0) for value in base]
    highest = max(present)
    new = real(base, "base", above=0)
    if not highest > 0:
        raise SchedulerError("every group has the rate 0, and 0 keeps no ratio: give base=[...], one for each group")
    return [new * (rate / highest) for rate in present]


def late_base(
    rate: float, now: float, highest: float, *, default: bool, late: Late | None, number: int, once: OnceWarnings
) -> float:
    """Return the base of a group that joins while the scheduler runs.

    A rate that is the optimizer's default is a base. Any other is what the next update is to use, as PyTorch's
    chainable schedulers read it, so its base is rate / plan(k), unless that would exceed every other base.

    Args:
        rate: of the group.
        now: the plan's value at the update to come.
        highest: the highest base of the other groups.
        default: whether the rate is the optimizer's default.
        late: "base" or "now", if the user has decided.
        number: of the group.
        once: gives the warning where the two readings differ.
    """
    if late == "base" or rate == 0 or now <= 0 or math.isclose(now, 1.0, rel_tol=SAME):
        return rate
    scaled = rate / now
    if late == "now":
        return scaled
    if default:
        return rate
    base = scaled if scaled <= highest * (1 + SAME) else rate
    meaning = f"the next update uses it (base {base:g})" if base != rate else f"it is the base (next: {rate * now:g})"
    once.warn(
        f"group {number} joined with the rate {rate:g}, and {meaning}; to decide, give Scheduler(late="
        '"now") for the rate of its first update, or late="base" for what its plan scales',
        "GP726",
    )
    return base
