"""Lightning's own writers of the rate beside our scheduler: finder, fine-tuning, averaging, several optimizers."""

import warnings

import pytest
import torch
from lightning.pytorch import LightningModule, callbacks

import glidepath as gp
from glidepath.integrations.lightning import configure_scheduler
from glidepath.torch import Scheduler
from tests.integrations.seen import Seen
from tests.integrations.test_lightning import pytestmark as quiet
from tests.integrations.test_lightning import trainer

pytestmark = [
    *quiet,
    pytest.mark.filterwarnings("ignore:.*litlogger:UserWarning"),
    pytest.mark.filterwarnings("ignore:Swapping scheduler"),
    pytest.mark.filterwarnings("ignore:You have overridden `transfer_batch_to_device`"),
]


class Model(LightningModule):
    """Two layers, of which the first may be a backbone; the rate is an attribute, for the finder."""

    def __init__(self, plan, rate=0.01, batches=12, kind=Seen):
        super().__init__()
        self.backbone, self.head = torch.nn.Linear(4, 4), torch.nn.Linear(4, 2)
        self.plan, self.lr, self.batches, self.kind = plan, rate, batches, kind

    def training_step(self, batch, number):
        return self.head(self.backbone(batch)).square().mean()

    def train_dataloader(self):
        generator = torch.Generator().manual_seed(0)
        return torch.utils.data.DataLoader(torch.randn(2 * self.batches, 4, generator=generator), batch_size=2)

    def configure_optimizers(self):
        self.seen = self.kind([p for p in self.parameters() if p.requires_grad], lr=self.lr)
        return configure_scheduler(self, self.seen, self.plan)


# --- the learning-rate finder ---


@pytest.mark.parametrize("mode", ["exponential", "linear"])
@pytest.mark.parametrize("plan", [gp.warmup(6) >> gp.constant(), gp.cosine(200)])
def test_the_rate_that_lightnings_finder_writes_is_the_peak(tmp_path, mode, plan):
    """It sweeps with a scheduler of its own, restores a checkpoint, and writes its suggestion at position 0."""

    class Finder(callbacks.LearningRateFinder):
        def lr_find(self, trainer, module):
            super().lr_find(trainer, module)
            self.sweep = [rates[0] for rates in module.seen.used]
            module.seen.used.clear()

    finder = Finder(min_lr=1e-6, max_lr=0.5, num_training_steps=30, mode=mode, early_stop_threshold=None)
    model = Model(plan, batches=40)
    fit = trainer(max_steps=20, callbacks=[finder], default_root_dir=tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gp.GlidepathWarning)
        fit.fit(model)
    suggestion = finder.optimal_lr.suggestion()
    assert model.seen.used == [[pytest.approx(suggestion * plan(k), rel=1e-12)] for k in range(20)]
    steps = range(30)
    if mode == "exponential":
        written = [1e-6 * (0.5 / 1e-6) ** (k / 30) for k in steps]
    else:
        written = [1e-6 + (0.5 - 1e-6) * k / 30 for k in steps]
    assert finder.sweep[3:30] == pytest.approx([finder.optimal_lr.results["lr"][k] for k in range(3, 30)], rel=1e-9)
    assert len(finder.sweep) >= len(written)


def test_a_finder_that_looks_for_the_mark_of_a_scheduler_finds_it():
    model = Model(gp.cosine(12))
    trainer(max_steps=1).fit(model)
    assert model.seen.param_groups[0]["initial_lr"] == 0.01


# --- fine-tuning ---


class UnderLinear(Model):
    """The same under PyTorch's LinearLR."""

    def configure_optimizers(self):
        self.seen = Seen([p for p in self.parameters() if p.requires_grad], lr=self.lr)
        theirs = torch.optim.lr_scheduler.LinearLR(self.seen, 1.0, 1e-6, 48)
        return {"optimizer": self.seen, "lr_scheduler": {"scheduler": theirs, "interval": "step"}}


