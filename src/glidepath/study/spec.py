"""What a study is: a task, schedules, peaks, seeds and horizons, checked as it is read.

Whether the schedules fit the horizons is checked in `runs.py`, also before anything trains.
"""

import difflib
from collections.abc import Mapping
from typing import Annotated, Any, final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from glidepath.core.checks import count, real
from glidepath.core.errors import ScheduleError
from glidepath.text import parse
from glidepath.units import Horizon

from .errors import Mistake, Path, StudyError
from .feedback import arguments, is_feedback

STEPS = 400
SEEDS = (0, 1, 2)
EVALUATIONS = 20


def _named(name: str) -> str:
    if not name.strip() or len(name) > 60 or not name.isprintable():
        raise ScheduleError("the name of a schedule has 1 to 60 printable characters")
    return name


def _written(text: str) -> str:
    _ = arguments(text) if is_feedback(text) else parse(text)
    return text


def _distinct(values: list[Any]) -> list[Any]:
    twice = next((value for i, value in enumerate(values) if value in values[:i]), None)
    if twice is not None:
        raise ScheduleError(f"{twice!r} is given twice")
    return values


Steps = Annotated[int, BeforeValidator(lambda value: Horizon(value).steps)]
Seed = Annotated[int, BeforeValidator(lambda value: count(value, "a seed"))]
Peak = Annotated[float, BeforeValidator(lambda value: real(value, "a peak", above=0))]
Several = (Field(min_length=1), AfterValidator(_distinct))
Name = Annotated[str, AfterValidator(_named)]
Text = Annotated[str, AfterValidator(_written)]


@final
class Study(BaseModel):
    """A study; what is left out is filled in by `study_from`.

    Args:
        task: digits, stdlib_gpt, package.module:function or file.py:function.
        steps: updates of every run, at least 1; also "10k".
        seeds: everything runs once for each; one seed gives every schedule the same model and the same batches.
        peaks: absolute rates: the largest rate of a run, its other groups in proportion. None: the optimizer's own.
        schedules: texts by name; a text may also be a plateau.
        horizons: several lengths of run, in place of `steps`; schedules in percent are resolved over each.
        evaluate_every: updates between two evaluations; a plateau is consulted at each.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    task: Annotated[str, Field(min_length=1)]
    steps: Steps | None = None
    horizons: Annotated[list[Steps], *Several] | None = None
    seeds: Annotated[list[Seed], *Several] = list(SEEDS)
    peaks: Annotated[list[Peak], *Several] | None = None
    evaluate_every: Steps | None = None
    schedules: Annotated[dict[Name, Text], Field(min_length=1)] | None = None

    @property
    def lengths(self) -> list[int]:
        """The horizons, one or several."""
        return self.horizons or [self.steps or STEPS]


def study_from(described: Mapping[str, Any]) -> Study:
    """A complete study from its keys.

    Raises:
        StudyError: with every mistake, a line for each.

    Examples:
        >>> study_from({"task": "digits", "steps": 100, "peaks": [0.1]}).schedules["cosine"]
        'cosine(100%)'
        >>> study_from({"task": "digits", "stes": 100})
        Traceback (most recent call last):
        ...
        glidepath.study.errors.StudyError: stes: there is no such key; did you mean steps?
    """
    try:
        study = Study.model_validate(dict(described))
    except ValidationError as error:
        raise StudyError([_mistake(found) for found in error.errors()]) from None
    if study.steps is not None and study.horizons is not None:
        raise StudyError([Mistake(("horizons",), "give steps or horizons, not both")])
    return _completed(study)


def default_schedules(steps: int) -> dict[str, str]:
    """One schedule for each way to decay a rate that people use, over runs of at most `steps` updates."""
    return {
        "fixed": "constant()",
        "step": "step(every=25%, factor=0.3)",
        "multistep": "multistep([50%, 75%], factor=0.1)",
        "exponential": "exponential(every=25%, factor=0.3)",
        "formula": f"formula('1 / (1 + 10 * step / {steps})')",
        "cosine": "cosine(100%)",
        "warmup_cosine": "warmup(10%) >> cosine(90%)",
        "plateau": "plateau(factor=0.5, patience=2)",
    }


def _completed(study: Study) -> Study:
    longest = max(study.lengths)
    filled = {
        "steps": None if study.horizons else study.lengths[0],
        "evaluate_every": study.evaluate_every or max(1, longest // EVALUATIONS),
        "schedules": study.schedules or default_schedules(longest),
    }
    return study.model_copy(update=filled)


def _mistake(found: ErrorDetails) -> Mistake:
    path = tuple(key for key in found["loc"] if key != "[key]")
    return Mistake(path, _reason(found, path))


def _reason(found: ErrorDetails, path: Path) -> str:
    """Our own words where pydantic's are not enough."""
    if found["type"] == "extra_forbidden":
        close = difflib.get_close_matches(str(path[-1]), Study.model_fields, n=1)
        hint = f"did you mean {close[0]}?" if close else f"the keys are {', '.join(Study.model_fields)}"
        return f"there is no such key; {hint}"
    if found["type"] == "missing":
        return "this key is missing; it names the task, as in task: digits"
    if found["type"] == "value_error":
        return str(found["ctx"]["error"])
    if found["type"] == "list_type":
        return f"this is a list, as in [{found['input']}]"
    given = "" if isinstance(found["input"], dict) else f", not {found['input']!r:.60}"
    return found["msg"].replace("Input should", "this should") + given
