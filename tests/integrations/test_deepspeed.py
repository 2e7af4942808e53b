"""DeepSpeed: what its engine does with a scheduler, as its documentation and source (0.19) say it; and the real engine
where it is installed.
"""

from collections.abc import Callable

import pytest
import torch

import glidepath as gp
from glidepath.torch import Scheduler

from .page import example
from .seen import PLAN, TWO, Seen, expected, two_groups


class Engine:
    """The contract. What is callable is a factory; ZeRO calls the inner step once for each group, with that alone in
    `param_groups`, or once for each with all of them; the scheduler is stepped after each update that was not skipped;
    a TypeError from it is answered by `step(batch size)`.
    """

    def __init__(self, optimizer, lr_scheduler, cut):
        self.optimizer, self.cut = optimizer, cut
        is_factory = isinstance(lr_scheduler, Callable)
        self.lr_scheduler = lr_scheduler(optimizer) if is_factory else lr_scheduler

    def step(self, overflow=False):
        if overflow:
            return
        whole = self.optimizer.param_groups
        for group in whole:
            self.optimizer.param_groups = [group] if self.cut else whole
            self.optimizer.step()
        self.optimizer.param_groups = whole
        try:
            self.lr_scheduler.step()
        except TypeError:
            self.lr_scheduler.step(16)


def zero(optimizer, cut, lr_scheduler, **ignored):
    return Engine(optimizer, lr_scheduler, cut), optimizer, None, None


def used_by_update(optimizer, cut):
    """The rates of all groups at each update, out of one inner step for each group."""
    pairs = zip(optimizer.used[::2], optimizer.used[1::2], strict=True)
    return [[*first, *second] if cut else first for first, second in pairs if cut or first == second]


def engine_of(optimizer, cut, plan=PLAN):
    class Module:
        @staticmethod
        def initialize(**given):
            return zero(cut=cut, **given)

    names = {"deepspeed": Module, "model": None, "settings": {}, "plan": plan, "optimizer": optimizer}
    return example("DeepSpeed", **names)["engine"]


@pytest.mark.parametrize("cut", [True, False])
def test_by_its_contract_every_update_has_the_right_rate_and_skipped_ones_do_not_count(cut):
    optimizer = two_groups(torch.nn.Linear(4, 2))
    engine = engine_of(optimizer, cut)
    for k in range(12):
        engine.step(overflow=True)
        engine.step()
        assert engine.lr_scheduler.position == k + 1
    assert used_by_update(optimizer, cut) == expected(PLAN, 0, 12, TWO)


def test_by_its_contract_a_training_goes_on_in_the_middle():
    first, second = two_groups(torch.nn.Linear(4, 2)), two_groups(torch.nn.Linear(4, 2))
    engine, resumed = engine_of(first, True), engine_of(second, True)
    for _ in range(5):
        engine.step()
    second.load_state_dict(first.state_dict())
    resumed.lr_scheduler.load_state_dict(engine.lr_scheduler.state_dict())
    for _ in range(7):
        resumed.step()
    assert used_by_update(second, True) == expected(PLAN, 5, 12, TWO)


def test_a_driver_is_not_taken_for_a_factory():
    assert not isinstance(Scheduler(Seen([torch.nn.Parameter(torch.ones(1))]), PLAN), Callable)


def test_the_batch_size_that_deepspeed_may_hand_over_is_no_step():
    scheduler = Scheduler(Seen([torch.nn.Parameter(torch.ones(1))]), PLAN, clock="calls")
    scheduler.step(16)
    assert scheduler.position == 1


def test_a_driver_that_counts_the_inner_steps_of_zero_says_what_to_do():
    optimizer = two_groups(torch.nn.Linear(4, 2))
    engine = Engine(optimizer, lambda optimizer: Scheduler(optimizer, PLAN), cut=True)
    with pytest.raises(gp.SchedulerError, match=r'has 1 group, and had 2.*clock="calls"'):
        engine.step()


# --- the engine itself ---


@pytest.fixture(scope="module")
def deepspeed():
    """The package, in a group of one process, which it keeps for good; skipped where it is not installed."""
    module = pytest.importorskip("deepspeed")
    alone = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "0"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in alone.items():
            patch.setenv(name, value)
        yield module
    torch.distributed.destroy_process_group()


@pytest.mark.filterwarnings("ignore")  # DeepSpeed's own, of every kind
@pytest.mark.parametrize("stage", [0, 1, 2, 3])
def test_the_real_engine_trains_and_resumes_at_the_right_rates(deepspeed, stage, tmp_path):
    settings = {
        "train_micro_batch_size_per_gpu": 2,
        "gradient_accumulation_steps": 2,
        "zero_optimization": {"stage": stage},
        "zero_allow_untested_optimizer": True,
    }

    def made():
        model = torch.nn.Linear(4, 2)
        optimizer = two_groups(model)
        names = {"deepspeed": deepspeed, "model": model, "settings": settings, "plan": PLAN}
        engine = example("DeepSpeed", **names, optimizer=optimizer)["engine"]
        optimizer.used.clear()  # ZeRO makes the state of the optimizer by a step without gradients
        return engine, optimizer

    def train(engine, updates):
        for _ in range(2 * updates):
            engine.backward(engine(torch.randn(2, 4)).square().mean())
            engine.step()

    (engine, first), (resumed, second) = made(), made()
    train(engine, 5)
    engine.save_checkpoint(str(tmp_path))
    resumed.load_checkpoint(str(tmp_path))
    train(resumed, 7)
    parts = [one.used if stage == 0 else used_by_update(one, cut=stage < 3) for one in (first, second)]
    assert parts == [expected(PLAN, 0, 5, TWO), expected(PLAN, 5, 12, TWO)]
    assert resumed.lr_scheduler.position == 12
