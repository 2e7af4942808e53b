"""A run that began with a framework's own scheduler goes on with ours inside that framework, and the other way."""

import math
import random

import pytest
import torch
import torch.distributed.checkpoint as checkpoint

pytest.importorskip("lightning")
pytest.importorskip("transformers")
from lightning.pytorch import LightningModule, Trainer, callbacks
from transformers import get_scheduler

import glidepath as gp
from glidepath.errors import GlidepathWarning, StateError
from glidepath.integrations.lightning import configure_scheduler
from glidepath.integrations.transformers import schedule
from glidepath.torch import Scheduler

from ..integrations.test_transformers import trainer_of

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning"),  # Lightning's own use of PyTorch's trees
    pytest.mark.filterwarnings("ignore:.*does not have many workers"),
    pytest.mark.filterwarnings("ignore:.*Checkpoint directory .* exists"),
    pytest.mark.filterwarnings("ignore:The number of training batches"),
    pytest.mark.filterwarnings("ignore:You're resuming from a checkpoint that ended before"),
]

COSINE = gp.cosine(40)


class Records:
    """Writes down the rate of the first group at each update, from within the update."""

    def __init__(self, params, lr=0.1, **options):
        super().__init__(params, lr=lr, **options)
        self.used = []

    def step(self, closure=None):
        self.used.append(float(self.param_groups[0]["lr"]))
        return super().step(closure)


class Recording(Records, torch.optim.AdamW):
    """An optimizer that counts its updates."""


class RecordingSGD(Records, torch.optim.SGD):
    """An optimizer that keeps no count of its own."""


class MomentumSGD(Records, torch.optim.SGD):
    """An optimizer that keeps a state, and no count in it."""

    def __init__(self, params, lr=0.1):
        super().__init__(params, lr=lr, momentum=0.9)


def expected(start, stop, base=0.1, plan=COSINE):
    return pytest.approx([base * plan(k) for k in range(start, stop)], rel=1e-9)


# --- Lightning ---


class Model(LightningModule):
    """One layer, and an optimizer with the scheduler that `configure` builds for it."""

    def __init__(self, configure, kind=Recording):
        super().__init__()
        self.layer, self.configure, self.kind = torch.nn.Linear(4, 2), configure, kind

    def training_step(self, batch, number):
        return self.layer(batch).square().mean()

    def train_dataloader(self):
        return torch.utils.data.DataLoader(torch.randn(20, 4), batch_size=2)

    def configure_optimizers(self):
        self.optimizer = self.kind(self.parameters())
        return self.configure(self, self.optimizer)


def by_pytorch(interval):
    def configure(module, optimizer):
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 40)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": interval}}

    return configure


def by_us(**options):
    return lambda module, optimizer: configure_scheduler(module, optimizer, COSINE, **options)


def fit(configure, folder, epochs, checkpoint=None, kind=Recording):
    """Train for some epochs of 10 updates, with a checkpoint after each; returns the rates that were used."""
    model = Model(configure, kind)
    saves = callbacks.ModelCheckpoint(folder, filename="{epoch}", every_n_epochs=1, save_top_k=-1)
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "logger": False, "accelerator": "cpu"}
    trainer = Trainer(max_epochs=epochs, callbacks=[saves], **quiet)
    trainer.fit(model, ckpt_path=checkpoint, weights_only=checkpoint and True)
    return model.optimizer.used


def test_a_run_that_lightning_began_with_pytorchs_scheduler_goes_on_with_ours(tmp_path):
    assert fit(by_pytorch("step"), tmp_path, 2) == expected(0, 20)
    with pytest.warns(GlidepathWarning, match=r"at update 20 with base 0.1.*optimizer has made 20 updates.*GP732"):
        used = fit(by_us(), tmp_path, 4, tmp_path / "epoch=1.ckpt")
    assert used == expected(20, 40)


def test_a_run_without_a_count_is_taken_over_and_that_is_said(tmp_path):
    fit(by_pytorch("step"), tmp_path, 2, kind=RecordingSGD)
    with pytest.warns(GlidepathWarning, match=r"at update 20 .*GP732"):
        used = fit(by_us(), tmp_path, 4, tmp_path / "epoch=1.ckpt", kind=RecordingSGD)
    assert used == expected(20, 40)


