"""A scheduler on optimizers that wrap others: right from either object, and every update counts once.

The expected rates are those of the plan at the numbers of the updates that the innermost optimizer really makes; they
are read by the innermost optimizer's own `step`, without any hook.
"""

import copy
import gc
import importlib.util
import inspect
import pickle
import warnings
import weakref
from types import SimpleNamespace

import badam
import optimi
import pytest
import pytorch_optimizer
import schedulefree
import torch
import torch.distributed as dist
from accelerate import Accelerator
from torch import nn

import glidepath as gp
from glidepath.errors import GlidepathWarning, SchedulerError
from glidepath.torch import Scheduler, Set
from glidepath.torch.wrapper_chain import inner_name, is_plain, members_of, steps_by_parameter

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from opacus.optimizers import DPOptimizer
    from torch.distributed.optim import PostLocalSGDOptimizer, ZeroRedundancyOptimizer, _NamedOptimizer

PLAN = gp.warmup(3) >> gp.cosine(20)
UPDATES = 8


def load_timm_lookahead():
    """timm's Lookahead, without the models of `import timm`, which need torchvision."""
    package = importlib.util.find_spec("timm")
    spec = importlib.util.spec_from_file_location(
        "timm_lookahead", f"{package.submodule_search_locations[0]}/optim/lookahead.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Lookahead


class RecordingSGD(torch.optim.SGD):
    """Notes the rate of every update that it makes."""

    def step(self, closure=None):
        self.__dict__.setdefault("rates", []).append(self.param_groups[0]["lr"])
        return super().step(closure)


class Unhooked(torch.optim.Optimizer):
    """A wrapper that never runs Optimizer's constructor; it can fail before and after the inner step."""

    def __init__(self, base):
        self.base_optimizer, self.fails = base, ""
        self.param_groups, self.defaults, self.zero_grad = base.param_groups, base.defaults, base.zero_grad

    def step(self, closure=None):
        if self.fails == "early":
            raise FloatingPointError
        loss = self.base_optimizer.step(closure)
        if self.fails == "late":
            raise FloatingPointError
        return loss


class Hooked(Unhooked):
    """The same with PyTorch's hooks."""

    def __init__(self, base):
        torch.optim.Optimizer.__init__(self, base.param_groups, {})
        super().__init__(base)


class Partial(Unhooked):
    """Makes an update in every third call."""

    def step(self, closure=None):
        self.calls = getattr(self, "calls", 0) + 1
        return None if self.calls % 3 else self.base_optimizer.step(closure)


class GroupByGroup:
    """Is not an Optimizer, and lets the inner one see one group at a time, as DeepSpeed's ZeRO does."""

    def __init__(self, base):
        self.optimizer = base

    @property
    def param_groups(self):
        return self.optimizer.param_groups

    def step(self, closure=None):
        groups = self.optimizer.param_groups
        for group in groups:
            self.optimizer.param_groups = [group]
            self.optimizer.step()
        self.optimizer.param_groups = groups


class Halving(Unhooked):
    """Halves the rate for its own step, from the second on, as AdaScale scales it."""

    def step(self, closure=None):
        rates = [group["lr"] for group in self.param_groups]
        for group in self.param_groups:
            group["lr"] *= 0.5 if hasattr(self.base_optimizer, "rates") else 1.0
        self.base_optimizer.step()
        for group, rate in zip(self.param_groups, rates, strict=True):
            group["lr"] = rate


class Twice(Hooked):
    """Its step and its parent's have hooks, and are nested."""

    def step(self, closure=None):
        return super().step(closure)


class Container(torch.optim.Optimizer):
    """Steps optimizers whose groups are not its own, as torchtitan's containers do."""

    def __init__(self):
        self.optimizers = [sgd(), sgd()]
        super().__init__([p for inner in self.optimizers for p in inner.param_groups[0]["params"]], {"lr": 0.1})

    def step(self, closure=None):
        for inner in self.optimizers:
            inner.step()


class Combined(torch.optim.Optimizer):
    """Steps optimizers whose groups it lists, as torchrec's CombinedOptimizer does."""

    def __init__(self):
        self.optimizers = [sgd(), sgd()]

    @property
    def param_groups(self):
        return [group for inner in self.optimizers for group in inner.param_groups]

    @property
    def state(self):
        return {p: values for inner in self.optimizers for p, values in inner.state.items()}

    step = Container.step


def parameters(count=2):
    made = [nn.Parameter(torch.ones(3, dtype=torch.float64)) for _ in range(count)]
    fill(made)
    return made


def fill(params):
    for parameter in params:
        parameter.grad = torch.ones_like(parameter)


def refill(optimizer):
    fill(optimizer.param_groups[0]["params"])


def closure_of(optimizer):
    def closure():
        with torch.enable_grad():
            refill(optimizer)
        return torch.tensor(1.0)

    return closure


def sgd(rate=0.1):
    return RecordingSGD(parameters(), lr=rate)


def trained(wrapper):
    wrapper.train()
    return wrapper


def build_local_sgd():
    return PostLocalSGDOptimizer(sgd(), SimpleNamespace(step=0, average_parameters=lambda params: None))


WRAPPERS = {
    "SAM": lambda: pytorch_optimizer.SAM(parameters(), RecordingSGD, lr=0.1),
    "Lookahead": lambda: pytorch_optimizer.Lookahead(sgd()),
    "Lookahead of timm": lambda: load_timm_lookahead()(sgd()),
    "PCGrad": lambda: pytorch_optimizer.PCGrad(sgd()),
    "TRAC": lambda: pytorch_optimizer.TRAC(sgd()),
    "OrthoGrad": lambda: pytorch_optimizer.OrthoGrad(sgd()),
    "ScheduleFreeWrapper": lambda: trained(schedulefree.ScheduleFreeWrapper(sgd())),
    "PostLocalSGDOptimizer": build_local_sgd,
    "_NamedOptimizer": lambda: _NamedOptimizer(dict(enumerate(parameters())), RecordingSGD, lr=0.1),
    "two wrappers": lambda: pytorch_optimizer.Lookahead(pytorch_optimizer.SAM(parameters(), RecordingSGD, lr=0.1)),
    "Accelerate": lambda: Accelerator(cpu=True).prepare(sgd()),
    "Accelerate and Lookahead": lambda: Accelerator(cpu=True).prepare(pytorch_optimizer.Lookahead(sgd())),
    "unhooked": lambda: Unhooked(sgd()),
    "hooked": lambda: Hooked(sgd()),
    "nested": lambda: Twice(sgd()),
}


def innermost(optimizer):
    return members_of(optimizer)[-1]


def due(updates, base=0.1, plan=PLAN):
    return [base * plan(k) for k in range(updates)]


# --- the chain ---


@pytest.mark.parametrize("target", ["outer", "inner"])
@pytest.mark.parametrize("name", WRAPPERS)
def test_the_rates_are_the_plans_from_the_wrapper_and_from_the_inner_optimizer(name, target):
    optimizer = WRAPPERS[name]()
    scheduler = Scheduler(optimizer if target == "outer" else innermost(optimizer), PLAN)
    for k in range(UPDATES):
        refill(optimizer)
        if "closure" in inspect.signature(type(optimizer).step).parameters:
            optimizer.step(closure_of(optimizer))
        else:
            optimizer.step()
        assert scheduler.position == k + 1
    assert innermost(optimizer).rates == due(UPDATES)
    assert scheduler.get_last_lr() == due(UPDATES)[-1:]


@pytest.mark.parametrize("name", WRAPPERS)
def test_detaching_leaves_the_step_of_a_wrapper_as_it_was(name):
    optimizer = WRAPPERS[name]()
    attributes = set(vars(optimizer))
    scheduler = Scheduler(optimizer, PLAN)
    refill(optimizer)
    optimizer.step(closure_of(optimizer)) if "SAM" in name or name == "two wrappers" else optimizer.step()
    scheduler.detach()
    assert set(vars(optimizer)) - {"_opt_called"} == attributes
    assert scheduler.position == 1


def test_an_optimizer_that_wraps_none_keeps_the_fast_hooks():
    optimizer = sgd()
    assert members_of(optimizer) == [optimizer]
    assert is_plain(optimizer)
    assert is_plain(Accelerator(cpu=True).prepare(sgd()))
    assert not is_plain(Hooked(sgd()))
    assert not is_plain(load_timm_lookahead()(sgd()))


def test_wrappers_that_refer_to_each_other_end_the_chain():
    inner = sgd()
    outer = Unhooked(inner)
    inner.optimizer = outer
    assert members_of(outer) == [outer, inner]
    assert members_of(inner) == [inner, outer]


def test_an_object_names_the_optimizer_in_it():
    assert inner_name(Unhooked(sgd())) == "optimizer.base_optimizer"
    assert inner_name(SimpleNamespace(engine=sgd())) == "optimizer.engine"
    assert inner_name(SimpleNamespace(optimizers=[sgd(), sgd()])) == "optimizer.optimizers"
    assert inner_name(sgd()) is None


def test_an_optimizer_that_steps_others_with_rates_of_their_own_is_refused_with_their_name():
    optimizer = Container()
    with pytest.raises(SchedulerError, match=r"Container steps .* optimizer\.optimizers"):
        Scheduler(optimizer, PLAN)
    scheduler = Scheduler(optimizer.optimizers, PLAN)
    for _ in range(UPDATES):
        optimizer.step()
    assert scheduler.positions == [UPDATES, UPDATES]
    assert [inner.rates for inner in optimizer.optimizers] == [due(UPDATES)] * 2


def test_an_optimizer_that_lists_the_groups_of_others_is_driven_itself():
    optimizer = Combined()
    scheduler = Scheduler(optimizer, PLAN)
    for _ in range(UPDATES):
        optimizer.step()
    assert scheduler.position == UPDATES
    assert [inner.rates for inner in optimizer.optimizers] == [due(UPDATES)] * 2


# --- which step is an update ---


@pytest.mark.parametrize("target", ["outer", "inner"])
def test_sam_in_two_steps_counts_each_update(target):
    optimizer = pytorch_optimizer.SAM(parameters(), RecordingSGD, lr=0.1)
    scheduler = Scheduler(optimizer if target == "outer" else optimizer.base_optimizer, PLAN)
    for k in range(UPDATES):
        refill(optimizer)
        optimizer.first_step(zero_grad=True)
        refill(optimizer)
        optimizer.second_step(zero_grad=True)
        scheduler.step()
        assert scheduler.position == k + 1
    assert optimizer.base_optimizer.rates == due(UPDATES)


@pytest.mark.parametrize("target", ["outer", "inner"])
def test_a_wrapper_may_scale_the_rate_for_its_own_step(target):
    optimizer = Halving(sgd())
    scheduler = Scheduler(optimizer if target == "outer" else optimizer.base_optimizer, PLAN)
    for _ in range(UPDATES):
        optimizer.step()
    first, *others = due(UPDATES)
    assert optimizer.base_optimizer.rates == [first, *(0.5 * rate for rate in others)]
    assert scheduler.get_last_lr() == due(UPDATES)[-1:]


def test_a_wrapper_that_leaves_the_inner_step_out_makes_no_update():
    optimizer = Partial(sgd())
    scheduler = Scheduler(optimizer, PLAN)
    for _ in range(3 * UPDATES):
        optimizer.step()
    assert scheduler.position == UPDATES
    assert optimizer.base_optimizer.rates == due(UPDATES)


def test_a_wrapper_that_steps_group_by_group_makes_one_update():
    optimizer = GroupByGroup(RecordingSGD([{"params": parameters()}, {"params": parameters(), "lr": 0.01}], lr=0.1))
    scheduler = Scheduler(optimizer, PLAN)
    for k in range(UPDATES):
        optimizer.step()
        assert scheduler.position == k + 1
    assert optimizer.optimizer.rates == [base * PLAN(k) for k in range(UPDATES) for base in (0.1, 0.01)]


@pytest.mark.parametrize("kind", [Unhooked, Hooked])
@pytest.mark.parametrize("fails", ["early", "late"])
@pytest.mark.parametrize("then", ["outer", "inner"])
def test_a_step_that_raises_freezes_nothing(kind, fails, then):
    optimizer = kind(sgd())
    scheduler = Scheduler(optimizer, PLAN)
    optimizer.fails = fails
    for _ in range(3):
        with pytest.raises(FloatingPointError):
            optimizer.step()
    optimizer.fails = ""
    for _ in range(3):
        (optimizer if then == "outer" else optimizer.base_optimizer).step()
    updates = 6 if fails == "late" else 3  # the inner step had changed the weights
    assert optimizer.base_optimizer.rates == due(updates)
    assert scheduler.position == updates


@pytest.mark.parametrize("target", ["outer", "inner"])
def test_badam_copies_the_rate_of_the_plan(target):
    model = nn.ModuleDict({"layers": nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)])})
    base = RecordingSGD(model.parameters(), lr=0.1, weight_decay=0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # on models that are not in half precision
        optimizer = badam.BlockOptimizer(base, list(model.named_parameters()), switch_block_every=3, verbose=0)
    scheduler = Scheduler(optimizer if target == "outer" else base, PLAN)
    for k in range(UPDATES):
        model["layers"][1](model["layers"][0](torch.ones(1, 2))).sum().backward()
        optimizer.step()
        assert scheduler.position == k + 1
    assert base.rates == due(UPDATES)


def test_a_rate_written_into_badams_own_groups_is_a_factor_from_the_inner_optimizer_too():
    model = nn.ModuleDict({"layers": nn.ModuleList([nn.Linear(2, 2)])})
    base = RecordingSGD(model.parameters(), lr=0.1, weight_decay=0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        optimizer = badam.BlockOptimizer(base, list(model.named_parameters()), verbose=0)
    Scheduler(base, gp.constant())
    for k in range(4):
        if k == 2:
            optimizer.param_groups[0]["lr"] *= 0.5
        model["layers"][0](torch.ones(1, 2)).sum().backward()
        optimizer.step()
    assert base.rates == [0.1, 0.1, 0.05, 0.05]


def train_schedule_free(drive):
    """Train a ScheduleFreeWrapper with decay at y, which reads the rate first; `drive` is called before the updates."""
    optimizer = trained(schedulefree.ScheduleFreeWrapper(sgd(), weight_decay_at_y=0.5))
    before = drive(optimizer)
    for k in range(UPDATES):
        before(k)
        refill(optimizer)
        optimizer.step()
    return torch.stack([p.detach() for p in optimizer.param_groups[0]["params"]])


@pytest.mark.parametrize("target", ["outer", "inner"])
def test_schedulefrees_wrapper_decays_at_the_rate_of_the_same_update(target):
    def drive_by_hand(optimizer):
        return lambda k: optimizer.param_groups[0].update(lr=0.1 * PLAN(k))

    def drive(optimizer):
        Scheduler(optimizer if target == "outer" else optimizer.base, PLAN)
        return lambda k: None

    assert torch.equal(train_schedule_free(drive), train_schedule_free(drive_by_hand))


def make_private(optimizer):
    for parameter in optimizer.param_groups[0]["params"]:
        parameter.grad_sample = None
    return DPOptimizer(optimizer, noise_multiplier=0.0, max_grad_norm=1.0, expected_batch_size=4)


@pytest.mark.parametrize("target", ["outer", "inner"])
def test_opacus_counts_logical_batches_and_empty_ones(target):
    optimizer = make_private(sgd())
    scheduler = Scheduler(optimizer if target == "outer" else optimizer.original_optimizer, PLAN)
    batches = [
        4,
        0,
        2,
        4,
        0,
        3,
    ]  # samples, 0 for an empty Poisson batch; at most 2 at a time, as BatchMemoryManager does
    for batch in batches:
        physical = [2] * (batch // 2) + [1] * (batch % 2) or [0]
        for number, size in enumerate(physical):
            optimizer.signal_skip_step(do_skip=number + 1 < len(physical))
            for parameter in optimizer.params:
                parameter.grad_sample = torch.ones(size, 3, dtype=torch.float64)
            optimizer.step()
            optimizer.zero_grad()
    assert scheduler.position == len(batches)
    assert optimizer.original_optimizer.rates == due(len(batches))


def test_a_loaded_wrapper_goes_on_with_the_plan():
    for name in ("SAM", "Lookahead", "PostLocalSGDOptimizer", "ScheduleFreeWrapper"):
        optimizer, other = WRAPPERS[name](), WRAPPERS[name]()
        scheduler, resumed = Scheduler(optimizer, PLAN), Scheduler(other, PLAN)
        run(optimizer, 4)
        other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
        resumed.load_state_dict(scheduler.state_dict())
        run(other, 4)
        assert innermost(other).rates == due(8)[4:], name


def run(optimizer, updates):
    for _ in range(updates):
        refill(optimizer)
        parameters_of_step = inspect.signature(type(optimizer).step).parameters
        optimizer.step(*[closure_of(optimizer)] * ("closure" in parameters_of_step))


# --- gradient release ---


def train_by_release(schedule, *, ends):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    optimizer = optimi.SGD(model.parameters(), lr=0.1, gradient_release=schedule)
    if schedule:
        optimi.prepare_for_gradient_release(model, optimizer)
        scheduler = Scheduler(optimizer, gp.linear(10))
    for k in range(10):
        if not schedule:
            optimizer.param_groups[0]["lr"] = 0.1 * gp.linear(10)(k)
        model(torch.ones(4, 2)).sum().backward()
        if ends or not schedule:
            optimizer.step()
        if schedule and ends:
            assert scheduler.position == k + 1
        optimizer.zero_grad()
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def test_gradient_release_counts_the_step_that_is_given_no_parameter():
    assert torch.equal(train_by_release(True, ends=True), train_by_release(False, ends=True))


def test_gradient_release_without_that_step_is_right_and_warned_of_once():
    with pytest.warns(GlidepathWarning, match=r'clock="calls".*GP731') as caught:
        weights = train_by_release(True, ends=False)
    assert len(caught) == 1
    assert torch.equal(weights, train_by_release(False, ends=False))


def test_gradient_release_with_calls_as_the_clock_is_right():
    torch.manual_seed(0)
    model = nn.Linear(2, 1)
    optimizer = optimi.SGD(model.parameters(), lr=0.1, gradient_release=True)
    optimi.prepare_for_gradient_release(model, optimizer)
    scheduler, rates = Scheduler(optimizer, gp.linear(10), clock="calls"), []
    for _ in range(10):
        rates.append(optimizer.param_groups[0]["lr"])
        model(torch.ones(4, 2)).sum().backward()
        scheduler.step()
    assert rates == due(10, plan=gp.linear(10))


def test_a_step_by_parameter_is_known_by_its_signature():
    params = parameters()
    assert steps_by_parameter(optimi.SGD(params, lr=0.1, gradient_release=True))
    assert not steps_by_parameter(optimi.SGD(params, lr=0.1))
    assert not steps_by_parameter(sgd())


# --- an optimizer that updates on some steps only ---


def test_a_plan_in_steps_on_an_optimizer_that_skips_every_other_one_is_told_of_calls():
    optimizer = sgd()
    scheduler = Scheduler(optimizer, gp.linear(20))
    with pytest.warns(GlidepathWarning, match='clock="calls"'):
        for k in range(20):
            if k % 2:
                optimizer.step()
            scheduler.step()


def test_calls_as_the_clock_follow_an_optimizer_that_updates_on_odd_steps():
    optimizer = sgd()
    scheduler = Scheduler(optimizer, gp.linear(20), clock="calls")
    for k in range(20):
        if k % 2:
            optimizer.step()
        scheduler.step()
    assert optimizer.rates == due(20, plan=gp.linear(20))[1::2]


# --- beside other code ---


@pytest.mark.parametrize("build", [Unhooked, Hooked, pytorch_optimizer.Lookahead], ids=lambda kind: kind.__name__)
def test_a_grad_scaler_skips_the_update_of_a_wrapper(build):
    optimizer = build(sgd())
    scheduler, scaler = Scheduler(optimizer, PLAN), torch.amp.GradScaler("cpu", init_scale=4.0)
    for k in range(6):
        optimizer.zero_grad()
        loss = sum(p.sum() for p in optimizer.param_groups[0]["params"]) * (float("inf") if k in (2, 3) else 1.0)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
    assert scheduler.position == 4
    assert innermost(optimizer).rates == due(4)


@pytest.mark.parametrize("build", [Unhooked, Hooked, pytorch_optimizer.Lookahead], ids=lambda kind: kind.__name__)
def test_a_compiled_step_of_a_wrapper_counts(build):
    torch._dynamo.reset()
    optimizer = build(torch.optim.SGD(parameters(), lr=0.1))
    scheduler, rates = Scheduler(optimizer, PLAN), []
    compiled = torch.compile(lambda: optimizer.step(), backend="eager")
    for k in range(6):
        compiled()
        rates.append(optimizer.param_groups[0]["lr"])
        assert scheduler.position == k + 1
    assert rates == due(6)


def test_accumulation_by_accelerate_counts_updates_of_a_wrapper():
    accelerator = Accelerator(cpu=True, gradient_accumulation_steps=2)
    model = nn.Linear(2, 1)
    model, optimizer = accelerator.prepare(model, pytorch_optimizer.Lookahead(RecordingSGD(model.parameters(), lr=0.1)))
    scheduler = Scheduler(optimizer, PLAN)
    for _ in range(6):
        with accelerator.accumulate(model):
            accelerator.backward(model(torch.ones(1, 2)).sum())
            optimizer.step()
            optimizer.zero_grad()
    assert scheduler.position == 3
    assert innermost(optimizer).rates == due(3)


@pytest.mark.parametrize("target", ["outer", "inner"])
def test_zero_redundancy_is_right_from_either_object(target):
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    try:
        optimizer = ZeroRedundancyOptimizer(parameters(), optimizer_class=RecordingSGD, lr=0.1)
        scheduler = Scheduler(optimizer if target == "outer" else optimizer.optim, PLAN)
        for _ in range(UPDATES):
            refill(optimizer)
            optimizer.step()
    finally:
        dist.destroy_process_group()
    assert scheduler.position == UPDATES
    assert optimizer.optim.rates == due(UPDATES)


def test_schedulers_of_pytorch_join_a_wrapper_before_and_after():
    for first in (True, False):
        optimizer = Unhooked(sgd())
        factors = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda k: 1.0) if first else None
        scheduler = Scheduler(optimizer, weight_decay=Set(gp.linear(10)))
        factors = factors or torch.optim.lr_scheduler.LambdaLR(optimizer, lambda k: 1.0)
        for _ in range(3):
            optimizer.step()
            factors.step()
        assert scheduler.position == 3
        assert "closure" in inspect.signature(optimizer.step).parameters
        scheduler.detach()
        optimizer.step()
        assert scheduler.position == 3


def test_two_schedulers_on_a_wrapper_go_separately():
    optimizer = Unhooked(sgd())
    rates, decays = Scheduler(optimizer, PLAN), Scheduler(optimizer, weight_decay=Set(gp.linear(10)))
    optimizer.step()
    rates.detach()
    optimizer.step()
    decays.detach()
    optimizer.step()
    assert (rates.position, decays.position) == (1, 2)
    assert "step" not in vars(optimizer)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda wrapper: pickle.loads(pickle.dumps(wrapper))])
