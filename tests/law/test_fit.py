"""Fits find the law that runs obey, whatever else is in them."""

import math
from dataclasses import asdict, replace

import numpy as np
import pytest

import glidepath as gp
from glidepath.errors import LawError
from glidepath.law import MomentumLaw, MultiPowerLaw, NoiseFloorLaw, fit, fit_by_peak
from glidepath.law.evaluation import fast_sum, timeline
from glidepath.law.evaluation.formula import Parameters
from glidepath.law.fitting.observations import observe, thin
from glidepath.runs.run import Run

from .plans import (
    CONSTANT,
    COSINE,
    LATE_STEP,
    LAWS,
    LONG_COSINE,
    PEAK,
    TWO_LEVELS,
    USUAL,
    WARM,
    WSD,
    furthest,
    made,
)

FITTED, UNSEEN = (COSINE, TWO_LEVELS, WSD), (LATE_STEP, LONG_COSINE, CONSTANT)
NOISE = 3e-3
every_law = pytest.mark.parametrize("law", LAWS)


def late(plan):
    """After the first tenth, where laws hold."""
    return np.linspace(plan.duration // 10, plan.duration, 100).astype(int)


def off(found, true):
    """How far the predictions of a fit are from a law, at most, on three plans that no fit here saw."""
    return max(
        furthest(found.predict(plan, updates=late(plan)).losses, true.predict(plan, updates=late(plan)))
        for plan in UNSEEN
    )


def usual(free):
    """The mean of the prior for runs of 8,000 updates: what is per update is so much larger than in runs of 25,000."""
    return free.prior_mean + (math.log(25_000 / 8000) if free.name == "rho" else 0.0)


def true_law(law, **parameters):
    """A law whose parameters are the usual ones, but for some."""
    found = {free.name: free.value(usual(free)) for free in law.FREE if free.name not in ("limit", "gap", "noise")}
    wanted = {parameter: value for parameter, value in parameters.items() if parameter in found}
    return law.from_parameters(PEAK, Parameters(2.6, 0.9, noise=0.35, **(found | wanted)))


# --- what is found ---


@every_law
def test_parameters_that_are_the_usual_ones_are_found_exactly(law):
    true = true_law(law)
    found = fit([made(true, plan) for plan in FITTED], law)
    assert asdict(found.law) == pytest.approx(asdict(true), rel=1e-3)  # the weak prior on A and B keeps it from more
    assert off(found, true) < 2e-5
    assert found.residual_std < 1e-5


PRECISION = {law: 4e-3 if law is MultiPowerLaw else 5e-4 for law in LAWS}


@every_law
def test_parameters_that_are_not_the_usual_ones_are_found_as_far_as_losses_determine_them(law):
    true = true_law(law, alpha=0.6, rho=0.013 if law is MomentumLaw else 0.06, beta=1.4, kappa=0.77, q=0.9, gamma=0.65)
    found = fit([made(true, plan) for plan in FITTED], law)
    assert off(found, true) < PRECISION[law]
    assert found.law.parameters.limit == pytest.approx(2.6, rel=0.005)
    assert found.law.parameters.noise == pytest.approx(0.35, rel=0.03)


def test_the_parameters_of_the_noise_floor_are_found_within_five_percent():
    found = fit([made(USUAL, plan) for plan in FITTED])
    assert asdict(found.law) == pytest.approx(asdict(USUAL), rel=0.05)
    assert found.names == ("made",) * 3


@every_law
def test_noise_is_averaged_out(law):
    true = true_law(law)
    found = fit([made(true, plan, noise=NOISE, seed=i) for i, plan in enumerate(FITTED)], law)
    assert off(found, true) < NOISE
    assert found.residual_std == pytest.approx(NOISE, rel=0.1)


@pytest.mark.parametrize("seed", range(5))
def test_outliers_move_a_prediction_by_a_fraction_of_the_noise(seed):
    without, with_outliers = (
        fit([made(USUAL, plan, noise=NOISE, seed=seed + i, outliers=share) for i, plan in enumerate(FITTED)])
        for share in (0.0, 0.05)
    )
    assert off(with_outliers, without.law) < NOISE
    assert with_outliers.residual_std == pytest.approx(without.residual_std, rel=0.2)


@every_law
def test_one_run_that_decays_predicts_others(law):
    true = true_law(law)
    assert off(fit([made(true, COSINE)], law), true) < 3e-5


def test_one_cosine_tells_what_a_longer_one_does():
    found = fit([made(USUAL, COSINE, noise=1e-3)])
    longer = found.predict(LONG_COSINE, updates=late(LONG_COSINE)).losses
    assert furthest(longer, USUAL.predict(LONG_COSINE, updates=late(LONG_COSINE))) < 5e-3


def test_runs_may_have_different_lengths():
    short = [WARM >> gp.constant(1800) >> gp.linear(500), WARM >> gp.cosine(3000, to=0.1)]
    found = fit([made(USUAL, plan, noise=1e-3, seed=i) for i, plan in enumerate([*short, COSINE])])
    assert off(found, USUAL) < 3e-3
    assert found.furthest == pytest.approx(np.asarray(COSINE(np.arange(8000))).sum())


def test_runs_of_25_000_updates_and_more_have_the_usual_parameters_as_they_are():
    true = NoiseFloorLaw.from_parameters(PEAK, Parameters(2.6, 0.9, 0.5, 0.35, rho=math.exp(-4.5), kappa=0.65, q=0.75))
    for steps in (25_000, 50_000):
        plan = WARM >> gp.cosine(steps - 200, to=0.1)
        assert asdict(fit([made(true, plan)]).law) == pytest.approx(asdict(true), rel=2e-3)


def test_a_constant_run_may_stand_beside_one_that_decays():
    both = fit([made(USUAL, CONSTANT), made(USUAL, WSD)])
    assert off(both, USUAL) < 0.01


# --- what changes nothing ---


@every_law
@pytest.mark.parametrize("factor", [10.0, 0.1])
def test_rates_in_another_unit_change_no_prediction(law, factor):
    runs = [made(USUAL, plan, noise=1e-3, seed=3) for plan in FITTED[:2]]
    scaled = [replace(run, rates=factor * run.rates) for run in runs]
    one, other = fit(runs, law), fit(scaled, law)
    assert other.law.peak == pytest.approx(factor * one.law.peak)
    for plan in UNSEEN:
        assert furthest(other.predict(plan).losses, one.predict(plan).losses) < 1e-6


@every_law
@pytest.mark.parametrize("factor", [2.0, 0.693])
def test_losses_in_another_unit_scale_the_predictions(law, factor):
    runs = [made(USUAL, plan, noise=1e-3, seed=3) for plan in FITTED[:2]]
    one, other = fit(runs, law), fit([replace(run, losses=factor * run.losses) for run in runs], law)
    for parameter in ("limit", "gap", "noise"):
        assert getattr(other.law.parameters, parameter) == pytest.approx(
            factor * getattr(one.law.parameters, parameter), 1e-3
        )
    for plan in UNSEEN:
        there, here = other.predict(plan, updates=late(plan)), one.predict(plan, updates=late(plan))
        assert furthest(there.losses, factor * here.losses) < 1e-5
        assert furthest(there.high, factor * here.high) < 1e-4


def test_the_order_of_the_runs_changes_nothing():
    runs = [made(USUAL, plan, noise=1e-3, seed=3) for plan in FITTED]
    assert off(fit(runs[::-1]), fit(runs).law) < 1e-6


def test_a_weight_of_two_is_the_run_twice():
    one, other = (made(USUAL, plan, noise=1e-3, seed=3) for plan in FITTED[:2])
    assert off(fit([one, other], weights=[2, 1]), fit([one, one, other]).law) < 1e-6
    assert off(fit([one, other], weights=[1, 1]), fit([one, other]).law) < 1e-12
    assert off(fit([one, other], weights=[2, 1]), fit([one, other]).law) > 1e-6


def test_a_run_is_met_the_better_the_more_it_weighs():
    one, other = made(USUAL, COSINE), made(replace(USUAL, limit=2.65), WSD)
    errors = [np.abs(fit([one, other], weights=[1, weight]).residuals[1]).mean() for weight in (0.1, 1, 10, 100)]
    assert (np.diff(errors) < 0).all()
    assert errors[-1] < errors[0] / 4


def test_the_beginning_of_a_run_changes_nothing():
    run = made(USUAL, COSINE, noise=1e-3)
    early = np.where(run.updates <= 0.08 * run.steps, 50.0, run.losses)
    assert asdict(fit([replace(run, losses=early)]).law) == asdict(fit([run]).law)


def test_losses_within_the_warmup_are_left_out_however_long_it_is():
    run = made(USUAL, gp.linear(3000, start=0, to=1) >> gp.linear(5000))
    assert observe(run, PEAK).timeline.updates[0] > 0.99 * 3000


# --- what a fit says of itself ---


@every_law
def test_the_residuals_are_those_of_the_law_that_is_returned(law):
    runs = [made(USUAL, plan, noise=1e-3, seed=3) for plan in FITTED]
    found = fit(runs, law)
    for run, residuals in zip(runs, found.residuals, strict=True):
        used = run.updates > 0.08 * run.steps
        there = found.predict(run.rates, updates=run.updates[used]).losses
        assert residuals == pytest.approx(np.log(there) - np.log(run.losses[used]), abs=1e-12)


@every_law
def test_what_is_found_is_a_minimum(law):
    """No other law nearby has residuals that are as small, prior and all."""
    runs = [made(USUAL, plan, noise=NOISE, seed=3) for plan in FITTED]
    found = fit(runs, law)
    scale, bend = max(1.5e-3, found.residual_std), 0.5
    shares = [len(one) / min(20, len(one) / 9) for one in found.residuals]

    def cost(z):
        parameters = Parameters(**{free.name: free.value(one) for free, one in zip(law.FREE, z, strict=True)})
        there = law.from_parameters(PEAK, parameters)
        total = sum(
            (((one - usual(free)) / free.prior_std) ** 2 / 2 for free, one in zip(law.FREE, z, strict=True)), 0.0
        )
        for run, share in zip(runs, shares, strict=True):
            used = run.updates > 0.08 * run.steps
            size = np.abs(np.log(there.predict(run.rates, updates=run.updates[used]) / run.losses[used])) / scale
            total += share * np.where(size < bend, size**2, 2 * bend * size - bend**2).mean() / 2
        return float(total)

    least = cost(found.coordinates)
    deviations = np.sqrt(np.diag(found.covariance))
    for way in np.vstack([np.eye(len(deviations)), np.random.default_rng(0).normal(size=(10, len(deviations)))]):
        for step in (-0.1, 0.1):
            assert cost(found.coordinates + step * deviations * way) > least * (1 - 1e-6)


def test_thousands_of_losses_are_averaged_to_hundreds():
    run = made(USUAL, COSINE, noise=NOISE, points=4000)
    few = observe(run, PEAK)
    assert 300 < len(few.log_losses) <= 400
    assert (np.diff(few.timeline.updates) > 0).all()
    runs = [made(USUAL, plan, noise=NOISE, points=4000, seed=i) for i, plan in enumerate(FITTED)]
    assert off(fit(runs), USUAL) < NOISE / 2


def test_averages_stand_in_the_middle_of_what_they_average():
    updates, values = thin(np.arange(10, 21), np.arange(11.0), most=4)
    assert (updates.tolist(), values.tolist()) == ([11, 14, 17, 19], [1.0, 4.0, 7.0, 9.5])
    assert thin(np.arange(1, 5), np.ones(4), most=4)[0].tolist() == [1, 2, 3, 4]


def test_the_changes_of_a_run_are_cut_into_blocks_once_however_many_runs_there_are(monkeypatch):
    built = []

    class Counted(fast_sum.SourceTree):
        def __init__(self, *args, **kwargs):
            built.append(1)
            super().__init__(*args, **kwargs)

    runs = [made(USUAL, WARM >> gp.cosine(2000 + i, to=0.1)) for i in range(6)]
    monkeypatch.setattr(timeline, "SourceTree", Counted)
    fit(runs)
    assert len(built) == 6


# --- peaks ---


def with_peak(scale, name, plan=COSINE, noise=0.0):
    return made(USUAL, plan, scale=scale, name=name, noise=noise)


def test_runs_of_different_peaks_are_fitted_apart():
    runs = [with_peak(1, "a"), with_peak(2, "b"), with_peak(1, "c", WSD), with_peak(0.5, "d")]
    found = fit_by_peak(runs)
    assert [one.names for one in found.values()] == [("d",), ("a", "c"), ("b",)]
    assert list(found) == pytest.approx([0.5 * PEAK, PEAK, 2 * PEAK])
    assert off(found[runs[1].peak], fit([runs[1]]).law) < 1e-12


def test_one_fit_over_different_peaks_has_to_be_asked_for():
    runs = [with_peak(1, "low"), with_peak(2, "high")]
    with pytest.raises(
        LawError,
        match=r"different peaks \(low: 0.0003, high: 0.0006\).*fit_by_peak\(runs\), or .*them, across_peaks=True",
    ):
        fit(runs)
    assert fit(runs, across_peaks=True).law.peak == pytest.approx(2 * PEAK)


def test_peaks_that_differ_by_rounding_are_one():
    assert off(fit([with_peak(1, "a"), with_peak(1.005, "b", WSD)]), USUAL) < 5e-3


def test_peaks_a_little_below_and_above_the_first_do_not_stop_a_fit_by_peak():
    found = fit_by_peak([with_peak(1, "a"), with_peak(0.992, "b"), with_peak(1.008, "c")])
    assert sum(len(one.names) for one in found.values()) == 3


# --- refusals ---


def test_a_rate_that_never_falls_is_refused():
    for plan in (CONSTANT, WARM >> gp.linear(7800, start=1, to=0.95)):
        with pytest.raises(LawError, match="the rate never falls in flat, and a constant rate says nothing about what"):
            fit([made(USUAL, plan, name="flat")])
    with pytest.raises(LawError, match="never falls in one, two"):
        fit([made(USUAL, CONSTANT, name=name) for name in ("one", "two")])


def test_a_fall_after_the_last_loss_is_none():
    run = made(USUAL, WSD, name="cut")
    early = run.updates < 6400
    with pytest.raises(LawError, match="never falls in cut"):
        fit([Run("cut", run.rates, run.updates[early], run.losses[early])])


def test_a_fit_needs_eight_losses_after_the_beginning():
    run = made(USUAL, COSINE)
    for few in (2, 7):
        with pytest.raises(LawError, match=f"made has {few} losses after its beginning .8% of the run, and its warmup"):
            fit([Run("made", run.rates, run.updates[-few:], run.losses[-few:])])
    eight = slice(31, 200, 24)
    assert len(fit([Run("made", run.rates, run.updates[eight], run.losses[eight])]).residuals[0]) == 8
    early = run.updates <= 0.08 * run.steps
    with pytest.raises(LawError, match="made has 0 losses"):
        fit([Run("made", run.rates, run.updates[early], run.losses[early])])


def test_no_run_is_refused():
    with pytest.raises(LawError, match="there is no run to fit a law to"):
        fit([])
    assert fit_by_peak([]) == {}


@pytest.mark.parametrize("weights", [[1.0], [1, 2, 3], [1, 0], [1, -1], [1, float("nan")], [1, float("inf")], []])
def test_weights_are_one_number_above_zero_for_each_run(weights):
    with pytest.raises(LawError, match="weights are one number above 0 for each of the 2 runs, not"):
        fit([made(USUAL, COSINE), made(USUAL, WSD)], weights=weights)


# --- losses that are none ---


@pytest.mark.parametrize(
    ("losses", "message"),
    [
        (lambda m: np.linspace(2, 3, m), "do not fall with training"),
        (
            lambda m: np.geomspace(1e9, 1e-9, m),
            "too noisy, or not the losses of one training|do not fall|loss of 0 or less",
        ),
        (lambda m: 2 + np.random.default_rng(0).random(m), "do not fall with training"),
        (lambda m: np.exp(np.random.default_rng(0).normal(size=m)), "too noisy, or not the losses of one training"),
        (lambda m: np.full(m, 2.5), "do not fall with training"),
    ],
)
def test_what_no_law_describes_gets_an_error_and_no_number(losses, message):
    run = made(USUAL, COSINE)
    with pytest.raises(LawError, match=message):
        fit([Run("odd", run.rates, run.updates, losses(len(run.updates)))]).predict(WSD)


def test_a_run_that_hardly_counts_makes_the_others_no_noisier():
    runs = [made(USUAL, COSINE, noise=1e-3), made(USUAL, WSD, noise=1e-3, seed=1)]
    odd = Run("odd", runs[0].rates, runs[0].updates, runs[0].losses * np.linspace(1.0, 1.3, len(runs[0].updates)))
    alone = fit(runs)
    assert fit([*runs, odd], weights=[1, 1, 1e-9]).residual_std == pytest.approx(alone.residual_std, rel=0.05)
    assert fit([*runs, odd]).residual_std > 3 * alone.residual_std


@pytest.mark.parametrize("updates", [[100.7], 5, [[5, 6]], ["a"]])
def test_updates_that_are_no_counts_are_refused(updates):
    for ask in (fit([made(USUAL, COSINE)]).predict, USUAL.predict):
        with pytest.raises(LawError, match="updates are whole numbers in a row"):
            ask(WSD, updates=updates)


def test_the_noise_is_that_of_one_loss_however_many_there_are():
    dense = made(USUAL, COSINE, noise=0.02, points=4000, seed=5)
    found = fit([dense])
    assert found.residual_std == pytest.approx(0.02, rel=0.1)
    late_ones = dense.updates > 1000
    late_updates = dense.updates[late_ones]
    band = found.predict(dense.rates, updates=late_updates)
    inside = (dense.losses[late_ones] >= band.low) & (dense.losses[late_ones] <= band.high)
    assert 0.86 < inside.mean() < 0.96


@every_law
@pytest.mark.parametrize("unit", [1e-3, 1e4])
def test_losses_in_another_unit_change_no_prediction(law, unit):
    runs = [made(USUAL, plan, noise=1e-3, seed=3) for plan in FITTED[:2]]
    scaled = [replace(run, losses=unit * run.losses) for run in runs]
    one, other = fit(runs, law), fit(scaled, law)
    for plan in UNSEEN:
        mine, theirs = (found.predict(plan, updates=late(plan)) for found in (one, other))
        assert theirs.losses / unit == pytest.approx(mine.losses, rel=1e-7)
        assert theirs.high / unit == pytest.approx(mine.high, rel=1e-6)


def test_without_the_prior_runs_are_met_more_closely():
    runs = [made(replace(USUAL, noise_exponent=0.9), plan, noise=1e-3, seed=i) for i, plan in enumerate(FITTED)]
    free, held = (np.concatenate(fit(runs, prior=prior).residuals) for prior in (False, True))
    assert np.square(free).sum() < np.square(held).sum()
    assert np.isfinite(fit(runs, prior=False).covariance).all()


def test_anything_but_a_list_of_runs_and_a_law_is_refused():
    run = made(USUAL, COSINE)
    for wrong in (lambda: fit(run), lambda: fit([run], "noise-floor"), lambda: fit([run], weights=["x"])):
        with pytest.raises(LawError):
            wrong()