def test_a_scheduler_that_lightning_stepped_by_epoch_is_refused_and_the_cure_works_inside_lightning(tmp_path):
    fit(by_pytorch("epoch"), tmp_path, 2)
    with pytest.raises(StateError, match=r"last_epoch .* is 2, and the optimizer has made 20 updates.*position=20"):
        fit(by_us(), tmp_path, 4, tmp_path / "epoch=1.ckpt")
    with pytest.warns(GlidepathWarning, match="GP732"):
        used = fit(by_us(position=20), tmp_path, 4, tmp_path / "epoch=1.ckpt")
    assert used == expected(20, 40)


def test_lightning_goes_on_with_pytorchs_scheduler_from_our_checkpoint(tmp_path):
    assert fit(by_us(), tmp_path, 2) == expected(0, 20)
    assert fit(by_pytorch("step"), tmp_path, 4, tmp_path / "epoch=1.ckpt") == expected(20, 40)


# --- Transformers ---


def linear(optimizer):
    return get_scheduler("linear", optimizer, 4, 40)


LINEAR = gp.linear(4, start=0.0, to=1.0) >> gp.linear(36)


def train(folder, updates, ours=None, checkpoint=None, kind=Recording, theirs=linear, callbacks=()):
    """Train with the Trainer, with a checkpoint at update 10; returns the rates that were used."""
    changes = {"max_steps": updates, "save_strategy": "steps", "save_steps": 10}
    trainer, optimizer = trainer_of(
        folder, lambda model: kind(model.parameters()), callbacks, None if ours else theirs, **changes
    )
    if ours:
        schedule(trainer, **ours)
    trainer.train(resume_from_checkpoint=checkpoint)
    return optimizer.used


def test_a_run_that_the_trainer_began_with_its_own_schedule_goes_on_with_ours(tmp_path):
    assert train(tmp_path, 10) == expected(0, 10, plan=LINEAR)
    with pytest.warns(GlidepathWarning, match=r"at update 10 with base 0.1.*optimizer has made 10 updates"):
        used = train(tmp_path, 20, {"lr": LINEAR}, str(tmp_path / "checkpoint-10"))
    assert used == expected(10, 20, plan=LINEAR)


def test_the_trainer_goes_on_with_its_own_schedule_from_our_checkpoint(tmp_path):
    assert train(tmp_path, 10, {"lr": LINEAR}) == expected(0, 10, plan=LINEAR)
    assert train(tmp_path, 20, None, str(tmp_path / "checkpoint-10")) == expected(10, 20, plan=LINEAR)


# --- plain loops ---


def loop(optimizer, scheduler, updates):
    for _ in range(updates):
        for group in optimizer.param_groups:
            for p in group["params"]:
                p.grad = torch.ones_like(p)
        optimizer.step()
        scheduler.step()
    return optimizer.used[-updates:]


def build(*lrs, kind=Recording):
    return kind([{"params": [torch.nn.Parameter(torch.ones(2))], "lr": lr} for lr in lrs or (0.1,)])


@pytest.mark.parametrize("optimizer_first", [True, False])
def test_the_optimizer_may_be_loaded_before_or_after(optimizer_first):
    first = build(0.1, 0.02)
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(first, 40)
    loop(first, theirs, 15)
    second = build(0.1, 0.02)
    ours = Scheduler(second, COSINE)
    loads = [
        lambda: second.load_state_dict(first.state_dict()),
        lambda: ours.load_state_dict(theirs.state_dict()),
    ]
    with pytest.warns(GlidepathWarning, match="GP732"):
        for load in loads if optimizer_first else reversed(loads):
            load()
    assert ours.position == 15
    assert ours.base_lrs == [0.1, 0.02]
    assert loop(second, ours, 25) == expected(15, 40)


def test_the_bases_of_the_state_win_over_those_of_the_code():
    first = build(0.1)
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(first, 40)
    loop(first, theirs, 15)
    second = build(0.7)
    ours = Scheduler(second, COSINE)
    second.load_state_dict(first.state_dict())
    with pytest.warns(GlidepathWarning, match="with base 0.1"):
        ours.load_state_dict(theirs.state_dict())
    assert loop(second, ours, 10) == expected(15, 25)


