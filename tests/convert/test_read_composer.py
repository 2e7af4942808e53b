"""Every scheduler of Composer, read and compared with its formula, written here batch by batch.

Composer needs an older PyTorch than the one that these tests run with, so it is seldom installed next to it. Where
it is, its own classes are read, and their own values are compared too; elsewhere the classes that are read are made
here: their names, their module and their attributes are all that reading looks at.
"""

import importlib.util
import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from glidepath import Horizon, Schedule, constant, cosine, linear, multistep, parse
from glidepath.convert import read
from glidepath.errors import ConvertError

INSTALLED = importlib.util.find_spec("composer") is not None

STEPS, PER_EPOCH, TOKENS = 1_000, 50, 2_048
HORIZON = Horizon(STEPS, steps_per_epoch=PER_EPOCH, tokens_per_step=TOKENS)

Formula = Callable[[int], float]


def made(name: str, **attributes: Any) -> Any:
    """A scheduler of Composer."""
    if INSTALLED:
        from composer.optim import scheduler

        return getattr(scheduler, name)(**attributes)
    kind = type(name, (), {"__module__": "composer.optim.scheduler"})
    instance = kind()
    vars(instance).update(attributes)
    return instance


def by_composer(scheduler: Any, batch: int) -> float:
    """What Composer's own class answers in a run of 20 epochs."""
    from composer.core import Time, Timestamp

    timestamp = Timestamp(epoch=batch // PER_EPOCH, batch=batch, token=batch * TOKENS)
    run = {"max_duration": Time(STEPS, "ba"), "dataloader_len": Time(PER_EPOCH, "ba")}
    return float(scheduler(SimpleNamespace(timestamp=timestamp, **run)))


def between(a: float, b: float, share: float) -> float:
    return a + (b - a) * min(1.0, share)


def half_wave(share: float) -> float:
    return (1 + math.cos(math.pi * min(1.0, share))) / 2


CASES: dict[str, tuple[str, dict[str, Any], Formula]] = {
    "step": ("StepScheduler", {"step_size": "300ba", "gamma": 0.5}, lambda k: 0.5 ** (k // 300)),
    "step in epochs": ("StepScheduler", {"step_size": "3ep", "gamma": 0.5}, lambda k: 0.5 ** (k // 150)),
    "multistep": (
        "MultiStepScheduler",
        {"milestones": ["600ba", "300ba"], "gamma": 0.1},
        lambda k: 0.1 ** ((k >= 300) + (k >= 600)),
    ),
    "multistep in shares": (
        "MultiStepScheduler",
        {"milestones": ["0.3dur", "0.95dur"], "gamma": 0.1},
        lambda k: 0.1 ** ((k >= 300) + (k >= 950)),
    ),
    "constant": ("ConstantScheduler", {"alpha": 1.0, "t_max": "1dur"}, lambda k: 1.0),
    "constant for a while": (
        "ConstantScheduler",
        {"alpha": 0.3, "t_max": "0.25dur"},
        lambda k: 0.3 if k < 250 else 1.0,
    ),
    "constant to the end": (
        "ConstantScheduler",
        {"alpha": 0.3, "t_max": "1dur"},
        lambda k: 0.3 if k < 1_000 else 1.0,
    ),
    "linear": (
        "LinearScheduler",
        {"alpha_i": 0.8, "alpha_f": 0.1, "t_max": "700ba"},
        lambda k: between(0.8, 0.1, k / 700),
    ),
    "linear in tokens": (
        "LinearScheduler",
        {"alpha_i": 1.0, "alpha_f": 0.0, "t_max": f"{700 * TOKENS}tok"},
        lambda k: between(1.0, 0.0, k / 700),
    ),
    "exponential": ("ExponentialScheduler", {"gamma": 0.9, "decay_period": "1ep"}, lambda k: 0.9 ** (k / 50)),
    "cosine": (
        "CosineAnnealingScheduler",
        {"t_max": "1dur", "alpha_f": 0.1},
        lambda k: 0.1 + 0.9 * half_wave(k / 1_000),
    ),
    "cosine in decimals": (
        "CosineAnnealingScheduler",
        {"t_max": "1.5e2ba", "alpha_f": 0.0},
        lambda k: half_wave(k / 150),
    ),
    "restarts": (
        "CosineAnnealingWarmRestartsScheduler",
        {"t_0": "100ba", "t_mult": 1.0, "alpha_f": 0.2},
        lambda k: 0.2 + 0.8 * half_wave(k % 100 / 100),
    ),
    "restarts that grow": (
        "CosineAnnealingWarmRestartsScheduler",
        {"t_0": "2ep", "t_mult": 2.0, "alpha_f": 0.0},
        lambda k: half_wave(
            (k - 100 * (2 ** int(math.log2(k / 100 + 1)) - 1)) / (100 * 2 ** int(math.log2(k / 100 + 1)))
        ),
    ),
    "polynomial": (
        "PolynomialScheduler",
        {"power": 1.5, "t_max": "0.9dur", "alpha_f": 0.1},
        lambda k: 0.1 + 0.9 * (1 - min(1.0, k / 900)) ** 1.5,
    ),
    "multistep with a warmup": (
        "MultiStepWithWarmupScheduler",
        {"t_warmup": "40ba", "milestones": ["30ba", "500ba"], "gamma": 0.1, "scale_warmup": False},
        lambda k: k / 40 if k < 40 else 0.1 if k < 500 else 0.01,
    ),
    "multistep with a warmup of epochs": (
        "MultiStepWithWarmupScheduler",
        {"t_warmup": "1ep", "milestones": ["10ep"], "gamma": 0.1, "scale_warmup": False},
        lambda k: k / 50 if k < 50 else 1.0 if k < 500 else 0.1,
    ),
    "constant with a warmup": (
        "ConstantWithWarmupScheduler",
        {"t_warmup": "0.1dur", "alpha": 0.7, "t_max": "1dur", "scale_warmup": False},
        lambda k: 0.7 * min(1.0, k / 100),
    ),
    "linear with a warmup": (
        "LinearWithWarmupScheduler",
        {"t_warmup": "40ba", "alpha_i": 0.8, "alpha_f": 0.1, "t_max": "1000ba", "scale_warmup": False},
        lambda k: 0.8 * k / 40 if k < 40 else between(0.8, 0.1, (k - 40) / 960),
    ),
    "cosine with a warmup": (
        "CosineAnnealingWithWarmupScheduler",
        {"t_warmup": "0.05dur", "t_max": "1dur", "alpha_f": 0.1, "scale_warmup": True},
        lambda k: k / 50 if k < 50 else 0.1 + 0.9 * half_wave((k - 50) / 950),
    ),
    "cosine with a warmup of epochs": (
        "CosineAnnealingWithWarmupScheduler",
        {"t_warmup": "1ep", "t_max": "20ep", "alpha_f": 0.0, "scale_warmup": False},
        lambda k: k / 50 if k < 50 else half_wave((k - 50) / 950),
    ),
    "polynomial with a warmup": (
        "PolynomialWithWarmupScheduler",
        {"t_warmup": "0ba", "power": 2.0, "t_max": "1000ba", "alpha_f": 0.0, "scale_warmup": False},
        lambda k: (1 - min(1.0, k / 1_000)) ** 2,
    ),
}


def plan_of(name: str) -> Schedule:
    kind, attributes, _ = CASES[name]
    return read(made(kind, **attributes)).schedule.over(HORIZON)


@pytest.mark.filterwarnings("ignore:.*The warmup duration is 0")  # Composer's own, for the case without a warmup
@pytest.mark.parametrize("name", CASES)
def test_a_scheduler_has_the_same_factor_in_the_run_and_past_its_end(name: str) -> None:
    kind, attributes, formula = CASES[name]
    plan = plan_of(name)
    for batch in (*range(STEPS + 200), 5_000):
        assert plan(batch) == pytest.approx(formula(batch), rel=1e-12, abs=1e-13), batch
        if INSTALLED:
            assert plan(batch) == pytest.approx(by_composer(made(kind, **attributes), batch), rel=1e-12, abs=1e-13)
    assert parse(plan.text) == plan


def test_what_depends_on_the_trainer_is_a_draft() -> None:
    conversion = read(made("CosineAnnealingWithWarmupScheduler", **CASES["cosine with a warmup"][1]))
    assert conversion.source == "composer CosineAnnealingWithWarmupScheduler"
    assert conversion.schedule == linear("5%", to=1.0, start=0.0) >> cosine("95%", to=0.1)
    assert read(made("StepScheduler", **CASES["step in epochs"][1])).schedule == parse('step(every="3ep", factor=0.5)')
    assert read(made("ConstantScheduler", **CASES["constant"][1])).schedule == constant()
    assert read(made("MultiStepScheduler", **CASES["multistep"][1])).schedule == multistep([300, 600])


def test_times_may_be_objects_of_composer() -> None:
    time = SimpleNamespace(value=0.5, unit=SimpleNamespace(value="dur"))
    assert read(made("ExponentialScheduler", gamma=0.5, decay_period=time)).schedule == parse(
        'exponential(every="50%", factor=0.5)'
    )


@pytest.mark.parametrize(
    ("kind", "attributes", "quirk"),
    [
        ("CosineAnnealingScheduler", {"t_max": "1dur", "alpha_f": 0.0}, "rounds a length in batches down"),
        ("ConstantScheduler", {"alpha": 0.5, "t_max": "9ba"}, "from t_max on the factor is 1"),
        (*CASES["multistep with a warmup"][:2], "milestones count from update 0"),
        (*CASES["linear with a warmup"][:2], "t_max counts from update 0"),
        (*CASES["linear with a warmup"][:2], "update 0 uses a rate of 0"),
        (
            "LinearWithWarmupScheduler",
            {"t_warmup": "40ba", "alpha_i": 1.0, "alpha_f": 0.1, "t_max": "30ba", "scale_warmup": False},
            "nothing decays",
        ),
    ],
)
def test_what_people_do_not_expect_is_named(kind: str, attributes: dict[str, Any], quirk: str) -> None:
    assert any(quirk in told for told in read(made(kind, **attributes)).quirks)


def test_where_nothing_is_strange_nothing_is_said() -> None:
    assert read(made("StepScheduler", step_size="30ba", gamma=0.1)).quirks == ()


@pytest.mark.parametrize(
    ("kind", "attributes", "reason"),
    [
        ("StepScheduler", {"step_size": "300sp", "gamma": 0.5}, "a plan has no unit sp: give it in batches"),
        ("StepScheduler", {"step_size": "3 weeks", "gamma": 0.5}, "not a time of Composer such as 100ba"),
        ("StepScheduler", {"step_size": "xba", "gamma": 0.5}, "not a time of Composer"),
        ("StepScheduler", {"step_size": "1.5ba", "gamma": 0.5}, "not a whole number of steps"),
        ("StepScheduler", {"step_size": "3ba", "gamma": None}, "gamma is None, not one number"),
        ("CosineAnnealingWarmRestartsScheduler", {"t_0": "9ba", "t_mult": 1.5, "alpha_f": 0.0}, "write them down"),
        (
            "CosineAnnealingWithWarmupScheduler",
            {"t_warmup": "40ba", "t_max": "1dur", "alpha_f": 0.0, "scale_warmup": False},
            "are in two units.*give both in batches",
        ),
        ("OwnScheduler", {}, "OwnScheduler is not one of Composer's own schedulers"),
    ],
)
def test_what_cannot_be_read_is_refused(kind: str, attributes: dict[str, Any], reason: str) -> None:
    if INSTALLED and kind == "OwnScheduler":
        pytest.skip("Composer has no such class")
    with pytest.raises(ConvertError, match=reason):
        read(made(kind, **attributes))
