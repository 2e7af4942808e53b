"""Glidepath: plan, check, drive, compare and design learning-rate schedules.

import glidepath as gp

plan = gp.warmup("2%") >> gp.constant() >> gp.cosine("20%")
plan.over(10_000)(500)  # the value of update 500
"""

import sys as _sys
from importlib import import_module as _import_module
from typing import TYPE_CHECKING

from .core.assignment import Set as Set
from .core.horizon import Horizon as Horizon
from .core.schedule import Draft as Draft
from .core.schedule import Schedule as Schedule
from .errors import ArgumentError as ArgumentError
from .errors import ConvertError as ConvertError
from .errors import DraftError as DraftError
from .errors import GlidepathError as GlidepathError
from .errors import GlidepathWarning as GlidepathWarning
from .errors import GroupError as GroupError
from .errors import HorizonError as HorizonError
from .errors import LawError as LawError
from .errors import MachineError as MachineError
from .errors import MissingExtraError as MissingExtraError
from .errors import NoFormulaError as NoFormulaError
from .errors import OptimizerError as OptimizerError
from .errors import ResumeError as ResumeError
from .errors import RunError as RunError
from .errors import ScheduleError as ScheduleError
from .errors import SchedulerError as SchedulerError
from .errors import SnapshotError as SnapshotError
from .errors import StateError as StateError
from .errors import StepError as StepError
from .errors import StoreError as StoreError
from .errors import StudyError as StudyError
from .errors import TaskError as TaskError
from .errors import TextError as TextError
from .errors import WorkerLostError as WorkerLostError
from .parser import parse as parse
from .recipes import chebyshev as chebyshev
from .recipes import clip as clip
from .recipes import constant as constant
from .recipes import cosine as cosine
from .recipes import cosine_restarts as cosine_restarts
from .recipes import cosine_waves as cosine_waves
from .recipes import cyclic as cyclic
from .recipes import exponential as exponential
from .recipes import flat_cosine as flat_cosine
from .recipes import formula as formula
from .recipes import geometric as geometric
from .recipes import infinite as infinite
from .recipes import inverse_linear as inverse_linear
from .recipes import inverse_power as inverse_power
from .recipes import inverse_sqrt as inverse_sqrt
from .recipes import inverse_time as inverse_time
from .recipes import linear as linear
from .recipes import linear_cosine as linear_cosine
from .recipes import maximum as maximum
from .recipes import multistep as multistep
from .recipes import noam as noam
from .recipes import noise as noise
from .recipes import noisy as noisy
from .recipes import noisy_linear_cosine as noisy_linear_cosine
from .recipes import normalized_exponential as normalized_exponential
from .recipes import one_cycle as one_cycle
from .recipes import one_cycle_linear as one_cycle_linear
from .recipes import one_cycle_momentum as one_cycle_momentum
from .recipes import one_minus_power as one_minus_power
from .recipes import one_minus_sqrt as one_minus_sqrt
from .recipes import piecewise_constant as piecewise_constant
from .recipes import piecewise_cosine as piecewise_cosine
from .recipes import piecewise_linear as piecewise_linear
from .recipes import polynomial as polynomial
from .recipes import power_law as power_law
from .recipes import repeat as repeat
from .recipes import reverse as reverse
from .recipes import rewarm as rewarm
from .recipes import rex as rex
from .recipes import slanted_triangular as slanted_triangular
from .recipes import staircase as staircase
from .recipes import step as step
from .recipes import sweep as sweep
from .recipes import table as table
from .recipes import tanh as tanh
from .recipes import trapezoid as trapezoid
from .recipes import tri_stage as tri_stage
from .recipes import warmup as warmup
from .recipes import wsd as wsd
from .recipes import wsd_s as wsd_s

if TYPE_CHECKING:
    from .law import advise as advise
    from .law import design as design
    from .law import fit as fit
    from .law import predict as predict
    from .prefix import common_prefix as common_prefix
    from .review import Finding as Finding
    from .review import Review as Review
    from .runs.run import Run as Run

del TYPE_CHECKING

__version__ = "0.1.0"

_ON_FIRST_USE = {  # what few programs need
    "common_prefix": "prefix",
    "Finding": "review",
    "Review": "review",
    "Run": "runs.run",
    **dict.fromkeys(("advise", "design", "fit", "predict"), "law"),
}
_SUBPACKAGES = (
    "codes",
    "convert",
    "errors",
    "integrations",
    "law",
    "logs",
    "plot",
    "study",
    "tasks",
    "torch",
)
_PUBLIC = sorted(  # now, before other modules of the package become attributes
    {name for name in globals() if not name.startswith("_")} - {"core", "parser", "recipes", "warn"}
    | {"__version__", *_ON_FIRST_USE, *_SUBPACKAGES}
)


def __getattr__(name: str) -> object:
    """Import a name that few programs need when it is first used."""
    if name in _SUBPACKAGES:
        return _import_module(f".{name}", __name__)
    if name not in _ON_FIRST_USE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name, obj=_sys.modules[__name__])
    value: object = getattr(_import_module(f".{_ON_FIRST_USE[name]}", __name__), name)
    return value


def __dir__() -> list[str]:
    """Return the public names."""
    return _PUBLIC
