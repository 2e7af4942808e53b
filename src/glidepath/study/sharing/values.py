"""The values that the optimizer of a run really receives, bit for bit: a row for each update.

A row holds the rate of every parameter group, and the other hyperparameters that the run's schedules drive, each
rounded to the type that the optimizer holds it in (a rate may be a float32 tensor). The scheduler's own arithmetic
computes it, base * plan(k). The rows of a plateau can be computed as far as its next evaluation.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from glidepath.errors import TaskError
from glidepath.study.spec.runs import StudyRun
from glidepath.torch import Plateau
from glidepath.torch.bound_schedule import BoundSchedule
from glidepath.torch.hyperparameter import Group, Hyperparameter
from glidepath.torch.targets import read_targets

from .state_key import StateKeys
from .tree import UpdatePath

WIDEST = 8  # numbers of a row that are compared as they are; wider rows are compared by their hash
RATE = Hyperparameter("lr")

ValueMatrix = NDArray[np.float64]  # updates x slots


class Slot(NamedTuple):
    """One hyperparameter of one parameter group."""

    hyperparameter: Hyperparameter
    group: int


@final
class RunValues:
    """The rows of one run, as far as they can be computed.

    Args:
        run: the run.
        groups: the parameter groups of the task's optimizer, without their parameters.
        origin: the key of where training begins.
        consults: the updates after which a plateau is consulted, in order.
    """

    def __init__(self, run: StudyRun, groups: Sequence[Group], origin: str, consults: Sequence[int]) -> None:
        self.run = run
        self.groups, self.peak = scale_to_peak(groups, run.peak)
        self._lanes = _lanes(run, self.groups)
        self.slots = _slots(self._lanes, self.groups)
        width = 8 * len(self.slots) if len(self.slots) <= WIDEST else 16
        names = ",".join(f"{slot.hyperparameter}/{slot.group}" for slot in self.slots)
        self.path = UpdatePath(f"{origin}:{names}", width, bytearray())
        self.state_keys = StateKeys(self.path)
        self._matrix = np.empty((run.horizon, len(self.slots)))
        self._simulator = PlateauSimulator(run, self.groups, consults) if run.plan is None else None
        self._append(self._plan_values() if self._simulator is None else self._simulator.next_rows())

    def matrix(self, start: int, stop: int) -> ValueMatrix:
        """Return the values of updates start..stop-1, all of them resolved, with a column for every slot."""
        return self._matrix[start:stop]

    @property
    def resolved_steps(self) -> int:
        """Return the number of updates whose values are resolved."""
        return self.path.steps

    @property
    def complete(self) -> bool:
        """Return whether the values of all updates are resolved."""
        return self.resolved_steps == self.run.horizon

    def consult(self, metric: float) -> None:
        """Take the evaluation after the last resolved update, which resolves a plateau's next updates."""
        if self._simulator is not None:
            self._append(self._simulator.consult(metric))

    def _append(self, matrix: ValueMatrix) -> None:
        self._matrix[self.resolved_steps : self.resolved_steps + len(matrix)] = matrix
        self.path.rows.extend(_bytes(matrix))  # type: ignore[union-attr]  # it was created as a bytearray

    def _plan_values(self) -> ValueMatrix:
        driven = {
            (str(lane.target.hyperparameter), id(group)): column
            for lane in self._lanes
            for group, column in zip(
                [slot.group for slot in lane.slots], lane.columns(0, self.run.horizon), strict=True
            )
        }
        columns = [
            _round_like(
                slot.hyperparameter.get(group), driven.get((str(slot.hyperparameter), id(group))), self.run.horizon
            )
            for slot, group in ((slot, self.groups[slot.group]) for slot in self.slots)
        ]
        return np.stack(columns, axis=1)


