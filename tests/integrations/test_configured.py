"""Hydra and jsonargparse: a driver out of a configuration, in a real training."""

from collections.abc import Callable

import hydra
import pytest
import torch
from jsonargparse import ArgumentParser
from omegaconf import OmegaConf
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

import glidepath as gp
from glidepath.torch import Scheduler

from .page import blocks, example
from .seen import DRAFT, Seen, expected

TWELVE = gp.parse(DRAFT).over(12)


def train(optimizer, updates):
    for _ in range(updates):
        for group in optimizer.param_groups:
            group["params"][0].grad = torch.ones(1)
        optimizer.step()


def optimizer(**options):
    return Seen([{"params": [torch.nn.Parameter(torch.ones(1))], "name": "head"}], **options)


# --- Hydra ---


def by_hydra(text, made):
    return example("Hydra", hydra=hydra, optimizer=made, config=OmegaConf.create(text))["scheduler"]


def test_hydra_makes_the_driver_of_the_page_which_goes_on_from_its_state():
    (config,) = blocks("Hydra", "yaml")
    first, second = optimizer(), optimizer()
    scheduler = by_hydra(config, first)
    train(first, 5)
    by_hydra(config, second).load_state_dict(scheduler.state_dict())
    train(second, 7)
    assert first.used + second.used == expected(TWELVE, 0, 12)


MORE = """
scheduler:
  _target_: glidepath.torch.Scheduler
  _partial_: true
  _convert_: all
  lr: {head: warmup(1ep) >> cosine(50%)}
  momentum: {_target_: glidepath.torch.Set, plan: "linear(100%, start=0.9, to=0.5)"}
  minimum: 1e-3
  horizon: {_target_: glidepath.Horizon, steps: 12, steps_per_epoch: 3}
"""


def test_hydra_hands_groups_other_hyperparameters_and_horizons_over():
    made = optimizer(momentum=0.9)
    by_hydra(MORE, made)
    train(made, 12)
    plan = gp.warmup(3) >> gp.cosine(6)
    assert made.used == [[max(0.1 * plan(k), 1e-3)] for k in range(12)]
    assert made.param_groups[0]["momentum"] == gp.linear(12, start=0.9, to=0.5)(11)


def test_lists_of_plans_are_read_when_hydra_converts_them():
    betas = {"_target_": "glidepath.torch.Scheduler", "lr": "cosine(4)", "betas": ["cosine(4, to=0.5)", None]}
    adam = torch.optim.AdamW([torch.nn.Parameter(torch.ones(1))], lr=0.1)
    scheduler = hydra.utils.instantiate(OmegaConf.create({**betas, "_convert_": "all"}), adam)
    assert repr(scheduler) == "Scheduler(lr=cosine(4), betas[0]=cosine(4, to=0.5), position=0)"


def test_a_mistake_in_a_plan_is_told_when_hydras_partial_is_called():
    text = blocks("Hydra", "yaml")[0].replace("cosine", "cosin")
    with pytest.raises(gp.TextError, match="did you mean cosine"):
        by_hydra(text, optimizer())


# --- jsonargparse ---


def by_jsonargparse(text, model):
    names = {"Callable": Callable, "Optimizer": Optimizer, "LRScheduler": LRScheduler, "model": model}
    function = example("jsonargparse", **names, __name__=__name__)["train"]
    parser = ArgumentParser(exit_on_error=False)
    parser.add_function_arguments(function)
    return function(**parser.instantiate(parser.parse_string(text)))


def test_jsonargparse_makes_the_driver_of_the_page_which_goes_on_from_its_state():
    (config,) = blocks("jsonargparse", "yaml")
    used = []

    def part(updates, *states):
        made, scheduler = by_jsonargparse(config, torch.nn.Linear(1, 1, bias=False))
        for thing, state in zip((made, scheduler), states, strict=False):
            thing.load_state_dict(state)
        made.register_step_pre_hook(lambda o, *rest: used.append([o.param_groups[0]["lr"]]))
        train_linear(made, updates)
        return made.state_dict(), scheduler.state_dict()

    part(7, *part(5))
    assert used == expected(TWELVE, 0, 12)


def train_linear(made, updates):
    (weight,) = made.param_groups[0]["params"]
    for _ in range(updates):
        weight.grad = torch.ones_like(weight)
        made.step()


HORIZON = """
scheduler:
  class_path: glidepath.torch.Scheduler
  init_args:
    lr: {class_path: glidepath.torch.Set, init_args: {plan: 0.1 * (warmup(1ep) >> cosine(50%))}}
    minimum: 1.0e-3
    horizon: {steps: 12, steps_per_epoch: 3}
  dict_kwargs:
    weight_decay: cosine(100%)
"""


def test_jsonargparse_hands_the_other_arguments_over():
    _, scheduler = by_jsonargparse(HORIZON, torch.nn.Linear(1, 1))
    assert isinstance(scheduler, Scheduler)
    assert repr(scheduler) == "Scheduler(lr=Set(0.1 * (warmup(3) >> cosine(6))), weight_decay=cosine(12), position=0)"
    assert scheduler.get_last_lr() == [0.1 * (1 / 3)]


def test_a_mistake_in_a_plan_is_shown_by_jsonargparse():
    text = blocks("jsonargparse", "yaml")[0].replace("cosine", "cosin")
    with pytest.raises(gp.TextError, match="did you mean cosine"):
        by_jsonargparse(text, torch.nn.Linear(1, 1))
