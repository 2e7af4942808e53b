"""The plateau controller: a rule that can be followed by hand, and an event for each report."""

import copy
import math

import pytest
import torch
import torch.multiprocessing as mp

import glidepath as gp
from glidepath.torch import Plateau, Scheduler, mean_over_processes
from glidepath.torch.plateau import Event

from .loops import parameter, rates, sgd, used


def actions(plateau, metrics):
    return [plateau.step(metric).action for metric in metrics]


def rate_after(metrics, **options):
    optimizer = sgd(1.0)
    plateau = Plateau(optimizer, **options)
    for metric in metrics:
        plateau.step(metric)
    return rates(optimizer)[0]


def test_the_report_after_patience_cuts():
    plateau = Plateau(sgd(1.0), patience=2)
    assert actions(plateau, [1, 1, 1, 1, 1]) == ["improved", "waited", "waited", "reduced", "waited"]


def test_an_improvement_starts_patience_again():
    plateau = Plateau(sgd(1.0), patience=1)
    assert actions(plateau, [3, 3, 2, 2, 2]) == ["improved", "waited", "improved", "waited", "reduced"]


@pytest.mark.parametrize("mode, better, worse", [("min", 0.8, 0.95), ("max", 1.2, 1.05)])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
def test_only_a_change_beyond_the_threshold_is_better(mode, better, worse, threshold_mode):
    for metric, action in ((better, "improved"), (worse, "waited")):
        plateau = Plateau(sgd(1.0), mode=mode, threshold=0.1, threshold_mode=threshold_mode)
        assert actions(plateau, [1.0, metric])[1] == action


@pytest.mark.parametrize("mode, better, worse", [("min", -120.0, -105.0), ("max", -80.0, -95.0)])
def test_the_relative_margin_is_right_for_negative_metrics(mode, better, worse):
    for metric, action in ((better, "improved"), (worse, "waited"), (-100.0, "waited")):
        plateau = Plateau(sgd(1.0), mode=mode, threshold=0.1)
        assert actions(plateau, [-100.0, metric])[1] == action


def test_reports_in_the_cooldown_are_not_counted():
    plateau = Plateau(sgd(1.0), patience=0, cooldown=2)
    assert actions(plateau, [1] * 6) == ["improved", "reduced", "cooling", "cooling", "reduced", "cooling"]


def test_the_rate_never_falls_below_the_minimum_and_never_rises_to_it():
    assert rate_after([1] * 9, patience=0, minimum=0.03) == 0.03
    optimizer = sgd(1.0, 0.01)
    plateau = Plateau(optimizer, patience=0, minimum=0.05)
    plateau.step(1)
    plateau.step(1)
    assert rates(optimizer) == [0.1, 0.01]


def test_epsilon_is_relative_so_small_rates_are_cut_too():
    optimizer = sgd(1e-9)
    plateau = Plateau(optimizer, patience=0)
    assert actions(plateau, [1, 1]) == ["improved", "reduced"]
    assert rates(optimizer)[0] == pytest.approx(1e-10)
    assert actions(Plateau(sgd(1.0), patience=0, epsilon=0.95), [1, 1])[1] == "at minimum"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_report_that_is_no_number_follows_the_policy(value):
    assert actions(Plateau(sgd(1.0), patience=0, nan="bad"), [1, value]) == ["improved", "reduced"]
    assert actions(Plateau(sgd(1.0), patience=0, nan="skip"), [1, value]) == ["improved", "skipped"]
    plateau = Plateau(sgd(1.0), nan="raise")
    with pytest.raises(gp.GlidepathError, match="the metric is"):
        plateau.step(value)
    assert (plateau.best, plateau.bad) == (None, 0)


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_first_report_that_is_no_number_does_not_poison_the_best(mode, value):
    plateau = Plateau(sgd(1.0), mode=mode, patience=5)
    assert actions(plateau, [value, 1.0, 1.0]) == ["waited", "improved", "waited"]


def test_an_event_says_what_was_done_and_why():
    plateau = Plateau(sgd(1.0), factor=0.5, patience=1)
    events = [plateau.step(metric) for metric in (0.5, 0.6, 0.7)]
    assert events[2] == Event("reduced", events[2].reason, 0.7, 0.5, 0, (0.5,))
    assert str(events[2]) == (
        "reduced: 2 reports in a row, the last 0.7, were no better than 0.5; the rate goes from 1 to 0.5"
    )
    assert [bool(event) for event in events] == [False, False, True]


@pytest.mark.parametrize("metric", ["high", torch.ones(3), None])
def test_a_report_that_is_not_one_number_is_refused(metric):
    with pytest.raises(gp.SchedulerError, match="a metric is one number"):
        Plateau(sgd(1.0)).step(metric)


def test_a_first_report_of_nan_is_called_not_a_number():
    assert Plateau(sgd(1.0)).step(math.nan).reason == "nan is not a number; 1 of 10 in patience"


