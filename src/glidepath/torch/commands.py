"""The plan of a living run, changed from outside: commands in a file, or on a signal.

A job on a cluster need not be restarted to cool down now. Commands are carried out between two updates, by
`Scheduler.replace` and `Scheduler.cooldown`, so the scheduler's state holds what they change. On several processes the
first one reads, and all carry out a command before the same update.

    # a file of commands, one in a line
    cooldown one_minus_sqrt(2000)
    at 12000: replace warmup(100) >> cosine(20_000)
"""

import os
import re
import shutil
import signal as signals
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, cast, final

import torch.distributed as dist

from glidepath.core.checks import MAX_STEPS, count
from glidepath.errors import GlidepathError, SchedulerError
from glidepath.parser import parse, parse_plan
from glidepath.warn import warn_caller

from .compiling import skip_compiling
from .scheduler import Scheduler
from .wrapper_chain import has_step_hooks, members_of, put_hooks

Verb = Literal["cooldown", "replace"]
FORMS = "a command is cooldown SHAPE, replace PLAN, or one of these at an update, as in at 12000: cooldown SHAPE"
LONGEST_FILE = 1_000_000  # bytes that are read
_COMMAND = re.compile(r"(?:at\s+(?P<update>[0-9](?:_?[0-9]){0,16})\s*:\s*)?(?P<verb>cooldown|replace)\s+(?P<plan>\S.*)")


@final
class Command(NamedTuple):
    """What to do with the plan of the rate, and after how many updates; None is when commands are read next."""

    update: int | None
    verb: Verb
    plan: str

    def __str__(self) -> str:
        return f"{'' if self.update is None else f'at {self.update}: '}{self.verb} {self.plan}"


def parse_command(line: str) -> Command:
    """Read a command.

    Raises:
        SchedulerError: if it is not one; if its plan is not one, with the place.

    Examples:
        >>> parse_command("at 12000: cooldown one_minus_sqrt(2000)")
        Command(update=12000, verb='cooldown', plan='one_minus_sqrt(2000)')
    """
    match = _COMMAND.fullmatch(line.strip())
    if match is None:
        raise SchedulerError(f"{line.strip()[:80]!r} is not a command: {FORMS}")
    verb, plan = cast(Verb, match["verb"]), match["plan"]
    parse(plan) if verb == "cooldown" else parse_plan(plan)
    if match["update"] is None:
        return Command(None, verb, plan)
    return Command(count(int(match["update"]), "the update of a command", at_least=1, at_most=MAX_STEPS), verb, plan)


class Source(Protocol):
    """Where commands come from."""

    def read(self, update: int) -> list[Command] | str | None:
        """Return all commands, those for now with `update`; None if nothing has changed; or what is wrong."""

    def close(self) -> None:
        """Leave it as it was."""


# --- a file ---


@final
class CommandFile:
    """A file of commands. Those for now get the number of their update in the file, so that a resume finds it."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._signature: tuple[int, ...] | None = None  # of the contents that were read last
        self._unfinished: str | None = None  # contents whose last line had no end
        self._unwritten: dict[Command, int] = {}  # the updates that could not be written into the file

    def read(self, update: int) -> list[Command] | str | None:
        try:
            signature = self._sign()
            if signature == self._signature:
                return None
            text = self._read_text() if signature else ""
            if text and not text.endswith("\n") and text != self._unfinished:
                self._unfinished = text  # perhaps it is being written: it is read at the next look, if it is the same
                return None
            self._signature = signature
            commands, lines = _parse_lines(text)
            if any(command.update is None and command not in self._unwritten for command in commands):
                self._write_updates(lines, update)
            return [self._number(command, update) for command in commands]
        except (OSError, UnicodeDecodeError, GlidepathError) as error:
            return f"the commands in {self.path} were not taken, and the run goes on as it was: {error}"

    def close(self) -> None:
        """Do nothing: a file stays."""

    def _number(self, command: Command, update: int) -> Command:
        """Return a command with its update: `update` for one that is for now, and is new."""
        return command if command.update is not None else command._replace(update=self._unwritten.get(command, update))

    def _sign(self) -> tuple[int, ...] | None:
        """Return what changes when the file does; None if there is none."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino

    def _read_text(self) -> str:
        with self.path.open("rb") as file:
            contents = file.read(LONGEST_FILE + 1)
        if len(contents) > LONGEST_FILE:
            raise SchedulerError(f"it has more than {LONGEST_FILE} bytes")
        return contents.decode("utf-8")

    def _write_updates(self, lines: list[str | Command], update: int) -> None:
        """Write into the file which update each command for now was carried out before."""
        numbered = [self._number(line, update) if isinstance(line, Command) else line for line in lines]
        target = self.path.resolve()
        draft = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            draft.write_text("".join(f"{line}\n" for line in numbered), encoding="utf-8")
            shutil.copymode(target, draft)
            os.replace(draft, target)
        except OSError as error:
            draft.unlink(missing_ok=True)
            new = {line for line in lines if isinstance(line, Command) and line.update is None} - self._unwritten.keys()
            self._unwritten |= dict.fromkeys(new, update)
            warn_caller(
                f"{self.path} cannot be written ({error.strerror}), so a run that is resumed from a checkpoint "
                f"before update {update} does not repeat its commands there: write the update, as in at {update}: ...",
                "GP742",
            )
        self._signature = self._sign()


