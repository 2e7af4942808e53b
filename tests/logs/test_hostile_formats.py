"""Damaged and hostile JSON, W&B files, databases of trackio and folders of dvclive end in an error with file and place.

Time and memory are bounded by the size of the file; nothing out of a folder is read.
"""

import json
import random
import shutil
import sqlite3
import struct
import time
import tracemalloc
import zlib
from contextlib import closing

import pytest

from glidepath import logs
from glidepath.errors import RunError

from .against_truth import DATA, truth_of
from .test_wandb_file import HEADER, field, file_with, history, rows

ROWS = [{"step": k, "loss": 3.0 - k / 10, "lr": 0.1 / (k + 1)} for k in range(6)]


def refused(path, message, place=None, **options):
    """Every way to read it names the file, and says what is wrong."""
    for read in (logs.read, logs.rates):
        with pytest.raises(RunError, match=message) as caught:
            read(path, **options)
        assert str(place or path) in str(caught.value)


def lines(tmp_path, *rows):
    file = tmp_path / "run.jsonl"
    file.write_bytes(b"\n".join(row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows) + b"\n")
    return file


def read_or_refuse(path, truth):
    """Read a damaged file: an error that names it, or rates that are all true."""
    problem, rates = "", None
    try:
        (rates, *_) = logs.rates(path)
    except RunError as error:
        problem = str(error)
    assert rates is not None or str(path) in problem
    if rates is not None:
        assert all(truth[step] == rate for step, rate in zip(rates.steps, rates.rates, strict=True))
    return rates


# --- JSON lines ---


@pytest.mark.parametrize(
    "row, message",
    [
        (b'{"step": 3, "loss": 2.0', r"jsonl:4: .*this is not JSON, or was cut off"),
        (b'{"step": 3, "loss": 2.0} {"step": 4}', "jsonl:4: Extra data"),
        (b"step=3 loss=2.0", "jsonl:4: Expecting value"),
        (b'{"step": 3, "loss": "\xff"}', "jsonl:4: not UTF-8"),
        (b"\0" * 20, "jsonl:4: Expecting value"),
        (b"[" * 100_000, "jsonl:4: (lists in lists, too deep|Expecting value)"),
        (b'{"a":' * 30 + b"1" + b"}" * 30, "jsonl:4: objects in objects, too deep"),
        (b'{"a":' * 900 + b"1" + b"}" * 900, "jsonl:4: objects in objects, too deep"),
        (b'{"step": 3, "loss": ' + b"9" * 5000 + b"}", "jsonl:4: .*the file is damaged"),
        (b'{"' + b"a" * 2000 + b'": 1}', "jsonl:4: a name of more than 1,000 characters"),
        (b'{"step": 3, "b": "' + b"a" * 10_000_000 + b'"}', "jsonl:4: more than 10,000,000 bytes in one line"),
        ({"step": 3, "loss": "low"}, "jsonl:4: loss is 'low', not a number"),
        ({"step": 3, "lr": {"a": 1}, "loss": [1.0]}, r"jsonl:4: loss is \[1.0\], not a number"),
        ({"step": 3, "lr": True}, "jsonl:4: lr is True, not a number"),
        ({"step": 3, "lr": 10**30}, "jsonl:4: lr is 1000000000000000000000000000000, not a number"),
        ({"step": 3, "lr": -0.1}, "jsonl:4, step 3: .*-0.1"),
        ({"step": 3, "lr": float("nan")}, "jsonl:4, step 3: the rate is nan"),
        ({"step": 3.5, "lr": 0.1}, "jsonl:4: the step is 3.5"),
        ({"step": -3, "lr": 0.1}, "jsonl:4: the step is -3.0"),
        ({"step": float("inf"), "lr": 0.1}, "jsonl:4: the step is inf"),
        ({"step": 10**12, "lr": 0.1}, "jsonl:4: 1,000,000,000,000 steps are more than"),
    ],
)
def test_a_damaged_row_of_json_lines_is_named(tmp_path, row, message):
    refused(lines(tmp_path, *ROWS[:3], row, *ROWS[4:]), message)


def test_a_step_that_is_a_text_has_no_rate(tmp_path):
    (run,) = logs.read(lines(tmp_path, *ROWS[:3], {**ROWS[3], "step": "x"}, *ROWS[4:]))
    assert "1 row without step left out" in run.assumed


