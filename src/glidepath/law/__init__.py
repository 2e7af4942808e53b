"""Loss laws: fit them to a few runs, predict the loss of any other schedule, design the best one.

Numbers in, numbers out: a run is the rate of every update and some losses (`glidepath.runs.run.Run`; `glidepath.logs`
reads them from files), and a law predicts the loss under other rates. Which law to take, and when to trust none, is in
`docs/advisor.md`.

Fit and predict:
    fit, fit_by_peak: the parameters of a law, from runs; they return `Fit`, whose `parameters` are rows of
        `FittedParameter`: name, symbol, meaning, value and standard error. `group_by_peak` groups the runs.
    predict, Fit.predict: the losses of a run that was never made, with a band: `Prediction`.
    fit_committee: the three laws whose mean ranks best, a `Committee`, which predicts too.

Decide:
    advise: rank schedules, the length of a cooldown, the run to make next: `Advice`, with a `RankedSchedule` for each
        candidate, a `Cooldown` and a `NextRun`.
    design: the best schedule for a horizon, a `Design`.

The laws, each a `Law`, in the table `LAWS` by name:
    NoiseFloorLaw, MultiPowerLaw, FunctionalScalingLaw, MomentumLaw, ConvexKernelLaw.

Convex theory, without any run:
    bound, bound_curve, bound_gradient: the worst case of a schedule at its end, at every horizon, and its derivatives.
    best_scale, best_bound, rank_by_bound, peak_transfer: the same at the best peak.
    refine_schedule: the schedule that logged gradient norms suggest.

Every error of this package is a `LawError`.
"""

from glidepath.errors import LawError as LawError
from glidepath.extras import needs_extra

with needs_extra("law", "loss laws"):
    import numpy as _numpy  # noqa: F401
    import scipy as _scipy  # noqa: F401

from glidepath.runs.aggregate import group_by_peak as group_by_peak

from .advising.advice import Advice as Advice
from .advising.advice import Cooldown as Cooldown
from .advising.advice import RankedSchedule as RankedSchedule
from .advising.advice import advise as advise
from .advising.next_run import NextRun as NextRun
from .bounds.convex import best_bound as best_bound
from .bounds.convex import best_scale as best_scale
from .bounds.convex import bound as bound
from .bounds.convex import bound_curve as bound_curve
from .bounds.convex import bound_gradient as bound_gradient
from .bounds.convex import peak_transfer as peak_transfer
from .bounds.convex import rank_by_bound as rank_by_bound
from .bounds.refinement import refine_schedule as refine_schedule
from .designing.design import Design as Design
from .designing.design import design as design
from .fitting.committee import Committee as Committee
from .fitting.committee import fit_committee as fit_committee
from .fitting.fit import Fit as Fit
from .fitting.fit import fit as fit
from .fitting.fit import fit_by_peak as fit_by_peak
from .fitting.fit import predict as predict
from .fitting.parameters import FittedParameter as FittedParameter
from .fitting.prediction import Prediction as Prediction
from .laws.convex_kernel import ConvexKernelLaw as ConvexKernelLaw
from .laws.functional_scaling import FunctionalScalingLaw as FunctionalScalingLaw
from .laws.law import Law as Law
from .laws.momentum import MomentumLaw as MomentumLaw
from .laws.multi_power import MultiPowerLaw as MultiPowerLaw
from .laws.noise_floor import NoiseFloorLaw as NoiseFloorLaw
from .laws.registry import LAWS as LAWS
from .laws.registry import LawName as LawName
