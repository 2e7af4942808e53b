"""Which update comes next, for a `Recorder`: by a scheduler's count, or by the optimizer's own."""

from collections.abc import Sequence
from typing import Any

from glidepath.errors import Argument, Cure, GlidepathError

from .clock import clocks_of
from .record_file import RecordFile
from .update_counts import updates_in


def count_updates(members: Sequence[Any]) -> int | None:
    """Return the number of updates that a chain of optimizers has made; None if nothing counts them."""
    positions = [clock.position for member in members for clock in clocks_of(member)]
    return positions[0] if positions else updates_in(members[-1])


def refuse_rows(file: RecordFile) -> None:
    """Check that a file has no rows, where nothing tells which of them the run makes anew.

    Raises:
        GlidepathError: if it has some.
    """
    updates = file.updates()
    if updates:
        raise GlidepathError(
            f"{file.path} has the updates to {updates - 1:,}, and nothing tells which one comes next: this optimizer "
            "has counted none",
            cures=[
                Cure("go on", Argument("start", updates)),
                Cure("begin anew, and keep the rows in a file beside it", Argument("start", 0)),
            ],
        )
