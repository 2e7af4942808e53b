"""What trainers print is read as what they log; a pattern describes the lines of a loop of one's own."""

import json
import time
from pathlib import Path

import pytest

from glidepath import logs
from glidepath.errors import RunError

DATA = Path(__file__).with_name("data")
OWN = r"it=(?P<step>\d+).*eta=(?P<rate>\S+).*nll=(?P<loss>\S+)"


def truth(folder: Path) -> dict:
    return json.loads((folder / "truth.json").read_text())


@pytest.mark.parametrize(
    "name, digits",
    [
        ("megatron/every_1", 1e-6),
        ("megatron/every_10", 1e-6),
        ("megatron/skipped", 1e-6),
        ("torchtune/every_1", 0),
        ("torchtune/every_5", 0),
        ("nanogpt/build_nanogpt", 1e-4),
    ],
)
def test_every_rate_is_that_of_the_update_that_used_it(name, digits):
    folder = DATA / name
    (rates,) = logs.rates(folder)
    true = truth(folder)["rates"]
    assert max(rates.steps) < len(true)
    assert rates.rates == pytest.approx([true[k] for k in rates.steps], rel=digits, abs=0)


@pytest.mark.parametrize("name", ["megatron/every_1", "torchtune/every_1", "nanogpt/build_nanogpt"])
def test_every_loss_is_that_of_the_updates_before_it(name):
    folder = DATA / name
    (run,) = logs.read(folder / "log.txt")
    losses = truth(folder)["losses"]
    assert run.steps == len(truth(folder)["rates"])
    assert run.losses == pytest.approx([losses[k] for k in run.updates], abs=1e-5)
    assert run.name == Path(name).name


def test_skipped_iterations_are_said():
    (run,) = logs.read(DATA / "megatron" / "skipped")
    assert "3 iterations were skipped, and repeat a rate: which ones is not in the log" in run.assumed


def test_nanogpt_evaluates_both_losses_and_prints_no_rate():
    file = DATA / "nanogpt" / "nanogpt" / "log.txt"
    assert {"val loss", "eval train loss"} <= set(logs.metrics(file))
    (run,) = logs.read(file, plan="constant(40)", peak=0.1)
    assert run.loss == "loss"
    with pytest.raises(RunError, match="no rate was logged"):
        logs.rates(file)


def test_keras_prints_epochs_and_the_last_line_of_each_holds(tmp_path):
    file = tmp_path / "keras.txt"
    row = "Epoch {}/3\n1/5 - 1s - loss: 9.0\r5/5 - 1s 2ms/step - loss: {} - val_loss: 2.0\n"
    file.write_text("Model: x\n" + "".join(row.format(epoch, 3 / epoch) for epoch in (1, 2, 3)))
    (run,) = logs.read(file, plan="constant(15)", peak=0.1, updates_per_epoch=5, metric="loss")
    assert (run.steps, run.losses.tolist()) == (15, [3.0, 1.5, 1.0])
    with pytest.raises(RunError, match=r"a row counts epochs.*updates_per_epoch"):
        logs.read(file, plan="constant(15)", peak=0.1)


@pytest.mark.parametrize("version", ["4.45.2", "5.24.0"])
def test_what_the_trainer_prints_has_no_step(version):
    file = DATA / "transformers" / version / "linear" / "printed.txt"
    with pytest.raises(RunError, match=r"printed.txt:1: a line that the Trainer printed has no step.*pattern="):
        logs.read(file)


# --- patterns ---


def own(tmp_path: Path, line: str = "00:12 it={} eta={!r} nll={}") -> Path:
    file = tmp_path / "own.log"
    file.write_text("start\n" + "".join(line.format(k, 0.1 / (k + 1), 3.0 - k / 9) + "\n" for k in range(6)))
    return file


def test_a_pattern_describes_a_line_of_ones_own(tmp_path):
    (run,) = logs.read(own(tmp_path), pattern=OWN)
    assert run.rates.tolist() == [0.1 / (k + 1) for k in range(6)]
    assert run.losses.tolist() == [3.0 - k / 9 for k in range(1, 6)]
    assert logs.rates(own(tmp_path), pattern=OWN)[0].steps == list(range(6))


def test_sources_that_were_opened_with_a_pattern_keep_it(tmp_path):
    sources = logs.open_sources(own(tmp_path), OWN)
    assert logs.names(sources) == ("own",)
    assert logs.read(sources)[0].steps == 6


@pytest.mark.parametrize(
    "pattern, message",
    [
        ("(", "is not a regular expression"),
        ("eta=(?P<rate>.*)", "has no group for the step"),
        ("a" * 2000 + "(?P<step>.)", "has more than 1,000 characters"),
        (r"nothing (?P<step>\d)", "no line has pattern="),
        (r"it=(?P<step>\d+) eta=(?P<rate>\w)\S+ (?P<loss>n)", r"own.log:2: loss is .*n.*, not a number"),
    ],
)
def test_a_pattern_that_reads_nothing_is_refused(tmp_path, pattern, message):
    with pytest.raises(RunError, match=message):
        logs.read(own(tmp_path), pattern=pattern)


def test_a_pattern_for_what_is_no_text_is_refused(tmp_path):
    file = tmp_path / "log"
    file.write_bytes(b"\x80\x04pickle")
    with pytest.raises(RunError, match="is a pickle"):
        logs.read(file, pattern=OWN)
    for other in (DATA / "trackio" / "lines.db", DATA / "tensorboard" / "torch" / "run"):
        with pytest.raises(RunError, match="pattern= describes lines of text"):
            logs.read(other, pattern=OWN)


def test_lines_that_are_too_long_are_passed_over_and_said(tmp_path):
    file = own(tmp_path)
    file.write_text(file.read_text() + "x" * 50_000 + " it=9 eta=0.1 nll=1\n" + "00:13 it=6 eta=0.01 nll=1\n")
    (run,) = logs.read(file, pattern=OWN)
    assert (run.steps, run.losses[-1]) == (7, 1)
    assert "1 line of more than 10,000 bytes left out" in run.assumed


@pytest.mark.parametrize("line", ["a " * 4000, "step 1: " + "a" * 9000, "iteration 1/ 2 |" + "a:" * 4000, "-" * 9999])
def test_hostile_lines_take_no_time(tmp_path, line):
    file = own(tmp_path, "step {}: lr {!r} loss {}")
    file.write_text(file.read_text() + f"{line}\n" * 30)
    start = time.process_time()
    (run,) = logs.read(file)
    assert run.losses[-1] == 3 - 5 / 9
    assert time.process_time() - start < 3


def test_a_table_is_no_printed_log(tmp_path):
    file = tmp_path / "log.csv"
    file.write_text("note,step,lr,loss\n" + "".join(f"step {k}: x,{k},0.1,{3 - k / 9}\n" for k in range(5)))
    (run,) = logs.read(file)
    assert (run.steps, len(run.losses)) == (5, 4)
