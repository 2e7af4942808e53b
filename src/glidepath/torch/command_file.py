"""Commands in a file, which keeps the update at which each was carried out."""

import os
import shutil
from pathlib import Path
from typing import final

from glidepath.errors import GlidepathError, SchedulerError
from glidepath.warn import warn_caller

from .command import Command, parse_command

LONGEST_FILE = 1_000_000  # bytes that are read


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
