"""What real trainers and trackers wrote is read with every rate at the update that used it."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import glidepath as gp
from glidepath import logs
from glidepath.errors import RunError
from glidepath.runs.deviation import first_mismatch

from . import trained

# Lightning and Transformers warn of few workers, of deprecated parts of torch that they use, and the like
pytestmark = pytest.mark.filterwarnings(
    "ignore:::lightning", "ignore:::transformers", "ignore:::torch", "ignore:::numpy"
)


def used(found: logs.Rates, true: list[float]) -> bool:
    """Whether every logged rate is the one that its update used."""
    return list(found.rates) == pytest.approx([true[step] for step in found.steps], rel=1e-6)


def seen(run: logs.Run) -> list[int]:
    return run.updates.tolist()


# --- Hugging Face ---


@pytest.fixture(scope="module")
def trainer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trainer") / "out"
    return folder, trained.by_trainer(folder, report_to=["tensorboard"], logging_steps=2)


def test_the_rate_that_a_trainer_logs_is_that_of_the_last_update_made(trainer):
    folder, true = trainer
    (found,) = logs.rates(folder)
    assert list(found.steps) == list(range(1, 20, 2))
    assert used(found, true)
    assert np.diff(true).all()  # a shift by one would be seen


@pytest.mark.parametrize(
    "where, updates", [(".", 20), ("trainer_state.json", 20), ("checkpoint-10", 10), ("checkpoint-20", 20)]
)
def test_a_state_a_checkpoint_and_an_output_folder_tell_of_the_run(trainer, where, updates):
    (run,) = logs.read(trainer[0] / where)
    assert (run.name, run.steps) == ("out", updates)
    assert seen(run) == list(range(1, updates, 2))


def test_without_a_state_of_its_own_the_latest_checkpoint_of_a_folder_is_read(trainer, tmp_path):
    for number in (9, 10):
        folder = tmp_path / f"checkpoint-{number}"
        folder.mkdir()
        state = trainer[0] / f"checkpoint-{2 * number if number == 10 else 10}" / "trainer_state.json"
        (folder / "trainer_state.json").write_bytes(state.read_bytes())
    assert logs.read(tmp_path)[0].steps == 20


def test_an_evaluation_is_a_metric_and_was_made_after_all_of_its_updates(trainer):
    folder, _ = trainer
    assert "eval_loss" in logs.metrics(folder)
    assert not {"loss", "learning_rate", "epoch", "step", "train_loss"} & set(logs.metrics(folder))
    (run,) = logs.read(folder, metric="eval_loss")
    assert (seen(run), run.steps) == ([10, 20], 20)


def test_a_plan_is_resolved_over_the_updates_that_the_trainer_was_made_for(trainer):
    folder, true = trainer
    plan = gp.piecewise_linear([(0, 0), (4, 1)])[:4] >> gp.cosine("80%")
    (run,) = logs.read(folder / "checkpoint-10", plan=plan, peak=0.1)
    assert run.rates == pytest.approx(true[:10])


def test_a_resumed_training_is_one_run(tmp_path):
    trained.by_trainer(tmp_path / "out")
    true = trained.by_trainer(tmp_path / "out", resume=str(tmp_path / "out" / "checkpoint-10"))
    (found,) = logs.rates(tmp_path / "out")
    assert list(found.steps) == [3, 7, 11, 15, 19]
    later = [(step, rate) for step, rate in zip(found.steps, found.rates, strict=True) if step >= 10]
    assert [rate for _, rate in later] == pytest.approx([true[step - 10] for step, _ in later])


def test_event_files_of_a_trainer_keep_its_clock(trainer):
    folder, true = trainer
    (found,) = logs.rates(folder / "runs")
    assert list(found.steps) == list(range(1, 20, 2))
    assert used(found, true)
    (run,) = logs.read(folder / "runs", metric="eval/loss")
    assert seen(run) == [10, 20]


# --- Lightning ---


def falling(k: int) -> float:
    return 1 / (k + 1)


def test_the_rate_and_loss_of_lightning_stand_at_their_update_on_rows_of_their_own(tmp_path):
    from lightning.pytorch.loggers import CSVLogger

    true = trained.by_lightning(CSVLogger(tmp_path, name="a"), falling)
    folder = tmp_path / "a" / "version_0"
    (found,) = logs.rates(folder)
    assert (list(found.steps), used(found, true)) == ([3, 7, 11, 15, 19], True)
    (run,) = logs.read(folder / "metrics.csv")
    assert (seen(run), run.steps) == ([3, 7, 11, 15, 19], 20)
    (run,) = logs.read(folder, metric="val_loss")
    assert (seen(run), run.steps) == ([10, 20], 20)
    assert logs.metrics(folder) == ("val_loss",)


def test_of_several_groups_in_lightning_one_is_chosen(tmp_path):
    from lightning.pytorch.loggers import CSVLogger

    trained.by_lightning(CSVLogger(tmp_path, name="a"), falling, groups=2)
    with pytest.raises(RunError, match=r"lr-SGD/pg1, lr-SGD/pg2 could each be the rate: choose one, columns=\{\"rate"):
        logs.read(tmp_path / "a" / "version_0")
    (run,) = logs.read(tmp_path / "a" / "version_0", columns={"rate": "lr-SGD/pg2"})
    assert run.rates[3] == pytest.approx(0.05 / 4, rel=1e-6)


def test_a_schedule_that_lightning_stepped_per_epoch_is_found_out(tmp_path):
    from lightning.pytorch.loggers import CSVLogger

    plan = gp.linear(60)
    trained.by_lightning(CSVLogger(tmp_path, name="a"), lambda k: plan(k), interval="epoch", epochs=6)
    (found,) = logs.rates(tmp_path / "a" / "version_0")
    assert "stepped once every 9 to 10 updates: per epoch?" in str(
        first_mismatch(plan, found, 0.1)
    )  # a row every 10 steps


def test_event_files_of_lightning_tell_the_same_as_its_table(tmp_path):
    from lightning.pytorch.loggers import TensorBoardLogger

    true = trained.by_lightning(TensorBoardLogger(tmp_path, name="a"), falling)
    (found,) = logs.rates(tmp_path)
    assert (list(found.steps), used(found, true)) == ([3, 7, 11, 15, 19], True)
    (run,) = logs.read(tmp_path / "a", metric="val_loss")
    assert (run.name, seen(run)) == ("version_0", [10, 20])


# --- TensorBoard ---


def write_events(folder: Path, steps: range, *, factor: float = 1.0, new: bool = False) -> None:
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(folder), filename_suffix=f".{steps[0]}") as writer:
        for k in steps:
            writer.add_scalar("lr", factor * 0.1 / (k + 1), k, new_style=new)
            writer.add_scalar("train/loss", 3 - k / 10, k, new_style=new, double_precision=new)
        writer.add_histogram("weights", np.arange(9.0), 0)
        writer.add_text("note", "not a number", 0)


@pytest.mark.parametrize("new", [False, True])
def test_scalars_are_read_from_simple_values_and_from_tensors(tmp_path, new):
    write_events(tmp_path / "one", range(10), new=new)
    (run,) = logs.read(tmp_path / "one")
    assert run.rates == pytest.approx([0.1 / (k + 1) for k in range(10)], rel=1e-6)
    assert (seen(run), run.final) == (list(range(1, 10)), pytest.approx(2.1))
    assert logs.metrics(tmp_path / "one") == ()


def test_a_folder_of_runs_is_several_runs_and_a_restart_takes_back_what_it_repeats(tmp_path):
    write_events(tmp_path / "b", range(10))
    write_events(tmp_path / "b", range(6, 12), factor=0.5)
    write_events(tmp_path / "a", range(3))
    one, two = logs.read(tmp_path)
    assert (one.name, two.name, two.steps) == ("a", "b", 12)
    assert two.rates == pytest.approx([0.1 / (k + 1) * (1 if k < 6 else 0.5) for k in range(12)], rel=1e-6)
    assert two.assumed == "step 6 and others were logged twice, and the later rows hold"


def test_our_own_event_files_are_read_by_their_own_clock(tmp_path):
    from tensorboardX import SummaryWriter

    with SummaryWriter(str(tmp_path)) as writer:
        for k in range(5):
            writer.add_scalar("rate", 0.1 - k / 100, k)
            writer.add_scalar("loss", 3.0 - k / 10, k)
    (run,) = logs.read(next(tmp_path.iterdir()))
    assert run.rates == pytest.approx([0.1, 0.09, 0.08, 0.07, 0.06])


# --- MLflow ---

LOG = """
import sys, mlflow
mlflow.set_tracking_uri(sys.argv[1])
for name, factor in (("one", 1.0), ("two", 0.5)):
    with mlflow.start_run(run_name=name):
        for k in range(5):
            mlflow.log_metrics({"train/loss": 3 - k / 10, "lr": factor * 0.1 / (k + 1)}, step=k)
            if k % 2:
                mlflow.log_metric("val_loss", 2 - k / 10, step=k)
