"""Bands hold as often as they say, and grow with what is not known."""

from statistics import NormalDist

import numpy as np
import pytest

import glidepath as gp
from glidepath.errors import LawError
from glidepath.law import MultiPowerLaw, NoiseFloorLaw, fit, predict
from glidepath.law.evaluation.formula import Parameters
from glidepath.law.fitting.prediction import space_evenly

from .plans import CONSTANT, COSINE, LATE_STEP, LONG_COSINE, PEAK, TWO_LEVELS, USUAL, WARM, WSD, made

NOISE = 3e-3
FOUND = fit([made(USUAL, COSINE, noise=NOISE)])


def width(prediction):
    return np.log(prediction.high / prediction.low)


# --- what is predicted ---


def test_a_prediction_is_the_laws():
    updates = np.array([10, 4000, 8000])
    found = FOUND.predict(WSD, updates=updates)
    assert found.losses == pytest.approx(FOUND.law.predict(WSD, updates=updates), rel=1e-12)
    assert found.updates.tolist() == [10, 4000, 8000]
    assert found.rates == pytest.approx([PEAK * WSD(k - 1) for k in updates])
    assert (found.final, found.level) == (found.losses[-1], 0.9)


def test_to_predict_is_to_fit_and_then_predict():
    found = predict([made(USUAL, COSINE, noise=NOISE)], WSD, 8000, updates=[400, 8000], level=0.5)
    wanted = FOUND.predict(WSD, updates=[400, 8000], level=0.5)
    assert (found.losses.tolist(), found.high.tolist(), found.level) == (
        wanted.losses.tolist(),
        wanted.high.tolist(),
        0.5,
    )
    other = predict([made(USUAL, COSINE, noise=NOISE)], WSD, law=MultiPowerLaw)
    assert other.losses.tolist() == fit([made(USUAL, COSINE, noise=NOISE)], MultiPowerLaw).predict(WSD).losses.tolist()


def test_a_curve_is_predicted_at_some_hundred_updates_up_to_the_last():
    found = FOUND.predict(WSD)
    assert len(found.updates) == 400
    assert (found.updates[0], found.updates[-1]) == (2, 8000)  # the first update of this warmup moves nothing
    assert np.ptp(np.diff(found.updates)) <= 1
    assert FOUND.predict(gp.constant(5)).updates.tolist() == [1, 2, 3, 4, 5]


def test_places_are_whole_and_differ():
    assert space_evenly(3, 3).tolist() == [3]
    assert space_evenly(1, 1000, 5).tolist() == [1, 251, 500, 750, 1000]


def test_a_draft_is_predicted_over_the_steps_that_are_given():
    draft = WARM >> gp.constant() >> gp.linear(1500, to=0.05)
    assert FOUND.predict(draft, 8000).losses == pytest.approx(FOUND.predict(WSD).losses)
    with pytest.raises(LawError, match="no length of its own"):
        FOUND.predict(draft)


def test_rates_are_absolute_and_schedules_are_not():
    rates = PEAK * np.asarray(WSD(np.arange(8000)))
    assert FOUND.predict(rates).losses == pytest.approx(FOUND.predict(WSD).losses)
    with pytest.raises(LawError, match="looks like a rate"):
        FOUND.predict(PEAK * WSD)
    with pytest.raises(LawError, match="update 1 has the rate -"):
        FOUND.predict(-rates)


@pytest.mark.parametrize("updates", [[], [1, 8000], [0, 5], [8001], [5, 5], [6, 5]])
def test_updates_outside_the_run_are_refused(updates):
    with pytest.raises(LawError, match="known after 2 to 8000 updates"):
        FOUND.predict(WSD, updates=updates)


# --- bands ---


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1, 1.5, 90, float("nan")])
def test_a_level_is_a_share(level):
    with pytest.raises(LawError, match=f"level= is between 0 and 1, as in 0.9, not {level!r}"):
        FOUND.predict(WSD, level=level)


@pytest.mark.parametrize("plan", [WSD, LONG_COSINE, CONSTANT])
def test_the_loss_is_in_the_middle_of_the_logarithms(plan):
    found = FOUND.predict(plan)
    assert (found.low < found.losses).all()
    assert (found.losses < found.high).all()
    assert found.high * found.low == pytest.approx(found.losses**2)
    assert found.final_high * found.final_low == pytest.approx(found.final**2)


