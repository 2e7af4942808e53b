"""What training leaves: a record for every update, and the curve of a run."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # a curve is read without PyTorch, which the plans of a run need
    from .spec.runs import StudyRun


@final
@dataclass(frozen=True)
class Record:
    """One update: the rate it used, the loss of its batch, and the metrics measured after it (often none)."""

    step: int
    rate: float
    loss: float
    metrics: Mapping[str, float] = field(default_factory=dict)


class MetricCurve(NamedTuple):
    """The evaluations of one metric during a run.

    Args:
        updates: (E,) how many updates had been made at each evaluation.
        values: (E,) of the metric.
    """

    updates: NDArray[np.int64]
    values: NDArray[np.float64]


def same(first: float, second: float) -> bool:
    """Return whether two losses or metrics are equal; NaN equals NaN."""
    return first == second or (math.isnan(first) and math.isnan(second))


@final
@dataclass(frozen=True)
class Curve:
    """A finished run. A run whose loss stops being finite ends there and has no final metrics.

    Args:
        run: schedule, horizon, peak and seed.
        peak: the largest rate of the optimizer's groups, where the schedule is 1.
        records: one for each update.

    Examples:
        >>> curve = Curve(None, 0.1, (Record(0, 0.1, 2.5), Record(1, 0.05, 1.5, {"validation_loss": 2.0})))
        >>> curve.losses.tolist(), curve.metrics["validation_loss"].updates.tolist()
        ([2.5, 1.5], [2])
    """

    run: "StudyRun"
    peak: float
    records: tuple[Record, ...]

    @property
    def diverged(self) -> bool:
        """Return whether the loss stopped being a finite number."""
        return not math.isfinite(self.records[-1].loss)

    @cached_property
    def rates(self) -> NDArray[np.float64]:
        """Return the rate that each update used, (T,); of several groups the largest."""
        return np.array([record.rate for record in self.records])

    @cached_property
    def losses(self) -> NDArray[np.float64]:
        """Return the training loss of each update, (T,)."""
        return np.array([record.loss for record in self.records])

    @cached_property
    def metrics(self) -> dict[str, MetricCurve]:
        """Return the evaluations, by the name of the metric; the first metric ranks."""
        names = dict.fromkeys(name for record in self.records for name in record.metrics)
        return {name: self._metric(name) for name in names}

    @property
    def final_metrics(self) -> Mapping[str, float]:
        """Return the metrics after the last update, the one that ranks first; none if the run diverged."""
        return {} if self.diverged else self.records[-1].metrics

    def _metric(self, name: str) -> MetricCurve:
        records = [record for record in self.records if name in record.metrics]
        updates = np.array([record.step + 1 for record in records])
        return MetricCurve(updates, np.array([record.metrics[name] for record in records]))