with mlflow.start_run(run_name="three") as deleted:
    mlflow.log_metrics({"train/loss": 3, "lr": 0.1}, step=1)
mlflow.delete_run(deleted.info.run_id)
"""


@pytest.mark.parametrize("where", ["file://{}/mlruns", "sqlite:///{}/mlflow.db"])
def test_both_stores_of_mlflow_are_read_without_their_deleted_runs(tmp_path, where):
    subprocess.run(
        [sys.executable, "-c", LOG, where.format(tmp_path)],
        check=True,
        capture_output=True,
        cwd=tmp_path,
        env={**os.environ, "MLFLOW_ALLOW_FILE_STORE": "true"},
    )
    path = tmp_path if "sqlite" in where else tmp_path / "mlruns"
    runs = {run.name: run for run in logs.read(path)}
    assert sorted(runs) == ["one", "two"]
    assert runs["two"].rates.tolist() == [0.5 * 0.1 / (k + 1) for k in range(5)]
    assert seen(runs["one"]) == [1, 2, 3, 4]
    assert set(logs.metrics(path)) == {"val_loss"}
    assert seen(logs.read(path, metric="val_loss")[0]) == [1, 3]


def test_the_folder_of_a_deleted_run_is_read_if_it_is_asked_for(tmp_path):
    run = tmp_path / "0" / "abc"
    (run / "metrics").mkdir(parents=True)
    (run / "meta.yaml").write_text("lifecycle_stage: deleted\n")
    (run / "metrics" / "lr").write_text("1 0.1 0\n2 0.2 1\n")
    assert list(logs.rates(run)[0].rates) == [0.1, 0.2]
    with pytest.raises(RunError, match="holds no logs"):
        logs.rates(tmp_path)
    (run / "metrics" / "lr").write_text("1 0.1 0\n2 0_2 1\n")
    with pytest.raises(RunError, match="lr:2: '2 0_2 1' is not a time, value and step"):
        logs.rates(run)


# --- W&B: written by hand as its pages export them, because the package is not installed here ---

CHART = (
    '"Step","one - lr","one - lr__MIN","one - lr__MAX","one - train/loss","two - b - lr","two - b - train/loss"\n'
    '"0","0.1","0.1","0.1","3","0.2",""\n"1","0.1","0.1","0.1","2.5","0.2","2.75"\n'
    '"2","0.05","0.1","0.1","2","0.1","2.5"\n"3","","","","","0.1","2.25"\n'
)
HISTORY = (
    ",_runtime,_step,_timestamp,train/epoch,train/global_step,train/learning_rate,train/loss,eval/loss,note\n"
    "0,1.5,0,1.7e9,0.1,10,0.1,3.0,,\n1,2.5,1,1.7e9,0.1,10,,,2.9,a picture\n2,3.5,2,1.7e9,0.2,20,0.05,2.0,,\n"
    "3,3.6,3,1.7e9,0.2,20,,,1.9,\n"
)


def test_a_chart_of_wandb_is_a_run_for_each_of_its_columns(tmp_path):
    file = tmp_path / "wandb_export.csv"
    file.write_text(CHART)
    one, two = logs.read(file)
    assert (one.name, one.rates.tolist(), seen(one)) == ("one", [0.1, 0.1, 0.05], [1, 2])
    assert (two.name, two.rates.tolist(), seen(two)) == ("two - b", [0.2, 0.2, 0.1, 0.1], [1, 2, 3])


def test_the_history_of_wandb_counts_updates_and_not_calls(tmp_path):
    file = tmp_path / "history.csv"
    file.write_text(HISTORY)
    (found,) = logs.rates(file)
    assert (list(found.steps), list(found.rates)) == ([9, 19], [0.1, 0.05])
    (run,) = logs.read(file, metric="eval/loss", warmup=0)
    assert (seen(run), run.steps) == ([10, 20], 20)
    plain = "_step,lr,train_loss\n0,0.1,3\n1,0.1,2\n2,0.1,1\n"
    file.write_text(plain)
    assert seen(logs.read(file)[0]) == [1, 2]


def test_rows_of_a_wandb_history_without_a_step_are_left_out_and_said_where_they_held_a_rate_or_a_loss(tmp_path):
    file = tmp_path / "history.csv"
    own = "4,3.7,4,1.7e9,,,{},{},{},\n"
    for row, note in [
        (own.format("", "", "1.5"), ""),
        (own.format("0.1", "", ""), "1 row without a step left out"),
        (own.format("", "3", ""), "1 row without a step left out"),
    ]:
        file.write_text(HISTORY + row)
        (run,) = logs.read(file, warmup=0)
        assert (seen(run), run.steps) == ([9, 19], 20)
        assert ("without a step" in run.assumed, note in run.assumed) == (bool(note), True)
        assert list(logs.rates(file)[0].steps) == [9, 19]


def test_four_times_the_rows_take_about_four_times_as_long(tmp_path):
    taken = {}
    for rows in (5000, 20_000):
        file = tmp_path / f"{rows}.csv"
        file.write_text("_step,lr,loss\n" + "".join(f"{k},0.1,3.5\n" for k in range(rows)))
        taken[rows] = min(cpu(lambda file=file: logs.read(file)) for _ in range(3))
    assert taken[20_000] < 9 * taken[5000]


def cpu(call) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start


# --- what cannot be guessed is asked for ---


def test_names_that_are_not_there_are_asked_for(tmp_path):
    file = tmp_path / "history.csv"
    file.write_text(HISTORY)
    for options, message in [
        ({"metric": "x"}, "there is no metric 'x'; there are "),
        ({"columns": {"loss": "x"}}, "nothing is called 'x'; there are "),
        ({"columns": {"step": "x"}}, "no column is called 'x'; there are "),
        ({"columns": {"lr": "x"}}, "columns= names those of the step, rate, loss, not of 'lr'"),
        ({"only": [1]}, "leave only= out"),
        ({"metric": "eval/loss", "columns": {"loss": "train/loss"}}, "both name the loss"),
    ]:
        with pytest.raises(RunError, match=message):
            logs.read(file, **options)
    file.write_text("_step,nll\n0,3\n1,2\n2,1\n")
    with pytest.raises(RunError, match="no training loss was logged; there are nll: name it"):
        logs.read(file)
    with pytest.raises(
        RunError, match=r"no rate was logged; there are nll: name it, .* or give the schedule of the run, plan= and"
    ):
        logs.read(file, columns={"loss": "nll"})
    (run,) = logs.read(file, columns={"loss": "nll"}, plan=gp.linear(4), peak=0.4)
    assert run.rates == pytest.approx([0.4, 0.3, 0.2])


def test_a_row_of_a_trainer_without_a_step_is_left_out_and_said(tmp_path):
    rows = [{"step": k, "loss": 3 - k / 9, "learning_rate": 0.1} for k in range(1, 6)]
    file = tmp_path / "trainer_state.json"
    file.write_text(json.dumps({"log_history": [*rows[:3], {"loss": 9.0, "epoch": 1}, *rows[3:]]}))
    (run,) = logs.read(file)
    assert run.losses.tolist() == [row["loss"] for row in rows[1:]]
    assert "1 row without a step left out" in run.assumed


# --- options that a Trainer's log has no use for, and cures that its format can follow ---

DATA = Path(__file__).parent / "data"


def test_the_updates_of_an_epoch_are_refused_for_a_trainer_too():
    with pytest.raises(RunError, match="the steps are updates, not epochs: leave updates_per_epoch= out"):
        logs.read(DATA / "transformers" / "5.24.0" / "linear", updates_per_epoch=5)


def test_a_trainers_row_at_step_0_is_refused_and_its_plan_is_not_asked_before_its_beginning(tmp_path):
    rows = [{"step": step, "learning_rate": 0.1, "loss": 3.0, "epoch": 0} for step in (0, 5, 10)]
    (tmp_path / "trainer_state.json").write_text(json.dumps({"log_history": rows, "max_steps": 10}))
    with pytest.raises(RunError, match="a rate at step 0, before the first update"):
        logs.read(tmp_path, plan=gp.constant(), peak=0.1)


def test_an_event_file_of_environment_steps_is_not_cured_by_a_column_that_it_cannot_have():
    (file,) = (DATA / "stable_baselines3" / "ppo").glob("events*")
    with pytest.raises(RunError, match=r"environment steps.*give the table or the JSON lines of the run") as caught:
        logs.rates(file)
    assert "columns=" not in str(caught.value)
