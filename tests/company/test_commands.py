"""The plan of a living run, changed from outside: a file of commands, a signal, and several processes."""

import os
import pickle
import signal
import warnings

import pytest
import torch

import glidepath as gp
from glidepath.errors import GlidepathWarning, SchedulerError, TextError
from glidepath.torch import Scheduler, follow_commands, follow_signal
from tests.integrations.processes import in_two_processes

PEAK = 0.5


def training(plan=None, position=0, **options):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=PEAK)
    return optimizer, Scheduler(optimizer, gp.constant() if plan is None else plan, **options)


def rates(optimizer, updates, act=lambda k: None, first=0):
    """The rate that each update uses; `act(k)` comes after k updates."""
    used = []
    optimizer.register_step_pre_hook(lambda *_: used.append(optimizer.param_groups[0]["lr"]))
    for k in range(first, first + updates):
        act(k)
        optimizer.step()
    return used


def cooled(start, length, updates):
    """PEAK until update `start`, then a linear fall to zero over `length`, by hand."""
    return [PEAK if k < start else PEAK * max(0.0, 1 - (k - start) / length) for k in range(updates)]


def test_a_command_written_during_the_run_is_carried_out_at_the_next_look(tmp_path):
    file = tmp_path / "commands"
    optimizer, scheduler = training()
    follow_commands(scheduler, file, every=5)
    used = rates(optimizer, 22, lambda k: file.write_text("# now\ncooldown linear(20)\n") if k == 7 else None)
    assert used == pytest.approx(cooled(10, 20, 22), abs=1e-15)
    assert file.read_text() == "# now\nat 10: cooldown linear(20)\n"


def test_a_command_at_an_update_is_carried_out_there(tmp_path):
    file = tmp_path / "commands"
    file.write_text("at 7: cooldown linear(20)\n\n")
    optimizer, scheduler = training()
    follow_commands(scheduler, file, every=5)
    assert rates(optimizer, 20) == pytest.approx(cooled(7, 20, 20), abs=1e-15)
    assert file.read_text() == "at 7: cooldown linear(20)\n\n"


def test_a_plan_is_replaced_at_the_position_of_the_run(tmp_path):
    file = tmp_path / "commands"
    file.write_text("at 4: replace warmup(10) >> cosine(90)\nat 8: replace 0.5 * constant()\n")
    optimizer, scheduler = training()
    follow_commands(scheduler, file, every=3)
    new = gp.warmup(10) >> gp.cosine(90)
    assert rates(optimizer, 10) == [PEAK] * 4 + [PEAK * new(k) for k in range(4, 8)] + [PEAK / 2] * 2


@pytest.mark.parametrize("saved_at", [8, 10, 13])
def test_a_resumed_run_repeats_what_came_after_its_checkpoint_and_nothing_else(tmp_path, saved_at):
    file = tmp_path / "commands"
    optimizer, scheduler = training()
    follow_commands(scheduler, file, every=5)
    states = {}

    def act(k):
        if k == 7:
            file.write_text("cooldown linear(20)\n")
        states[k] = pickle.dumps((optimizer.state_dict(), scheduler.state_dict()))

    used = rates(optimizer, 22, act)
    assert used == pytest.approx(cooled(10, 20, 22), abs=1e-15)
    for follow_first in (True, False):
        optimizer, scheduler = training()
        if follow_first:
            follow_commands(scheduler, file, every=5)
        for thing, state in zip((optimizer, scheduler), pickle.loads(states[saved_at]), strict=True):
            thing.load_state_dict(state)
        if not follow_first:
            follow_commands(scheduler, file, every=5)
        assert rates(optimizer, 22 - saved_at) == used[saved_at:]


