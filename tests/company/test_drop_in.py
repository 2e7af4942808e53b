"""The drop-in and the plateau controller beside PyTorch's SWALR, Lightning, skorch, and the compiler."""

import copy
import math
import subprocess
import sys

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer, callbacks
from skorch import NeuralNetRegressor
from skorch.callbacks import LRScheduler as SkorchScheduler
from torch.optim import lr_scheduler as stock
from torch.optim.swa_utils import SWALR

import glidepath as gp
from glidepath.errors import GlidepathWarning, ScheduleError
from glidepath.torch import Plateau, Scheduler
from glidepath.torch import lr_scheduler as ours

from ..torch.loops import parameter, rates, sgd, update

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning"),  # Lightning's own use of PyTorch's trees
    pytest.mark.filterwarnings("ignore:.*does not have many workers"),
    pytest.mark.filterwarnings("ignore:.*Checkpoint directory .* exists"),
    pytest.mark.filterwarnings("ignore:The number of training batches"),
]


# --- SWALR ---


@pytest.mark.parametrize("module", [ours, stock])
def test_swalrs_idiom_ends_in_its_constant_rate(module):
    optimizer = sgd(0.1)
    scheduler, swa = module.CosineAnnealingLR(optimizer, 100), SWALR(optimizer, swa_lr=0.05, anneal_epochs=5)
    used = []
    for epoch in range(40):
        used.append(update(optimizer)[0])
        swa.step() if epoch > 10 else scheduler.step()
    assert used[:11] == pytest.approx([0.1 * (1 + math.cos(math.pi * k / 100)) / 2 for k in range(11)])
    assert used[20:] == [pytest.approx(0.05)] * 20


# --- last_epoch, on a rate that is one step behind ---


def curve(name):
    """The formula of each class that PyTorch resumes without a step, over its base rate."""
    return {
        "MultiplicativeLR": lambda k: 0.9**k,
        "LinearLR": lambda k: 0.1 + 0.9 * min(k, 15) / 15,
        "ExponentialLR": lambda k: 0.9**k,
        "PolynomialLR": lambda k: (1 - min(k, 30) / 30) ** 0.9,
    }[name]


BUILD = {
    "MultiplicativeLR": lambda o, **k: ours.MultiplicativeLR(o, lambda step: 0.9, **k),
    "LinearLR": lambda o, **k: ours.LinearLR(o, 0.1, total_iters=15, **k),
    "ExponentialLR": lambda o, **k: ours.ExponentialLR(o, 0.9, **k),
    "PolynomialLR": lambda o, **k: ours.PolynomialLR(o, 30, 0.9, **k),
}


def loaded(build, steps):
    first, second = sgd(0.1), sgd(0.1)
    scheduler = build(first)
    for _ in range(steps):
        update(first)
        scheduler.step()
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    return second


@pytest.mark.parametrize("name", BUILD)
@pytest.mark.parametrize("steps", range(1, 20))
def test_made_with_the_step_of_its_rate_a_class_leaves_the_rate_alone_and_goes_on_from_there(name, steps):
    optimizer, f = loaded(BUILD[name], steps), curve(name)
    before = rates(optimizer)
    scheduler = BUILD[name](optimizer, last_epoch=steps)
    assert rates(optimizer) == pytest.approx(before, rel=1e-12)
    for k in range(steps + 2, steps + 6):
        update(optimizer)
        scheduler.step()
        assert rates(optimizer) == [pytest.approx(before[0] * f(k) / f(steps + 1))] == [scheduler.lr_at(k)[0]]


@pytest.mark.parametrize("steps", [1, 5, 9, 10])
def test_a_cosine_that_was_resumed_a_step_behind_is_on_its_curve_again_after_the_bottom(steps):
    def c(k):
        return (1 + math.cos(math.pi * k / 12)) / 2

    optimizer = loaded(lambda o: ours.CosineAnnealingLR(o, 12, 0.001), steps)
    before = rates(optimizer)[0]
    scheduler = ours.CosineAnnealingLR(optimizer, 12, 0.001, last_epoch=steps)
    amplitude = (before - 0.001) / c(steps + 1)
    for k in range(steps + 1, 40):
        expected = 0.001 + c(k) * (amplitude if k < 12 else 0.099)
        assert rates(optimizer) == [pytest.approx(expected)]
        update(optimizer)
        scheduler.step()


