"""The number of updates that an optimizer has made, by its own count.

Most optimizers count: Adam and its kin keep "step" for each parameter (a number, or a tensor where it is fused,
capturable or 8-bit), others in the group. Plain SGD, Lion and Muon do not count at all.
"""

from collections.abc import Iterator
from typing import Any

from torch import Tensor, stack

SKIPS = 0.05  # of the updates made: more than a GradScaler skips
PROOF = 100  # updates from which a count that is nearly the same proves the unit

NAMES = ("step", "k")  # of counts; "k" is that of Prodigy, D-Adaptation and the schedule-free optimizers


def updates_in(optimizer: Any) -> int | None:
    """Return the largest count of updates in an optimizer's state; None if it keeps no count.

    Args:
        optimizer: of PyTorch, or a wrapper with its `state` and `param_groups`.
    """
    counts = list(_counts(optimizer))
    tensors = [count.detach().reshape(()) for count in counts if isinstance(count, Tensor)]
    numbers = [float(count) for count in counts if not isinstance(count, Tensor)]
    for device in {tensor.device for tensor in tensors}:  # read once from each device
        numbers.append(float(stack([tensor.double() for tensor in tensors if tensor.device == device]).max()))
    return int(max(numbers)) if numbers else None


def counts_updates(steps: int, updates: int) -> bool:
    """Return whether the steps of a scheduler count updates: as many, one fewer, or some more that were skipped.

    Examples:
        >>> counts_updates(1000, 1000), counts_updates(1004, 1000), counts_updates(10, 1000)
        (True, True, False)
    """
    more = steps - updates
    return more == 0 or (updates >= PROOF and -1 <= more <= SKIPS * updates)


def _counts(optimizer: Any) -> Iterator[Any]:
    """Yield the counts under the first name that the optimizer uses."""
    states = [state for state in optimizer.state.values() if isinstance(state, dict)]
    places = [*states, *(optimizer.param_groups if states else ())]  # a fresh group's count is a default
    for name in NAMES:
        counts = [place[name] for place in places if _is_number(place.get(name))]
        if counts:
            yield from counts
            return


def _is_number(value: Any) -> bool:
    if isinstance(value, Tensor):
        return value.numel() == 1 and not value.is_meta
    return isinstance(value, (int, float)) and not isinstance(value, bool)
