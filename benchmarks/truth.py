"""Truth by training: does the advisor predict runs that no law has seen, and do its designs and its screening win?

    python -m benchmarks.truth [STORE]

Trains `stdlib_gpt` (an hour on one core; with the folder of an earlier store it goes on from there). First eight
schedules over 1,200 updates with five seeds: laws are fitted to two of them, in validation loss, and predict the other
six. Then the schedules that the laws design from those two, against the field's. Then a study of 30 schedules over 600
updates with three seeds: what `--screen 4` picks, against the best of all 30.
"""

import math
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from glidepath.law import Committee, design, fit_committee
from glidepath.study import Result, Study, compare, estimate, study_from

FITTED = {
    "cosine to 10%": "warmup(5%) >> cosine(95%, to=0.1)",
    "wsd 10%": "warmup(5%) >> constant() >> linear(10%)",
}
PREDICTED = {
    "cosine": "warmup(5%) >> cosine(95%)",
    "linear": "warmup(5%) >> linear(95%)",
    "1-sqrt 20%": "warmup(5%) >> constant() >> one_minus_sqrt(20%)",
    "wsd 20%": "warmup(5%) >> constant() >> linear(20%)",
    "wsd 50%": "warmup(5%) >> constant() >> linear(50%)",
    "halves": "warmup(5%) >> step(every=300, factor=0.5)",
}
STEPS, SEEDS = 1_200, [0, 1, 2, 3, 4]


def thirty() -> dict[str, str]:
    """Every way to decay a rate that people try, over 600 updates."""
    hold, late = "warmup(5%) >> constant() >> ", "warmup(5%) >> "
    texts = {"constant": "constant()", "cosine": "cosine(95%)", "cosine to 10%": "cosine(95%, to=0.1)"}
    texts |= {"linear": "linear(95%)", "linear to 10%": "linear(95%, to=0.1)", "rex": "rex(95%)"}
    texts |= {"polynomial": "polynomial(95%, power=2)", "exponential 95%": "geometric(95%, to=0.01)"}
    texts |= {"halves": "step(every=150, factor=0.5)", "thirds": "step(every=200, factor=0.3)"}
    texts |= {"multistep": "multistep([300, 450], factor=0.1)", "late multistep": "multistep([400, 520], factor=0.3)"}
    whole = {name: late + text for name, text in texts.items()} | {"inverse sqrt": "inverse_sqrt(warmup=30)"}
    with_hold = {f"wsd {share}%": f"linear({share}%)" for share in (10, 20, 30, 40, 50, 60, 80)}
    with_hold |= {f"wsd {share}% to 10%": f"linear({share}%, to=0.1)" for share in (20, 40)}
    with_hold |= {f"1-sqrt {share}%": f"one_minus_sqrt({share}%)" for share in (10, 20, 30, 40, 60)}
    with_hold |= {f"exponential {share}%": f"geometric({share}%, to=0.05)" for share in (20, 40)}
    with_hold |= {"exponential 20% deep": "geometric(20%, to=0.01)"}
    return whole | {name: hold + text for name, text in with_hold.items()}


def describe_study(schedules: Mapping[str, str], **more: Any) -> Study:
    return study_from({"task": "stdlib_gpt", "schedules": dict(schedules), **more})


def ends(result: Result, name: str) -> list[float]:
    """The last validation losses of a schedule, by seed."""
    own = sorted((curve for curve in result.curves if curve.run.schedule == name), key=lambda curve: curve.run.seed)
    return [next(iter(curve.final_metrics.values()), math.inf) for curve in own]


def predict_and_design(store: Path) -> None:
    more = {"steps": STEPS, "seeds": SEEDS, "evaluate_every": 40}
    result = compare(describe_study(FITTED | PREDICTED, **more), store=store)
    committee = fit_committee([result.mean_run(name) for name in FITTED])
    report_predictions(committee, result)
    makers = {"designed": committee, **{f"designed, {type(fit.law).__name__}": fit for fit in committee.fits}}
    designs = {name: design(maker, STEPS, warmup="5%") for name, maker in makers.items()}
    texts = FITTED | PREDICTED | {name: plan.plan.text for name, plan in designs.items()}
    contest = compare(describe_study(texts, **more), store=store)
    best = ends(contest, "wsd 20%")
    print(f"\n{'':28}{'predicted':>10}{'found':>10}{'deviation':>10}{'to wsd 20%, seed by seed':>28}")
    for name in sorted(texts, key=lambda name: fmean(ends(contest, name))):
        predicted = designs[name].loss if name in designs else committee.loss(contest.mean_run(name).rates)
        own = ends(contest, name)
        differences = [loss - other for loss, other in zip(own, best, strict=True)]
        deviation = stdev(differences) if len(set(differences)) > 1 else 0.0
        print(
            f"{name:28}{predicted:10.4f}{fmean(own):10.4f}{stdev(own):10.4f}"
            f"{fmean(differences):+18.4f} ± {deviation:.4f}"
        )


def report_predictions(committee: Committee, result: Result) -> None:
    predicted, trained = [], []
    for name in PREDICTED:
        run = result.mean_run(name)
        predicted.append(committee.loss(run.rates))
        trained.append(fmean(ends(result, name)))
    errors = np.abs(np.array(predicted) - np.array(trained))
    print(
        f"six schedules predicted from two: last losses off by {errors.mean():.4f} on average, {errors.max():.4f} at "
        f"most; rank correlation {spearmanr(predicted, trained)[0]:.3f}"
    )


def compare_screening(store: Path) -> None:
    study = describe_study(thirty(), steps=600, seeds=[0, 1, 2], evaluate_every=20)
    screened = compare(study, store=store, screen=4)
    part, whole = estimate(screened.study, store=store), estimate(study, store=store)
    truth = compare(study, store=store)
    best = min(study.schedules or {}, key=lambda name: fmean(ends(truth, name)))
    pick = screened.screening[0].schedule
    difference = fmean(ends(truth, pick)) - fmean(ends(truth, best))
    print(
        f"\n--screen 4 of 30: {part.steps_alone / whole.steps_alone:.1%} of the updates (each different one once: "
        f"{part.steps_shared / whole.steps_shared:.1%}); picked {pick}, the best of all is {best}: {difference:+.4f}, "
        f"where seeds scatter by {stdev(ends(truth, best)):.4f}"
    )
    left = {
        row.schedule: row.predicted for row in screened.screening if row.measured is None and row.predicted is not None
    }
    predicted = [prediction.loss for prediction in left.values()]
    trained = [fmean(ends(truth, name)) for name in left]
    inside = fmean(band.low <= value <= band.high for band, value in zip(left.values(), trained, strict=True))
    print(
        f"{len(left)} schedules that were left out: last losses off by "
        f"{np.abs(np.array(predicted) - trained).mean():.4f} on average; rank correlation "
        f"{spearmanr(predicted, trained)[0]:.3f}; {inside:.0%} inside their 90% interval"
    )


def main(store: Path) -> None:
    predict_and_design(store)
    compare_screening(store)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary))
