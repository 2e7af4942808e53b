"""The recorder: a row for every update, with what it used and what was logged; read back by plain `json`.

What an update used is read by the optimizer's own `step`, without any hook.
"""

import copy
import inspect
import json
import math
import re
import subprocess
import sys
import warnings
from collections import OrderedDict
from pathlib import Path

import pytest
import pytorch_optimizer
import torch
from torch.distributed.checkpoint.state_dict import get_optimizer_state_dict
from torch.utils.tensorboard import SummaryWriter

import glidepath as gp
from glidepath.errors import GlidepathError, GlidepathWarning, RunError, SchedulerError
from glidepath.torch import Recorder, Scheduler, Set, range_test
from glidepath.torch.record_file import HEADER

from .loops import parameter, sgd, update

PLAN = gp.warmup(3) >> gp.cosine(20, to=0.1)


class Witness(torch.optim.SGD):
    """Notes the rates that its updates use.

    Its step calls SGD's without the hooks that PyTorch puts around that once any SGD was built before.
    """

    def __init__(self, params, lr=0.1, **options):
        super().__init__(params, lr=lr, **options)
        self.used = []

    @torch.no_grad()
    def step(self, closure=None):
        self.used.append([float(group["lr"]) for group in self.param_groups])
        return inspect.unwrap(torch.optim.SGD.step)(self, closure)


def witness(*rates):
    return Witness([{"params": [parameter()], "lr": rate} for rate in rates or (0.1,)])


def parse(path):
    header, *rows = map(json.loads, path.read_text().splitlines())
    assert header == HEADER
    return rows


def updates_of(path):
    return [row for row in parse(path) if "update" in row]


def column(path, name="lr"):
    return [row.get(name) for row in updates_of(path)]


def train(optimizer, updates, *, after=lambda k: None, before=lambda k: None):
    for k in range(updates):
        before(k)
        update(optimizer)
        after(k)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.jsonl"


# --- what an update used ---


def recorder_first(optimizer, path, **options):
    recorder = Recorder(optimizer, path, **options)
    return recorder, Scheduler(optimizer, PLAN)


def scheduler_first(optimizer, path):
    scheduler = Scheduler(optimizer, PLAN)
    return Recorder(optimizer, path), scheduler


@pytest.mark.parametrize("build", [recorder_first, scheduler_first])
@pytest.mark.parametrize("shown_by", ["nothing", "a call", "a hook"])
def test_a_row_has_what_the_update_used_in_whichever_order_things_were_built(path, build, shown_by):
    optimizer = witness(0.1)
    if shown_by == "a hook":  # there before the recorder's
        optimizer.register_step_post_hook(lambda *_: scheduler.step())
    recorder, scheduler = build(optimizer, path)
    train(optimizer, 12, after=lambda k: scheduler.step() if shown_by == "a call" else None)
    recorder.close()
    assert column(path, "update") == list(range(12))
    assert column(path) == [0.1 * PLAN(k) for k in range(12)] == [rates[0] for rates in optimizer.used]


TORCHS = {
    "LambdaLR": lambda optimizer: torch.optim.lr_scheduler.LambdaLR(optimizer, lambda k: 1 / (k + 1)),
    "OneCycleLR": lambda optimizer: torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.5, total_steps=20),
    "CosineAnnealingLR": lambda optimizer: torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 20),
}


@pytest.mark.parametrize("first", ["recorder", "scheduler"])
@pytest.mark.parametrize("name", TORCHS)
def test_with_the_schedulers_of_pytorch(path, name, first):
    optimizer = Witness([parameter()], momentum=0.9)
    if first == "recorder":
        recorder, scheduler = Recorder(optimizer, path, values=["momentum"]), TORCHS[name](optimizer)
    else:
        scheduler = TORCHS[name](optimizer)
        recorder = Recorder(optimizer, path, values=["momentum"])
    momenta = []
    train(optimizer, 12, before=lambda k: momenta.append(optimizer.param_groups[0]["momentum"]),
          after=lambda k: scheduler.step())  # fmt: skip
    recorder.close()
    assert column(path) == [rates[0] for rates in optimizer.used]
    assert column(path, "momentum") == momenta


