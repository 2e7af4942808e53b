"""timm's schedulers are read from their attributes; the real ones are stepped, and every value compared.

A loop of timm calls `step(epoch + 1)` after each epoch (or `step_update` after each update), so that value k is what
the groups hold after k calls.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glidepath.convert import read
from glidepath.errors import ConvertError
from glidepath.torch import Plateau
from tests.timm_alone import schedulers

from .read_stepping import STEPS, assert_read_back, assert_same, optimizer, served

timm = schedulers()

CYCLES = [
    {"t_initial": 9000},
    {"t_initial": 100},
    {"t_initial": 9000, "lr_min": 0.01},
    {"t_initial": 900, "cycle_limit": 4, "lr_min": 0.01},
    {"t_initial": 900, "cycle_limit": 4, "cycle_decay": 0.5},
    {"t_initial": 900, "cycle_limit": 4, "cycle_decay": 0.5, "lr_min": 0.01},
    {"t_initial": 300, "cycle_limit": 5, "cycle_mul": 2, "cycle_decay": 0.7, "lr_min": 0.01},
    {"t_initial": 10, "cycle_limit": 6, "cycle_mul": 3, "lr_min": 0.01},
    {"t_initial": 100, "cycle_limit": 6, "cycle_mul": 1.5, "cycle_decay": 0.9, "lr_min": 0.01},
    {"t_initial": 100, "cycle_limit": 6, "cycle_mul": 1.5},
    {"t_initial": 900, "warmup_t": 50, "warmup_lr_init": 0.001},
    {"t_initial": 900, "warmup_t": 50, "warmup_lr_init": 0.001, "warmup_prefix": True, "lr_min": 0.01},
    {"t_initial": 30, "warmup_t": 50, "cycle_limit": 4},
    {"t_initial": 900, "cycle_limit": 0, "lr_min": 0.01},
    {"t_initial": 900, "warmup_t": 50, "t_in_epochs": False},
]
FROM_ZERO = {"cycle_limit": 3, "cycle_decay": 0.0}
KS = [{"t_initial": 900, "k_decay": 1.7, "lr_min": 0.01}, {"t_initial": 90, "k_decay": 0.6, "cycle_limit": 9}]
CONFIGURATIONS = [
    *(("CosineLRScheduler", arguments) for arguments in [*CYCLES, *KS]),
    *(("PolyLRScheduler", arguments) for arguments in [*CYCLES, *KS, {"t_initial": 900, "power": 2.0}]),
    *(("TanhLRScheduler", arguments) for arguments in [*CYCLES, {"t_initial": 90, "lb": -3.0, "ub": 1.5}]),
    ("PolyLRScheduler", {"t_initial": 90, "power": 0.0, "lr_min": 0.01}),
    ("PolyLRScheduler", {"t_initial": 90, "power": 0.0, "lr_min": 0.01, "cycle_limit": 3, "cycle_decay": 0.5}),
    ("CosineLRScheduler", {"t_initial": 90, "lr_min": 0.01, **FROM_ZERO}),
    ("TanhLRScheduler", {"t_initial": 90, **FROM_ZERO}),
    ("StepLRScheduler", {"decay_t": 300, "decay_rate": 0.9}),
    ("StepLRScheduler", {"decay_t": 2.4, "decay_rate": 0.999}),
    ("StepLRScheduler", {"decay_t": 30}),
    ("StepLRScheduler", {"decay_t": 300, "decay_rate": 0.9, "warmup_t": 500, "warmup_lr_init": 0.01}),
    ("StepLRScheduler", {"decay_t": 300, "decay_rate": 0.9, "warmup_t": 500, "warmup_prefix": False}),
    ("MultiStepLRScheduler", {"decay_t": [3, 80, 80, 7000], "decay_rate": 0.5}),
    ("MultiStepLRScheduler", {"decay_t": [1, 80], "decay_rate": 0.5}),
    ("MultiStepLRScheduler", {"decay_t": [3, 80], "decay_rate": 0.5, "warmup_t": 10, "warmup_prefix": False}),
    ("MultiStepLRScheduler", {"decay_t": []}),
    *(
        ("WSDLRScheduler", {"t_initial": 8000, "decay_t": 1000, "lr_min": low, "decay_fn": shape})
        for shape in ("linear", "1-sqrt", "cosine", "power", "exp", lambda frac: (1 - frac) ** 3)
        for low in (0.0, 0.01)
    ),
    ("WSDLRScheduler", {"t_initial": 8000, "decay_t": 1000, "warmup_t": 100, "stable_fn": "rsqrt", "lr_min": 0.02}),
    ("WSDLRScheduler", {"t_initial": 8000, "decay_t": 8000, "warmup_t": 100, "stable_fn": "rsqrt"}),
    ("WSDLRScheduler", {"t_initial": 800, "decay_t": 100, "stable_fn": "power", "stable_timescale": 7.5}),
    ("WSDLRScheduler", {"t_initial": 800, "decay_t": 100, "lr_min": 0.3}),
    ("CosineLRScheduler", {"t_initial": 900, "noise_range_t": (5, 700), "warmup_t": 9}),
    ("CosineLRScheduler", {"t_initial": 900, "noise_range_t": (0, 700), "noise_std": 0.2, "noise_seed": 7}),
    ("StepLRScheduler", {"decay_t": 300, "decay_rate": 0.9, "noise_range_t": 600}),
    ("StepLRScheduler", {"decay_t": 300, "decay_rate": 0.9, "noise_range_t": (9, 9000), "noise_pct": 0.3}),
]


def stepped(scheduler, steps):
    step = scheduler.step if scheduler.t_in_epochs else scheduler.step_update
    groups, seen = scheduler.optimizer.param_groups, []
    for k in range(steps):
        if k:
            step(k)
        seen.append([group["lr"] for group in groups])
    return np.array(seen)


def built(name, arguments, scales=(1.0, 0.3)):
    opt = optimizer(0.1, 0.7)
    for group, scale in zip(opt.param_groups, scales, strict=True):
        group["lr_scale"] = scale
    return getattr(timm, name)(opt, **arguments)


def texted(arguments):
    begins = arguments.get("noise_range_t")
    listed = begins is None or (isinstance(begins, tuple) and begins[1] - begins[0] <= 4000)
    return listed and not callable(arguments.get("decay_fn"))


@pytest.mark.parametrize(
    ("name", "arguments"), CONFIGURATIONS, ids=[f"{c[0]}-{i}" for i, c in enumerate(CONFIGURATIONS)]
)
def test_every_value_of_10000_steps_is_timms(name, arguments):
    scheduler = built(name, arguments)
    conversion = read(scheduler)
    assert conversion.source == f"timm {name}"
    assert conversion.bases == (0.1, 0.7 * 0.3)
    steps = 2_000 if "noise_range_t" in arguments else STEPS
    assert_same(served(conversion, steps), stepped(scheduler, steps))
    assert assert_read_back(*conversion.schedules) == texted(arguments)


@given(
    st.sampled_from(["CosineLRScheduler", "PolyLRScheduler", "TanhLRScheduler"]),
    st.integers(2, 40),
    st.sampled_from([1.0, 2.0, 3, 1.25]),
    st.integers(1, 5),
    st.integers(0, 30),
    st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_any_cycles_under_any_warmup(name, steps, growth, cycles, warmup, prefix):
    more = {"cycle_mul": growth, "cycle_limit": cycles, "warmup_t": warmup, "warmup_prefix": prefix, "lr_min": 0.01}
    scheduler = built(name, {"t_initial": steps, "cycle_decay": 0.8, **more})
    assert_same(served(read(scheduler), 300), stepped(scheduler, 300), 3e-12)


def test_the_usual_ones_are_read_as_one_would_write_them():
    def text(name, **arguments):
        return read(getattr(timm, name)(optimizer(0.1, 0.7), **arguments)).schedule.text

    assert text("CosineLRScheduler", t_initial=90) == "cosine(90)"
    rise = "linear(5, to=1.0, start=0.0) >> "
    assert text("CosineLRScheduler", t_initial=90, warmup_t=5, warmup_prefix=True) == rise + "cosine(90)"
    assert text("CosineLRScheduler", t_initial=90, warmup_t=5) == rise + "cosine(90)[5:]"
    assert text("WSDLRScheduler", t_initial=90, decay_t=20, warmup_t=5) == rise + "constant(70) >> one_minus_sqrt(20)"
    assert text("StepLRScheduler", decay_t=30, decay_rate=0.1) == "step(every=30)"
    assert text("MultiStepLRScheduler", decay_t=[30, 60], decay_rate=0.1) == "multistep([29, 59])"


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("CosineLRScheduler", {"t_initial": 9}, "a step is an epoch"),
        ("CosineLRScheduler", {"t_initial": 9, "lr_min": 0.01}, "multiplies the floor too"),
        ("CosineLRScheduler", {"t_initial": 9, "warmup_t": 3}, "the rate jumps to it at 3"),
        ("CosineLRScheduler", {"t_initial": 10, "cycle_mul": 3, "cycle_limit": 6}, "logarithm misses serve the floor"),
        ("CosineLRScheduler", {"t_initial": 9, "noise_range_t": 4}, "no text"),
        ("CosineLRScheduler", {"t_initial": 9, "noise_range_t": [2, 4]}, "it is a table"),
        ("TanhLRScheduler", {"t_initial": 9}, "step 0 uses the base rate"),
        ("MultiStepLRScheduler", {"decay_t": [3], "decay_rate": 0.5}, "takes effect at m - 1"),
    ],
)
def test_quirks_are_named(name, arguments, words):
    assert any(words in quirk for quirk in read(built(name, arguments)).quirks)


def test_a_restart_that_timms_logarithm_misses_stays_at_the_floor():
    scheduler = built("CosineLRScheduler", {"t_initial": 10, "cycle_mul": 3, "cycle_limit": 6})
    assert read(scheduler).schedules[0](1210) < 1e-9


def test_shrinking_cycles_hold_the_floor_where_timm_raises():
    scheduler = built("CosineLRScheduler", {"t_initial": 100, "cycle_mul": 0.5, "cycle_limit": 3, "lr_min": 0.01})
    conversion = read(scheduler)
    assert_same(served(conversion, 190), stepped(scheduler, 190))
    assert conversion.rate(10_000) == pytest.approx(0.01)
    with pytest.raises(ValueError, match=r"math domain error|expected a positive input"):
        scheduler.step(200)


@pytest.mark.filterwarnings("ignore:PlateauLRScheduler is deprecated:FutureWarning")  # timm's own
def test_plateaus_are_refused_with_the_call_that_does_the_same():
    scheduler = timm.PlateauLRScheduler(optimizer(), decay_rate=0.5, patience_t=3, lr_min=1e-4)
    with pytest.raises(ConvertError) as caught:
        read(scheduler)
    call = "Plateau(" + str(caught.value).partition("Plateau(")[2].partition(")")[0] + ")"
    plateau = eval(call, {"Plateau": Plateau, "optimizer": scheduler.optimizer})
    assert (plateau.mode, plateau.factor, plateau.patience, plateau.minimum) == ("max", 0.5, 3, 1e-4)


class Own(timm.StepLRScheduler):
    """Another class."""


def test_what_cannot_be_read_says_why():
    with pytest.raises(ConvertError, match="not one of timm's own"):
        read(Own(optimizer(), 3))
    with pytest.raises(ConvertError, match="does not ascend"):
        read(built("MultiStepLRScheduler", {"decay_t": [9, 3]}))
    with pytest.raises(ConvertError, match="PolyLRScheduler with power=0 need"):
        read(built("PolyLRScheduler", {"t_initial": 9, "power": 0.0, "cycle_limit": 2, "cycle_mul": 2}))
    with pytest.raises(ConvertError, match="needs cycle_mul=1, not 2"):
        read(built("CosineLRScheduler", {"t_initial": 9, "lr_min": 0.01, **FROM_ZERO, "cycle_mul": 2}))


def test_noise_between_fractional_steps_lasts_as_long_as_timms():
    arguments = {"decay_t": 3, "decay_rate": 0.5, "warmup_t": 3, "noise_range_t": [0.5, 9.5], "noise_pct": 0.3}
    scheduler = timm.StepLRScheduler(optimizer(), **arguments)
    conversion = read(scheduler)
    mine = [[conversion.rate(t, group) for group in (0, 1)] for t in (0, 1, 8, 9, 10)]
    theirs = []
    for t in (0, 1, 8, 9, 10):
        scheduler.step(t)
        theirs.append([group["lr"] for group in scheduler.optimizer.param_groups])
    assert_same(np.array(mine), np.array(theirs))


def test_reading_changes_nothing():
    scheduler = built("TanhLRScheduler", {"t_initial": 90, "warmup_t": 5})
    before, groups = dict(vars(scheduler)), [dict(group) for group in scheduler.optimizer.param_groups]
    read(scheduler)
    assert dict(vars(scheduler)) == before
    assert [dict(group) for group in scheduler.optimizer.param_groups] == groups
