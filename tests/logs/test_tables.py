"""A table is read as it was written, and a damaged one is refused with the line; nothing in a file is ever run."""

import csv
import gzip
import io
import math
import os
import pickle
import re
import sys
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import glidepath as gp
from glidepath import logs
from glidepath.errors import MissingExtraError, RunError
from tests.curves_data import folder

GOOD = "step,lr,loss\n0,0.1,\n1,0.2,3.5\n2,,3.25\n3,0.1,3.0\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "log.csv"


def one(file: Path, content: str | bytes, **options):
    """The only run in a file of this content."""
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    (run,) = logs.read(file, **options)
    return run


def refused(file: Path, content: str | bytes, message: str, **options) -> None:
    """The content is refused with a message that begins with the file."""
    with pytest.raises(RunError, match=f"^{re.escape(str(file) + message)}"):
        one(file, content, **options)


# --- what is read ---


def test_a_table_is_the_run_that_its_rows_tell_of(file):
    run = one(file, GOOD)
    assert run.name == "log"
    assert run.rates == pytest.approx([0.1, 0.2, 0.15, 0.1])
    assert (run.updates.tolist(), run.losses.tolist()) == ([1, 2, 3], [3.5, 3.25, 3.0])


@pytest.mark.parametrize(
    "content",
    [
        GOOD.replace("\n", "\r\n"),
        "\ufeff" + GOOD,
        GOOD.rstrip("\n"),
        GOOD.replace("\n", "\n\n"),
        GOOD.replace(",", ", "),
        GOOD.replace(",", "\t"),
        GOOD.replace(",", ";"),
        GOOD.replace("lr", '"lr"').replace("0.2", '"0.2"'),
        GOOD.replace("\n1,", "\n1.0,").replace("3.25", "325e-2"),
        GOOD.replace("step,lr,loss", "Global Step,learning-rate,Train/Loss"),
        'loss,note,lr,step\n,start,0.1,0\n3.5,,0.2,1\n3.25,,,2\n3.0,"a,b\nc",0.1,3\n',
    ],
)
def test_the_same_table_written_otherwise_is_the_same_run(file, content):
    run = one(file, content)
    assert run.rates == pytest.approx([0.1, 0.2, 0.15, 0.1])
    assert (run.updates.tolist(), run.losses.tolist()) == ([1, 2, 3], [3.5, 3.25, 3.0])


def test_columns_with_other_names_are_named(file):
    content = "k,eta,nll\n0,0.1,4\n1,0.1,3\n2,0.1,2\n"
    assert one(file, content, columns={"step": "k", "rate": "eta", "loss": "nll"}).final == 2
    refused(
        file, content, ": no column for the step (step, global_step, iteration, update, iter, ...); there are k, eta"
    )
    refused(file, content, ": no column is called 'x'; there are k, eta, nll", columns={"step": "x"})
    refused(file, content, ": columns= names those of the step, rate, loss, not of 'lr'", columns={"lr": "eta"})


def test_of_several_losses_the_one_called_loss_is_meant_and_otherwise_nobody_guesses(file):
    content = "step,lr,train_loss,loss\n0,0.1,9,4\n1,0.1,9,3\n2,0.1,9,2\n"
    assert one(file, content).final == 2
    assert one(file, content, columns={"loss": "train_loss"}).final == 9
    refused(file, content.replace("train_loss", "loss"), ": 2 columns are called loss: rename all but one")
    refused(
        file, content.replace(",loss", ",training_loss"), ": train_loss, training_loss could each be the loss: choose"
    )
    refused(
        file,
        content.replace("lr,", "lr,learning_rate,").replace(",0.1,", ",0.1,0.2,"),
        ": lr, learning_rate could each be the rate",
    )


