"""What is said of calls of `step()` that do not follow one update each: nothing where the plan counts updates."""

import random
import warnings

import pytest
import torch

import glidepath as gp
from glidepath.core.resolve import is_in_epochs
from glidepath.torch import Scheduler
from glidepath.torch.misuse_warning import MisuseDetector

RECIPES = {  # plans of a run of `epochs` epochs of `size` updates; size 1 is the mistake: numbers that are epochs
    "cosine": lambda epochs, size: gp.cosine(epochs * size),
    "warmup and cosine": lambda epochs, size: gp.warmup(5 * size) >> gp.cosine((epochs - 5) * size, to=0.1),
    "linear": lambda epochs, size: gp.linear(epochs * size),
    "polynomial": lambda epochs, size: gp.polynomial(epochs * size, power=0.9),
    "step": lambda epochs, size: gp.step(every=epochs // 3 * size),
    "multistep": lambda epochs, size: gp.multistep([epochs // 2 * size, epochs * 3 // 4 * size]),
    "exponential": lambda epochs, size: gp.exponential(every=size, factor=0.95),
    "slow exponential": lambda epochs, size: gp.exponential(every=size, factor=0.97),
    "wsd": lambda epochs, size: gp.wsd(epochs * size, warmup=3 * size, cooldown=epochs * size // 5),
    "one cycle": lambda epochs, size: gp.one_cycle(epochs * size),
    "inverse square root": lambda epochs, size: gp.inverse_sqrt(warmup=5 * size),
    "restarts": lambda epochs, size: gp.repeat(gp.cosine(10 * size)),
    "growing restarts": lambda epochs, size: gp.repeat(gp.cosine(10 * size), growth=2),
    "triangles": lambda epochs, size: gp.repeat(gp.linear(4 * size, start=0.1, to=1) >> gp.linear(4 * size, to=0.1)),
    "function": lambda epochs, size: gp.formula(lambda k: 0.95 ** (k // size)),
    "noise": lambda epochs, size: gp.noisy(gp.cosine(epochs * size)),
}
CONSTANT_IN_EPOCHS = {"warmup": gp.warmup(5) >> gp.constant(), "constant": gp.constant()}  # harmless: nothing is said


def optimizer_of(rate=0.1):
    parameter = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    parameter.grad = torch.ones_like(parameter)
    return torch.optim.SGD([parameter], lr=rate)


def first_warning(plans, gaps, *, start=0):
    """The number of calls until the detector warns, and its warning; (None, None) if it never does."""
    detector, position = MisuseDetector(start, epochs=False, plans=plans), start
    for calls, gap in enumerate(gaps, 1):
        position += gap
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            detector.check_call(position, optimizer_of())
        if caught:
            return calls, caught[0].message
    return None, None


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("size", [2, 10, 98, 391, 5005])
@pytest.mark.parametrize("epochs", [10, 90, 350])
def test_a_plan_in_updates_beside_a_step_per_epoch_is_right_also_when_resumed(recipe, size, epochs):
    plan = RECIPES[recipe](epochs, size)
    assert first_warning([plan], [size] * epochs) == (None, None)
    half = epochs // 2 * size + size // 2  # in the middle of an epoch
    gaps = [size - size // 2, *[size] * (epochs - epochs // 2 - 1)]
    assert first_warning([plan], gaps, start=half) == (None, None)


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("size", [391, 5005])
@pytest.mark.parametrize("epochs", [10, 90, 350])
def test_a_plan_whose_numbers_are_epochs_is_told_after_a_few_epochs(recipe, size, epochs):
    calls, message = first_warning([RECIPES[recipe](epochs, 1)], [size] * epochs)
    assert calls is not None
    assert calls <= 7
    assert message.code == "GP702"
    assert f"step() is called once in {size} updates" in str(message)
    assert '"30ep"' in str(message)
    assert 'clock="calls"' in str(message)


@pytest.mark.parametrize("recipe", ["cosine", "step", "multistep", "one cycle", "linear", "restarts", "wsd"])
def test_the_mistake_is_told_again_when_the_run_is_resumed(recipe):
    calls, message = first_warning([RECIPES[recipe](90, 1)], [391] * 50, start=40 * 391)
    assert (calls, message.code) == (2, "GP702")


@pytest.mark.parametrize("recipe", ["cosine", "linear", "wsd", "one cycle", "multistep", "step"])
def test_with_fifty_updates_an_epoch_the_mistake_is_told_in_the_first_tenth_of_the_run(recipe):
    calls, _ = first_warning([RECIPES[recipe](90, 1)], [50] * 90)
    assert calls is not None
    assert calls <= 15


def random_plan(generator, updates):
    """A plan that fits a run of some updates, and the call that describes it."""
    warmup = generator.choice([0, 1, 10, updates // 50, updates // 10])
    rest = max(1, updates - warmup)
    floor = generator.choice([0.0, 1e-3, 0.1, 0.3])
    decays = [
        gp.cosine(rest, to=floor),
        gp.linear(rest, to=floor),
        gp.geometric(rest, to=max(floor, 1e-3)),
        gp.polynomial(rest, to=floor, power=generator.choice([0.5, 2.0, 3.0])),
        gp.constant(rest - rest // 3) >> gp.linear(rest // 3, to=floor),
        gp.rex(rest, to=floor),
        gp.constant(),
    ]
    return gp.warmup(warmup) >> generator.choice(decays)


def test_no_plan_that_fits_its_run_is_accused_however_often_step_is_called():
    generator = random.Random(0)
    for _ in range(600):
        updates = round(10 ** generator.uniform(1, 5))
        plans = [random_plan(generator, updates) for _ in range(generator.choice([1, 1, 2]))]
        gap = round(updates ** generator.uniform(0.1, 1.0))
        gaps = ([gap] * (updates // gap) + [updates % gap] * (updates % gap > 0))[:300]
        assert first_warning(plans, gaps) == (None, None), (plans, gap, updates)


@pytest.mark.parametrize("plan", CONSTANT_IN_EPOCHS.values(), ids=CONSTANT_IN_EPOCHS)
def test_a_plan_that_holds_its_peak_is_let_through(plan):
    assert first_warning([plan], [391] * 90) == (None, None)


def test_a_second_plan_in_updates_shows_that_the_first_is_meant_so_too():
    plans = [gp.multistep([50, 100]), gp.cosine(90 * 391)]
    assert first_warning(plans, [391] * 90) == (None, None)
    assert first_warning([plans[0], gp.constant()], [391] * 90)[1].code == "GP702"


def test_a_function_that_refuses_the_steps_of_long_ago_does_not_stop_the_run():
    def rate(step):
        return [1.0, 0.5][step - 400]

    assert first_warning([gp.formula(rate)], [391] * 3) == (None, None)


def test_a_critic_that_makes_five_updates_a_call_is_told_the_clock_that_counts_calls():
    calls, message = first_warning([gp.linear(1000)], [5] * 1000)
    assert 200 <= calls <= 1000
    assert 'clock="calls"' in str(message)


# --- through the scheduler ---


def train_like_the_examples(optimizer, scheduler, epochs, size):
    """PyTorch's imagenet and kuangliu's pytorch-cifar: an update a batch, `scheduler.step()` after an epoch."""
    rates = []
    for _ in range(epochs):
        for _ in range(size):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
        scheduler.step()
    return rates


def test_row_18_the_imagenet_loop_with_a_plan_in_updates_hears_nothing_and_nothing_at_resume():
    plan = gp.warmup(10) >> gp.step(every=60)[:190]
    optimizer = optimizer_of()
    scheduler = Scheduler(optimizer, plan)
    train_like_the_examples(optimizer, scheduler, 10, 10)
    resumed = optimizer_of()
    again = Scheduler(resumed, plan)
    resumed.load_state_dict(optimizer.state_dict())
    again.load_state_dict(scheduler.state_dict())
    train_like_the_examples(resumed, again, 10, 10)
    assert again.position == 200


def test_row_18_the_cifar_loop_with_a_plan_in_epochs_as_plain_numbers_is_warned_once():
    optimizer = optimizer_of()
    scheduler = Scheduler(optimizer, gp.cosine(20, to=0.1))
    with pytest.warns(gp.GlidepathWarning, match=r"once in 50 updates.*\[GP702\]") as caught:
        train_like_the_examples(optimizer, scheduler, 20, 50)
    assert len(caught) == 1


# --- calls without an update ---


def test_row_19_an_optimizer_that_updates_in_every_second_iteration_is_told_the_clock_that_is_right():
    """The stand-in of modded-nanogpt's Adam: stepped in odd iterations only, its plan in iterations."""
    plan, used = gp.linear(120), {}
    for clock in ("updates", "calls"):
        optimizer = optimizer_of(1.0)
        scheduler = Scheduler(optimizer, plan, clock=clock)
        used[clock] = []
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for iteration in range(120):
                if iteration % 2:
                    used[clock].append(optimizer.param_groups[0]["lr"])
                    optimizer.step()
                scheduler.step()
        codes = [warning.message.code for warning in caught]
        assert codes == (["GP701"] if clock == "updates" else [])
        if caught:
            cure = '(iterations, of which this optimizer updates only in some), use clock="calls"'
            assert cure in str(caught[0].message)
    assert used["calls"] == [plan(k) for k in range(1, 120, 2)]
    assert used["updates"] == [plan(k) for k in range(60)]


class PrivateOptimizer(torch.optim.SGD):
    """The contract of Opacus: a step of a physical batch adds its gradients up, and only some make an update."""

    def add_up(self):
        for p in self.param_groups[0]["params"]:
            p.summed_grad = torch.ones_like(p)


@pytest.mark.parametrize("batches", [2, 3, 64])
def test_opacus_physical_batches_with_a_step_each_are_no_misuse(batches):
    parameter = torch.nn.Parameter(torch.zeros(1))
    parameter.grad = torch.ones(1)
    optimizer = PrivateOptimizer([parameter], lr=1.0)
    scheduler, used = Scheduler(optimizer, gp.linear(20)), []
    for _ in range(20):
        for batch in range(batches):
            optimizer.add_up()
            if batch == batches - 1:
                used.append(optimizer.param_groups[0]["lr"])
                optimizer.step()
            scheduler.step()
    assert used == [gp.linear(20)(k) for k in range(20)]


@pytest.mark.parametrize("clears", ["before", "after"])
def test_updates_that_a_grad_scaler_skips_now_and_then_are_no_misuse(clears):
    optimizer = optimizer_of()
    scheduler = Scheduler(optimizer, gp.linear(200))
    for k in range(100):
        parameter = optimizer.param_groups[0]["params"][0]
        parameter.grad = torch.full_like(parameter, float("inf") if k % 20 == 7 else 1.0)
        if k % 20 != 7:
            optimizer.step()
        if clears == "before":
            optimizer.zero_grad()
        scheduler.step()
    assert scheduler.position == 95


# --- the detector reports less, and says the same ---


@pytest.mark.parametrize(
    "gaps", [[0, 0, 0, 0], [1, 0, 0], [1, 1, 0, 1, 0], [5, 1, 5, 5, 5], [3, 3, 1, 3, 3, 3, 3], [0, 1, 0, 1, 0]]
)
def test_calls_after_one_update_need_not_be_reported(gaps):
    def warnings_of(report_all):
        detector, position, messages = MisuseDetector(0, epochs=False, plans=[gp.linear(2)]), 0, []
        for gap in gaps:
            position += gap
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                if report_all:
                    detector.check_call(position, optimizer_of())
                elif gap != 1:
                    detector.check_unusual_call(gap, position, optimizer_of())
            messages.append([str(warning.message) for warning in caught])
        return messages

    assert warnings_of(report_all=True) == warnings_of(report_all=False)
    assert sum(map(len, warnings_of(report_all=True))) <= 1


# --- the unit of a draft ---


@pytest.mark.parametrize(
    ("plan", "in_epochs"),
    [
        (gp.cosine("30ep"), True),
        (gp.warmup("1ep") >> gp.cosine(300), True),
        (0.5 * (gp.warmup(10) >> gp.linear("2.5ep")), True),
        (gp.step(every="30ep"), True),
        (gp.multistep(["30ep", "60ep"]), True),
        (gp.repeat(gp.cosine("10ep"), times=3), True),
        (gp.cosine("30%"), False),
        (gp.warmup("2Btok") >> gp.cosine("50%"), False),
        (gp.step(every="30%"), False),
        (gp.cosine(30), False),
        (gp.formula("step") * gp.cosine("5%"), False),
    ],
    ids=repr,
)
def test_a_plan_is_in_epochs_if_one_of_its_durations_is(plan, in_epochs):
    assert is_in_epochs(plan) is in_epochs
