"""The fast path and the slow path give the same values, for every kind of group and column."""

import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import glidepath as gp
from glidepath.torch import Scheduler, Set
from glidepath.torch.group_access import Cell, access_cells

from .loops import parameter

PLANS = {
    "data": gp.warmup(7) >> gp.cosine(300, to=0.1),
    "function": gp.formula(lambda step: 1 / (1 + step)),
    "endless": gp.exponential(every=3, factor=0.9),
}
BETA = gp.linear(100, start=0.8, to=0.95)


def build(groups, rates, tensors, name):
    parameters = [parameter() for _ in range(groups)]
    values = [rates[i % len(rates)] for i in range(groups)]
    if tensors:
        values = [torch.tensor(value, dtype=torch.float64) for value in values]
    optimizer = torch.optim.Adam(
        [{"params": [p], "lr": value} for p, value in zip(parameters, values, strict=True)], weight_decay=0.5
    )
    Scheduler(optimizer, PLANS[name], weight_decay=gp.linear(100), betas=(Set(BETA), None))
    return optimizer


@settings(max_examples=60, deadline=None)
@given(
    groups=st.sampled_from([1, 2, 5, 40, 300]),
    rates=st.sampled_from([[0.1], [0.1, 0.2], [0.1 * i for i in range(1, 50)]]),
    tensors=st.booleans(),
    name=st.sampled_from(sorted(PLANS)),
    cuts=st.dictionaries(st.integers(2, 25).map(lambda k: 2 * k), st.integers(0, 299), max_size=3),
)
def test_every_group_gets_its_own_value_whatever_the_path(groups, rates, tensors, name, cuts):
    optimizer, factors = build(groups, rates, tensors, name), [1.0] * groups
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gp.GlidepathWarning)
        for k in range(60):
            if k in cuts:
                number = cuts[k] % groups
                factors[number] *= 0.5
                group = optimizer.param_groups[number]
                if tensors:
                    group["lr"].mul_(0.5)
                else:
                    group["lr"] *= 0.5
            optimizer.step()
            for number, group in enumerate(optimizer.param_groups):
                expected = rates[number % len(rates)] * factors[number] * PLANS[name](k)
                assert float(group["lr"]) == pytest.approx(expected, rel=1e-12)
                assert group["weight_decay"] == 0.5 * gp.linear(100)(k)
                assert group["betas"] == (BETA(k), 0.999)


@pytest.mark.parametrize("number", [1, 16, 200, 256, 257, 600])
@pytest.mark.parametrize("columns", [1, 2, 7])
def test_access_without_a_loop_holds_and_swaps_every_cell(number, columns):
    old, new = tuple(i + 0.25 for i in range(columns)), tuple(i + 0.5 for i in range(columns))
    groups = [{"lr": old[i % columns]} for i in range(number)]
    accesses = access_cells([Cell(group, "lr", i % columns) for i, group in enumerate(groups)])
    assert all(access.hold(old) for access in accesses)
    assert all(access.swap(old, new) for access in accesses)
    assert all(group["lr"] is new[i % columns] for i, group in enumerate(groups))
    groups[number // 2]["lr"] = 0.4
    assert not all(access.hold(new) for access in accesses)
    assert not all(access.swap(new, old) for access in accesses)


def test_a_change_in_the_middle_of_many_groups_is_noticed_before_it_is_used():
    optimizer = torch.optim.SGD([{"params": [parameter()]} for _ in range(200)], lr=0.1)
    scheduler = Scheduler(optimizer, PLANS["data"])
    for k in range(30):
        optimizer.step()
        scheduler.step()
        if k == 20:
            optimizer.param_groups[77]["lr"] *= 0.25
    plan = PLANS["data"]
    assert optimizer.param_groups[77]["lr"] == pytest.approx(0.25 * 0.1 * plan(30), rel=1e-12)
    assert optimizer.param_groups[78]["lr"] == 0.1 * plan(30)


def test_a_python_function_that_raises_once_is_asked_again_for_the_same_update():
    calls = []

    def plan(step):
        calls.append(step)
        if step == 3 and calls.count(3) == 1:
            raise OSError("not there yet")
        return 1 / (1 + step)

    optimizer = torch.optim.SGD([parameter()], lr=0.1)
    scheduler = Scheduler(optimizer, gp.formula(plan))
    for _ in range(3):
        optimizer.step()
    with pytest.raises(gp.GlidepathError, match="not there yet"):
        optimizer.step()
    assert scheduler.position == 3
    optimizer.step()
    assert (scheduler.position, optimizer.param_groups[0]["lr"]) == (4, 0.1 / 4)


@pytest.mark.parametrize("shows", [False, True])
def test_a_python_function_is_asked_once_for_an_update_on_the_fast_path(shows):
    calls = []
    optimizer = torch.optim.SGD([parameter()], lr=0.1)
    scheduler = Scheduler(optimizer, gp.formula(lambda step: calls.append(step) or 1 / (1 + step)))
    for _ in range(20):
        optimizer.step()
        if shows:
            scheduler.step()
    assert all(calls.count(step) == 1 for step in range(3, 20))
