"""What the recorder wrote is read back exactly by `glidepath.logs`. (Move to tests/logs/ when the reader is there.)

The oracle is the plan itself, and the losses that were logged.
"""

import math

import pytest
import torch

import glidepath as gp
from glidepath import logs
from glidepath.torch import Recorder, Scheduler

PLAN = gp.warmup(10) >> gp.cosine(90)
UPDATES = 100
EVALUATED = (25, 50, 75, 100)


def optimizer_of(*rates):
    groups = [{"params": [torch.nn.Parameter(torch.ones(2))], "lr": rate} for rate in rates]
    return torch.optim.SGD(groups, lr=rates[0])


def update(optimizer):
    for group in optimizer.param_groups:
        for p in group["params"]:
            p.grad = torch.ones_like(p)
    optimizer.step()


def loss_of(k):
    return 2.0 + 1 / (k + 3)


def record(path, *, every=1, rates=(0.1,), loss=loss_of):
    optimizer = optimizer_of(*rates)
    Scheduler(optimizer, PLAN)
    recorder = Recorder(optimizer, path, every=every)
    for k in range(UPDATES):
        update(optimizer)
        recorder.log(loss=loss(k))
        if k + 1 in EVALUATED:
            recorder.evaluate(val_loss=loss(k) + 0.5)
    recorder.close()


def test_read_gives_every_rate_and_loss(tmp_path):
    record(tmp_path / "run.jsonl")
    (run,) = logs.read(tmp_path / "run.jsonl", metric="loss")
    assert list(run.rates) == [0.1 * PLAN(k) for k in range(UPDATES)]
    assert list(run.updates) == list(range(1, UPDATES))  # the loss of update k is that after k updates
    assert list(run.losses) == [loss_of(k) for k in range(1, UPDATES)]
    assert not run.assumed


def test_rates_gives_those_that_were_logged(tmp_path):
    record(tmp_path / "run.jsonl", every=10)
    (run,) = logs.rates(tmp_path / "run.jsonl")
    assert list(run.steps) == list(range(0, UPDATES, 10))
    assert list(run.rates) == [0.1 * PLAN(k) for k in range(0, UPDATES, 10)]


def test_an_evaluation_is_after_so_many_updates(tmp_path):
    record(tmp_path / "run.jsonl")
    (run,) = logs.read(tmp_path / "run.jsonl", metric="val_loss")
    assert list(run.updates) == list(EVALUATED)
    assert list(run.losses) == [loss_of(k - 1) + 0.5 for k in EVALUATED]


def test_the_name_of_the_file_does_not_matter(tmp_path):
    record(tmp_path / "notes.txt")
    (run,) = logs.read(tmp_path / "notes.txt", metric="loss")
    assert list(run.rates) == [0.1 * PLAN(k) for k in range(UPDATES)]


def test_the_rate_is_that_of_the_first_group_and_others_can_be_chosen(tmp_path):
    record(tmp_path / "run.jsonl", rates=(0.1, 0.3))
    (run,) = logs.rates(tmp_path / "run.jsonl")
    assert list(run.rates) == [0.1 * PLAN(k) for k in range(UPDATES)]
    (run,) = logs.rates(tmp_path / "run.jsonl", columns={"rate": "lr/1"})
    assert list(run.rates) == [0.3 * PLAN(k) for k in range(UPDATES)]


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_diverged_is_left_out_and_said(tmp_path, value):
    record(tmp_path / "run.jsonl", loss=lambda k: value if k == 60 else loss_of(k))
    (run,) = logs.read(tmp_path / "run.jsonl", metric="loss")
    assert list(run.losses) == [loss_of(k) for k in range(1, UPDATES) if k != 60]
    assert run.assumed == "the loss at step 60 is not a number, and left out"


def test_superseded_rows_in_a_folder_are_not_a_run(tmp_path):
    record(tmp_path / "run.jsonl")
    optimizer = optimizer_of(0.1)
    Scheduler(optimizer, PLAN, position=50)
    recorder = Recorder(optimizer, tmp_path / "run.jsonl")
    with pytest.warns(gp.GlidepathWarning, match="superseded-1"):
        for k in range(50, UPDATES):
            update(optimizer)
            recorder.log(loss=loss_of(k))
    recorder.close()
    (run,) = logs.read(tmp_path, metric="loss")
    assert list(run.rates) == [0.1 * PLAN(k) for k in range(UPDATES)]
