"""The drop-in's fast path writes the very numbers of the slow path, whatever else happens between two steps."""

import copy
import random

import pytest
import torch

from glidepath.torch import lr_scheduler as ours
from glidepath.torch.lr_scheduler import chained
from glidepath.torch.lr_scheduler.base import LRScheduler
from glidepath.torch.lr_scheduler.closed_form import ClosedForm

from .loops import parameter, rates, sgd, update

BUILD = {
    "LambdaLR": lambda o: ours.LambdaLR(o, lambda k: 1 / (1 + k)),
    "LambdaLR that is 0 at times": lambda o: ours.LambdaLR(o, lambda k: (k % 4) / 3),
    "MultiplicativeLR": lambda o: ours.MultiplicativeLR(o, lambda k: 0.9 + (k % 3) / 10),
    "StepLR": lambda o: ours.StepLR(o, 5, 0.5),
    "MultiStepLR": lambda o: ours.MultiStepLR(o, [4, 10, 10], 0.5),
    "ConstantLR": lambda o: ours.ConstantLR(o, 0.0, 6),
    "LinearLR": lambda o: ours.LinearLR(o, 1.0, 0.0, total_iters=12),
    "ExponentialLR": lambda o: ours.ExponentialLR(o, 0.9),
    "PolynomialLR": lambda o: ours.PolynomialLR(o, 30, 0.9),
    "CosineAnnealingLR": lambda o: ours.CosineAnnealingLR(o, 12, 0.001),
    "CosineAnnealingLR of no whole length": lambda o: ours.CosineAnnealingLR(o, 7.5),
    "CosineAnnealingWarmRestarts": lambda o: ours.CosineAnnealingWarmRestarts(o, 3, 2),
    "CyclicLR": lambda o: ours.CyclicLR(o, 0.01, 0.1, 4, 7, mode="triangular2"),
    "CyclicLR with a function": lambda o: ours.CyclicLR(o, 0.01, 0.1, 4, scale_fn=lambda cycle: 1 / cycle),
    "OneCycleLR": lambda o: ours.OneCycleLR(o, 0.3, 30),
    "OneCycleLR in lines": lambda o: ours.OneCycleLR(o, 0.3, 30, anneal_strategy="linear", three_phase=True),
    "SequentialLR": lambda o: ours.SequentialLR(
        o, [ours.LinearLR(o, 0.1), ours.CosineAnnealingLR(o, 9), ours.ExponentialLR(o, 0.9)], [5, 14]
    ),
    "ChainedScheduler": lambda o: ours.ChainedScheduler(
        [ours.StepLR(o, 4, 0.5), ours.CosineAnnealingLR(o, 5), ours.LambdaLR(o, lambda k: 0.9**k)]
    ),
}


def innermost(scheduler):
    members = getattr(scheduler, "_schedulers", None)
    return innermost(members[-1]) if members else scheduler


def set_hyperparameter(scheduler):
    for name, value in (("gamma", 0.8), ("T_max", 8), ("total_iters", 9), ("step_size", 3), ("eta_min", 0.002)):
        if hasattr(scheduler, name):
            setattr(scheduler, name, value)


def reload(optimizer, scheduler):
    states = copy.deepcopy((optimizer.state_dict(), scheduler.state_dict()))
    optimizer.load_state_dict(states[0])
    scheduler.load_state_dict(states[1])


def add_group(optimizer, scheduler):
    optimizer.add_param_group({"params": [parameter()], "lr": 0.07})


def set_base(optimizer, scheduler):
    innermost(scheduler).base_lrs[0] = 0.2


def set_step(optimizer, scheduler):
    if not hasattr(scheduler, "_schedulers"):
        scheduler.last_epoch += 3


def set_lr(value):
    def write(optimizer, scheduler):
        optimizer.param_groups[0]["lr"] = value

    return write


def halve(optimizer, scheduler):
    optimizer.param_groups[-1]["lr"] *= 0.5


def change_bounds(optimizer, scheduler):
    optimizer.param_groups[0]["max_lr"] = 0.4
    optimizer.param_groups[0]["momentum"] = 0.5


EVENTS = {
    "a cut": halve,
    "a rate": set_lr(0.033),
    "a zero": set_lr(0.0),
    "a tensor": lambda o, s: set_lr(torch.tensor(float(rates(o)[0]), dtype=torch.float64))(o, s),
    "a base": set_base,
    "a group": add_group,
    "a load": reload,
    "the optimizer's load": lambda o, s: o.load_state_dict(copy.deepcopy(o.state_dict())),
    "a hyperparameter": lambda o, s: set_hyperparameter(innermost(s)),
    "a step": set_step,
    "the last rates": lambda o, s: s.get_last_lr().__setitem__(0, 99.0),
    "the bounds": change_bounds,
    "the momentum": lambda o, s: o.param_groups[0].__setitem__("momentum", 0.5),
}


