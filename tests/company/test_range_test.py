"""A range test beside schedulers and wrappers: the sweep is its own, and afterwards everything goes on as before."""

import copy

import pytest
import torch
from torch import nn

import glidepath as gp
from glidepath.errors import SchedulerError
from glidepath.torch import Scheduler, range_test

X = torch.randn(256, 8, generator=torch.Generator().manual_seed(1))


def get_batch(split):
    """As nanoGPT's: random rows of a global array."""
    rows = torch.randint(len(X), (32,))
    return X[rows], X[rows].sum(1, keepdim=True)


def loss_of(model, batch):
    loss = ((model(batch[0]) - batch[1]) ** 2).mean()
    loss.backward()
    return loss


def training(wrap=lambda optimizer: optimizer):
    torch.manual_seed(0)
    model = nn.Linear(8, 1)
    inner = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    return model, inner, wrap(inner)


# --- row 21: a function that returns a batch ---


def test_a_function_that_returns_a_batch_is_called_once_for_each_update():
    calls = []

    def batch():
        calls.append(torch.random.initial_seed())
        return get_batch("train")

    model, optimizer, _ = training()

    def update(data):
        loss = loss_of(model, data)
        optimizer.step()
        return loss

    before = torch.get_rng_state()
    first = range_test(model, optimizer, update, data=batch)
    assert len(calls) == len(first.losses) + (first.ended == "not finite")
    assert torch.equal(torch.get_rng_state(), before)
    again = range_test(model, optimizer, update, data=lambda: get_batch("train"))
    assert list(first.losses) == list(again.losses)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (get_batch, "is called without arguments, and needs some"),
        ((get_batch("train") for _ in range(300)), "or a function that returns a batch"),
        (5, "data is batches, or a function"),
    ],
)
def test_other_data_is_refused_with_what_to_give(data, says):
    model, optimizer, _ = training()
    with pytest.raises(SchedulerError, match=says):
        range_test(model, optimizer, lambda batch: 1.0, data=data)


def test_a_generator_of_the_function_is_restored_when_it_is_named():
    generator = torch.Generator().manual_seed(3)
    model, optimizer, _ = training()

    def update(data):
        loss = loss_of(model, data)
        optimizer.step()
        return loss

    def batch():
        rows = torch.randint(len(X), (32,), generator=generator)
        return X[rows], X[rows].sum(1, keepdim=True)

    before = generator.get_state()
    range_test(model, optimizer, update, data=batch, stateful={"generator": generator})
    assert torch.equal(generator.get_state(), before)


# --- wrappers ---


class Lookahead:
    """A wrapper that never runs Optimizer's constructor, with a state of its own."""

    def __init__(self, inner):
        self.optimizer, self.steps, self.slow = inner, 0, {}
        self.param_groups, self.state = inner.param_groups, inner.state

    def zero_grad(self):
        self.optimizer.zero_grad()

    def step(self):
        self.optimizer.step()
        self.steps += 1
        if self.steps % 2 == 0:
            for group in self.param_groups:
                for p in group["params"]:
                    slow = self.slow.setdefault(p, p.detach().clone())
                    slow += 0.5 * (p.detach() - slow)
                    p.data.copy_(slow)


class TwoStep(torch.optim.Optimizer):
    """Sharpness-aware minimization, by two steps: the outer `step` is never called."""

    def __init__(self, inner):
        super().__init__(inner.param_groups, {})
        self.base_optimizer, self.param_groups = inner, inner.param_groups

    @torch.no_grad()
    def first_step(self):
        for p in (p for group in self.param_groups for p in group["params"]):
            self.state[p]["old"] = p.clone()
            p.add_(0.01 * p.grad)
        self.zero_grad()

    @torch.no_grad()
    def second_step(self):
        for p in (p for group in self.param_groups for p in group["params"]):
            p.copy_(self.state[p]["old"])
        self.base_optimizer.step()


def step_of(optimizer, model, data):
    loss = loss_of(model, data)
    if isinstance(optimizer, TwoStep):
        optimizer.first_step()
        loss_of(model, data)
        optimizer.second_step()
    else:
        optimizer.step()
    return loss


def state_of(model, inner, outer):
    weights = [p.detach().clone() for p in model.parameters()]
    momentum = [state.get("momentum_buffer") for state in copy.deepcopy(list(inner.state.values()))]
    return weights, momentum, [group["lr"] for group in inner.param_groups], getattr(outer, "steps", 0)


