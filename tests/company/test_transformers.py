"""Hugging Face's Trainer: optimizers of single parameters, updates that no hook sees, and checkpoints of its own."""

import sys
import types
import warnings

import pytest
import torch
from transformers import (
    Adafactor,
    Seq2SeqTrainer,
    Seq2SeqTrainingArguments,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)
from transformers.trainer_pt_utils import LayerWiseDummyOptimizer

import glidepath as gp
from glidepath.integrations.transformers import schedule
from glidepath.torch import Scheduler, Set

DATA = [{"x": torch.ones(4) * (i % 5 - 2)} for i in range(48)]
PLAN = gp.warmup(3) >> gp.cosine(9, to=0.1)
OTHER_STATE = "resuming from the state of another scheduler at update 5"


class Model(torch.nn.Module):
    """A layer that is trained between two that are frozen or trained, with its loss."""

    def __init__(self):
        super().__init__()
        self.frozen, self.head = torch.nn.Linear(4, 4), torch.nn.Linear(4, 2)
        self.frozen.requires_grad_(False)

    def forward(self, x):
        return {"loss": self.head(self.frozen(x)).square().mean()}


def trainer_of(folder, kind=Trainer, arguments=TrainingArguments, optimizers=(None, None), **changes):
    torch.manual_seed(0)
    more = {name: changes.pop(name) for name in ("callbacks", "optimizer_cls_and_kwargs", "model") if name in changes}
    quiet = {"report_to": [], "disable_tqdm": True, "save_strategy": "no", "use_cpu": True, "logging_steps": 1}
    run = {"max_steps": 12, "per_device_train_batch_size": 2, "learning_rate": 0.1, "dataloader_pin_memory": False}
    options = arguments(str(folder), **{**quiet, **run, **changes})
    return kind(more.pop("model", None) or Model(), options, train_dataset=DATA, optimizers=optimizers, **more)


def logged(trainer):
    return [entry["learning_rate"] for entry in trainer.state.log_history if "learning_rate" in entry]


def rates(plan, start, stop, base=0.1):
    return [base * plan(k) for k in range(start, stop)]


# --- an optimizer for each parameter ---


def layerwise(model, used):
    """Return what `optim="galore_adamw_layerwise"` makes: optimizers that a hook of each parameter steps."""
    by_parameter = {each: torch.optim.AdamW([each], lr=0.1) for each in model.parameters()}

    def update(parameter):
        optimizer = by_parameter[parameter]
        optimizer.step()
        optimizer.zero_grad()

    for parameter, optimizer in by_parameter.items():
        used[parameter] = []
        record = lambda o, *rest, rates=used[parameter]: rates.append(o.param_groups[0]["lr"])
        optimizer.register_step_post_hook(record)
        if parameter.requires_grad:
            parameter.register_post_accumulate_grad_hook(update)
    return LayerWiseDummyOptimizer, {"optimizer_dict": by_parameter, "lr": 0.1}


def layerwise_trainer(folder, plan=PLAN, **changes):
    torch.manual_seed(0)
    model, used = Model(), {}
    trainer = trainer_of(folder, model=model, optimizer_cls_and_kwargs=layerwise(model, used), **changes)
    if plan is not None:
        schedule(trainer, plan)
    return trainer, [used[parameter] for parameter in model.head.parameters()]


def test_the_optimizer_of_every_parameter_is_driven_not_the_dummy_of_the_trainer(tmp_path):
    trainer, used = layerwise_trainer(tmp_path)
    trainer.train()
    assert used == [rates(PLAN, 0, 12)] * 2
    assert trainer.lr_scheduler.positions == [12, 12]
    assert logged(trainer) == rates(PLAN, 0, 12)


def test_the_optimizers_of_the_parameters_go_on_from_a_checkpoint(tmp_path):
    first, _ = layerwise_trainer(tmp_path, save_strategy="steps", save_steps=5)
    first.train()
    second, used = layerwise_trainer(tmp_path)
    second.train(resume_from_checkpoint=str(tmp_path / "checkpoint-5"))
    assert used == [rates(PLAN, 5, 12)] * 2


def test_the_optimizers_of_the_parameters_go_on_from_a_checkpoint_of_the_trainers_own_scheduler(tmp_path):
    first, used = layerwise_trainer(tmp_path, None, lr_scheduler_type="linear", save_strategy="steps", save_steps=5)
    first.train()
    assert used == [[0.1] * 12] * 2  # its schedule drives the dummy only
    second, used = layerwise_trainer(tmp_path)
    with pytest.warns(gp.GlidepathWarning, match=f"{OTHER_STATE} with base 0.1"):
        second.train(resume_from_checkpoint=str(tmp_path / "checkpoint-5"))
    assert used == [pytest.approx(rates(PLAN, 5, 12), rel=1e-12)] * 2


