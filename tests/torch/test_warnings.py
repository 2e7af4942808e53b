"""Every warning: its code, and the line that it points at, which is the user's."""

import inspect
import re
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch

import glidepath as gp
import glidepath.torch
from glidepath.codes import CODES
from glidepath.torch import Recorder, Scheduler, lr_scheduler
from glidepath.torch.multipliers import apply_multipliers

from .loops import parameter, sgd, update, used

PLAN = gp.linear(20)


def state_of(plan, rate=0.1):
    optimizer = sgd(rate)
    scheduler = Scheduler(optimizer, plan)
    used(optimizer, 5)
    return scheduler.state_dict()


# Each case gives one warning, at the line with the mark.


def step_without_update():
    scheduler = Scheduler(sgd(0.1), PLAN)
    for _ in range(9):
        scheduler.step()  # here


def step_per_epoch():
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, gp.linear(4, to=0.1))
    for _ in range(4):
        used(optimizer, 6)
        scheduler.step()  # here


def plan_changed():
    state = state_of(gp.linear(30))
    Scheduler(sgd(0.1), PLAN).load_state_dict(state)  # here


def base_changed():
    state = state_of(PLAN)
    Scheduler(sgd(0.7), PLAN).load_state_dict(state)  # here


def plan_of_rates():
    Scheduler(sgd(3e-4), 3e-4 * PLAN)  # here


def verbose_deprecated():
    lr_scheduler.StepLR(sgd(0.1), 3, verbose=True)  # here


def get_lr_outside_step():
    lr_scheduler.StepLR(sgd(0.1), 3).get_lr()  # here


def epoch_deprecated():
    optimizer = sgd(0.1)
    scheduler = lr_scheduler.StepLR(optimizer, 3)
    update(optimizer)
    scheduler.step(5)  # here


def step_overridden():
    optimizer = sgd(0.1)
    scheduler = lr_scheduler.StepLR(optimizer, 3)
    step = optimizer.step
    optimizer.step = lambda *args: step(*args)
    update(optimizer)
    scheduler.step()  # here


def step_before_update():
    lr_scheduler.StepLR(sgd(0.1), 3).step()  # here


def rate_not_finite():
    optimizer = sgd(0.1)
    scheduler = lr_scheduler.LambdaLR(optimizer, lambda step: float("nan") if step else 1.0)
    update(optimizer)
    scheduler.step()  # here


def metric_not_finite():
    lr_scheduler.ReduceLROnPlateau(sgd(0.1)).step(float("inf"))  # here


def rate_read_once():
    Scheduler(torch.optim.Rprop([parameter()], lr=0.1), PLAN)  # here


def rate_one_update_late():
    Scheduler(torch.optim.ASGD([parameter()], lr=0.1), PLAN)  # here


def rate_capped():
    Scheduler(torch.optim.Adafactor([parameter()], lr=0.1), gp.constant(200))  # here


def foreign_state():
    optimizer = sgd(0.1)
    Scheduler(optimizer, PLAN).load_state_dict({"last_epoch": 5, "base_lrs": [0.1]})  # here


def state_missing():
    first = torch.optim.AdamW([parameter()], lr=0.1)
    update(first)
    second = torch.optim.AdamW([parameter()], lr=0.1)
    Scheduler(second, PLAN)
    second.load_state_dict(first.state_dict())
    second.step()  # here


def rate_rounds_to_zero():
    optimizer = torch.optim.AdamW([parameter()], lr=torch.tensor(0.1, dtype=torch.float16), foreach=False)
    Scheduler(optimizer, gp.exponential(every=1, factor=0.1)[:20])  # here


class LibraryOptimizer(torch.optim.SGD):
    """An optimizer of another library, by the keys of its groups."""

    def __init__(self, **keys):
        super().__init__([{"params": [parameter()], **keys}], lr=0.1)


class FTRL(LibraryOptimizer):
    """pytorch_optimizer's, by its name."""


def multipliers():
    apply_multipliers([{"lr_scale": 0.5}, {"lr_scale": 1.0}], [0.1, 0.1])  # here


def rate_ignored():
    Scheduler(LibraryOptimizer(relative_step=True), PLAN)  # here


def warmup_squared():
    Scheduler(LibraryOptimizer(warmup_steps=10, weight_lr_power=2.0), gp.warmup(5) >> PLAN)  # here


def rate_scales_parameters():
    Scheduler(FTRL(lr_power=-0.5), PLAN)  # here


def base_unclear():
    optimizer = sgd(0.1)
    Scheduler(optimizer, PLAN).detach()
    optimizer.param_groups[0]["lr"] = 0.02
    Scheduler(optimizer, PLAN)
    optimizer.step()  # here


def write_between_rates():
    optimizer = sgd(0.1)
    Scheduler(optimizer, gp.step(every=3))
    used(optimizer, 3)
    optimizer.param_groups[0]["lr"] *= 0.5
    optimizer.step()  # here


def peak_raised():
    optimizer = sgd(0.1)
    Scheduler(optimizer, gp.constant())
    used(optimizer, 3)
    optimizer.param_groups[0]["lr"] *= 2
    optimizer.step()  # here


