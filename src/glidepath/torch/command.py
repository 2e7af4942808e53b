"""A command for a living run: `cooldown SHAPE`, `replace PLAN`, or one of these at an update. Read, never evaluated."""

import re
from typing import Literal, NamedTuple, Protocol, cast, final

from glidepath.core.checks import MAX_STEPS, count
from glidepath.errors import SchedulerError
from glidepath.parser import parse, parse_plan

Verb = Literal["cooldown", "replace"]
FORMS = "a command is cooldown SHAPE, replace PLAN, or one of these at an update, as in at 12000: cooldown SHAPE"
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
