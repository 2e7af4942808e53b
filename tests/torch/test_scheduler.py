"""The scheduler: what each update uses, whatever is called and in whichever order."""

import copy
import gc
import io
import math
import pickle
import warnings
import weakref

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import glidepath as gp
from glidepath.torch import Scheduler, Set, detach
from glidepath.torch.clock import Clock

from .loops import parameter, rates, sgd, update, used

PLAN = gp.warmup(5) >> gp.constant(5) >> gp.cosine(20, to=0.1)


def expected(plan, updates, base=0.1):
    return [base * plan(k) for k in range(updates)]


# --- what an update uses ---


def test_an_update_uses_exactly_base_times_plan():
    optimizer = sgd(0.1)
    Scheduler(optimizer, PLAN)
    assert used(optimizer, 40) == expected(PLAN, 40)


@pytest.mark.parametrize("steps_before, steps_after", [(0, 0), (1, 0), (0, 1), (4, 0), (1, 1)])
@pytest.mark.filterwarnings("ignore::glidepath.errors.GlidepathWarning")
def test_step_may_come_before_after_never_or_four_times(steps_before, steps_after):
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, PLAN)
    used_rates = []
    for _ in range(30):
        for _ in range(steps_before):
            scheduler.step()
        used_rates.append(update(optimizer)[0])
        for _ in range(steps_after):
            scheduler.step()
    assert used_rates == expected(PLAN, 30)


def test_step_shows_the_rate_of_the_next_update():
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, PLAN)
    update(optimizer)
    assert rates(optimizer) == [0.1 * PLAN(0)]
    scheduler.step()
    assert rates(optimizer) == [0.1 * PLAN(1)] == scheduler.get_last_lr() == scheduler.get_lr()


def test_the_fast_path_and_the_slow_path_give_the_same_rates_past_many_blocks():
    plan = gp.exponential(every=100, factor=0.9)
    optimizer = sgd(0.1)
    Scheduler(optimizer, plan)
    assert used(optimizer, 9000)[-5:] == [0.1 * plan(k) for k in range(8995, 9000)]


def test_groups_keep_their_own_bases():
    optimizer = sgd(0.1, 0.02, 3.0)
    Scheduler(optimizer, PLAN)
    for k in range(12):
        assert update(optimizer) == [base * PLAN(k) for base in (0.1, 0.02, 3.0)]


def test_construction_shows_the_first_rate():
    optimizer = sgd(0.1)
    Scheduler(optimizer, PLAN)
    assert rates(optimizer) == [0.1 * PLAN(0)]


def test_a_plan_may_be_text_and_a_draft_may_bring_its_horizon():
    optimizer = sgd(0.1)
    Scheduler(optimizer, "warmup(5%) >> cosine(95%)", horizon=100)
    assert used(optimizer, 10) == expected(gp.warmup(5) >> gp.cosine(95), 10)


# --- which hyperparameters ---


def test_other_hyperparameters_are_scaled_or_set():
    optimizer = sgd(0.1, weight_decay=0.5, momentum=0.9)
    falling, rising = gp.linear(10), gp.linear(10, start=0.8, to=0.9)
    Scheduler(optimizer, PLAN, weight_decay=falling, momentum=Set(rising))
    for k in range(12):
        update(optimizer)
        assert rates(optimizer, "weight_decay") == [0.5 * falling(k)]
        assert rates(optimizer, "momentum") == [rising(k)]
        assert rates(optimizer) == [0.1 * PLAN(k)]


@pytest.mark.parametrize("argument", [{"betas": (Set(gp.linear(9, start=0.5, to=0.9)), None)}, {"betas[0]": None}])
def test_an_element_of_betas_can_be_scheduled(argument):
    plan = Set(gp.linear(9, start=0.5, to=0.9))
    optimizer = torch.optim.Adam([parameter()], lr=0.1, betas=(0.7, 0.99))
    Scheduler(optimizer, **{name: value or plan for name, value in argument.items()})
    for k in range(12):
        assert update(optimizer) == [0.1]
        assert rates(optimizer, "betas") == [(plan.plan(k), 0.99)]


def test_set_ignores_the_value_that_was_there():
    optimizer = sgd(0.1)
    Scheduler(optimizer, Set(0.003 * PLAN))
    assert used(optimizer, 12) == [(0.003 * PLAN)(k) for k in range(12)]


