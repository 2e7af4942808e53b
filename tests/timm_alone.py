"""timm's schedulers, which need PyTorch only, without the models of `import timm`, which need torchvision."""

import importlib.util
import sys
from importlib import import_module
from typing import Any


def schedulers() -> Any:
    """The module `timm.scheduler`; its parent is there as a folder, and is not run."""
    if "timm" not in sys.modules:
        spec = importlib.util.find_spec("timm")
        assert spec is not None, "timm is not installed: make install"
        sys.modules["timm"] = importlib.util.module_from_spec(spec)
    return import_module("timm.scheduler")
