"""Compare what was read with `truth.json`, the rates that every update of the run was seen to use."""

import json
from pathlib import Path
from typing import Any

from glidepath import logs

DATA = Path(__file__).parent / "data"


def truth_of(folder: Path) -> list[float]:
    """Return the rate of every update."""
    return list(json.loads((folder / "truth.json").read_text())["rates"])


def assert_rows_are_true(path: Path, truth: list[float], **options: Any) -> logs.Rates:
    """Check the rate of every row of the only run; return them."""
    (rates,) = logs.rates(path, **options)
    assert len(rates.steps) > 3
    assert list(rates.rates) == [truth[step] for step in rates.steps]
    return rates
