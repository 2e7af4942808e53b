"""PyTorch itself: eager, compiled, on two processes with DDP, and sharded with FSDP2 and a distributed checkpoint."""

import warnings

import pytest
import torch
import torch.distributed.checkpoint as dcp
from torch._dynamo.testing import CompileCounterWithBackend
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_optimizer_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel

import glidepath as gp
from glidepath.torch import Scheduler

from .page import blocks, example
from .processes import in_two_processes
from .seen import PLAN, TWO, expected, two_groups


def test_the_loop_of_the_page_trains_at_the_right_rates():
    model = torch.nn.Linear(4, 2)
    optimizer = two_groups(model)
    example("PyTorch", model=model, optimizer=optimizer, loader=torch.randn(12, 2, 4), plan=PLAN)
    assert optimizer.used == expected(PLAN, 0, 12, TWO)


def recorded(optimizer):
    """The rates within the updates, read by a hook that comes after the driver's."""
    used = []
    hook = lambda o, *rest: used.append([float(group["lr"]) for group in o.param_groups])
    hook._torchdynamo_disable = True
    optimizer.register_step_pre_hook(hook)
    return used


def expected_of_tensor(updates):
    """A rate that is a tensor of single precision: its base, and what is written, are rounded to that."""
    base = torch.tensor(0.1).item()
    return [[torch.tensor(base * PLAN(k)).item()] for k in range(updates)]


@pytest.mark.filterwarnings("ignore:.*lru_cache:UserWarning")  # torch.compile's own
def test_a_compiled_update_uses_the_plan_and_is_compiled_once_for_a_tensor_rate():
    torch._dynamo.reset()
    model, counter = torch.nn.Linear(4, 2), CompileCounterWithBackend("aot_eager")
    shown = example("torch.compile", model=model, plan=PLAN, backend=counter)
    used = recorded(shown["optimizer"])
    graphs = []
    for _ in range(12):
        shown["update"](torch.randn(2, 4))
        graphs.append(counter.frame_count)
    single = expected_of_tensor(12)
    assert used == single
    assert graphs[2] == graphs[-1]  # nothing is compiled again once there are gradients


@pytest.mark.filterwarnings("ignore:.*lru_cache:UserWarning")
def test_a_compiled_training_goes_on_from_a_checkpoint():
    def made():
        shown = example("torch.compile", model=torch.nn.Linear(4, 2), plan=PLAN, backend="eager")
        return shown, recorded(shown["optimizer"])

    torch._dynamo.reset()
    first, used = made()
    second, resumed = made()
    for _ in range(5):
        first["update"](torch.randn(2, 4))
    for name in ("scheduler", "optimizer"):
        second[name].load_state_dict(first[name].state_dict())
    for _ in range(7):
        second["update"](torch.randn(2, 4))
    assert used + resumed == expected_of_tensor(12)


def test_without_other_processes_a_third_sync_at_one_update_is_a_mistake():
    model = torch.nn.Linear(4, 2)
    optimizer = two_groups(model)
    scheduler = Scheduler(optimizer, PLAN)
    train(model, optimizer, 1)
    scheduler.step()
    with pytest.warns(gp.GlidepathWarning, match=r"called twice with no optimizer update.*\[GP701\]"):
        for _ in range(2):  # after the first, a GradScaler may have skipped an update
            scheduler.step()


# --- the update that is none ---


def sgd(parameters, rate, **options):
    return torch.optim.SGD(parameters, lr=rate, **options)


def adam(parameters, rate):
    return torch.optim.AdamW(parameters, lr=rate, foreach=False)


@pytest.mark.parametrize(
    "driven", [{"lr": PLAN, "minimum": 1e-3}, {"lr": PLAN, "weight_decay": PLAN}, {"lr": 0 * PLAN}]
)
@pytest.mark.parametrize("rate", [0.1, torch.tensor(0.1, dtype=torch.float64)])
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("kind", [sgd, adam])
def test_the_step_by_which_pytorch_makes_an_optimizers_state_is_no_update(kind, groups, rate, driven):
    """Its distributed checkpoints call `step` of a new optimizer with rates and gradients of zero."""
    rate = rate.clone() if isinstance(rate, torch.Tensor) else rate
    model = torch.nn.Linear(4, 2)
    chosen = [[model.weight, model.bias]] if groups == 1 else [[model.weight], [model.bias]]
    optimizer = kind([{"params": params, "weight_decay": 0.1} for params in chosen], rate)
    scheduler = Scheduler(optimizer, **driven)
    before, used = [p.clone() for p in model.parameters()], recorded(optimizer)
    get_optimizer_state_dict(model, optimizer)
    assert used == [[0.0] * groups]
    assert scheduler.position == 0
    assert all(map(torch.equal, before, model.parameters()))
    train(model, optimizer, 12)
    minimum = driven.get("minimum", 0.0)
    assert used[1:] == [[max(0.1 * driven["lr"](k), minimum)] * groups for k in range(12)]


@pytest.mark.parametrize("position", [0, 5])
@pytest.mark.parametrize("flat", [False, True])
def test_a_checkpoint_without_marks_loads_under_a_scheduler(flat, position):
    options = StateDictOptions(flatten_optimizer_state_dict=flat)
    first = torch.nn.Linear(4, 2)
    before = adam([{"params": list(first.parameters())}], 0.1)
    train(first, before, 5)
    saved = get_optimizer_state_dict(first, before, options=options)
    model = torch.nn.Linear(4, 2)
    optimizer = adam([{"params": list(model.parameters())}], 0.1)
    Scheduler(optimizer, PLAN, position=position)
    set_optimizer_state_dict(model, optimizer, saved, options=options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gp.GlidepathWarning)
        train(model, optimizer, 1)
    group = optimizer.param_groups[0]
    assert (group["lr"], group["initial_lr"]) == (0.1 * PLAN(position), 0.1)


