"""optax: a plan is a schedule as it is, traced inside a compiled update."""

import jax
import jax.numpy as jnp
import optax
import pytest

import glidepath as gp

from .page import example
from .seen import PLAN

ABSOLUTE = 0.1 * PLAN


def updates(optimizer, number, state=None, weights=None):
    """The changes of a weight under a gradient of 1, and what the optimizer knows in the end."""
    weights = jnp.zeros(()) if weights is None else weights

    @jax.jit
    def update(weights, state):
        change, state = optimizer.update(jnp.ones(()), state, weights)
        return optax.apply_updates(weights, change), state, change

    state, changes = optimizer.init(weights) if state is None else state, []
    for _ in range(number):
        weights, state, change = update(weights, state)
        changes.append(-float(change))
    return changes, state, weights


def close(start, stop, plan=ABSOLUTE):
    return pytest.approx([plan(k) for k in range(start, stop)], rel=2e-6)  # JAX's own single precision


def test_a_plan_is_a_schedule_of_optax_also_resumed_in_the_middle():
    changes, state, weights = updates(optax.sgd(ABSOLUTE), 5)
    resumed, state, _ = updates(optax.sgd(ABSOLUTE), 7, state, weights)
    assert changes + resumed == close(0, 12)
    assert int(optax.tree.get(state, "count")) == 12


def test_what_the_page_shows_trains_at_the_right_rates():
    shown = example("optax", optax=optax, plan=PLAN)
    state = shown["optimizer"].init(jnp.zeros(()))
    rates = []
    for _ in range(12):
        _, state = jax.jit(shown["optimizer"].update)(jnp.ones(()), state, jnp.zeros(()))
        rates.append(float(state.hyperparams["learning_rate"]))
    assert rates == close(0, 12, 3e-4 * PLAN)


@pytest.mark.parametrize("plan", [gp.wsd(12, warmup=3, cooldown=4), gp.cosine_restarts(5, growth=2), gp.step(every=5)])
def test_plans_of_every_kind_are_traced(plan):
    changes, _, _ = updates(optax.sgd(plan), 12)
    assert changes == close(0, 12, plan)


def test_a_multi_step_wrapper_counts_updates_and_not_micro_batches():
    optimizer = optax.MultiSteps(optax.sgd(ABSOLUTE), every_k_schedule=2)
    changes, _, _ = updates(optimizer.gradient_transformation(), 24)
    assert changes[1::2] == close(0, 12)
    assert set(changes[::2]) <= {0.0, -0.0}