def test_minimum_is_an_absolute_floor():
    optimizer = sgd(0.1, 0.01)
    Scheduler(optimizer, gp.linear(10), minimum=0.005)
    for k in range(12):
        assert update(optimizer) == [max(base * gp.linear(10)(k), 0.005) for base in (0.1, 0.01)]


def test_groups_are_chosen_by_name_or_by_predicate():
    groups = [{"params": [parameter()], "name": name} for name in ("backbone", "head", "neck")]
    optimizer = torch.optim.SGD(groups, lr=0.1)
    plan = {"backbone": gp.linear(10), (lambda group: group["name"] == "head"): gp.cosine(10)}
    Scheduler(optimizer, lr=plan)
    for k in range(10):
        assert update(optimizer) == [0.1 * gp.linear(10)(k), 0.1 * gp.cosine(10)(k), 0.1]


def test_a_python_function_is_asked_only_for_the_updates_that_are_made():
    table, asked = [1.0, 0.5, 0.25], []

    def plan(step):
        asked.append(step)
        return table[step]

    optimizer = sgd(0.1)
    Scheduler(optimizer, gp.formula(plan))
    assert used(optimizer, 3) == [0.1 * value for value in table]
    assert set(asked) == {0, 1, 2}


def test_frameworks_find_what_they_look_for():
    scheduler = Scheduler(sgd(0.1), PLAN)
    assert isinstance(scheduler, torch.optim.lr_scheduler.LRScheduler)
    assert not callable(scheduler)  # DeepSpeed would take it for a factory
    assert not hasattr(scheduler, "total_steps")  # Accelerate would stop there
    assert scheduler.get_lr() == scheduler._get_closed_form_lr() == scheduler._last_lr == [0.1 * PLAN(0)]
    assert (scheduler.last_epoch, scheduler._step_count, scheduler.base_lrs) == (0, 1, [0.1])


# --- tensors ---


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_a_tensor_rate_is_filled_in_place_with_the_float64_value(dtype):
    rate = torch.tensor(0.5, dtype=dtype)
    optimizer = torch.optim.SGD([parameter()], lr=rate)
    plan = gp.exponential(every=1, factor=0.999)
    scheduler = Scheduler(optimizer, plan)
    for _ in range(2000):
        optimizer.step()
    scheduler.step()
    assert optimizer.param_groups[0]["lr"] is rate
    assert rate == torch.tensor(0.5 * plan(2000), dtype=dtype)
    assert rate < 0.5 * 0.2


def test_a_hand_change_of_a_tensor_rate_is_kept():
    optimizer = torch.optim.SGD([parameter()], lr=torch.tensor(0.5))
    Scheduler(optimizer, PLAN)
    optimizer.step()
    optimizer.param_groups[0]["lr"].mul_(0.5)
    with pytest.warns(gp.GlidepathWarning, match=r"0\.5 times the last value, so 0\.1 now.*\[GP722\]"):
        optimizer.step()
    assert float(rates(optimizer)[0]) == pytest.approx(0.5 * 0.5 * PLAN(1), rel=1e-6)


def test_a_bfloat16_rate_that_nobody_changed_gets_no_factor():
    optimizer = torch.optim.SGD([parameter()], lr=torch.tensor(0.3, dtype=torch.bfloat16))
    scheduler = Scheduler(optimizer, PLAN)
    used(optimizer, 9)
    assert scheduler.state_dict()["groups"]["lr"][0]["factor"] == 1.0


def test_writing_what_a_bfloat16_rate_holds_already_is_no_hand_change():
    rate = torch.tensor(0.3, dtype=torch.bfloat16)
    optimizer = torch.optim.SGD([parameter()], lr=rate)
    scheduler = Scheduler(optimizer, PLAN)
    update(optimizer)
    rate.mul_(1.0)
    update(optimizer)
    assert scheduler.state_dict()["groups"]["lr"][0]["factor"] == 1.0


def test_all_of_betas_at_once_is_refused_with_the_way_to_write_it():
    optimizer = torch.optim.Adam([parameter()], lr=0.1)
    with pytest.raises(gp.SchedulerError, match=r"write betas=\(plan, None\)"):
        Scheduler(optimizer, PLAN, betas=Set(PLAN))


# --- the clock ---


