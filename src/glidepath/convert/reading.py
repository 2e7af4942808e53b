"""`read`: find out which library an object is of, by the module of its class, and ask that library's reader.

No library is imported for it: an object of one that was not imported cannot be there.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from glidepath.errors import ConvertError, GlidepathError

from .conversion import Conversion

READERS = {  # by the beginning of the module in which a class or a function is written
    "torch.optim": "torch",
    "glidepath.torch": "torch",
    "transformers": "transformers",
    "timm.scheduler": "timm",
    "optax": "optax",
    "keras": "keras",
    "composer": "composer",
    "argparse": "megatron",
}


def read(source: Any) -> Conversion:
    """Return the schedule of another library as a schedule of Glidepath, with the same value at every step.

    Args:
        source: a scheduler on an optimizer (torch, transformers, timm), a schedule (optax, Keras, Composer), or the
            arguments of Megatron-LM, as a mapping or a namespace.

    Returns:
        One schedule for each parameter group, and in words what the source does that people do not expect: it is
        kept, past the end too.

    Raises:
        ConvertError: if it is not a schedule of one of these libraries, or is not a function of the step (it follows
            a metric, say).
    """
    reader = "megatron" if isinstance(source, Mapping) else _reader_name(source)
    module = import_module(f".readers.{reader}", __package__)
    try:
        conversion: Conversion = module.read(source)
    except ConvertError:
        raise
    except GlidepathError as error:  # a schedule here cannot have these values
        raise ConvertError(f"{type(source).__name__} cannot be read: {error.worded()}") from error
    return conversion


def _reader_name(source: Any) -> str:
    homes = [getattr(kind, "__module__", None) or "" for kind in (source, *type(source).__mro__)]
    for home in homes:
        for beginning, reader in READERS.items():
            if f"{home}.".startswith(f"{beginning}."):
                return reader
    raise ConvertError(
        f"{type(source).__name__} of {homes[1]} is not a schedule that can be read: give a scheduler of torch, "
        "transformers or timm, a schedule of optax, Keras or Composer, or Megatron-LM's arguments as a mapping"
    )
