"""The best rates under the noise-floor law, in closed form.

Let x be the progress still to come, from X at the start of the stretch to be designed to 0 at its end. The law's last
loss, summed by parts over the whole run, is

    A ((Q + int e^(q-1) dx) / 1000)^-alpha + B [H(X) + int_0^X e^kappa g(x) dx],   g = G'

with Q the powered progress before the stretch and H(X) the noise that what came before it leaves. The stretch takes
int_0^X dx / e updates. For a multiplier lambda on that time and mu = -d loss / d Q, the best e at each x is the root of

    B kappa g(x) e^(kappa+1) + mu (1 - q) e^q = lambda

which falls towards the end, since g is largest at x = 0; where the root is above 1, the peak is best. No root has to be
found: for every e the equation gives g and so x,

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
        """lambda."""
        one, rate = self.parameters, np.exp(self.last)
        return float(one.noise * one.kappa * one.rho * rate ** (one.kappa + 1) + self._shift * rate**one.q)

    @property
    def _shift(self) -> float:
        return self.mu * (1 - self.parameters.q)

    @cached_property
    def top(self) -> float:
        """The logarithm of the rate that the root stays below: 0, or less where progress is worth little more."""
        if self._shift <= 0 or self._multiplier >= self._shift:
            return 0.0
        return min(0.0, float(np.log(self._multiplier / self._shift) / self.parameters.q) - 1e-9)

    def ahead(self, s: FloatArray) -> tuple[FloatArray, FloatArray]:
        """x, and dx / ds."""
        one = self.parameters
        left = self._multiplier - self._shift * np.exp(one.q * s)
        size = one.noise * one.kappa * one.rho * np.exp((one.kappa + 1) * s) / left
        stretch = size ** (1 / (one.beta + 1))
        slope = one.kappa + 1 + one.q * self._shift * np.exp(one.q * s) / left
        return one.beta / one.rho * (stretch - 1), one.beta / one.rho * stretch * slope / (one.beta + 1)

    def upto(self, s: float) -> "Sums":
        """What lies between the end and where the rate is e^s."""
        one, half = self.parameters, (s - self.last) / 2
        at = self.last + half * (POINTS + 1)
        x, slope = self.ahead(at)
        dx = WEIGHTS * half * slope
        memory = one.rho * (1 + one.rho * x / one.beta) ** (-one.beta - 1)
        progress = float(self.ahead(np.array(s))[0])
        powered = float(dx @ np.exp((one.q - 1) * at))
        return Sums(float(dx @ np.exp(-at)), progress, powered, float(dx @ (np.exp(one.kappa * at) * memory)))


class Sums(NamedTuple):
    """The integrals over a decay: updates, progress, powered progress, noise."""

    steps: float
    progress: float
    powered: float
    noise: float


@final
@dataclass(frozen=True)
class Ended:
    """A stretch that is best for a last rate: what it is made of, and the loss that it ends at.

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
class Stretch:
    """What is to be designed.

    Args:
        parameters: of the law; gamma is 0.
        before: the rates that were used before, over the peak; None: none.
        steps: updates of the stretch.
    """

    parameters: Parameters
    before: History | None
    steps: int

    @cached_property
    def _past(self) -> tuple[FloatArray, FloatArray, float]:
        """phi of the levels before, the progress from each change to the end of them, and their powered progress."""
        if self.before is None:
            return np.zeros(0), np.zeros(1), 0.0
        history = self.before
        phi = history.powers(self.parameters.kappa)[0]
        remaining = history.progress[-1] - np.append(history.progress[history.changes], history.progress[-1])
        lengths = np.diff(history.changes, append=len(history.ratios))
        return phi, remaining, float(lengths @ history.powers(self.parameters.q)[0])

    def _left(self, x: FloatArray) -> FloatArray:
        """1 - G."""
        return (1 + self.parameters.rho / self.parameters.beta * x) ** -self.parameters.beta

    def ended(self, last: float, mu: float) -> Ended:
        """The stretch that is best for a last rate and a multiplier mu."""
        decay, one = Decay(self.parameters, last, mu), self.parameters
        s = decay.top
        if decay.upto(s).steps > self.steps:  # no time to hold the peak
            s = float(brentq(lambda s: decay.upto(s).steps - self.steps, last, decay.top, xtol=1e-10))
        fall, rate = decay.upto(s), float(np.exp(s))
        hold = max(0.0, self.steps - fall.steps)
        phi, remaining, before = self._past
        whole, powered = fall.progress + hold * rate, fall.powered + hold * rate**one.q + before
        left = self._left(whole + remaining)
        held = self._left(np.array([fall.progress, whole]))
        noise = fall.noise + rate**one.kappa * float(held[0] - held[1]) + float(phi @ (left[1:] - left[:-1]))
        loss = one.limit + one.gap * (powered / REFERENCE) ** -one.alpha + one.noise * noise
        return Ended(decay, s, hold, powered, loss)

    def best(self) -> Ended:
        """The stretch of the least last loss."""
        mu = self._worth(self._past[2] + self.steps)
        for _ in range(ROUNDS):
            best = self._best_for(mu)
            before, mu = mu, self._worth(best.powered)
            if abs(mu - before) <= 1e-4 * mu:
                break
        return best

    def _best_for(self, mu: float) -> Ended:
        """The best last rate, for a multiplier mu."""
        lowest = self._lowest(mu)
        if lowest >= HIGHEST:
            return self.ended(HIGHEST, mu)
        loss = lambda last: self.ended(last, mu).loss
        found = minimize_scalar(loss, bounds=(lowest, HIGHEST), method="bounded", options={"xatol": 1e-4})
        return self.ended(float(found.x), mu)

    def _lowest(self, mu: float) -> float:
        """The logarithm of the last rate from which on time is worth something; where q is above 1, not all are."""
        one = self.parameters
        if one.q <= 1:
            return LOWEST
        worthless = np.log(mu * (one.q - 1) / (one.noise * one.kappa * one.rho)) / (one.kappa + 1 - one.q)
        return max(LOWEST, float(worthless))

    def _worth(self, powered: float) -> float:
        """mu: by how much the loss falls with the powered progress."""
        one = self.parameters
        return float(one.gap * one.alpha / REFERENCE * (powered / REFERENCE) ** (-one.alpha - 1))


def curve(best: Ended) -> tuple[FloatArray, FloatArray]:
    """The decay of a stretch: updates before its end, ascending from 0, and the rate there over the peak."""
    s = np.linspace(best.decay.last, best.s, GRID)
    return np.array([best.decay.upto(float(one)).steps for one in s]), np.exp(s)
