"""Loss laws: fit them to a few runs, predict the loss of any other schedule, design the best one.

Numbers in, numbers out: a run is the rate of every update and some losses (`glidepath.runs.run.Run`; `glidepath.logs` reads
them from files), and a law says what the loss of another rate would have been. Which law to take, and when to trust
none, is in `docs/advisor.md`.

    fit, fit_by_peak, predict   parameters of a law from runs; the curve of a run that was never made, with a band
    advise                      rank candidates, the length of a cooldown, the run to make next
    design                      the best schedule for a horizon
    bound, ...                  what convex theory says without any run
"""

from glidepath.errors import LawError as LawError
from glidepath.errors import needs_extra

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
