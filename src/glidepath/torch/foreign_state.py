"""The states of other schedulers: PyTorch's, Transformers', timm's, and those of the drop-in.

They count calls of their `step()`, which are updates in one script and epochs in the next. `last_epoch` is taken for
the position where the optimizer's own count (`update_counts.py`), or the trainer's, proves that it counts updates.

The way back: `foreign_keys` are what PyTorch's classes look for when they load a state of `Scheduler`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from glidepath.core.checks import MAX_STEPS
from glidepath.errors import Argument, Cure, StateError
from glidepath.warn import warn_caller

from .update_counts import counts_updates
from .update_counts import updates_in as updates_in

METRIC_KEYS = ({"num_bad_epochs"}, {"num_good_epochs"}, {"best", "last_epoch"})  # keys of those that follow a metric
FIRST_VERSION = 1  # of our own states; a last_epoch beside it is what PyTorch's partial load of a checkpoint left there
KINDS = {"last_epoch", "_schedulers", "lr_schedulers", "base_values"}  # keys of which other schedulers have one


@final
@dataclass(frozen=True)
class Foreign:
    """What the state of another scheduler says.

    Args:
        position: updates made.
        bases: the base rate of each group; None if the state has none.
        said: a sentence for the user: what is taken over, and what proves it.
    """

    position: int
    bases: list[float] | None
    said: str


def is_foreign(state: Any) -> bool:
    """Return whether a state is that of another scheduler, or one of `Scheduler` that another one has stepped since.

    Examples:
        >>> is_foreign({"last_epoch": 3, "base_lrs": [0.1]}), is_foreign({"position": 3, "last_epoch": 3})
        (True, False)
        >>> is_foreign({"position": 3, "last_epoch": 5})
        True
    """
    if not isinstance(state, Mapping):
        return False
    if "position" in state:  # PyTorch's classes keep and save every key that they load
        steps, position = _as_count(state.get("last_epoch")), _as_count(state["position"])
        return None not in (steps, position) and steps != position and _as_count(state.get("version")) != FIRST_VERSION
    return bool(KINDS & set(state))


def read_foreign(
    state: Mapping[str, Any],
    optimizers: Sequence[Any],
    updates: int | None = None,
    position: int = 0,
    *,
    has_bases: bool = False,
) -> Foreign:
    """Read the position and the base rates of another scheduler's state.

    Args:
        state: what its `state_dict` returned.
        optimizers: those that are scheduled; the first that counts its updates proves the position.
        updates: the count of the trainer, which is the proof where no optimizer counts.
        position: where the scheduler was built, if it has made no update since: it decides where the state cannot.
        has_bases: whether the bases were given in the code, so that those of the state are not needed.

    Raises:
        StateError: if the state has no position in updates, disagrees with the count of updates, or does not fit the
            groups.
    """
    _refuse_kinds(state)
    groups = [group for optimizer in optimizers for group in optimizer.param_groups]
    bases = None if has_bases and "_schedule_phases" in state else _read_bases(state, groups)
    place, reason = _choose_position(_read_last_epoch(state), _find_proof(optimizers, updates), position)
    rates = "" if bases is None else f" with base {', '.join(f'{base:g}' for base in dict.fromkeys(bases))}"
    said = f"resuming from the state of another scheduler at update {place:,}{rates}, by the plan in the code: {reason}"
    return Foreign(place, bases, said)


def warn_if_state_is_missing(optimizer: Any, position: int, *, decayed: bool = False) -> None:
    """Warn about an optimizer that was loaded alone, with another number of updates in it than its scheduler has made.

    Args:
        optimizer: the one that is about to make the first update since.
        position: of its scheduler.
        decayed: whether its rates were those of a later update, which is all that plain SGD shows.
    """
    updates = updates_in(optimizer)
    if position and counts_updates(position, updates or 0):
        return
    if not position and not (optimizer.state or decayed if updates is None else updates):
        return
    before, place = (
        ("the state of an earlier training", "...") if updates is None else (f"{updates:,} updates", updates)
    )
    warn_caller(
        f"the optimizer was loaded with {before} in it, and its scheduler "
        f"{f'goes on at update {position:,}' if position else 'begins at update 0, so the schedule starts again'}: "
        "load the scheduler's state as well, scheduler.load_state_dict(...), or build it with "
        f"Scheduler(..., position={place})",
        "GP733",
    )


def foreign_keys(position: int, bases: Sequence[float], rates: Sequence[float]) -> dict[str, Any]:
    """Return the keys with which PyTorch's classes, and Transformers' LambdaLRs, go on from a state of `Scheduler`.

    Those that compute the rate from `last_epoch` go on right after `load_state_dict`; those that compute it from the
    rate before (CosineAnnealingLR, LinearLR) need the optimizer to hold the rate of `position`, as after `step()`.
    SequentialLR, ChainedScheduler, CyclicLR and OneCycleLR raise a KeyError, and CosineAnnealingWarmRestarts a
    TypeError until it is told where it is, `step(position)`: without an error they would begin anew.

    Args:
        position: updates made.
        bases: the base rate of each group.
        rates: the rate of each group now.
    """
    return {
        "last_epoch": position,
        "base_lrs": list(bases),
        "lr_lambdas": [None] * len(bases),
        "_last_lr": list(rates),
        "_step_count": position + 1,
        "T_cur": None,  # of CosineAnnealingWarmRestarts, whose cycles are not known here
    }


# --- the position ---


@final
@dataclass(frozen=True)
class _Proof:
    """A count of updates that does not come from a scheduler."""

    updates: int
    owner: str

    def __str__(self) -> str:
        return f"{self.owner} has made {self.updates:,}"


def _find_proof(optimizers: Sequence[Any], updates: int | None) -> _Proof | None:
    counts = [count for count in map(updates_in, optimizers) if count]
    if counts:
        return _Proof(counts[0], "the optimizer")
    return _Proof(updates, "the trainer") if updates else None


def _choose_position(steps: int | None, proof: _Proof | None, position: int) -> tuple[int, str]:
    """Return the position to resume at, and the reason."""
    if proof is not None:
        if steps is not None and counts_updates(steps, proof.updates):
            return max(steps, proof.updates), f"{proof} updates"
        if (position and counts_updates(position, proof.updates)) or steps is None:
            return max(position, proof.updates), f"{proof} updates, whatever the state counted"
        raise StateError(
            f"last_epoch of this state is {steps:,}, and {proof} updates, so it counted something else (epochs, or "
            "batches)",
            cures=[Cure("build the scheduler with the updates made", Argument("position", proof.updates))],
        )
    if position:
        return position, "position= says so"
    if steps is None:
        raise StateError(
            "this state has no position, and the optimizer counts no updates",
            cures=[Cure("build the scheduler with the updates made", Argument("position", 1000))],
        )
    return steps, (
        "last_epoch is taken for updates, and nothing proves it, as the optimizer holds no count of them; if it "
        "counted epochs, build the scheduler with Scheduler(..., position=) and load again; if the optimizer counts, "
        "load its state first"
    )


def _refuse_kinds(state: Mapping[str, Any]) -> None:
    """Raise for states that have no position at all."""
    if "lr_schedulers" in state and "last_epoch" not in state:
        raise StateError("this is a whole checkpoint", cures=[Cure('give checkpoint["lr_schedulers"][0]')])


def _follows_metric(state: Mapping[str, Any]) -> bool:
    """Return whether a state is that of a scheduler that follows a metric, and counts its evaluations."""
    return "base_lrs" not in state and any(keys <= set(state) for keys in METRIC_KEYS)


def _read_last_epoch(state: Mapping[str, Any]) -> int | None:
    """Return how often a scheduler was stepped; None where it does not say: timm's, and those that follow a metric."""
    if _follows_metric(state):
        return None
    if "last_epoch" not in state:
        if "base_values" in state:
            return None
        return _read_last_epoch(_first_member(state))
    steps = _as_count(state["last_epoch"])
    if steps is None:
        raise StateError(f"last_epoch of this state is {state['last_epoch']!r}, not a count of steps")
    return steps