@final
class PlateauSimulator:
    """A plateau that drives a stand-in for the optimizer: the same rates, nothing to train."""

    def __init__(self, run: StudyRun, groups: Sequence[Group], consults: Sequence[int]) -> None:
        keywords: dict[str, Any] = dict(run.plateau or {})
        Plateau(_stand_in(groups), **keywords).step(1.0)  # an argument may be wrong only when it is used
        self.optimizer = _stand_in(groups)
        self.plateau = Plateau(self.optimizer, **keywords)
        self.rates: list[list[float]] = []
        self.optimizer.register_step_pre_hook(lambda *_: self.rates.append(self.plateau.rates()))
        self.stops = [*(update + 1 for update in consults if update + 1 < run.horizon), run.horizon]
        self.updates = 0

    def consult(self, metric: float) -> ValueMatrix:
        """Return the rows from an evaluation to the next one."""
        self.plateau.step(metric)
        return self.next_rows()

    def next_rows(self) -> ValueMatrix:
        """Return the rows as far as the next evaluation."""
        stop = next((stop for stop in self.stops if stop > self.updates), self.updates)
        for _ in range(self.updates, stop):
            self.optimizer.step()
        first, self.updates = self.updates, stop
        return np.array(self.rates[first:stop]).reshape(stop - first, -1)


def _stand_in(groups: Sequence[Group]) -> torch.optim.Optimizer:
    """Build an optimizer with copies of these rates, and next to nothing to update."""
    rates = (rate.clone() if isinstance(rate, Tensor) else rate for rate in (group["lr"] for group in groups))
    return torch.optim.SGD([{"params": [nn.Parameter(torch.zeros(1))], "lr": rate} for rate in rates], lr=1.0)


def scale_to_peak(groups: Sequence[Group], peak: float | None) -> tuple[list[Group], float]:
    """Return the groups with their rates scaled so that the largest is `peak`, and that largest rate."""
    largest = max(float(group["lr"]) for group in groups)
    if peak is None:
        return [dict(group) for group in groups], largest
    if largest <= 0:
        raise TaskError(f"a peak of {peak:g} cannot scale an optimizer whose largest rate is {largest:g}")
    return [group | {"lr": _like(group["lr"], peak * (float(group["lr"]) / largest))} for group in groups], peak


def _like(rate: Any, value: float) -> Any:
    return rate.new_tensor(value) if isinstance(rate, Tensor) else value


def _lanes(run: StudyRun, groups: Sequence[Group]) -> list[BoundSchedule]:
    if run.plan is None:
        return []
    lanes = [BoundSchedule(target) for target in read_targets(run.plan, None, None)]
    for lane in lanes:
        for number, group in enumerate(groups):
            if lane.target.selects(group):
                lane.add_group(group, number)
        if not lane.slots:
            raise TaskError(f"{run.schedule}: no parameter group of the task is called {lane.target.selector!r}")
    return lanes


def _slots(lanes: Sequence[BoundSchedule], groups: Sequence[Group]) -> list[Slot]:
    """Return the rates of all groups first, then all else that is driven, in the order of names and groups."""
    others = {
        (str(lane.target.hyperparameter), number): lane.target.hyperparameter
        for lane in lanes
        for number, group in enumerate(groups)
        if lane.target.hyperparameter != RATE and lane.slot_of(group) is not None
    }
    rates = [Slot(RATE, number) for number in range(len(groups))]
    return rates + [Slot(hyperparameter, number) for (_, number), hyperparameter in sorted(others.items())]


def _round_like(current: Any, column: list[float] | None, steps: int) -> NDArray[np.float64]:
    """Return a column in the precision of what the optimizer holds; a value that no plan drives stays as it is."""
    values = np.full(steps, float(current)) if column is None else np.array(column)
    if len(values) < steps:
        raise TaskError(f"a value of update {len(values)} is not finite")
    if not isinstance(current, Tensor):
        return values
    return torch.from_numpy(values).to(current.dtype).double().numpy()


def _bytes(matrix: ValueMatrix) -> bytes:
    rows = np.ascontiguousarray(matrix)
    if matrix.shape[1] <= WIDEST:
        return rows.tobytes()
    return b"".join(hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in rows)