def test_every_group_is_cut_by_its_own_rate_and_tensors_in_place():
    rate = torch.tensor(0.5)
    groups = [{"params": [parameter()], "lr": 0.1}, {"params": [parameter()], "lr": rate}]
    optimizer = torch.optim.SGD(groups)
    plateau = Plateau(optimizer, factor=0.5, patience=0)
    actions(plateau, [1, 1])
    assert rates(optimizer) == [0.05, rate]
    assert rate == 0.25


@pytest.mark.filterwarnings("ignore::UserWarning:torch")
@pytest.mark.parametrize("options", [{}, {"mode": "max"}, {"cooldown": 2, "patience": 1}, {"threshold_mode": "abs"}])
def test_positive_metrics_give_what_torch_gives(options):
    generator = torch.Generator().manual_seed(7)
    metrics = torch.rand(200, generator=generator).add(1.0).tolist()
    options = {"factor": 0.9, "patience": 4, "threshold": 0.01, **options}
    ours, theirs = sgd(1.0), sgd(1.0)
    plateau, stock = Plateau(ours, **options), torch.optim.lr_scheduler.ReduceLROnPlateau(theirs, **options)
    for metric in metrics:
        plateau.step(metric)
        stock.step(metric)
        assert rates(ours) == pytest.approx(rates(theirs), rel=1e-12)
    assert rates(ours)[0] < 0.5


def test_a_scheduler_on_the_same_optimizer_keeps_the_cuts():
    optimizer = sgd(1.0)
    plan = gp.cosine(100)
    scheduler = Scheduler(optimizer, plan)
    plateau = Plateau(optimizer, factor=0.5, patience=0)
    used(optimizer, 10, scheduler)
    actions(plateau, [1, 1])
    assert used(optimizer, 5, scheduler) == [0.5 * plan(k) for k in range(10, 15)]


def test_reports_during_the_warmup_are_not_counted():
    optimizer = sgd(1.0)
    plateau = Plateau(optimizer, factor=0.5, patience=0, warmup=4)
    seen = []
    for _ in range(4):
        seen += used(optimizer, 1)
        seen_action = plateau.step(1.0).action
    assert seen == [0.25, 0.5, 0.75, 1.0]
    assert seen_action == "improved"
    assert plateau.step(1.0)
    assert used(optimizer, 2) == [0.5, 0.5]


def test_resuming_goes_on_with_the_same_decisions():
    optimizer = sgd(1.0)
    plateau = Plateau(optimizer, patience=3, cooldown=1, warmup=2)
    used(optimizer, 3)
    actions(plateau, [1, 1, 1])
    state, groups = copy.deepcopy(plateau.state_dict()), optimizer.state_dict()
    other = sgd(1.0)
    resumed = Plateau(other, patience=3, cooldown=1, warmup=2)
    other.load_state_dict(groups)
    resumed.load_state_dict(state)
    metrics = [1, 1, 1, 0.5, 1, 1, 1, 1]
    assert actions(resumed, metrics) == actions(plateau, metrics)
    assert rates(other) == rates(optimizer)


@pytest.mark.parametrize("state", [None, {}, {"best": 1.0}, {"best": 1.0, "bad": -1, "cooling": 0}])
def test_a_foreign_state_is_refused_and_nothing_loaded(state):
    plateau = Plateau(sgd(1.0))
    plateau.step(3.0)
    with pytest.raises(gp.GlidepathError):
        plateau.load_state_dict(state)
    assert (plateau.best, plateau.bad, plateau.cooling) == (3.0, 0, 0)


@pytest.mark.parametrize(
    "options",
    [
        *({"mode": "mean"}, {"factor": 1.0}, {"factor": 0.0}, {"patience": -1}, {"patience": 1.5}, {"threshold": -1}),
        *({"threshold_mode": "relative"}, {"cooldown": -1}, {"minimum": -1}, {"epsilon": math.nan}, {"nan": "no"}),
    ],
)
def test_arguments_out_of_range_are_refused(options):
    with pytest.raises(gp.ScheduleError, match=next(iter(options))):
        Plateau(sgd(1.0), **options)


def _report(rank, address, results):
    torch.distributed.init_process_group("gloo", init_method=address, rank=rank, world_size=2)
    optimizer = sgd(1.0)
    plateau = Plateau(optimizer, factor=0.5, patience=1, reduce=mean_over_processes)
    for metric in [(1.0, 1.0), (0.1, 2.5), (0.2, 2.5), (0.3, 2.5), (0.4, 2.5)]:
        plateau.step(metric[rank])
    results[rank] = rates(optimizer)[0]
    torch.distributed.destroy_process_group()


def test_two_processes_that_reduce_their_metrics_decide_alike(tmp_path):
    results = torch.zeros(2).share_memory_()
    mp.spawn(_report, args=(f"file://{tmp_path}/meet", results), nprocs=2)
    assert results.tolist() == [0.25, 0.25]


def test_one_process_needs_no_reduction():
    assert mean_over_processes(0.3) == 0.3
