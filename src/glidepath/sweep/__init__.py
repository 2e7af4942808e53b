"""What a learning-rate range test says: its losses smoothed over the logarithm of the rate, and rates to begin with.

Numbers in, numbers out: running the sweep on a model is left to `glidepath.torch.range_test`.
"""

from .found import RangeTest as RangeTest
from .found import judged as judged
from .suggesting import RULES as RULES
from .suggesting import Suggestion as Suggestion
