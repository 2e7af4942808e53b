"""A drop-in for `torch.optim.lr_scheduler`: the same classes, arguments, defaults and meaning.

from glidepath.torch import lr_scheduler  # instead of: from torch.optim import lr_scheduler

Every class knows the rate of any step (`lr_at`), resumes in any order, composes with the others on one optimizer, and
is an instance of PyTorch's own `LRScheduler`, so every framework takes it. Each docstring says where it differs.
"""

from torch.optim.lr_scheduler import _format_param as _format_param  # what torch.optim.swa_utils imports

from .base import EPOCH_DEPRECATION_WARNING as EPOCH_DEPRECATION_WARNING
from .base import LRScheduler as LRScheduler
from .chained import ChainedScheduler as ChainedScheduler
from .composed import SequentialLR as SequentialLR
from .cyclic import CyclicLR as CyclicLR
from .functions import LambdaLR as LambdaLR
from .functions import MultiplicativeLR as MultiplicativeLR
from .onecycle import OneCycleLR as OneCycleLR
from .plateau import ReduceLROnPlateau as ReduceLROnPlateau
from .restarts import CosineAnnealingWarmRestarts as CosineAnnealingWarmRestarts
from .schedules import ConstantLR as ConstantLR
from .schedules import CosineAnnealingLR as CosineAnnealingLR
from .schedules import ExponentialLR as ExponentialLR
from .schedules import LinearLR as LinearLR
from .schedules import MultiStepLR as MultiStepLR
from .schedules import PolynomialLR as PolynomialLR
from .schedules import StepLR as StepLR

__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]


class _LRScheduler(LRScheduler):
    """The name of `LRScheduler` in older code."""