@pytest.mark.parametrize("rows, name", [(19, "train_loss"), (20, "val_loss")])
def test_the_validation_loss_is_read_where_it_has_twenty_values(file, rows, name):
    lines = [f"{k},0.1,3,{2 if k < rows else ''}" for k in range(30)]
    run = one(file, "step,lr,train_loss,val_loss\n" + "\n".join(lines))
    assert run.loss == name
    assert one(file, file.read_text(), metric="loss").loss == "train_loss"


def test_of_two_columns_with_the_same_rates_either_will_do(file):
    assert one(file, "step,lr,learning_rate,loss\n0,0.1,0.1,4\n1,0.2,0.2,3\n2,0.3,0.3,2\n").peak == 0.3


# --- what a step means ---


def row(step, rate, loss=3.0):
    return f"{step},{rate!r},{loss}\n"


MADE, INDEX = "updates made", "index of the update"


@pytest.mark.parametrize(
    "first, every, meaning",
    [(0, 1, INDEX), (1, 1, MADE), (10, 10, MADE), (9, 10, INDEX), (0, 10, INDEX), (20, 20, MADE), (19, 20, INDEX)],
)
def test_what_a_step_means_is_told_by_the_rows(file, first, every, meaning):
    steps = range(first, 200, every)
    rates = [0.1 * (1 - (step - (meaning == MADE)) / 200) for step in steps]
    text = "step,lr,loss\n" + "".join(map(row, steps, rates))
    run = one(file, text)
    assert run.rates[: steps[-1]] == pytest.approx([0.1 * (1 - k / 200) for k in range(len(run.rates))][: steps[-1]])
    assert ("a step counts the updates made" in run.assumed) == (meaning == MADE)
    assert one(file, text, count=meaning).rates.tolist() == run.rates.tolist()
    assert len(one(file, text, count=INDEX).rates) == steps[-1] + 1


@pytest.mark.parametrize("true", [MADE, INDEX])
def test_what_a_step_means_is_told_by_the_plan(file, true):
    plan = gp.cosine(100)
    steps = range(1, 90)
    rates = [0.1 * plan(step - (true == MADE)) for step in steps]
    run = one(file, "step,lr,loss\n" + "".join(map(row, steps, rates)), plan=plan, peak=0.1)
    assert len(run.rates) == (89 if true == MADE else 90)
    assert "the plan has its rates there" in run.assumed or true == INDEX


@pytest.mark.parametrize("option, choices", [("count", "auto, updates made, index"), ("between", "held, line")])
def test_a_word_that_is_no_choice_is_refused(file, option, choices):
    with pytest.raises(RunError, match=rf'{option}="both" does not say .*; there are {choices}'):
        one(file, GOOD, **{option: "both"})


def test_a_rate_before_the_first_update_is_refused_with_the_cure(file):
    with pytest.raises(RunError, match=r'before the first update.*count="index of the update"'):
        one(file, "step,lr,loss\n" + row(0, 0.1) + row(1, 0.1) + row(2, 0.1), count=MADE)


# --- epochs ---

ONE_RATE = "a row is of an epoch of 4 updates, which used one rate"
EPOCHS = "epoch,lr,loss,val_loss\n{},0.3,4,3.5\n{},0.2,3,2.5\n{},0.1,2,1.5\n"


@pytest.mark.parametrize("first", [0, 1])
def test_epochs_are_read_with_the_updates_of_one(file, first):
    run = one(file, EPOCHS.format(first, first + 1, first + 2), updates_per_epoch=4, metric="val_loss")
    assert run.rates.tolist() == [0.3] * 4 + [0.2] * 4 + [0.1] * 4
    assert (run.updates.tolist(), run.losses.tolist()) == ([4, 8, 12], [3.5, 2.5, 1.5])
    assert run.assumed == "a rate holds until the next one that was logged; " + ONE_RATE
    training = one(file, file.read_text(), updates_per_epoch=4)
    assert (training.loss, training.updates.tolist()) == ("loss", [3, 7, 11])