def test_a_run_that_goes_back_carries_its_commands_out_again(tmp_path):
    file = tmp_path / "commands"
    file.write_text("at 7: cooldown linear(20)\n")
    optimizer, scheduler = training()
    follow_commands(scheduler, file, every=5)
    state = pickle.dumps((optimizer.state_dict(), scheduler.state_dict()))
    first = list(rates(optimizer, 12))
    for thing, saved in zip((optimizer, scheduler), pickle.loads(state), strict=True):
        thing.load_state_dict(saved)
    assert rates(optimizer, 12) == first == pytest.approx(cooled(7, 20, 12), abs=1e-15)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("cooldown linaer(20)\n", "line 1: unknown name 'linaer'"),
        ("# x\nstop\n", "line 2: 'stop' is not a command: a command is cooldown SHAPE"),
        ("at soon: cooldown linear(2)\n", "is not a command"),
        ("cooldown __import__('os')\n", "unknown name '__import__'"),
        ("cooldown linear(20)\nreplace\n", "line 2"),
        ("at 0: cooldown linear(2)\n", "must be at least 1"),
        (f"at {'9' * 5000}: cooldown linear(2)\n", "is not a command"),
        ("replace -1 * constant()\n", "was not carried out, and the run goes on as it was"),
        ("replace Set(constant())\n", "was not carried out"),
        ("at 2: cooldown linear(2)\n", "update 2 has passed"),
    ],
)
def test_a_command_that_cannot_be_carried_out_brings_one_warning_and_the_run_goes_on(tmp_path, text, says):
    file = tmp_path / "commands"
    optimizer, scheduler = training()
    follow_commands(scheduler, file, every=5)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        used = rates(optimizer, 22, lambda k: file.write_text(text) if k == 7 else None)
    assert used == [PEAK] * 22
    (warning,) = caught
    assert says in str(warning.message)
    assert warning.filename == __file__
    assert isinstance(warning.message, GlidepathWarning)
    assert warning.message.code == "GP742"


def test_a_mistake_is_mended_in_the_file(tmp_path):
    file = tmp_path / "commands"
    optimizer, scheduler = training()
    follow_commands(scheduler, file, every=5)
    texts = {6: "cooldown linaer(20)\n", 11: "cooldown linear(20)\n"}
    with pytest.warns(GlidepathWarning, match="linaer"):
        used = rates(optimizer, 22, lambda k: file.write_text(texts[k]) if k in texts else None)
    assert used == pytest.approx(cooled(15, 20, 22), abs=1e-15)


@pytest.mark.parametrize("contents", [b"\xff\xfe\n", b"#" * 1_000_001, None])
def test_a_file_that_cannot_be_read_changes_nothing(tmp_path, contents):
    file = tmp_path / "commands"
    file.mkdir() if contents is None else file.write_bytes(contents)
    optimizer, scheduler = training()
    with pytest.warns(GlidepathWarning, match="were not taken") as caught:
        follow_commands(scheduler, file, every=5)
        assert rates(optimizer, 12) == [PEAK] * 12
    assert len(caught) == 1


def test_a_line_without_an_end_is_taken_when_it_stays(tmp_path):
    file = tmp_path / "commands"
    optimizer, scheduler = training()
    follow_commands(scheduler, file, every=5)
    texts = {6: "replace 0.5 * const", 11: "replace 0.5 * constant()"}
    used = rates(optimizer, 25, lambda k: file.write_text(texts[k]) if k in texts else None)
    assert used == [PEAK] * 20 + [PEAK / 2] * 5


def test_a_file_that_is_deleted_takes_its_pending_commands_along(tmp_path):
    file = tmp_path / "commands"
    file.write_text("at 12: cooldown linear(20)\n")
    optimizer, scheduler = training()
    follow_commands(scheduler, file, every=5)
    assert rates(optimizer, 20, lambda k: file.unlink() if k == 3 else None) == [PEAK] * 20


def test_a_link_to_the_file_stays_a_link(tmp_path):
    (tmp_path / "real").write_text("cooldown linear(20)\n")
    (tmp_path / "link").symlink_to("real")
    optimizer, scheduler = training()
    follow_commands(scheduler, tmp_path / "link", every=5)
    assert rates(optimizer, 20) == pytest.approx(cooled(5, 20, 20), abs=1e-15)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "at 5: cooldown linear(20)\n"