# --- chains ---


def cosine(k, steps):
    return (1 + math.cos(math.pi * k / steps)) / 2


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("nested", [False, True])
def test_a_chain_is_its_own_lr_at_past_every_bottom(order, nested):
    optimizer = sgd(0.1, 0.5)
    members = [ours.ExponentialLR(optimizer, 0.9), ours.CosineAnnealingLR(optimizer, 5)]
    if nested:
        members[1] = ours.SequentialLR(optimizer, [members[1]], [])
    scheduler = ours.ChainedScheduler(members[:: -1 if order else 1])
    for k in range(40):
        product = 0.9**k * cosine(k, 5)
        assert rates(optimizer) == pytest.approx([0.1 * product, 0.5 * product], abs=1e-15)
        assert rates(optimizer) == scheduler.get_last_lr()
        assert k == 0 or rates(optimizer) == scheduler.lr_at(k)  # the members wrote the first, one after the other
        update(optimizer)
        scheduler.step()


def test_a_change_by_hand_stays_on_a_chain_past_its_bottom_and_through_a_resume():
    def build(optimizer):
        return ours.ChainedScheduler([ours.ExponentialLR(optimizer, 0.9), ours.CosineAnnealingLR(optimizer, 5)])

    optimizer = sgd(0.1)
    scheduler = build(optimizer)
    for k in range(30):
        if k == 3:
            optimizer.param_groups[0]["lr"] *= 0.5
        if k in (5, 8):
            state, fresh = copy.deepcopy((optimizer.state_dict(), scheduler.state_dict())), sgd(0.1)
            fresh.load_state_dict(state[0])
            optimizer, scheduler = fresh, build(fresh)
            scheduler.load_state_dict(state[1])
        factor = 0.5 if k >= 3 else 1.0
        assert rates(optimizer) == pytest.approx([0.1 * 0.9**k * cosine(k, 5) * factor], abs=1e-15)
        update(optimizer)
        scheduler.step()


def test_a_change_by_hand_on_a_chain_goes_over_to_the_next_member_of_a_sequence():
    optimizer = sgd(1.0)
    chain = ours.ChainedScheduler([ours.LinearLR(optimizer, 0.5, total_iters=2), ours.ExponentialLR(optimizer, 0.5)])
    scheduler = ours.SequentialLR(optimizer, [chain, ours.StepLR(optimizer, 2, 0.5)], [3])
    update(optimizer)
    scheduler.step()
    optimizer.param_groups[0]["lr"] *= 0.1
    for expected in (0.1 * 0.25, 0.1, 0.1, 0.05):
        update(optimizer)
        scheduler.step()
        assert rates(optimizer) == [pytest.approx(expected)]


# --- the scheduler that counts by itself ---


def test_a_sequence_refuses_a_scheduler_that_writes_at_every_update():
    optimizer = sgd(0.1)
    members = [Scheduler(optimizer, gp.cosine(10)), ours.ConstantLR(optimizer)]
    with pytest.raises(ScheduleError, match="join the plans"):
        ours.SequentialLR(optimizer, members, [5])


# --- Lightning ---


class Model(LightningModule):
    """One layer, whose reported loss never falls."""

    def __init__(self, build=lambda optimizer: Plateau(optimizer, factor=0.5, patience=1)):
        super().__init__()
        self.layer, self.build, self.used = torch.nn.Linear(4, 1), build, []

    def training_step(self, batch, number):
        self.used.append(self.optimizers().param_groups[0]["lr"])
        self.log("loss", 1.0, on_epoch=True, on_step=False)
        return self.layer(batch).square().mean()

    def train_dataloader(self):
        return torch.utils.data.DataLoader(torch.randn(4, 4), batch_size=2)

    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), lr=0.1)
        return {"optimizer": optimizer, "lr_scheduler": self.build(optimizer), "monitor": "loss"}