def test_the_updates_of_an_epoch_are_refused_where_steps_are_updates(file):
    refused(file, GOOD, ": the steps are updates, not epochs: leave updates_per_epoch= out", updates_per_epoch=4)
    for wrong in (0, -1):
        refused(file, EPOCHS.format(0, 1, 2), f": updates_per_epoch={wrong} is not a number", updates_per_epoch=wrong)
    refused(file, EPOCHS.format(5, 6, 7), ": the first row is of epoch 5: those before it", updates_per_epoch=4)


def test_two_columns_of_one_name_are_refused_even_if_they_are_named(file):
    content = "step,lr,nll,nll\n1,0.1,9,3\n2,0.1,9,2\n"
    refused(file, content, ": 2 columns are called nll: rename all but one", columns={"loss": "nll"})


def test_without_rates_the_plan_is_asked_for_and_with_it_they_are_not_needed(file):
    content = "step,loss\n5,3\n9,2\n"
    with pytest.raises(
        RunError, match=r"no rate was logged; there are loss: .*give the schedule of the run, plan= and peak="
    ):
        one(file, content)
    run = one(file, content, plan=gp.warmup(5) >> gp.linear(5), peak=0.5)
    assert run.rates == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.5, 0.4, 0.3, 0.2, 0.1])


def test_a_plan_is_held_against_the_rates_in_the_file(file):
    content = "step,lr,loss\n1,0.5,3\n2,0.5,2\n3,0.1,2\n"
    message = ":4, step 2: the rate is 0.1 in the log and 0.5 by the plan"
    refused(file, content, message, plan=gp.constant(), peak=0.5)


def test_a_warmup_that_was_not_logged_is_told(file):
    assert one(file, "step,lr,loss\n8,0.4,3\n9,0.4,2\n", warmup=2).rates.tolist() == [0.0, *[0.4] * 9]


def test_a_draft_is_resolved_over_the_horizon_that_is_told(file):
    run = one(file, "step,loss\n1,3\n9,2\n", plan=gp.linear("100%"), peak=0.5, horizon=20)
    assert run.rates == pytest.approx([0.5 * (1 - k / 20) for k in range(10)])


LOSSES = st.one_of(st.just(math.nan), st.floats(1e-3, 1e3))


@given(st.lists(st.tuples(st.integers(1, 50), st.floats(1e-6, 99), LOSSES), max_size=30))
def test_no_bit_is_lost_between_writing_and_reading(tmp_path_factory, rows):
    steps = np.cumsum([1, 1, *(gap for gap, _, _ in rows)])
    values = [(0.5, 1.5), (0.5, 1.25), *((rate, loss) for _, rate, loss in rows)]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["step", "rate", "loss"])
    writer.writerows([k, rate, "" if math.isnan(loss) else loss] for k, (rate, loss) in zip(steps, values, strict=True))
    run = one(tmp_path_factory.getbasetemp() / "bits.csv", text.getvalue(), count="index of the update")
    seen = [(k, loss) for k, (_, loss) in zip(steps, values, strict=True) if not math.isnan(loss)]
    assert list(zip(run.updates, run.losses, strict=True)) == seen
    assert [run.rates[k] for k in steps] == [rate for rate, _ in values]


# --- what is damaged ---