def run(model, inner, outer, updates, before=lambda k: None):
    """The rate of every update, and the state at the end."""
    used = []
    handle = inner.register_step_pre_hook(lambda *_: used.append(inner.param_groups[0]["lr"]))
    for k in range(updates):
        before(k)
        del used[k:]  # what a sweep has used
        outer.zero_grad()
        rows = slice(8 * k, 8 * k + 8)
        step_of(outer, model, (X[rows], X[rows].sum(1, keepdim=True)))
    handle.remove()
    return used, state_of(model, inner, outer)


@pytest.mark.parametrize("at", [0, 3])
@pytest.mark.parametrize("driven", ["inner", "outer"])
@pytest.mark.parametrize(
    ("wrap", "tested"),
    [
        (lambda optimizer: optimizer, "inner"),
        (Lookahead, "outer"),  # whose own counts are no part of the inner one
        (TwoStep, "inner"),
        (TwoStep, "outer"),
    ],
    ids=["plain", "lookahead", "sam from within", "sam"],
)
def test_a_range_test_sweeps_alone_and_the_run_goes_on_bit_for_bit(wrap, tested, driven, at):
    plan = gp.warmup(4) >> gp.cosine(16)

    def go(between):
        model, inner, outer = training(wrap)
        scheduler = Scheduler(inner if driven == "inner" else outer, plan)
        used, state = run(model, inner, outer, 10, lambda k: between(model, inner, outer) if k == at else None)
        assert scheduler.position == 10
        return used, state, scheduler.get_last_lr()

    def sweep(model, inner, outer):
        rates = []
        optimizer = inner if tested == "inner" else outer
        range_test(
            model,
            optimizer,
            lambda data: step_of(outer, model, data),
            data=lambda: get_batch("train"),
            stateful={"outer": outer} if isinstance(outer, torch.optim.Optimizer) and tested == "inner" else None,
            updates=20,
            high=0.1,
            progress=lambda k, rate, loss: rates.append(inner.param_groups[0]["lr"]),
        )
        assert rates == pytest.approx([1e-7 * 1e6 ** (k / 19) for k in range(20)])

    assert_equal(go(sweep), go(lambda *_: None))


def assert_equal(first, second):
    (used, (weights, momentum, rates, steps), last), other = first, second
    assert used == other[0]
    assert all(map(torch.equal, weights, other[1][0]))
    assert len(momentum) == len(other[1][1])
    assert all(a is b or torch.equal(a, b) for a, b in zip(momentum, other[1][1], strict=True))
    assert (rates, steps, last) == (other[1][2], other[1][3], other[2])


def test_several_optimizers_of_one_scheduler_pause_together():
    first, inner, _ = training()
    second, other, _ = training()
    scheduler = Scheduler([inner, other], gp.warmup(10) >> gp.cosine(20))

    def update(data):
        loss = loss_of(first, data) + loss_of(second, data)
        inner.step()
        other.step()
        return loss

    batch = lambda: get_batch("train")
    range_test([first, second], inner, update, data=batch, updates=40, high=1.0, stateful={"other": other})
    assert scheduler.positions == [0, 0]
    assert [group["lr"] for optimizer in (inner, other) for group in optimizer.param_groups] == [0.001, 0.001]


@pytest.mark.filterwarnings("ignore:step.. was called twice")
@pytest.mark.parametrize("clock", ["updates", "calls"])
def test_a_call_of_the_scheduler_is_refused_and_its_position_stays(clock):
    model, optimizer, _ = training()
    scheduler = Scheduler(optimizer, gp.cosine(20), clock=clock)
    for _ in range(3):
        step_of(optimizer, model, get_batch("train"))
        scheduler.step()

    def update(data):
        loss = step_of(optimizer, model, data)
        scheduler.step()
        return loss

    with pytest.raises(SchedulerError, match="leave schedulers out"):
        range_test(model, optimizer, update, data=lambda: get_batch("train"))
    assert scheduler.position == 3
    assert optimizer.param_groups[0]["lr"] == 0.01 * gp.cosine(20)(3)
    step_of(optimizer, model, get_batch("train"))
    scheduler.step()
    assert scheduler.position == 4
