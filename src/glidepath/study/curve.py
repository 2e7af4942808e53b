"""What training leaves: a record for every update, and the curve of a run."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:  # a curve is read without PyTorch, which the plans of a run need
    from .spec.runs import Run


@final
@dataclass(frozen=True)
class Record:
    """One update: the rate it used, the loss it saw, and the metrics measured after it (often none)."""

    step: int
    rate: float
    loss: float
    metrics: Mapping[str, float] = field(default_factory=dict)


def same(one: float, other: float) -> bool:
    """Whether two losses or metrics are equal; NaN equals NaN."""
    return one == other or (math.isnan(one) and math.isnan(other))


@final
@dataclass(frozen=True)
class Curve:
    """A finished run. A run whose loss stops being finite ends there and has no final metrics."""

    run: "Run"
    peak: float
    records: tuple[Record, ...]

    @property
    def diverged(self) -> bool:
        """Whether the loss stopped being a finite number."""
        return not math.isfinite(self.records[-1].loss)