@pytest.mark.parametrize(
    "content, message",
    [
        ("", " is empty"),
        ("\n\n", " is empty"),
        ("step,lr,loss\n", " has a header and no rows"),
        ("1,0.1,3\n2,0.1,2\n", ":1: no header: the first line must name the columns"),
        ("step;lr;loss\n1;0,1;3\n", ":2: lr is '0,1', not a number; a decimal comma is not read"),
        ("step|lr|loss\n1|0.1|3\n", ":1: the columns of 'step|lr|loss' are not separated by commas"),
        ("step,lr," + ",".join(map(str, range(10_000))) + "\n" + "1," * 10_001 + "1\n", ": 10,002 columns, more than"),
        (GOOD + "4,0.1", ":6: the file may have been cut off in the middle of this line: 2 of 3 columns"),
        (GOOD + "4,0,1,3\n", ":6: 4 columns, and the header has 3: a decimal comma"),
        (GOOD + "4,x,3\n", ":6: lr is 'x', not a number; where nothing was logged, a cell is left empty"),
        (GOOD + "4,1_0,3\n", ":6: lr is '1_0', not a number"),
        (GOOD + "4,0.1,NA\n", ":6: loss is 'NA', not a number"),
        (GOOD + f"4,0.1,{'9x' * 99}\n", f":6: loss is '{('9x' * 99)[:39]}..., not a number"),
        (GOOD + "3.5,0.1,3\n", ":6: the step is 3.5; steps are whole numbers from 0"),
        (GOOD + "4,nan,3\n", ":6, step 4: the rate is nan; where none was used, nothing is logged"),
        (GOOD + "4,-1,3\n", ":6, step 4: the rate is -1.0"),
        (GOOD + "4,0.1,nan\n", ":6, step 4: the loss is nan: the run diverged; delete the rows from there on"),
        (GOOD + "4,0.1,NaN\n", ":6, step 4: the loss is nan: the run diverged; delete the rows from there on"),
        (GOOD + "4,0.1,inf\n", ":6, step 4: the loss is inf: the run diverged; delete the rows from there on"),
        (GOOD + "4,0.1,0\n", ":6, step 4: the loss is 0.0: laws are fitted to the logarithm of the loss"),
        (GOOD + "2,0.1,3\n", ":6: step 2 comes after step 3: two runs in one file, or a resumed one"),
        (GOOD + "3,0.1,3\n", ":6, step 3: there are two losses"),
        (GOOD + "12345678901,0.1,3\n", ":6: 12,345,678,901 steps are more than 10,000,000: are these tokens?"),
        (GOOD + '4,0.1,"3\n', ":6: unexpected end of data: the file is not CSV, or damaged"),
        (GOOD + '4,0.1,"3"4\n', ":6: ',' expected after '\"': the file is not CSV, or damaged"),
        (GOOD + f"4,0.1,{'9' * 200_000}\n", ":6: field larger than field limit (131072)"),
        (GOOD + "4,0.1," + "9" * 2_000_000, ":6: more than 1,000,000 bytes in one line"),
        (GOOD.encode() + b"4,0.1,3\0\n", ":6: a NUL byte: this is not text, or damaged"),
        (GOOD.encode() + b"4,0.1,\xe9\n", ":6: not UTF-8: this is not text, or in another encoding"),
        (GOOD.encode("utf-16"), " is text in UTF-16: export the log as CSV in UTF-8"),
        (
            "\x1b[2J,lr,loss\n1,0.1,3\n",
            ": no column for the step (step, global_step, iteration, update, iter, ...); there are '\\x1b",
        ),
        (b"\x93NUMPY\x01\x00", " is a NumPy array"),
        (b"PAR1 and then nothing", " is a Parquet file that cannot be read; it may have been cut off"),
    ],
)
def test_a_damaged_table_is_refused_with_its_line(file, content, message):
    if content[:4] == b"PAR1":
        pytest.importorskip("pyarrow")
    refused(file, content, message)


@pytest.mark.parametrize(
    "lines, note",
    [
        (",0.1,3\n", "1 row without a step left out"),
        ("nan,0.1,3\nnan,0.1,nan\n", "2 rows without a step left out"),
        ("4,0.1,nan\n5,0.1,2\n", "the loss at step 4 is not a number, and left out"),
        ("4,0.1,inf\n5,0.1,\n6,0.1,NaN\n7,0.1,2\n", "the loss at step 4 and 1 more is not a number, and left out"),
    ],
)
def test_single_rows_that_say_nothing_are_left_out_and_said(file, lines, note):
    run = one(file, GOOD + lines)
    assert note in run.assumed
    assert run.losses.tolist() == [3.5, 3.25, 3.0, 2.0][: len(run.losses)]