def run(build, seed, events):
    """Rates, momenta, what the scheduler says and what it would save, at each step."""
    chance, seen = random.Random(seed), []
    optimizer = sgd(0.1, 0.5, 0.02, momentum=0.9)
    scheduler = build(optimizer)
    for _ in range(40):
        update(optimizer)
        scheduler.step()
        last = [float(rate) for rate in scheduler.get_last_lr()]
        seen.append([*map(float, [*rates(optimizer), *rates(optimizer, "momentum"), *last]), scheduler.last_epoch])
        if events and chance.random() < 0.3:
            events[chance.randrange(len(events))](optimizer, scheduler)
    return seen


@pytest.mark.parametrize("name", BUILD)
@pytest.mark.parametrize("event", [None, *EVENTS])
def test_both_paths_write_the_same_bits(name, event, monkeypatch):
    happens = [EVENTS[event]] if event else []
    fast = [run(BUILD[name], seed, happens) for seed in range(2)]
    monkeypatch.setattr(ClosedForm, "_open_fast_path", LRScheduler._open_fast_path)
    monkeypatch.setattr(chained, "open_chain_path", lambda chain: None)
    assert fast == [run(BUILD[name], seed, happens) for seed in range(2)]


@pytest.mark.parametrize("name", BUILD)
def test_both_paths_write_the_same_bits_when_everything_happens(name, monkeypatch):
    happens = [event for name, event in EVENTS.items() if name != "a group"]
    fast = [run(BUILD[name], seed, happens) for seed in range(10)]
    monkeypatch.setattr(ClosedForm, "_open_fast_path", LRScheduler._open_fast_path)
    monkeypatch.setattr(chained, "open_chain_path", lambda chain: None)
    assert fast == [run(BUILD[name], seed, happens) for seed in range(10)]


@pytest.mark.parametrize("name", BUILD)
def test_a_step_to_which_nothing_happened_is_fast(name):
    optimizer = sgd(0.1, 0.5, momentum=0.9)
    scheduler = BUILD[name](optimizer)
    for _ in range(4):
        update(optimizer)
        scheduler.step()
    member = scheduler._schedulers[0] if name == "SequentialLR" else scheduler
    assert member._fast_path is not None


@pytest.mark.parametrize("base", [ours.ExponentialLR, ours.LRScheduler])
def test_a_users_subclass_is_asked_at_every_step(base):
    class Own(base):
        def get_lr(self):
            asked.append(self.last_epoch)
            return [0.5 ** len(asked) for _ in self.base_lrs]

    asked, optimizer = [], sgd(1.0)
    scheduler = Own(optimizer, 0.9) if base is ours.ExponentialLR else Own(optimizer)
    for _ in range(5):
        update(optimizer)
        scheduler.step()
    assert asked == [0, 1, 2, 3, 4, 5]
    assert rates(optimizer) == [0.5**6]


def test_a_function_is_called_once_for_each_step_and_group():
    calls, optimizer = [], sgd(1.0, 1.0)

    def function(step):
        calls.append(step)
        return 1 / (1 + step)

    scheduler = ours.LambdaLR(optimizer, function)
    del calls[:]
    for _ in range(4):
        update(optimizer)
        scheduler.step()
    assert calls == [1, 1, 2, 2, 3, 3, 4, 4]


def test_a_function_that_raises_on_the_fast_path_leaves_all_as_it_was():
    def function(step):
        if step == 4:
            raise RuntimeError("no value")
        return 0.5**step

    optimizer = sgd(1.0)
    scheduler = ours.LambdaLR(optimizer, function)
    for _ in range(3):
        update(optimizer)
        scheduler.step()
    before = scheduler.state_dict()
    for _ in range(2):
        with pytest.raises(RuntimeError, match="no value"):
            scheduler.step()
        assert scheduler.state_dict() == before


def test_nothing_of_the_fast_path_is_in_a_state_or_a_copy():
    optimizer = sgd(0.1)
    scheduler = ours.CosineAnnealingLR(optimizer, 12)
    for _ in range(4):
        update(optimizer)
        scheduler.step()
    twin = copy.deepcopy(scheduler)
    assert scheduler._fast_path is not None
    assert twin._fast_path is None
    assert "_fast_path" not in scheduler.state_dict()
    assert twin.state_dict() == scheduler.state_dict()