@pytest.mark.parametrize("level", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("plan", [WSD, LONG_COSINE])
def test_a_band_is_what_its_formula_says(plan, level):
    """Derivatives by differences of the law; the constants as the page prints them."""
    found = FOUND.predict(plan, updates=[500, 4000, plan.duration], level=level)

    def logs(z):
        parameters = Parameters(**{free.name: free.value(one) for free, one in zip(NoiseFloorLaw.FREE, z, strict=True)})
        return np.log(NoiseFloorLaw.from_parameters(PEAK, parameters).predict(plan, updates=found.updates))

    steps = 1e-4 * np.eye(len(FOUND.coordinates))
    jacobian = np.array([logs(FOUND.coordinates + one) - logs(FOUND.coordinates - one) for one in steps]).T / 2e-4
    parameters = np.sqrt(np.diag(jacobian @ FOUND.covariance @ jacobian.T))
    progress = np.cumsum([plan(k) for k in range(plan.duration)])[found.updates - 1]
    further = np.maximum(0, np.log2(progress / np.sum([COSINE(k) for k in range(8000)])))
    before = np.maximum(0, np.log2(FOUND.earliest / progress))
    missed = 1e-3 * (1 + further) * (1 + 3 * np.maximum(0, further - 1) ** 2) + 1e-2 * before
    point = NormalDist().inv_cdf((1 + level) / 2)
    band, end = (point * np.sqrt((share * parameters) ** 2 + missed**2 + FOUND.residual_std**2) for share in (0.5, 0.7))
    assert before[0] > 0
    assert np.log(found.high / found.losses) == pytest.approx(band, rel=1e-5)
    assert np.log(found.final_high / found.final) == pytest.approx(end[-1], rel=1e-5)


def test_a_higher_level_is_a_wider_band():
    half, most, nearly = (FOUND.predict(WSD, level=level) for level in (0.5, 0.9, 0.99))
    assert (width(half) < width(most)).all()
    assert (width(most) < width(nearly)).all()


@pytest.mark.parametrize("plan", [WSD, LONG_COSINE, CONSTANT, LATE_STEP])
def test_the_interval_of_the_last_loss_is_at_least_as_wide_as_the_band(plan):
    found = FOUND.predict(plan)
    assert found.final_low <= found.low[-1]
    assert found.high[-1] <= found.final_high


def test_a_band_is_wider_further_away():
    ends = [float(width(FOUND.predict(WARM >> gp.constant(steps)))[-1]) for steps in (6000, 12_000, 24_000, 48_000)]
    assert (np.diff(ends) > 0).all()


def test_more_runs_make_a_narrower_band():
    more = fit([made(USUAL, plan, noise=NOISE, seed=i) for i, plan in enumerate((COSINE, TWO_LEVELS, WSD))])
    assert width(more.predict(LATE_STEP))[-1] < width(FOUND.predict(LATE_STEP))[-1]


def test_noisier_losses_make_a_wider_band():
    quiet = fit([made(USUAL, COSINE, noise=1e-4)])
    assert (width(quiet.predict(WSD)) < width(FOUND.predict(WSD))).all()
    assert quiet.residual_std < 1e-3 < FOUND.residual_std


def test_a_band_holds_as_often_as_it_says():
    """Thirty fits on one noisy cosine each, and on each plan 200 losses with noise of their own."""
    inside, ends = [], []
    for seed in range(30):
        found = fit([made(USUAL, COSINE, noise=NOISE, seed=seed)])
        for plan in (WSD, LATE_STEP, LONG_COSINE):
            run = made(USUAL, plan, noise=NOISE, seed=1000 + seed)
            late = run.updates > 0.08 * run.steps
            band = found.predict(plan, updates=run.updates[late])
            inside.append(np.mean((band.low <= run.losses[late]) & (run.losses[late] <= band.high)))
            ends.append(band.final_low <= run.final <= band.final_high)
    assert 0.88 < np.mean(inside) < 0.98
    assert np.mean(ends) > 0.87