@pytest.mark.parametrize(
    "rows, message",
    [
        ("3,.3,1\n2,.2,1\n1,.1,1\n", ":3: step 2 comes after step 3: two runs in one file, or a resumed one"),
        ("1,.1,1\n3,.3,1\n2,,1\n", ":4: step 2 comes after step 3"),
        ("1,.1,3\n2,.2,2\n2,.3,\n3,.3,1\n", ":4, step 2: there are two rates"),
    ],
)
def test_rates_alone_are_refused_where_the_whole_run_would_be(file, rows, message):
    refused(file, "step,lr,loss\n" + rows, message)
    with pytest.raises(RunError, match=f"^{re.escape(str(file) + message)}"):
        logs.rates(file)


def test_a_rate_that_was_logged_twice_alike_is_one(file):
    file.write_text("step,lr\n0,.1\n2,.2\n2,\n2,.2\n")
    (found,) = logs.rates(file)
    assert (list(found.steps), list(found.rates)) == ([0, 2], [0.1, 0.2])


def test_a_quoted_cell_over_two_lines_does_not_shift_the_line_of_a_mistake(file):
    refused(file, 'step,lr,loss,note\n1,0.1,3,"a\nb"\n2,0.1,x,\n', ":4: loss is 'x'")


class Bomb:
    def __reduce__(self):
        return (os.mkdir, ("was_run",))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("name", ["log.csv", "log.pkl", "log.parquet", "curves.csv", "store.sqlite"])
