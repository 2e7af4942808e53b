"""What a learning-rate range test says: its losses smoothed over the logarithm of the rate, and rates to begin with.

Numbers in, numbers out: running the sweep on a model is left to `glidepath.torch.range_test`.
"""

from .result import RangeTest as RangeTest
from .result import judged as judged
from .suggestions import RULES as RULES
from .suggestions import Suggestion as Suggestion
