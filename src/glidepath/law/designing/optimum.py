"""The best rates under the noise-floor law, in closed form.

Let x be the progress still to come, from X at the start of the segment to be designed to 0 at its end. The law's last
loss, summed by parts over the whole run, is

    A ((Q + int e^(q-1) dx) / 1000)^-alpha + B [H(X) + int_0^X e^kappa g(x) dx],   g = G'

with Q the powered progress before the segment and H(X) the noise that what came before it leaves. The segment takes
int_0^X dx / e updates. For a multiplier lambda on that time and mu = -d loss / d Q, the best e at each x is the root of

    B kappa g(x) e^(kappa+1) + mu (1 - q) e^q = lambda

which falls towards the end, since g is largest at x = 0; where the root is above 1, the peak is best. No root has to be
sought: for every e the equation gives g and so x,

    1 + rho x / beta = [B kappa rho e^(kappa+1) / (lambda - mu (1 - q) e^q)]^(1 / (beta+1))

so all integrals are taken over log e, by Gauss and Legendre. What is left is one number, the last rate e_end, which
gives lambda; mu follows from the solution itself. With q = 1 this is

    e = e_end (1 + rho x / beta)^((beta+1) / (kappa+1)).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, final

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from glidepath.law.evaluation.fast_sum import FloatArray
from glidepath.law.evaluation.formula import REFERENCE, Parameters
from glidepath.law.evaluation.timeline import History

POINTS, WEIGHTS = np.polynomial.legendre.leggauss(48)
LOWEST, HIGHEST = -14.0, -1e-6  # of the logarithm of the last rate
ROUNDS = 8  # of mu, at most; three are enough
GRID = 200  # points of the answer
SCAN = 60  # last rates that are tried before a search, where it could end in the wrong minimum


@final
@dataclass(frozen=True)
class Decay:
    """The root of the equation, as a function of the logarithm s of the rate.

    Args:
        parameters: of the law.
        last: the logarithm of the rate at the end.
        mu: the multiplier of the powered progress.
    """

    parameters: Parameters
    last: float
    mu: float

    @cached_property
    def _multiplier(self) -> float:
        """Return lambda."""
        p, rate = self.parameters, np.exp(self.last)
        return float(p.noise * p.kappa * p.rho * rate ** (p.kappa + 1) + self._shift * rate**p.q)

    @property
    def _shift(self) -> float:
        return self.mu * (1 - self.parameters.q)

    @cached_property
    def top(self) -> float:
        """Return the logarithm that the root stays below: 0, or less where progress is worth little more."""
        if self._shift <= 0 or self._multiplier >= self._shift:
            return 0.0
        return min(0.0, float(np.log(self._multiplier / self._shift) / self.parameters.q) - 1e-9)

    def progress_left(self, s: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return x, and dx / ds, where the rate is e^s."""
        p = self.parameters
        left = self._multiplier - self._shift * np.exp(p.q * s)
        size = p.noise * p.kappa * p.rho * np.exp((p.kappa + 1) * s) / left
        scale = size ** (1 / (p.beta + 1))
        slope = p.kappa + 1 + p.q * self._shift * np.exp(p.q * s) / left
        return p.beta / p.rho * (scale - 1), p.beta / p.rho * scale * slope / (p.beta + 1)

    def integrate(self, s: float) -> "Integrals":
        """Integrate from where the rate is e^s to the end."""
        p, half = self.parameters, (s - self.last) / 2
        at = self.last + half * (POINTS + 1)
        x, slope = self.progress_left(at)
        dx = WEIGHTS * half * slope
        memory = p.rho * (1 + p.rho * x / p.beta) ** (-p.beta - 1)
        progress = float(self.progress_left(np.array(s))[0])
        powered = float(dx @ np.exp((p.q - 1) * at))
        return Integrals(float(dx @ np.exp(-at)), progress, powered, float(dx @ (np.exp(p.kappa * at) * memory)))


class Integrals(NamedTuple):
    """The integrals over a decay: updates, progress, powered progress, noise."""

    steps: float
    progress: float
    powered: float
    noise: float


@final
@dataclass(frozen=True)
class Solution:
    """A segment that is best for a last rate, and the loss at its end.

    Args:
        decay: the root.
        s: the logarithm of the rate where the decay begins.
        hold: updates at the peak before it.
        powered: powered progress of the whole run.
        loss: at the end.
    """

    decay: Decay
    s: float
    hold: float
    powered: float
    loss: float