def test_json_lines_that_were_cut_off_anywhere_are_refused_or_right(tmp_path):
    whole = lines(tmp_path, *ROWS).read_bytes()
    for end in range(len(whole)):
        file = tmp_path / "cut.jsonl"
        file.write_bytes(whole[:end])
        read_or_refuse(file, [row["lr"] for row in ROWS])


def test_too_many_names_are_refused(tmp_path):
    names = [{f"{k}/{i}": 1.0 for i in range(1000)} for k in range(11)]
    refused(lines(tmp_path, *ROWS, *names), "jsonl:1[67]: more than 10,000 names")


def test_long_paths_of_many_numbers_are_refused_before_they_fill_the_memory(tmp_path):
    many = {"a" * 900: {"b" * 900: {str(k): 1.0 for k in range(100_000)}}}
    file = lines(tmp_path, *ROWS, many)
    tracemalloc.start()
    refused(file, "jsonl:7: a name of more than 1,000 characters")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000_000


def test_the_time_for_json_lines_is_linear(tmp_path):
    def seconds(rows):
        file = lines(tmp_path, *({"step": k, "lr": 0.1, "loss": 2.0} for k in rows))
        start = time.process_time()
        logs.rates(file)
        return time.process_time() - start

    assert seconds(range(40_000)) < 8 * seconds(range(10_000)) + 0.2


# --- lists ---


@pytest.mark.parametrize(
    "content, message",
    [
        ("[]", "holds no numbers of a run"),
        ("[1, 2]", "holds no numbers of a run"),
        ("[" * 100_000, "too deep for the log of a run"),
        ('[{"step": 1, "loss": "low"}]', "row 0: loss is 'low', not a number"),
        ('[{"batches": 7}]', "epoch 1: .* is not an epoch of skorch"),
        ('[{"batches": []}, 7]', "epoch 1: an epoch without batches, and train_batch_count is None"),
        ('[{"batches": [{"train_loss": 1.0}]}, 7]', "epoch 2: 7 is not an epoch of skorch"),
        ('[{"batches": [[1]]}]', "epoch 1: .* is not an epoch of skorch"),
        ('[{"batches": [{"train_loss": "low"}]}]', "epoch 1: train_loss is 'low', not a number"),
        ('[{"batches": [], "train_batch_count": -1}]', "epoch 1: .*train_batch_count is -1"),
        ('[{"batches": [], "train_batch_count": 4000000000, "event_lr": 1, "x": 1}]', "more than"),
        ('[{"batches": [{"train_loss": 1.0}], "event_lr": [1]}]', r"epoch 1: event_lr is \[1\], not a number"),
    ],
)
def test_a_damaged_list_is_refused(tmp_path, content, message):
    file = tmp_path / "run.json"
    file.write_text(content)
    refused(file, message)


def test_a_history_of_skorch_that_was_cut_off_anywhere_is_refused(tmp_path):
    whole = (DATA / "skorch" / "by_batch" / "history.json").read_bytes()
    file = tmp_path / "history.json"
    for end in range(1, len(whole), 7):
        file.write_bytes(whole[:end])
        refused(file, "not JSON, or was cut off")


# --- W&B ---


def chunk(data, kind=1, length=None, checksum=None):
    right = zlib.crc32(bytes([kind]) + data)
    return (
        struct.pack("<IHB", right if checksum is None else checksum, len(data) if length is None else length, kind)
        + data
    )


GOOD = b"".join(chunk(history(k, row)) for k, row in enumerate(rows(3)))
END = f"byte {len(HEADER + GOOD)}: "


