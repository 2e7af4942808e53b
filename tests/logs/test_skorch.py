"""The history of skorch: its batches are the updates, whether the rate was kept per batch or per epoch."""

import json

import pytest

from glidepath import logs
from glidepath.errors import RunError

from .against_truth import DATA, assert_rows_are_true, truth_of

FOLDER = DATA / "skorch"


def write(tmp_path, epochs):
    file = tmp_path / "run.json"
    file.write_text(json.dumps(epochs))
    return file


@pytest.mark.parametrize("name, steps", [("by_batch", list(range(16))), ("by_epoch", [0, 4, 8, 12])])
def test_every_rate_is_that_of_the_batches_that_used_it(name, steps):
    truth = truth_of(FOLDER / name)
    assert assert_rows_are_true(FOLDER / name / "history.json", truth).steps == steps
    (run,) = logs.read(FOLDER / name)
    assert (run.name, run.loss, run.rates.tolist()) == (name, "train_loss", truth)


def test_losses_are_those_of_the_batches_and_evaluations_those_of_the_epochs():
    history = json.loads((FOLDER / "by_epoch" / "history.json").read_text())
    (run,) = logs.read(FOLDER / "by_epoch")
    losses = [batch["train_loss"] for epoch in history for batch in epoch["batches"] if "train_loss" in batch]
    assert run.losses.tolist() == losses[1:]  # the loss before the first update has no rate before it
    (run,) = logs.read(FOLDER / "by_epoch", metric="valid_loss")
    assert run.updates.tolist() == [4, 8, 12, 16]
    assert run.losses.tolist() == [epoch["valid_loss"] for epoch in history]


def test_an_epoch_whose_batches_were_not_kept_has_its_count(tmp_path):
    rows = [{"batches": [], "train_batch_count": 3, "epoch": k, "event_lr": 0.1 / k, "train_loss": 2.0} for k in (1, 2)]
    (rates,) = logs.rates(write(tmp_path, rows))
    assert rates.steps == [0, 3]
    del rows[0]["train_batch_count"]
    with pytest.raises(RunError, match="epoch 1: an epoch without batches, and train_batch_count is None"):
        logs.rates(write(tmp_path, rows))


def test_a_rate_under_another_name_is_named(tmp_path):
    rows = [{"batches": [{"train_loss": 2.0}] * 2, "eta": 0.1 / k} for k in (1, 2)]
    (rates,) = logs.rates(write(tmp_path, rows), columns={"rate": "eta"})
    assert (rates.steps, list(rates.rates)) == ([0, 2], [0.1, 0.05])
    with pytest.raises(RunError, match="leave the step out"):
        logs.rates(write(tmp_path, rows), columns={"rate": "eta", "step": "epoch"})
