"""Hugging Face's Trainer: the schedule at every update of a real training, through checkpoints, and as logged."""

import pytest
import torch
from transformers import Trainer, TrainerCallback, TrainingArguments

import glidepath as gp
from glidepath.integrations.transformers import schedule
from glidepath.torch import Scheduler

from .page import example
from .seen import DRAFT, PLAN, TWO, Seen, expected, two_groups

TWELVE = gp.parse(DRAFT).over(12)


class Model(torch.nn.Linear):
    """One layer that returns its loss, as the Trainer wants it."""

    def __init__(self):
        super().__init__(4, 2)

    def forward(self, x):
        return {"loss": super().forward(x).square().mean()}


DATA = [{"x": torch.ones(4) * i} for i in range(48)]


def options(folder, **changes):
    quiet = {"report_to": [], "disable_tqdm": True, "save_strategy": "no", "logging_strategy": "no", "use_cpu": True}
    # the Trainer would give its loader pinned memory, which there is none of without an accelerator
    given = {"per_device_train_batch_size": 2, "learning_rate": 0.1, "dataloader_pin_memory": False}
    return TrainingArguments(str(folder), **{**quiet, **given, **changes})


def trainer_of(folder, optimizer_of=two_groups, callbacks=(), scheduler_of=None, **changes):
    model = Model()
    optimizer = optimizer_of(model)
    scheduler = None if scheduler_of is None else scheduler_of(optimizer)
    given = Trainer(
        model,
        options(folder, **changes),
        train_dataset=DATA,
        optimizers=(optimizer, scheduler),
        callbacks=list(callbacks),
    )
    return given, optimizer


@pytest.mark.parametrize(
    "changes",
    [
        {"max_steps": 12},
        {"num_train_epochs": 1, "gradient_accumulation_steps": 2},
        {"num_train_epochs": 2, "per_device_train_batch_size": 8},
        {"num_train_epochs": 0.5},
    ],
)
def test_a_draft_takes_its_length_from_the_trainer(tmp_path, changes):
    trainer, optimizer = trainer_of(tmp_path, **changes)
    schedule(trainer, DRAFT)
    trainer.train()
    assert optimizer.used == expected(TWELVE, 0, 12, TWO)


def test_epochs_are_those_of_the_trainer(tmp_path):
    trainer, optimizer = trainer_of(tmp_path, num_train_epochs=3, gradient_accumulation_steps=5)
    schedule(trainer, "warmup(1ep) >> cosine(2ep)")
    trainer.train()  # 24 batches: 5 updates in each epoch
    assert optimizer.used == expected(gp.warmup(5) >> gp.cosine(10), 0, 15, TWO)


@pytest.mark.parametrize("changes", [{"max_steps": 12}, {"num_train_epochs": 1.5}, {"num_train_epochs": 0.5}])
def test_without_whole_epochs_a_plan_in_epochs_asks_for_a_horizon(tmp_path, changes):
    trainer, _ = trainer_of(tmp_path, **changes)
    schedule(trainer, "cosine(1ep)")
    with pytest.raises(gp.HorizonError, match="steps_per_epoch"):
        trainer.train()


def test_a_horizon_of_your_own_comes_first(tmp_path):
    trainer, optimizer = trainer_of(tmp_path, max_steps=3)
    schedule(trainer, DRAFT, horizon=12, minimum={None: 0.01})
    trainer.train()
    assert optimizer.used == [[max(base * TWELVE(k), 0.01) for base in TWO] for k in range(3)]


def test_the_optimizer_may_be_the_trainers_own(tmp_path):
    used = []
    trainer = Trainer(Model(), options(tmp_path, max_steps=12), train_dataset=DATA, callbacks=[Recorder(used)])
    schedule(trainer, DRAFT, weight_decay=gp.constant())
    trainer.args.weight_decay = 0.01
    trainer.train()
    assert used == expected(TWELVE, 0, 12, (0.1, 0.1))  # AdamW with a group for weights and one for biases


class Recorder(TrainerCallback):
    """Reads the rates within the update, in a hook that comes after the driver's."""

    def __init__(self, used):
        self.used = used

    def on_train_begin(self, args, state, control, optimizer, **rest):
        hook = lambda o, *rest: self.used.append([group["lr"] for group in o.param_groups])
        optimizer.optimizer.register_step_pre_hook(hook)


