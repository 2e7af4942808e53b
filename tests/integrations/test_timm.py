"""timm: its contract, kept in a loop written like its train.py, and compared with its own base class."""

from inspect import signature

import pytest
import torch

import glidepath as gp
from glidepath.integrations.timm import PlannedScheduler
from tests.timm_alone import schedulers

from .page import example
from .seen import PLAN, TWO, Seen, expected, two_groups


@pytest.fixture(scope="module")
def base_class():
    return schedulers().scheduler.Scheduler


def train(model, optimizer, scheduler, epochs, start=0, updates=4, accumulate=1, by_updates=True):
    """timm's train.py, what of it touches a scheduler."""
    if start > 0:
        if by_updates:
            scheduler.step_update(start * updates)
        else:
            scheduler.step(start)
    for epoch in range(start, epochs):
        num_updates = epoch * updates
        for batch in range(updates * accumulate):
            (model(torch.randn(2, 4)).square().mean() / accumulate).backward()
            if (batch + 1) % accumulate:
                continue
            optimizer.step()
            optimizer.zero_grad()
            num_updates += 1
            scheduler.step_update(num_updates=num_updates, metric=0.5)
        scheduler.step(epoch + 1, 0.5)


@pytest.mark.parametrize("accumulate", [1, 3])
def test_a_training_as_timms_has_the_right_rate_at_every_update(accumulate):
    model = torch.nn.Linear(4, 2)
    optimizer = two_groups(model)
    scheduler = PlannedScheduler(optimizer, PLAN, epochs=3, updates_per_epoch=4)
    train(model, optimizer, scheduler, 3, accumulate=accumulate)
    assert optimizer.used == expected(PLAN, 0, 12, TWO)


def test_what_the_page_shows_trains_at_the_right_rates():
    model = torch.nn.Linear(4, 2)
    optimizer = two_groups(model)
    given = {"optimizer": optimizer, "plan": "warmup(1ep) >> linear(2ep)", "epochs": 3, "updates_per_epoch": 4}
    train(model, optimizer, example("timm", PlannedScheduler=PlannedScheduler, **given)["scheduler"], 3)
    assert optimizer.used == expected(gp.warmup(4) >> gp.linear(8), 0, 12, TWO)


@pytest.mark.parametrize("by_updates", [True, False])
def test_a_training_goes_on_at_an_epoch_from_the_optimizer_alone(by_updates):
    """As timm resumes: its checkpoints have the optimizer and the epoch, and no scheduler."""
    model = torch.nn.Linear(4, 2)
    first = two_groups(model)
    train(model, first, PlannedScheduler(first, PLAN, epochs=3, updates_per_epoch=4), 2)
    resumed = two_groups(model)
    resumed.load_state_dict(first.state_dict())
    scheduler = PlannedScheduler(resumed, PLAN, epochs=3, updates_per_epoch=4)
    scheduler.load_state_dict(scheduler.state_dict())
    train(model, resumed, scheduler, 3, start=2, by_updates=by_updates)
    assert resumed.used == expected(PLAN, 8, 12, TWO)


def test_layer_decay_is_as_timm_does_it(base_class):
    class Theirs(base_class):
        def _get_lr(self, t):
            return [base * PLAN(t) for base in self.base_values]

    def optimizer():
        scaled = [{"params": [torch.nn.Parameter(torch.ones(1))], "lr_scale": 0.75**i} for i in range(4)]
        return Seen(scaled, lr=0.3)

    mine, theirs = optimizer(), optimizer()
    ours = PlannedScheduler(mine, PLAN, epochs=3, updates_per_epoch=4)
    reference = Theirs(theirs, "lr", t_in_epochs=False)
    for k in (0, 1, 2, 5, 11, 12, 40):
        ours.step_update(k, 0.1)
        reference.step_update(k, 0.1)
        assert mine.param_groups[-1]["lr"] == theirs.param_groups[-1]["lr"] == 0.3 * PLAN(k) * 0.75**3
        assert [group["lr"] for group in mine.param_groups] == [group["lr"] for group in theirs.param_groups]
    assert [g["initial_lr"] for g in mine.param_groups] == [g["initial_lr"] for g in theirs.param_groups]


def test_it_offers_what_timms_base_class_offers(base_class):
    offered = {name for name in vars(base_class) if not name.startswith("_")} - {"update_groups"}
    assert offered == {"step", "step_update", "state_dict", "load_state_dict"}
    assert offered <= set(vars(PlannedScheduler))


def test_timms_train_py_can_log_that_the_rate_is_stepped_per_update(base_class):
    """It reads `t_in_epochs`, which the schedulers of `create_scheduler_v2` have, before the first epoch."""
    assert PlannedScheduler(two_groups(torch.nn.Linear(4, 2)), PLAN, epochs=3, updates_per_epoch=4).t_in_epochs is False
    assert "t_in_epochs" in signature(base_class).parameters


def test_other_fields_and_tensors_are_scaled_too():
    rate = torch.tensor(0.1, dtype=torch.float64)
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.ones(1))], lr=rate, weight_decay=0.2, capturable=True)
    decay = PlannedScheduler(optimizer, "cosine(100%)", epochs=2, updates_per_epoch=5, field="weight_decay")
    rates = PlannedScheduler(optimizer, "linear(100%)", epochs=2, updates_per_epoch=5)
    for scheduler in (decay, rates):
        scheduler.step(1)
    assert optimizer.param_groups[0]["weight_decay"] == 0.2 * gp.cosine(10)(5)
    assert optimizer.param_groups[0]["lr"] is rate
    assert float(rate) == 0.1 * gp.linear(10)(5)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"plan": {"head": "cosine(10)"}}, gp.SchedulerError, "follow one plan"),
        ({"plan": "cosin(10)"}, gp.TextError, "did you mean cosine"),
        ({"plan": "warmup(5ep)"}, gp.HorizonError, "needs 20 steps and has 12"),
        ({"field": "lrs"}, gp.SchedulerError, "group 0 has no 'lrs'"),
        ({"plan": gp.formula("1 / step")}, gp.SchedulerError, "gives inf at update 0; nothing was changed"),
        ({"epochs": 1.5}, gp.ScheduleError, "epochs"),
        ({"updates_per_epoch": 0}, gp.ScheduleError, "updates_per_epoch must be at least 1, not 0"),
    ],
)
def test_what_cannot_be_followed_is_refused(changes, error, message):
    optimizer = Seen([torch.nn.Parameter(torch.ones(1))])
    given = {"plan": PLAN, "epochs": 3, "updates_per_epoch": 4, **changes}
    with pytest.raises(error, match=message):
        PlannedScheduler(optimizer, given.pop("plan"), **given)
    assert optimizer.param_groups[0]["lr"] == 0.1
