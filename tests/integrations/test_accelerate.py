"""Accelerate: accumulation and several processes do not speed the schedule up, in real training."""

import warnings

import pytest
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, GradientState, PartialState

import glidepath as gp
from glidepath.torch import Scheduler, detach

from .page import example
from .processes import in_two_processes
from .seen import PLAN, TWO, expected, two_groups


@pytest.fixture(autouse=True)
def _fresh():
    """Accelerate keeps one state for the whole process."""
    yield
    for state in (AcceleratorState, GradientState, PartialState):
        state._reset_state()


def trained(accelerator, model, optimizer, batches, scheduler=None):
    """Micro-batches as Accelerate's documentation loops over them."""
    for _ in range(batches):
        with accelerator.accumulate(model):
            accelerator.backward(model(torch.randn(2, 4)).square().mean())
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
            optimizer.zero_grad()


def prepared(accelerator):
    model = torch.nn.Linear(4, 2)
    inner = two_groups(model)
    scheduler = Scheduler(inner, PLAN)
    return inner, *accelerator.prepare(model, inner, scheduler)


def test_what_the_page_shows_trains_at_the_right_rates():
    model = torch.nn.Linear(4, 2)
    inner = two_groups(model)
    loader = torch.utils.data.DataLoader(torch.randn(20, 4), batch_size=2)
    example("Accelerate", model=model, optimizer=inner, loader=loader, plan=PLAN, Accelerator=Accelerator)
    assert inner.used == expected(PLAN, 0, 5, TWO)  # ten batches, two to an update


def test_accumulation_does_not_speed_a_prepared_schedule_up():
    accelerator = Accelerator(cpu=True, gradient_accumulation_steps=4)
    inner, model, optimizer, scheduler = prepared(accelerator)
    trained(accelerator, model, optimizer, 40, scheduler)
    assert inner.used == expected(PLAN, 0, 10, TWO)
    assert scheduler.get_last_lr() == expected(PLAN, 10, 11, TWO)[0]


def test_a_state_saved_in_the_middle_goes_on_exactly(tmp_path):
    accelerator = Accelerator(cpu=True, gradient_accumulation_steps=2)
    _, model, optimizer, scheduler = prepared(accelerator)
    trained(accelerator, model, optimizer, 10, scheduler)
    accelerator.save_state(tmp_path)
    _fresh_states()
    accelerator = Accelerator(cpu=True, gradient_accumulation_steps=2)
    inner, model, optimizer, scheduler = prepared(accelerator)
    accelerator.load_state(tmp_path)
    trained(accelerator, model, optimizer, 10, scheduler)
    assert inner.used == expected(PLAN, 5, 10, TWO)


def _fresh_states():
    for state in (AcceleratorState, GradientState, PartialState):
        state._reset_state()


def test_a_driver_made_after_prepare_drives_the_optimizer_within():
    accelerator = Accelerator(cpu=True)
    model = torch.nn.Linear(4, 2)
    inner = two_groups(model)
    model, optimizer = accelerator.prepare(model, inner)
    scheduler = Scheduler(optimizer, PLAN)
    assert scheduler.optimizer is inner
    trained(accelerator, model, optimizer, 6)
    assert inner.used == expected(PLAN, 0, 6, TWO)
    detach(optimizer)
    trained(accelerator, model, optimizer, 1)
    assert (inner.used[6], scheduler.position) == (inner.used[5], 6)


def _two_processes(rank, folder):
    warnings.simplefilter("error", gp.GlidepathWarning)
    used = []
    for part in ("first", "second"):
        accelerator = Accelerator(cpu=True, gradient_accumulation_steps=2)
        assert accelerator.num_processes == 2
        inner, model, optimizer, scheduler = prepared(accelerator)
        if part == "second":
            accelerator.load_state(folder / "state")
        trained(accelerator, model, optimizer, 10, scheduler)
        if part == "first":
            accelerator.save_state(folder / "state")
        used += inner.used
    assert used == expected(PLAN, 0, 10, TWO)
    return used


def test_two_processes_do_not_speed_it_up_and_bring_no_warning(tmp_path):
    assert in_two_processes(_two_processes, tmp_path) == [expected(PLAN, 0, 10, TWO)] * 2
