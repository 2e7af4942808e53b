"""PyTorch: the driver, the drop-in for `torch.optim.lr_scheduler`, the plateau controller, and the range test."""

from . import lr_scheduler as lr_scheduler
from .driver import Scheduler as Scheduler
from .driver import detach as detach
from .peak import set_rate as set_rate
from .plateau import Event as Event
from .plateau import Plateau as Plateau
from .plateau import mean_over_processes as mean_over_processes
from .range_test import range_test as range_test
from .targets import Set as Set
