"""The outcome of a screening for one schedule of a study."""

from dataclasses import dataclass
from typing import Literal, NamedTuple, final

Role = Literal["to fit", "to confirm", "not predictable", "left out"]


class PredictedLoss(NamedTuple):
    """A predicted last loss, with its 90% interval."""

    loss: float
    low: float
    high: float


@final
@dataclass(frozen=True)
class ScreeningRow:
    """A schedule: its predicted loss, and the loss that training showed.

    Args:
        schedule: its name.
        role: why it was trained (the laws are fitted to it, or it was promising), or that it was left out.
        predicted: the last prediction before it was trained; None if there is none.
        measured: the mean of its last losses over the seeds, if it was trained; infinite if a run diverged.
    """

    schedule: str
    role: Role
    predicted: PredictedLoss | None
    measured: float | None
