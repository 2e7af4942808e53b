"""What a few runs say of schedules that were not trained: on runs that a known law leaves."""

import math

import numpy as np
import pytest

from glidepath import constant, cosine, linear, one_minus_sqrt, warmup
from glidepath.errors import LawError
from glidepath.law import advise, fit
from glidepath.law.advising.advice import TIE, rank_schedules
from glidepath.law.advising.next_run import choose_first_runs, next_run
from glidepath.law.designing.named_schedules import cooldown, standard_schedules
from glidepath.law.fitting.committee import fit_committee

from .known import NOISE_FLOOR, PEAK, run

STEPS = 4_000
RUNS = [
    run("cosine", warmup(100) >> cosine(2_900, to=0.1), 3_000, noise=3e-4, seed=1),
    run("wsd", warmup(100) >> constant(2_300) >> linear(600), 3_000, noise=3e-4, seed=2),
]
CANDIDATES = {
    "cosine": warmup("2%") >> cosine("98%"),
    "linear": warmup("2%") >> linear("98%"),
    "wsd 10%": warmup("2%") >> constant() >> linear("10%"),
    "wsd 30%": warmup("2%") >> constant() >> linear("30%"),
    "constant": warmup("2%") >> constant(),
}


@pytest.fixture(scope="module")
def advice():
    return advise(RUNS, CANDIDATES, STEPS, warmup=80)


def rates_of(plan):
    return PEAK * plan.over(STEPS)(np.arange(STEPS))


def truth(plan):
    return NOISE_FLOOR.final_loss(plan.over(STEPS), STEPS)


def test_the_order_is_that_of_the_truth(advice):
    real = {name: truth(plan) for name, plan in CANDIDATES.items()}
    assert [one.name for one in advice.ranking] == sorted(real, key=lambda name: real[name])
    for one in advice.ranking:
        assert one.low < real[one.name] < one.high
        assert one.low < one.loss < one.high
        assert one.loss == pytest.approx(np.mean(list(one.by_law.values())))
        assert one.behind == pytest.approx(one.loss - advice.ranking[0].loss)


def test_the_verdicts_follow_the_margin(advice):
    assert advice.margin == pytest.approx(TIE * advice.ranking[0].loss)
    for one in advice.ranking:
        expected = "best" if one.behind == 0 else "tie" if one.behind <= advice.margin else "worse"
        assert one.verdict == expected


def test_noise_of_seeds_makes_ties_of_what_it_covers(advice):
    second = advice.ranking[1].behind
    known = advice.committee
    rates = {name: rates_of(plan) for name, plan in CANDIDATES.items()}
    assert second > TIE * advice.ranking[0].loss
    assert rank_schedules(known, rates, noise=0.51 * second)[1].verdict == "tie"
    assert rank_schedules(known, rates, noise=0.49 * second)[1].verdict == "worse"
    assert rank_schedules(known, rates | {"twin": rates["wsd 30%"]}, noise=0.0)[1].verdict in ("best", "tie")


def test_the_cooldown_is_the_best_of_the_shares_and_the_others_cost_what_they_cost(advice):
    regrets = advice.cooldown.regrets
    assert advice.cooldown.share == min(regrets, key=lambda share: regrets[share])
    assert min(regrets.values()) == 0
    assert advice.cooldown.shortest <= advice.cooldown.share <= advice.cooldown.longest
    assert all(regrets[share] <= advice.margin for share in (advice.cooldown.shortest, advice.cooldown.longest))
    real = {share: truth(cooldown(STEPS, 80, share)) for share in regrets}
    assert real[advice.cooldown.share] - min(real.values()) < 0.002
    assert regrets[1.0] == pytest.approx(real[1.0] - real[advice.cooldown.share], rel=0.25)