def test_an_update_that_raises_is_not_counted():
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, PLAN)

    def closure():
        raise RuntimeError("no data")

    used(optimizer, 2)
    with pytest.raises(RuntimeError, match="no data"):
        optimizer.step(closure)
    assert scheduler.position == 2
    assert used(optimizer, 3) == expected(PLAN, 5)[2:]


def test_a_step_that_calls_its_parents_step_is_one_update():
    class Child(torch.optim.SGD):
        def step(self, closure=None):
            return super().step(closure)

    class Grandchild(Child):
        def step(self, closure=None):
            return super().step(closure)

    optimizer = Grandchild([parameter()], lr=0.1)
    scheduler = Scheduler(optimizer, PLAN)
    assert used(optimizer, 12) == expected(PLAN, 12)
    assert scheduler.position == 12


def test_lbfgs_counts_steps_not_closures():
    weights = parameter()
    optimizer = torch.optim.LBFGS([weights], lr=0.1, max_iter=4)
    scheduler = Scheduler(optimizer, PLAN)

    def closure():
        optimizer.zero_grad()
        loss = (weights**2).sum()
        loss.backward()
        return loss

    for _ in range(3):
        optimizer.step(closure)
    assert scheduler.position == 3


@pytest.mark.parametrize("fused", [False, True])
def test_updates_that_a_grad_scaler_skips_are_not_counted(fused):
    weights = parameter()
    optimizer = torch.optim.SGD([weights], lr=0.1, fused=fused)
    scheduler = Scheduler(optimizer, PLAN)
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    used_rates, updates = [], 0
    for attempt in range(12):
        scaler.scale(weights.sum() * (math.inf if attempt in (0, 1, 5) else 1.0)).backward()
        before = weights.detach().clone()
        scaler.step(optimizer)
        scaler.update()
        if not torch.equal(before, weights):
            updates += 1
            used_rates.append(rates(optimizer)[0])
        scheduler.step()
        optimizer.zero_grad()
    assert updates == 9 == scheduler.position
    assert used_rates == expected(PLAN, 9)


def test_clock_calls_counts_calls_of_step():
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, PLAN, clock="calls")
    used_rates = []
    for _ in range(30):
        used_rates.append(rates(optimizer)[0])
        scheduler.step()
    assert used_rates == expected(PLAN, 30)


def test_looking_at_a_curve_without_updates_warns_once_with_the_cures():
    scheduler = Scheduler(sgd(0.1), PLAN)
    with pytest.warns(
        gp.GlidepathWarning, match=r"called twice with no optimizer update.*calls.*plot.*\[GP701\]"
    ) as caught:
        for _ in range(50):
            scheduler.step()
    assert len(caught) == 1


def test_stepping_twice_with_sparse_gradients_warns_as_with_dense_ones():
    embedding = torch.nn.Embedding(4, 2, sparse=True)
    optimizer = torch.optim.SGD(embedding.parameters(), lr=0.1)
    scheduler = Scheduler(optimizer, PLAN)
    embedding(torch.tensor([1])).sum().backward()
    optimizer.step()
    with pytest.warns(gp.GlidepathWarning, match=r"called twice.*\[GP701\]"):
        for _ in range(3):
            scheduler.step()


def test_a_first_step_before_any_update_is_in_order():
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, PLAN)
    scheduler.step()
    assert used(optimizer, 3, scheduler) == expected(PLAN, 3)


def test_stepping_once_per_epoch_warns_once_with_the_count():
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, PLAN)
    with pytest.warns(gp.GlidepathWarning, match=r"once in 70 updates.*\[GP702\]") as caught:
        for _ in range(4):
            used(optimizer, 70)
            scheduler.step()
    assert len(caught) == 1
    assert scheduler.position == 280


def test_a_plan_written_in_epochs_may_be_stepped_per_epoch():
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, gp.cosine("4ep"), horizon=gp.Horizon(28, steps_per_epoch=7))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(4):
            used(optimizer, 7)
            scheduler.step()


# --- other hands ---


def test_a_hand_change_is_kept_as_a_factor():
    optimizer = sgd(0.1, 0.2)
    scheduler = Scheduler(optimizer, PLAN)
    used(optimizer, 7)
    optimizer.param_groups[1]["lr"] *= 0.5
    for k in range(7, 30):
        assert update(optimizer) == [0.1 * PLAN(k), 0.2 * 0.5 * PLAN(k)]
        scheduler.step()