WRAPPERS = {
    "SAM": lambda: pytorch_optimizer.SAM([parameter()], Witness, lr=0.1),
    "Lookahead": lambda: pytorch_optimizer.Lookahead(witness()),
    "both": lambda: pytorch_optimizer.Lookahead(pytorch_optimizer.SAM([parameter()], Witness, lr=0.1)),
}


def closure_of(optimizer):
    def closure():
        for p in optimizer.param_groups[0]["params"]:
            p.grad = torch.ones_like(p)
        return torch.tensor(1.0)

    return closure


@pytest.mark.parametrize("build", [recorder_first, scheduler_first])
@pytest.mark.parametrize("target", ["outer", "inner"])
@pytest.mark.parametrize("name", WRAPPERS)
def test_wrappers_have_one_row_for_each_update_of_the_innermost(path, name, target, build):
    optimizer = WRAPPERS[name]()
    inner = optimizer
    while not isinstance(inner, Witness):
        inner = getattr(inner, "base_optimizer", None) or inner.optimizer
    recorder, scheduler = build(optimizer if target == "outer" else inner, path)
    for _ in range(8):
        closure_of(optimizer)()
        optimizer.step(closure_of(optimizer))
        scheduler.step()
    recorder.close()
    assert column(path) == [0.1 * PLAN(k) for k in range(8)] == [rates[0] for rates in inner.used]


def test_driven_values_are_recorded_and_groups_where_they_differ(path):
    groups = [
        {"params": [parameter()], "lr": 0.1, "weight_decay": 0.0},
        {"params": [parameter()], "lr": 0.1},
        {"params": [parameter()], "lr": 0.3, "name": "head"},
    ]
    optimizer = torch.optim.AdamW(groups, lr=0.1, weight_decay=0.5)
    recorder = Recorder(optimizer, path)
    falling, rising = gp.linear(10), gp.linear(10, start=0.8, to=0.9)
    Scheduler(optimizer, PLAN, weight_decay={lambda group: group["weight_decay"]: falling}, betas=(Set(rising), None))
    train(optimizer, 5)
    recorder.close()
    assert updates_of(path) == [
        {
            "update": k,
            "lr": 0.1 * PLAN(k),
            "lr/head": 0.3 * PLAN(k),
            "weight_decay": 0.0,
            "weight_decay/1": 0.5 * falling(k),
            "weight_decay/head": 0.5 * falling(k),
            "betas[0]": rising(k),
        }
        for k in range(5)
    ]


def test_a_rate_in_a_tensor_and_a_group_that_joins_later(path):
    optimizer = torch.optim.Adam([parameter()], lr=torch.tensor(0.1))
    recorder = Recorder(optimizer, path)
    update(optimizer)
    optimizer.add_param_group({"params": [parameter()], "lr": 0.7})
    update(optimizer)
    recorder.close()
    single = float(torch.tensor(0.1))
    assert updates_of(path) == [{"update": 0, "lr": single}, {"update": 1, "lr": single, "lr/1": 0.7}]


def test_skipped_steps_are_no_rows(path):
    optimizer = witness()
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    recorder, scheduler = recorder_first(optimizer, path)
    p = optimizer.param_groups[0]["params"][0]
    for k in range(12):
        optimizer.zero_grad()
        loss = (p * (math.inf if k in (2, 7) else 1.0)).sum()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        scheduler.step()
        recorder.log(loss=float(k))
    recorder.close()
    assert column(path) == [0.1 * PLAN(k) for k in range(10)]
    assert column(path, "loss") == [0, 1, 3, 4, 5, 6, 8, 9, 10, 11]


