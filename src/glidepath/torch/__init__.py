"""PyTorch: the driver, the drop-in for `torch.optim.lr_scheduler`, and the plateau controller."""

from . import lr_scheduler as lr_scheduler
from .driver import Scheduler as Scheduler
from .driver import detach as detach
from .plateau import Event as Event
from .plateau import Plateau as Plateau
from .plateau import mean_over_processes as mean_over_processes
from .targets import Set as Set
