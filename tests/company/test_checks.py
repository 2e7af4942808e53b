"""What is checked before anything is written: values, tensors, groups, and what can be driven at all."""

import copy
import math
import pickle
import time
import warnings

import pytest
import torch

import glidepath as gp
import glidepath.torch
from glidepath.errors import GlidepathWarning, SchedulerError
from glidepath.torch import Scheduler, Set
from glidepath.torch.skipped_steps import has_overflow, is_dry_step

from ..torch.loops import parameter, rates, sgd

NEGATIVE = "sin(step) / max(step, 1)"


def check(optimizer, position=0, steps=None, **arguments):
    """Build a scheduler, or raise and leave the optimizer as it was."""
    before = [dict(group) for group in optimizer.param_groups]
    try:
        scheduler = Scheduler(optimizer, position=position, horizon=steps, base=None, **arguments)
    except SchedulerError:
        assert [dict(group) for group in optimizer.param_groups] == before
        assert not optimizer._optimizer_step_pre_hooks
        raise
    scheduler.detach()


def adam(*lrs, **options):
    groups = [{"params": [parameter()], "lr": lr} for lr in lrs or (0.1,)]
    return torch.optim.AdamW(groups, **options)


# --- values ---


@pytest.mark.parametrize(
    "plan, step",
    [
        (gp.formula(NEGATIVE)[:100], 4),  # sin(4) is the first below 0
        (gp.linear(10, to=-0.1), 10),
        (gp.cosine(100) + -0.5, 51),
        (gp.constant(50_000) >> gp.linear(10, to=-1.0), 50_006),
        (gp.warmup(100) >> gp.formula("0.5 - step")[:3], 101),
    ],
)
def test_a_plan_that_turns_negative_is_refused_with_the_update(plan, step):
    first = next(k for k in range(plan.duration + 1) if plan(k) < -1e-12)
    assert first == step
    optimizer = sgd(0.1, weight_decay=0.1, momentum=0.9)
    for name in ("lr", "weight_decay", "momentum"):
        message = rf"{name} of group 0 would be -.* at update {step:,},.*at least 0.*clip"
        with pytest.raises(SchedulerError, match=message):
            check(optimizer, **{name: plan})
    with pytest.raises(SchedulerError, match=f"eps .* at update {step:,},"):
        check(adam(), eps=plan)


def test_a_plan_without_an_end_is_searched_over_the_run():
    check(sgd(0.1), lr=NEGATIVE_TEXT)
    check(sgd(0.1), lr=NEGATIVE_TEXT, steps=4)
    with pytest.raises(SchedulerError, match="at update 4,"):
        check(sgd(0.1), lr=NEGATIVE_TEXT, steps=5)


NEGATIVE_TEXT = f"formula('{NEGATIVE}')"


def test_without_a_length_it_is_refused_before_the_update_that_would_be_negative():
    optimizer = adam()
    scheduler = Scheduler(optimizer, "formula('cos(step / 2)')")
    for _ in range(4):
        optimizer.step()
    with pytest.raises(SchedulerError, match=r"lr of group 0 would become -.* at update 4,"):
        optimizer.step()
    assert scheduler.position == 4
    assert rates(optimizer) == [0.1 * math.cos(1.5)]


@pytest.mark.parametrize("change", ["replace", "cooldown"])
def test_another_plan_on_a_living_run_is_checked_too(change):
    optimizer = adam()
    scheduler = Scheduler(optimizer, gp.cosine(40))
    optimizer.step()
    before = rates(optimizer)
    with pytest.raises(SchedulerError, match=r"would be -.* at update 1[01], and must be at least 0"):
        getattr(scheduler, change)(gp.linear(10, to=-0.1))
    assert rates(optimizer) == before
    optimizer.step()
    assert rates(optimizer) == [0.1 * gp.cosine(40)(1)]


def test_updates_that_are_made_are_not_looked_at():
    plan = gp.formula("10 - step")[:5] >> gp.constant(20)
    check(sgd(0.1), lr=plan)
    plan = gp.formula("step - 5")[:20]
    check(sgd(0.1), lr=plan, position=5)
    with pytest.raises(SchedulerError):
        check(sgd(0.1), lr=plan, position=4)