def test_one_cycle_goes_on_at_its_peak():
    first = build(0.1)
    theirs = torch.optim.lr_scheduler.OneCycleLR(first, 0.3, total_steps=40, cycle_momentum=False)
    plan = gp.convert.read(theirs).schedule
    loop(first, theirs, 15)
    second = build(0.3)
    ours = Scheduler(second, plan)
    second.load_state_dict(first.state_dict())
    with pytest.warns(GlidepathWarning, match="with base 0.3"):
        ours.load_state_dict(theirs.state_dict())
    assert loop(second, ours, 25) == expected(15, 40, 0.3, plan)


def test_a_state_that_went_out_and_came_back_is_right():
    first = build(0.1)
    ours = Scheduler(first, COSINE)
    loop(first, ours, 10)
    second = build(0.1)
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(second, 40)
    second.load_state_dict(first.state_dict())
    theirs.load_state_dict(ours.state_dict())
    assert loop(second, theirs, 10) == expected(10, 20)
    third = build(0.1)
    again = Scheduler(third, COSINE)
    third.load_state_dict(second.state_dict())
    with pytest.warns(GlidepathWarning, match="at update 20"):
        again.load_state_dict(theirs.state_dict())
    assert loop(third, again, 20) == expected(20, 40)


@pytest.mark.parametrize(
    "kind, message",
    [
        (Recording, "15 updates .*position=15"),
        (MomentumSGD, r"an earlier training .*position=\.\.\."),
        (RecordingSGD, r"an earlier training .*position=\.\.\."),  # which only its rate shows
    ],
)
def test_an_optimizer_loaded_alone_is_warned_of_at_the_next_update(kind, message):
    first = build(0.1, kind=kind)
    loop(first, Scheduler(first, COSINE), 15)
    second = build(0.1, kind=kind)
    scheduler = Scheduler(second, COSINE)
    second.load_state_dict(first.state_dict())
    with pytest.warns(GlidepathWarning, match=f"{message}.*GP733"):
        assert loop(second, scheduler, 3) == expected(0, 3)


def test_with_its_scheduler_loaded_too_or_its_position_there_is_no_warning():
    first = build(0.1)
    ours = Scheduler(first, COSINE)
    loop(first, ours, 15)
    second = build(0.1)
    scheduler = Scheduler(second, COSINE)
    second.load_state_dict(first.state_dict())
    scheduler.load_state_dict(ours.state_dict())
    assert loop(second, scheduler, 3) == expected(15, 18)
    third = build(0.1)
    scheduler = Scheduler(third, COSINE, position=15)
    third.load_state_dict(first.state_dict())
    assert loop(third, scheduler, 3) == expected(15, 18)


# --- read() of a living scheduler, attached ---


@pytest.mark.parametrize("kind", [Recording, RecordingSGD])
def test_a_scheduler_that_was_read_is_attached_where_it_stands(kind):
    optimizer = build(0.1, 0.02, kind=kind)
    loop(optimizer, torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 40), 0)
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 40)
    loop(optimizer, theirs, 20)
    ours = gp.convert.read(theirs).attach(optimizer)
    assert (ours.position, ours.base_lrs) == (20, [0.1, 0.02])
    assert loop(optimizer, ours, 20) == expected(20, 40)


def test_our_own_scheduler_that_was_read_is_attached_to_another_optimizer():
    first = build(0.1)
    ours = Scheduler(first, COSINE)
    loop(first, ours, 20)
    second = build(0.1)
    second.load_state_dict(first.state_dict())
    assert loop(second, gp.convert.read(ours).attach(second), 20) == expected(20, 40)


def test_groups_with_schedules_of_their_own_are_attached_each_to_its_own():
    optimizer = build(0.1, 0.02)
    ratios = [lambda k: 1 / (k + 1), lambda k: 1.0]
    theirs = torch.optim.lr_scheduler.LambdaLR(optimizer, ratios)
    loop(optimizer, theirs, 5)
    ours = gp.convert.read(theirs).attach(optimizer)
    for k in range(5, 10):
        loop(optimizer, ours, 1)
        assert [float(group["lr"]) for group in optimizer.param_groups] == pytest.approx([0.1 / (k + 2), 0.02])


