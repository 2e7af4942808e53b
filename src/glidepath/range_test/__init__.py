"""The result of a learning-rate range test: its losses smoothed over the logarithm of the rate, and rates to try first.

Numbers in, numbers out: running the sweep on a model is left to `glidepath.torch.range_test`.
"""

from glidepath.extras import needs_extra

with needs_extra("law", "a range test"):
    from .result import RangeTest as RangeTest
    from .result import analyze_sweep as analyze_sweep
    from .suggestions import RULES as RULES
    from .suggestions import Suggestion as Suggestion
