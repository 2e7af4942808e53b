"""JSON lines of every trainer that writes them: which row is of which update, and what is left out or refused."""

import json

import pytest

from glidepath import logs
from glidepath.errors import RunError

from .against_truth import DATA, assert_rows_are_true, truth_of


def write(file, rows, end="\n"):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows) + end)
    return file


def loop(updates, **more):
    """Return the rows of a loop that logs every update under its index."""
    return [{"step": k, "lr": 0.1 / (k + 1), "loss": 3 - k / 100, **more} for k in range(updates)]


def refused(path, message, **options):
    with pytest.raises(RunError, match=message) as caught:
        logs.read(path, **options)
    assert str(path) in str(caught.value)


# --- mmengine and mmcv ---

MMENGINE = {  # its LinearLR ends one update before its end, and the cosine divides by T_max
    "by_iteration": "linear(7, start=0.1, to=1) >> constant(1) >> cosine(32, to=0.01)",
    "by_epoch": "piecewise_constant([20, 30], values=[1, 0.1, 0.01])",
}


@pytest.mark.parametrize("name", MMENGINE)
def test_a_row_of_mmengine_holds_the_rate_of_the_update_before_its_step(name):
    folder = DATA / "mmengine" / name
    (file,) = folder.glob("*/vis_data/scalars.json")
    assert assert_rows_are_true(file, truth_of(folder)).steps == list(range(4, 40, 5))
    assert assert_rows_are_true(folder, truth_of(folder)).name == "20260101_000000"


@pytest.mark.parametrize("name", MMENGINE)
def test_between_the_rows_of_mmengine_the_plan_has_the_rates(name):
    folder = DATA / "mmengine" / name
    (run,) = logs.read(folder, plan=MMENGINE[name], peak=0.1)
    assert run.rates == pytest.approx(truth_of(folder), rel=1e-9)
    assert run.updates.tolist() == list(range(4, 40, 5))
    assert "2 rows without iter left out" in run.assumed  # of validations, whose step is an epoch


MMCV = [
    {"env_info": "Python: 3.8\nPyTorch: 1.9", "seed": 0, "exp_name": "r50.py"},
    *(
        {
            "mode": "train",
            "epoch": epoch,
            "iter": k,
            "lr": round(0.1 / epoch, 5),
            "data_time": 0.01,
            "loss": 2.0,
            "time": 1,
        }
        for epoch in (1, 2, 3)
        for k in (5, 10)
    ),
    {"mode": "val", "epoch": 3, "iter": 7, "lr": 0.03333, "accuracy_top-1": 0.5},
]


def test_the_iterations_of_mmcv_go_on_through_its_epochs(tmp_path):
    file = write(tmp_path / "20210101_000000.log.json", MMCV)
    (rates,) = logs.rates(file, updates_per_epoch=12)
    assert rates.steps == [4, 9, 16, 21, 28, 33]
    assert list(rates.rates) == [0.1, 0.1, 0.05, 0.05, 0.03333, 0.03333]
    (run,) = logs.read(tmp_path, updates_per_epoch=12)
    assert run.updates.tolist() == rates.steps
    assert "2 rows without iter and data_time left out" in run.assumed


def test_iterations_that_begin_again_in_every_epoch_ask_for_the_updates_of_an_epoch(tmp_path):
    file = write(tmp_path / "a.log.json", MMCV)
    refused(file, r"the steps begin again in every epoch: .*updates_per_epoch=100")
    assert logs.metrics(file) == ("data_time", "time")


@pytest.mark.parametrize("first", [0, 1])
def test_a_loop_that_logs_every_batch_shows_how_many_an_epoch_has(tmp_path, first):
    rows = [
        {"epoch": epoch, "batch": 0, "iter": k + first, "lr": 0.1 - 0.001 * (4 * epoch + k), "loss": 2.0}
        for epoch in range(3)
        for k in range(4)
    ]
    (rates,) = logs.rates(write(tmp_path / "a.jsonl", rows))
    assert rates.steps == list(range(12))
    assert list(rates.rates) == [row["lr"] for row in rows]


def test_rows_without_an_epoch_are_left_out_where_steps_begin_again_in_each(tmp_path):
    file = write(tmp_path / "a.log.json", [*MMCV, {"iter": 3, "data_time": 0.1, "note": 1.0}])
    assert "3 rows without" in logs.read(file, updates_per_epoch=12)[0].assumed
    texts = [{**row, "data_time": "0.1 s"} for row in MMCV[1:-1]]
    assert len(logs.rates(write(file, texts), updates_per_epoch=12)[0].steps) == 6


# --- Detectron2 and LLaMA-Factory, in the form of their sources ---


def detectron2(updates, every=20, first=0):
    return [
        {"data_time": 0.1, "eta_seconds": 9.0, "iteration": k, "loss_cls": 0.5, "lr": 1e-3 * (k + 1), "total_loss": 2.5}
        for k in range(first + every - 1, updates, every)
    ]


