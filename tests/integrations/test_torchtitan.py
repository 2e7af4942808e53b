"""torchtitan: what its container of schedulers does with a factor, as its source (0.3) says it; and the real one where
it is installed.
"""

import pickle
from dataclasses import dataclass

import pytest
import torch
from torch.optim.lr_scheduler import LambdaLR

import glidepath as gp

from .page import example
from .seen import DRAFT, Seen, expected

TWELVE = gp.parse(DRAFT).over(12)


class Container:
    """The contract: one `LambdaLR` for each optimizer, all with one factor; only `last_epoch` is saved, and a load sets
    that and asks for the rates again, while the rates in the groups come back with the optimizers.
    """

    @dataclass(kw_only=True, slots=True)
    class Config:
        total_steps: int | None = None

    def __init__(self, optimizers, lr_lambda):
        self.schedulers = [LambdaLR(optimizer, lr_lambda) for optimizer in optimizers]

    def step(self):
        for scheduler in self.schedulers:
            scheduler.step()

    def state_dict(self):
        return {"last_epoch": self.schedulers[0].last_epoch}

    def load_state_dict(self, state):
        for scheduler in self.schedulers:
            scheduler.last_epoch = state["last_epoch"]
            scheduler._step_count = state["last_epoch"] + 1
            scheduler._last_lr = scheduler.get_lr()


@pytest.fixture(params=["by its contract", "itself"])
def container(request):
    if request.param == "by its contract":
        return Container
    return pytest.importorskip("torchtitan.components.optimizer").LRSchedulersContainer


def optimizers():
    """Two with rates of their own, as torchtitan has with Muon and AdamW."""
    return [Seen([torch.nn.Parameter(torch.ones(2))], lr=rate) for rate in (0.1, 0.02)]


def train(made, schedulers, updates):
    for _ in range(updates):
        for optimizer in made:
            for parameter in optimizer.param_groups[0]["params"]:
                parameter.grad = torch.ones(2)
            optimizer.step()
        schedulers.step()


def built(container, made, **options):
    config = example("torchtitan", LRSchedulersContainer=container, dataclass=dataclass)["Planned"]
    return config(plan=DRAFT, **options).build(optimizers=made, training_steps=12)


@pytest.mark.filterwarnings("ignore:To get the last learning rate")  # torchtitan asks in its own way
def test_every_optimizer_has_the_right_rate_at_every_update_also_resumed(container):
    first = optimizers()
    schedulers = built(container, first)
    train(first, schedulers, 5)
    second = optimizers()
    resumed = built(container, second)
    for old, new in zip(first, second, strict=True):
        new.load_state_dict(old.state_dict())
    resumed.load_state_dict(schedulers.state_dict())
    train(second, resumed, 7)
    for old, new, base in zip(first, second, (0.1, 0.02), strict=True):
        assert old.used + new.used == expected(TWELVE, 0, 12, (base,))


def test_total_steps_of_the_config_come_before_those_of_the_training(container):
    made = optimizers()
    train(made, built(container, made, total_steps=24), 6)
    assert made[0].used == expected(gp.parse(DRAFT).over(24), 0, 6)


def test_a_plan_is_a_factor_that_can_be_pickled():
    again = pickle.loads(pickle.dumps(TWELVE))
    assert [again(k) for k in range(13)] == [TWELVE(k) for k in range(13)]
