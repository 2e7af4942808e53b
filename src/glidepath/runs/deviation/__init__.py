"""Deviations of a run from its plan: one reading of the log that explains every rate, or where they part and why.

A reading says what the rows mean: which update a step is, and which updates were skipped. A cause is another way to
step through the plan, or another plan. Both are named only if they explain every rate that was logged, within the
digits to which the log was rounded. Reading logs is left to `glidepath.logs`.
"""

from .cause import Cause
from .compare import Comparison, Parting, compare_with_plan, first_mismatch
from .lag import LagPoint
from .rates import Rates
from .readings import Reading

__all__ = [
    "Cause",
    "Comparison",
    "LagPoint",
    "Parting",
    "Rates",
    "Reading",
    "compare_with_plan",
    "first_mismatch",
]
