"""Megatron-LM's arguments, against its formula written out here once more, in samples as Megatron-LM counts.

The package itself was not run: it cannot be installed here. The oracle follows the published source of its scheduler
(OptimizerParamScheduler.get_lr) and of what builds it from the arguments, read on 25 November 2026.
"""

import math
from argparse import Namespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glidepath.convert import read
from glidepath.errors import ConvertError

from .read_stepping import STEPS, assert_read_back, assert_same, served

BATCH = 6


def steps_of(a):
    """(warmup, decay, cooldown) in samples."""
    batch = a.get("global_batch_size", BATCH)
    if a.get("train_iters"):
        decay = (a.get("lr_decay_iters") or a["train_iters"]) * batch
        cooldown = a.get("lr_wsd_decay_iters", 0) * batch
        warmup = a.get("lr_warmup_iters", 0) * batch
    else:
        decay = a.get("lr_decay_samples") or a["train_samples"]
        cooldown, warmup = a.get("lr_wsd_decay_samples", 0), a.get("lr_warmup_samples", 0)
    fraction = a.get("lr_warmup_fraction")
    return (warmup if fraction is None else fraction * decay), decay, cooldown


SHAPES = {
    "linear": lambda p: 1 - p,
    "cosine": lambda p: math.cos(math.pi * p / 2) ** 2,
    "exponential": lambda p: 2 ** (1 - p) - 1,
    "minus_sqrt": lambda p: 1 - p**0.5,
}


def oracle(a, update):
    at, (warmup, decay, cooldown) = update * a.get("global_batch_size", BATCH), steps_of(a)
    peak, low, style = a["lr"], a.get("min_lr", 0.0), a.get("lr_decay_style", "linear")
    if 0 < warmup >= at:
        first = a.get("lr_warmup_init", 0.0)
        return first + (peak - first) * at / warmup
    if style == "constant":
        return peak
    if at > decay:
        return low
    if style == "inverse-square-root":
        return max(low, peak * math.sqrt(max(warmup, 1) / max(at, 1)))
    share = (at - warmup) / (decay - warmup)
    if style == "WSD":
        share = max(0.0, (at - (decay - cooldown)) / cooldown) if cooldown else 0.0
        style = a.get("lr_wsd_decay_style", "exponential")
    return low + (peak - low) * SHAPES[style](share)


RUN = {"lr": 3e-4, "min_lr": 3e-5, "train_iters": 8000, "lr_warmup_iters": 500}
STYLES = ["constant", "linear", "cosine", "inverse-square-root", "WSD"]
COOLDOWNS = ["linear", "cosine", "exponential", "minus_sqrt"]
EXTRA = [
    {},
    {"min_lr": 0.0},
    {"lr_warmup_init": 1e-5},
    {"lr_decay_iters": 7000},
    {"lr_warmup_fraction": 0.07},
    {"lr_warmup_fraction": 0.012345},
    {"lr_warmup_iters": 0, "global_batch_size": 256},
    {"train_iters": None, "train_samples": 8000 * BATCH, "lr_warmup_samples": 1001, "global_batch_size": BATCH},
]


def arguments(style, extra, shape="exponential", cooldown=1000):
    wsd = {"lr_wsd_decay_style": shape, "lr_wsd_decay_iters": cooldown, "lr_wsd_decay_samples": cooldown * BATCH}
    return {**RUN, "lr_decay_style": style, **extra, **(wsd if style == "WSD" else {})}


def values(a, steps):
    return np.array([[oracle(a, k)] for k in range(steps)])


@pytest.mark.parametrize("extra", EXTRA, ids=range(len(EXTRA)))
@pytest.mark.parametrize("style", STYLES)
def test_every_value_of_10000_updates_is_megatrons(style, extra):
    a = arguments(style, extra)
    conversion = read(a)
    assert conversion.bases == (3e-4,)
    assert_same(served(conversion), values(a, STEPS))
    assert assert_read_back(conversion.schedule)


@pytest.mark.parametrize("cooldown", [0, 1, 1000, 7500, 7900, 8000, 9000])
@pytest.mark.parametrize("shape", COOLDOWNS)
@pytest.mark.parametrize("extra", [EXTRA[0], EXTRA[6]])
def test_every_cooldown_of_wsd(shape, cooldown, extra):
    a = arguments("WSD", extra, shape, cooldown)
    assert_same(served(read(a)), values(a, STEPS))


