"""The libraries that train a task besides PyTorch, as a part of its state: with other versions it is another task."""

from importlib.metadata import version
from typing import Any, final

from glidepath.errors import TaskError


@final
class Versions:
    """Carried by a task, so that what was trained with other versions is not taken for its own.

    Examples:
        >>> import torch
        >>> Versions("torch").state_dict() == {"torch": torch.__version__}
        True
    """

    def __init__(self, *packages: str) -> None:
        self.found = {package: version(package) for package in packages}

    def state_dict(self) -> dict[str, Any]:
        return dict(self.found)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Refuses a state of other versions."""
        if state != self.found:
            raise TaskError(f"this state was trained with {state}, and here is {self.found}: train it anew")
