"""PyTorch: the scheduler, the drop-in for `torch.optim.lr_scheduler`, the plateau controller, and the range test."""

from glidepath.extras import needs_extra

with needs_extra("torch", "schedulers for PyTorch"):
    import torch as _torch  # noqa: F401

from . import lr_scheduler as lr_scheduler
from .commands import follow_commands as follow_commands
from .commands import follow_signal as follow_signal
from .plateau import Event as Event
from .plateau import Plateau as Plateau
from .plateau import mean_over_processes as mean_over_processes
from .range_test import range_test as range_test
from .recorder import Recorder as Recorder
from .scheduler import Scheduler as Scheduler
from .scheduler import detach as detach
from .set_rate import set_rate as set_rate
from .targets import Set as Set
