"""Compare: train one task under many schedules, fairly, and say which one wins.

from glidepath.study import compare

result = compare({"task": "digits", "steps": 300, "schedules": {"cosine": "cosine(100%)", "fixed": "constant()"}})
print(result.verdict_text)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from glidepath.extras import require_extras

if TYPE_CHECKING:
    from .comparison import StudySource as StudySource
    from .comparison import compare as compare
    from .comparison import estimate as estimate
    from .comparison import verify as verify
    from .curve import Curve as Curve
    from .curve import Record as Record
    from .result import Result as Result
    from .spec.runs import StudyRun as StudyRun
    from .spec.study import Study as Study
    from .spec.study import study_from as study_from
    from .spec.yaml_io import read_study as read_study
    from .training.cost import CostEstimate as CostEstimate
    from .training.progress import Progress as Progress
    from .training.progress import RunningSegment as RunningSegment

_MODULES = {  # imported on first use, so that a worker process loads what it trains with and no more
    **dict.fromkeys(("StudySource", "compare", "estimate", "verify"), "comparison"),
    **dict.fromkeys(("Curve", "Record"), "curve"),
    "Result": "result",
    "StudyRun": "spec.runs",
    **dict.fromkeys(("Study", "study_from"), "spec.study"),
    "read_study": "spec.yaml_io",
    "CostEstimate": "training.cost",
    **dict.fromkeys(("Progress", "RunningSegment"), "training.progress"),
}

require_extras("a study", "compare")


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULES[name]}", __name__), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(_MODULES)
