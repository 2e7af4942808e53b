"""`glidepath find`: the range test of a task."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from glidepath import plot
from glidepath.plot.range_test import draw_range_test
from glidepath.range_test import RangeTest
from glidepath.tasks import load_task
from glidepath.tasks.range_test import sweep
from glidepath.ticks import value_text
from glidepath.torch.randomness import deterministic_kernels, preserve_rng_state, seed_everything
from glidepath.torch.range_test import OnUpdate

from .output.console import progress_bars, write_lines
from .output.tables import write_table

ENDINGS = {
    "swept": "the whole sweep",
    "diverged": "the loss diverged there",
    "not finite": "the next loss was not finite",
}


def find(
    task: str,
    /,
    *,
    low: float = 1e-7,
    high: float = 10.0,
    updates: int = 200,
    seed: int = 0,
    threads: int = 1,
    output: Annotated[Path, Parameter(alias="-o")] = Path("range_test.png"),
    as_json: Annotated[bool, Parameter(name="--json", negative=())] = False,
) -> int:
    """Sweep the rate of a task until its loss diverges, and print the rates that this suggests.

    A suggestion is where to begin looking, not the best rate: compare trains at several with --peak. Exits with 1 if
    no suggestion can be trusted.

    Parameters
    ----------
    task
        digits, stdlib_gpt, package.module:function or file.py:function.
    low
        The rate of the first update, in the group with the highest rate; the others keep their ratio to it.
    high
        The rate of the last update; the sweep stops before it, if the loss diverges.
    updates
        Of the optimizer, in the whole sweep.
    seed
        Of the task.
    threads
        CPU threads of the training.
    output
        The figure: PNG, SVG or PDF.
    as_json
        Print one JSON object.
    """
    plot.check_format(output)
    result = _sweep_task(task, seed, threads, low, high, updates)
    file = plot.save(draw_range_test(result, title=f"range test of {task}"), output)
    if as_json:
        print(json.dumps(_as_json(result, file)))
    else:
        _write_result(result)
        write_lines(f"wrote {file}")
    return 0 if result else 1


def _sweep_task(task: str, seed: int, threads: int, low: float, high: float, updates: int) -> RangeTest:
    build = load_task(task)
    with deterministic_kernels(threads), preserve_rng_state():
        seed_everything(seed)
        instance = build(seed)
        with _bar(updates) as progress, build.blame("sweeping its rate"):
            return sweep(instance, low=low, high=high, updates=updates, progress=progress)


@contextmanager
def _bar(updates: int) -> Iterator[OnUpdate]:
    """Show a progress bar on stderr, if that is a terminal."""
    with progress_bars() as bars:
        bar = bars.add_task("updates", total=updates, now="")
        yield lambda k, rate, loss: bars.update(bar, completed=k + 1, now=f"rate {rate:.1e}  loss {loss:.4f}")


def _write_result(result: RangeTest) -> None:
    first, last = (value_text(float(rate), 2) for rate in result.rates[[0, -1]])
    write_lines(f"{len(result.losses)} updates from rate {first} to {last}: {ENDINGS[result.ended]}", "")
    rows = [
        (
            name,
            value_text(suggestion.rate, 2),
            f"{value_text(suggestion.low, 2)} to {value_text(suggestion.high, 2)}",
            suggestion.doubt,
        )
        for name, suggestion in result.suggestions.items()
    ]
    write_table(["suggestion", "doubt"], ["suggestion", "rate", "9 in 10 resamples", "doubt"], rows)
    write_lines("", *(f"do not trust these: {doubt}" for doubt in result.doubts))


def _as_json(result: RangeTest, file: Path) -> dict[str, Any]:
    return {
        "suggestions": {name: asdict(suggestion) for name, suggestion in result.suggestions.items()},
        "doubts": result.doubts,
        "ended": result.ended,
        "rates": result.rates.tolist(),
        "losses": result.losses.tolist(),
        "figure": str(file),
    }
