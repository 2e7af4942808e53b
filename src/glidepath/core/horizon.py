"""Horizons: how long a run is, and what its epochs and tokens are worth.

A border duration (5%, 3ep, 2Btok) over a horizon is an exact ratio of steps; whole plans are resolved in
`resolve.py`.
"""

from dataclasses import dataclass
from typing import Any, cast, final

from glidepath.errors import HorizonError

from .arguments import check_fields
from .checks import count
from .duration import Duration, read_duration


@final
@check_fields
@dataclass(frozen=True)
class Horizon:
    """How long a run is, and what its epochs and tokens are worth.

    Args:
        steps: optimizer updates in the run; also "10k", or "20ep" and "2Btok" where the rates below are given.
        steps_per_epoch: updates in an epoch, needed by plans that use "3ep".
        tokens_per_step: tokens in an update, needed by plans that use "2Btok".

    Raises:
        ScheduleError: if a count is not a positive whole number.

    Examples:
        >>> Horizon(10_000, steps_per_epoch=100).in_steps("3ep")
        300
    """

    steps: int
    steps_per_epoch: int | None = None
    tokens_per_step: int | None = None

    def __post_init__(self) -> None:
        for name in ("steps_per_epoch", "tokens_per_step"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, count(_read_count(value), name, at_least=1))
        steps = read_duration(self.steps) if isinstance(self.steps, str) else self.steps
        if isinstance(steps, Duration):
            if steps.unit == "%":
                raise HorizonError(f"a horizon cannot be {steps} of itself: give it in steps, epochs or tokens")
            steps = round_half_up(*self.ratio(steps))
        object.__setattr__(self, "steps", count(steps, "the horizon", at_least=1))

    def ratio(self, duration: Duration) -> tuple[int, int]:
        """Return the number of steps in a duration, exactly: a numerator and a denominator."""
        above = duration.digits * 10 ** max(duration.exponent, 0)
        below = 10 ** max(-duration.exponent, 0)
        if duration.unit == "%":
            return above * self.steps, below * 100
        if duration.unit == "ep":
            return above * self._rate(self.steps_per_epoch, duration, "steps_per_epoch"), below
        return above, below * self._rate(self.tokens_per_step, duration, "tokens_per_step")

    def in_steps(self, duration: str | int | Duration) -> int:
        """Return a duration in steps, rounded half up."""
        length = read_duration(duration) if isinstance(duration, str) else duration
        return round_half_up(*self.ratio(length)) if isinstance(length, Duration) else count(length, "a duration")

    @staticmethod
    def _rate(rate: int | None, duration: Duration, name: str) -> int:
        if rate is None:
            raise HorizonError(f"{duration} needs to know {name}: Horizon(steps, {name}=...)")
        return rate


def as_horizon(horizon: Horizon | int | str) -> Horizon:
    """Return a horizon from a number of steps, or as it is."""
    return horizon if isinstance(horizon, Horizon) else Horizon(cast(int, horizon))


def round_half_up(numerator: int, denominator: int = 1) -> int:
    """Return the nearest whole number to a ratio, halves up."""
    return (2 * numerator + denominator) // (2 * denominator)


def _read_count(value: Any) -> Any:
    return read_duration(value) if isinstance(value, str) else value