def test_a_hand_change_before_a_step_is_kept_too():
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, PLAN)
    used(optimizer, 7)
    optimizer.param_groups[0]["lr"] *= 0.5
    scheduler.step()
    assert used(optimizer, 3) == [0.1 * 0.5 * PLAN(k) for k in (7, 8, 9)]


def test_another_scheduler_on_top_multiplies():
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, PLAN)
    other = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    used_rates = []
    for _ in range(8):
        used_rates.append(update(optimizer)[0])
        scheduler.step()
        other.step()
    assert used_rates == pytest.approx([0.1 * PLAN(k) * 0.5**k for k in range(8)], rel=1e-12)


def test_writing_the_very_rate_that_is_due_is_no_hand_change():
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, PLAN)
    for k in range(12):
        optimizer.param_groups[0]["lr"] = scheduler.get_lr()[0]  # as ignite does
        assert update(optimizer) == [0.1 * PLAN(k)]
    assert scheduler.state_dict()["groups"]["lr"][0]["factor"] == 1.0


def test_after_a_written_zero_a_hand_set_rate_becomes_the_peak():
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, gp.linear(3))
    used(optimizer, 3, scheduler)
    optimizer.param_groups[0]["lr"] = 0.05
    assert scheduler.state_dict()["groups"]["lr"][0]["factor"] == 0.5


def test_rebase_makes_the_hand_changed_rate_the_base():
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, gp.constant())
    optimizer.param_groups[0]["lr"] = 0.03
    scheduler.rebase()
    assert scheduler.base_lrs == [pytest.approx(0.03, rel=1e-15)]
    assert scheduler.state_dict()["groups"]["lr"][0]["factor"] == 1.0


def test_rebase_to_a_number_keeps_the_ratios_of_the_groups():
    optimizer = sgd(0.1, 0.01)
    scheduler = Scheduler(optimizer, PLAN)
    scheduler.rebase(lr=1.0)
    assert scheduler.base_lrs == pytest.approx([1.0, 0.1], rel=1e-15)
    assert update(optimizer) == pytest.approx([PLAN(0), 0.1 * PLAN(0)], rel=1e-15)


def test_a_group_added_later_follows_from_its_first_update():
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, PLAN)
    used(optimizer, 7)
    optimizer.add_param_group({"params": [parameter()], "lr": 0.4})
    assert update(optimizer) == [0.1 * PLAN(7), 0.4 * PLAN(7)]
    assert scheduler.base_lrs == [0.1, 0.4]


def test_a_second_scheduler_of_the_same_hyperparameter_is_refused_until_the_first_is_detached():
    optimizer = sgd(0.1, momentum=0.9)
    first = Scheduler(optimizer, PLAN)
    with pytest.raises(gp.GlidepathError, match="has a scheduler already"):
        Scheduler(optimizer, PLAN)
    Scheduler(optimizer, momentum=Set(gp.constant()))
    first.detach()
    Scheduler(optimizer, PLAN)
    detach(optimizer)
    Scheduler(optimizer, PLAN)


# --- lifetimes ---


def test_a_dropped_scheduler_keeps_working_and_is_freed_with_its_optimizer_without_gc():
    gc.collect()
    gc.disable()
    try:
        optimizer = sgd(0.1)
        Scheduler(optimizer, PLAN)
        assert used(optimizer, 12) == expected(PLAN, 12)
        clock = next(h.__self__ for h in optimizer._optimizer_step_pre_hooks.values())
        assert isinstance(clock, Clock)
        died = weakref.ref(optimizer)
        del optimizer, clock
        assert died() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
def test_a_copied_scheduler_follows_its_own_optimizer(copied):
    optimizer = sgd(0.1, 0.2)
    scheduler = Scheduler(optimizer, PLAN)
    used(optimizer, 7)
    twin = copied(scheduler)
    assert used(twin.optimizer, 5) == expected(PLAN, 12)[7:]
    assert (twin.position, scheduler.position) == (12, 7)
    assert used(optimizer, 5) == expected(PLAN, 12)[7:]


# --- state ---


def fresh(plan=PLAN, rate=0.1):
    optimizer = sgd(rate, momentum=0.9)
    return optimizer, Scheduler(optimizer, plan)


