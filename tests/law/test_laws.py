"""Every law against the published formula, written out in `oracles.py`."""

from dataclasses import asdict, fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import glidepath as gp
from glidepath.errors import LawError
from glidepath.law import ConvexKernelLaw, FunctionalScalingLaw, MomentumLaw, MultiPowerLaw, NoiseFloorLaw
from glidepath.law.evaluation.convex_noise import ConvexNoise
from glidepath.law.evaluation.formula import Parameters, losses
from glidepath.law.evaluation.timeline import History, Timeline
from glidepath.law.fitting.problem import relative_slopes

from . import oracles
from .plans import LAWS, PARAMETERS, PEAK, RATIOS, USUAL, updates_of

ORACLES = {
    NoiseFloorLaw: oracles.noise_floor,
    FunctionalScalingLaw: oracles.functional_scaling,
    MomentumLaw: oracles.momentum,
    MultiPowerLaw: oracles.multi_power,
    ConvexKernelLaw: oracles.convex_kernel,
}
EXACT = 1e-8
every_law = pytest.mark.parametrize("law", LAWS)


def published(law, rates, updates):
    rates = rates.tolist()
    return np.array([ORACLES[type(law)](rates, int(t), **asdict(law)) for t in updates])


def agree(found, wanted, ratios, losses=None):
    """To 1e-8 of the loss, and of all that the changes of the rate add up to."""
    size = np.abs(wanted if losses is None else losses) + np.abs(np.diff(ratios**0.3, prepend=0)).sum()
    return (np.abs(np.asarray(found) - wanted) <= EXACT * size).all()


def derivative(function, step=2e-3):
    """Of a function of a number at 0, from six values around it: exact but for step^6."""
    stencil = {1: 3 / 4, 2: -3 / 20, 3: 1 / 60}
    return sum(weight * (function(n * step) - function(-n * step)) for n, weight in stencil.items()) / step


def searched(law_type, parameters):
    """The numbers z that a fit searches."""
    given = [getattr(parameters, free.name) for free in law_type.FREE]
    return np.array([np.log(one) if free.log else one for free, one in zip(law_type.FREE, given, strict=True)])


def law_at(law_type, z):
    values = {free.name: free.value(one) for free, one in zip(law_type.FREE, z, strict=True)}
    return law_type.from_parameters(PEAK, Parameters(**values))


# --- values ---


@every_law
@settings(max_examples=150)
@given(ratios=RATIOS, parameters=PARAMETERS, peak=st.sampled_from([1e-5, 3e-4, 1.0, 7.0]))
def test_a_law_is_its_published_formula(law, ratios, parameters, peak):
    one, rates, updates = law.from_parameters(peak, parameters), peak * ratios, updates_of(ratios)
    assert agree(one.predict(rates, updates=updates), published(one, rates, updates), ratios)


@settings(max_examples=150)
@given(ratios=RATIOS, parameters=PARAMETERS)
def test_the_noise_floor_is_the_convolution_that_it_comes_from(ratios, parameters):
    law, updates = NoiseFloorLaw.from_parameters(1.0, parameters), updates_of(ratios)
    convolved = [oracles.noise_floor_by_parts(ratios.tolist(), int(t), **asdict(law)) for t in updates]
    assert agree(law.predict(ratios, updates=updates), convolved, ratios)


@settings(max_examples=30)
@given(ratios=st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=1, max_size=70).filter(any))
def test_the_convex_noise_is_the_fraction_that_the_bound_has(ratios):
    updates = updates_of(np.array(ratios))
    noise = ConvexNoise(Timeline(History(np.array(ratios)), updates)).size(Parameters(0, 1, 1, 1))
    assert noise == pytest.approx([float(oracles.exact_convex_noise(ratios, int(t))) for t in updates], rel=1e-10)


LONG = {
    "cosine": gp.warmup(2160) >> gp.cosine(21_840, to=0.1),
    "wsd": gp.wsd(24_000, warmup=2160, cooldown=4000, to=0.01),
    "one jump": gp.constant(8000) >> 0.1 * gp.constant(16_000),
    "restarts": gp.cosine_restarts(3000, to=0.01)[:24_000],
    "to zero": gp.linear(23_000) >> 0 * gp.constant(1000),
}


