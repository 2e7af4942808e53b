"""The figures of a study, each schedule at its best peak and in the same colour everywhere."""

from .cost import spent_figure as spent_figure
from .curves import curves_figure as curves_figure
from .final import final_figure as final_figure
