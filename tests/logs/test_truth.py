"""What real packages wrote is read as they trained: every logged rate at the update that used it, or a refusal.

Beside each log in `data/` lies `truth.json`: the rate of every update, which a hook of the optimizer noted.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from glidepath import logs
from glidepath.errors import RunError

DATA = Path(__file__).parent / "data"
TRUTHS = sorted(str(file.parent.relative_to(DATA)) for file in DATA.rglob("truth.json"))

OPTIONS = {  # what has to be said of a log
    "lightning/groups": {"columns": {"rate": "lr-SGD/pg1"}},
    "mmcv/by_epoch": {"updates_per_epoch": 10},
    "ray/by_update": {"columns": {"step": "training_iteration"}},
    "stable_baselines3/dqn": {"columns": {"step": "train/n_updates"}},
    "tensorboard/tensorboardx": {"columns": {"rate": "lr/head"}},
    "tensorboard/torch": {"columns": {"rate": "lr/head"}},
    "tensorboard/torch_every_4": {"columns": {"rate": "lr/head"}},
}
REFUSED = {  # and why
    "fastai/flat": "no rate was logged",
    "fastai/one_cycle": "no rate was logged",
    "keras/schedule": "no rate was logged",
    "lightning/groups": "lr-SGD/pg1, lr-SGD/pg2 could each be the rate",
    "mmcv/by_epoch": "the steps begin again in every epoch",
    "nanogpt/nanogpt": "no rate was logged",
    "ray/by_update": "Ray counts iterations",
    "stable_baselines3/dqn": "counts environment steps",
    "stable_baselines3/ppo": "counts environment steps",
    "tensorboard/tensorboardx": "lr/backbone, lr/head could each be the rate",
    "tensorboard/torch": "lr/backbone, lr/head could each be the rate",
    "tensorboard/torch_every_4": "lr/backbone, lr/head could each be the rate",
    "ultralytics/gathered": "a row counts epochs",
    "wandb/calls": "lr and loss come in calls of their own",
}
OFF = {  # what no reader can know of the rows alone, each with a note in docs/logs.md
    "accelerate": "its loop logged the rate of the update to come",
    "ray/by_epoch": "its loop reported the rate of the epoch to come",
    "timm/by_updates": "the rate that timm logs is that of the update to come",
    "timm/groups": "the rate that timm logs is the mean over the groups",
    "transformers/4.45.2/skipped": "nothing in the rows shows that they have the next rate",
    "transformers/4.45.2/sparse_warmup": "nothing in the rows shows that they have the next rate",
    "ultralytics/cosine": "the rate of the epoch's last batch",
    "ultralytics/detect": "the rate of the epoch's last batch",
    "ultralytics/padded": "the rate of the epoch's last batch",
}
NOT_RUNS = {  # without a loss that laws could be fitted to, or with a beginning that the log left out
    *("detectron2/again", "detectron2/once", "lightning/fifty", "lightning/no_loss", "lightning/resumed"),
    *("transformers/4.45.2/epochs", "transformers/5.24.0/epochs", "transformers/5.24.0/sparse_warmup"),
    *(
        "torchtune/every_5",
        "trackio/every",
        "trackio/fifth",
        "ultralytics/cosine",
        "ultralytics/detect",
        "ultralytics/padded",
    ),
}
ROUNDED = {"mmcv/by_iteration": 5e-6, "mmcv/by_epoch": 5e-6, "nanogpt/build_nanogpt": 5e-5}  # as it was written
SINGLE = 1e-7  # of what was written in 32 bits, or with seven digits


def truth_of(name):
    return json.loads((DATA / name / "truth.json").read_text(encoding="utf-8"))


def rates_of(name, **options):
    """The rates in a log, which may be in a file beside its truth."""
    folder = DATA / name
    if name.startswith("trackio/"):
        return [each for each in logs.rates(folder.parent / "lines.db", **options) if each.name == folder.name]
    truth = truth_of(name)
    per_epoch = {"updates_per_epoch": truth["updates_per_epoch"]} if "updates_per_epoch" in truth else {}
    return logs.rates(folder, **{**per_epoch, **options})


@pytest.mark.filterwarnings("ignore:.*left out:glidepath.errors.GlidepathWarning")
@pytest.mark.parametrize("name", sorted({*TRUTHS} - {*OFF} - ({*REFUSED} - {*OPTIONS})))
def test_every_logged_rate_is_that_of_the_update_that_used_it(name):
    true = np.array(truth_of(name)["rates"])
    for each in rates_of(name, **OPTIONS.get(name, {})):
        steps = np.array(each.steps)
        assert len(steps)
        assert steps[-1] < len(true)
        bound = ROUNDED.get(name, SINGLE * max(true))
        assert np.abs(np.array(each.rates) - true[steps]).max() <= bound


@pytest.mark.filterwarnings("ignore:.*left out:glidepath.errors.GlidepathWarning")
@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_the_rows_do_not_tell_is_refused_with_the_reason(name):
    with pytest.raises(RunError, match=REFUSED[name]):
        rates_of(name)


@pytest.mark.filterwarnings("ignore:.*left out:glidepath.errors.GlidepathWarning")
@pytest.mark.parametrize("name", sorted({*TRUTHS} - {*OFF} - {*REFUSED} - NOT_RUNS))
def test_a_run_has_the_true_rates_or_says_what_was_assumed(name):
    truth = truth_of(name)
    true = np.array(truth["rates"])
    per_epoch = {"updates_per_epoch": truth["updates_per_epoch"]} if "updates_per_epoch" in truth else {}
    for run in logs.read(DATA / name, **per_epoch):
        common = min(run.steps, len(true))
        wrong = np.abs(run.rates[:common] - true[:common]).max() > ROUNDED.get(name, SINGLE * max(true))
        assert not wrong or run.assumed, name