def checkpoint(updates, plan=PLAN):
    optimizer, scheduler = fresh(plan)
    used(optimizer, updates, scheduler)
    buffer = io.BytesIO()
    torch.save({"optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict()}, buffer)
    buffer.seek(0)
    return torch.load(buffer, weights_only=True)


@settings(max_examples=25, deadline=None)
@given(at=st.integers(0, 35), optimizer_first=st.booleans(), construct_last=st.booleans())
def test_resuming_anywhere_in_any_order_gives_the_same_bits(at, optimizer_first, construct_last):
    saved = checkpoint(at)
    optimizer = sgd(0.1, momentum=0.9)
    if construct_last:
        optimizer.load_state_dict(saved["optimizer"])
    scheduler = Scheduler(optimizer, PLAN)
    loads = [
        lambda: optimizer.load_state_dict(saved["optimizer"]),
        lambda: scheduler.load_state_dict(saved["scheduler"]),
    ]
    for load in loads if optimizer_first else reversed(loads):
        load()
    assert scheduler.position == at
    assert used(optimizer, 10) == expected(PLAN, at + 10)[at:]


def test_a_state_of_the_first_version_still_loads():
    state = {
        "version": 1,
        "position": 7,
        "plans": {"lr": "warmup(5) >> constant(5) >> cosine(20, to=0.1)", "momentum": None},
        "groups": {
            "lr": [{"base": 0.1, "factor": 0.25}, {"base": 0.2, "factor": 1.0}],
            "momentum": [{"base": 1.0, "factor": 1.0}, {"base": 1.0, "factor": 1.0}],
        },
    }
    optimizer = sgd(0.1, 0.2, momentum=0.9)
    scheduler = Scheduler(optimizer, PLAN, momentum=Set(gp.formula(lambda step: 0.5 + step / 100)))
    scheduler.load_state_dict(copy.deepcopy(state))
    assert scheduler.position == 7
    saved = scheduler.state_dict()
    assert {name: saved[name] for name in ("position", "plans", "groups")} == {
        name: state[name] for name in ("position", "plans", "groups")
    }
    assert saved["version"] == 2
    for k in range(7, 12):
        assert update(optimizer) == [0.1 * 0.25 * PLAN(k), 0.2 * PLAN(k)]
        assert rates(optimizer, "momentum") == [0.5 + k / 100] * 2


@pytest.mark.parametrize(
    ("old", "plan"),
    [
        ("clip(linear(30), low=0.25)", gp.clip(gp.linear(30), minimum=0.25)),
        ("0.5 * clip(linear(30), low=0.25, high=0.5)", 0.5 * gp.clip(gp.linear(30), minimum=0.25, maximum=0.5)),
        ("chebyshev(16, low=0.1)", gp.chebyshev(16, curvature_ratio=0.1)),
    ],
)
@pytest.mark.parametrize("on_change", ["warn", "error", "saved"])
def test_a_state_saved_with_names_of_an_older_glidepath_loads_without_a_word(old, plan, on_change):
    state = {"version": 1, "position": 7, "plans": {"lr": old}, "groups": {"lr": [{"base": 0.1, "factor": 1.0}]}}
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, plan)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scheduler.load_state_dict(state, on_change=on_change)
    assert scheduler.state_dict()["plans"] == {"lr": plan.text}
    assert used(optimizer, 3) == expected(plan, 10)[7:]


def test_the_saved_plan_is_taken_from_a_text_with_older_names():
    state = {
        "version": 1,
        "position": 7,
        "plans": {"lr": "clip(linear(30), low=0.25)"},
        "groups": {"lr": [{"base": 0.1, "factor": 1.0}]},
    }
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, gp.cosine(30))
    scheduler.load_state_dict(state, on_change="saved")
    assert scheduler.state_dict()["plans"] == {"lr": "clip(linear(30), minimum=0.25)"}


# --- Set as a text ---


@pytest.mark.parametrize(
    "momentum",
    [
        "Set(linear(50%, start=0.85, to=0.95))",
        Set("linear(50%, start=0.85, to=0.95)"),
        gp.Set(gp.linear("50%", start=0.85, to=0.95)),
    ],
)
def test_set_may_be_a_text(momentum):
    optimizer = sgd(0.1, momentum=0.9)
    Scheduler(optimizer, "cosine(100%)", momentum=momentum, horizon=20)
    for k in range(12):
        update(optimizer)
        assert rates(optimizer, "momentum") == [gp.linear(10, start=0.85, to=0.95)(k)]


