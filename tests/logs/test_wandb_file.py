"""The file of an offline run of W&B: its records, and which of its numbers is the step."""

import json
import struct
import zlib

import pytest

from glidepath import logs
from glidepath.errors import RunError

from .against_truth import DATA, assert_rows_are_true, truth_of

FOLDER = DATA / "wandb"
HEADER = b":W&B\xe1\xbe\0"
BLOCK = 32_768


def file_of(name):
    return FOLDER / name / f"run-{name}.wandb"


# --- another writer of the format, for what the package does not write at will ---


def field(number, value):
    """Return a field of Protocol Buffers; all lengths here are below 2 ** 21."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(value):
    low = [value >> shift & 127 | 128 for shift in range(0, max(value.bit_length(), 1), 7)]
    return bytes([*low[:-1], low[-1] & 127])


def history(step, row, *, nested=True):
    """Return a record with a row of the history."""
    items = b"".join(
        field(1, field(2 if nested else 1, key.encode()) + field(16, json.dumps(value).encode()))
        for key, value in row.items()
    )
    return field(1, step + 1) + field(2, items + field(2, field(1, step) if step else b""))


def file_with(records, file):
    """Write records, each in as many chunks as the blocks ask for."""
    content = bytearray(HEADER)
    for record in records:
        rest, first = record, True
        while first or rest:
            room = BLOCK - len(content) % BLOCK
            if room < 7:
                content += bytes(room)
                continue
            part, rest = rest[: room - 7], rest[room - 7 :]
            kind = (1 if first else 4) if not rest else (2 if first else 3)
            content += struct.pack("<IHB", zlib.crc32(bytes([kind]) + part), len(part), kind) + part
            first = False
    file.write_bytes(content)
    return file


def rows(count):
    return [{"lr": 0.1 / (k + 1), "loss": 3 - k / 100, "_step": k} for k in range(count)]


# --- what the package wrote ---


@pytest.mark.parametrize("name", ["nested", "long"])
def test_a_row_at_the_step_of_the_loop_holds_the_rate_of_its_update(name):
    truth = truth_of(FOLDER / name)
    assert assert_rows_are_true(file_of(name), truth).steps == list(range(20))
    (run,) = logs.read(file_of(name))
    assert (run.name, run.rates.tolist(), run.assumed) == (name, truth, "")


def test_the_steps_of_transformers_go_before_the_count_of_calls():
    truth = truth_of(FOLDER / "trainer")
    assert len(assert_rows_are_true(file_of("trainer"), truth).steps) == 5
    (run,) = logs.read(file_of("trainer"), plan="linear(4, start=0, to=1) >> cosine(16)", peak=0.1)
    assert run.loss == "train/loss"
    assert run.rates == pytest.approx(truth)


def test_rates_and_losses_in_calls_of_their_own_are_no_updates():
    with pytest.raises(RunError, match=r"_step counts calls of log, and lr and loss come in calls of their own"):
        logs.read(file_of("calls"))


def test_a_folder_of_w_and_b_has_its_runs(tmp_path):
    for k, name in enumerate(["nested", "long"]):
        folder = tmp_path / "wandb" / f"offline-run-20260101_00000{k}-{name}"
        folder.mkdir(parents=True)
        (folder / f"run-{name}.wandb").write_bytes(file_of(name).read_bytes())
    (tmp_path / "wandb" / "latest-run").symlink_to(folder)
    assert [run.name for run in logs.read(tmp_path)] == ["nested", "long"]
    assert [run.name for run in logs.read(tmp_path / "wandb")] == ["nested", "long"]
    assert [run.name for run in logs.read(folder)] == ["long"]


# --- what it may write ---


@pytest.mark.parametrize("nested", [True, False])
def test_records_go_on_in_the_next_blocks(tmp_path, nested):
    texts = ["a" * size for size in (32_600, 70_000, 1, 32_761 - 50)]
    rows_and_texts = [{**row, "text": texts[k % 4]} for k, row in enumerate(rows(40))]
    file = file_with([history(k, row, nested=nested) for k, row in enumerate(rows_and_texts)], tmp_path / "run-a.wandb")
    assert list(logs.rates(file)[0].rates) == [row["lr"] for row in rows(40)]


def test_a_file_that_was_cut_off_anywhere_is_read_up_to_there(tmp_path):
    whole = file_with([history(k, row) for k, row in enumerate(rows(6))], tmp_path / "run-a.wandb").read_bytes()
    bounds = [7]
    while bounds[-1] < len(whole):
        bounds.append(bounds[-1] + 7 + struct.unpack_from("<H", whole, bounds[-1] + 4)[0])
    file = tmp_path / "run-b.wandb"
    for end in range(len(whole)):
        file.write_bytes(whole[:end])
        records = sum(bound <= end for bound in bounds) - 1
        if records < 1:
            with pytest.raises(RunError, match=str(file)):
                logs.rates(file)
        else:
            assert list(logs.rates(file)[0].rates) == [row["lr"] for row in rows(records)]


def test_a_torn_end_is_said(tmp_path):
    file = file_with([history(k, row) for k, row in enumerate(rows(6))], tmp_path / "run-a.wandb")
    file.write_bytes(file.read_bytes()[:-5])
    (run,) = logs.read(file)
    assert run.steps == 5
    assert "the last record is left out, because it was cut off" in run.assumed


def test_room_that_was_not_written_is_the_end(tmp_path):
    file = file_with([history(k, row) for k, row in enumerate(rows(6))], tmp_path / "run-a.wandb")
    file.write_bytes(file.read_bytes() + bytes(50_000))
    assert logs.read(file)[0].steps == 6


def test_pictures_and_other_records_are_passed_over(tmp_path):
    picture = {"_type": "image-file", "width": 7, "path": "media/a.png"}
    records = [
        field(17, field(1, b"abc") + field(8, b"late-night-3")),
        *(history(k, {**row, "sample": picture}) for k, row in enumerate(rows(5))),
        field(7, field(1, 5)),
    ]
    file = file_with(records, tmp_path / "run-abc.wandb")
    assert logs.rates(file)[0].name == "late-night-3"
    assert logs.metrics(file) == ()


@pytest.mark.parametrize("defined", [field(2, b"*"), field(1, b"loss")])
def test_the_step_that_a_run_defined_goes_before_the_count_of_calls(tmp_path, defined):
    """As by define_metric("*", step_metric="seen")."""
    twice = [{"seen": k // 2 * 3, **({"lr": 0.1 / (k + 1)} if k % 2 else {"loss": 3 - k / 100})} for k in range(20)]
    records = [field(12, defined + field(4, b"seen")), *(history(k, row) for k, row in enumerate(twice))]
    (rates,) = logs.rates(file_with(records, tmp_path / "run-a.wandb"))
    assert rates.steps == list(range(0, 30, 3))
    other = [field(12, field(2, b"val/*") + field(4, b"seen")), *(history(k, row) for k, row in enumerate(twice))]
    with pytest.raises(RunError, match="_step counts calls of log"):
        logs.read(file_with(other, tmp_path / "run-b.wandb"))