def test_a_fused_optimizer_that_skips_makes_no_row(path):
    p = torch.nn.Parameter(torch.ones(2))
    optimizer = torch.optim.SGD([p], lr=0.1, fused=True)
    recorder = Recorder(optimizer, path)
    for overflow in (False, True, False):
        p.grad = torch.ones(2)
        optimizer.found_inf = torch.tensor(float(overflow))
        optimizer.grad_scale = torch.tensor(1.0)
        optimizer.step()
        recorder.log(overflow=overflow)
    recorder.close()
    assert updates_of(path) == [
        {"update": 0, "lr": 0.1, "overflow": False},
        {"update": 1, "lr": 0.1, "overflow": False},
    ]


def test_the_dry_step_of_a_distributed_checkpoint_is_no_row(path):
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    recorder = Recorder(optimizer, path, start=0)
    get_optimizer_state_dict(model, optimizer)
    update(optimizer)
    recorder.close()
    assert column(path, "update") == [0]


def test_a_range_test_is_not_recorded(path):
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    recorder = Recorder(optimizer, path)
    train(optimizer, 3)

    def sweep(k):
        loss = model(torch.ones(4, 2)).square().mean()
        loss.backward()
        optimizer.step()
        return loss

    range_test(model, optimizer, sweep, updates=20, high=1e-3)
    train(optimizer, 2)
    recorder.close()
    assert column(path) == [0.1] * 5
    assert column(path, "update") == list(range(5))


# --- what is logged ---


def test_a_loss_logged_after_the_step_is_of_the_update_just_made(path):
    optimizer = sgd(0.1)
    recorder = Recorder(optimizer, path)
    train(optimizer, 4, after=lambda k: recorder.log(loss=torch.tensor(k + 0.5), grad=k))
    recorder.close()
    assert updates_of(path) == [{"update": k, "lr": 0.1, "loss": k + 0.5, "grad": k} for k in range(4)]


def test_a_loss_logged_before_the_step_is_of_the_update_to_come(path):
    optimizer = sgd(0.1)
    recorder = Recorder(optimizer, path)
    train(optimizer, 4, before=lambda k: recorder.log(loss=k + 0.5), after=lambda k: recorder.log(norm=k))
    recorder.close()
    assert updates_of(path) == [{"update": k, "lr": 0.1, "loss": k + 0.5, "norm": k} for k in range(4)]


def test_of_several_values_for_an_update_the_nearest_to_its_step_holds(path):
    optimizer = sgd(0.1)
    recorder = Recorder(optimizer, path)
    for k in range(3):
        recorder.log(before="far")
        recorder.log(before="near")
        update(optimizer)
        recorder.log(after="near")
        recorder.log(after="far")
        recorder.log(said=k, update=k)
        recorder.log(announced=k + 1, update=k + 1)
    with pytest.warns(GlidepathWarning, match=r"announced, and no update followed.*GP749"):
        recorder.close()
    rows = updates_of(path)
    assert [(row["before"], row["after"], row["said"]) for row in rows] == [("near", "near", k) for k in range(3)]
    assert [row.get("announced") for row in rows] == [None, 1, 2]


def test_only_the_last_and_the_next_update_can_be_named(path):
    optimizer = sgd(0.1)
    recorder = Recorder(optimizer, path)
    with pytest.raises(GlidepathError, match="update is 0, the last or the next one, not 1"):
        recorder.log(loss=1.0, update=1)
    train(optimizer, 3)
    with pytest.raises(GlidepathError, match="update is 2 or 3, the last or the next one, not 1"):
        recorder.log(loss=1.0, update=1)
    recorder.close()