def test_a_pickle_is_never_opened_whatever_its_name(tmp_path, monkeypatch, protocol, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(pickle.dumps(Bomb(), protocol))
    with pytest.raises(RunError, match=re.escape(name)):
        logs.read(tmp_path / name)
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


def test_code_in_a_cell_is_a_text_that_is_no_number(file):
    refused(file, "step,lr,loss\n1,0.1,\"__import__('os').mkdir('x')\"\n", ":2: loss is ")


def test_archives_are_told_by_their_content(file):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("log.csv", GOOD)
    refused(file, packed.getvalue(), " is an archive")
    refused(file, gzip.compress(GOOD.encode()), " is compressed")


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(RunError, match=re.escape(f"{tmp_path / 'no.csv'} cannot be read: No such file")):
        logs.read(tmp_path / "no.csv")
    with pytest.raises(RunError, match=r"holds no logs: neither curves\.csv"):
        logs.read(tmp_path)


@given(st.binary(max_size=300))
def test_noise_is_refused_and_never_raises_anything_else(tmp_path_factory, noise):
    file = tmp_path_factory.getbasetemp() / "noise.csv"
    for content in (noise, b"step,lr,loss\n" + noise):
        file.write_bytes(content)
        try:
            runs = logs.read(file)
        except (RunError, MissingExtraError):
            continue
        assert all(np.isfinite(run.losses).all() for run in runs)


@given(st.integers(0, len(GOOD) - 1), st.binary(min_size=1, max_size=3))
def test_a_table_with_some_bytes_changed_is_read_or_refused(tmp_path_factory, place, bytes_):
    file = tmp_path_factory.getbasetemp() / "changed.csv"
    file.write_bytes(GOOD.encode()[:place] + bytes_ + GOOD.encode()[place + len(bytes_) :])
    try:
        runs = logs.read(file)
    except (RunError, MissingExtraError):
        return
    assert len(runs) == 1


# --- folders and Parquet ---


def test_every_table_of_a_folder_is_read_in_the_order_of_their_names(tmp_path):
    for name in ("b.csv", "a.CSV", "notes.txt"):
        (tmp_path / name).write_text(GOOD)
    assert [run.name for run in logs.read(tmp_path)] == ["a", "b"]
    (tmp_path / "c.csv").write_text(GOOD + "4,x,3\n")
    with pytest.warns(gp.GlidepathWarning, match=r"1 log left out .*c\.csv:6: lr is 'x'"):
        assert [run.name for run in logs.read(tmp_path)] == ["a", "b"]


def test_a_users_own_curves_are_no_study(tmp_path):
    (tmp_path / "curves.csv").write_text(GOOD)
    assert [run.name for run in logs.read(str(tmp_path))] == ["curves"]


def test_options_of_studies_are_refused_for_a_log(file):
    refused(file, GOOD, ": there is no metric 'm'; there are lr, loss", metric="m")
    refused(file, GOOD, ": this is the log of one run;", only=[1])


def test_parquet_is_read_by_its_content_like_csv(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    columns = {"step": [0, 1, 2, 3], "lr": [0.1, 0.2, None, 0.1], "loss": [None, 3.5, 3.25, 3.0], "x": ["a"] * 4}
    file = tmp_path / "log.data"
    parquet.write_table(pyarrow.table(columns), file)
    (run,) = logs.read(file)
    assert run.rates == pytest.approx([0.1, 0.2, 0.15, 0.1])
    assert (run.updates.tolist(), run.losses.tolist()) == ([1, 2, 3], [3.5, 3.25, 3.0])


@pytest.mark.parametrize(
    "change, message",
    [
        ({"loss": [3.0, 2.0, math.nan]}, ", row 2, step 3: the loss is nan: the run diverged"),
        ({"lr": ["0.1", "x", "0.1"]}, ", row 1: lr is 'x', not a number"),
        ({"lr": [[0.1], [0.1], [0.1]]}, ", row 0: lr is [0.1], not a number"),
        ({"step": [3, 2, 1]}, ", row 1: step 2 comes after step 3"),
        ({"step": [1, 2.5, 3]}, ", row 1: the step is 2.5; steps are whole numbers from 0"),
    ],
)
def test_a_mistake_in_parquet_is_told_with_its_row(tmp_path, change, message):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    file = tmp_path / "log.parquet"
    parquet.write_table(pyarrow.table({"step": [1, 2, 3], "lr": [0.1] * 3, "loss": [3.0] * 3} | change), file)
    with pytest.raises(RunError, match=f"^{re.escape(str(file) + message)}"):
        logs.read(file)


def test_parquet_that_was_cut_off_is_refused(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    file = tmp_path / "log.parquet"
    parquet.write_table(pyarrow.table({"step": [1, 2], "lr": [0.1] * 2, "loss": [3.0] * 2}), file)
    whole = file.read_bytes()
    for length in (4, 20, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:length])
        with pytest.raises(RunError, match="is a Parquet file that cannot be read"):
            logs.read(file)


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, "glidepath.logs.formats.parquet", raising=False)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "log.parquet").write_bytes(b"PAR1")
    with pytest.raises(MissingExtraError, match=re.escape('pip install "glidepath[export]"')):
        logs.read(tmp_path / "log.parquet")


# --- sources ---


def test_what_was_recognized_once_is_read_many_times(tmp_path):
    (tmp_path / "a.csv").write_text(GOOD)
    sources = logs.open_sources(tmp_path)
    assert [(type(each), each.kind, each.header) for each in sources] == [
        (logs.Source, "table", ("step", "lr", "loss"))
    ]
    assert logs.metrics(sources) == ()
    assert logs.names(sources) == ("a",)
    assert logs.read(sources)[0].losses.tolist() == [3.5, 3.25, 3.0]
    assert list(logs.rates(sources)[0].steps) == [0, 1, 3]


def test_a_pipe_is_read_in_its_only_opening(tmp_path):
    pipe = tmp_path / "log"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(GOOD,))
    writer.start()
    assert logs.read(pipe)[0].losses.tolist() == [3.5, 3.25, 3.0]
    writer.join()


def test_the_run_names_its_loss_as_it_was_logged(file):
    assert one(file, GOOD.replace("loss", "train_loss")).loss == "train_loss"


