"""Of runs with several peaks, predict, advise and a committee learn from the best; seeds count as one run."""

from dataclasses import replace

import pytest

from glidepath import linear
from glidepath.errors import GlidepathWarning
from glidepath.law import advise, fit, fit_committee, predict

from .plans import COSINE, USUAL, WSD, made

PLAN = linear(8000)


def peak(scale, name, plan=COSINE, noise=0.0, seed=0):
    return made(USUAL, plan, scale=scale, name=name, noise=noise, seed=seed)


def worse(scale, name):
    """A run whose losses all lie a tenth higher."""
    run = peak(scale, name)
    return replace(run, losses=run.losses * 1.1)


def test_the_best_of_several_peaks_is_used_with_a_warning_and_a_note():
    runs = [peak(1, "good"), worse(2, "bad")]
    with pytest.warns(GlidepathWarning, match=r"only the 1 run with the peak 0\.0003 is used.*\[GP713\]"):
        prediction = predict(runs, PLAN)
    assert prediction.final == fit(runs[:1]).predict(PLAN).final
    (note,) = prediction.notes
    assert note.startswith("only the 1 run with the peak 0.0003 is used, because one law does not hold across peaks")


def test_a_committee_and_its_advice_choose_the_same_peak():
    runs = [worse(2, "bad"), peak(1, "good"), peak(1, "wsd", WSD)]
    with pytest.warns(GlidepathWarning, match="GP713"):
        committee = fit_committee(runs)
    with pytest.warns(GlidepathWarning, match="GP713"):
        advice = advise(runs, {"linear": PLAN}, 8000)
    assert committee.fits[0].names == advice.committee.fits[0].names == ("good", "wsd")
    assert committee.notes == advice.committee.notes != ()


def test_seeds_are_averaged_and_their_noise_says_what_a_tie_is():
    seeds = [peak(1, f"s{i}", noise=0.01, seed=i) for i in range(3)]
    committee = fit_committee(seeds)
    assert committee.fits[0].names == ("s",)
    assert committee.noise > 0
    advice = advise(seeds, {"linear": PLAN, "cosine": COSINE}, 8000)
    assert advice.margin == pytest.approx(2 * committee.noise)


def test_runs_of_one_peak_and_one_seed_are_used_as_they_are():
    runs = [peak(1, "a"), peak(1, "b", WSD)]
    prediction = predict(runs, PLAN)
    assert prediction.notes == ()
    assert prediction.final == fit(runs).predict(PLAN).final
