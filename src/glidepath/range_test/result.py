"""The result of a sweep: `analyze_sweep` smooths its losses, applies every rule, and says which result not to trust.

The end of a sweep, where the loss is above that of its beginning, is left out: training has diverged there, and its
heights would decide how everything else is smoothed. Intervals come from a wild bootstrap: the smoothed curve, with
the sign of every residual drawn anew, is smoothed again, and every rule applied to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, final

import numpy as np
from numpy.typing import ArrayLike

from glidepath.errors import RunError
from glidepath.runs.run import FloatArray, row_of

from .smoothing import smoother
from .suggestions import RULES, Suggestion

Ending = Literal["swept", "diverged", "not finite"]

RESAMPLES = 200
LEVEL = 0.9
FEWEST = 20  # losses that determine a curve
WIDEST = 10.0  # an interval that spans a greater factor says nothing
CLEAR = 4.0  # standard errors of the smoothed curve that a fall must have
WINDOW = 5  # losses; a single loss says little
EDGE = 0.05  # of the sweep: a fall so near to its ends may go on beyond them


@final
@dataclass(frozen=True, eq=False)
class RangeTest:
    """A sweep of the rate, and the rates that it suggests.

    Args:
        rates: of every update, the highest of any group, evenly spaced in their logarithm; shape (n,).
        losses: of every update; shape (n,).
        ended: whether the sweep was complete, or stopped at a loss that diverged or was not finite.
        smoothed: the losses smoothed, up to where training diverged; shape (m,), m <= n.
        suggestions: by the name of their rule.
        doubts: why no suggestion can be trusted; empty if one can.

    Examples:
        >>> rates = np.geomspace(1e-6, 1, 121)
        >>> result = analyze_sweep(rates, 2 - 1 / (1 + (1e-3 / rates) ** 2) + (rates / 0.1) ** 4)
        >>> f"{result['steepest'].rate:.1e}", result.doubts
        ('1.0e-03', ())
    """

    rates: FloatArray
    losses: FloatArray
    ended: Ending
    smoothed: FloatArray
    suggestions: Mapping[str, Suggestion]
    doubts: tuple[str, ...]

    def __getitem__(self, rule: str) -> Suggestion:
        if rule not in self.suggestions:
            raise RunError(f"{rule!r} is not a suggestion", choices=list(self.suggestions))
        return self.suggestions[rule]

    def __bool__(self) -> bool:
        return any(self.suggestions.values())

    def __str__(self) -> str:
        lines = [
            f"{name}: {suggestion.rate:.2e} ({suggestion.low:.1e} to {suggestion.high:.1e})"
            f"{suggestion.doubt and ', ' + suggestion.doubt}"
            for name, suggestion in self.suggestions.items()
        ]
        return "\n".join([*lines, *self.doubts])


def analyze_sweep(rates: ArrayLike, losses: ArrayLike, ended: Ending = "swept", *, seed: int = 0) -> RangeTest:
    """Smooth the losses of a sweep, and return the rates that every rule suggests, with their intervals and doubts.

    Args:
        rates: above zero, evenly spaced in their logarithm, rising; shape (n,), n at least 20.
        losses: of the updates at these rates; shape (n,).
        ended: why the sweep ended.
        seed: of the resampling.

    Raises:
        RunError: if these are not the losses of such a sweep.
    """
    sweep = _Sweep(row_of("the sweep", "rates", rates), row_of("the sweep", "losses", losses))
    doubts = _doubts(sweep, ended)
    resamples = sweep.resample(seed)
    suggestions = {name: _suggestion(sweep, name, resamples, doubts) for name in RULES}
    if not any(suggestions.values()) and not doubts:
        doubts = ("every suggestion is doubtful: sweep in more updates, or with larger batches",)
    return RangeTest(sweep.rates, sweep.losses, ended, sweep.smoothed, suggestions, doubts)


@final
@dataclass(frozen=True, eq=False)
class _Sweep:
    """The losses of a sweep, up to where training diverged, and their smoothing."""

    rates: FloatArray
    losses: FloatArray

    def __post_init__(self) -> None:
        if len(self.rates) != len(self.losses):
            raise RunError(f"{len(self.rates)} rates and {len(self.losses)} losses: every update has both")
        if len(self.rates) < FEWEST:
            raise RunError(
                f"{len(self.rates)} updates before the loss diverged are too few to determine a curve (at least "
                f"{FEWEST}): begin at a lower rate, or sweep in more updates"
            )
        if not (np.isfinite(self.losses).all() and np.isfinite(self.rates).all() and (self.rates > 0).all()):
            raise RunError("rates are above zero, and losses are finite: leave out everything after a loss that is not")
        steps = np.diff(np.log(self.rates))
        if not (steps > 0).all() or not np.allclose(steps, steps.mean(), rtol=1e-3):
            raise RunError("the rates of a sweep rise evenly in their logarithm, as np.geomspace(1e-7, 10, 200) does")

    @cached_property
    def noise(self) -> float:
        """Return the standard deviation of a loss around its neighbors, robust to a few jumps."""
        return float(np.median(np.abs(np.diff(self.losses)))) * 1.4826 / 2**0.5

    @cached_property
    def start(self) -> float:
        """Return the loss before anything is learned."""
        return float(max(np.median(self.losses[:5]), np.median(self.losses[: max(5, len(self.losses) // 10)])))

    @cached_property
    def kept(self) -> int:
        """Return the number of losses before most neighbors are higher than at the beginning."""
        around = np.pad(self.losses, WINDOW // 2, mode="edge")
        medians = np.median(np.lib.stride_tricks.sliding_window_view(around, WINDOW), axis=1)
        below = np.flatnonzero(medians <= self.start + 3 * self.noise)
        return max(FEWEST, int(below[-1]) + 1)

    @cached_property
    def places(self) -> FloatArray:
        """Return the log10 of the rates of the kept losses."""
        return np.log10(self.rates[: self.kept])

    @cached_property
    def clipped(self) -> FloatArray:
        """Return the kept losses, without peaks above the beginning."""
        return np.minimum(self.losses[: self.kept], self.start + 3 * self.noise)

    @cached_property
    def _fitted(self) -> tuple[FloatArray, float]:
        smooth, parameters = smoother(self.kept)(self.clipped[None])
        return smooth[0], float(parameters[0])

    @property
    def smoothed(self) -> FloatArray:
        return self._fitted[0]

    @cached_property
    def residuals(self) -> FloatArray:
        """Return the residuals, scaled up to the noise: the smoothed curve has absorbed a share of it."""
        smooth, parameters = self._fitted
        residuals: FloatArray = (self.clipped - smooth) * (self.kept / (self.kept - parameters)) ** 0.5
        return residuals

    @property
    def error(self) -> float:
        """Return the standard error of the smoothed curve, on average."""
        return float(np.std(self.residuals) * np.sqrt(self._fitted[1] / self.kept))

    def resample(self, seed: int) -> FloatArray:
        """Return smoothed curves of resampled losses, shape (RESAMPLES, kept)."""
        signs = np.random.default_rng(seed).choice((-1.0, 1.0), (RESAMPLES, self.kept))
        return smoother(self.kept)(self.smoothed + signs * self.residuals)[0]


def _suggestion(sweep: _Sweep, name: str, resamples: FloatArray, doubts: tuple[str, ...]) -> Suggestion:
    rule = RULES[name]
    low, high = np.quantile([rule(sweep.places, row) for row in resamples], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    rate = rule(sweep.places, sweep.smoothed)
    low, high = min(low, rate), max(high, rate)
    return Suggestion(10**rate, float(10**low), float(10**high), _doubt(sweep, name, rate, 10 ** (high - low), doubts))


def _doubt(sweep: _Sweep, name: str, place: float, factor: float, doubts: tuple[str, ...]) -> str:
    if doubts:
        return doubts[0]
    if factor > WIDEST:
        return f"known within a factor of {factor:.0f} only: sweep in more updates, or with larger batches"
    if place < sweep.places[0]:
        return "below the sweep"
    if name == "minimum/10" and sweep.smoothed.argmin() > (1 - EDGE) * sweep.kept and sweep.kept == len(sweep.rates):
        return "the loss still fell at the highest rate: raise `high`"
    return ""


def _doubts(sweep: _Sweep, ended: Ending) -> tuple[str, ...]:
    """Return the reasons against every suggestion."""
    smooth, doubts = sweep.smoothed, []
    fall = sweep.start - float(smooth.min())
    if fall < CLEAR * sweep.error:
        doubts.append(
            f"the loss hardly fell, by {max(fall, 0.0):.3g} where the curve is known to {sweep.error:.2g}: sweep "
            "higher, in more updates, or check that the model learns at all"
        )
    elif np.gradient(smooth).argmin() < EDGE * len(smooth):
        doubts.append("the loss fell fastest where the sweep began: lower `low`")
    elif ended == "swept" and np.gradient(smooth).argmin() >= (1 - EDGE) * len(smooth) - 1:
        doubts.append("the loss fell fastest where the sweep ended: raise `high`")
    return tuple(doubts)