def test_set_may_be_a_text_for_a_group_and_for_an_element_of_a_tuple():
    optimizer = torch.optim.Adam([{"params": [parameter()], "name": "a"}, {"params": [parameter()], "name": "b"}])
    Scheduler(optimizer, weight_decay={"a": "Set(linear(10))"}, betas=("Set(0.9 * constant())", None))
    update(optimizer)
    assert rates(optimizer, "weight_decay") == [1.0, 0]
    assert rates(optimizer, "betas") == [(0.9, 0.999)] * 2


def test_the_hand_factor_is_saved():
    optimizer, scheduler = fresh()
    used(optimizer, 7)
    optimizer.param_groups[0]["lr"] *= 0.25
    state = scheduler.state_dict()
    other, resumed = fresh()
    resumed.load_state_dict(state)
    assert used(other, 3) == [0.1 * 0.25 * PLAN(k) for k in (7, 8, 9)]


def test_the_saved_base_wins_with_one_warning():
    saved = checkpoint(7)
    optimizer, scheduler = fresh(rate=0.5)
    with pytest.warns(gp.GlidepathWarning, match=r"saved with base 0\.1 and is 0\.5.*\[GP704\]"):
        scheduler.load_state_dict(saved["scheduler"])
    assert used(optimizer, 2) == expected(PLAN, 9)[7:]


def test_a_changed_plan_goes_on_with_the_codes_and_warns_with_both_values():
    saved = checkpoint(20)
    longer = gp.warmup(5) >> gp.constant(5) >> gp.cosine(90, to=0.1)
    optimizer, scheduler = fresh(longer)
    with pytest.warns(gp.GlidepathWarning, match=r"cosine\(20.*cosine\(90.*0\.55 then, 0\.97.*\[GP703\]"):
        scheduler.load_state_dict(saved["scheduler"])
    assert used(optimizer, 2) == expected(longer, 22)[20:]


def test_a_changed_plan_can_be_refused_and_then_nothing_is_loaded():
    saved = checkpoint(20)
    optimizer, scheduler = fresh(gp.cosine(90))
    with pytest.raises(gp.GlidepathError, match="another plan"):
        scheduler.load_state_dict(saved["scheduler"], on_change="error")
    assert scheduler.position == 0
    assert used(optimizer, 2) == expected(gp.cosine(90), 2)


def test_the_saved_plan_can_be_taken():
    saved = checkpoint(20)
    optimizer, scheduler = fresh(gp.cosine(90))
    scheduler.load_state_dict(saved["scheduler"], on_change="saved")
    assert used(optimizer, 2) == expected(PLAN, 22)[20:]


