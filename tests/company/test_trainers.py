"""Other trainers: ignite's warmup and micro-batches, Accelerate with the scheduler prepared and not.

Of each is asked who else writes the rate, who else counts, and whose step is an update.
"""

import warnings

import pytest
import torch
from accelerate import Accelerator

import glidepath as gp
from glidepath.torch import Scheduler

from ..integrations.seen import PLAN, Seen

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # in PyTorch's own optimizers, which ignite imports
    from ignite.engine import Engine, Events, create_supervised_trainer
    from ignite.handlers.param_scheduler import LRScheduler, create_lr_scheduler_with_warmup


def rates(plan, start, stop, base=0.1):
    return [base * plan(k) for k in range(start, stop)]


def used(optimizer):
    return [first for first, *_ in optimizer.used]


# --- ignite ---


@pytest.mark.parametrize("duration", [3, 5])
def test_the_warmup_of_ignite_around_a_scheduler_is_used_as_it_writes(duration):
    """It writes at every iteration: its own warmup, and then what the scheduler's `get_lr` gives."""
    model = torch.nn.Linear(4, 2)
    optimizer = Seen(model.parameters(), lr=0.1)
    plan = gp.cosine(20)
    warmup = {"warmup_start_value": 0.01, "warmup_end_value": 0.1, "warmup_duration": duration}
    handler = create_lr_scheduler_with_warmup(Scheduler(optimizer, plan), **warmup)

    def update(engine, batch):
        optimizer.zero_grad()
        model(batch).square().mean().backward()
        optimizer.step()

    trainer = Engine(update)
    trainer.add_event_handler(Events.ITERATION_STARTED, handler)
    with pytest.warns(gp.GlidepathWarning, match="the plan stands aside") as caught:
        trainer.run(torch.randn(12, 2, 4))
    written = [0.01 + 0.09 * k / (duration - 1) for k in range(duration)]
    assert used(optimizer) == pytest.approx(written + rates(plan, duration, 12), rel=1e-12)
    assert [warning.message.code for warning in caught] == ["GP724"]


def test_the_micro_batches_of_ignite_are_no_updates():
    model = torch.nn.Linear(4, 2)
    optimizer = Seen(model.parameters(), lr=0.1)
    scheduler = Scheduler(optimizer, PLAN)
    loss = lambda output, target: output.square().mean()
    trainer = create_supervised_trainer(model, optimizer, loss, gradient_accumulation_steps=3)
    trainer.add_event_handler(Events.ITERATION_STARTED, LRScheduler(scheduler))
    trainer.run([(torch.randn(2, 4), torch.randn(2, 2)) for _ in range(12)], max_epochs=3)
    assert used(optimizer) == rates(PLAN, 0, 12)
    assert scheduler.position == 12


# --- Accelerate ---


@pytest.mark.parametrize("prepared", [True, False])
@pytest.mark.parametrize("after", [True, False])
def test_accelerate_drives_alike_whether_the_scheduler_is_prepared_or_not(prepared, after):
    accelerator = Accelerator(cpu=True, gradient_accumulation_steps=2)
    model = torch.nn.Linear(4, 2)
    inner = Seen(model.parameters(), lr=0.1)
    scheduler = None if after else Scheduler(inner, PLAN)
    model, optimizer = accelerator.prepare(model, inner)
    scheduler = scheduler or Scheduler(optimizer, PLAN)
    stepped = accelerator.prepare(scheduler) if prepared else scheduler
    for _ in range(24):
        with accelerator.accumulate(model):
            accelerator.backward(model(torch.randn(2, 4)).square().mean())
            optimizer.step()
            if prepared or accelerator.sync_gradients:
                stepped.step()
            optimizer.zero_grad()
    assert used(inner) == rates(PLAN, 0, 12)
    assert scheduler.position == 12
