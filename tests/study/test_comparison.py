"""Comparing from Python: the curves are those of plain training, and what is saved is what is loaded."""

import math
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import glidepath as gp
from glidepath import study as studies
from glidepath.errors import GlidepathWarning, MissingExtraError, StudyError
from glidepath.study import Progress, Record, Result, RunningSegment, StudyRun, compare, estimate, read_study, verify
from glidepath.tasks import load_task
from glidepath.torch.randomness import deterministic_kernels, preserve_rng_state, seed_everything

STEPS, EVERY = 12, 4
TEXTS = {"cosine": "cosine(100%)", "warm": "warmup(4) >> constant()", "longer warm": "warmup(4) >> cosine(8)"}
STUDY: dict[str, Any] = {
    "task": "lines.py:line",
    "steps": STEPS,
    "seeds": [3, 5],
    "evaluate_every": EVERY,
    "schedules": TEXTS,
}


def plain_training(name: str, seed: int) -> tuple[list[float], list[float], dict[int, float]]:
    """Train one run in a plain loop: rates, losses, and the validation loss after so many updates."""
    rates, losses, evaluations = [], [], {}
    plan = gp.parse(TEXTS[name]).over(STEPS)
    with deterministic_kernels(1), preserve_rng_state():
        seed_everything(seed)
        task = load_task("lines.py:line")(seed)
        bases = [group["lr"] for group in task.optimizer.param_groups]
        for step in range(STEPS):
            for group, base in zip(task.optimizer.param_groups, bases, strict=True):
                group["lr"] = base * plan(step)
            task.model.train()
            task.optimizer.zero_grad()
            loss = task.loss(task.model, task.batch(step))
            loss.backward()
            task.optimizer.step()
            rates.append(max(group["lr"] for group in task.optimizer.param_groups))
            losses.append(loss.item())
            if (step + 1) % EVERY == 0:
                with torch.no_grad(), preserve_rng_state():
                    task.model.eval()
                    evaluations[step + 1] = task.evaluate(task.model)["validation_loss"]
    return rates, losses, evaluations


