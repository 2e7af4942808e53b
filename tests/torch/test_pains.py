"""What users of PyTorch's schedulers suffer from, and that `Scheduler` does not: one test or more for each row.

The rows are numbered as in the project's survey of PyTorch's issue tracker; each test names the pain it rules out.
"""

import copy
import io
import math
import warnings

import pytest
import torch
from torch._dynamo.testing import CompileCounter

import glidepath as gp
from glidepath.torch import Plateau, Scheduler, Set

from .loops import parameter, rates, sgd, update, used

PLAN = gp.warmup(4) >> gp.constant(6) >> gp.step(every=5, factor=0.5)[:20]


def values(plan, start, stop, base=0.1):
    return [base * plan(k) for k in range(start, stop)]


@pytest.mark.parametrize("optimizer_first", [True, False])
def test_pain_01_resume_does_not_depend_on_the_order_of_construction_and_loads(optimizer_first):
    optimizer = sgd(0.1, momentum=0.9)
    scheduler = Scheduler(optimizer, PLAN)
    used(optimizer, 13, scheduler)
    saved = optimizer.state_dict(), scheduler.state_dict()
    resumed = sgd(0.1, momentum=0.9)
    if optimizer_first:
        resumed.load_state_dict(saved[0])
    other = Scheduler(resumed, PLAN)
    other.load_state_dict(saved[1])
    if not optimizer_first:
        resumed.load_state_dict(saved[0])
    assert rates(resumed) == [0.1 * PLAN(13)] == other.get_last_lr()
    assert used(resumed, 10) == values(PLAN, 13, 23)


def test_pain_01_a_checkpoint_of_the_scheduler_alone_is_enough():
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, PLAN)
    used(optimizer, 13)
    resumed = sgd(0.1)
    Scheduler(resumed, PLAN).load_state_dict(scheduler.state_dict())
    assert used(resumed, 10) == values(PLAN, 13, 23)


@pytest.mark.parametrize("at", range(12, 24))
def test_pain_02_starting_at_a_position_decays_no_milestone_twice(at):
    plan = gp.multistep([12, 15, 20], factor=0.1)
    optimizer = sgd(0.1)
    Scheduler(optimizer, plan, position=at)
    assert used(optimizer, 6) == values(plan, at, at + 6)


def test_pain_03_a_longer_plan_in_the_code_is_used_after_loading_and_said_so():
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, gp.cosine(50))
    used(optimizer, 25)
    longer = sgd(0.1)
    other = Scheduler(longer, gp.cosine(100))
    with pytest.warns(gp.GlidepathWarning, match=r"cosine\(50\) then, cosine\(100\) in the code.*\[GP703\]"):
        other.load_state_dict(scheduler.state_dict())
    assert used(longer, 5) == values(gp.cosine(100), 25, 30)


def test_pain_04_sequences_nest_and_products_do_not_depend_on_their_order():
    inner = gp.linear(3, to=0.5) >> gp.constant(2)
    plan = gp.warmup(2) >> (inner >> inner) * gp.geometric(10, to=0.1) >> gp.one_cycle(5)
    optimizer = sgd(0.1)
    Scheduler(optimizer, plan)
    by_hand = [0.5, 1.0]
    by_hand += [inner(k % 5) * 0.1 ** (k / 10) for k in range(10)]
    by_hand += [gp.one_cycle(5)(k) for k in range(5)]
    assert used(optimizer, 17) == pytest.approx([0.1 * v for v in by_hand], rel=1e-14)
    a, b = gp.cosine(10), gp.step(every=3)
    assert [(a * b)(k) for k in range(12)] == [(b * a)(k) for k in range(12)]


def test_pain_05_a_plateau_on_negative_metrics_cuts_when_nothing_improves():
    optimizer = sgd(0.1)
    plateau = Plateau(optimizer, patience=3)
    assert [bool(plateau.step(-100.0)) for _ in range(5)] == [False, False, False, False, True]
    assert rates(optimizer) == [pytest.approx(0.01)]


def test_pain_06_nothing_is_patched_so_a_compiled_or_wrapped_step_works():
    optimizer = sgd(0.1)
    optimizer.step = torch.compile(optimizer.step, backend="eager")
    before = optimizer.step
    scheduler = Scheduler(optimizer, PLAN)
    assert optimizer.step is before
    assert used(optimizer, 5) == values(PLAN, 0, 5)
    assert scheduler.position == 5