def test_one_more_run_is_worth_what_it_says():
    """Making the run leaves the spread that was told before it was made: on average over what its noise may be."""
    known = fit(RUNS[:1])
    rivals = [plan.over(STEPS) for plan in (CANDIDATES["wsd 10%"], CANDIDATES["cosine"])]
    found = next_run(known, rivals, {"wsd 10%": rivals[0], "cosine": rivals[1]}, STEPS)
    assert found.std_after < found.std_now
    more = fit([RUNS[0], run("more", found.plan, found.steps, noise=3e-4, seed=3)])
    told = next_run(more, rivals, {"wsd 10%": rivals[0]}, STEPS).std_now
    assert told == pytest.approx(found.std_after, rel=0.5)


def test_a_run_that_never_decays_is_no_good_next_run():
    known = fit(RUNS[:1])
    rivals = [plan.over(STEPS) for plan in (CANDIDATES["wsd 10%"], CANDIDATES["wsd 30%"])]
    assert next_run(known, rivals, {"constant": constant().over(STEPS)}, STEPS).name != "constant"


def test_the_first_runs_are_different_in_kind():
    ratios = {name: plan.over(STEPS)(np.arange(STEPS)) for name, plan in CANDIDATES.items()}
    first = choose_first_runs(ratios, 3)
    assert len(set(first)) == 3
    assert first[0] != "constant"
    assert choose_first_runs(ratios, 3) == choose_first_runs(dict(reversed(ratios.items())), 3)
    assert set(choose_first_runs(ratios, 99)) == set(CANDIDATES)


def test_three_laws_sit_in_the_committee(advice):
    assert set(advice.ranking[0].by_law) == {"noise-floor", "multi-power", "convex-kernel"}
    plan = CANDIDATES["cosine"].over(STEPS)
    each = advice.committee.losses(plan, STEPS)
    assert advice.committee.loss(plan, STEPS) == pytest.approx(sum(each.values()) / 3)


def test_the_rates_of_a_run_rank_as_its_plan_does():
    known = fit_committee(RUNS)
    (one,) = rank_schedules(known, {"a": rates_of(CANDIDATES["linear"])})
    assert one.loss == pytest.approx(known.loss(CANDIDATES["linear"], STEPS), abs=1e-12)
    assert one.doubts == ()


def test_what_is_far_away_is_told_and_less_certain():
    known = fit_committee(RUNS)
    far = {"far": PEAK * linear(20_000)(np.arange(20_000)), "high": 1.5 * rates_of(CANDIDATES["linear"])}
    for one in rank_schedules(known, far):
        assert len(one.doubts) == 1
        assert one.high - one.low > 0.02 * one.loss
    with pytest.raises(LawError, match="times the peak of the fitted runs"):
        rank_schedules(known, {"another": 10 * rates_of(CANDIDATES["linear"])})


@pytest.mark.parametrize(
    ("candidates", "more", "message"),
    [
        ({}, {}, "no candidate"),
        (CANDIDATES, {"noise": -1}, "noise= is a standard deviation"),
        (CANDIDATES, {"noise": math.nan}, "noise= is a standard deviation"),
        (CANDIDATES, {"warmup": STEPS}, "does not fit into"),
        (CANDIDATES, {"level": 2}, "level= is between 0 and 1"),
    ],
)
def test_what_cannot_be_answered_is_refused(candidates, more, message):
    with pytest.raises(LawError, match=message):
        advise(RUNS, candidates, STEPS, **more)


@pytest.mark.parametrize("warm", [0, 30])
def test_every_named_schedule_has_the_length_asked_for(warm):
    every = dict(standard_schedules(500, warm))
    assert len(every) == len(list(standard_schedules(500, warm))) > 60
    for name, plan in every.items():
        values = plan(np.arange(500))
        assert values.max() == 1.0, name
        assert values[-1] < 0.3, name
        assert plan.duration == 500, name


def test_a_named_schedule_is_what_its_name_says():
    every = dict(standard_schedules(500, 100))
    assert every["WSD, 1-sqrt over the last 20%"] == warmup(100) >> constant(320) >> one_minus_sqrt(80)
    assert every["cosine to 10%"] == warmup(100) >> cosine(400, to=0.1)