def trainer(folder, epochs, **options):
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "logger": False, "accelerator": "cpu"}
    return Trainer(max_epochs=epochs, default_root_dir=folder, **quiet, **options)


BY_EPOCH = [0.1, 0.1, 0.1, 0.05, 0.05, 0.025, 0.025]  # the first report is the best, then every second one cuts


def test_a_plateau_is_an_lr_scheduler_with_a_monitor_in_lightning(tmp_path):
    model = Model()
    trainer(tmp_path, 7, enable_checkpointing=False).fit(model)
    assert model.used == [rate for rate in BY_EPOCH for _ in range(2)]


@pytest.mark.parametrize("at", [2, 4])
def test_a_plateau_goes_on_in_lightning_where_its_checkpoint_was(tmp_path, at):
    first = trainer(tmp_path, at, enable_checkpointing=False)
    first.fit(Model())
    first.save_checkpoint(tmp_path / "at.ckpt")
    model = Model()
    trainer(tmp_path, 7, enable_checkpointing=False).fit(model, ckpt_path=tmp_path / "at.ckpt", weights_only=False)
    assert model.used == [rate for rate in BY_EPOCH[at:] for _ in range(2)]


def test_a_plateau_with_a_warmup_begins_to_count_in_lightning_where_the_warmup_ends(tmp_path):
    model = Model(lambda optimizer: Plateau(optimizer, factor=0.5, patience=1, warmup=4))
    trainer(tmp_path, 7, enable_checkpointing=False).fit(model)
    assert model.used == pytest.approx([0.025, 0.05, 0.075, *[0.1] * 5, *[0.05] * 4, *[0.025] * 2])


@pytest.mark.parametrize("name", ["CosineAnnealingLR", "StepLR"])
def test_lightnings_weight_averaging_has_its_rate_beside_the_drop_in(tmp_path, name):
    def used(module):
        build = {
            "CosineAnnealingLR": lambda o: module.CosineAnnealingLR(o, 20),
            "StepLR": lambda o: module.StepLR(o, 2),
        }
        model = Model(build[name])
        averaging = callbacks.StochasticWeightAveraging(swa_lrs=0.05, swa_epoch_start=3, annealing_epochs=2)
        trainer(tmp_path, 8, enable_checkpointing=False, callbacks=[averaging]).fit(model)
        return model.used

    seen = used(ours)
    assert seen == pytest.approx(used(stock))
    assert seen[-6:] == [pytest.approx(0.05)] * 6


def test_lightning_asks_a_plateau_for_its_monitor(tmp_path):
    class Without(Model):
        def configure_optimizers(self):
            return {**super().configure_optimizers(), "monitor": None}

    with pytest.raises(Exception, match="must include a monitor"):
        trainer(tmp_path, 1, enable_checkpointing=False).fit(Without())


def test_a_plateau_answers_what_frameworks_ask_pytorchs_class():
    plateau = Plateau(sgd(0.1, 0.2), patience=0, cooldown=2)
    assert isinstance(plateau, stock.ReduceLROnPlateau)
    plateau.step(1.0), plateau.step(1.0)
    assert plateau.get_last_lr() == pytest.approx([0.01, 0.02])
    assert (plateau.last_epoch, plateau.in_cooldown) == (2, True)
    state = plateau.state_dict()
    del state["last_epoch"]  # as older versions saved it
    again = Plateau(sgd(0.1, 0.2), patience=0, cooldown=2)
    again.load_state_dict(state)
    assert (again.cooling, again.last_epoch) == (2, 0)


# --- skorch ---


def net_of(policy, **options):
    callback = SkorchScheduler(policy=policy, **options)
    quiet = {"train_split": None, "verbose": 0, "batch_size": 4, "max_epochs": 3, "lr": 0.1}
    return NeuralNetRegressor(
        torch.nn.Linear, module__in_features=4, module__out_features=1, **quiet, callbacks=[callback]
    )


def decay(step):
    return 0.5**step


