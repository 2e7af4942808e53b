"""`glidepath convert`: plans as code for other libraries, and schedules of other libraries as plans."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from glidepath.convert import Conversion, code
from glidepath.convert.writing import Target
from glidepath.core.schedule import Draft, Schedule
from glidepath.errors import GlidepathError
from glidepath.parser import parse

from .options.horizon import OWN_LENGTH, RunLength, own_length


def convert(
    source: str,
    /,
    *arguments: str,
    to: Target | None = None,
    run: RunLength = OWN_LENGTH,
    peak: float | None = None,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
) -> None:
    """Write a plan as code for another library, or read a schedule of another library as a plan.

    Parameters
    ----------
    source
        A schedule as text; or file.py:name or package.module:name, a schedule of torch, transformers, timm, optax,
        Keras or Composer, or a function without arguments that returns one: the file is run for it, as it would be
        by `python file.py`, but for what stands under `if __name__ == "__main__"`; or Megatron-LM's arguments as a
        JSON or YAML file.
    arguments
        What a script that is run reads as its arguments, after --: convert train.py:scheduler -- --epochs 90
    to
        function, torch, transformers, optax, keras or timm: what the code is for.
    peak
        The learning rate where the plan is 1.0.
    output
        The file to write; without it the answer is printed.
    """
    if "(" in source:
        if arguments:
            raise GlidepathError(f"a plan takes no arguments, and {arguments[0]!r} is one: quote the whole plan")
        text = _write_plan(_over(parse(source), run), to, peak)
    else:
        conversion = _read(source, arguments)
        text = "\n".join(_describe(conversion, run)) + "\n" if to is None else _write(conversion, to, run, peak)
    if output is None:
        print(text, end="")
    else:
        output.write_text(text)
        print(f"wrote {output}")


def _read(name: str, arguments: Sequence[str]) -> Conversion:
    from .options.foreign import read_by_name  # inside: names are loaded as tasks are, which need PyTorch

    return read_by_name(name, arguments)


def _over(plan: Schedule, run: RunLength) -> Schedule:
    """Resolve a plan over the run; one whose durations are all steps needs no run."""
    horizon = run.horizon()
    if horizon is None and isinstance(plan, Draft):
        own_length(plan)
    return plan if horizon is None else plan.over(horizon)


def _write_plan(plan: Schedule, to: Target | None, peak: float | None) -> str:
    if to is None:
        raise GlidepathError("say what the code is for, as in --to torch (function, torch, transformers, optax, ...)")
    return code(plan, to=to, peak=peak)


def _describe(conversion: Conversion, run: RunLength) -> Iterator[str]:
    """Yield what was read: a line for each group, for each other hyperparameter, and for each quirk."""
    yield f"# {conversion.source}"
    plans = [plan if run.steps is None else _over(plan, run) for plan in conversion.schedules]
    if len(plans) == 1:
        yield _line(plans[0], conversion.bases[0])
    else:
        for i, (plan, base) in enumerate(zip(plans, conversion.bases, strict=True)):
            yield f"group {i}: {_line(plan, base)}"
    for name, others in conversion.others.items():
        yield from (f"{name}: {other}" for other in dict.fromkeys(others))
    yield from _notes(conversion)


def _line(plan: Schedule, base: float) -> str:
    return str(plan) if base == 1.0 else f"{plan}  # of {base!r}"


def _notes(conversion: Conversion) -> Iterator[str]:
    if conversion.position:
        yield f"# it has made {conversion.position} updates already; the plan begins at update 0"
    yield from (f"# {quirk}" for quirk in conversion.quirks)


def _write(conversion: Conversion, to: Target, run: RunLength, peak: float | None) -> str:
    """Write a schedule of one library as code for another."""
    if len(set(conversion.schedules)) > 1:
        raise GlidepathError(
            f"{conversion.source} is a different schedule in each group: leave --to out to see them, "
            "and convert each of these"
        )
    program = code(_over(conversion.schedule, run), to=to, peak=_peak(conversion, to) if peak is None else peak)
    return "\n".join([f"# {conversion.source}", *_notes(conversion), program])


def _peak(conversion: Conversion, to: Target) -> float | None:
    """Return the rate that the schedule is a share of, if it is one for all groups."""
    if conversion.shares:
        return None
    if len(set(conversion.bases)) == 1:
        return conversion.bases[0]
    if to in ("optax", "keras", "function"):
        bases = ", ".join(map(repr, conversion.bases))
        raise GlidepathError(f"its groups have different rates ({bases}), and {to} has no groups: choose one, --peak")
    return None