def test_a_file_that_cannot_be_written_is_followed_all_the_same(tmp_path, monkeypatch):
    def refuse(*paths):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", refuse)
    file = tmp_path / "commands"
    optimizer, scheduler = training()
    follow_commands(scheduler, file, every=5)
    texts = {7: "cooldown linear(20)\n", 12: "cooldown linear(20)\n# seen\n"}
    with pytest.warns(GlidepathWarning, match="cannot be written") as caught:
        used = rates(optimizer, 22, lambda k: file.write_text(texts[k]) if k in texts else None)
    assert used == pytest.approx(cooled(10, 20, 22), abs=1e-15)
    assert len(caught) == 1


def test_the_permissions_of_the_file_stay(tmp_path):
    file = tmp_path / "commands"
    file.write_text("cooldown linear(20)\n")
    file.chmod(0o666)
    optimizer, scheduler = training()
    follow_commands(scheduler, file)
    assert rates(optimizer, 1) == [PEAK]
    assert (file.stat().st_mode & 0o777, file.read_text()) == (0o666, "at 100: cooldown linear(20)\n")
    assert list(tmp_path.iterdir()) == [file]


def test_other_hyperparameters_and_the_hand_stay_as_they_are(tmp_path):
    file = tmp_path / "commands"
    file.write_text("at 4: cooldown linear(10)\n")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=PEAK, weight_decay=0.1)
    scheduler = Scheduler(optimizer, gp.constant(), weight_decay=gp.linear(100))
    follow_commands(scheduler, file, every=5)
    optimizer.step()
    optimizer.param_groups[0]["lr"] *= 0.5
    used = rates(optimizer, 7)
    assert used == pytest.approx([PEAK / 2] * 3 + [PEAK / 2 * (1 - k / 10) for k in range(4)], abs=1e-15)
    assert optimizer.param_groups[0]["weight_decay"] == pytest.approx(0.1 * (1 - 7 / 100))


def test_a_wrapper_is_followed_as_its_optimizer_is(tmp_path):
    class Outer:
        def __init__(self, inner):
            self.optimizer = inner

        def __getattr__(self, name):
            return getattr(self.optimizer, name)

        def step(self):
            return self.optimizer.step()

        def zero_grad(self):
            self.optimizer.zero_grad()

    file = tmp_path / "commands"
    file.write_text("at 4: cooldown linear(10)\n")
    inner = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=PEAK)
    outer = Outer(inner)
    follow_commands(Scheduler(outer, gp.constant()), file, every=5)
    used = []
    inner.register_step_pre_hook(lambda *_: used.append(inner.param_groups[0]["lr"]))
    for _ in range(8):
        outer.step()
    assert used == pytest.approx(cooled(4, 10, 8), abs=1e-15)


class Forwarding:
    """A wrapper that the optimizer does not know."""

    def __init__(self, inner):
        self.inner, self.param_groups, self.state = inner, inner.param_groups, inner.state

    def step(self):
        return self.inner.step()

    def zero_grad(self):
        self.inner.zero_grad()


@pytest.mark.parametrize("scheduled", ["inner", "wrapper"])
@pytest.mark.parametrize("at", [1, 3])
def test_a_command_is_in_time_under_a_wrapper_that_is_found_as_it_steps(tmp_path, scheduled, at):
    file = tmp_path / "commands"
    file.write_text(f"at {at}: replace 0.5 * constant()\n")
    inner = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=PEAK)
    wrapper = Forwarding(inner)
    follow_commands(Scheduler(inner if scheduled == "inner" else wrapper, gp.constant()), file, every=1)
    used = []
    inner.register_step_pre_hook(lambda *_: used.append(inner.param_groups[0]["lr"]))
    for _ in range(6):
        wrapper.step()
    assert used == [PEAK] * at + [PEAK / 2] * (6 - at)


def test_a_command_for_now_waits_for_the_state_that_is_loaded_after_the_file_was_named(tmp_path):
    file = tmp_path / "commands"
    first, trained = training()
    rates(first, 500)
    states = pickle.dumps((first.state_dict(), trained.state_dict()))
    file.write_text("cooldown linear(40)\n")
    optimizer, scheduler = training()
    follow_commands(scheduler, file, every=100)
    for thing, state in zip((optimizer, scheduler), pickle.loads(states), strict=True):
        thing.load_state_dict(state)
    assert rates(optimizer, 130) == pytest.approx(cooled(100, 40, 130), abs=1e-15)
    assert file.read_text() == "at 600: cooldown linear(40)\n"