def test_pain_06_skipped_updates_do_not_move_the_plan_and_bring_no_warning():
    weights = parameter()
    optimizer = torch.optim.SGD([weights], lr=0.1)
    scheduler = Scheduler(optimizer, PLAN)
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    for scale in (math.inf, math.inf, 1.0):
        optimizer.zero_grad()
        scaler.scale(weights.sum() * scale).backward()
        scaler.step(optimizer)
        scaler.update()
        scheduler.step()
    assert scheduler.position == 1


def test_pain_06_copies_warn_of_nothing():
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, PLAN)
    used(optimizer, 3, scheduler)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        twin = copy.deepcopy(scheduler)
        assert used(twin.optimizer, 3, twin) == values(PLAN, 3, 6)


@pytest.mark.parametrize("plan", [PLAN, gp.cosine_restarts(5, growth=2), gp.one_cycle(30), gp.cyclic(3)])
def test_pain_07_a_group_added_later_follows_from_its_own_rate(plan):
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, plan, late="base")
    used(optimizer, 6, scheduler)
    optimizer.add_param_group({"params": [parameter()], "lr": 0.03})
    for k in range(6, 12):
        assert update(optimizer) == [0.1 * plan(k), 0.03 * plan(k)]
        scheduler.step()


def test_pain_08_each_group_can_have_its_own_plan():
    groups = [{"params": [parameter()], "name": "body", "lr": 0.01}, {"params": [parameter()], "name": "head"}]
    optimizer = torch.optim.SGD(groups, lr=0.1)
    Scheduler(optimizer, {"body": gp.warmup(5), "head": gp.cosine(10)}, minimum={"head": 0.05})
    for k in range(12):
        assert update(optimizer) == [0.01 * gp.warmup(5)(k), max(0.1 * gp.cosine(10)(k), 0.05)]


def test_pain_09_any_hyperparameter_can_be_scheduled():
    optimizer = torch.optim.AdamW([parameter()], lr=0.1, betas=(0.9, 0.99), weight_decay=0.2)
    decay, beta = gp.cosine(10), gp.linear(10, start=0.8, to=0.9)
    Scheduler(optimizer, weight_decay=decay, betas=(Set(beta), None))
    for k in range(10):
        update(optimizer)
        assert rates(optimizer, "weight_decay") == [0.2 * decay(k)]
        assert rates(optimizer, "betas") == [(beta(k), 0.99)]


def test_pain_10_a_plan_can_be_looked_at_without_an_optimizer_and_is_what_is_used():
    optimizer = sgd(1.0)
    scheduler = Scheduler(optimizer, PLAN)
    preview = PLAN.block(0, 30)
    assert scheduler.get_lr() == [preview[0]]
    assert used(optimizer, 30) == preview


def test_pain_11_one_cycle_ends_low_holds_and_keeps_the_ratio_of_groups():
    plan = gp.one_cycle(10)
    optimizer = sgd(0.1, 0.01)
    Scheduler(optimizer, plan)
    used_rates = [update(optimizer) for _ in range(15)]
    assert max(first for first, _ in used_rates) == 0.1
    assert used_rates[10:] == [[0.1 * 4e-6, 0.01 * 4e-6]] * 5
    assert gp.one_cycle(7)(2) == 1.0
    assert gp.one_cycle(10, rise=0.1)(1) == 1.0


def test_pain_12_a_cosine_holds_past_its_end_and_repeats_only_when_asked():
    optimizer = sgd(0.1)
    Scheduler(optimizer, gp.cosine(10, to=0.2))
    assert used(optimizer, 25)[10:] == [0.1 * 0.2] * 15
    assert gp.repeat(gp.cosine(10))(10) == 1.0


def test_pain_13_warmup_and_cooldown_are_there_and_a_length_of_zero_is_nothing():
    assert gp.warmup(0) >> gp.cosine(5) != gp.cosine(5)
    assert (gp.warmup(0) >> gp.cosine(5)).block(0, 8) == gp.cosine(5).block(0, 8)
    assert gp.wsd(10, warmup=2, cooldown=4).block(0, 11) == [0.5, 1, 1, 1, 1, 1, 1, 0.75, 0.5, 0.25, 0]
    for refused in ({"every": 0}, {"every": 5, "factor": -1.0}):
        with pytest.raises(gp.ScheduleError):
            gp.step(**refused)


