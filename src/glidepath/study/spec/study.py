"""What a study is: a task, schedules, peaks, seeds and horizons, checked as it is read.

Whether the schedules fit the horizons is checked in `runs.py`, also before anything trains.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, final

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationError,
)
from pydantic_core import ErrorDetails

from glidepath.core.checks import count, real
from glidepath.core.closest import did_you_mean
from glidepath.core.horizon import Horizon
from glidepath.errors import GlidepathError, KeyPath, Mistake, ScheduleError, StudyError

from .schedule_spec import ScheduleSpec, Texts, read_spec

STEPS = 400
SEEDS = (0, 1, 2, 3, 4)  # with three, eight schedules hardly ever show a difference
EVALUATIONS = 16


HINTS = {  # keys that people try, and what a study has instead
    **dict.fromkeys(("lr", "learning_rate", "peak"), "the largest rates are a list, as in peaks: [0.1]"),
    "seed": "seeds are a list of numbers, as in seeds: [0, 1, 2, 3, 4]",
    "schedule": "schedules have names, as in schedules: {cosine: cosine(100%)}",
    "horizon": "horizons are a list of lengths, as in horizons: [1000, 2000]",
    **dict.fromkeys(("epoch", "epochs"), "a run is as long as its updates, as in steps: 1000"),
}


def _check_name(name: str) -> str:
    if not name.strip() or len(name) > 60 or not name.isprintable():
        raise ScheduleError("the name of a schedule has 1 to 60 printable characters")
    return name


def _check_distinct(values: list[Any]) -> list[Any]:
    twice = next((value for i, value in enumerate(values) if value in values[:i]), None)
    if twice is not None:
        raise ScheduleError(f"{twice!r} is given twice")
    return values


def _texts_of(spec: ScheduleSpec) -> Texts:
    """Return a schedule as a file has it."""
    return spec.texts


Steps = Annotated[int, BeforeValidator(lambda value: Horizon(value).steps)]
Seed = Annotated[int, BeforeValidator(lambda value: count(value, "a seed"))]
Peak = Annotated[float, BeforeValidator(lambda value: real(value, "a peak", above=0))]
Several = (Field(min_length=1), AfterValidator(_check_distinct))
Name = Annotated[str, AfterValidator(_check_name)]
Spec = Annotated[ScheduleSpec, PlainValidator(read_spec), PlainSerializer(_texts_of)]


@final
class Study(BaseModel):
    """A study; what is left out is filled in by `study_from`.

    Args:
        task: digits, stdlib_gpt, package.module:function or file.py:function.
        steps: updates of every run, at least 1; also "10k". Without it, and without `horizons`, a schedule that has a
            length runs for that long, and the others for the longest of those, or 400.
        seeds: everything runs once for each; one seed gives every schedule the same model and the same batches.
        peaks: absolute rates: the largest rate of a run, its other groups in proportion. None: the optimizer's own.
        schedules: by name, a text (or a plateau's), or a text for each hyperparameter: see `schedule_spec.py`.
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
    schedules: Annotated[dict[Name, Spec], Field(min_length=1)] | None = None

    def horizons_of(self, spec: ScheduleSpec) -> list[int]:
        """Return how long the runs of a schedule are."""
        if self.horizons is not None:
            return self.horizons
        return [self.steps or spec.own_length or self._default_steps]

    @property
    def longest(self) -> int:
        """Return the updates of the longest run."""
        specs = (self.schedules or {}).values()
        lengths = [steps for spec in specs for steps in self.horizons_of(spec)]
        return max(lengths or self.horizons or [self.steps or STEPS])

    @property
    def _default_steps(self) -> int:
        return max((spec.own_length or 0 for spec in (self.schedules or {}).values()), default=0) or STEPS


def study_from(described: Mapping[str, Any]) -> Study:
    """Build a complete study from its keys.

    Raises:
        StudyError: with every mistake, a line for each.

    Examples:
        >>> print(study_from({"task": "digits", "steps": 100, "peaks": [0.1]}).schedules["cosine"])
        cosine(100%)
        >>> study_from({"task": "digits", "stes": 100})
        Traceback (most recent call last):
        ...
        glidepath.errors.StudyError: stes: this is not a key of a study; did you mean steps? [GP302]
    """
    try:
        study = Study.model_validate(dict(described))
    except ValidationError as error:
        raise StudyError([_mistake(details) for details in error.errors()]) from None
    if study.steps is not None and study.horizons is not None:
        raise StudyError([Mistake(("horizons",), "give steps or horizons, not both")])
    return _complete(study)


def default_schedules(steps: int) -> dict[str, str]:
    """Return one schedule for each way to decay a rate that people use, over runs of at most `steps` updates."""
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


def _complete(study: Study) -> Study:
    defaults = {} if study.schedules else default_schedules(study.longest)
    schedules = study.schedules or {name: read_spec(text) for name, text in defaults.items()}
    complete = study.model_copy(update={"schedules": schedules})
    every = study.evaluate_every or grid_step(complete.longest, EVALUATIONS)
    return complete.model_copy(update={"evaluate_every": every})


def grid_step(longest: int, parts: int) -> int:
    """Return the largest power of two that fits into `longest` at least `parts` times.

    So the grids of two horizons are nested.

    >>> [grid_step(steps, 16) for steps in (5, 400, 800, 1000)]
    [1, 16, 32, 32]
    """
    return 1 << max(0, (longest // parts).bit_length() - 1)


def _mistake(error: ErrorDetails) -> Mistake:
    path = tuple(key for key in error["loc"] if key != "[key]")
    return Mistake(path, _reason(error, path))


def _reason(error: ErrorDetails, path: KeyPath) -> str:
    """Return our own words where pydantic's are not enough."""
    if error["type"] == "extra_forbidden":
        key = str(path[-1])
        hint = did_you_mean(key, Study.model_fields, f"the keys are {', '.join(Study.model_fields)}")
        return f"this is not a key of a study; {HINTS.get(key, hint)}"
    if error["type"] == "missing":
        return "this key is missing; it names the task, as in task: digits"
    if error["type"] == "value_error":
        cause = error["ctx"]["error"]
        return cause.worded() if isinstance(cause, GlidepathError) else str(cause)
    return _kind_mistake(error, path) or _reword(error)


def _kind_mistake(error: ErrorDetails, path: KeyPath) -> str:
    """Return what a key of a study should be, where its value is of another kind or empty; else nothing."""
    value = error["input"]
    match error["type"], path[0]:
        case "list_type", "seeds" if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            numbers = ", ".join(map(str, range(value))) if value <= 10 else f"0, 1, ..., {value - 1}"
            return f"this is a list of the seeds' numbers, not how many there are: [{numbers}] for {value}"
        case "list_type", _:
            return (
                f"this is a list, not {value!r:.60}"
                if isinstance(value, Iterable)
                else f"this is a list, as in [{value}]"
            )
        case "dict_type", "schedules":
            return f'this is a mapping from names to schedules, as in {{"cosine": "cosine(100%)"}}, not {value!r:.60}'
        case "too_short", key:
            return f"this is empty: give at least one, or leave {key} out"
        case "string_type", "task" if callable(value):
            return "a task is given by a name, file.py:function or package.module:function, not by the function itself"
    return ""


def _reword(error: ErrorDetails) -> str:
    """Return what pydantic says, in the words of our messages."""
    shown = "" if isinstance(error["input"], dict) else f", not {error['input']!r:.60}"
    return error["msg"].replace("Input should", "this should") + shown
