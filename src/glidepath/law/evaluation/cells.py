"""The last loss of a run in cells of constant rate, and its derivatives with respect to the rates.

What the laws say of one point of a run needs no fast sums: every cell counts once. The derivatives come from one
pass backwards. A cell may be a single update, so this is exact, whatever the run.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.special import digamma, polygamma

from .convex_noise import NO_UPDATE
from .fast_sum import FloatArray, scales
from .formula import REFERENCE, Parameters
from .timeline import Clock, History, increments


def cells_of(history: History, *, moving: bool) -> tuple[FloatArray, FloatArray]:
    """Return the levels of a run and for how many updates it stays at each, (cells,) each.

    Args:
        history: the run.
        moving: whether to leave out the levels that move nothing.
    """
    lengths = np.diff(history.changes, append=len(history.ratios)).astype(np.float64)
    kept = history.levels > NO_UPDATE if moving else slice(None)
    return history.levels[kept], lengths[kept]


@final
@dataclass(frozen=True, eq=False)
class Cells:
    """Cells of constant rate, one after the other.

    Args:
        parameters: of the law.
        clock: along which its noise follows; None: the noise is that of the convex bound.
        lengths: (cells,), updates.
    """

    parameters: Parameters
    clock: Clock | None
    lengths: FloatArray

    def loss(self, levels: FloatArray) -> tuple[float, FloatArray]:
        """Compute the last loss, and its derivatives (cells,) with respect to the levels.

        Args:
            levels: (cells,), above 0.
        """
        p, powers = self.parameters, levels**self.parameters.q
        progress = float(self.lengths @ powers) / REFERENCE
        worth = -p.gap * p.alpha * progress ** (-p.alpha - 1) / REFERENCE
        noise, slope = self._convex(levels) if self.clock is None else self._relaxation(levels, self.clock)
        loss = p.limit + p.gap * progress**-p.alpha + p.noise * noise
        return loss, worth * self.lengths * p.q * powers / levels + p.noise * slope

    def _relaxation(self, levels: FloatArray, clock: Clock) -> tuple[float, FloatArray]:
        """Return sum [phi(e_j) - phi(e_{j-1})] G(e_j^-gamma c_j), c_j from the start of cell j to the end."""
        p = self.parameters
        phi, passed = levels**p.kappa, self.lengths * (levels if clock == "progress" else 1.0)
        rate = p.rho * scales(np.log(levels), p.gamma)
        x = np.cumsum(passed[::-1])[::-1]
        # 1 - G as in `relaxation.share_left`, with a rate for each cell; rounded in another order, so not shared
        if np.isinf(p.beta):
            remaining = np.exp(-rate * x)
            slope = remaining
        else:
            remaining = (1 + rate * x / p.beta) ** -p.beta
            slope = remaining / (1 + rate * x / p.beta)
        steps, grown = increments(phi), 1 - remaining
        slopes = p.kappa * phi / levels * (grown - np.append(grown[1:], 0.0))
        slopes -= p.gamma * steps * slope * rate * x / levels
        if clock == "progress":
            slopes += self.lengths * np.cumsum(steps * slope * rate)
        return float(steps @ grown), slopes

    def _convex(self, levels: FloatArray) -> tuple[float, FloatArray]:
        """Return 1/2 sum over cells of e [psi(R / e + n) - psi(R / e)], R the progress after a cell of n updates.

        That is the sum of e^2 / (R + m e) over m = 0 .. n - 1; in the last cell, where R = 0, the first of them is e.
        """
        passed, n = self.lengths * levels, self.lengths
        after = np.append(np.cumsum(passed[::-1])[::-1][1:], 0.0)
        r = after[:-1] / levels[:-1]
        whole = np.append(digamma(r + n[:-1]) - digamma(r), 1 + digamma(n[-1]) - digamma(1.0))
        bent = np.append(polygamma(1, r + n[:-1]) - polygamma(1, r), 0.0)
        own = whole - bent * np.append(r, 0.0)
        later = np.concatenate([[0.0], np.cumsum(bent)[:-1]])
        return float(levels @ whole) / 2, (own + self.lengths * later) / 2