def test_pain_14_several_syncs_an_update_do_not_speed_the_plan_up():
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, PLAN)
    used_rates = []
    with pytest.warns(gp.GlidepathWarning, match=r"twice.*\[GP701\]"):
        for _ in range(20):
            used_rates.append(update(optimizer)[0])
            for _ in range(4):
                scheduler.step()
    assert used_rates == values(PLAN, 0, 20)


def test_pain_14_accumulating_gradients_counts_updates():
    weights = parameter()
    optimizer = torch.optim.SGD([weights], lr=0.1)
    Scheduler(optimizer, PLAN)
    used_rates = []
    for batch in range(40):
        weights.sum().backward()
        if batch % 4 == 3:
            optimizer.step()
            used_rates.append(rates(optimizer)[0])
            optimizer.zero_grad()
    assert used_rates == values(PLAN, 0, 10)


def test_pain_15_a_second_phase_starts_from_the_rate_that_the_user_sets():
    optimizer = sgd(1.0)
    first = Scheduler(optimizer, gp.cosine(10))
    used(optimizer, 10)
    first.detach()
    optimizer.param_groups[0]["lr"] = 0.001
    second = Scheduler(optimizer, gp.linear(10))
    assert second.base_lrs == [0.001]
    with pytest.warns(gp.GlidepathWarning, match=r"holds the rate 0\.001.*began at 1 .*\[GP721\]"):
        assert used(optimizer, 3) == values(gp.linear(10), 0, 3, base=0.001)
    assert optimizer.param_groups[0]["initial_lr"] == 0.001


def test_pain_16_the_state_is_plain_data_whatever_the_plan_and_loads_with_weights_only():
    class Slotted:
        __slots__ = ()

        def __call__(self, step):
            return 0.5

    for function in (abs, Slotted(), lambda step: 1.0):
        scheduler = Scheduler(sgd(0.1), gp.formula(function), position=3)
        buffer = io.BytesIO()
        torch.save(scheduler.state_dict(), buffer)
        buffer.seek(0)
        state = torch.load(buffer, weights_only=True)
        twice = copy.deepcopy(state)
        Scheduler(sgd(0.1), gp.formula(function)).load_state_dict(state)
        assert state == twice == scheduler.state_dict()


def test_pain_16_numpy_numbers_in_a_plan_leave_no_trace_in_the_state():
    numpy = pytest.importorskip("numpy")
    plan = gp.step(every=numpy.int64(3), factor=numpy.float32(0.5))
    assert Scheduler(sgd(0.1), plan).state_dict()["plans"]["lr"] == "step(every=3, factor=0.5)"


@pytest.mark.parametrize("growth", [2, 3, 7])
def test_pain_17_growing_cycles_restart_on_the_very_step(growth):
    plan, start = gp.cosine_restarts(10, growth=growth), 0
    for cycle in range(12):
        assert plan(start) == 1.0
        assert start == 0 or plan(start - 1) < 0.03
        start += 10 * growth**cycle


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_pain_18_a_low_precision_tensor_rate_does_not_freeze(dtype):
    optimizer = torch.optim.SGD([parameter()], lr=torch.tensor(1.0, dtype=dtype))
    plan = gp.exponential(every=1, factor=0.999)
    Scheduler(optimizer, plan)
    used_rates = [float(update(optimizer)[0]) for _ in range(1000)]
    assert used_rates == [float(torch.tensor(plan(k), dtype=dtype)) for k in range(1000)]


@pytest.mark.parametrize("tensor", [False, True])
def test_pain_19_a_compiled_step_is_not_compiled_again_as_the_rate_moves(tensor):
    torch._dynamo.reset()
    optimizer = torch.optim.SGD([parameter()], lr=torch.tensor(0.1) if tensor else 0.1)
    scheduler = Scheduler(optimizer, PLAN)
    graphs = CompileCounter()
    step = torch.compile(optimizer.step, backend=graphs)
    for k in range(20):
        optimizer.param_groups[0]["params"][0].grad = torch.ones(2)
        step()
        assert float(rates(optimizer)[0]) == pytest.approx(0.1 * PLAN(k), rel=1e-6)
    assert scheduler.position == 20
    assert graphs.frame_count <= 2


def test_pain_20_a_plateau_still_takes_verbose(capsys):
    plateau = Plateau(sgd(0.1), patience=0, verbose=True)
    for metric in (1.0, 2.0):
        plateau.step(metric)
    assert "the rate goes from 0.1 to 0.01" in capsys.readouterr().out
