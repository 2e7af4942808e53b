"""What cannot be a function of the step: schedulers that follow a metric."""

from typing import Any

from glidepath.errors import ConvertError

ARGUMENTS = ("mode", "factor", "patience", "threshold", "threshold_mode", "cooldown")  # theirs and ours


def refuse_plateau(scheduler: Any, name: str) -> ConvertError:
    """The error for a ReduceLROnPlateau, with the call that does the same here."""
    shown = [f"{argument}={getattr(scheduler, argument)!r}" for argument in ARGUMENTS]
    lows = sorted(set(map(float, scheduler.min_lrs)))
    shown += [f"minimum={lows[0]!r}"] if len(lows) == 1 else []
    several = "" if len(lows) == 1 else " (min_lr differs between the groups: it takes one minimum for all)"
    return ConvertError(
        f"{name} follows a metric, so it is no function of the step: write "
        f"glidepath.torch.Plateau(optimizer, {', '.join(shown)}){several} and call its step(metric)"
    )