@every_law
@pytest.mark.parametrize("name", LONG)
def test_a_whole_long_curve_is_as_exact(law, name):
    parameters = Parameters(2.6, 0.9, 0.5, 0.35, rho=0.01, beta=0.8, kappa=0.7, q=0.75, gamma=0.5)
    one = law.from_parameters(PEAK, parameters)
    rates = PEAK * np.asarray(LONG[name](np.arange(24_000)), dtype=np.float64)
    updates, some = np.arange(10, 24_001, 10), np.array([10, 2160, 8010, 23_010, 24_000])
    curve = one.predict(rates, updates=updates)
    assert curve[some // 10 - 1] == pytest.approx(published(one, rates, some), rel=EXACT)


@every_law
def test_a_schedule_is_the_same_run_as_its_rates(law):
    one = law.from_parameters(PEAK, Parameters(2.6, 0.9, 0.5, 0.35, rho=0.01))
    plan = gp.warmup(50) >> gp.constant(300) >> gp.linear(100)
    rates = PEAK * np.asarray(plan(np.arange(450)), dtype=np.float64)
    assert one.predict(plan) == pytest.approx(one.predict(rates), rel=1e-12)
    assert one.predict(plan, 450, updates=[7, 450]) == pytest.approx(one.predict(rates)[[6, 449]], rel=1e-8)


@every_law
@settings(max_examples=20)
@given(ratios=RATIOS, parameters=PARAMETERS, factor=st.sampled_from([0.1, 10.0]))
def test_a_law_knows_rates_by_their_share_of_the_peak(law, ratios, parameters, factor):
    some, updates = law.from_parameters(PEAK, parameters), updates_of(ratios)
    same = law.from_parameters(factor * PEAK, parameters)
    assert agree(same.losses(ratios, updates), some.losses(ratios, updates), ratios)


@every_law
@settings(max_examples=20)
@given(ratios=RATIOS, parameters=PARAMETERS)
def test_what_comes_later_changes_nothing_before(law, ratios, parameters):
    one, updates = law.from_parameters(PEAK, parameters), updates_of(ratios)
    longer = np.concatenate([ratios, [0.0, 1.0, 0.5]])
    assert agree(one.losses(longer, updates), one.losses(ratios, updates), ratios)


@settings(max_examples=20)
@given(ratios=RATIOS, parameters=PARAMETERS)
def test_the_laws_are_special_cases_of_each_other(ratios, parameters):
    updates = updates_of(ratios)
    plain = Parameters(
        parameters.limit, parameters.gap, parameters.alpha, parameters.noise, parameters.rho, parameters.beta
    )
    one, *others = (law.from_parameters(PEAK, plain) for law in (FunctionalScalingLaw, NoiseFloorLaw, MultiPowerLaw))
    for other in others:
        assert agree(other.losses(ratios, updates), one.losses(ratios, updates), ratios)


@pytest.mark.parametrize("rate", [0.05, 0.3, 1.0])
def test_a_constant_rate_ends_on_its_own_floor(rate):
    long = NoiseFloorLaw(1.0, 2.0, 1e-9, 0.5, noise=0.4, noise_exponent=0.7, relaxation=0.5, clock_exponent=0.8)
    assert long.predict(np.full(200_000, rate), updates=[200_000])[0] == pytest.approx(2 + 0.4 * rate**0.7, abs=1e-6)


# --- derivatives ---


@every_law
@settings(max_examples=60)
@given(ratios=RATIOS, parameters=PARAMETERS)
def test_the_derivatives_are_those_of_the_published_formula(law, ratios, parameters):
    updates, z = updates_of(ratios, some=[0.6]), searched(law, parameters)
    timeline = Timeline(History(ratios), updates)
    loss, slopes = losses(timeline, law.noise_of(timeline), law_at(law, z).parameters)
    found = relative_slopes(law, z, loss, slopes) * loss[:, None]
    for column, parameter in enumerate(free.name for free in law.FREE):
        along = np.eye(len(z))[column]
        wanted = derivative(lambda x, along=along: published(law_at(law, z + x * along), PEAK * ratios, updates))
        assert agree(found[:, column], wanted, ratios, np.abs(loss) + np.abs(wanted)), parameter


@every_law
def test_the_derivatives_of_a_long_run_are_as_exact(law):
    ratios = np.asarray(LONG["cosine"](np.arange(24_000)), dtype=np.float64)
    updates = np.array([9000, 24_000])
    z = searched(law, Parameters(2.6, 0.9, 0.5, 0.35, rho=0.01, beta=0.8, kappa=0.7, q=0.75, gamma=0.5))
    timeline = Timeline(History(ratios), updates)
    found = relative_slopes(law, z, *losses(timeline, law.noise_of(timeline), law_at(law, z).parameters))
    along = np.linspace(1, -1, len(z))
    wanted = derivative(lambda x: np.log(published(law_at(law, z + x * along), PEAK * ratios, updates)))
    assert found @ along == pytest.approx(wanted, rel=EXACT, abs=EXACT)


# --- parameters ---


@every_law
@given(parameters=PARAMETERS, peak=st.floats(1e-6, 10))
def test_a_law_goes_to_the_parameters_of_the_formula_and_back(law, parameters, peak):
    one = law.from_parameters(peak, parameters)
    same = law.from_parameters(peak, one.parameters)
    assert asdict(same) == pytest.approx(asdict(one), rel=1e-9)
    for free in law.FREE:
        assert getattr(one.parameters, free.name) == pytest.approx(getattr(parameters, free.name), rel=1e-9)


def test_the_noise_floor_law_forgets_with_an_exponent_of_two():
    assert {field.name: field.default for field in fields(USUAL)}["relaxation_exponent"] == 2.0
    assert "beta" not in {free.name for free in NoiseFloorLaw.FREE}


# --- refusals ---


@every_law
@pytest.mark.parametrize("updates", [[], [0], [2, 8], [11], [9, 9], [9, 8], [-1]])
def test_a_loss_is_known_from_the_first_update_that_moves_to_the_last(law, updates):
    one = law.from_parameters(PEAK, Parameters(2.6, 0.9, 0.5, 0.35))
    rates = PEAK * np.array([0.0, 0, 1, 1, 1, 1, 0.5, 0.5, 0.5, 0])
    assert len(one.predict(rates)) == 8
    with pytest.raises(LawError, match="known after 3 to 10 updates: ask for ascending numbers"):
        one.predict(rates, updates=updates)
