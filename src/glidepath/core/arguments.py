"""The call of a recipe, checked before it runs: a wrong argument is answered with the recipe's own.

Other libraries call our arguments by other names (`eta_min` is our `to`), so the error carries the right spelling, from
`argument_names.py`. Python's own message would name a private function, and could not be told from a bug of Glidepath.
"""

import functools
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, ParamSpec, TypeVar, final, get_args

from glidepath.errors import ArgumentError, Cure, GlidepathError, ScheduleError

from .argument_names import FOREIGN, FORMER_ARGUMENTS, OF_ONE_RECIPE, Meaning
from .checks import count, is_number, real
from .closest import did_you_mean
from .duration import Duration, read_duration
from .step_function import StepFunction, needs_schedule

P = ParamSpec("P")
R = TypeVar("R")

LONGEST_EXAMPLE = 100  # characters of a call that an error suggests
FRACTIONS = ("to", "start", "minimum")  # of the peak


@final
class Usage:
    """The name of a recipe and its arguments."""

    def __init__(self, recipe: Callable[..., Any]) -> None:
        self.recipe = recipe
        self.name = recipe.__name__
        self.signature = inspect.signature(recipe)
        parameters = self.signature.parameters.values()
        self.names = tuple(self.signature.parameters)
        self.by_position = tuple(p.name for p in parameters if p.kind is not p.KEYWORD_ONLY)
        self.needed = tuple(p.name for p in parameters if p.default is p.empty)

    def __str__(self) -> str:
        """Return the recipe as it is called: its arguments and their defaults, without types."""
        shown = list(self.names)
        for i, parameter in enumerate(self.signature.parameters.values()):
            if parameter.default is not parameter.empty:
                shown[i] = f"{parameter.name}={parameter.default!r}"
        if len(self.by_position) < len(self.names):
            shown.insert(len(self.by_position), "*")
        return f"{self.name}({', '.join(shown)})"

    def check(self, arguments: Sequence[Any], keywords: Mapping[str, Any]) -> None:
        """Check that a call can be made.

        Raises:
            ArgumentError: for the first argument that is unknown, surplus, doubled or missing.
        """
        unknown = next((name for name in keywords if name not in self.names), None)
        if unknown is not None:
            self._refuse_unknown(unknown, keywords)
        if len(arguments) > len(self.by_position):
            self._refuse_surplus(arguments, keywords)
        positional = self.by_position[: len(arguments)]
        doubled = next((name for name in positional if name in keywords), None)
        if doubled is not None:
            raise self._error(f"{self.name}() got {doubled} twice, by position and by name", doubled)
        missing = [name for name in self.needed if name not in positional and name not in keywords]
        if missing:
            names = " and ".join(name if name in self.by_position else f"{name}=" for name in missing)
            raise self._error(f"{self.name}() needs {names}")

    def _refuse_unknown(self, name: str, keywords: Mapping[str, Any]) -> NoReturn:
        advice = self._advise(name, keywords) or did_you_mean(name, self.names)
        raise self._error(f"{name} is not an argument of {self.name}()", name, advice)

    def _advise(self, name: str, keywords: Mapping[str, Any]) -> str:
        """Return what to do instead of giving an argument that this recipe does not have; empty if that is unknown."""
        former = FORMER_ARGUMENTS.get(self.name, {}).get(name)
        if former is not None:
            return f"use {former}="
        meaning = OF_ONE_RECIPE.get(self.name, {}).get(name) or FOREIGN.get(name)
        if meaning is None:
            return ""
        if meaning.sentence:
            return meaning.sentence.format(recipe=self.name)
        names = (argument.removeprefix(f"{self.name}.") for argument in meaning.arguments)
        ours = next((name for name in names if name in self.names), None)
        suggestions = [f"{ours}={_example_value(meaning, keywords)}"] if ours else []
        if meaning.elsewhere and (meaning.always or not ours):
            suggestions.append(meaning.elsewhere.format(recipe=self.name))
        return f"use {' or '.join(suggestions)}" if suggestions else ""

    def _refuse_surplus(self, arguments: Sequence[Any], keywords: Mapping[str, Any]) -> NoReturn:
        by_position = " and ".join(self.by_position)
        takes = f"takes only {by_position} by position" if by_position else "takes its arguments by name"
        example = self._with_names(arguments, keywords)
        advice = f"write {example}" if example else ""
        raise self._error(f"{self.name}() {takes}", len(self.by_position), advice)

    def _with_names(self, arguments: Sequence[Any], keywords: Mapping[str, Any]) -> str:
        """Return the same call with its surplus arguments named; empty if it is not surely what was meant."""
        try:
            values = [read_durations(value) for value in arguments]
            named = {name: read_durations(value) for name, value in keywords.items()}
            positional, surplus = values[: len(self.by_position)], values[len(self.by_position) :]
            free = [name for name in self.names if name not in self.by_position and name not in named]
            pairs = list(zip(free, surplus, strict=False))
            fits = all(self._fits(name, value, i == 0) for i, (name, value) in enumerate(pairs))
            lengths = all(self._fits(*pair, False) for pair in zip(self.by_position, positional, strict=False))
            if len(pairs) < len(surplus) or not fits or not lengths:
                return ""
            named.update(pairs)
            self.recipe(*positional, **named)
        except GlidepathError:
            return ""
        shown = [repr(value) for value in positional]
        shown += [f"{name}={named[name]!r}" for name in self.names if name in named]
        example = f"{self.name}({', '.join(shown)})"
        return example if len(example) <= LONGEST_EXAMPLE else ""

    def _fits(self, name: str, value: Any, first: bool) -> bool:
        """Return whether a value is of the kind of an argument: a length, a fraction, or a number that is needed.

        Args:
            name: of the argument.
            value: to give to it.
            first: whether it is the first surplus value, which alone may be the fraction that others take there.
        """
        if name in self.by_position and not (is_number(value) or isinstance(value, Duration)):
            return value is not None
        if str in _kinds(self.signature.parameters[name].annotation):
            return isinstance(value, Duration) or (is_number(value) and (value > 1 or isinstance(value, int)))
        if not is_number(value):
            return False
        if name in FRACTIONS:
            return first and 0 <= value <= 1
        return name in self.needed

    def normalize(
        self, arguments: Sequence[Any], keywords: Mapping[str, Any]
    ) -> tuple[tuple[Any, ...], tuple[tuple[str, Any], ...]]:
        """Return the call in the one form that it can have: arguments in their order, normalized, without defaults."""
        bound = self.signature.bind(*arguments, **keywords)
        for name, parameter in self.signature.parameters.items():
            if name in bound.arguments:
                value = _normalize(bound.arguments[name], name, _kinds(parameter.annotation))
                bound.arguments[name] = value
                if value == parameter.default:
                    del bound.arguments[name]
        return bound.args, tuple(bound.kwargs.items())

    def _error(self, problem: str, argument: str | int | None = None, advice: str = "") -> ArgumentError:
        return ArgumentError(problem, argument=argument, usage=str(self), cures=[Cure(advice)] if advice else [])


