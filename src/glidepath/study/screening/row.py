"""What became of one schedule of a study that was screened."""

from dataclasses import dataclass
from typing import Literal, final

from glidepath.law.advising.advice import RankedSchedule

Role = Literal["to tell", "to confirm", "not predictable", "left out"]


@final
@dataclass(frozen=True)
class ScreeningRow:
    """A schedule: what was predicted of it, and what was found.

    Args:
        schedule: its name.
        role: why it was trained, or that it was left out.
        predicted: what was predicted of it last, before it was trained; None if nothing was.
        found: its mean over the seeds, if it was trained; infinite if a run diverged.
    """

    schedule: str
    role: Role
    predicted: RankedSchedule | None
    found: float | None
