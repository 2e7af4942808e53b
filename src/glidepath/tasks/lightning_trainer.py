"""A stand-in for the Trainer that a LightningModule asks: the position of training, and one process."""

from typing import Any, final

from lightning.pytorch.loggers.logger import DummyLogger
from torch.optim import Optimizer

# What schedulers ask for in configure_optimizers. How long a run is, its study decides, and schedulers are left out.
LENGTHS = {
    "estimated_stepping_batches": 1_000_000,
    "max_steps": 1_000_000,
    "max_epochs": 1_000,
    "num_training_batches": 1_000,
}


@final
class StandIn:
    """The module's `self.trainer`. Mutable: it stands at some batch.

    What it does not have is an error that says so; only `configuring` optimizers may ask how long the run is.
    """

    logger: Any = DummyLogger()
    loggers: tuple[Any, ...] = ()
    progress_bar_callback = None
    is_global_zero, global_rank, local_rank, node_rank, world_size, num_nodes, num_devices = True, 0, 0, 0, 1, 1, 1
    sanity_checking = testing = predicting = False

    def __init__(self) -> None:
        self.current_epoch = self.global_step = 0
        self.training, self.validating, self.configuring = True, False, True
        self.optimizers: list[Optimizer] = []

    def __getattr__(self, name: str) -> Any:
        if self.__dict__.get("configuring") and name in LENGTHS:
            return LENGTHS[name]
        raise AttributeError(f"self.trainer.{name} is not there: no Trainer runs while schedules are compared")
