"""The folder of a study's results: the report, and `study.yaml` with what decided its bits.

Everything in it can be made again from the store, so it is written over without asking; and it is left alone where
it already holds the very same curves.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from glidepath import __version__
from glidepath.study.curve import Curve
from glidepath.study.spec.study import Study
from glidepath.study.spec.yaml_io import study_to_yaml
from glidepath.study.training.cost import CostEstimate
from glidepath.study.training.prepare import Prepared

from .report.files import report
from .report.summary import Row


def facts(prepared: Prepared, plan: CostEstimate) -> dict[str, str]:
    """What a report tells besides the results: label and text."""
    described = next(iter(prepared.origins.values())).described
    different = prepared.coordinator.ledger.distinct_updates()
    return {
        "task": prepared.study.task,
        "runs": str(plan.runs),
        "updates": f"{plan.steps_alone:,} updates in {plan.runs} runs, {different:,} of them different: "
        f"{plan.steps_alone / different:.2f} times fewer; {prepared.coordinator.trained:,} trained now",
        "machine": described["machine"],
        "versions": described["versions"],
        "threads": described["threads"],
    }


def save_results(
    folder: Path, study: Study, curves: Sequence[Curve], rows: Sequence[Row], known: Mapping[str, str]
) -> list[Path]:
    """Write the report and `study.yaml`.

    Args:
        folder: of the results, which is there already.
        study: what was run.
        curves: every run.
        rows: from `summary`.
        known: from `facts`.

    Returns:
        The files; none if the folder holds these very curves already.
    """
    file, text = folder / "study.yaml", _heading(curves, known) + study_to_yaml(study)
    if (folder / "report.html").exists() and file.exists() and file.read_text() == text:
        return []
    files = report(folder, curves, rows, known)
    file.write_text(text)
    return [*files, file]


def _heading(curves: Sequence[Curve], known: Mapping[str, str]) -> str:
    """Where the bits of a study come from, and which they are."""
    bits = hashlib.sha256(repr([(curve.peak, curve.records) for curve in curves]).encode()).hexdigest()
    return (
        f"# glidepath {__version__}, {known['versions']}\n# {known['machine']}; {known['threads']} thread(s)\n"
        f"# curves: SHA-256 {bits[:16]}\n"
    )