def test_a_floor_makes_it_right():
    plan = gp.formula(NEGATIVE)[:100]
    check(sgd(0.1), lr=plan, minimum=0.0)
    check(sgd(0.1), lr=gp.clip(plan, minimum=0.0))


@pytest.mark.parametrize("to, word", [(1.0, "1 at update 10"), (1.2, "1.02 at update 8"), (-0.1, "-0")])
def test_betas_outside_their_bounds_are_refused(to, word):
    plan = gp.linear(10, start=0.3, to=to)
    with pytest.raises(SchedulerError, match=rf"betas\[0\] of group 0 would be {word}.*in \[0, 1\)"):
        check(adam(), betas=(Set(plan), None))
    check(adam(), betas=(Set(gp.linear(10, start=0.0, to=0.999)), None))


def test_other_hyperparameters_may_be_anything():
    optimizer = sgd(0.1)
    optimizer.param_groups[0]["shift"] = 1.0
    check(optimizer, shift=gp.formula(NEGATIVE)[:100])


def test_rounding_below_zero_is_not_negative():
    plan = gp.constant(1) * 0.3 + -0.1 + -0.2
    assert plan(0) < 0
    check(sgd(0.1), lr=gp.constant(5) >> plan[:5])


def test_a_python_function_is_never_asked_ahead():
    def function(step):
        assert step == 0
        return -1.0 * step

    check(sgd(0.1), lr=gp.formula(function)[:100])


def test_no_recipe_at_its_default_is_refused_and_no_numpy_warning_appears():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for plan in (gp.cosine(1000), gp.wsd(1000, warmup=10, cooldown=100), gp.rex(1000), gp.linear(1000)):
            check(sgd(0.1), lr=plan)
        check(sgd(0.1), lr=gp.formula("exp(step)")[:2000])
        check(sgd(0.1), lr=gp.formula("1 + 0 / (5 - step)")[:2000])


def test_the_error_names_the_group_by_number_and_name():
    optimizer = sgd(0.1, 0.2)
    optimizer.param_groups[1]["name"] = "head"
    with pytest.raises(SchedulerError, match=r'lr of head of group 1 \("head"\) would be'):
        check(optimizer, lr={"head": gp.linear(10, to=-1.0)})


def test_a_million_updates_cost_little():
    optimizer = sgd(*[0.1 * 0.97**i for i in range(200)])
    started = time.process_time()
    check(optimizer, lr=gp.warmup(1000) >> gp.cosine(999_000))
    assert time.process_time() - started < 0.5  # 0.015 for the values where it was measured


def test_the_end_of_a_plan_of_a_hundred_million_updates_is_looked_at():
    with pytest.raises(SchedulerError, match="at update 100,000,000"):
        check(sgd(0.1), lr=gp.constant(99_999_990) >> gp.linear(10, to=-1e-9))


# --- tensors ---


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.bool])
def test_a_tensor_of_whole_numbers_is_refused(dtype):
    optimizer = adam(torch.tensor(1, dtype=dtype), foreach=False)
    with pytest.raises(SchedulerError, match=r"tensor of torch\.(int64|int32|bool).*float\(\)"):
        check(optimizer, lr=gp.linear(10))


def test_half_precision_that_overflows_is_refused():
    optimizer = adam(torch.tensor(1.0, dtype=torch.float16), foreach=False)
    with pytest.raises(SchedulerError, match=r"would be 66000 at update 66,.*at most 65504 .*float16"):
        check(optimizer, lr=gp.formula("1000 * step")[:100])


def test_half_precision_that_rounds_to_zero_is_warned_of():
    optimizer = adam(torch.tensor(1e-4, dtype=torch.float16), foreach=False)
    with pytest.warns(GlidepathWarning, match=r"float16, which rounds .* at update \d+ to 0.*GP734"):
        check(optimizer, lr=gp.exponential(every=10, factor=0.5)[:200])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check(optimizer, lr=gp.linear(100))
        check(adam(torch.tensor(1e-4), foreach=False), lr=gp.exponential(every=10, factor=0.5)[:200])