def test_evaluations_are_told_apart_from_the_training_loss(path):
    optimizer = sgd(0.1)
    recorder = Recorder(optimizer, path)
    recorder.evaluate(loss=9.0)
    train(optimizer, 2, after=lambda k: recorder.log(loss=k, val_loss=k + 0.25))
    recorder.evaluate(accuracy=0.5)
    recorder.close()
    assert [row for row in parse(path) if "updates_made" in row] == [
        {"updates_made": 0, "loss": 9.0},
        {"updates_made": 1, "val_loss": 0.25},
        {"updates_made": 2, "val_loss": 1.25},
        {"updates_made": 2, "accuracy": 0.5},
    ]
    assert updates_of(path) == [{"update": k, "lr": 0.1, "loss": k} for k in range(2)]


def test_numbers_that_json_lacks_are_texts_that_float_reads(path):
    optimizer = sgd(0.1)
    recorder = Recorder(optimizer, path)
    values = [math.nan, math.inf, -math.inf, 1e308, 5e-324, 0.1 + 0.2]
    train(optimizer, len(values), after=lambda k: recorder.log(loss=torch.tensor(values[k], dtype=torch.float64)))
    recorder.close()

    def refuse(text):
        raise AssertionError(text)

    rows = [json.loads(line, parse_constant=refuse) for line in path.read_text().splitlines()[1:]]
    assert list(map(repr, (float(row["loss"]) for row in rows))) == list(map(repr, values))


@pytest.mark.parametrize("value", [torch.ones(2), [1.0], {"a": 1}, 1j, object()])
def test_what_is_not_one_number_is_refused(path, value):
    optimizer = sgd(0.1)
    recorder = Recorder(optimizer, path)
    with pytest.raises(GlidepathError, match="loss is one number or a text, not"):
        recorder.log(loss=value)
    recorder.close()


@pytest.mark.parametrize("name", ["lr", "lr/head", "updates_made", "betas[0]"])
def test_columns_that_are_written_anyway_are_refused(path, name):
    optimizer = torch.optim.Adam([parameter()])
    recorder = Recorder(optimizer, path, values=["betas[0]"])
    with pytest.raises(GlidepathError, match="a column that Recorder writes by itself: leave it out"):
        recorder.log(**{"loss": 1.0, name: 0.1})
    train(optimizer, 1)
    recorder.close()
    assert updates_of(path) == [{"update": 0, "lr": 0.001, "betas[0]": 0.9}]


def test_every_third_update(path):
    optimizer = sgd(0.1)
    recorder = Recorder(optimizer, path, every=3)
    train(optimizer, 8, before=lambda k: recorder.log(early=k), after=lambda k: recorder.log(late=k))
    recorder.evaluate(val_loss=1.0)
    recorder.close()
    assert parse(path) == [
        *({"update": k, "lr": 0.1, "early": k, "late": k} for k in (0, 3, 6)),
        {"updates_made": 8, "val_loss": 1.0},
    ]


# --- the file ---


def test_a_row_is_in_the_file_when_the_next_update_has_been_made(path):
    optimizer = sgd(0.1)
    Recorder(optimizer, path)  # in the optimizer's hooks, and needs no name
    for k in range(4):
        update(optimizer)
        assert column(path, "update") == list(range(k))


def test_the_last_row_is_written_at_the_end_of_the_program(path):
    code = inspect.cleandoc(f"""
        import torch
        from glidepath.torch import Recorder
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.1)
        Recorder(optimizer, {str(path)!r})
        for _ in range(3):
            optimizer.param_groups[0]["params"][0].grad = torch.ones(1)
            optimizer.step()
    """)
    subprocess.run([sys.executable, "-c", code], check=True)
    assert column(path) == [0.1] * 3


def adam_run(path, updates, *, state=None, **options):
    """Train with Adam, which counts; the recorder is built before the state is loaded."""
    optimizer = torch.optim.Adam([parameter()], lr=0.1)
    recorder = Recorder(optimizer, path, **options)
    if state is not None:
        optimizer.load_state_dict(copy.deepcopy(state))
    train(optimizer, updates, after=lambda k: recorder.log(loss=k))
    recorder.close()
    return copy.deepcopy(optimizer.state_dict())


