"""Every way to decay a rate in PyTorch that the study note teaches, run for real.

Each is the note's own line with our drop-in in the place of torch's module, on a real optimizer; the rates are read
from the optimizer, one for each epoch, as that epoch uses them.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

import glidepath as gp
from glidepath.torch import lr_scheduler

RATE, EPOCHS = 0.01, 100


@dataclass(frozen=True)
class Mechanism:
    """A way to decay a rate: a title, its line of code, and a builder of the function to call after each epoch."""

    title: str
    code: str
    build: Callable[[torch.optim.Optimizer], Callable[[int], Any]]


def _step_each_epoch(
    make: Callable[[torch.optim.Optimizer], Any],
) -> Callable[[torch.optim.Optimizer], Callable[[int], Any]]:
    """Return the builder of a scheduler that is stepped once an epoch."""

    def build(optimizer: torch.optim.Optimizer) -> Callable[[int], Any]:
        scheduler = make(optimizer)
        return lambda epoch: scheduler.step()

    return build


def _by_hand(optimizer: torch.optim.Optimizer) -> Callable[[int], Any]:
    def after(epoch: int) -> None:
        for group in optimizer.param_groups if (epoch + 1) % 5 == 0 else ():
            group["lr"] *= 0.9

    after(-1)  # the note lowers the rate as every fifth epoch begins, the first one too
    return after


def _plateau(optimizer: torch.optim.Optimizer) -> Callable[[int], Any]:
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, mode="min", factor=0.1, patience=10)
    return lambda epoch: scheduler.step(plateau_loss(epoch))


def plateau_loss(epoch: int) -> float:
    """Return a loss that falls, stops at epoch 20, falls again from 40 on, and stops for good at 60."""
    return 1.0 - 0.01 * (min(epoch, 20) + min(max(epoch - 40, 0), 20))


class InverseSqrt(lr_scheduler.LRScheduler):
    """The note's "custom scheduler": base / sqrt(1 + epoch / 10)."""

    def get_lr(self) -> list[Any]:
        return [base / (1 + self.last_epoch / 10) ** 0.5 for base in self.base_lrs]


def _sine(epoch: int) -> float:
    return float(np.sin(epoch) / np.float64(epoch))


MECHANISMS = {
    "by-hand": Mechanism("By hand, x 0.9 every 5 epochs", "group['lr'] *= 0.9", _by_hand),
    "lambda": Mechanism(
        "LambdaLR, sin(e) / e",
        "LambdaLR(optimizer, lr_lambda=lambda epoch: np.sin(epoch) / epoch)",
        _step_each_epoch(lambda o: lr_scheduler.LambdaLR(o, lr_lambda=_sine)),
    ),
    "step": Mechanism(
        "StepLR",
        "StepLR(optimizer, step_size=5, gamma=0.8)",
        _step_each_epoch(lambda o: lr_scheduler.StepLR(o, step_size=5, gamma=0.8)),
    ),
    "multistep": Mechanism(
        "MultiStepLR",
        "MultiStepLR(optimizer, milestones=[20, 80], gamma=0.9)",
        _step_each_epoch(lambda o: lr_scheduler.MultiStepLR(o, milestones=[20, 80], gamma=0.9)),
    ),
    "exponential": Mechanism(
        "ExponentialLR",
        "ExponentialLR(optimizer, gamma=0.9)",
        _step_each_epoch(lambda o: lr_scheduler.ExponentialLR(o, gamma=0.9)),
    ),
    "cosine": Mechanism(
        "CosineAnnealingLR",
        "CosineAnnealingLR(optimizer, T_max=100, eta_min=0.0001)",
        _step_each_epoch(lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=100, eta_min=0.0001)),
    ),
    "plateau": Mechanism(
        "ReduceLROnPlateau, on a loss that stops at epochs 20 and 60",
        "ReduceLROnPlateau(optimizer, mode='min', factor=0.1, patience=10)",
        _plateau,
    ),
    "fixed": Mechanism("A fixed rate", "no scheduler", lambda optimizer: lambda epoch: None),
    "exponential-decay": Mechanism(
        "Exponential decay, lr * rate ** (step / decay_steps)",
        "LambdaLR(optimizer, gp.exponential(every=20, factor=0.5))",
        _step_each_epoch(lambda o: lr_scheduler.LambdaLR(o, gp.exponential(every=20, factor=0.5))),
    ),
    "step-decay": Mechanism(
        "Step decay",
        "LambdaLR(optimizer, gp.step(every=30, factor=0.1))",
        _step_each_epoch(lambda o: lr_scheduler.LambdaLR(o, gp.step(every=30, factor=0.1))),
    ),
    "stages": Mechanism(
        "Several stages, a rate each",
        "LambdaLR(optimizer, gp.multistep([20, 50, 80], factor=[0.5, 0.8, 0.2]))",
        _step_each_epoch(lambda o: lr_scheduler.LambdaLR(o, gp.multistep([20, 50, 80], factor=[0.5, 0.8, 0.2]))),
    ),
    "custom": Mechanism(
        "A custom scheduler, base / sqrt(1 + epoch / 10)",
        "class InverseSqrt(LRScheduler)",
        _step_each_epoch(InverseSqrt),
    ),
}


def rates(mechanism: Mechanism, epochs: int = EPOCHS) -> list[float]:
    """Return the rate of each epoch, read from the optimizer: first the update, then the scheduler, as in the note."""
    weight = torch.nn.Parameter(torch.zeros(1))
    weight.grad = torch.ones(1)
    optimizer = torch.optim.SGD([weight], lr=RATE)
    history = []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # sin(e) / e is not a number at epoch 0: the figure shows it
        after = mechanism.build(optimizer)
        for epoch in range(epochs):
            history.append(float(optimizer.param_groups[0]["lr"]))
            optimizer.step()
            after(epoch)
    return history