def test_one_run_of_a_folder_is_chosen_by_its_name(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text(GOOD)
    assert [run.name for run in logs.read(tmp_path, only=["b"])] == ["b"]
    with pytest.raises(RunError, match="no run is called 'c'; there are a, b"):
        logs.read(tmp_path, only=["c"])


# --- real curves ---


def test_the_curves_of_the_25m_model_have_the_rates_that_their_paper_describes():
    (run,) = logs.read(folder("mpl_25M") / "cosine_24000.csv", warmup=2160)
    k = np.arange(run.steps)
    cosine = 3e-5 + (3e-4 - 3e-5) * (1 + np.cos(np.pi * (k - 2160) / (24000 - 2160))) / 2
    true = np.concatenate([np.linspace(0, 3e-4, 2160), cosine[2160:]])
    assert np.abs(run.rates - true).max() < 1e-8  # of 3e-4: 128 steps of a cosine and their chord
    assert run.assumed.startswith(
        "between two logged rates the rate lies on a straight line; if it held until the next"
    )


def test_a_warmup_that_is_known_makes_the_constant_curve_exact():
    (run,) = logs.read(folder("mpl_25M") / "constant_24000.csv", warmup=2160)
    true = np.concatenate([np.linspace(0, 3e-4, 2160), np.full(run.steps - 2160, 3e-4)])
    assert run.rates.tolist() == true.tolist()
    assert run.assumed == ""


@pytest.mark.parametrize("name", ["wsdcon_3", "wsdcon_9", "wsdcon_18"])
def test_a_drop_of_the_rate_lies_between_the_two_logged_steps(name):
    (run,) = logs.read(folder("mpl_25M") / f"{name}.csv")
    low = float(name.rpartition("_")[2]) * 1e-5
    assert run.rates[[7936, 7967]].tolist() == [3e-4] * 2
    assert run.rates[7968:] == pytest.approx(np.full(run.steps - 7968, low), rel=1e-12)


def test_every_curve_of_the_25m_model_is_read():
    runs = logs.read(folder("mpl_25M"))
    assert len(runs) == 9
    assert {run.peak for run in runs} == {3e-4}


def test_every_curve_of_the_124m_model_has_the_rates_that_its_name_says():
    files = sorted(folder("llama_124M").glob("lr*.csv"))
    assert len(files) == 103
    for file in files:
        (run,) = logs.read(file)
        peak, steps = float(file.name[2:].split("_")[0]), int(re.findall(r"_T(\d+)", file.name)[0])
        assert (run.peak, run.steps) == (peak, steps)
        assert run.rates[:301] == pytest.approx(peak * (0.01 + 0.99 * np.arange(301) / 300), rel=1e-4)
        if cooldown := re.findall(r"linear(0\.\d)", file.name):
            start = steps - round(float(cooldown[0]) * steps)
            assert run.rates[300:start] == pytest.approx(np.full(start - 300, peak))
            assert (np.diff(run.rates[start + 1 :]) < 0).all()


def test_a_plan_may_be_a_text(tmp_path):
    file = tmp_path / "log.csv"
    file.write_text("step,loss\n0,4\n1,3\n2,2\n")
    by_text, by_plan = (
        logs.read(file, plan=plan, peak=1e-3, horizon=9)[0] for plan in ("cosine(100%)", gp.parse("cosine(100%)"))
    )
    assert by_text.rates.tolist() == by_plan.rates.tolist()


@pytest.mark.parametrize("header", ["epoch,lr,loss", "Epochs,lr,loss", "train/epoch,lr,loss"])
def test_epochs_are_refused_as_steps(tmp_path, header):
    file = tmp_path / "log.csv"
    file.write_text(f"{header}\n1,0.1,3\n2,0.1,2\n")
    for read in (logs.read, logs.rates):
        with pytest.raises(
            RunError,
            match="counts epochs, and a step is an update: say how many updates an epoch has, updates_per_epoch=",
        ):
            read(file, columns={"step": header.partition(",")[0]})


def test_evaluations_are_told_by_their_names():
    assert [logs.is_evaluation(name) for name in ("val_loss", "eval/loss", "train/loss")] == [True, True, False]