@pytest.mark.parametrize("by_trainer", [True, False])
def test_a_training_that_was_stopped_goes_on_exactly(tmp_path, by_trainer):
    def made():
        changes = {"max_steps": 12, "save_strategy": "steps", "save_steps": 5, "gradient_accumulation_steps": 2}
        scheduler_of = None if by_trainer else lambda optimizer: Scheduler(optimizer, TWELVE)
        trainer, optimizer = trainer_of(tmp_path, scheduler_of=scheduler_of, **changes)
        if by_trainer:
            schedule(trainer, DRAFT)
        return trainer, optimizer

    whole, optimizer = made()
    whole.train()
    assert optimizer.used == expected(TWELVE, 0, 12, TWO)
    saved = torch.load(tmp_path / "checkpoint-5" / "scheduler.pt", weights_only=True)
    assert saved["position"] == 5
    resumed, optimizer = made()
    resumed.train(resume_from_checkpoint=str(tmp_path / "checkpoint-5"))
    assert optimizer.used == expected(TWELVE, 5, 12, TWO)
    assert all(map(torch.equal, whole.model.parameters(), resumed.model.parameters()))


def test_a_longer_training_from_a_checkpoint_follows_its_own_length(tmp_path):
    """The Trainer drops the warnings of a load, so the one about the plan comes when the training begins."""
    first, _ = trainer_of(tmp_path, max_steps=12, save_strategy="steps", save_steps=6)
    schedule(first, DRAFT)
    first.train()
    longer, optimizer = trainer_of(tmp_path, max_steps=24)
    schedule(longer, DRAFT)
    with pytest.warns(gp.GlidepathWarning, match="lr was saved with another plan"):
        longer.train(resume_from_checkpoint=str(tmp_path / "checkpoint-6"))
    assert optimizer.used == expected(gp.parse(DRAFT).over(24), 6, 24, TWO)


def test_the_rate_that_is_logged_is_the_one_that_was_used(tmp_path):
    trainer, optimizer = trainer_of(tmp_path, max_steps=12, logging_strategy="steps", logging_steps=1)
    schedule(trainer, DRAFT)
    trainer.train()
    logged = [entry["learning_rate"] for entry in trainer.state.log_history if "learning_rate" in entry]
    assert logged == [first for first, _ in optimizer.used]


@pytest.mark.parametrize("rate", [0.1, torch.tensor(0.1, dtype=torch.float64)])
def test_training_twice_begins_with_the_same_rates(tmp_path, rate):
    trainer, optimizer = trainer_of(tmp_path, lambda model: Seen(model.parameters(), lr=rate), max_steps=4)
    schedule(trainer, "warmup(50%) >> linear(50%)")
    for _ in range(3):
        trainer.train()
    assert optimizer.used == expected(gp.warmup(2) >> gp.linear(2), 0, 4) * 3


def test_an_optimizer_that_is_made_anew_is_driven_anew(tmp_path):
    used = []
    trainer = Trainer(
        args=options(tmp_path, max_steps=4), model_init=Model, train_dataset=DATA, callbacks=[Recorder(used)]
    )
    schedule(trainer, "linear(100%)")
    trainer.train()
    trainer.args.learning_rate = 0.2
    trainer.train()
    assert used == [rates for base in (0.1, 0.2) for rates in expected(gp.linear(4), 0, 4, (base, base))]


def test_a_driver_that_is_there_is_not_made_again(tmp_path):
    trainer, _ = trainer_of(tmp_path, max_steps=12)
    schedule(trainer, DRAFT)
    trainer.create_optimizer_and_scheduler(num_training_steps=12)
    assert trainer.create_scheduler(99) is trainer.lr_scheduler
    assert repr(trainer.lr_scheduler) == f"Scheduler(lr={TWELVE}, position=0)"


def test_a_training_of_no_updates_has_no_horizon(tmp_path):
    trainer, _ = trainer_of(tmp_path, num_train_epochs=0)
    schedule(trainer, DRAFT)
    with pytest.raises(gp.ScheduleError, match="the horizon must be at least 1, not 0"):
        trainer.train()


def test_a_trainer_that_has_a_scheduler_is_refused(tmp_path):
    trainer, _ = trainer_of(tmp_path, scheduler_of=lambda optimizer: Scheduler(optimizer, PLAN), max_steps=12)
    with pytest.raises(gp.SchedulerError, match=r"was given a scheduler: give it optimizers=\(optimizer, None\)"):
        schedule(trainer, DRAFT)


def test_what_the_page_shows_trains_at_the_right_rates(tmp_path):
    model, used = Model(), []
    arguments = options(tmp_path, max_steps=12, learning_rate=3e-4)
    names = {"model": model, "arguments": arguments, "data": DATA, "schedule": schedule}

    def recording(*given, **more):
        return Trainer(*given, **more, callbacks=[Recorder(used)])

    example("Hugging Face Trainer", **names, Trainer=recording)
    assert used == expected(TWELVE, 0, 12, (3e-4, 3e-4))