def written_every_time():
    optimizer = sgd(0.1)
    Scheduler(optimizer, gp.constant())
    for rate in (0.09, 0.08, 0.01, 0.07, 0.03):
        optimizer.param_groups[0]["lr"] = rate
        optimizer.step()  # here


def averaging_took_over():
    optimizer = sgd(0.1)
    Scheduler(optimizer, gp.constant())
    averaged = torch.optim.swa_utils.SWALR(optimizer, swa_lr=0.05)
    used(optimizer, 3)
    averaged.step()
    optimizer.step()  # here


def late_group():
    optimizer = sgd(0.1)
    Scheduler(optimizer, gp.linear(20))
    used(optimizer, 3)
    optimizer.add_param_group({"params": [parameter()], "lr": 0.03})
    optimizer.step()  # here


def ended_at_zero():
    optimizer = sgd(0.1)
    Scheduler(optimizer, gp.linear(3))
    used(optimizer, 3)
    optimizer.step()  # here


def write_before_update():
    optimizer = sgd(0.1)
    Scheduler(optimizer, gp.warmup(9))
    optimizer.param_groups[0]["lr"] = 0.2
    optimizer.step()  # here


def set_overwritten():
    optimizer = sgd(0.1)
    Scheduler(optimizer, gp.Set(PLAN))
    optimizer.param_groups[0]["lr"] = 0.2
    optimizer.step()  # here


def update_by_parameter():
    class Released(torch.optim.SGD):
        def step(self, closure=None, param=None):
            return None

    optimizer = Released([parameter()], lr=0.1)
    Scheduler(optimizer, PLAN)
    weights = optimizer.param_groups[0]["params"][0]
    for _ in range(3):
        optimizer.step(param=weights)  # here


def built_again():
    optimizer = sgd(0.1)
    first = lr_scheduler.StepLR(optimizer, 3)
    for _ in range(3):
        update(optimizer)
        first.step()
    second = lr_scheduler.StepLR(optimizer, 3)
    update(optimizer)
    second.step()  # here


def command():
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, PLAN)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "commands.txt"
        file.write_text("jump high")
        glidepath.torch.follow_commands(scheduler, file, every=1)
        for _ in range(3):
            optimizer.step()  # here


def record_resumed():
    with TemporaryDirectory() as folder:
        first, second = sgd(0.1), sgd(0.1)
        Recorder(first, Path(folder) / "run.jsonl")
        recorder = Recorder(second, Path(folder) / "run.jsonl")  # here
        recorder.close()


def log_without_update():
    with TemporaryDirectory() as folder:
        recorder = Recorder(sgd(0.1), Path(folder) / "run.jsonl")
        recorder.log(loss=2.5)
        recorder.close()  # here


CASES = {
    "GP701": step_without_update,
    "GP702": step_per_epoch,
    "GP703": plan_changed,
    "GP704": base_changed,
    "GP705": plan_of_rates,
    "GP706": verbose_deprecated,
    "GP707": get_lr_outside_step,
    "GP708": epoch_deprecated,
    "GP709": step_overridden,
    "GP710": step_before_update,
    "GP711": rate_not_finite,
    "GP712": metric_not_finite,
    "GP714": rate_read_once,
    "GP715": rate_one_update_late,
    "GP716": rate_capped,
    "GP721": base_unclear,
    "GP722": write_between_rates,
    "GP723": peak_raised,
    "GP724": written_every_time,
    "GP725": averaging_took_over,
    "GP726": late_group,
    "GP727": ended_at_zero,
    "GP728": write_before_update,
    "GP729": set_overwritten,
    "GP731": update_by_parameter,
    "GP732": foreign_state,
    "GP733": state_missing,
    "GP734": rate_rounds_to_zero,
    "GP736": multipliers,
    "GP737": rate_ignored,
    "GP738": warmup_squared,
    "GP739": rate_scales_parameters,
    "GP740": built_again,
    "GP742": command,
    "GP748": record_resumed,
    "GP749": log_without_update,
}


@pytest.mark.parametrize("code", CASES)
def test_a_warning_comes_once_has_its_code_and_points_at_the_users_line(code):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        CASES[code]()
    lines, first = inspect.getsourcelines(CASES[code])
    expected = next(number for number, line in enumerate(lines, first) if line.endswith("# here\n"))
    assert [(w.message.code, w.filename, w.lineno) for w in caught] == [(code, __file__, expected)]
    assert issubclass(caught[0].category, gp.GlidepathWarning)
    assert str(caught[0].message).endswith(f"[{code}]")


def test_every_warning_in_the_code_has_a_case_with_the_name_of_its_row():
    sources = Path(glidepath.torch.__file__).parent.rglob("*.py")
    codes = {code for source in sources for code in re.findall(r'"(GP7\d\d)"', source.read_text(encoding="utf-8"))}
    names = {code: case.__name__.replace("_", "-") for code, case in CASES.items()}
    assert names == {code: CODES[code].name for code in codes}


def test_a_warning_inside_pytorchs_own_scheduler_points_at_the_users_line():
    optimizer = sgd(0.1)
    first = lr_scheduler.StepLR(optimizer, 3)
    outer = torch.optim.lr_scheduler.ChainedScheduler([first], optimizer)
    with pytest.warns(gp.GlidepathWarning, match="GP710") as caught:
        outer.step()
    assert [w.filename for w in caught] == [__file__]
