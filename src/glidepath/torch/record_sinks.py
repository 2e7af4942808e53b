"""Where a `Recorder` writes besides its file: TensorBoard writers and W&B runs, or what has their methods.

Both get the index of the update as the step; an evaluation, the number of updates made.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from glidepath.errors import Cure, GlidepathError

Sink = Callable[[int, Mapping[str, Any]], None]  # of a step, and the numbers and texts by their names


def build_sinks(to: Any) -> list[Sink]:
    """Return a sink for each writer.

    Args:
        to: a `SummaryWriter`, which has `add_scalar`; a run of W&B, which has `log`; or several of them.

    Raises:
        GlidepathError: if one has neither method.
    """
    writers = to if isinstance(to, Sequence) else [] if to is None else [to]
    return [_build_sink(writer) for writer in writers]


def _build_sink(writer: Any) -> Sink:
    if callable(getattr(writer, "add_scalar", None)):
        return lambda step, values: _add_scalars(writer, step, values)
    if callable(getattr(writer, "log", None)):
        return lambda step, values: writer.log({**values, "global_step": step})
    raise GlidepathError(
        f"to= has no add_scalar() and no log(): {writer!r:.60}", cures=[Cure("give a SummaryWriter or a run of W&B")]
    )


def _add_scalars(writer: Any, step: int, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if isinstance(value, (int, float)):
            writer.add_scalar(name, value, step)