def test_training_the_optimizers_of_the_parameters_twice_begins_with_the_same_rates(tmp_path):
    trainer, used = layerwise_trainer(tmp_path)
    trainer.train()
    trainer.train()
    assert used == [rates(PLAN, 0, 12) * 2] * 2


# --- updates that no hook sees ---


class Lomo(torch.optim.Optimizer):
    """LOMO's contract: `fused_backward` updates the weights, and Accelerate never calls `step`."""

    def __init__(self, model, lr):
        self.used = []
        super().__init__(model.parameters(), {"lr": lr})

    def fused_backward(self, loss, lr):
        self.used.append(lr)
        loss.backward()

    def step(self, closure=None):
        raise NotImplementedError("fused_backward does it")


@pytest.fixture
def lomo(monkeypatch):
    monkeypatch.setitem(sys.modules, "lomo_optim", types.SimpleNamespace(Lomo=Lomo, AdaLomo=type("AdaLomo", (), {})))
    for module in ("transformers.trainer_optimizer", "accelerate.optimizer", "accelerate.accelerator"):
        monkeypatch.setattr(f"{module}.is_lomo_available", lambda: True)


@pytest.mark.usefixtures("lomo")
def test_lomo_which_never_steps_is_driven_by_the_count_of_the_trainer(tmp_path):
    trainer = trainer_of(tmp_path, optim="lomo", max_grad_norm=0, save_strategy="steps", save_steps=5)
    schedule(trainer, PLAN)
    trainer.train()
    assert trainer.optimizer.optimizer.used == rates(PLAN, 0, 12)
    resumed = trainer_of(tmp_path, optim="lomo", max_grad_norm=0)
    schedule(resumed, PLAN)
    resumed.train(resume_from_checkpoint=str(tmp_path / "checkpoint-5"))
    assert resumed.optimizer.optimizer.used == rates(PLAN, 5, 12)


def test_under_deepspeed_the_calls_of_the_trainer_are_counted(tmp_path):
    """ZeRO steps the inner optimizer once for each group, so its steps are no updates."""
    trainer = trainer_of(tmp_path)
    schedule(trainer, PLAN)
    trainer.create_optimizer()
    trainer.is_deepspeed_enabled = True
    scheduler = trainer.create_scheduler(12)
    used = []
    for _ in range(12):
        used.append(scheduler.get_last_lr()[0])
        trainer.optimizer.step()
        trainer.optimizer.step()
        scheduler.step()
    assert used == rates(PLAN, 0, 12)


# --- moving in and out ---


@pytest.mark.parametrize(
    ("optim", "proof"), [("adamw_torch", "the optimizer has made 5 updates"), ("sgd", "the trainer has made 5 updates")]
)
def test_a_checkpoint_of_the_trainers_own_scheduler_is_taken_over(tmp_path, optim, proof):
    first = trainer_of(tmp_path, optim=optim, lr_scheduler_type="linear", save_strategy="steps", save_steps=5)
    first.train()
    second = trainer_of(tmp_path, optim=optim)
    schedule(second, PLAN)
    with pytest.warns(gp.GlidepathWarning, match=f"{OTHER_STATE} with base 0.1, by the plan in the code: {proof}"):
        second.train(resume_from_checkpoint=str(tmp_path / "checkpoint-5"))
    assert logged(second)[5:] == pytest.approx(rates(PLAN, 5, 12), rel=1e-12)
    assert second.lr_scheduler.position == 12


def test_a_checkpoint_of_ours_is_taken_over_by_the_trainers_own_scheduler(tmp_path):
    first = trainer_of(tmp_path, save_strategy="steps", save_steps=5)
    schedule(first, PLAN)
    first.train()
    second = trainer_of(tmp_path, lr_scheduler_type="linear")
    second.train(resume_from_checkpoint=str(tmp_path / "checkpoint-5"))
    assert logged(second)[6:] == pytest.approx(rates(gp.linear(12), 6, 12), rel=1e-12)


def saved_at_six(folder, **changes):
    trainer = trainer_of(folder, save_strategy="steps", save_steps=6, **changes)
    schedule(trainer, "cosine(100%)")
    trainer.train()
    return str(folder / "checkpoint-6")