def test_the_iteration_of_detectron2_is_the_index_of_its_update(tmp_path):
    file = write(tmp_path / "output" / "metrics.json", detectron2(100))
    (run,) = logs.read(tmp_path / "output")
    assert (run.name, run.loss, run.steps) == ("output", "total_loss", 100)
    (rates,) = logs.rates(file)
    assert rates.steps == [19, 39, 59, 79, 99]
    assert list(rates.rates) == [1e-3 * (step + 1) for step in rates.steps]


def test_runs_one_after_the_other_in_one_file_are_several(tmp_path):
    rows = [*detectron2(120), *detectron2(100), *detectron2(200)]
    runs = logs.read(write(tmp_path / "output" / "metrics.json", rows))
    assert [(run.name, run.steps) for run in runs] == [
        ("output, run 1", 120),
        ("output, run 2", 100),
        ("output, run 3", 200),
    ]
    assert logs.names(tmp_path / "output") == ("output, run 1", "output, run 2", "output, run 3")


def test_a_run_that_was_resumed_is_one(tmp_path):
    rows = [*detectron2(100), *detectron2(200, first=60)]
    (run,) = logs.read(write(tmp_path / "metrics.json", rows))
    assert run.steps == 200
    assert "step 79 and others were logged twice, and the later rows hold" in run.assumed


def llama_factory(total, every=10):
    return [
        {"current_steps": k, "total_steps": total, "loss": 2.5, "lr": 1e-4 * (total - k + 1) / total, "epoch": k / 50}
        for k in range(every, total + 1, every)
    ]


def test_llama_factory_counts_updates_made_and_names_its_horizon(tmp_path):
    last = {"current_steps": 100, "total_steps": 100, "loss": None, "learning_rate": None, "epoch": 2.0}
    file = write(
        tmp_path / "out" / "trainer_log.jsonl", [*llama_factory(100), {"current_steps": 50, "eval_loss": 2.0}, last]
    )
    (rates,) = logs.rates(file)
    assert rates.steps == list(range(9, 100, 10))
    assert list(rates.rates) == [1e-4 * (100 - step) / 100 for step in rates.steps]
    (run,) = logs.read(file, plan="linear(100%)", peak=1e-4)
    assert run.rates == pytest.approx([1e-4 * (1 - k / 100) for k in range(100)])


def test_two_processes_that_wrote_one_file_are_told_apart_by_their_length(tmp_path):
    mixed = [row for pair in zip(llama_factory(100), llama_factory(200)[:10], strict=True) for row in pair]
    runs = logs.rates(write(tmp_path / "trainer_log.jsonl", mixed))
    assert [list(run.rates)[3] for run in runs] == [1e-4 * 61 / 100, 1e-4 * 161 / 200]


def test_two_processes_of_one_length_that_wrote_one_file_are_refused(tmp_path):
    rows = llama_factory(100)
    mixed = [row for pair in zip(rows, [rows[0], *rows[:9]], strict=True) for row in pair]
    refused(write(tmp_path / "trainer_log.jsonl", mixed), "the step falls back in .* rows, as where several processes")


# --- reinforcement learning ---


@pytest.mark.parametrize("name", ["ppo", "dqn"])
def test_the_steps_of_an_environment_are_no_updates(name):
    file = DATA / "stable_baselines3" / name / "progress.json"
    refused(file, r'counts environment steps, and a step is an update of the optimizer: .*columns=\{"step"')
    refused(file, "counts environment steps", columns={"step": "time/total_timesteps"})


def test_the_updates_of_dqn_can_be_named():
    folder = DATA / "stable_baselines3" / "dqn"
    assert_rows_are_true(folder / "progress.json", truth_of(folder), columns={"step": "train/n_updates"})


def test_what_ppo_calls_updates_are_passes_over_its_data():
    file = DATA / "stable_baselines3" / "ppo" / "progress.json"
    refused(file, "counts PPO's passes over its data", columns={"step": "train/n_updates"})


def test_the_iterations_of_ray_are_updates_only_if_the_user_says_so():
    folder = DATA / "ray" / "by_update"
    file = folder / "result.json"
    refused(file, "Ray counts iterations, .*updates_per_epoch=100")
    assert_rows_are_true(file, truth_of(folder), columns={"step": "training_iteration"})


def test_the_events_of_ray_count_its_iterations_too():
    folder = DATA / "ray" / "by_update"
    (file,) = folder.glob("events*")
    refused(file, "Ray counts iterations, .*updates_per_epoch=100")
    (rates,) = logs.rates(file, updates_per_epoch=1)
    assert list(rates.rates) == pytest.approx([truth_of(folder)[step] for step in rates.steps], rel=1e-7)  # float32


def test_the_iterations_of_ray_may_be_epochs(tmp_path):
    rows = [{"training_iteration": k, "lr": 0.1 / k, "loss": 3.0 / k} for k in (1, 2, 3)]
    (run,) = logs.read(write(tmp_path / "result.json", rows), updates_per_epoch=4)
    assert run.rates == pytest.approx([0.1] * 4 + [0.05] * 4 + [0.1 / 3] * 4)


# --- Glidepath's recorder ---


