"""Damaged and hostile logs end in an error that names the file and the place; nothing in them is run."""

import json
import os
import pickle
import random
import re
import sqlite3
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c

from glidepath import logs
from glidepath.errors import RunError
from glidepath.logs.formats import json_file

ROWS = [{"step": k, "loss": 3.0 - k / 10, "learning_rate": 0.1 / k, "epoch": k / 10} for k in range(1, 6)]


class Trap:
    """A pickle that leaves a file behind when it is read."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


def refused(path: Path, message: str, place: Path | None = None) -> None:
    """Every way to read it names the file, and says what is wrong."""
    for read in (logs.read, logs.rates):
        with pytest.raises(RunError, match=message) as caught:
            read(path)
        assert str(place or path) in str(caught.value)


def state(rows, **more) -> str:
    return json.dumps({"log_history": rows, **more})


def changed(**row) -> list[dict[str, object]]:
    return [*ROWS[:2], {**ROWS[2], **row}, *ROWS[3:]]


# --- the state of a Trainer ---


@pytest.mark.parametrize(
    "text, message",
    [
        (state(ROWS)[:-40], r"json:1: .*not JSON, or was cut off"),
        ("{", "json:1: "),
        ("[" * 100_000, "too deep"),
        ('{"log_history": ' + "[" * 100_000, "too deep"),
        ('{"log_history": [{"step": ' + "9" * 5000 + "}]}", "json: .*damaged"),
        ("[]", "a list of JSON that holds no numbers of a run"),
        ('{"log_history": {}}', "JSON without a list log_history"),
        (state([]), "holds no numbers of a run"),
        (state([7]), r"log_history\[0\]: 7 is not a row with a step"),
        (state([{"loss": 1.0}]), "holds no numbers of a run"),
        (state(changed(step="3")), r"log_history\[2\]: .* is not a row with a step"),
        (state(changed(step=True)), r"log_history\[2\]: .* is not a row with a step"),
        (state(changed(step=float("nan"))), r"log_history\[2\]: the step is missing"),
        (state(changed(step=float("inf"))), r"log_history\[2\]: the step is inf"),
        (state(changed(step=-3)), r"log_history\[2\]: the step is -3.0"),
        (state(changed(step=2.5)), r"log_history\[2\]: the step is 2.5"),
        (state(changed(step=10**12)), r"log_history\[2\]: 1,000,000,000,000 steps are more than"),
        (state(changed(learning_rate="0.1")), r"log_history\[2\]: learning_rate is '0.1', not a number"),
        (state(changed(learning_rate=None)), r"log_history\[2\]: learning_rate is None, not a number"),
        (state(changed(learning_rate=float("nan"))), r"log_history\[2\], step 3: the rate is nan"),
        (state(changed(learning_rate=-1.0)), "is -1.0"),
        (state([{"step": 0, "learning_rate": 0.1, "loss": 1.0}, *ROWS]), r"log_history\[0\]: a rate at step 0"),
        ('{"log_history": "\udcff"}', "not UTF-8"),
    ],
)
def test_a_damaged_state_is_refused_with_the_place(tmp_path, text, message):
    file = tmp_path / "trainer_state.json"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    refused(file, message)
    refused(tmp_path, message, file)


def test_a_loss_that_became_nan_or_infinite_is_told(tmp_path):
    file = tmp_path / "trainer_state.json"
    for loss in (float("nan"), float("inf")):
        file.write_text(state([*changed(loss=loss)[:3], *({**row, "loss": loss} for row in ROWS[3:])]))
        with pytest.raises(RunError, match=r"log_history\[2\], step \d: the loss is (nan|inf): the run diverged"):
            logs.read(file)
        assert len(logs.rates(file)[0].steps) == 5
        file.write_text(state(changed(loss=loss)))
        assert "the loss at step 3 is not a number, and left out" in logs.read(file)[0].assumed


def test_a_state_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    file = tmp_path / "trainer_state.json"
    file.write_text(state(ROWS))
    monkeypatch.setattr(json_file, "MOST_BYTES", 100)
    refused(file, "more than 100 bytes")


def test_steps_that_fall_back_are_a_resumed_run_whose_later_rows_hold(tmp_path):
    file = tmp_path / "trainer_state.json"
    file.write_text(state([*ROWS, *({**row, "learning_rate": 0.05} for row in ROWS[2:])]))
    (run,) = logs.read(file)
    assert run.rates.tolist() == [0.1, 0.05, 0.05, 0.05, 0.05]
    assert "step 3 and others were logged twice, and the later rows hold" in run.assumed


# --- event files ---


def record(data: bytes) -> bytes:
    head = struct.pack("<Q", len(data))
    return head + struct.pack("<I", masked_crc32c(head)) + data + struct.pack("<I", masked_crc32c(data))


def event(step: int, **values: float) -> bytes:
    one = Event(step=step)
    for tag, value in values.items():
        one.summary.value.add(tag=tag, simple_value=value)
    return one.SerializeToString()


BEGIN = record(Event(file_version="brain.Event:2").SerializeToString())
GOOD = BEGIN + b"".join(record(event(k, loss=3 - k / 10, lr=0.1)) for k in range(5))


def flipped(at: int) -> bytes:
    return GOOD[:at] + bytes([GOOD[at] ^ 255]) + GOOD[at + 1 :]


def odd_tensor() -> bytes:
    one = Event(step=9)
    value = one.summary.value.add(tag="loss")
    value.tensor.dtype = 1
    value.tensor.tensor_content = b"12345"
    return one.SerializeToString()


@pytest.mark.parametrize(
    "content, message",
    [
        (BEGIN[:2], "byte 0: the event file was cut off here, and no number comes before"),
        (BEGIN[:20], "byte 0: the event file was cut off here, and no number comes before"),
        (BEGIN[:-1], "byte 0: the event file was cut off here, and no number comes before"),
        (GOOD[: len(BEGIN) + 20], f"byte {len(BEGIN)}: the event file was cut off here"),
        (flipped(len(BEGIN)), f"byte {len(BEGIN)}: the checksum of a length is wrong"),
        (flipped(len(BEGIN) + 14), f"byte {len(BEGIN)}: the checksum of an event is wrong"),
        (flipped(len(GOOD) - 1), r"byte \d+: the checksum of an event is wrong"),
        (GOOD + record(b"\xff" * 9), f"byte {len(GOOD)}: this is not an event"),
        (GOOD + record(odd_tensor()), f"byte {len(GOOD)}: 'loss' is a tensor whose shape and content differ"),
        (GOOD + record(event(-1, loss=1, lr=0.1)), f"byte {len(GOOD)}: the step is -1.0"),
        (GOOD + record(event(2**62, loss=1, lr=0.1)), f"byte {len(GOOD)}: .* steps are more than"),
        (GOOD + record(event(5, loss=1, lr=float("nan"))), f"byte {len(GOOD)}, step 5: the rate is nan"),
        (BEGIN, "holds no numbers of a run"),
    ],
)
def test_damaged_events_are_refused_with_the_byte(tmp_path, content, message):
    file = tmp_path / "events.out.tfevents.1.host"
    file.write_bytes(content)
    refused(file, message)
    if content != BEGIN:
        refused(tmp_path, message, file)


LAST = len(record(event(4, loss=3 - 4 / 10, lr=0.1)))


@pytest.mark.parametrize("cut", [1, 4, 5, LAST - 13, LAST - 12, LAST - 11, LAST - 1])
def test_the_torn_last_event_of_a_killed_run_is_left_out_and_told(tmp_path, cut):
    file = tmp_path / "events.out.tfevents.1.host"
    file.write_bytes(GOOD[:-cut])
    (run,) = logs.read(file)
    place = f"{file}, byte {len(GOOD) - LAST}"
    assert (run.steps, run.updates.tolist()) == (4, [1, 2, 3])
    assert run.assumed == f"the last event is left out, because it was cut off ({place})"
    assert list(logs.rates(tmp_path)[0].steps) == [0, 1, 2, 3]


def test_a_whole_event_file_says_nothing_and_a_restart_goes_on_after_a_torn_one(tmp_path):
    (tmp_path / "events.out.tfevents.1.host").write_bytes(GOOD)
    assert logs.read(tmp_path)[0].assumed == ""
    (tmp_path / "events.out.tfevents.1.host").write_bytes(GOOD[:-9])
    (tmp_path / "events.out.tfevents.2.host").write_bytes(
        BEGIN + b"".join(record(event(k, loss=2.0, lr=0.1)) for k in range(2, 7))
    )
    (tmp_path / "events.out.tfevents.3.host").write_bytes(BEGIN[:20])
    (run,) = logs.read(tmp_path)
    assert (run.steps, run.losses.tolist()) == (7, pytest.approx([2.9, *[2.0] * 5]))
    assert re.fullmatch(
        r"step 2 and others were logged twice, .*; the last event .*tfevents\.1.*; .*tfevents\.3\.host, byte 0\)",
        run.assumed,
    )


def test_a_long_event_that_holds_something_else_is_passed_over(tmp_path):
    file = tmp_path / "events.out.tfevents.1.host"
    file.write_bytes(GOOD[: len(BEGIN)] + record(b"x" * 70_000) + GOOD[len(BEGIN) :])
    assert logs.read(file)[0].steps == 5


def test_a_pickle_with_the_name_of_a_log_is_never_loaded(tmp_path):
    for name in ("events.out.tfevents.1.host", "trainer_state.json", "metrics.csv", "mlflow.db"):
        folder = tmp_path / name.partition(".")[0]
        folder.mkdir()
        (folder / name).write_bytes(pickle.dumps(Trap(tmp_path / "read")))
        refused(folder / name, "a pickle, which could run anything|checksum of a length is wrong")
        refused(folder, "a pickle, which could run anything|checksum of a length is wrong", folder / name)
    assert not (tmp_path / "read").exists()


def test_without_tensorboard_the_install_line_is_given(tmp_path):
    (tmp_path / "events.out.tfevents.1").write_bytes(GOOD)
    (tmp_path / "log.csv").write_text("step,lr,loss\n0,0.1,4\n1,0.1,3\n2,0.1,2\n")
    code = (
        "import sys; sys.modules['tensorboard'] = None\nfrom glidepath import logs\n"
        "print(logs.read(sys.argv[1] + '/log.csv')[0].name)\nlogs.read(sys.argv[1] + '/events.out.tfevents.1')"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.stdout == "log\n"
    assert done.stderr.splitlines()[-1].endswith(
        'event files need tensorboard, which is not installed: pip install "glidepath[logs]" [GP601]'
    )


# --- MLflow ---


def database(file: Path, *statements: str) -> Path:
    with sqlite3.connect(file) as base:
        for statement in statements:
            base.execute(statement)
    base.close()
    return file


TABLES = (
    "CREATE TABLE experiments (name)",
    "CREATE TABLE runs (run_uuid, name, lifecycle_stage, start_time)",
    "CREATE TABLE metrics (key, value, timestamp, run_uuid, step, is_nan)",
    "INSERT INTO runs VALUES ('a', 'one', 'active', 0)",
)
VALUE = "INSERT INTO metrics VALUES ('loss', {}, 0, 'a', {}, 0)"


@pytest.mark.parametrize(
    "statements, message",
    [
        (["CREATE TABLE t (a)"], "is a database of something else, not a store of Glidepath, nor one of MLflow"),
        (TABLES[:3], "has no runs with metrics"),
        (TABLES, "has no runs with metrics"),
        ([t.replace("key, ", "") for t in TABLES], "cannot be read: no such column: key"),
        ([*TABLES[:2], "CREATE VIEW metrics AS SELECT 1", TABLES[3]], "is a database of something else"),
        ([*TABLES, VALUE.format("'much'", 1)], "metrics, row 1: .*'much'.* is not a name, step and value"),
        ([*TABLES, VALUE.format("x'00'", 1)], "metrics, row 1: .* is not a name, step and value"),
        ([*TABLES, VALUE.format(1.0, "'one'")], "metrics, row 1: .* is not a name, step and value"),
        ([*TABLES, VALUE.format(1.0, -1)], "metrics, row 1: the step is -1.0"),
        ([*TABLES, VALUE.format(1.0, 2**60)], "metrics, row 1: .* steps are more than"),
        ([*TABLES, VALUE.format(1.0, 1)], "no rate was logged; there are loss"),
    ],
)
def test_a_database_with_odd_contents_is_refused(tmp_path, statements, message):
    refused(database(tmp_path / "mlflow.db", *statements), message)


def test_a_database_that_was_cut_off_is_refused(tmp_path):
    file = database(tmp_path / "mlflow.db", *TABLES, *(VALUE.format(1.0, k) for k in range(2000)))
    file.write_bytes(file.read_bytes()[:5000])
    refused(file, "cannot be read: ")


@pytest.mark.parametrize(
    "line, message",
    [
        ("5 0.1", "lr:2: '5 0.1' is not a time, value and step"),
        ("5 0.1 x", "lr:2: "),
        ("5 much 1", "lr:2: "),
        ("5 0.1 -1", "lr:2: the step is -1.0"),
        ("5 nan 1", "lr:2, step 1: the rate is nan"),
        ("\x00\x01\x02", "lr:2: "),
        ("9" * 2000, "lr:2: "),
    ],
)
def test_a_damaged_metric_file_is_refused_with_the_line(tmp_path, line, message):
    run = tmp_path / "mlruns" / "0" / "abc"
    (run / "metrics").mkdir(parents=True)
    (run / "meta.yaml").write_text("!!python/object/apply:os.system ['touch x']")
    (run / "metrics" / "loss").write_text("4 3.0 0\n5 2.0 1\n6 1.0 2\n")
    (run / "metrics" / "lr").write_text(f"4 0.1 0\n{line}\n")
    refused(run, message, run / "metrics" / "lr")
    refused(tmp_path / "mlruns", message, run / "metrics" / "lr")


# --- W&B and Lightning ---


@pytest.mark.parametrize(
    "text, message",
    [
        ("_step,lr,loss\n0,0.1,3\n1,0.1,much\n", "csv:3: loss is 'much', not a number"),
        ("_step,lr,loss\n0,0.1,3\nx,0.1,2\n", "csv:3: _step is 'x', not a number"),
        ("_step,lr,loss\n0,0.1,3\n-4,0.1,2\n", "csv:3: the step is -4.0"),
        ("epoch,lr-SGD,step,train_loss\n,0.1,1,\n0,,1\n", "csv:3: the file may have been cut off"),
        ("epoch,lr-SGD,step,train_loss\n,nan,1,\n0,,1,3\n", "csv:2, step 1: the rate is nan"),
        ("Step,a - lr,a - lr\n0,1,1\n", "2 columns are called a - lr"),
        (
            "Step,a - lr,b - loss\n0,1,1\n",
            "run b: no rate was logged; there are loss|run a: no training loss was logged; there are lr",
        ),
    ],
)
def test_a_damaged_export_is_refused_with_the_line(tmp_path, text, message):
    file = tmp_path / "export.csv"
    file.write_text(text)
    refused(file, message)


# --- folders, and noise ---


def test_links_that_go_round_in_a_circle_end(tmp_path):
    folder = tmp_path / "runs"
    folder.mkdir()
    (folder / "again").symlink_to(folder)
    (folder / "metrics.csv").symlink_to(folder / "metrics.csv")
    (folder / "events.out.tfevents.1").symlink_to(folder / "events.out.tfevents.1")
    refused(folder, "holds no logs")
    refused(folder / "metrics.csv", "cannot be read")
    with pytest.raises(RunError, match=r"cannot be read|holds no logs"):
        logs.read(os.path.join(folder, *["again"] * 3))


@pytest.mark.parametrize("name", ["trainer_state.json", "events.out.tfevents.1", "mlflow.db", "metrics.csv"])
def test_noise_under_any_name_is_refused(tmp_path, name):
    rng = random.Random(0)
    beginnings = [b"", b"{", b"SQLite format 3\0", BEGIN, b'{"log_history": [', b"_step,lr,loss\n"]
    for i in range(60):
        folder = tmp_path / str(i)
        folder.mkdir()
        (folder / name).write_bytes(beginnings[i % len(beginnings)] + rng.randbytes(rng.randrange(1, 400)))
        refused(folder, re.escape(str(folder)))


def test_a_good_log_with_any_byte_changed_is_read_or_refused(tmp_path):
    rng = random.Random(1)
    logs_of = {
        "trainer_state.json": state(ROWS).encode(),
        "events.out.tfevents.1": GOOD,
        "mlflow.db": database(tmp_path / "good.db", *TABLES, VALUE.format(1.0, 1)).read_bytes(),
    }
    for name, good in logs_of.items():
        for _ in range(150):
            at = rng.randrange(len(good))
            (tmp_path / name).write_bytes(good[:at] + rng.randbytes(1) + good[at + 1 :])
            said = answer(tmp_path / name)
            assert said is None or name in said or tmp_path.name in said


def answer(path: Path) -> str | None:
    """What is said of a log; None if it is read."""
    try:
        logs.read(path)
    except RunError as error:
        return str(error)
    return None


def test_a_metric_of_mlflow_that_is_nan_is_told_and_a_deleted_run_is_left_out(tmp_path):
    more = [VALUE.format(3.0, k).replace("'loss'", f"'{name}'") for k in range(3) for name in ("loss", "lr")]
    deleted = "INSERT INTO runs VALUES ('b', 'two', 'deleted', 1)", "INSERT INTO metrics VALUES ('lr', 1, 0, 'b', 1, 0)"
    file = database(tmp_path / "mlflow.db", *TABLES, *more, *deleted)
    assert [run.name for run in logs.read(file)] == ["one"]
    database(file, "INSERT INTO metrics VALUES ('lr', 0.0, 9, 'a', 3, 1)")
    refused(file, r"metrics, row \d+, step \d+: the rate is nan")
