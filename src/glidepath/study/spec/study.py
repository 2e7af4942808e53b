"""What a study is: a task, schedules, peaks, seeds and horizons, checked as it is read.

Whether the schedules fit the horizons is checked in `runs.py`, also before anything trains.
"""

from collections.abc import Mapping
from typing import Annotated, Any, final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from glidepath.core.checks import count, real
from glidepath.core.closest import did_you_mean
from glidepath.core.horizon import Horizon
from glidepath.errors import Mistake, Path, ScheduleError, StudyError

from .schedule_spec import Entry, checked, own_length

STEPS = 400
SEEDS = (0, 1, 2, 3, 4)  # with three, eight schedules hardly ever show a difference
EVALUATIONS = 16


def _named(name: str) -> str:
    if not name.strip() or len(name) > 60 or not name.isprintable():
        raise ScheduleError("the name of a schedule has 1 to 60 printable characters")
    return name


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
Written = Annotated[Any, AfterValidator(checked)]


@final
class Study(BaseModel):
    """A study; what is left out is filled in by `study_from`.

    Args:
        task: digits, stdlib_gpt, package.module:function or file.py:function.
        steps: updates of every run, at least 1; also "10k". Without it, and without `horizons`, a schedule that has a
            length runs for that long, and the others for the longest of those, or 400.
        seeds: everything runs once for each; one seed gives every schedule the same model and the same batches.
        peaks: absolute rates: the largest rate of a run, its other groups in proportion. None: the optimizer's own.
        schedules: by name, a text (or a plateau's), or a text for each hyperparameter: see `entry.py`.
        horizons: several lengths of run, in place of `steps`; schedules in percent are resolved over each.
        evaluate_every: updates between two evaluations; a plateau is consulted at each. None: 16 to 32 a run, at
            multiples of a power of two, so that a longer horizon asks for no evaluation that a shorter one lacks.
        threads: CPU threads of one training; their number is part of what decides the bits.
        share: train what several runs have in common once. Without it every run is trained alone.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    task: Annotated[str, Field(min_length=1)]
    steps: Steps | None = None
    horizons: Annotated[list[Steps], *Several] | None = None
    seeds: Annotated[list[Seed], *Several] = list(SEEDS)
    peaks: Annotated[list[Peak], *Several] | None = None
    evaluate_every: Annotated[int, BeforeValidator(lambda value: count(value, "evaluate_every", at_least=1))] | None = (
        None
    )
    threads: Annotated[int, BeforeValidator(lambda value: count(value, "the number of threads", at_least=1))] = 1
    share: bool = True
    schedules: Annotated[dict[Name, Written], Field(min_length=1)] | None = None

    def horizons_of(self, entry: Entry) -> list[int]:
        """How long the runs of a schedule are."""
        if self.horizons is not None:
            return self.horizons
        return [self.steps or own_length(entry) or self._default_steps]

    @property
    def longest(self) -> int:
        """The updates of the longest run."""
        return max(
            steps for entry in (self.schedules or {"": "constant()"}).values() for steps in self.horizons_of(entry)
        )

    @property
    def _default_steps(self) -> int:
        return max((own_length(entry) or 0 for entry in (self.schedules or {}).values()), default=0) or STEPS


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
        glidepath.errors.StudyError: stes: there is no such key; did you mean steps?
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
    schedules = study.schedules or default_schedules(study.longest)
    known = study.model_copy(update={"schedules": schedules})
    return known.model_copy(update={"evaluate_every": study.evaluate_every or nested_grid(known.longest, EVALUATIONS)})


def nested_grid(longest: int, parts: int) -> int:
    """The largest power of two that fits into `longest` at least `parts` times, so that two horizons' grids are nested.

    >>> [nested_grid(steps, 16) for steps in (5, 400, 800, 1000)]
    [1, 16, 32, 32]
    """
    return 1 << max(0, (longest // parts).bit_length() - 1)


def _mistake(found: ErrorDetails) -> Mistake:
    path = tuple(key for key in found["loc"] if key != "[key]")
    return Mistake(path, _reason(found, path))


def _reason(found: ErrorDetails, path: Path) -> str:
    """Our own words where pydantic's are not enough."""
    if found["type"] == "extra_forbidden":
        hint = did_you_mean(str(path[-1]), Study.model_fields, f"the keys are {', '.join(Study.model_fields)}")
        return f"there is no such key; {hint}"
    if found["type"] == "missing":
        return "this key is missing; it names the task, as in task: digits"
    if found["type"] == "value_error":
        return str(found["ctx"]["error"])
    if found["type"] == "list_type":
        return f"this is a list, as in [{found['input']}]"
    given = "" if isinstance(found["input"], dict) else f", not {found['input']!r:.60}"
    return found["msg"].replace("Input should", "this should") + given
