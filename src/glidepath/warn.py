"""Warnings that point at the line of the user's code, however deep inside Glidepath they arise."""

import sys
import warnings

from glidepath.errors import GlidepathWarning

INTERNAL = ("glidepath", "torch")  # packages whose frames are passed over


def warn_caller(message: str, code: str) -> None:
    """Warn at the innermost line outside Glidepath and PyTorch.

    Args:
        message: the warning.
        code: its code, a key of `glidepath.codes.CODES`.
    """
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in INTERNAL:
        level, frame = level + 1, frame.f_back
    warnings.warn(GlidepathWarning(message, code=code), stacklevel=level)
