"""The field's named schedules, by family, each a leaf or a composition.

Recipes peak at 1.0 (an optimizer's own rate is the peak), except where a name means an absolute rate: `noam` and
`power_law`. Lengths are updates; any of them may be text: "10k" is a count, and "5%", "3ep" or "2Btok" make a draft
that `.over(horizon)` resolves. `to` is the value at the end, `minimum` a floor, both fractions of the peak.
"""

from glidepath.core.transforms import clip as clip
from glidepath.core.transforms import maximum as maximum
from glidepath.core.transforms import repeat as repeat
from glidepath.core.transforms import reverse as reverse
from glidepath.core.transforms import staircase as staircase

from .custom import formula as formula
from .custom import table as table
from .cycles import cosine_restarts as cosine_restarts
from .cycles import cyclic as cyclic
from .cycles import one_cycle as one_cycle
from .cycles import one_cycle_linear as one_cycle_linear
from .cycles import one_cycle_momentum as one_cycle_momentum
from .cycles import slanted_triangular as slanted_triangular
from .cycles import sweep as sweep
from .decays import chebyshev as chebyshev
from .decays import cosine as cosine
from .decays import cosine_waves as cosine_waves
from .decays import geometric as geometric
from .decays import inverse_linear as inverse_linear
from .decays import linear as linear
from .decays import normalized_exponential as normalized_exponential
from .decays import one_minus_power as one_minus_power
from .decays import one_minus_sqrt as one_minus_sqrt
from .decays import polynomial as polynomial
from .decays import rex as rex
from .decays import tanh as tanh
from .decays import warmup as warmup
from .endless import constant as constant
from .endless import exponential as exponential
from .endless import inverse_power as inverse_power
from .endless import inverse_sqrt as inverse_sqrt
from .endless import inverse_time as inverse_time
from .endless import multistep as multistep
from .endless import noam as noam
from .endless import power_law as power_law
from .endless import step as step
from .piecewise import piecewise_constant as piecewise_constant
from .piecewise import piecewise_cosine as piecewise_cosine
from .piecewise import piecewise_linear as piecewise_linear
from .stages import flat_cosine as flat_cosine
from .stages import infinite as infinite
from .stages import rewarm as rewarm
from .stages import trapezoid as trapezoid
from .stages import tri_stage as tri_stage
from .stages import wsd as wsd
from .stages import wsd_s as wsd_s
from .with_noise import linear_cosine as linear_cosine
from .with_noise import noise as noise
from .with_noise import noisy as noisy
from .with_noise import noisy_linear_cosine as noisy_linear_cosine
