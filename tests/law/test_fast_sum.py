"""Fast sums against the sum over every pair."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glidepath.law.evaluation import fast_sum
from glidepath.law.evaluation.fast_sum import LEAF, SourceTree

from .oracles import sums

KERNELS = {
    "power": lambda x: (1 + 0.3 * x) ** -0.7,
    "exponential": lambda x: np.exp(-0.2 * x),
    "one": lambda x: x * 0 + 1.0,
    "steep": lambda x: 1 / (1e-3 + x),
}
SEEDS = st.integers(0, 2**32 - 1)


def scene(seed, sources, targets, ties=False):
    """Places that gather and spread, with ties if wanted; targets among and after them, and what each may see."""
    chance = np.random.default_rng(seed)
    gaps = chance.exponential(1.0, sources) ** 3 * (chance.random(sources) > 0.4 * ties)
    places = np.cumsum(gaps)
    seen = np.sort(chance.integers(0, sources + 1, targets))
    seen[-1] = sources
    after = np.concatenate([[0.0], places])[seen]
    return places, chance.normal(size=sources), np.maximum.accumulate(after + chance.exponential(0.5, targets)), seen


def close(found, wanted, weights, nodes_error=1e-8):
    assert np.max(np.abs(np.array(found) - np.array(wanted))) <= nodes_error * np.abs(weights).sum()


@pytest.mark.parametrize("kernel", ["power", "exponential", "one"])
@pytest.mark.parametrize("block", [1, 32])
@settings(max_examples=40)
@given(seed=SEEDS, sources=st.integers(1, 500), targets=st.integers(1, 40), ties=st.booleans())
def test_a_fast_sum_is_the_sum_over_every_pair(kernel, block, seed, sources, targets, ties):
    places, weights, at, counts = scene(seed, sources, targets, ties)
    tree = SourceTree(places)
    found = tree.view_from(at, counts, block).sum(KERNELS[kernel], tree.moments(weights))
    close(found, sums(KERNELS[kernel], at, places, weights, counts), weights)


@settings(max_examples=20)
@given(seed=SEEDS, sources=st.integers(1, 500), ties=st.booleans())
def test_a_kernel_as_steep_as_one_over_x_needs_twelve_nodes(seed, sources, ties):
    places, weights, at, counts = scene(seed, sources, 30, ties)
    tree = SourceTree(places, nodes=12)
    found = tree.view_from(at, counts).sum(KERNELS["steep"], tree.moments(np.abs(weights)))
    wanted = sums(KERNELS["steep"], at, places, np.abs(weights), counts)
    assert found == pytest.approx(wanted, rel=1e-8)


@settings(max_examples=40)
@given(seed=SEEDS, sources=st.integers(1, 400), targets=st.integers(1, 20), spread=st.sampled_from([0.01, 1.0, 5.0]))
def test_distances_may_be_scaled_by_each_source(seed, sources, targets, spread):
    places, weights, at, counts = scene(seed, sources, targets)
    log_scales = np.random.default_rng(seed).normal(0, spread, sources)
    tree = SourceTree(places, log_scales=log_scales)
    view, moments = tree.view_from(at, counts), tree.moments(weights)
    parts = (KERNELS["power"](part.distances * np.exp(part.log_scales)) for part in (view.far, view.near))
    wanted = sums(KERNELS["power"], at, places, weights, counts, np.exp(log_scales))
    close(view.sum_weighted(*parts, moments), wanted, weights)


def test_scales_that_change_slowly_are_seen_through_nodes_too():
    places, weights, at, counts = scene(1, 2000, 20)
    log_scales = np.linspace(0, 2, 2000)
    tree = SourceTree(places, log_scales=log_scales)
    view = tree.view_from(at, counts)
    parts = (KERNELS["power"](part.distances * np.exp(part.log_scales)) for part in (view.far, view.near))
    wanted = sums(KERNELS["power"], at, places, weights, counts, np.exp(log_scales))
    close(view.sum_weighted(*parts, tree.moments(weights)), wanted, weights)
    assert len(view.far.rows) > 20  # of each target at least one block


@settings(max_examples=20)
@given(seed=SEEDS, sources=st.integers(1, 300))
def test_several_sets_of_weights_share_a_tree(seed, sources):
    places, weights, at, counts = scene(seed, sources, 10)
    tree, others = SourceTree(places), np.cos(places)
    view, both = tree.view_from(at, counts), tree.moments(weights, others)
    parts = [KERNELS["power"](part.distances) for part in (view.far, view.near)]
    for number, one in enumerate((weights, others)):
        close(view.sum_weighted(*parts, both, number), view.sum(KERNELS["power"], tree.moments(one)), one, 1e-13)


def test_the_moments_of_a_block_are_exact_for_every_polynomial_that_its_nodes_hold():
    places = np.sort(np.random.default_rng(0).random(200))
    weights = np.random.default_rng(1).normal(size=200)
    tree = SourceTree(places, nodes=6)
    whole, nodes = tree.moments(weights).blocks[0][-1], tree.nodes[0][-1]
    for power in range(6):
        assert whole @ nodes**power == pytest.approx(math.fsum(weights * places**power), abs=1e-12)
    assert abs(whole @ nodes**6 - math.fsum(weights * places**6)) > 1e-6


def test_only_the_sources_that_count_are_seen():
    places, ones = np.arange(100.0), np.ones(100)
    tree, counts = SourceTree(places), np.array([0, 1, 31, 32, 33, 64, 99, 100])
    for block in (1, 3, 32):
        view = tree.view_from(np.full(8, 150.0), counts, block)
        assert view.sum(KERNELS["one"], tree.moments(ones)) == pytest.approx(counts, abs=1e-12)


def test_a_target_may_stand_where_its_sources_stand():
    places = np.repeat([0.0, 5.0], 50)
    tree = SourceTree(places)
    view = tree.view_from(np.array([5.0]), np.array([100]))
    assert view.sum(KERNELS["steep"], tree.moments(np.ones(100)))[0] == pytest.approx(50 / 5.001 + 50_000, rel=1e-9)


def test_a_block_is_seen_through_nodes_only_from_as_far_as_it_is_long():
    places = np.linspace(0, 1, LEAF)
    tree = SourceTree(places)
    parts = [tree.view_from(np.array([t]), np.array([LEAF])) for t in (1.99, 2.01)]
    assert [(len(view.far.rows), len(view.near.rows)) for view in parts] == [(0, 1), (1, 0)]


def test_a_long_sum_sees_few_distances():
    places = np.arange(24_000.0)
    tree = SourceTree(places)
    view = tree.view_from(np.array([24_000.0]), np.array([24_000]))
    assert view.far.distances.size + view.near.distances.size < 300


def test_what_is_held_at_a_time_changes_nothing(monkeypatch):
    places, weights, at, counts = scene(3, 700, 60)
    tree = SourceTree(places)
    view, moments = tree.view_from(at, counts, 8), tree.moments(weights)
    whole = view.sum(KERNELS["power"], moments)
    monkeypatch.setattr(fast_sum, "CHUNK", 1000)
    assert view.sum(KERNELS["power"], moments) == pytest.approx(whole, abs=1e-13)
