"""The folder of dvclive: a table for every metric, with the index of the update."""

import shutil

import pytest

from glidepath import logs

from .against_truth import DATA, assert_rows_are_true, truth_of

FOLDER = DATA / "dvclive"


@pytest.mark.parametrize("where", [".", "dvclive"])
def test_every_rate_is_that_of_the_update_of_its_step(where):
    truth = truth_of(FOLDER)
    assert assert_rows_are_true(FOLDER / where, truth).steps == list(range(20))
    (run,) = logs.read(FOLDER / where)
    assert (run.name, run.loss, run.rates.tolist()) == ("dvclive", "train/loss", truth)
    assert logs.metrics(FOLDER / where) == ("val/loss",)


def test_a_last_line_that_is_torn_is_left_out(tmp_path):
    shutil.copytree(FOLDER / "dvclive", tmp_path / "run")
    rates = tmp_path / "run" / "plots" / "metrics" / "lr.tsv"
    whole = rates.read_bytes()
    for end in range(whole.rindex(b"\n", 0, -1) + 2, len(whole)):
        rates.write_bytes(whole[:end])
        (run,) = logs.read(tmp_path / "run")
        assert f"the last line is left out, because it was cut off ({rates}:21)" in run.assumed
        assert run.rates.tolist()[:19] == truth_of(FOLDER)[:19]


def test_a_metric_of_texts_is_passed_over_and_times_are_no_values(tmp_path):
    folder = tmp_path / "plots" / "metrics"
    folder.mkdir(parents=True)
    (folder / "note.tsv").write_text("step\tnote\n0\thello\n")
    (folder / "lr.tsv").write_text("timestamp\tstep\tlr\n170000\t0\t0.1\n170001\t1\t0.05\n")
    (rates,) = logs.rates(tmp_path)
    assert (rates.steps, list(rates.rates)) == ([0, 1], [0.1, 0.05])


def test_files_out_of_the_folder_are_not_read(tmp_path):
    folder = tmp_path / "run" / "plots" / "metrics"
    folder.mkdir(parents=True)
    (folder / "lr.tsv").write_text("step\tlr\n0\t0.1\n1\t0.05\n")
    (tmp_path / "secret.tsv").write_text("step\tloss\n0\t7\n1\t8\n")
    (folder / "loss.tsv").symlink_to(tmp_path / "secret.tsv")
    assert logs.metrics(tmp_path / "run") == ()
    with pytest.raises(logs.RunError, match="no training loss was logged"):
        logs.read(tmp_path / "run")