def test_another_text_with_the_same_values_is_no_change():
    saved = checkpoint(20)
    _, scheduler = fresh(gp.warmup(5) >> gp.constant(2) >> gp.constant(3) >> gp.cosine(20, to=0.1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scheduler.load_state_dict(saved["scheduler"])


def test_a_plan_without_text_says_so_in_the_state_and_is_not_compared():
    plan = gp.formula(lambda step: 0.9**step)
    saved = checkpoint(7, plan)
    assert saved["scheduler"]["plans"] == {"lr": None}
    optimizer, scheduler = fresh(gp.formula(lambda step: 0.9**step))
    scheduler.load_state_dict(saved["scheduler"])
    assert used(optimizer, 2) == [0.1 * 0.9**k for k in (7, 8)]


@pytest.mark.parametrize(
    "state, message",
    [
        (None, "is a dict, not NoneType"),
        ({"last_epoch": -1, "_step_count": 6}, "last_epoch of this state is -1"),
        ({"position": 3}, "version"),
        ({"version": 1, "position": -1, "plans": {}, "groups": {}}, "position"),
        ({"version": 1, "position": 3, "plans": {"momentum": "x"}, "groups": {"momentum": []}}, "momentum"),
        ({"version": 1, "position": 3, "plans": {"lr": "x"}, "groups": {"lr": []}}, "0 groups"),
        (
            {"version": 1, "position": 3, "plans": {"lr": "x"}, "groups": {"lr": [{"base": math.nan, "factor": 1}]}},
            "finite",
        ),
    ],
)
def test_a_foreign_or_damaged_state_is_refused_whole(state, message):
    optimizer, scheduler = fresh()
    with pytest.raises(gp.GlidepathError, match=message):
        scheduler.load_state_dict(state)
    assert scheduler.position == 0
    assert used(optimizer, 3) == expected(PLAN, 3)


# --- refusals ---


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda o: Scheduler(PLAN, o), "the optimizer comes first"),
        (lambda o: Scheduler(o), "there is no plan"),
        (lambda o: Scheduler(o, gp.cosine("5%")), "waits for a horizon"),
        (lambda o: Scheduler(o, 0.1), "takes a schedule"),
        (lambda o: Scheduler(o, lambda step: 1.0), r"wrap the function, gp\.formula\(function\)"),
        (
            lambda o: Scheduler(o, gp.linear(9), total_steps=100),
            "total_steps is not a hyperparameter of the optimizer: give the length of the run as horizon=",
        ),
        (
            lambda o: Scheduler(o, gp.linear(9), last_epoch=-1),
            "last_epoch is not a hyperparameter of the optimizer: .* position=",
        ),
        (lambda o: Scheduler(o, "cosin(5)"), "did you mean cosine"),
        (lambda o: Scheduler(o, {"head": PLAN}), "no group has the name 'head'"),
        (lambda o: Scheduler(o, {lambda g: True: PLAN, lambda g: 1: PLAN}), "two plans select lr"),
        (lambda o: Scheduler(o, {}), "the mapping of lr is empty"),
        (lambda o: Scheduler(o, {3: PLAN}), "names of groups.*not 3"),
        (lambda o: Scheduler(o, {lambda g: g["depth"] > 1: PLAN}), "predicate 0 raised KeyError: 'depth'"),
        (lambda o: Scheduler(o, [PLAN]), "has no elements: give one plan"),
        (lambda o: Scheduler(o, foreach=Set(PLAN)), "foreach of group 0 is not a number"),
        (lambda o: Scheduler(o, params=Set(PLAN)), "params of group 0 is not a number"),
        (lambda o: Scheduler(o, momentun=PLAN), "has no 'momentun'.*momentum"),
        (lambda o: Scheduler(o, betas=(PLAN, None)), "has no 'betas'"),
        (lambda o: Scheduler(o, weight_decay=PLAN), "a scaled 0 stays 0"),
        (lambda o: Scheduler(o, PLAN, minimum=0.5), "above the base rate"),
        (lambda o: Scheduler(o, momentum=Set(PLAN), minimum=0.5), "no plan schedules lr"),
        (lambda o: Scheduler(o, PLAN, clock="epochs"), "updates.*calls"),
        (lambda o: Scheduler(o, PLAN, position=-1), "position"),
        (lambda o: Scheduler(o, gp.formula("sin(step) / step")), "would become nan at update 0"),
    ],
)
def test_what_cannot_be_scheduled_is_refused_and_the_optimizer_left_as_it_was(make, message):
    optimizer = sgd(0.1, 0.2)
    with pytest.raises(gp.GlidepathError, match=message):
        make(optimizer)
    assert rates(optimizer) == [0.1, 0.2]
    assert not optimizer._optimizer_step_pre_hooks
    assert "initial_lr" not in optimizer.param_groups[0]


def test_a_value_that_is_not_finite_is_refused_at_its_update_before_anything_changes():
    plan = gp.formula("1 / (3 - step)")
    optimizer = sgd(0.1, momentum=0.9)
    scheduler = Scheduler(optimizer, momentum=Set(gp.linear(10, start=0.9, to=0.5)), lr=plan)
    used(optimizer, 3)
    before = copy.deepcopy(optimizer.param_groups[0])
    with pytest.raises(gp.GlidepathError, match="would become inf at update 3"):
        update(optimizer)
    after = optimizer.param_groups[0]
    assert (after["lr"], after["momentum"]) == (before["lr"], before["momentum"])
    assert scheduler.position == 3


def test_a_hand_set_rate_that_is_not_finite_is_refused():
    optimizer = sgd(0.1)
    Scheduler(optimizer, PLAN)
    update(optimizer)
    optimizer.param_groups[0]["lr"] = math.nan
    with pytest.raises(gp.GlidepathError, match="lr of group 0 was set to nan by other code"):
        update(optimizer)


def test_an_absolute_plan_on_the_same_absolute_rate_warns():
    with pytest.warns(gp.GlidepathWarning, match=r"9e-08.*\[GP705\]"):
        Scheduler(sgd(3e-4), 3e-4 * PLAN)