def test_a_learning_rate_that_was_changed_on_resuming_is_said_once(tmp_path):
    checkpoint = saved_at_six(tmp_path)
    trainer = trainer_of(tmp_path, learning_rate=0.2)
    schedule(trainer, "cosine(100%)")
    with pytest.warns(gp.GlidepathWarning) as caught:
        trainer.train(resume_from_checkpoint=checkpoint)
    (warning,) = caught
    assert warning.message.code == "GP746"
    assert "saved with base 0.1 and is 0.2 in the code" in str(warning.message)
    assert logged(trainer)[6:] == rates(gp.cosine(12), 6, 12)


class Rebase(TrainerCallback):
    def on_train_begin(self, args, state, control, lr_scheduler, **rest):
        lr_scheduler.rebase(lr=args.learning_rate)


@pytest.mark.filterwarnings("ignore:lr of group 0 was saved with base 0.1 and is 0.2")
def test_the_cure_for_a_changed_learning_rate_is_one(tmp_path):
    checkpoint = saved_at_six(tmp_path)
    trainer = trainer_of(tmp_path, learning_rate=0.2, callbacks=[Rebase()])
    schedule(trainer, "cosine(100%)")
    trainer.train(resume_from_checkpoint=checkpoint)
    assert logged(trainer)[6:] == rates(gp.cosine(12), 6, 12, base=0.2)


def test_another_plan_on_resuming_is_said_once(tmp_path):
    checkpoint = saved_at_six(tmp_path)
    trainer = trainer_of(tmp_path, max_steps=24)
    schedule(trainer, "cosine(100%)")
    with pytest.warns(gp.GlidepathWarning, match="lr was saved with another plan") as caught:
        trainer.train(resume_from_checkpoint=checkpoint)
    assert [warning.message.code for warning in caught] == ["GP703"]
    assert logged(trainer)[6:] == rates(gp.cosine(24), 6, 24)


@pytest.mark.filterwarnings("ignore:lr was saved with another plan")
@pytest.mark.parametrize("plan", ["cosine(100%)", "constant()"])
def test_a_training_that_is_resumed_with_twice_the_batch_and_makes_no_update_says_so(tmp_path, plan):
    epochs = {"max_steps": -1, "num_train_epochs": 2}
    first = trainer_of(tmp_path, **epochs, save_strategy="epoch")
    schedule(first, plan)
    first.train()
    second = trainer_of(tmp_path, **epochs, per_device_train_batch_size=4)
    schedule(second, plan)
    with pytest.warns(gp.GlidepathWarning, match=r"no update left to make: the checkpoint has made 24, and 24 are"):
        second.train(resume_from_checkpoint=str(tmp_path / "checkpoint-24"))
    assert second.lr_scheduler.position == 24


def test_a_finished_training_that_is_run_again_is_silent(tmp_path):
    once = {"max_steps": -1, "num_train_epochs": 1, "per_device_train_batch_size": 4}
    first = trainer_of(tmp_path, **once, save_strategy="epoch")
    schedule(first, "cosine(100%)")
    first.train()
    second = trainer_of(tmp_path, **once)
    schedule(second, "cosine(100%)")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        second.train(resume_from_checkpoint=str(tmp_path / "checkpoint-12"))
    assert second.lr_scheduler.position == 12


# --- arguments that cannot be driven, and the classes below Trainer ---


def test_adafactor_without_a_rate_names_relative_step(tmp_path):
    model = Model()
    trainer = trainer_of(tmp_path, model=model, optimizers=(Adafactor(model.parameters()), None))
    schedule(trainer, PLAN)
    with pytest.raises(gp.SchedulerError, match="relative_step=False"):
        trainer.train()


def test_a_weight_decay_is_not_switched_on_for_the_group_without_it(tmp_path):
    trainer = trainer_of(tmp_path, weight_decay=0.1)
    schedule(trainer, PLAN, weight_decay=Set(0.1 * PLAN))
    with pytest.raises(gp.SchedulerError, match="weight_decay of group 1 was built with 0"):
        trainer.train()
    schedule(trainer, PLAN, weight_decay={(lambda group: group["weight_decay"] > 0): Set(0.1 * PLAN)})
    trainer.train()
    assert [group["weight_decay"] for group in trainer.optimizer.param_groups] == [0.1 * PLAN(12), 0.0]


def test_a_class_below_trainer_is_driven_alike(tmp_path):
    trainer = trainer_of(tmp_path, Seq2SeqTrainer, Seq2SeqTrainingArguments)
    schedule(trainer, PLAN)
    trainer.train()
    assert logged(trainer) == rates(PLAN, 0, 12)
    assert isinstance(trainer.lr_scheduler, Scheduler)