@pytest.mark.parametrize(
    "content, message",
    [
        (b":W&B\xe1\xbe\1" + GOOD, "byte 0: a file of W&B in another version"),
        (b":W&B", "byte 0: a file of W&B in another version than 0, .*or cut off"),
        (HEADER, "holds no numbers of a run"),
        (HEADER + GOOD + chunk(b"abc", checksum=1) + GOOD, END + "the checksum of a record is wrong"),
        (HEADER + GOOD + chunk(b"abc", length=40_000) + GOOD, END + "a length of 40,000, beyond its block"),
        (HEADER + GOOD + chunk(b"abc", length=90) + GOOD, END + "the checksum of a record is wrong"),
        (HEADER + GOOD + chunk(b"abc", kind=9) + GOOD, END + "a record of the unknown kind 9"),
        (HEADER + GOOD + chunk(b"abc", kind=3) + GOOD, END + "parts of records in a wrong order"),
        (HEADER + GOOD + chunk(b"abc", kind=2) + GOOD, "parts of records in a wrong order"),
        (HEADER + GOOD + bytes(7) + GOOD, END + "zeros where a record belongs"),
        (HEADER + GOOD + chunk(b"\xff" * 20), END + "a number of too many bytes"),
        (HEADER + GOOD + chunk(b"\x12\xff\xff\x7f"), END + "a field is longer than its message"),
        (HEADER + GOOD + chunk(b"\x13"), END + "a field is written in the unknown way 3"),
        (HEADER + GOOD + chunk(field(2, 7)), END + "a number where bytes belong"),
        (HEADER + GOOD + chunk(field(2, field(1, field(2, b"\xff")))), END + ".*decode"),
        (HEADER + GOOD + chunk(field(2, field(1, field(2, b"lr") + field(16, b"{")))), END + ".*this is not JSON"),
        (HEADER + GOOD + chunk(field(2, field(1, field(2, b"lr") + field(16, b'"x"')))), END + "lr is 'x', not a"),
        (HEADER + GOOD + chunk(field(2, field(1, field(2, b"a") + field(16, b"[" * 30_000)))), END),
    ],
)
def test_a_damaged_file_of_w_and_b_is_refused(tmp_path, content, message):
    file = tmp_path / "run-a.wandb"
    file.write_bytes(content)
    refused(file, message)


def test_a_file_of_w_and_b_with_any_byte_changed_is_refused_or_right(tmp_path):
    whole, random_bytes = (DATA / "wandb" / "nested" / "run-nested.wandb").read_bytes(), random.Random(0)
    file, truth, refusals = tmp_path / "run-nested.wandb", truth_of(DATA / "wandb" / "nested"), 0
    for place in range(0, len(whole), 23):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ random_bytes.randrange(1, 256)]) + whole[place + 1 :])
        refusals += read_or_refuse(file, truth) is None
    assert refusals > 0.9 * len(whole) / 23  # only the end may be taken for torn


