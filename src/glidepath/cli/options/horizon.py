"""The options that say how long a run is, the same for every command."""

from dataclasses import dataclass
from typing import Annotated, Self

from cyclopts import Parameter

from glidepath.core.horizon import Horizon
from glidepath.core.schedule import Draft, Schedule
from glidepath.errors import HorizonError


@Parameter(name="*")
@dataclass(frozen=True)
class RunLength:
    """How long the run is."""

    steps: Annotated[str | None, Parameter(help="Optimizer updates in the run: 10000, 10k, 3ep, 2Btok.")] = None
    steps_per_epoch: Annotated[str | None, Parameter(help="Updates in an epoch, for plans that say 3ep.")] = None
    tokens_per_step: Annotated[str | None, Parameter(help="Tokens in an update, for plans that say 2Btok.")] = None

    def horizon(self) -> Horizon | None:
        """Return the horizon; None without --steps."""
        if self.steps is None:
            return None
        return Horizon(self.steps, self.steps_per_epoch, self.tokens_per_step)  # type: ignore[arg-type]

    def require_horizon(self, example: str) -> Horizon:
        """Return the horizon of a run that is planned.

        Raises:
            HorizonError: if --steps is not given.
        """
        horizon = self.horizon()
        if horizon is None:
            raise HorizonError(f"the length of the planned run is missing: give it, as in --steps {example}")
        return horizon

    def with_steps(self, steps: int) -> Self:
        """Return the same run with another length."""
        return type(self)(str(steps), self.steps_per_epoch, self.tokens_per_step)


OWN_LENGTH = RunLength()  # what an absent option means: the plan's own length


def resolve_plan(plan: Schedule, run: RunLength) -> tuple[Schedule, int]:
    """Return the plan over the run, and the number of steps; without --steps, those of the plan's own length.

    Raises:
        HorizonError: if neither the options nor the plan say how long the run is.
    """
    horizon = run.horizon() or Horizon(own_length(plan))
    return plan.over(horizon), horizon.steps


def own_length(plan: Schedule) -> int:
    """Return the length of a plan that has one."""
    if isinstance(plan, Draft):
        raise HorizonError(f"{plan!r} depends on the length of the run: give it, as in --steps 10k")
    if not plan.duration:
        raise HorizonError(f"{plan!r} has no end: say how many steps to show, as in --steps 10k")
    return plan.duration