def rates_of_two_fits(net):
    """The rate of each batch: two in an epoch, three epochs in a fit."""
    data, target = torch.randn(8, 4).numpy(), torch.randn(8, 1).numpy()
    net.partial_fit(data, target)
    net.partial_fit(data, target)
    return [batch["event_lr"] for epoch in net.history[:, "batches"] for batch in epoch]


@pytest.mark.parametrize(
    ("name", "options", "second_by_pytorch"),
    [
        ("LambdaLR", {"lr_lambda": decay}, 0.1 * 0.5**3),  # skorch gives it the epochs made, for its steps
        ("ExponentialLR", {"gamma": 0.5}, 0.1 * 0.5**6),  # ignores them, and goes on
    ],
)
def test_skorchs_partial_fit_that_steps_by_batch_goes_on_and_is_told_of_the_wrong_count(
    name, options, second_by_pytorch
):
    theirs = rates_of_two_fits(net_of(getattr(stock, name), step_every="batch", **options))
    assert theirs[6] == pytest.approx(second_by_pytorch)
    with pytest.warns(
        GlidepathWarning, match=r"built again, at step 3, .* for 6 steps.*last_epoch=5 to go on \[GP740\]"
    ):
        mine = rates_of_two_fits(net_of(getattr(ours, name), step_every="batch", **options))
    assert mine == pytest.approx([0.1 * 0.5**k for k in range(12)])


def test_skorchs_partial_fit_that_steps_by_epoch_goes_on_without_a_word():
    net = net_of(ours.CosineAnnealingLR, T_max=12)
    data, target = torch.randn(8, 4).numpy(), torch.randn(8, 1).numpy()
    net.partial_fit(data, target)
    net.partial_fit(data, target)
    assert net.history[:, "event_lr"] == pytest.approx([0.1 * cosine(k, 12) for k in range(6)])


def test_what_is_built_again_to_load_a_state_or_after_the_rate_was_set_is_not_told():
    optimizer = sgd(0.1)
    scheduler = ours.ExponentialLR(optimizer, 0.5)
    update(optimizer), scheduler.step()
    again = ours.ExponentialLR(optimizer, 0.5)
    again.load_state_dict(scheduler.state_dict())
    update(optimizer), again.step()
    assert rates(optimizer) == [0.025]
    optimizer.param_groups[0]["lr"] = 0.1
    phase = ours.ExponentialLR(optimizer, 0.5)
    update(optimizer), phase.step()
    assert rates(optimizer) == [0.05]
    assert ours.ExponentialLR(optimizer, 0.5, last_epoch=0).get_last_lr() == [0.05]


# --- the compiler ---


def test_importing_the_drop_in_does_not_import_the_compiler():
    code = "import sys, glidepath.torch.lr_scheduler; assert 'torch._dynamo' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("tensor", [False, True])
@pytest.mark.parametrize(
    "build",
    [
        lambda o: ours.CosineAnnealingLR(o, 12, 0.001),
        lambda o: ours.SequentialLR(o, [ours.LinearLR(o, 0.1, total_iters=3), ours.ExponentialLR(o, 0.9)], [3]),
        lambda o: ours.ChainedScheduler([ours.LinearLR(o, 0.1, total_iters=3), ours.ExponentialLR(o, 0.9)]),
    ],
    ids=["cosine", "sequence", "chain"],
)
def test_a_compiled_training_step_has_the_rates_of_one_that_is_not(build, tensor):
    def optimizer_of():
        return sgd(torch.tensor(0.1) if tensor else 0.1)

    def train(optimizer, compiled):
        scheduler, seen = build(optimizer), []
        for p in optimizer.param_groups[0]["params"]:
            p.grad = torch.ones_like(p)

        def both():
            optimizer.step()
            scheduler.step()

        step = torch.compile(both, backend="eager") if compiled else both
        for _ in range(12):
            step()
            seen.append(float(rates(optimizer)[0]))
        return seen, optimizer.param_groups[0]["params"][0]

    torch._dynamo.reset()
    (expected, weights), (seen, compiled_weights) = train(optimizer_of(), False), train(optimizer_of(), True)
    assert seen == expected
    assert torch.allclose(weights, compiled_weights)
    assert parameter().shape == weights.shape