def test_a_record_of_w_and_b_that_never_ends_fills_no_memory(tmp_path):
    giant = history(3, {"lr": 0.1, "text": "a"})[:-1] + b"a" * 15_000_000
    file = file_with([*(history(k, row) for k, row in enumerate(rows(3))), giant], tmp_path / "run-a.wandb")
    tracemalloc.start()
    (run,) = logs.read(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert run.steps == 3
    assert "a record of 15," in run.assumed
    assert peak < 60_000_000


@pytest.mark.parametrize("number", [1, 2, 17])
def test_a_record_of_w_and_b_with_millions_of_fields_fills_no_memory(tmp_path, number):
    giant = field(number, b"\x08\x01" * 900_000)
    file = file_with([giant, *(history(k, row) for k, row in enumerate(rows(3)))], tmp_path / "run-a.wandb")
    tracemalloc.start()
    read_or_refuse(file, [row["lr"] for row in rows(3)])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40_000_000


# --- trackio ---


def database(tmp_path, content, step=3, name="run"):
    file = tmp_path / "p.db"
    columns = "id INTEGER PRIMARY KEY, run_id, timestamp, run_name, step, metrics"
    with closing(sqlite3.connect(file)) as base, base:
        base.execute(f"CREATE TABLE metrics ({columns})")
        for k in range(3):
            base.execute("INSERT INTO metrics VALUES (?, 'x', '', ?, ?, ?)", (k, name, k, '{"lr": 0.1, "loss": 2.0}'))
        base.execute("INSERT INTO metrics VALUES (7, 'x', '', ?, ?, ?)", (name, step, content))
    return file


@pytest.mark.parametrize(
    "content, step, message",
    [
        (b'{"lr": 0.1', 3, "metrics, row 7: .*this is not JSON"),
        (b"[1]", 3, "metrics, row 7: .* is no object of JSON"),
        (b"\xff", 3, "metrics, row 7: not UTF-8"),
        (7, 3, "metrics, row 7: .* is not a step with its metrics"),
        (None, 3, "metrics, row 7: .* is not a step with its metrics"),
        (b'{"lr": 0.1}', "x", "metrics, row 7: .* is not a step with its metrics"),
        (b'{"lr": 0.1}', None, "metrics, row 7: .* is not a step with its metrics"),
        (b'{"lr": "x"}', 3, "metrics, row 7: lr is 'x', not a number"),
        (b'{"lr": 0.1}', -3, "metrics, row 7: the step is -3"),
        (b"[" * 100_000, 3, "metrics, row 7: lists in lists, too deep"),
        (b'{"a":' * 50 + b"1" + b"}" * 50, 3, "metrics, row 7: objects in objects, too deep"),
        (b"a" * 12_000_000, 3, "cannot be read: .*too big"),
    ],
)
def test_a_damaged_row_of_trackio_is_named(tmp_path, content, step, message):
    refused(database(tmp_path, content, step), message)


def test_a_database_of_trackio_that_was_cut_off_is_refused_or_right(tmp_path):
    whole = (DATA / "trackio" / "lines.db").read_bytes()
    file = tmp_path / "lines.db"
    for end in range(100, len(whole), 997):
        file.write_bytes(whole[:end])
        read_or_refuse(file, truth_of(DATA / "trackio" / "every"))


def test_a_view_that_would_never_end_is_not_read(tmp_path):
    file = tmp_path / "p.db"
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i, i, i, i, i FROM n"
    with closing(sqlite3.connect(file)) as base, base:
        base.execute(f"CREATE VIEW metrics(id, run_id, run_name, step, metrics) AS {endless}")
    refused(file, "a database of something else")


def test_many_runs_of_trackio_are_read_in_one_pass(tmp_path):
    file = tmp_path / "p.db"
    with closing(sqlite3.connect(file)) as base, base:
        base.execute("CREATE TABLE metrics (id INTEGER PRIMARY KEY, run_id, run_name, step, metrics)")
        several = ((k, k % 3000, f"run {k % 3000}", k // 3000, '{"lr": 0.1}') for k in range(9000))
        base.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?, ?)", several)
    start = time.process_time()
    assert len(logs.rates(file)) == 3000
    assert time.process_time() - start < 10


# --- dvclive ---


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "holds no numbers of a run"),
        (b"lr\n0.1\n", r"lr.tsv:1: 'lr' is not the first column of a metric"),
        (b"step\tlr\n0\tlow\n", r"lr.tsv:2: .* is not a step and a number"),
        (b"step\tlr\n0.5\t0.1\n", r"lr.tsv:2: .* is not a step and a number"),
        (b"step\tlr\n0\n", r"lr.tsv:2: .* is not a step and a number"),
        (b"step\tlr\n0\t0.1\t7\n", r"lr.tsv:2: .* is not a step and a number"),
        (b"step\tlr\n0\t1_0\n", r"lr.tsv:2: .* is not a step and a number"),
        (b"step\tlr\n-1\t0.1\n", r"lr.tsv:2: the step is -1.0"),
        (b"step\tlr\n0\t" + b"1" * 5000 + b"\n", r"lr.tsv:2: .* is not a step and a number"),
        (b"step\tlr\n0\t\xff\n", r"lr.tsv:2: .* is not a step and a number"),
        (b"\0" * 5000, r"lr.tsv:1: .* is not the first column of a metric"),
        (b"step\tlr\n" + b"9" * 900 + b"\t0.1\n", r"lr.tsv:2"),
    ],
)
def test_a_damaged_metric_of_dvclive_is_refused(tmp_path, content, message):
    folder = tmp_path / "plots" / "metrics"
    folder.mkdir(parents=True)
    (folder / "lr.tsv").write_bytes(content)
    refused(tmp_path, message)


def test_folders_of_dvclive_that_go_round_end(tmp_path):
    shutil.copytree(DATA / "dvclive" / "dvclive", tmp_path / "run")
    (tmp_path / "run" / "plots" / "metrics" / "again").symlink_to(tmp_path / "run" / "plots", target_is_directory=True)
    assert list(logs.rates(tmp_path / "run")[0].rates) == truth_of(DATA / "dvclive")