def test_a_record_of_glidepath_has_updates_and_evaluations(tmp_path):
    rows = [
        {"glidepath": "record", "version": 1, "columns": {"update": "index", "lr": "rate"}},
        {"updates_made": 5, "val_loss": 2.5},
        *({"update": k, "lr": 0.1 / (k + 1), "lr/head": 0.2, "loss": 3.0 - k / 10} for k in range(9)),
        {"updates_made": 10, "val_loss": 2.0},  # before the row of the last update
        {"update": 9, "lr": 0.01, "loss": 2.1},
    ]
    file = write(tmp_path / "run.jsonl", rows)
    (run,) = logs.read(file)
    assert (run.name, run.loss, run.assumed) == ("run", "loss", "")
    assert run.rates.tolist() == [0.1 / (k + 1) for k in range(10)]
    (evaluated,) = logs.read(file, metric="val_loss")
    assert evaluated.updates.tolist() == [5, 10]
    rows[0]["version"] = 2
    refused(write(file, rows), "a record of version 2, and 1 is known")


# --- loops of one's own ---


def test_a_loop_of_ones_own_is_read_under_its_names(tmp_path):
    rows = [{"k": k, "opt": {"eta": 0.1 / (k + 1)}, "nll": 2.0 - k / 100} for k in range(30)]
    file = write(tmp_path / "mine.json", rows)
    refused(file, r"no number for the step .*there are k, opt/eta, nll")
    (run,) = logs.read(file, columns={"step": "k", "rate": "opt/eta", "loss": "nll"})
    assert run.rates.tolist() == [0.1 / (k + 1) for k in range(30)]
    refused(file, "no number is called 'j'", columns={"step": "j"})


def test_a_step_that_counts_updates_made_is_told_by_its_first_row(tmp_path):
    rows = [{"step": k, "learning_rate": 0.1 / k, "loss": 2.0, "epoch": 0} for k in range(10, 60, 10)]
    file = write(tmp_path / "a.jsonl", rows)
    assert logs.rates(file)[0].steps == [9, 19, 29, 39, 49]
    assert logs.rates(file, count="index of the update")[0].steps == [10, 20, 30, 40, 50]


def test_a_last_line_that_is_torn_is_left_out(tmp_path):
    whole = write(tmp_path / "a.jsonl", loop(30)).read_bytes()
    start = whole.rindex(b"\n", 0, -1) + 1
    for end in range(start + 1, len(whole) - 1):
        file = tmp_path / "b.jsonl"
        file.write_bytes(whole[:end])
        (run,) = logs.read(file)
        assert run.steps == 29
        assert f"the last line is left out, because it was cut off ({file}:30)" in run.assumed


def test_rows_without_a_step_and_lines_that_are_no_objects_are_left_out(tmp_path):
    rows = loop(30)
    rows[10:10] = [{"note": "half way", "speed": 3.0}, "null", "", "[1, 2]"]
    (run,) = logs.read(write(tmp_path / "a.jsonl", rows))
    assert run.steps == 30
    assert "1 row without step left out" in run.assumed
    assert "2 lines left out that are no object" in run.assumed


def test_rates_of_groups_in_a_list_are_called_by_their_place(tmp_path):
    rows = [{"step": k, "lr": [0.1, 0.2 + k], "loss": 2.0} for k in range(5)]
    (rates,) = logs.rates(write(tmp_path / "a.jsonl", rows), columns={"rate": "lr/1"})
    assert list(rates.rates) == [0.2, 1.2, 2.2, 3.2, 4.2]


def test_numbers_that_json_has_not_are_read(tmp_path):
    rows = loop(30)
    rows[7] = '{"step": 7, "lr": 0.0125, "loss": NaN, "acc": "Infinity"}'
    rows[8] = {**rows[8], "lr": "0.01", "step": 8.0}
    (run,) = logs.read(write(tmp_path / "a.jsonl", rows))
    assert run.rates[8] == 0.01
    assert "the loss at step 7 is not a number, and left out" in run.assumed


def test_a_byte_order_mark_is_no_damage(tmp_path):
    file = write(tmp_path / "a.jsonl", loop(30))
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert logs.read(file)[0].steps == 30


def test_a_list_of_rows_is_read_as_its_lines_would_be(tmp_path):
    file = tmp_path / "log.json"
    file.write_text(json.dumps([*loop(30), None]))
    (run,) = logs.read(file)
    assert run.rates.tolist() == [0.1 / (k + 1) for k in range(30)]
    assert run.assumed == "1 row left out that is no object"


def test_evaluations_before_the_first_update_belong_to_the_run_that_follows(tmp_path):
    first, second = loop(20)[:10], loop(20)[10:]
    run = [
        {"step": 0, "eval_loss": 4.0},
        *first,
        {"step": 10, "eval_loss": 3.5},
        *second,
        {"step": 20, "eval_loss": 3.0},
    ]
    runs = logs.read(write(tmp_path / "a.jsonl", [*run, *run]), metric="eval_loss")
    assert [each.updates.tolist() for each in runs] == [[10, 20], [10, 20]]


def test_a_step_with_two_losses_is_refused(tmp_path):
    rows = loop(30)
    rows.insert(11, {**rows[10], "loss": 1.0})
    refused(write(tmp_path / "a.jsonl", rows), "there are two losses; keep one of them")