def test_a_run_that_goes_back_by_one_update_carries_its_command_out_again(tmp_path):
    file = tmp_path / "commands"
    file.write_text("at 5: cooldown linear(20)\n")
    optimizer, scheduler = training()
    follow_commands(scheduler, file, every=3)
    states = []

    def save(k):
        if k == 4:
            states.append(pickle.dumps((optimizer.state_dict(), scheduler.state_dict())))

    rates(optimizer, 5, save)
    for thing, state in zip((optimizer, scheduler), pickle.loads(states[0]), strict=True):
        thing.load_state_dict(state)
    assert rates(optimizer, 8) == pytest.approx(cooled(1, 20, 8), abs=1e-15)


def test_removing_stops_the_commands_and_leaves_the_optimizer_as_it_was(tmp_path):
    file = tmp_path / "commands"
    file.write_text("at 4: cooldown linear(10)\n")
    optimizer, scheduler = training()
    hooks = len(optimizer._optimizer_step_post_hooks)
    commands = follow_commands(scheduler, file, every=5)
    commands.remove()
    assert rates(optimizer, 8) == [PEAK] * 8
    assert len(optimizer._optimizer_step_post_hooks) == hooks


def test_calls_are_refused_with_what_to_call(tmp_path):
    _, scheduler = training(clock="calls")
    with pytest.raises(SchedulerError, match=r"call scheduler\.cooldown"):
        follow_commands(scheduler, tmp_path / "commands")
    with pytest.raises(SchedulerError, match=r"call scheduler\.cooldown"):
        follow_signal(scheduler, signal.SIGUSR1)
    assert signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL


# --- signals ---


def test_a_signal_cools_down_once_at_the_next_look():
    optimizer, scheduler = training()
    commands = follow_signal(scheduler, signal.SIGUSR1, "cooldown linear(20)", every=5)
    try:
        used = rates(optimizer, 22, lambda k: os.kill(os.getpid(), signal.SIGUSR1) if k in (7, 8, 13) else None)
    finally:
        commands.remove()
    assert used == pytest.approx(cooled(10, 20, 22), abs=1e-15)
    assert signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL


def test_a_bad_command_or_signal_is_refused_before_anything_is_changed():
    _, scheduler = training()
    with pytest.raises(TextError, match="linaer"):
        follow_signal(scheduler, signal.SIGUSR1, "cooldown linaer(20)")
    with pytest.raises(SchedulerError, match="a signal says when"):
        follow_signal(scheduler, signal.SIGUSR1, "at 9: cooldown linear(20)")
    with pytest.raises(gp.GlidepathError, match="every"):
        follow_signal(scheduler, signal.SIGUSR1, every=0)
    with pytest.raises(SchedulerError, match="cannot be followed here"):
        follow_signal(scheduler, signal.SIGKILL)
    assert signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL


# --- two processes ---


def by_file(rank, folder):
    optimizer, scheduler = training()
    file = folder / "commands"  # only the first process sees it
    follow_commands(scheduler, file if rank == 0 else folder / "nothing", every=5)
    used = rates(optimizer, 22, lambda k: file.write_text("cooldown linear(20)\n") if (k, rank) == (7, 0) else None)
    return used, scheduler.state_dict()


def by_signal(rank, folder):
    optimizer, scheduler = training()
    follow_signal(scheduler, signal.SIGUSR1, "cooldown linear(20)", every=5)
    due = (7, 18) if rank == 1 else (13,)  # the second process gets it first
    return rates(optimizer, 22, lambda k: os.kill(os.getpid(), signal.SIGUSR1) if k in due else None), None


@pytest.mark.parametrize("function", [by_file, by_signal])
def test_all_processes_switch_at_one_update(function, tmp_path):
    (first, state), (second, other) = in_two_processes(function, tmp_path)
    assert first == second == pytest.approx(cooled(10, 20, 22), abs=1e-15)
    assert state == other