def _as_count(value: Any) -> int | None:
    """Return a number or a tensor as a count; None if it is not one."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):  # the last is that of a tensor of several elements
        return None
    return int(number) if number.is_integer() and 0 <= number <= MAX_STEPS else None


def _first_member(state: Mapping[str, Any]) -> Mapping[str, Any]:
    members = state.get("_schedulers")
    if isinstance(members, Sequence) and members and isinstance(members[0], Mapping):
        return members[0]
    raise StateError("this state has no last_epoch: it is damaged")


# --- bases ---


def _read_bases(state: Mapping[str, Any], groups: Sequence[Mapping[str, Any]]) -> list[float] | None:
    """Return what the schedule of each group is a ratio of.

    Raises:
        StateError: if these are not as many rates as there are groups.
    """
    rates = _find_bases(state, groups)
    if rates is None:
        return None
    try:
        bases = [float(rate) for rate in rates]
    except (TypeError, ValueError, OverflowError, RuntimeError):
        bases = [math.nan]
    if not all(math.isfinite(base) and base >= 0 for base in bases):
        raise StateError(f"the base rates of this state are {rates!r}, not finite numbers of at least 0")
    if len(bases) != len(groups):
        raise StateError(
            f"this state has {len(bases)} base rates, and the optimizer {len(groups)} groups: add the missing groups "
            "before loading"
        )
    return bases


def _find_bases(state: Mapping[str, Any], groups: Sequence[Mapping[str, Any]]) -> Any:
    if "_schedule_phases" in state:  # OneCycleLR keeps its peak in the optimizer alone
        if not all("max_lr" in group for group in groups):
            raise StateError(
                "the peak of OneCycleLR is in the optimizer's state alone (max_lr), and not in this one: load the "
                "state of the optimizer first, or build the scheduler with its peak",
                cures=[Cure("what the plan scales", Argument("base", 0.1))],
            )
        return [group["max_lr"] for group in groups]
    for key in ("max_lrs", "base_values", "base_lrs"):
        if key in state:
            return state[key]
    return _find_bases(_first_member(state), groups) if "_schedulers" in state else None