def _parse_lines(text: str) -> tuple[list[Command], list[str | Command]]:
    """Return the commands of a file, and its lines with the commands in their place."""
    commands: list[Command] = []
    lines: list[str | Command] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            try:
                commands.append(parse_command(line))
            except GlidepathError as error:
                raise SchedulerError(f"line {number}: {error.worded()}") from error
            lines.append(commands[-1])
        else:
            lines.append(line)
    return commands, lines


# --- a signal ---


@final
class CommandOnSignal:
    """One command, carried out once after a signal has come."""

    def __init__(self, number: int, command: Command) -> None:
        self._number, self._command, self._came = number, command, False
        try:
            self._previous = signals.signal(number, self._note)
        except (ValueError, OSError) as error:
            raise SchedulerError(f"signal {number} cannot be followed here: {error}") from error

    def _note(self, number: int, frame: Any) -> None:
        self._came = True

    def read(self, update: int) -> list[Command] | str | None:
        return [self._command._replace(update=update)] if self._came else None

    def close(self) -> None:
        """Put the previous handler back."""
        if signals.getsignal(self._number) == self._note:
            signals.signal(self._number, self._previous)


# --- a run ---


@final
class Commands:
    """Commands for a scheduler: `check` carries out those that are due. `remove` stops following them."""

    def __init__(self, scheduler: Scheduler, source: Source, every: int, *, any_process: bool) -> None:
        self._scheduler, self._source = scheduler, source
        self._every = count(every, "every", at_least=1)
        self._any_process = any_process  # whether each process may have a command, or the first one reads for all
        self._position = scheduler.position
        self._pending: list[Command] = []
        self._read_before: set[Command] = set()
        self._problem = ""  # that was warned about last
        self._removals: list[Callable[[], None]] = []
        self._next_read = self._round_up(self._position)
        self._read(self._next_read, quietly=True)
        self._plan_next()

    def check(self) -> None:
        """Read, and carry out, what is due at the scheduler's position: call it between two updates."""
        position = self._scheduler.position
        if position == self._position + 1 < self._next:
            self._position = position
        elif position != self._position:
            self._catch_up(position)

    @skip_compiling
    def before(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """Do nothing."""

    @skip_compiling
    def after(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """Check after an update: the post-hook."""
        self.check()

    def attach(self) -> None:
        """Check after every update of the scheduler's first optimizer."""
        for member in members_of(self._scheduler.optimizer):
            if has_step_hooks(member):
                self._removals.append(member.register_step_post_hook(self.after).remove)
            else:
                self._removals += put_hooks(member, self)

    def remove(self) -> None:
        """Stop following commands; what they changed stays."""
        for remove in self._removals:
            remove()
        self._removals = []
        self._source.close()

    def _catch_up(self, position: int) -> None:
        """Go to a position: the next one, or another one after a state was loaded."""
        self._position = position
        if position >= self._next_read:
            self._read(position, quietly=False)
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

    The file is looked at after every `every`-th update, and may come into being at any time. A command is carried out
    at once then, and its line becomes `at <update>: ...`, so that a run resumed from a checkpoint before that update
    does the same again; in later checkpoints the scheduler's state holds it. Commands for updates that were made
    before the file is first looked at are taken for done. A file that cannot be read brings one warning, and changes
    nothing. Lines that begin with # are left out.

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
    commands = Commands(scheduler, build(), every, any_process=any_process)
    commands.attach()
    return commands