def test_a_resumed_run_goes_on_and_moves_the_rows_that_it_makes_anew(path):
    state = adam_run(path, 5)
    whole = path.read_text()
    adam_run(path, 4, state=state)
    with pytest.warns(GlidepathWarning, match=r"had the updates to 8 already, .* update 5: .* run.superseded-1.jsonl"):
        adam_run(path, 2, state=state)
    assert path.read_text().startswith(whole)
    assert (column(path, "update"), column(path, "loss")) == ([*range(7)], [*range(5), 0, 1])
    header, *rows = map(json.loads, path.with_name("run.superseded-1.jsonl").read_text().splitlines())
    assert header == {**HEADER, "superseded_by": "run.jsonl"}
    assert [row["update"] for row in rows] == [5, 6, 7, 8]


def test_a_resumed_scheduler_tells_the_position(path):
    def run(updates, state=None):
        optimizer = sgd(0.1)
        recorder, scheduler = recorder_first(optimizer, path)
        if state is not None:
            scheduler.load_state_dict(state)
        train(optimizer, updates)
        recorder.close()
        return scheduler.state_dict()

    run(4, run(4))
    assert column(path) == [0.1 * PLAN(k) for k in range(8)]


def test_evaluations_up_to_the_resumed_update_stay(path):
    optimizer = sgd(0.1)
    recorder = Recorder(optimizer, path)
    train(optimizer, 4, after=lambda k: recorder.evaluate(val_loss=k))
    recorder.close()
    with pytest.warns(GlidepathWarning, match="superseded-1"):
        Recorder(optimizer := sgd(0.1), path, start=2)
        update(optimizer)
    kept = [(row.get("update"), row.get("updates_made")) for row in parse(path)]
    assert kept == [(None, 1), (0, None), (None, 2), (1, None)]


def test_rolling_back_within_a_run(path):
    optimizer = torch.optim.Adam([parameter()], lr=0.1)
    recorder = Recorder(optimizer, path)
    train(optimizer, 3)
    state = copy.deepcopy(optimizer.state_dict())
    train(optimizer, 4)
    optimizer.load_state_dict(state)
    with pytest.warns(GlidepathWarning, match="had the updates to 6 already, and the run goes on at update 3"):
        train(optimizer, 2, after=lambda k: recorder.log(again=k))
    recorder.close()
    assert column(path, "again") == [None, None, None, 0, 1]


def test_where_nothing_tells_the_next_update_it_is_asked_for_before_anything_is_changed(path):
    def run(**options):
        optimizer = sgd(0.1)
        recorder = Recorder(optimizer, path, **options)
        p = optimizer.param_groups[0]["params"][0]
        try:
            train(optimizer, 2)
        except GlidepathError:
            assert p.tolist() == [1.0, 1.0]
            raise
        finally:
            recorder.close()

    run()
    before = path.read_bytes()
    with pytest.raises(GlidepathError, match=r"has the updates to 1, .*: go on, start=2, or begin anew.*, start=0"):
        run()
    assert path.read_bytes() == before
    run(start=2)
    assert column(path, "update") == [0, 1, 2, 3]
    with pytest.warns(GlidepathWarning, match="GP748"):
        run(start=0)
    assert column(path, "update") == [0, 1]
    assert path.with_name("run.superseded-1.jsonl").read_text().count("\n") == 5


@pytest.mark.parametrize("cut", [1, 2, 10, 30])
def test_a_line_that_was_cut_off_is_completed_or_left_out(path, cut):
    adam_run(path, 3)
    data = path.read_bytes()
    path.write_bytes(data[:-cut])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        Recorder(optimizer := sgd(0.1), path, start=3)
        train(optimizer, 2)
    assert len(caught) == (cut > 1)
    assert all("last line was cut off" in str(warning.message) for warning in caught)
    assert column(path, "update") == ([0, 1, 2, 3] if cut == 1 else [0, 1, 3])
    assert path.read_bytes().startswith(data if cut == 1 else data[: data.rindex(b"\n", 0, -1) + 1])


