"""Schedulers that follow a metric, so that they cannot be a function of the step: the error, and what to use."""

from typing import Any

from glidepath.errors import ConvertError

ARGUMENTS = ("mode", "factor", "patience", "threshold", "threshold_mode", "cooldown")  # the same in both libraries


def plateau_error(scheduler: Any, name: str) -> ConvertError:
    """Return the error for a ReduceLROnPlateau, with the call that does the same here."""
    options = [f"{argument}={getattr(scheduler, argument)!r}" for argument in ARGUMENTS]
    minima = sorted(set(map(float, scheduler.min_lrs)))
    options += [f"minimum={minima[0]!r}"] if len(minima) == 1 else []
    caveat = "" if len(minima) == 1 else " (min_lr differs between the groups: it takes one minimum for all)"
    return ConvertError(
        f"{name} follows a metric, so it is not a function of the step: write "
        f"glidepath.torch.Plateau(optimizer, {', '.join(options)}){caveat} and call its step(metric)"
    )
