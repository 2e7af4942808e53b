"""Figures of schedules, ready for a paper: Matplotlib, without its global state.

A figure shows the values that drive training, evaluated at every step. A value is joined to the next by a straight
line, except where it jumps: there the old value lasts to the end of its update and the new one begins, so a staircase
looks like one. Long runs are thinned to the resolution of a page, without losing a jump or an extreme. On a logarithmic
axis the last few updates of a decay to zero leave at the bottom; values that the axis cannot show are marked below it.

A plan without an end needs a horizon. Where none is given, it borrows the longest duration among the other plans of
the figure; failing that the figure shows 1,000 steps, or twice the steps before its last phase if that is more, or as
many as a draft needs (1,000, 10,000, ...), and the step axis says so.
"""

from glidepath.extras import needs_extra

with needs_extra("plot", "figures"):
    import matplotlib as _matplotlib  # noqa: F401
    import numpy as _numpy  # noqa: F401

from .figure import draw as draw
from .figure import draw_svg as draw_svg
from .figure import plot as plot
from .files import FORMATS as FORMATS
from .files import check_format as check_format
from .files import save as save
from .files import to_svg as to_svg
from .series import Series as Series
from .series import evaluate as evaluate
from .series import series_of as series_of
from .style import Width as Width