@pytest.mark.parametrize("kind", [sgd, adam])
@pytest.mark.parametrize("flat", [False, True])
def test_the_marks_of_the_bases_are_away_until_the_next_update_so_that_older_checkpoints_load(kind, flat):
    options = StateDictOptions(flatten_optimizer_state_dict=flat)
    model = torch.nn.Linear(4, 2)
    optimizer = kind([{"params": list(model.parameters())}], 0.1)
    Scheduler(optimizer, PLAN)
    empty = get_optimizer_state_dict(model, optimizer, options=options)
    assert "initial_lr" not in repr(empty)
    train(model, optimizer, 1)
    assert optimizer.param_groups[0]["initial_lr"] == 0.1
    saved = get_optimizer_state_dict(model, optimizer, options=options)
    if kind is adam:
        assert "initial_lr" in repr(saved)


def test_it_is_none_for_a_driver_that_leaves_the_rate_alone_either():
    model = torch.nn.Linear(4, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    scheduler = Scheduler(optimizer, momentum=PLAN)
    get_optimizer_state_dict(model, optimizer)
    assert scheduler.position == 0
    train(model, optimizer, 3)
    assert optimizer.param_groups[0]["momentum"] == 0.9 * PLAN(2)


def test_it_is_none_where_a_parameter_is_frozen_either():
    model = torch.nn.Linear(4, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = Scheduler(optimizer, PLAN)
    model.bias.requires_grad_(False)
    get_optimizer_state_dict(model, optimizer)
    assert scheduler.position == 0


def test_an_update_at_a_rate_of_zero_with_gradients_is_one():
    model = torch.nn.Linear(4, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = Scheduler(optimizer, PLAN)
    optimizer.param_groups[0]["lr"] = 0.0
    train(model, optimizer, 2)
    assert scheduler.position == 2


def test_an_update_without_gradients_yet_is_one_as_a_closure_makes_them():
    model = torch.nn.Linear(4, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = Scheduler(optimizer, PLAN)
    optimizer.param_groups[0]["lr"] = 0.0
    optimizer.step(lambda: model(torch.randn(2, 4)).square().mean().backward())
    assert scheduler.position == 1


def test_an_update_of_an_optimizer_that_has_its_state_is_one():
    model = torch.nn.Linear(4, 2)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    scheduler = Scheduler(optimizer, PLAN)
    train(model, optimizer, 1)
    optimizer.param_groups[0]["lr"] = 0.0
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    assert scheduler.position == 2


# --- two processes ---


def train(model, optimizer, updates):
    for _ in range(updates):
        model(torch.randn(2, 4)).square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()


def _data_parallel(rank, folder):
    warnings.simplefilter("error", gp.GlidepathWarning)
    torch.manual_seed(rank)

    def made():
        model = torch.nn.Linear(4, 2)
        optimizer = two_groups(model)
        return DistributedDataParallel(model), optimizer, Scheduler(optimizer, PLAN)

    model, optimizer, scheduler = made()
    train(model, optimizer, 5)
    state = [thing.state_dict() for thing in (model, optimizer, scheduler)]
    others = made()
    for thing, saved in zip(others, state, strict=True):
        thing.load_state_dict(saved)
    train(*others[:2], 7)
    return optimizer.used + others[1].used


def test_data_parallel_processes_have_the_same_right_rates_also_resumed(tmp_path):
    assert in_two_processes(_data_parallel, tmp_path) == [expected(PLAN, 0, 12, TWO)] * 2


class SeenAdam(torch.optim.AdamW):
    """As `Seen`, with a state to shard."""

    used = ()

    def step(self, closure=None):
        self.used = [*self.used, [float(group["lr"]) for group in self.param_groups]]
        return super().step(closure)


def whole(model):
    """The parameters of a sharded model, each in one piece."""
    return [parameter.full_tensor() for parameter in model.parameters()]


def _sharded(rank, folder):
    warnings.simplefilter("error", gp.GlidepathWarning)

    def made():
        model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Linear(4, 2))
        return example("DDP and FSDP2", model=model, fully_shard=fully_shard, plan=PLAN, AdamW=SeenAdam)

    helpers = [get_optimizer_state_dict, set_optimizer_state_dict]
    names = {"dcp": dcp, "folder": folder / "checkpoint", **{helper.__name__: helper for helper in helpers}}
    save, load = blocks("DDP and FSDP2")[1].split("\n\n")
    first, second = {**made(), **names}, {**made(), **names}
    train(first["model"], first["optimizer"], 5)
    exec(save, first)
    exec(save.splitlines()[0], second)  # the state to load into
    assert second["scheduler"].position == 0
    exec(load, second)
    assert all(map(torch.equal, whole(first["model"]), whole(second["model"])))
    train(second["model"], second["optimizer"], 7)
    return [*first["optimizer"].used, *second["optimizer"].used]


def test_sharded_training_goes_on_from_a_distributed_checkpoint(tmp_path):
    made_its_state = [[0.0]]  # the step that is no update
    used = [*expected(PLAN, 0, 5), *made_its_state, *expected(PLAN, 5, 12)]
    assert in_two_processes(_sharded, tmp_path) == [used] * 2
