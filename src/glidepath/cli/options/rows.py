"""The options that say what the rows of a log mean, the same for a review and for every command that learns from runs.

They need nothing but Python, since a review before a run reads no log.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from cyclopts import Parameter


@Parameter(name="*")
@dataclass(frozen=True)
class Rows:
    """What the rows of a log mean."""

    column: Annotated[
        list[str] | None,
        Parameter(negative=(), help="What a column, a tag or a metric is called: step=it, rate=eta or loss=val."),
    ] = None
    count: Annotated[
        Literal["auto", "updates made", "index of the update"] | None,
        Parameter(help="What a logged step means; found out without it, and said."),
    ] = None
    updates_per_epoch: Annotated[int | None, Parameter(help="Of a log whose rows are epochs.")] = None
    pattern: Annotated[
        str | None,
        Parameter(help='A printed line as a regular expression: "it (?P<step>\\d+) lr (?P<rate>\\S+) (?P<loss>\\S+)".'),
    ] = None


DEFAULT_ROWS = Rows()