def with_one_tensor(groups=2, **names):
    tensor = torch.tensor(0.1)
    optimizer = adam(*[tensor] * groups, foreach=False)
    for name, number in names.items():
        optimizer.param_groups[number]["name"] = name
    return optimizer


def test_one_plan_may_drive_a_tensor_that_its_groups_share():
    optimizer = with_one_tensor()
    Scheduler(optimizer, gp.linear(10))
    for k in range(10):
        for group in optimizer.param_groups:
            group["params"][0].grad = torch.ones(2)
        optimizer.step()
        assert [float(rate) for rate in rates(optimizer)] == pytest.approx([0.1 * gp.linear(10)(k)] * 2, rel=1e-6)


def test_two_plans_on_one_tensor_are_refused_with_the_cure():
    optimizer = with_one_tensor(a=0, b=1)
    plans = {"a": gp.linear(10), "b": gp.cosine(10)}
    with pytest.raises(SchedulerError, match=r'group 1 \("b"\) is the same tensor.*group\["lr"\]\.clone\(\)'):
        check(optimizer, lr=plans)
    optimizer.param_groups[1]["lr"] = optimizer.param_groups[1]["lr"].clone()
    check(optimizer, lr=plans)


def test_two_bases_on_one_tensor_are_refused():
    optimizer = with_one_tensor()
    with pytest.raises(SchedulerError, match=r"different bases, 0.1 and 0.2.*clone"):
        Scheduler(optimizer, gp.linear(10), base=[0.1, 0.2])
    Scheduler(optimizer, gp.linear(10), base=[0.2, 0.2])


def test_a_group_without_a_plan_on_the_same_tensor_is_refused():
    with pytest.raises(SchedulerError, match=r'group 1 \("b"\).*this group has no plan.*clone'):
        check(with_one_tensor(a=0, b=1), lr={"a": gp.linear(10)})


def with_the_tensor_of(first):
    second = adam(0.1, foreach=False)
    second.param_groups[0]["lr"] = first.param_groups[0]["lr"]
    return second


def test_two_optimizers_on_one_tensor_are_refused_until_the_first_is_detached_or_gone():
    first = with_one_tensor(1)
    second = with_the_tensor_of(first)
    scheduler = Scheduler(first, gp.linear(10))
    with pytest.raises(SchedulerError, match=r"in another optimizer too.*clone.*detach"):
        check(second, lr=gp.linear(10))
    scheduler.detach()
    Scheduler(second, gp.linear(10))
    with pytest.raises(SchedulerError, match="in another optimizer too"):
        check(first, lr=gp.linear(10))
    glidepath.torch.detach(second)
    Scheduler(second, gp.linear(10))
    del second, scheduler
    check(first, lr=gp.linear(10))


def test_one_scheduler_of_two_optimizers_on_one_tensor_is_refused_too():
    first = with_one_tensor(1)
    with pytest.raises(SchedulerError, match="in another optimizer too"):
        Scheduler([first, with_the_tensor_of(first)], gp.linear(10))
    check(first, lr=gp.linear(10))


def test_a_scheduler_whose_tensors_were_replaced_by_a_load_has_the_new_ones():
    first = with_one_tensor(1)
    Scheduler(first, gp.linear(10))
    before = first.param_groups[0]["lr"]
    first.load_state_dict(copy.deepcopy(first.state_dict()))
    assert first.param_groups[0]["lr"] is not before
    with pytest.raises(SchedulerError, match="in another optimizer too"):
        check(with_the_tensor_of(first), lr=gp.linear(10))


def test_a_copy_of_a_scheduler_has_tensors_of_its_own():
    scheduler = Scheduler(with_one_tensor(), gp.linear(10))
    again = pickle.loads(pickle.dumps(copy.deepcopy(scheduler)))
    again.detach()
    with pytest.raises(SchedulerError, match="in another optimizer too"):
        check(with_the_tensor_of(scheduler.optimizer), lr=gp.linear(10))


