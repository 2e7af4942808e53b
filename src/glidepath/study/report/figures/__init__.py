"""The figures of a study, each schedule at its best peak and in the same color everywhere."""

from .cost import draw_cost as draw_cost
from .curves import draw_curves as draw_curves
from .final import draw_final as draw_final