def test_one_cycle_is_attached_with_its_momentum():
    one, two = build(0.1), build(0.1)
    for optimizer in (one, two):
        theirs = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.3, total_steps=40)
        loop(optimizer, theirs, 15)
    ours = gp.convert.read(theirs).attach(two)
    # `theirs` belongs to `two`, so a fresh one is stepped along for what is expected
    theirs = torch.optim.lr_scheduler.OneCycleLR(build(0.1), 0.3, total_steps=40)
    for k in range(39):
        theirs.optimizer.step()
        theirs.step()
        if k >= 15:
            loop(two, ours, 1)
            assert two.param_groups[0]["lr"] == pytest.approx(theirs.optimizer.param_groups[0]["lr"], rel=1e-9)
            assert two.param_groups[0]["betas"] == pytest.approx(theirs.optimizer.param_groups[0]["betas"], rel=1e-9)


# --- PyTorch's distributed checkpoints ---


def load_partly(scheduler, folder):
    """Load a scheduler from a distributed checkpoint that lacks some of its keys."""
    planner = checkpoint.DefaultLoadPlanner(allow_partial_load=True)
    checkpoint.load({"scheduler": scheduler}, checkpoint_id=folder, planner=planner)


@pytest.mark.filterwarnings("ignore:torch.distributed is disabled")
def test_a_distributed_checkpoint_of_pytorchs_scheduler_is_taken_over(tmp_path):
    first = build(0.1)
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(first, 40)
    loop(first, theirs, 15)
    checkpoint.save({"scheduler": theirs}, checkpoint_id=tmp_path)
    second = build(0.1)
    ours = Scheduler(second, COSINE)
    second.load_state_dict(first.state_dict())
    with pytest.warns(GlidepathWarning, match="at update 15 with base 0.1"):
        load_partly(ours, tmp_path)
    assert loop(second, ours, 25) == expected(15, 40)


@pytest.mark.filterwarnings("ignore:torch.distributed is disabled")
def test_a_distributed_checkpoint_of_the_first_version_of_our_state_is_resumed(tmp_path):
    groups = {"lr": [{"base": 0.1, "factor": 1.0}]}
    state = {"version": 1, "position": 15, "plans": {"lr": "cosine(40)"}, "groups": groups}
    checkpoint.save({"scheduler": state}, checkpoint_id=tmp_path)
    optimizer = build(0.1)
    ours = Scheduler(optimizer, COSINE, horizon=gp.Horizon(40, tokens_per_step=8))
    load_partly(ours, tmp_path)
    assert loop(optimizer, ours, 25) == expected(15, 40)


# --- anything else ---

ODDS = [None, 0, 1, -1, 2.5, "a", [], [0.1], {}, math.nan, 10**400, torch.tensor(3), torch.zeros(2), True, [None], b"x"]
KEYS = [
    "last_epoch",
    "position",
    "base_lrs",
    "_schedulers",
    "max_lrs",
    "base_values",
    "lr_schedulers",
    "best",
    "version",
]
KEYS += ["plans", "groups", "positions", "_last_lr", "replaced", "averaged", "tokens"]


@pytest.mark.filterwarnings("ignore::glidepath.errors.GlidepathWarning")
@pytest.mark.parametrize("seed", range(5))
def test_whatever_is_loaded_is_taken_whole_or_refused_with_nothing_changed(seed):
    draw = random.Random(seed)
    for _ in range(200):
        optimizer = build(0.1)
        scheduler = Scheduler(optimizer, COSINE)
        odd = {key: draw.choice(ODDS) for key in draw.sample(KEYS, draw.randint(1, 5))}
        state = odd if draw.random() < 0.5 else {**scheduler.state_dict(), **odd}
        before = (scheduler.position, scheduler.base_lrs, dict(optimizer.param_groups[0]))
        try:
            scheduler.load_state_dict(state)
        except StateError:
            assert (scheduler.position, scheduler.base_lrs, dict(optimizer.param_groups[0])) == before
        else:
            assert loop(optimizer, scheduler, 1) == [scheduler.base_lrs[0] * COSINE(scheduler.position - 1)]
