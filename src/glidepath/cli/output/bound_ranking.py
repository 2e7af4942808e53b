"""`glidepath advise` without a run: schedules ranked by the bound of convex theory, whatever the model."""

import json
from collections.abc import Mapping

from glidepath.core.schedule import Schedule
from glidepath.law import peak_transfer, rank_by_bound

from .console import write_lines
from .tables import write_table

NOTE = (
    "no run was given: this is the worst case of convex theory, each schedule at its own best peak, and knows nothing "
    "of your model; one run of it says more: --run log.csv"
)


def write_bound_ranking(candidates: Mapping[str, Schedule], steps: int, as_json: bool) -> None:
    """Write the table, or JSON: the bound over that of the best, and the best peak over that of the best."""
    ranking = rank_by_bound(candidates, steps)
    (first, least), *_ = ranking
    rows = [(name, bound / least, peak_transfer(candidates[first], candidates[name], steps)) for name, bound in ranking]
    if as_json:
        plain = [{"name": name, "bound": bound, "peak": peak} for name, bound, peak in rows]
        print(json.dumps({"steps": steps, "ranking": plain, "notes": [NOTE]}))
        return
    cells = [(name, f"{bound:.3f}", f"{peak:.2f}") for name, bound, peak in rows]
    write_table(["schedule"], ["schedule", "bound, over the best", "best peak, over the best's"], cells)
    write_lines("", f"best: {candidates[first]!r}", "", NOTE)