class Notes(Progress):
    """Remembers what it sees."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.planned: list[int] = []
        self.updates: list[tuple[RunningSegment, Record]] = []
        self.trained: list[int] = []
        self.runs: list[tuple[str, int, dict[str, float]]] = []
        self.warnings: list[str] = []
        self.stops: list[tuple[int, int]] = []
        self.stop_after = stop_after

    def on_plan(self, updates: int) -> None:
        self.planned.append(updates)

    def on_update(self, segment: RunningSegment, record: Record) -> None:
        self.updates.append((segment, record))

    def on_segment(self, segment: RunningSegment, trained: int) -> None:
        self.trained.append(trained)
        if self.stop_after is not None and len(self.trained) == self.stop_after:
            raise KeyboardInterrupt

    def on_run(self, run: StudyRun, updates: int, metrics: Mapping[str, float]) -> None:
        self.runs.append((str(run), updates, dict(metrics)))

    def on_warning(self, message: str) -> None:
        self.warnings.append(message)

    def on_stop(self, finished: int, runs: int) -> None:
        self.stops.append((finished, runs))


def test_every_curve_is_that_of_a_plain_loop(here: Path) -> None:
    result = compare(STUDY)
    assert [curve.run.seed for curve in result.curves] == [3] * 3 + [5] * 3
    for curve in result.curves:
        rates, losses, evaluations = plain_training(curve.run.schedule, curve.run.seed)
        assert curve.rates.tolist() == rates
        assert curve.losses.tolist() == losses
        metric = curve.metrics["validation_loss"]
        assert dict(zip(metric.updates.tolist(), metric.values.tolist(), strict=True)) == evaluations


def test_a_study_is_given_as_an_object_a_file_or_a_mapping(here: Path) -> None:
    result = compare(STUDY)
    (here / "mine.yaml").write_text((result.save("out"), (here / "out/study.yaml").read_text())[1])
    for source in (studies.study_from(STUDY), read_study(here / "mine.yaml"), "mine.yaml", here / "mine.yaml"):
        again = compare(source)
        assert (again.trained, again) == (0, result)


def test_what_is_saved_is_what_is_loaded(here: Path) -> None:
    result = compare(STUDY | {"peaks": [0.1, 0.2]})
    files = result.save("results/mine")
    loaded = Result.load(here / "results/mine")
    assert loaded == result
    assert loaded.curves == result.curves
    assert (loaded.rows, loaded.verdict, loaded.verdict_text) == (result.rows, result.verdict, result.verdict_text)
    assert loaded.save("results/mine") == []
    assert {file.name for file in loaded.save("again")} == {file.name for file in files}
    assert (here / "again/study.yaml").read_bytes() == (here / "results/mine/study.yaml").read_bytes()


def test_a_run_that_diverged_is_loaded_too(here: Path) -> None:
    result = compare(STUDY | {"task": "lines.py:explodes", "peaks": [50.0]})
    assert any(math.isnan(curve.losses[-1]) or math.isinf(curve.losses[-1]) for curve in result.curves)
    result.save("out")
    assert Result.load("out") == result


def test_a_result_that_was_changed_is_not_loaded(here: Path) -> None:
    compare(STUDY).save("out")
    curves, study = here / "out/curves.csv", here / "out/study.yaml"
    text = curves.read_text()
    number = text.splitlines()[5].split(",")[7]
    curves.write_text(text.replace(number, repr(float(number) + 1e-9), 1))
    with pytest.raises(StudyError, match=r"curves.csv was changed since it was saved"):
        Result.load("out")
    curves.write_text(text)
    study.write_text(study.read_text().replace("- 5\n", "- 6\n"))
    with pytest.raises(StudyError, match=r"does not hold the runs"):
        Result.load("out")


def test_a_folder_that_holds_no_result_is_refused_with_those_inside_that_do(here: Path) -> None:
    wrong = (
        "is not a folder of results: it has no study.yaml and no curves.csv: give the folder that save or compare wrote"
    )
    with pytest.raises(StudyError, match=r"elsewhere is not a folder of results: it is not a folder: give the folder"):
        Result.load("elsewhere")
    (here / "results/other").mkdir(parents=True)
    with pytest.raises(StudyError, match=rf"^results {wrong} \[GP302\]$"):
        Result.load("results")
    compare(STUDY).save("results/mine")
    with pytest.raises(StudyError, match=rf"^results {wrong}, as results/mine \[GP302\]$"):
        Result.load("results")


def test_a_file_that_was_deleted_is_written_again(here: Path) -> None:
    result = compare(STUDY)
    files = result.save("out")
    for file in files:
        file.unlink()
        assert file in result.save("out")
        assert result.save("out") == []


def test_the_mean_run_is_that_of_the_best_peak_and_the_longest_horizon(here: Path) -> None:
    described = {key: value for key, value in STUDY.items() if key != "steps"}
    result = compare(described | {"peaks": [0.1, 0.2], "horizons": [12, 24]})
    best = next(row.setting for row in result.rows if row.chosen and row.setting[:2] == ("cosine", 24))
    chosen = result.mean_run("cosine")
    assert (len(chosen.rates), chosen.rates.max()) == (24, best.peak)
    for peak in (0.1, 0.2):
        run = result.mean_run("cosine", peak=peak, horizon=12)
        alone = [c for c in result.curves if (c.run.schedule, c.run.horizon, c.peak) == ("cosine", 12, peak)]
        assert run.rates.tolist() == alone[0].rates.tolist()
        assert run.losses.tolist() == np.mean([c.metrics["validation_loss"].values for c in alone], axis=0).tolist()


def test_a_mean_run_that_there_is_not_is_refused_with_those_that_there_are(here: Path) -> None:
    result = compare(STUDY | {"peaks": [0.1, 0.2]})
    with pytest.raises(StudyError, match=r"no schedule called 'cosin' was trained; did you mean cosine\?"):
        result.mean_run("cosin")
    with pytest.raises(StudyError, match=r"'xyz' was trained; there are cosine, longer warm, warm"):
        result.mean_run("xyz")
    with pytest.raises(StudyError, match=r"peak= is one of 0\.1, 0\.2, not 0\.3"):
        result.mean_run("cosine", peak=0.3)
    with pytest.raises(StudyError, match=r"horizon= is one of 12, not 10"):
        result.mean_run("cosine", horizon=10)


def test_the_mean_of_runs_that_all_diverged_is_refused(here: Path) -> None:
    result = compare(STUDY | {"task": "lines.py:explodes", "peaks": [50.0]})
    with pytest.raises(StudyError, match=r"every run of warm at the peak 50 over 12 updates diverged"):
        result.mean_run("warm")


def test_a_study_that_was_interrupted_goes_on_where_it_stopped(here: Path) -> None:
    notes = Notes(stop_after=2)
    with pytest.raises(KeyboardInterrupt):
        compare(STUDY, progress=notes)
    assert len(notes.stops) == 1
    kept, whole = notes.trained[-1], compare(STUDY, store="elsewhere")
    again = compare(STUDY)
    assert 0 < kept < whole.trained
    assert kept + again.trained == whole.trained
    assert again == whole


def test_the_second_time_nothing_is_trained(here: Path) -> None:
    first, notes = compare(STUDY), Notes()
    second = compare(STUDY, progress=notes)
    assert (first.trained > 0, second.trained, notes.updates) == (True, 0, [])
    assert second == first


def test_progress_sees_every_update_and_every_run_once(here: Path) -> None:
    notes = Notes()
    result = compare(STUDY, progress=notes)
    assert len(notes.updates) == result.trained == notes.trained[-1] == notes.planned[-1]
    assert all(segment.start <= record.step < segment.stop for segment, record in notes.updates)
    assert sorted(run for run, _, _ in notes.runs) == sorted(str(curve.run) for curve in result.curves)
    assert all(updates == STEPS and "validation_loss" in metrics for _, updates, metrics in notes.runs)


def test_a_schedule_that_is_cut_short_is_a_warning(here: Path) -> None:
    with pytest.warns(GlidepathWarning, match=r"lasts 80 updates: a run of 12 sees only its beginning"):
        compare(STUDY | {"schedules": {"a": "cosine(80)"}})


def test_the_cost_is_estimated_before_anything_is_trained(here: Path) -> None:
    cost = estimate(STUDY)
    result = compare(STUDY)
    assert (cost.runs, cost.steps_alone, cost.steps_shared) == (6, 6 * STEPS, result.trained)
    assert estimate(STUDY).steps_to_train == 0


def test_one_run_is_verified(here: Path) -> None:
    result = compare(STUDY)
    assert verify(STUDY) in [curve.run for curve in result.curves]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_the_frame_has_every_update(here: Path, library: Any) -> None:
    module = pytest.importorskip(library)
    result = compare(STUDY)
    frame = result.frame(library)
    assert isinstance(frame, module.DataFrame)
    assert len(frame) == sum(len(curve.records) for curve in result.curves)
    assert list(frame["loss"]) == np.concatenate([curve.losses for curve in result.curves]).tolist()


def test_without_a_library_for_frames_the_error_names_them(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = compare(STUDY)
    for name in ("pandas", "polars"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtraError, match="a data frame needs pandas or polars"):
        result.frame()


def test_the_page_and_the_figures_are_those_of_the_report(here: Path) -> None:
    result = compare(STUDY)
    assert set(result.figures()) == {"curves", "final", "spent"}
    result.save("out")
    assert "<svg" in result.to_html()
    assert result.verdict_text.splitlines()[0] in (here / "out/summary.md").read_text()
    assert len({result, Result.load("out")}) == 1


def test_a_place_for_training_that_does_not_exist_is_refused(here: Path) -> None:
    with pytest.raises(StudyError, match="mars"):
        compare(STUDY, on="mars")
    with pytest.raises(StudyError, match="screen= trains at least one schedule to confirm, not 0"):
        compare(STUDY, screen=0)


def test_several_workers_need_a_place_that_has_them(here: Path) -> None:
    with pytest.raises(StudyError, match=r'workers= is 4, .* one run at a time: train in several, on="processes"'):
        compare(STUDY, workers=4)


@pytest.mark.parametrize("study", [[1], None, 5])
def test_what_is_not_a_study_is_refused(study: Any) -> None:
    with pytest.raises(StudyError, match=r"a study is a mapping of its keys, the path of a YAML file, or a Study, not"):
        compare(study)


def test_the_name_of_a_task_is_not_a_study(here: Path) -> None:
    with pytest.raises(StudyError, match=r'digits is not a study file: .* compare\(\{"task": "digits"\}\) \[GP302\]'):
        compare("digits")


def test_a_progress_is_an_object_that_is_called(here: Path) -> None:
    with pytest.raises(StudyError, match=r"progress= is an object whose class inherits from Progress, not True"):
        compare(STUDY, progress=True)  # type: ignore[arg-type]


@pytest.mark.parametrize("package", ["pydantic", "torch", "scipy"])
def test_without_its_packages_the_import_names_the_extra(package: str) -> None:
    code = f"import sys; sys.modules[{package!r}] = None; import glidepath.study"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1].endswith(
        f'a study needs {package}, which is not installed: pip install "glidepath[compare]" [GP601]'
    )


def test_the_import_loads_nothing_heavy_and_the_names_are_there() -> None:
    code = "import sys, glidepath.study; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "numpy", "pydantic", "scipy", "matplotlib"} & set(done.stdout.split())
    assert {"Study", "read_study", "study_from", "compare", "Result"} <= set(dir(studies))
    assert all(getattr(studies, name) is not None for name in dir(studies))
    with pytest.raises(AttributeError, match="no attribute 'compar'"):
        _ = studies.compar


def test_a_screening_trains_some_and_is_loaded_with_what_it_predicted(here: Path) -> None:
    shapes = {f"wsd {share}%": f"constant({100 - share}%) >> linear({share}%)" for share in (20, 40)}
    texts = {"cosine": "cosine(100%)", "linear": "linear(100%)", "halves": "step(every=25%, factor=0.5)", **shapes}
    study = {"task": "stdlib_gpt", "steps": 40, "seeds": [0], "evaluate_every": 2, "schedules": texts}
    result = compare(study, screen=1)
    assert {row.schedule for row in result.screening} == set(texts)
    trained = {row.schedule for row in result.screening if row.measured is not None}
    assert trained == {curve.run.schedule for curve in result.curves}
    assert len(trained) == 4
    assert set(estimate(study, screen=1).trained_first) < trained
    result.save("out")
    assert Result.load("out") == result
    run = result.mean_run(next(iter(trained)))
    assert run.updates.tolist() == list(range(2, 41, 2))


def test_an_estimate_counts_runs_and_updates_before_anything_is_trained(tmp_path):
    schedules = {"level": "constant()", "late": "constant(30) >> linear(10)"}
    cost = studies.estimate({"task": "digits", "steps": 40, "seeds": [0], "schedules": schedules}, store=tmp_path)
    assert isinstance(cost, studies.CostEstimate)
    # both hold the peak for the first 31 updates: linear(10) begins at 1
    assert (cost.runs, cost.steps_alone, cost.steps_shared, cost.steps_to_train) == (2, 80, 49, 49)
    assert cost.ratio == pytest.approx(80 / 49)