def test_a_late_group_that_takes_the_tensor_over_follows_the_one_plan():
    optimizer = with_one_tensor()
    Scheduler(optimizer, gp.linear(10))
    for k in range(10):
        if k == 5:
            optimizer.add_param_group({"params": [parameter()], "lr": optimizer.param_groups[0]["lr"]})
        for group in optimizer.param_groups:
            group["params"][0].grad = torch.ones(2)
        optimizer.step()
        assert [float(rate) for rate in rates(optimizer)] == pytest.approx(
            [0.1 * gp.linear(10)(k)] * len(rates(optimizer)), rel=1e-6
        )


def test_a_late_group_with_another_plan_on_the_tensor_is_refused_until_it_has_its_own():
    optimizer = with_one_tensor(2, a=0, c=1)
    optimizer.param_groups[1]["lr"] = torch.tensor(0.2)
    Scheduler(optimizer, {"a": gp.linear(10), lambda group: group["name"] != "a": gp.linear(20)}, late="base")
    optimizer.step()
    optimizer.add_param_group({"params": [parameter()], "name": "b", "lr": optimizer.param_groups[0]["lr"]})
    for _ in range(2):
        with pytest.raises(SchedulerError, match=r'group 2 \("b"\) is the same tensor.*clone'):
            optimizer.step()
    optimizer.param_groups[2]["lr"] = torch.tensor(0.1)
    optimizer.step()
    assert [float(rate) for rate in rates(optimizer)] == pytest.approx([0.1 * 0.9, 0.2 * 0.95, 0.1 * 0.95])


# --- groups that were built without the hyperparameter ---


def test_set_does_not_switch_weight_decay_on_for_a_group_built_without_it():
    optimizer = adam(0.1, 0.1)
    optimizer.param_groups[1]["weight_decay"] = 0.0
    with pytest.raises(SchedulerError, match=r"weight_decay of group 1 was built with 0.*lambda group: group"):
        check(optimizer, weight_decay=Set(gp.linear(10)))
    for number, name in enumerate(("decay", "no_decay")):
        optimizer.param_groups[number]["name"] = name
    with pytest.raises(SchedulerError, match=r'group 1 \("no_decay"\).*weight_decay=\{"decay": Set\(plan\)\}'):
        check(optimizer, weight_decay=Set(gp.linear(10)))
    check(optimizer, weight_decay={"decay": Set(gp.linear(10))})
    check(optimizer, weight_decay=gp.linear(10))


def test_the_mapping_that_the_error_shows_works_as_it_is():
    optimizer = adam(0.1, 0.1)
    optimizer.param_groups[1]["weight_decay"] = 0.0
    with pytest.raises(SchedulerError) as error:
        check(optimizer, weight_decay=Set(gp.linear(10)))
    text = error.value.cures[0].advice.split("weight_decay=")[1]
    check(optimizer, weight_decay=eval(text, {"Set": Set, "plan": gp.linear(10)}))


def test_set_may_switch_on_what_all_groups_were_built_without():
    check(sgd(0.1, 0.2), weight_decay=Set(gp.linear(10)))


# --- sparse gradients ---