@final
@dataclass(frozen=True, eq=False)
class Segment:
    """A segment to be designed.

    Args:
        parameters: of the law; gamma is 0.
        before: the rates that were used before, over the peak; None: none.
        steps: updates of the segment.
    """

    parameters: Parameters
    before: History | None
    steps: int

    @cached_property
    def _past(self) -> tuple[FloatArray, FloatArray, float]:
        """Return phi of the levels before, the progress from each change to their end, and their powered progress."""
        if self.before is None:
            return np.zeros(0), np.zeros(1), 0.0
        history = self.before
        phi = history.powers(self.parameters.kappa)[0]
        remaining = history.progress[-1] - np.append(history.progress[history.changes], history.progress[-1])
        lengths = np.diff(history.changes, append=len(history.ratios))
        return phi, remaining, float(lengths @ history.powers(self.parameters.q)[0])

    def _share_left(self, x: FloatArray) -> FloatArray:
        """Return 1 - G."""
        return (1 + self.parameters.rho / self.parameters.beta * x) ** -self.parameters.beta

    def solve_for(self, last: float, mu: float) -> Solution:
        """Return the segment that is best for a last rate and a multiplier mu."""
        decay, p = Decay(self.parameters, last, mu), self.parameters
        s = decay.top
        if decay.integrate(s).steps > self.steps:  # no time to hold the peak
            s = float(brentq(lambda s: decay.integrate(s).steps - self.steps, last, decay.top, xtol=1e-10))
        fall, rate = decay.integrate(s), float(np.exp(s))
        hold = max(0.0, self.steps - fall.steps)
        phi, remaining, before = self._past
        whole, powered = fall.progress + hold * rate, fall.powered + hold * rate**p.q + before
        left = self._share_left(whole + remaining)
        hold_left = self._share_left(np.array([fall.progress, whole]))
        noise = fall.noise + rate**p.kappa * float(hold_left[0] - hold_left[1]) + float(phi @ (left[1:] - left[:-1]))
        loss = p.limit + p.gap * (powered / REFERENCE) ** -p.alpha + p.noise * noise
        return Solution(decay, s, hold, powered, loss)

    def best(self) -> Solution:
        """Return the segment of the least last loss."""
        mu = self._worth(self._past[2] + self.steps)
        for _ in range(ROUNDS):
            best = self._best_for(mu)
            before, mu = mu, self._worth(best.powered)
            if abs(mu - before) <= 1e-4 * mu:
                break
        return best

    def _best_for(self, mu: float) -> Solution:
        """Return the segment of the best last rate, for a multiplier mu."""
        lowest = self._lowest(mu)
        if lowest >= HIGHEST:
            return self.solve_for(HIGHEST, mu)
        best = self._search(lowest, HIGHEST, mu)
        if self.parameters.q <= 1 and self.before is None:
            return best
        grid = np.linspace(lowest, HIGHEST, SCAN)  # the loss may have two minima, with and without a hold
        least = int(np.argmin([self.solve_for(float(last), mu).loss for last in grid]))
        other = self._search(float(grid[max(0, least - 1)]), float(grid[min(SCAN - 1, least + 1)]), mu)
        return min(best, other, key=lambda solution: solution.loss)

    def _search(self, low: float, high: float, mu: float) -> Solution:
        """Return the segment of a last rate between two bounds, from where no near one is better."""
        loss = lambda last: self.solve_for(last, mu).loss
        result = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-4})
        return self.solve_for(float(result.x), mu)

    def _lowest(self, mu: float) -> float:
        """Return the logarithm of the least last rate at which time is worth something; for q above 1, not all are."""
        p = self.parameters
        if p.q <= 1:
            return LOWEST
        worthless = np.log(mu * (p.q - 1) / (p.noise * p.kappa * p.rho)) / (p.kappa + 1 - p.q)
        return max(LOWEST, float(worthless))

    def _worth(self, powered: float) -> float:
        """Return mu: by how much the loss falls with the powered progress."""
        p = self.parameters
        return float(p.gap * p.alpha / REFERENCE * (powered / REFERENCE) ** (-p.alpha - 1))


def curve(best: Solution) -> tuple[FloatArray, FloatArray]:
    """Return the decay of a segment: updates before its end, ascending from 0, and the rate there over the peak."""
    s = np.linspace(best.decay.last, best.s, GRID)
    return np.array([best.decay.integrate(float(log_rate)).steps for log_rate in s]), np.exp(s)