@given(
    st.sampled_from(STYLES), st.sampled_from(COOLDOWNS), st.integers(0, 30), st.integers(1, 60), st.integers(0, 70),
    st.none() | st.floats(0, 0.99),
)  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_short_runs_are_equal_or_refused(style, shape, warmup, decay, cooldown, fraction):
    run = {"lr": 0.5, "min_lr": 0.01, "train_iters": decay, "lr_warmup_iters": warmup, "global_batch_size": BATCH}
    wsd = {"lr_wsd_decay_iters": cooldown, "lr_wsd_decay_style": shape}
    a = {**run, **wsd, "lr_decay_style": style, "lr_warmup_fraction": fraction}
    if steps_of(a)[0] >= steps_of(a)[1]:
        with pytest.raises(ConvertError, match="make the warmup shorter"):
            read(a)
        return
    assert_same(served(read(a), 100), values(a, 100), 1e-10)


def test_a_namespace_with_everything_else_in_it_is_read_the_same():
    a = arguments("cosine", {})
    assert read(Namespace(**a, seq_length=4096, num_layers=12)) == read(a)


def test_the_usual_ones_are_read_as_one_would_write_them():
    def text(style, **extra):
        return read(
            {"lr": 1.0, "train_iters": 50, "lr_warmup_iters": 5, "lr_decay_style": style, **extra}
        ).schedule.text

    rise = "linear(5, to=1.0, start=0.0) >> "
    assert text("linear") == rise + "linear(45)"
    assert text("cosine", min_lr=0.1) == rise + "cosine(45, to=0.1)"
    assert text("constant") == rise + "constant()"
    wsd = {"lr_wsd_decay_iters": 10, "lr_wsd_decay_style": "minus_sqrt"}
    assert text("WSD", **wsd) == rise + "constant(35) >> one_minus_sqrt(10)"


@pytest.mark.parametrize(
    ("style", "extra", "words"),
    [
        ("linear", {}, "update 0 uses a rate of 0"),
        ("inverse-square-root", {}, "at min_lr at once"),
        ("WSD", {"lr_wsd_decay_iters": 0}, "at min_lr at once"),
        ("WSD", {"lr_wsd_decay_iters": 7900}, "jumps into the cooldown after update 500"),
    ],
)
def test_quirks_are_named(style, extra, words):
    assert any(words in quirk for quirk in read({**arguments(style, {}), **extra}).quirks)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lr": None}, "lr is null here"),
        ({"train_iters": "ten"}, "train_iters is 'ten'"),
        ({"lr_decay_iters": [5]}, "lr_decay_iters is "),
        ({"train_iters": None, "train_samples": 600, "global_batch_size": "x"}, "global_batch_size is 'x'"),
        ({"lr_decay_style": "WSD", "lr_wsd_decay_iters": 5, "lr_wsd_decay_style": ["a"]}, "lr_wsd_decay_style is one"),
        ({"train_iters": None}, "give train_iters or lr_decay_iters"),
        ({"train_iters": None, "train_samples": 600}, "only with global_batch_size"),
        ({"train_iters": None, "train_samples": 601, "global_batch_size": 6}, "only whole updates"),
        ({"lr_warmup_iters": 8000}, "make the warmup shorter"),
        ({"lr_warmup_fraction": -0.5}, "make the warmup shorter"),
        ({"min_lr": 1.0}, "0 <= min_lr <= lr"),
        ({"lr_warmup_init": 1.0}, "lr_warmup_init <= lr"),
        ({"lr": 0.0, "min_lr": 0.0}, "a lr above 0"),
        ({"lr": "fast"}, "lr is 'fast'"),
        ({"lr_warmup_iters": "x"}, "lr_warmup_iters is 'x'"),
        ({"train_iters": None, "train_samples": 600, "global_batch_size": 0}, "only with global_batch_size"),
        ({"lr_decay_style": "cosin"}, "lr_decay_style is one of"),
        ({"lr_decay_style": "WSD"}, "the cooldown's length"),
        ({"lr_decay_style": "WSD", "lr_wsd_decay_iters": 5, "lr_wsd_decay_style": "sqrt"}, "lr_wsd_decay_style is one"),
        ({"lr_decay_style": "inverse-square-root", "lr_warmup_iters": 0}, "give global_batch_size too"),
        ({"rampup_batch_size": [32, 32, 1000]}, "rampup_batch_size"),
    ],
)
def test_what_cannot_be_read_says_why(change, words):
    with pytest.raises(ConvertError, match=words):
        read({**RUN, **change})


def test_numbers_in_quotes_are_numbers():
    assert read({"lr": 1e-3, "train_iters": "1e2"}) == read({"lr": 1e-3, "train_iters": 100})
    quoted = {"lr": 1e-3, "train_samples": 1000, "global_batch_size": "10"}
    assert read(quoted) == read({"lr": 1e-3, "train_iters": 100})


def test_what_is_no_schedule_at_all_is_refused():
    with pytest.raises(ConvertError, match="has no lr"):
        read({})
    with pytest.raises(ConvertError, match="int of builtins is not a schedule"):
        read(5)