def test_a_copy_of_a_wrapper_steps_itself(duplicate):
    optimizer = trained(schedulefree.ScheduleFreeWrapper(torch.optim.SGD(parameters(), lr=0.1)))
    scheduler = Scheduler(optimizer, PLAN)
    other = duplicate(optimizer)
    refill(other)
    other.step()
    assert scheduler.position == 0
    assert (optimizer.param_groups[0]["params"][0] == 1).all()
    assert (other.param_groups[0]["params"][0] < 1).all()


def test_a_wrapper_shows_the_signature_of_its_step():
    optimizer = Unhooked(sgd())
    before = inspect.signature(optimizer.step)
    Scheduler(optimizer, PLAN)
    assert inspect.signature(optimizer.step) == before
    assert optimizer.step.__name__ == "step"


@pytest.mark.parametrize("target", ["outer", "inner"])
@pytest.mark.parametrize("name", ["SAM", "Lookahead", "PCGrad", "unhooked", "hooked"])
def test_a_scheduled_wrapper_is_freed_without_the_garbage_collector(name, target):
    gc.collect()
    gc.disable()
    try:
        optimizer = WRAPPERS[name]()
        inner = innermost(optimizer)
        references = [weakref.ref(part) for part in (optimizer, inner, inner.param_groups[0]["params"][0])]
        scheduler = Scheduler(optimizer if target == "outer" else inner, PLAN)
        run(optimizer, 2)
        del scheduler, optimizer, inner
        assert [reference() for reference in references] == [None, None, None]
    finally:
        gc.enable()


def test_a_wrapper_that_forwards_by_getattr_is_refused_with_the_optimizer_in_it():
    class Forwarding:
        def __init__(self, opt):
            self.opt = opt

        def __getattr__(self, name):
            return getattr(self.__dict__["opt"], name)

    with pytest.raises(gp.SchedulerError, match=r"Forwarding is not.*give the optimizer in it, optimizer\.opt"):
        Scheduler(Forwarding(sgd(0.1)), gp.cosine(9))
