"""The libraries that train a task besides PyTorch, as a part of its state: with other versions it is another task."""

from importlib.metadata import version
from typing import Any, final

from glidepath.errors import TaskError


@final
class Versions:
    """Carried by a task, so that a state of other versions is not loaded.

    Examples:
        >>> import torch
        >>> Versions("torch").state_dict() == {"torch": torch.__version__}
        True
    """

    def __init__(self, *packages: str) -> None:
        self.versions = {package: version(package) for package in packages}

    def state_dict(self) -> dict[str, Any]:
        return dict(self.versions)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Check that a state is of the same versions."""
        if state != self.versions:
            raise TaskError(f"this state was trained with {state}, and here is {self.versions}: train it again")