def test_a_file_whose_header_was_cut_off_begins_anew(path):
    for text in ("", '{"glidepath": "reco'):
        path.write_text(text)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", GlidepathWarning)
            adam_run(path, 2)
        assert column(path, "update") == [0, 1]
        path.unlink()


@pytest.mark.parametrize(
    "text", ["step,lr\n0,0.1\n", '{"step": 0}\n', "[1", "\x00" * 9, '{"glidepath": "record", "version": 2}\n']
)
def test_other_files_are_refused_and_stay_as_they_are(path, text):
    path.write_text(text)
    with pytest.raises(RunError, match=r"run\.jsonl: .*record.*give another path"):
        Recorder(sgd(0.1), path)
    assert path.read_text() == text


def test_a_damaged_line_is_named(path):
    adam_run(path, 3)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines[:2], "oops\n", *lines[2:]]))
    with pytest.raises(RunError, match=r"run\.jsonl:3: this line is not a row"):
        Recorder(sgd(0.1), path)


def test_a_cell_that_is_run_again_does_not_write_rows_twice(path):
    optimizer = torch.optim.Adam([parameter()])
    for _ in range(3):
        Recorder(optimizer, path)
        train(optimizer, 2)
    assert column(path, "update") == [0, 1, 2, 3, 4]


def test_two_optimizers_need_two_files(path):
    first, second = sgd(0.1), sgd(0.2)
    recorder = Recorder(first, path)
    with pytest.warns(GlidepathWarning, match="another Recorder, of another optimizer"):
        Recorder(second, path)
    with pytest.raises(GlidepathError, match="this Recorder is closed"):
        recorder.log(loss=1.0)


def test_closing_takes_the_hooks_away(path):
    optimizer = sgd(0.1)
    before = [OrderedDict(hooks) for hooks in hooks_of(optimizer)]
    recorder = Recorder(optimizer, path)
    assert hooks_of(optimizer) != before
    recorder.close()
    recorder.close()
    assert hooks_of(optimizer) == before


def hooks_of(optimizer):
    return [vars(optimizer)[name] for name in sorted(vars(optimizer)) if name.endswith("_hooks")]


def test_wrong_arguments_are_refused(path):
    with pytest.raises(SchedulerError, match=r"is not a torch\.optim\.Optimizer"):
        Recorder(torch.nn.Linear(1, 1), path)
    with pytest.raises(GlidepathError, match="nowhere to write: give a path, or a writer as to="):
        Recorder(sgd(0.1))
    with pytest.raises(GlidepathError, match=r"no add_scalar\(\) and no log\(\)"):
        Recorder(sgd(0.1), path, to=3)
    for wrong in ({"every": 0}, {"start": -1}):
        with pytest.raises(GlidepathError, match=next(iter(wrong))):
            Recorder(sgd(0.1), path, **wrong)
    assert not path.exists()


# --- elsewhere ---


