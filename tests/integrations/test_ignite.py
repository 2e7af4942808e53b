"""ignite: the driver in a real engine, alone and inside ignite's own wrapper, and through ignite's checkpoints."""

import warnings

import pytest
import torch

from glidepath.torch import Scheduler

from .page import example
from .seen import PLAN, TWO, expected, two_groups

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # in PyTorch's own optimizers, which ignite imports
    from ignite.engine import Engine, Events
    from ignite.handlers import Checkpoint, DiskSaver
    from ignite.handlers.param_scheduler import LRScheduler


def engine_of(folder):
    model = torch.nn.Linear(4, 2)
    names = {"Engine": Engine, "Events": Events, "Checkpoint": Checkpoint, "DiskSaver": DiskSaver}
    return example("ignite", model=model, optimizer=two_groups(model), plan=PLAN, folder=folder, **names)


def test_the_engine_of_the_page_trains_and_resumes_at_the_right_rates(tmp_path):
    first = engine_of(tmp_path)
    first["trainer"].run(torch.randn(5, 2, 4))
    assert first["optimizer"].used == expected(PLAN, 0, 5, TWO)
    saved = torch.load(tmp_path / "checkpoint_5.pt", weights_only=True)
    second = engine_of(tmp_path)
    Checkpoint.load_objects({"optimizer": second["optimizer"], "scheduler": second["scheduler"]}, saved)
    second["trainer"].run(torch.randn(7, 2, 4))
    assert second["optimizer"].used == expected(PLAN, 5, 12, TWO)


@pytest.mark.parametrize("event", [Events.ITERATION_STARTED, Events.ITERATION_COMPLETED, Events.EPOCH_COMPLETED])
def test_ignites_own_wrapper_may_hold_the_driver_at_whatever_event(event):
    model = torch.nn.Linear(4, 2)
    optimizer = two_groups(model)
    scheduler = Scheduler(optimizer, PLAN)

    def update(engine, batch):
        optimizer.zero_grad()
        model(batch).square().mean().backward()
        optimizer.step()

    trainer = Engine(update)
    trainer.add_event_handler(event, LRScheduler(scheduler))
    trainer.run(torch.randn(4, 2, 4), max_epochs=3)
    assert optimizer.used == expected(PLAN, 0, 12, TWO)
    assert scheduler.position == 12


def test_what_ignite_attaches_to_record_rates_is_right():
    model = torch.nn.Linear(4, 2)
    optimizer = two_groups(model)
    handler = LRScheduler(Scheduler(optimizer, PLAN), save_history=True)

    def update(engine, batch):
        model(batch).square().mean().backward()
        optimizer.step()

    trainer = Engine(update)
    trainer.add_event_handler(Events.ITERATION_STARTED, handler)
    trainer.run(torch.randn(12, 2, 4))
    assert [tuple(rates) for rates in trainer.state.param_history["lr"]] == [
        tuple(r) for r in expected(PLAN, 0, 12, TWO)
    ]
