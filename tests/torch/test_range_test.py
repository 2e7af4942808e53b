"""The range test sweeps the rate, counts updates, and leaves every bit as it was."""

import math
import random
import socket
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, RandomSampler, TensorDataset
from torchdata.stateful_dataloader import StatefulDataLoader

import glidepath as gp
from glidepath.errors import RunError, SchedulerError
from glidepath.study.engine.state import digest
from glidepath.torch import Scheduler, Set, range_test, set_rate
from glidepath.torch.randomness import get_rng_state, seed_everything

X = torch.randn(256, 8, generator=torch.Generator().manual_seed(1))
Y = (X.sum(1) > 0).long()
DATA = TensorDataset(X, Y)


class Net(nn.Module):
    """Everything that a state may leave out: a hidden buffer, a counter, a list of tensors, dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 2))
        self.register_buffer("calls", torch.zeros(()), persistent=False)
        self.seen, self.history, self.extent = 0, [torch.zeros(2)], np.zeros(3)

    def forward(self, x):
        self.calls += 1
        self.seen += 1
        self.history.append(torch.ones(2))
        self.history[0] += 1
        self.extent += 1
        return self.body(x)


def everything(model, optimizer, *more):
    """A digest of all that a training is."""
    own = [dict(vars(module)) for module in model.modules() if isinstance(module, Net)]
    return digest(
        {
            "weights": {name: tensor.clone() for name, tensor in model.state_dict().items()},
            "gradients": [None if p.grad is None else p.grad.clone() for p in model.parameters()],
            "hidden": [buffer.clone() for buffer in model.buffers()],
            "modes": [module.training for module in model.modules()],
            "own": [[one["seen"], list(one["history"]), one["extent"].copy()] for one in own],
            "optimizer": optimizer.state_dict(),
            "randomness": get_rng_state(),
            "more": [thing.state_dict() for thing in more],
        }
    )


def training(optimizer="sgd", **options):
    seed_everything(3)
    model = Net()
    kinds: dict[str, Callable[..., Any]] = {
        "sgd": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9),
        "adamw": lambda p: torch.optim.AdamW(p, lr=1e-3),
        "fused": lambda p: torch.optim.AdamW(p, lr=1e-3, fused=True),
        "capturable": lambda p: torch.optim.NAdam(p, lr=torch.tensor(1e-3), foreach=False),
        "rmsprop": lambda p: torch.optim.RMSprop(p, lr=1e-3, centered=True),
    }
    return model, kinds[optimizer](model.parameters())


def step_of(model, optimizer):
    def update(batch):
        x, y = batch
        loss = functional.cross_entropy(model(x + 0.01 * torch.randn_like(x) + random.random() + np.random.rand()), y)
        loss.backward()
        optimizer.step()
        return loss

    return update


def losses_of(model, optimizer, loader, updates=12):
    """What a plain loop goes on to see."""
    update, seen = step_of(model, optimizer), []
    for batch in loader:
        optimizer.zero_grad()
        seen.append(float(update(batch).detach()))
        if len(seen) == updates:
            break
    return seen


class Stop(Exception):
    pass


def stopping(update, error):
    """The same update, which raises after the eighth."""
    made = []

    def stopped(batch):
        made.append(update(batch))
        if len(made) == 8:
            raise error
        return made[-1]

    return stopped


@pytest.mark.parametrize("trained", [0, 3])
@pytest.mark.parametrize("kind", ["sgd", "adamw", "fused", "capturable", "rmsprop"])
@pytest.mark.parametrize("error", [None, Stop, KeyboardInterrupt])
def test_every_bit_is_put_back(kind, trained, error):
    runs = []
    for swept in (False, True):
        model, optimizer = training(kind)
        loader = DataLoader(DATA, batch_size=16, shuffle=True, generator=torch.Generator().manual_seed(5))
        scheduler = Scheduler(optimizer, gp.warmup(4) >> gp.cosine(40))
        if trained:
            losses_of(model, optimizer, loader, trained)
        model.eval()
        if swept:
            before, update = everything(model, optimizer, scheduler), step_of(model, optimizer)
            if error is None:
                range_test(model, optimizer, update, data=loader, updates=40)
            else:
                with pytest.raises(error):
                    range_test(model, optimizer, stopping(update, error), data=loader, updates=40)
            assert everything(model, optimizer, scheduler) == before
        runs.append((losses_of(model, optimizer, loader), scheduler.position, everything(model, optimizer, scheduler)))
    assert runs[0] == runs[1]


def test_a_scheduler_resumes_as_if_nothing_had_happened():
    model, optimizer = training()
    plan = gp.warmup(3) >> gp.linear(30)
    scheduler, used = Scheduler(optimizer, plan), []
    optimizer.register_step_pre_hook(lambda one, *_: used.append(one.param_groups[0]["lr"]))
    loader = DataLoader(DATA, batch_size=32)
    losses_of(model, optimizer, loader, 5)
    scheduler.step()
    optimizer.param_groups[0]["lr"] *= 0.5  # by hand, before any update has seen it
    range_test(model, optimizer, step_of(model, optimizer), data=loader, updates=20)
    swept, used[5:] = used[5:], []
    losses_of(model, optimizer, loader, 4)
    assert len(swept) == 20
    assert used == [0.05 * plan(k) for k in range(5)] + [0.5 * 0.05 * plan(k) for k in range(5, 9)]
    assert scheduler.position == 9


def test_update_k_uses_its_rate_and_groups_keep_their_ratio():
    model = Net()
    halves = [{"params": model.body[0].parameters()}, {"params": model.body[4].parameters(), "lr": 0.2}]
    optimizer = torch.optim.SGD(halves, lr=0.05)
    used = []
    optimizer.register_step_pre_hook(lambda one, *_: used.append([group["lr"] for group in one.param_groups]))
    update = step_of(model, optimizer)
    result = range_test(model, optimizer, lambda k: update(DATA[k * 32 % 256 : k * 32 % 256 + 32]), low=1e-4, high=0.1)
    assert len(used) == 200
    assert [row[1] for row in used] == pytest.approx(np.geomspace(1e-4, 0.1, 200), rel=1e-9)
    assert [row[0] for row in used] == pytest.approx([row[1] / 4 for row in used], rel=1e-9)
    assert result.rates.tolist() == [row[1] for row in used]
    assert [group["lr"] for group in optimizer.param_groups] == [0.05, 0.2]


def test_the_losses_are_those_of_a_plain_loop_at_these_rates():
    batches = [*zip(X.split(32), Y.split(32), strict=True)]
    model, optimizer = training()
    result = range_test(model, optimizer, step_of(model, optimizer), data=batches)
    model, optimizer = training()
    expected, update = [], step_of(model, optimizer)
    for k, rate in enumerate(result.rates):
        optimizer.param_groups[0]["lr"] = float(rate)
        optimizer.zero_grad()
        expected.append(float(update(batches[k % 8]).detach()))
    assert result.losses.tolist() == expected
    assert len(expected) > 100


def test_an_update_begins_with_no_gradient_and_in_training_mode():
    model, optimizer = training()
    losses_of(model, optimizer, DataLoader(DATA, batch_size=32), 2)
    model(X).sum().backward()  # half of an accumulation
    left = [p.grad.clone() for p in model.parameters()]
    held = [p.grad for p in model.parameters()]
    model.eval()
    seen = []

    def update(step):
        seen.append((model.training, all(p.grad is None for p in model.parameters())))
        loss = model(X).square().mean()
        loss.backward()
        for p in held:
            p.add_(1)  # other code that kept the old gradients writes into them
        optimizer.step()
        return loss

    range_test(model, optimizer, update, updates=20, high=1e-3)
    assert set(seen) == {(True, True)}
    assert not model.training
    assert all(p.grad is one for p, one in zip(model.parameters(), held, strict=True))
    assert all(torch.equal(p.grad, one) for p, one in zip(model.parameters(), left, strict=True))


def test_accumulation_counts_updates():
    model, optimizer = training()

    def update(step):
        total = 0.0
        for x in X.split(64):
            loss = model(x).square().mean() / 4
            loss.backward()
            total += float(loss.detach())
        optimizer.step()
        return total

    result = range_test(model, optimizer, update, low=1e-4, high=1e-2, updates=25)
    assert len(result.losses) == 25
    assert model.seen == 0


def test_an_update_that_a_scaler_skips_is_asked_for_again():
    model, optimizer = training("fused")
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**40, growth_interval=10_000)
    asked: list[int] = []

    def update(step):
        asked.append(step)
        loss = functional.cross_entropy(model(X.half().float()), Y)
        scaler.scale(loss * 1e30).backward()
        scaler.step(optimizer)
        scaler.update()
        return loss

    result = range_test(model, optimizer, update, updates=20, low=1e-6, high=1e-3, stateful={"scaler": scaler})
    assert asked.count(0) > 1
    assert asked.count(19) == 1
    assert len(result.losses) == 20
    assert scaler.get_scale() == 2.0**40


@pytest.mark.filterwarnings("ignore:'set_vital' is deprecated")  # torchdata calls it
def test_a_loader_that_knows_its_place_gets_it_back():
    model, optimizer = training()
    loader = StatefulDataLoader(DATA, batch_size=16, shuffle=False)
    place = iter(loader)
    first = [next(place)[0] for _ in range(3)]
    state = loader.state_dict()
    range_test(model, optimizer, step_of(model, optimizer), data=loader, updates=20)
    assert len(first) == 3
    assert torch.equal(next(iter(loader))[0], X[48:64])
    assert state["_num_yielded"] == 3


def test_a_sweep_stops_when_the_loss_runs_away():
    model, optimizer = training()
    result = range_test(model, optimizer, step_of(model, optimizer), data=DataLoader(DATA, batch_size=32), high=1e6)
    assert result.ended in ("diverged", "not finite")
    assert result.rates[-1] < 1e6
    assert np.isfinite(result.losses).all()
    assert all(torch.isfinite(p).all() for p in model.parameters())


def test_a_loss_that_is_no_number_ends_the_sweep():
    model, optimizer = training()
    result = range_test(
        model, optimizer, lambda k: (optimizer.step(), 5.0 - k / 100 if k < 30 else math.nan)[1], updates=50
    )
    assert result.ended == "not finite"
    assert len(result.losses) == 30


def test_a_loss_that_runs_away_at_once_is_told():
    model, optimizer = training()
    with pytest.raises(RunError, match="begin at a lower rate"):
        range_test(model, optimizer, lambda k: (optimizer.step(), 10.0**k)[1])
    assert optimizer.param_groups[0]["lr"] == 0.05


def test_losses_below_zero_can_be_swept():
    model, optimizer = training()
    result = range_test(model, optimizer, lambda k: (optimizer.step(), -100.0 - k)[1], updates=30)
    assert result.ended == "swept"


def test_progress_is_told():
    model, optimizer = training()
    told: list[tuple[int, float, float]] = []
    result = range_test(
        model,
        optimizer,
        step_of(model, optimizer),
        data=DataLoader(DATA, batch_size=32),
        updates=20,
        progress=lambda *now: told.append(now),
    )
    assert told == list(zip(range(20), result.rates, result.losses, strict=True))


@pytest.mark.parametrize(
    ("update", "said"),
    [
        (lambda optimizer, scheduler: optimizer.step(), "returned None"),
        (lambda optimizer, scheduler: 1.0, "made no update of the optimizer, 100 times"),
        (lambda optimizer, scheduler: (optimizer.step(), optimizer.step(), 1.0)[2], "made 2 updates"),
        (lambda optimizer, scheduler: (scheduler.step(), optimizer.step(), 1.0)[2], "leave schedulers out"),
        (lambda optimizer, scheduler: (optimizer.step(), torch.ones(3))[1], "a tensor with one element"),
    ],
)
@pytest.mark.filterwarnings("ignore:step.. was called twice")
def test_an_update_that_is_none_is_refused(update, said):
    model, optimizer = training()
    scheduler = Scheduler(optimizer, gp.cosine(100))
    with pytest.raises(SchedulerError, match=said):
        range_test(model, optimizer, lambda step: update(optimizer, scheduler))
    assert optimizer.param_groups[0]["lr"] == 0.05


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"data": iter([1, 2])}, SchedulerError, "give the loader itself"),
        ({"data": []}, SchedulerError, "no batch"),
        ({"low": 1.0, "high": 0.1}, SchedulerError, "rises from low to high"),
        ({"low": 0}, gp.ScheduleError, "low"),
        ({"updates": 19}, gp.ScheduleError, "updates"),
        ({"stateful": {"average": object()}}, SchedulerError, "stateful 'average' cannot be restored"),
    ],
)
def test_what_cannot_be_swept_is_refused(arguments, error, said):
    model, optimizer = training()
    with pytest.raises(error, match=said):
        range_test(model, optimizer, lambda given: (optimizer.step(), 1.0)[1], **arguments)
    assert optimizer.param_groups[0]["lr"] == 0.05


def test_a_rate_of_zero_has_no_ratio():
    model, optimizer = training()
    optimizer.param_groups[0]["lr"] = 0.0
    with pytest.raises(SchedulerError, match="every group has the rate 0"):
        range_test(model, optimizer, lambda step: 1.0)


def test_stateful_things_are_restored():
    model, optimizer = training()
    average = torch.optim.swa_utils.AveragedModel(model)
    generator = torch.Generator().manual_seed(7)
    before = digest([average.state_dict(), generator.get_state()])

    def update(step):
        x = X[torch.randint(256, (32,), generator=generator)]
        loss = model(x).square().mean()
        loss.backward()
        optimizer.step()
        average.update_parameters(model)
        return loss

    range_test(model, optimizer, update, updates=20, high=0.1, stateful={"average": average, "generator": generator})
    assert digest([average.state_dict(), generator.get_state()]) == before


class Odd(nn.Module):
    """What a model may hold besides weights."""

    def __init__(self) -> None:
        super().__init__()
        self.line, self.norm = nn.Linear(8, 1), nn.BatchNorm1d(8)
        self.register_buffer("expanded", torch.zeros(1).expand(4))
        with torch.inference_mode():
            self.made_in_inference = torch.ones(2)
        self.fixed = np.ones(2)
        self.fixed.flags.writeable = False
        self.generators = [np.random.default_rng(1), random.Random(1), np.random.RandomState(1)]

    def drawn(self):
        own, plain, old = self.generators
        return float(own.random()), plain.random(), float(old.rand())


def test_odd_things_in_a_model_are_put_back():
    seed_everything(0)
    model = Odd()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)

    def update(step):
        model.drawn()
        model.norm.momentum *= 0.9
        with torch.inference_mode():
            model.made_in_inference += 1
        loss = model.line(model.norm(X)).square().mean()
        loss.backward()
        optimizer.step()
        model.line.bias.requires_grad_(False)
        model.line.weight.data = model.line.weight.data.double().float()
        return loss

    before, weight, other = digest(model.state_dict()), model.line.weight, Odd()
    place = weight.data_ptr()
    range_test(model, optimizer, update, updates=20, high=0.1)
    assert digest(model.state_dict()) == before
    assert (weight.data_ptr(), weight.dtype, model.line.bias.requires_grad) == (place, torch.float32, True)
    assert (model.norm.momentum, model.made_in_inference.tolist(), optimizer.param_groups[0]["lr"]) == (
        0.1,
        [1, 1],
        0.05,
    )
    assert model.drawn() == other.drawn()


def test_weights_that_were_given_another_type_are_put_back():
    model, optimizer = training()
    before = everything(model, optimizer)

    def update(step):
        loss = model(X).square().mean()
        loss.backward()
        optimizer.step()
        model.body[0].weight.data = model.body[0].weight.data.half()
        raise Stop

    with pytest.raises(Stop):
        range_test(model, optimizer, update)
    assert everything(model, optimizer) == before


def test_another_stateful_optimizer_is_restored_with_its_scheduler():
    model, optimizer = training()
    second = nn.Linear(8, 1)
    other = torch.optim.AdamW(second.parameters(), lr=0.01)
    scheduler = Scheduler(other, gp.linear(50))

    def update(step):
        for one, by in ((model, optimizer), (second, other)):
            loss = one(X).square().mean()
            loss.backward()
            by.step()
            by.zero_grad()
        return loss

    update(0)
    before = everything(second, other, scheduler)
    range_test(model, optimizer, update, updates=20, high=0.1, stateful={"second": second, "other": other})
    assert everything(second, other, scheduler) == before
    assert scheduler.position == 1
    update(1)
    assert scheduler.position == 2


def test_a_generator_of_the_sampler_is_put_back():
    model, optimizer = training()
    orders = []
    for swept in (False, True):
        generator = torch.Generator().manual_seed(11)
        loader = DataLoader(DATA, batch_size=32, sampler=RandomSampler(DATA, generator=generator))
        if swept:
            range_test(model, optimizer, step_of(model, optimizer), data=loader, updates=20)
        orders.append(torch.cat([x for x, _ in loader]))
    assert torch.equal(*orders)


def test_workers_that_persist_are_refused():
    model, optimizer = training()
    loader = DataLoader(DATA, batch_size=32, num_workers=1, persistent_workers=True)
    with pytest.raises(SchedulerError, match="build a second loader"):
        range_test(model, optimizer, step_of(model, optimizer), data=loader)


@pytest.mark.filterwarnings("ignore:Lazy modules are a new feature")
def test_a_lazy_model_is_refused():
    model = nn.LazyLinear(2)
    optimizer = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=0.1)
    with pytest.raises(SchedulerError, match="run the model on one batch first"):
        range_test(model, optimizer, lambda step: 1.0)


def test_a_group_that_is_added_in_the_middle_is_refused():
    model, optimizer = training()

    def update(step):
        optimizer.add_param_group({"params": [nn.Parameter(torch.ones(1))]})
        optimizer.step()
        return 1.0

    with pytest.raises(SchedulerError, match="add it before the range test"):
        range_test(model, optimizer, update)
    assert len(optimizer.param_groups) == 1


def test_what_cannot_be_put_back_spoils_nothing_else():
    model, optimizer = training()
    before = everything(model, optimizer)

    class Stubborn:
        def state_dict(self):
            return {}

        def load_state_dict(self, state):
            raise ValueError("no")

    with pytest.raises(SchedulerError, match="not everything could be restored: no"):
        range_test(
            model,
            optimizer,
            step_of(model, optimizer),
            data=DataLoader(DATA, batch_size=32),
            stateful={"first": Stubborn()},
        )
    assert everything(model, optimizer) == before


def test_references_to_tensors_and_groups_still_hold():
    model, optimizer = training("adamw")
    losses_of(model, optimizer, DataLoader(DATA, batch_size=32), 2)
    weights = list(model.parameters())
    group, averages = optimizer.param_groups[0], [optimizer.state[p]["exp_avg"] for p in weights]
    range_test(model, optimizer, step_of(model, optimizer), data=DataLoader(DATA, batch_size=32), updates=20)
    assert optimizer.param_groups[0] is group
    assert all(one is other for one, other in zip(model.parameters(), weights, strict=True))
    assert all(optimizer.state[p]["exp_avg"] is one for p, one in zip(weights, averages, strict=True))


# --- several processes ---


def sweep_in_a_process(rank, port, results):
    """Half of the data, twice the noise of the other in one of them; losses must be shared."""
    torch.distributed.init_process_group("gloo", f"tcp://127.0.0.1:{port}", world_size=2, rank=rank)
    seed_everything(3)
    model = nn.parallel.DistributedDataParallel(Net())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    loader = DataLoader(TensorDataset(X[rank::2], Y[rank::2]), batch_size=32)
    before = digest(model.state_dict())
    result = range_test(model, optimizer, step_of(model, optimizer), data=loader, high=1e4)
    results[rank] = (result.losses.tolist(), result.ended, result["steepest"], digest(model.state_dict()) == before)
    torch.distributed.destroy_process_group()


@pytest.mark.filterwarnings("ignore")
def test_several_processes_see_one_loss_and_stop_alike():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with torch.multiprocessing.Manager() as manager:
        results = manager.dict()
        torch.multiprocessing.spawn(sweep_in_a_process, (port, results), nprocs=2)
        first, second = results[0], results[1]
    assert first == second
    assert first[1] in ("diverged", "not finite")
    assert first[3]


# --- putting a suggestion to use ---

TORCHS: dict[str, Callable[[Any], Any]] = {
    "LambdaLR": lambda one: torch.optim.lr_scheduler.LambdaLR(one, lambda k: 1 / (1 + k)),
    "StepLR": lambda one: torch.optim.lr_scheduler.StepLR(one, 3),
    "CosineAnnealingLR": lambda one: torch.optim.lr_scheduler.CosineAnnealingLR(one, 20),
    "OneCycleLR": lambda one: torch.optim.lr_scheduler.OneCycleLR(one, [0.1, 0.4], total_steps=30),
    "CyclicLR": lambda one: torch.optim.lr_scheduler.CyclicLR(one, [0.01, 0.04], [0.1, 0.4], step_size_up=4),
    "SequentialLR": lambda one: torch.optim.lr_scheduler.SequentialLR(
        one,
        [torch.optim.lr_scheduler.LinearLR(one, 0.1, total_iters=4), torch.optim.lr_scheduler.ExponentialLR(one, 0.9)],
        [5],
    ),
    "ours": lambda one: Scheduler(one, gp.warmup(4) >> gp.cosine(20)),
}


def two_groups():
    parameters = [nn.Parameter(torch.ones(1)) for _ in range(2)]
    return torch.optim.SGD([{"params": [p], "lr": rate} for p, rate in zip(parameters, (0.1, 0.4), strict=True)], lr=1)


@pytest.mark.parametrize("after", [0, 3])
@pytest.mark.parametrize("name", TORCHS)
def test_a_new_rate_lasts(name, after):
    seen = []
    for factor in (1, 2.5):
        optimizer = two_groups()
        scheduler = TORCHS[name](optimizer)
        used = []
        for k in range(15):
            if k == after and factor != 1:
                highest = max(group.get("initial_lr", 0.4) for group in optimizer.param_groups)
                set_rate(scheduler, highest * factor)
            optimizer.step()
            used.append([group["lr"] for group in optimizer.param_groups])
            scheduler.step()
        seen.append(used)
    plain, scaled = seen
    np.testing.assert_allclose(scaled[after:], 2.5 * np.array(plain[after:]), rtol=1e-12)
    assert scaled[:after] == plain[:after]


def test_a_new_rate_of_an_optimizer_alone():
    optimizer = two_groups()
    set_rate(optimizer, 0.8)
    assert [group["lr"] for group in optimizer.param_groups] == [0.2, 0.8]
    tensor = torch.tensor(0.1)
    optimizer = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=tensor)
    set_rate(optimizer, 0.3)
    assert optimizer.param_groups[0]["lr"] is tensor
    assert float(tensor) == pytest.approx(0.3)


def test_a_new_rate_for_an_optimizer_with_a_scheduler_is_refused():
    optimizer = two_groups()
    Scheduler(optimizer, gp.cosine(10))
    with pytest.raises(SchedulerError, match=r"set_rate\(scheduler, rate\)"):
        set_rate(optimizer, 0.8)
    other = two_groups()
    Scheduler(other, weight_decay=Set(gp.cosine(10)))
    set_rate(other, 0.8)
    assert other.param_groups[1]["lr"] == 0.8


@pytest.mark.parametrize("rate", [0, -1, math.nan, "fast"])
def test_a_rate_is_above_zero(rate):
    with pytest.raises(gp.ScheduleError, match="rate"):
        set_rate(two_groups(), rate)


def test_only_schedulers_and_optimizers_take_a_rate():
    with pytest.raises(SchedulerError, match="not a Linear"):
        set_rate(nn.Linear(1, 1), 0.1)  # type: ignore[arg-type]
    optimizer = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=0.0)
    with pytest.raises(SchedulerError, match="set one above 0 first"):
        set_rate(optimizer, 0.1)