def embed(values, kind=torch.optim.SGD):
    embedding = torch.nn.Embedding(10, 3, sparse=True)
    optimizer = kind(embedding.parameters(), lr=0.1)
    (embedding(torch.tensor([1, 2, 2])) * values).sum().backward()
    return embedding, optimizer


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.SparseAdam])
def test_sparse_gradients_are_looked_at_as_dense_ones_are(kind):
    _, optimizer = embed(1.0, kind)
    optimizer.param_groups[0]["lr"] = 0.0
    assert not is_dry_step(optimizer)
    assert not has_overflow(optimizer)
    _, optimizer = embed(math.inf, kind)
    assert has_overflow(optimizer)


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support")
def test_compressed_gradients_do_not_crash():
    weight = torch.nn.Parameter(torch.eye(4).to_sparse_csr())
    weight.grad = torch.eye(4).to_sparse_csr()
    optimizer = torch.optim.SGD([weight], lr=0.0)
    assert not is_dry_step(optimizer)
    assert not has_overflow(optimizer)


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.SparseAdam])
def test_updates_that_a_grad_scaler_skips_over_sparse_gradients_are_no_misuse(kind):
    embedding = torch.nn.Embedding(10, 3, sparse=True)
    optimizer = kind(embedding.parameters(), lr=0.1)
    scheduler = Scheduler(optimizer, gp.linear(10))
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    for k in range(6):
        optimizer.zero_grad()
        scale = math.inf if k in (2, 3) else 1.0
        scaler.scale((embedding(torch.tensor([1, 2, 2])) * scale).sum()).backward()
        scaler.step(optimizer)
        scaler.update()
        scheduler.step()
    assert scheduler.position == 4
    assert rates(optimizer) == [0.1 * gp.linear(10)(4)]


# --- what cannot be driven ---


def test_a_stand_in_for_layer_wise_optimizers_is_refused_with_the_optimizers_to_give():
    trainer_pt_utils = pytest.importorskip("transformers.trainer_pt_utils")
    inner = {p: sgd(0.1) for p in (parameter(), parameter())}
    stand_in = trainer_pt_utils.LayerWiseDummyOptimizer(optimizer_dict=inner)
    with pytest.raises(SchedulerError, match=r"LayerWiseDummyOptimizer steps other.*optimizer\.optimizer_dict"):
        Scheduler(stand_in, gp.linear(10))
    scheduler = Scheduler(stand_in.optimizer_dict, gp.linear(10))
    for optimizer in inner.values():
        optimizer.step()
    assert scheduler.positions == [1, 1]


def test_a_container_of_optimizers_is_refused_unless_the_groups_are_its_own():
    class Container(torch.optim.Optimizer):
        def __init__(self, optimizers, own):
            super().__init__([parameter()], {"lr": 0.1})
            self.optimizers = optimizers
            if own:
                self.param_groups = [group for optimizer in optimizers for group in optimizer.param_groups]

        def step(self, closure=None):
            for optimizer in self.optimizers:
                optimizer.step()

    inner = [sgd(0.1), sgd(0.2)]
    with pytest.raises(SchedulerError, match=r"Container steps other.*optimizer\.optimizers"):
        Scheduler(Container(inner, own=False), gp.linear(10))
    container = Container(inner, own=True)
    Scheduler(container, gp.linear(10))
    container.step()
    container.step()
    assert rates(inner[0]) + rates(inner[1]) == [0.1 * 0.9, 0.2 * 0.9]


@pytest.mark.parametrize("attribute", ["optim", "base_optimizer", "optimizer"])
def test_what_only_holds_an_optimizer_is_refused_with_its_name(attribute):
    class Engine:
        pass

    engine = Engine()
    setattr(engine, attribute, sgd(0.1))
    with pytest.raises(SchedulerError, match=rf"Engine is not a .*give the optimizer in it, optimizer\.{attribute} "):
        Scheduler(engine, gp.linear(10))


@pytest.mark.parametrize("argument", [None, 3, torch.nn.Linear(2, 2), torch.optim.SGD, (p for p in ())])
def test_what_is_no_optimizer_is_refused(argument):
    with pytest.raises(SchedulerError, match=r"is not a torch\.optim\.Optimizer"):
        Scheduler(argument, gp.linear(10))


def test_adafactor_of_transformers_is_told_of_relative_step():
    transformers = pytest.importorskip("transformers")
    optimizer = transformers.Adafactor([parameter()])
    with pytest.raises(SchedulerError, match=r"lr of group 0 is None: Adafactor .*relative_step=False and lr=0.001"):
        Scheduler(optimizer, gp.linear(10))
    optimizer = transformers.Adafactor([parameter()], lr=1e-3, relative_step=False)
    Scheduler(optimizer, gp.linear(10))