def finetune(model):
    finetuning = callbacks.BackboneFinetuning(
        unfreeze_backbone_at_epoch=2, lambda_func=lambda epoch: 1.0, backbone_initial_ratio_lr=0.1, should_align=False
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        trainer(max_epochs=4, callbacks=[finetuning]).fit(model)
    return model.seen.used, [str(w.message)[-7:] for w in caught]


def test_a_backbone_that_is_unfrozen_moves_as_under_pytorchs_linear():
    """BackboneFinetuning adds the group at a tenth of the present rate, and writes it again in each epoch."""
    ours, caught = finetune(Model(gp.linear(48, to=1e-6), rate=0.1))
    theirs, _ = finetune(UnderLinear(None, rate=0.1))
    assert [rates[0] for rates in ours] == pytest.approx([rates[0] for rates in theirs], rel=1e-9)
    assert [rates[1] for rates in ours[24:]] == pytest.approx([rates[1] for rates in theirs[24:]], rel=0.05)
    assert ours[24][1] == pytest.approx(0.1 * gp.linear(48)(23) / 10, rel=0.05)
    assert caught.count("[GP726]") == 1


# --- averages of the weights ---


@pytest.mark.parametrize("anneal", [1, 3])
def test_lightnings_averaging_takes_over_and_ends_at_its_own_rate(anneal):
    averaging = callbacks.StochasticWeightAveraging(
        swa_lrs=0.05, swa_epoch_start=2, annealing_epochs=anneal, annealing_strategy="linear"
    )
    model = Model(gp.cosine(100), rate=0.1)
    fit = trainer(max_epochs=8, callbacks=[averaging])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit.fit(model)
    used = [rates[0] for rates in model.seen.used]
    assert used[:24] == [0.1 * gp.cosine(100)(k) for k in range(24)]
    epochs = [set(used[12 * epoch : 12 * epoch + 12]) for epoch in range(3 + anneal, 8)]
    assert all(len(rates) == 1 for rates in epochs)
    assert used[-1] == pytest.approx(0.05, rel=1e-9)
    assert [str(w.message)[-7:] for w in caught].count("[GP725]") == 1


# --- several optimizers ---


class Adversarial(LightningModule):
    """A generator and a discriminator, stepped by hand."""

    def __init__(self, configure):
        super().__init__()
        self.automatic_optimization = False
        self.first, self.second, self.configure = torch.nn.Linear(4, 4), torch.nn.Linear(4, 2), configure

    def training_step(self, batch, number):
        for optimizer, layer in zip(self.optimizers(), (self.first, self.second), strict=True):
            optimizer.zero_grad()
            self.manual_backward(layer(batch).square().mean())
            optimizer.step()

    def train_dataloader(self):
        return torch.utils.data.DataLoader(torch.randn(24, 4), batch_size=2)

    def configure_optimizers(self):
        self.seen = [Seen(self.first.parameters()), Seen(self.second.parameters(), lr=0.02)]
        return self.configure(self)


def each(module, plan, **options):
    configured = [configure_scheduler(module, optimizer, plan, **options) for optimizer in module.seen]
    return [c["optimizer"] for c in configured], [c["lr_scheduler"] for c in configured]


def test_shares_with_several_optimizers_stepped_by_hand_ask_for_a_horizon():
    model = Adversarial(lambda module: each(module, "linear(100%)"))
    with pytest.raises(gp.HorizonError, match=r"manual optimization.*horizon="):
        trainer(max_epochs=2).fit(model)


@pytest.mark.parametrize("options", [{"max_epochs": 2}, {"max_steps": 48}])
def test_with_a_horizon_each_optimizer_follows_its_own_updates(options):
    model = Adversarial(lambda module: each(module, "linear(100%)", horizon=24))
    trainer(**options).fit(model)
    for optimizer, base in zip(model.seen, (0.1, 0.02), strict=True):
        assert optimizer.used == [[base * gp.linear(24)(k)] for k in range(24)]


def test_one_scheduler_may_drive_both():
    def configure(module):
        module.scheduler = Scheduler(module.seen, "linear(100%)", horizon=24)
        return module.seen

    model = Adversarial(configure)
    trainer(max_epochs=2).fit(model)
    assert model.scheduler.positions == [24, 24]
    assert model.seen[1].used == [[0.02 * gp.linear(24)(k)] for k in range(24)]


# --- counting ---


@pytest.mark.parametrize(
    "entry", [{"interval": "epoch"}, {"interval": "step", "frequency": 10}, {"interval": "epoch", "frequency": 3}]
)
@pytest.mark.parametrize("accumulate", [1, 5])
def test_whatever_lightning_counts_every_update_has_its_rate(entry, accumulate):
    """Its frequency counts batches within an epoch: one above their number never comes."""
    plan = gp.warmup(3) >> gp.cosine(60)

    class Stepped(Model):
        def configure_optimizers(self):
            self.seen = Seen(self.parameters(), lr=0.1)
            return {"optimizer": self.seen, "lr_scheduler": {"scheduler": Scheduler(self.seen, plan), **entry}}

    model = Stepped(None)
    trainer(max_epochs=4, accumulate_grad_batches=accumulate).fit(model)
    updates = 4 * (12 if accumulate == 1 else 3)
    assert model.seen.used == [[0.1 * plan(k)] for k in range(updates)]


def test_the_accumulation_scheduler_of_lightning_changes_the_batch_and_not_the_count():
    model = Model(gp.linear(100), rate=0.1)
    accumulation = callbacks.GradientAccumulationScheduler(scheduling={0: 4, 2: 2})
    trainer(max_epochs=4, callbacks=[accumulation]).fit(model)
    assert model.seen.used == [[0.1 * gp.linear(100)(k)] for k in range(2 * 3 + 2 * 6)]


@pytest.mark.parametrize(("max_steps", "updates"), [(-1, 2 * 3 + 2 * 6), (10, 10)])
def test_a_share_of_the_run_counts_the_updates_of_a_changing_accumulation(max_steps, updates):
    """Lightning's own estimate takes the accumulation before the first epoch for that of all epochs: 48 updates."""
    model = Model("linear(100%)", rate=0.1)
    accumulation = callbacks.GradientAccumulationScheduler(scheduling={0: 4, 2: 2})
    trainer(max_epochs=4, max_steps=max_steps, callbacks=[accumulation]).fit(model)
    assert model.seen.used == [[0.1 * gp.linear(updates)(k)] for k in range(updates)]


def test_epochs_have_no_length_where_the_accumulation_changes():
    model = Model("linear(2ep)", rate=0.1)
    accumulation = callbacks.GradientAccumulationScheduler(scheduling={0: 4, 2: 2})
    with pytest.raises(gp.HorizonError, match="steps_per_epoch"):
        trainer(max_epochs=4, callbacks=[accumulation]).fit(model)
    same = Model("linear(2ep, to=0.5)", rate=0.1)
    trainer(max_epochs=3, callbacks=[callbacks.GradientAccumulationScheduler(scheduling={0: 4})]).fit(same)
    assert same.seen.used == [[0.1 * gp.linear(6, to=0.5)(k)] for k in range(9)]


# --- averages of the weights, resumed ---


class Averaged(Model):
    """Under our scheduler, or the same plan by LambdaLR."""

    def __init__(self, ours):
        super().__init__(gp.cosine(100), rate=0.1)
        self.ours = ours

    def configure_optimizers(self):
        if self.ours:
            return super().configure_optimizers()
        self.seen = Seen(self.parameters(), lr=self.lr)
        theirs = torch.optim.lr_scheduler.LambdaLR(self.seen, self.plan)
        return {"optimizer": self.seen, "lr_scheduler": {"scheduler": theirs, "interval": "step"}}


def average(model, folder, checkpoint=None):
    averaging = callbacks.StochasticWeightAveraging(
        swa_lrs=0.05, swa_epoch_start=3, annealing_epochs=3, annealing_strategy="linear"
    )
    saving = callbacks.ModelCheckpoint(folder, filename="{epoch}", save_top_k=-1)
    fit = trainer(max_epochs=8, callbacks=[averaging, saving], enable_checkpointing=True)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit.fit(model, ckpt_path=checkpoint, weights_only=False if checkpoint else None)
    return [rates[0] for rates in model.seen.used], [str(w.message)[-7:] for w in caught if "[GP" in str(w.message)]


@pytest.mark.parametrize("epoch", [0, 1, 2, 3, 4, 6])
def test_a_run_goes_on_from_a_checkpoint_under_lightnings_averaging(epoch, tmp_path):
    """Lightning saves SWALR's state in the scheduler's place, and clears the schedulers when it loads it."""
    whole, _ = average(Averaged(ours=True), tmp_path)
    resumed, codes = average(Averaged(ours=True), tmp_path / "again", tmp_path / f"epoch={epoch}.ckpt")
    assert resumed == pytest.approx(whole[12 * (epoch + 1) :], rel=1e-9)
    assert codes == (["[GP725]"] if epoch < 2 else ["[GP743]"])


def test_the_rates_of_the_averaging_end_as_under_pytorchs_scheduler(tmp_path):
    ours, _ = average(Averaged(ours=True), tmp_path / "ours")
    theirs, _ = average(Averaged(ours=False), tmp_path / "theirs")
    assert ours[:25] == theirs[:25]  # from here on PyTorch's stands still until SWALR's first step, and the plan moves
    assert ours[-24:] == pytest.approx(theirs[-24:], rel=1e-9) == [pytest.approx(0.05)] * 24