def test_tensorboard_gets_the_same_numbers(path, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    optimizer = sgd(0.1)
    with SummaryWriter(tmp_path / "events") as writer:
        recorder, _ = recorder_first(optimizer, None, to=writer)
        train(optimizer, 6, after=lambda k: recorder.log(loss=float(k)))
        recorder.evaluate(val_loss=0.25)
        recorder.close()
    events = EventAccumulator(str(tmp_path / "events")).Reload()
    rates = [(event.step, event.value) for event in events.Scalars("lr")]
    assert rates == [(k, pytest.approx(0.1 * PLAN(k), rel=1e-6)) for k in range(6)]
    assert [(event.step, event.value) for event in events.Scalars("loss")] == [(k, k) for k in range(6)]
    assert [(event.step, event.value) for event in events.Scalars("val_loss")] == [(6, 0.25)]


class FakeRun:
    """A run of W&B, as far as it is used."""

    def __init__(self):
        self.logged = []

    def log(self, data):
        self.logged.append(data)


def test_a_run_of_wandb_gets_the_same_numbers_beside_the_file(path):
    optimizer = sgd(0.1)
    runs = [FakeRun(), FakeRun()]
    recorder = Recorder(optimizer, path, to=runs)
    train(optimizer, 2, after=lambda k: recorder.log(loss=math.nan, phase="warm"))
    recorder.evaluate(val_loss=0.5)
    recorder.close()
    first, evaluation, last = runs[0].logged
    assert (first["global_step"], first["lr"], first["phase"]) == (0, 0.1, "warm")
    assert math.isnan(first["loss"])
    assert evaluation == {"val_loss": 0.5, "global_step": 2}
    assert last["global_step"] == 1
    assert len(runs[1].logged) == 3
    assert column(path) == [0.1, 0.1]


def test_the_first_of_several_processes_writes(tmp_path):
    code = inspect.cleandoc(f"""
        import sys, torch, torch.distributed as dist
        from glidepath.torch import Recorder
        rank = int(sys.argv[1])
        dist.init_process_group("gloo", init_method={f"file://{tmp_path}/meet"!r}, rank=rank, world_size=2)
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.1)
        recorder = Recorder(optimizer, {str(tmp_path)!r} + "/run.jsonl")
        for k in range(3):
            optimizer.param_groups[0]["params"][0].grad = torch.ones(1)
            optimizer.step()
            recorder.log(rank=rank, val_loss=0.5)
        assert recorder.position == 3
        recorder.close()
        dist.destroy_process_group()
    """)
    workers = [subprocess.Popen([sys.executable, "-c", code, str(rank)]) for rank in (0, 1)]
    assert [worker.wait(120) for worker in workers] == [0, 0]
    assert column(tmp_path / "run.jsonl", "rank") == [0, 0, 0]
    assert len(parse(tmp_path / "run.jsonl")) == 6


# --- what the page says ---

PAGE = (Path(__file__).parents[2] / "docs/logs.md").read_text(encoding="utf-8")


def test_the_python_of_the_page_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"```python\n(.*?)```", PAGE.partition("## Your own loop")[2], re.S)
    names = {}
    exec(block, names)
    names["recorder"].close()
    plan = gp.warmup(10) >> gp.cosine(90)
    assert column(tmp_path / "runs/first.jsonl") == [3e-3 * plan(k) for k in range(100)]
    assert [row["updates_made"] for row in parse(tmp_path / "runs/first.jsonl") if "val_loss" in row] == [50, 100]
    assert all(f'"update": {k}, "lr": {3e-3 * plan(k)!r}' in PAGE for k in (98, 99))


def linear_of_pytorch(optimizer):
    return torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 1e-9, 4)


@pytest.mark.parametrize("build", [lambda optimizer: Scheduler(optimizer, gp.linear(4)), linear_of_pytorch])
@pytest.mark.filterwarnings("ignore::glidepath.errors.GlidepathWarning")
def test_where_the_page_says_to_read_the_rate(build):
    optimizer = witness(1.0)
    scheduler = build(optimizer)
    for _ in range(4):
        before = optimizer.param_groups[0]["lr"]
        update(optimizer)
        after = optimizer.param_groups[0]["lr"]
        scheduler.step()
        assert before == after == optimizer.used[-1][0] != optimizer.param_groups[0]["lr"]


def test_before_the_step_the_group_holds_the_last_rate_unless_the_next_one_is_shown():
    optimizer = witness(1.0)
    Scheduler(optimizer, gp.linear(4))
    read = []
    train(optimizer, 4, before=lambda k: read.append(optimizer.param_groups[0]["lr"]))
    used = [rates[0] for rates in optimizer.used]
    assert read == [used[0], *used[:-1]]
