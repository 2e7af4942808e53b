"""The plan of a living run, changed from outside: commands in a file, or on a signal.

A job on a cluster need not be restarted to cool down now. Commands are carried out between two updates, by
`Scheduler.replace` and `Scheduler.cooldown`, so the scheduler's state holds what they change. On several processes the
first one reads, and all carry out a command before the same update.

    # a file of commands, one in a line
    cooldown one_minus_sqrt(2000)
    at 12000: replace warmup(100) >> cosine(20_000)
"""

import os
from collections.abc import Callable
from typing import Any, cast, final

import torch.distributed as dist

from glidepath.core.checks import count
from glidepath.errors import GlidepathError, SchedulerError
from glidepath.warn import warn_caller

from .clock import unwrap_optimizer
from .command import Command, Source, parse_command
from .command_file import CommandFile
from .command_signal import CommandOnSignal
from .scheduler import Scheduler


@final
class Commands:
    """Commands for a scheduler, carried out after the update that they are for. `remove` stops following them."""

    def __init__(self, scheduler: Scheduler, source: Source, every: int, *, any_process: bool) -> None:
        self._scheduler, self._source = scheduler, source
        self._every = count(every, "every", at_least=1)
        self._any_process = any_process  # whether each process may have a command, or the first one reads for all
        self._position = -1  # at which commands were looked for last: none yet, as a state may still be loaded
        self._pending: list[Command] = []
        self._read_before: set[Command] = set()
        self._problem = ""  # that was warned about last
        self._next_read = self._next = 0
        self._clock = scheduler._clock
        self._clock.follow(unwrap_optimizer(scheduler.optimizer), self._check)

    def _check(self) -> None:
        """Read, and carry out, what is due at the scheduler's position, after an update."""
        position = self._scheduler.position
        if position == self._position + 1 < self._next:
            self._position = position
        else:
            self._catch_up(position)

    def remove(self) -> None:
        """Stop following commands; what they changed stays."""
        self._clock.unfollow(self._check)
        self._source.close()

    def _catch_up(self, position: int) -> None:
        """Go to a position: the next one, or another one after a state was loaded."""
        is_first, self._position = self._position < 0, position
        if position >= self._next_read:
            self._read(self._round_up(position - 1), quietly=is_first)
        elif position < self._next_read - self._every:
            self._next_read = self._round_up(position)
        for command in self._pending:
            if command.update == position:
                self._carry_out(command)
        self._plan_next()

    def _plan_next(self) -> None:
        """Set the next position at which there is something to do."""
        if self._position >= self._next_read:
            self._next_read = self._round_up(self._position)
        updates = [command.update for command in self._pending if command.update and command.update > self._position]
        self._next = min([self._next_read, *updates])

    def _round_up(self, position: int) -> int:
        return (position // self._every + 1) * self._every

    def _read(self, update: int, *, quietly: bool) -> None:
        if self._any_process and self._pending:
            return  # the one command is there
        answer = self._agree(lambda: self._source.read(update))
        if isinstance(answer, str):
            if answer != self._problem:
                self._warn(answer)
            self._problem = answer
        elif answer is not None:
            self._pending = answer
            passed = [command for command in answer if cast(int, command.update) < self._position]
            for command in passed:
                if not quietly and command not in self._read_before:
                    self._warn(f"update {command.update} has passed, so it was not carried out: {command}")
            self._read_before |= set(answer)

    def _agree(self, read: Callable[[], Any]) -> Any:
        """Return the same answer in all processes: that of the first one, or of the first that has one."""
        if not dist.is_available() or not dist.is_initialized() or dist.get_world_size() == 1:
            return read()
        if self._any_process:
            answers: list[Any] = [None] * dist.get_world_size()
            dist.all_gather_object(answers, read())
            return next((answer for answer in answers if answer is not None), None)
        box = [read() if dist.get_rank() == 0 else None]
        dist.broadcast_object_list(box, src=0)
        return box[0]

    def _carry_out(self, command: Command) -> None:
        try:
            getattr(self._scheduler, command.verb)(command.plan)
        except GlidepathError as error:
            self._warn(f"a command was not carried out, and the run goes on as it was: {command} ({error.worded()})")

    def _warn(self, message: str) -> None:
        """Warn in one process."""
        if not (dist.is_available() and dist.is_initialized()) or dist.get_rank() == 0:
            warn_caller(message, "GP742")


def follow_commands(scheduler: Scheduler, path: str | os.PathLike[str], every: int = 100) -> Commands:
    """Follow the commands in a file: `cooldown SHAPE`, `replace PLAN`, or `at 12000: cooldown SHAPE`.

    The file is looked at after the first update and every `every`-th, and may come into being at any time. A command
    is carried out after that `every`-th update, and its line becomes `at <update>: ...`, so that a run resumed from a
    checkpoint before that update does the same again; in later checkpoints the scheduler's state holds it. Commands
    for updates that were made before the file is first looked at are taken for done. A file that cannot be read brings
    one warning, and changes nothing. Lines that begin with # are left out.

    On several processes all call this, with the same updates ahead; the first process reads the file.

    Args:
        scheduler: whose rate is to change.
        path: of the file.
        every: updates between two looks.

    Raises:
        SchedulerError: if the scheduler counts calls of `step()`, which no hook sees.

    Examples:
        >>> import tempfile, torch, glidepath as gp
        >>> from glidepath.torch import Scheduler, follow_commands
        >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
        >>> scheduler = Scheduler(optimizer, gp.constant())
        >>> file = tempfile.NamedTemporaryFile("w+")
        >>> commands = follow_commands(scheduler, file.name, every=2)
        >>> file.write("at 3: cooldown linear(2)\\n"), file.flush()
        (25, None)
        >>> for _ in range(4):
        ...     optimizer.step()
        >>> commands.remove(), scheduler.position, scheduler.get_lr()
        (None, 4, [0.05])
    """
    return _attach(scheduler, lambda: CommandFile(path), every, any_process=False)


def follow_signal(
    scheduler: Scheduler, number: int, command: str = "cooldown one_minus_sqrt(2000)", every: int = 100
) -> Commands:
    """Carry out a command once after a signal has come, after the next update that is a multiple of `every`.

    Slurm sends one before the end of a job (`--signal=USR1@600`). On several processes all call this, and it is enough
    if one of them gets the signal.

    Args:
        scheduler: whose rate is to change.
        number: of the signal, as `signal.SIGUSR1`.
        command: `cooldown SHAPE` or `replace PLAN`.
        every: updates between two looks.

    Raises:
        SchedulerError: if the command is not one, or the scheduler counts calls of `step()`.
    """
    parsed = parse_command(command)
    if parsed.update is not None:
        raise SchedulerError(f"a signal says when, so the command names no update: {parsed.verb} {parsed.plan}")
    return _attach(scheduler, lambda: CommandOnSignal(number, parsed), every, any_process=True)


def _attach(scheduler: Scheduler, build: Callable[[], Source], every: int, *, any_process: bool) -> Commands:
    if scheduler.clock == "calls":
        raise SchedulerError(
            'commands are followed after updates that hooks see, and this Scheduler has clock="calls": call '
            "scheduler.cooldown(shape) or scheduler.replace(plan) yourself"
        )
    count(every, "every", at_least=1)
    return Commands(scheduler, build(), every, any_process=any_process)