def _example_value(meaning: Meaning, keywords: Mapping[str, Any]) -> str:
    """Return what to give to our argument: a number if it follows from the keywords, else its unit."""
    if not meaning.divisors:
        return f" ({meaning.unit})" if meaning.unit else ""
    factors = [keywords.get(name, default) for name, default in meaning.divisors]
    if all(is_number(factor) and factor > 0 for factor in factors):
        return f"{1 / math.prod(map(float, factors)):g}"
    names = " * ".join(name for name, _ in meaning.divisors)
    return f" (1 / {names})" if len(factors) == 1 else f" (1 / ({names}))"


def check_arguments(build: Callable[P, R]) -> Callable[P, R]:
    """Let a recipe without lengths answer a call that does not fit its signature with its own arguments."""

    @functools.wraps(build)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        usage.check(args, kwargs)
        return build(*args, **kwargs)

    usage = Usage(call)
    return call


def check_fields(kind: type[R]) -> type[R]:
    """Let a dataclass answer a call that does not fit its fields as a recipe does."""
    usage, init = Usage(kind), kind.__init__

    @functools.wraps(init)
    def call(self: R, *args: Any, **kwargs: Any) -> None:
        usage.check(args, kwargs)
        init(self, *args, **kwargs)

    kind.__init__ = call  # type: ignore[assignment]
    return kind


def read_durations(value: Any) -> Any:
    """Return an argument with every text in it read as a duration, and lists as tuples."""
    if isinstance(value, str):
        return read_duration(value)
    if isinstance(value, (list, tuple)):
        return tuple(read_durations(item) for item in value)
    return value


def _kinds(annotation: Any) -> set[Any]:
    """Return the types that an annotation names, those in a list or a union too."""
    inside = annotation if isinstance(annotation, list) else get_args(annotation)  # a list: of a callable's arguments
    return set().union(*(_kinds(part) for part in inside)) if inside else {annotation}


def _normalize(value: Any, name: str, kinds: set[Any]) -> Any:
    """Return an argument of a draft as its recipe will get it, as far as its annotation says.

    Raises:
        ScheduleError: if it is not of a kind that the annotation names.
    """
    if isinstance(value, tuple):
        return tuple(_normalize(item, name, kinds) for item in value)
    if value is None or Any in kinds:
        return value
    if any(isinstance(kind, type) and issubclass(kind, StepFunction) for kind in kinds):
        return needs_schedule(value, name)
    if isinstance(value, Duration) and str in kinds:
        return value
    if isinstance(value, (Duration, StepFunction)):
        expected = "a length or a number" if str in kinds else "a number, not a length"
        raise ScheduleError(f"{name} is {expected}: {value!r} has no place there")
    return real(value, name) if float in kinds else count(value, name)
