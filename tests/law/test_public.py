"""What `glidepath.law` exports: each name is documented, and parameters and committees say what they hold."""

import inspect

import numpy as np
import pytest

from glidepath import constant, cosine, law, linear
from glidepath.law import LAWS, Committee, Fit, FittedParameter, MultiPowerLaw, NoiseFloorLaw, fit, fit_committee
from glidepath.law.fitting.parameters import MEANINGS

from .plans import COSINE, LATE_STEP, USUAL, WSD, made

PUBLIC = [name for name in vars(law) if not name.startswith("_") and not inspect.ismodule(getattr(law, name))]
DATA = {"LAWS", "LawName", "needs_extra"}
RUNS = [made(USUAL, COSINE, noise=1e-3), made(USUAL, WSD, noise=1e-3, seed=1)]


@pytest.fixture(scope="module")
def committee() -> Committee:
    return fit_committee(RUNS)


@pytest.mark.parametrize("name", sorted(set(PUBLIC) - DATA))
def test_every_public_name_has_a_docstring_and_is_named_in_that_of_the_package(name):
    assert inspect.getdoc(getattr(law, name))
    assert name in law.__doc__


def test_every_law_is_in_the_table_under_its_own_name():
    assert {kind.NAME: kind for kind in law.Law.__subclasses__()} == LAWS
    assert set(LAWS) == set(law.LawName.__args__)


# --- the parameters of a fit ---


@pytest.mark.parametrize("name", LAWS)
def test_a_fit_lists_its_free_parameters_in_the_order_of_the_law(name):
    found = fit(RUNS, LAWS[name])
    assert [row.name for row in found.parameters] == [free.name for free in LAWS[name].FREE]
    for row in found.parameters:
        assert row.value == pytest.approx(getattr(found.law.parameters, row.name), rel=1e-12)
        assert (row.symbol, row.meaning) == MEANINGS[row.name]
        assert row.standard_error > 0


def test_the_standard_error_of_a_logarithm_is_relative():
    found = Fit(USUAL, np.array([2.6, np.log(0.9), -0.8, -1.0, -3.7, 0.75, 0.8]), np.diag([0.04] * 7), (), (), 0, 1, 1)
    limit, gap, *_, q = found.parameters
    assert limit == FittedParameter("limit", "L0", "loss that no training removes", 2.6, pytest.approx(0.2))
    assert (gap.value, gap.standard_error) == pytest.approx((0.9, 0.18))
    assert (q.value, q.standard_error) == pytest.approx((0.8, 0.2))


def test_more_runs_make_smaller_standard_errors():
    few = fit(RUNS[:1], NoiseFloorLaw)
    many = fit([*RUNS, made(USUAL, LATE_STEP, noise=1e-3, seed=2)], NoiseFloorLaw)
    for before, after in zip(few.parameters, many.parameters, strict=True):
        assert after.standard_error / after.value < before.standard_error / before.value, before.name


def test_fits_that_differ_by_their_noise_alone_differ_by_less_than_their_standard_errors():
    """Neighboring losses count as one observation: 200 independent ones are worth more."""
    fits = [fit([made(USUAL, plan, noise=3e-3, seed=seed) for plan in (COSINE, WSD)]) for seed in range(20)]
    limits = [found.parameters[0] for found in fits]
    spread = np.std([row.value for row in limits])
    assert 0.1 < spread / np.mean([row.standard_error for row in limits]) < 1


# --- the curve of a committee ---


def test_the_curve_of_a_committee_is_the_mean_of_its_laws(committee):
    curve = committee.predict(LATE_STEP, updates=[4000, 8000])
    each = np.array([found.predict(LATE_STEP, updates=[4000, 8000]).losses for found in committee.fits])
    assert curve.losses == pytest.approx(each.sum(axis=0) / 3)
    assert curve.final == pytest.approx(committee.loss(LATE_STEP), abs=1e-7)
    assert (curve.updates.tolist(), curve.level) == ([4000, 8000], 0.9)


def test_the_band_of_a_committee_is_wider_than_that_of_its_first_law_by_what_the_laws_differ(committee):
    curve, first = committee.predict(LATE_STEP), committee.fits[0].predict(LATE_STEP)
    between = np.std([found.predict(LATE_STEP).losses for found in committee.fits], axis=0)
    below, above = 1 - first.low / first.losses, first.high / first.losses - 1
    assert curve.losses - curve.low == pytest.approx(curve.losses * below + between)
    assert curve.high - curve.losses == pytest.approx(curve.losses * above + between)
    assert curve.final_low < curve.final < curve.final_high


def test_the_interval_of_the_last_loss_is_that_of_the_ranking(committee):
    rates = committee.peak * np.asarray(LATE_STEP(np.arange(LATE_STEP.duration)))
    (row,) = law.advising.advice.rank_schedules(committee, {"late step": rates})
    curve = committee.predict(rates)
    assert (curve.final_low, curve.final_high) == pytest.approx((row.low, row.high), abs=1e-6)


def test_a_committee_of_a_single_law_has_its_band():
    found = fit(RUNS, MultiPowerLaw)
    alone, curve = found.predict(WSD, level=0.5), Committee((found,)).predict(WSD, level=0.5)
    assert (curve.low, curve.high) == (pytest.approx(alone.low), pytest.approx(alone.high))
    assert curve.doubts == alone.doubts == ()


def test_a_curve_that_goes_too_far_says_so(committee):
    far = constant(30_000) >> linear(10_000)
    assert committee.predict(far).doubts == committee.fits[0].predict(far).doubts != ()
    assert committee.predict(cosine("100%"), 4000).updates[-1] == 4000


# --- what an advice holds ---


def test_an_advice_ranks_says_how_long_to_cool_down_and_what_to_make_next():
    advice = law.advise(RUNS, {"cosine": cosine("100%"), "linear": linear("100%")}, 2000)
    assert isinstance(advice, law.Advice)
    assert all(isinstance(row, law.RankedSchedule) for row in advice.ranking)
    assert [row.loss for row in advice.ranking] == sorted(row.loss for row in advice.ranking)
    assert isinstance(advice.cooldown, law.Cooldown)
    assert isinstance(advice.next, law.NextRun)
    assert advice.next.std_after < advice.next.std_now


def test_a_prediction_is_a_curve_with_a_band_around_it():
    prediction = law.predict(RUNS, cosine(2000))
    assert isinstance(prediction, law.Prediction)
    assert (prediction.low <= prediction.losses).all()
    assert (prediction.losses <= prediction.high).all()
    assert prediction.final == prediction.losses[-1]
