"""What a study will cost, before anything runs: runs, updates alone and shared, disk, and what would share more."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import final

from glidepath.study.sharing.tree import distinct_updates
from glidepath.study.sharing.values import RunValues
from glidepath.study.spec.runs import list_runs
from glidepath.study.spec.schedule_spec import read_spec
from glidepath.study.spec.study import Study

from .prepare import Prepared, values_of

PERCENT_WARMUP = re.compile(r"\bwarmup\((\d+(?:\.\d+)?)%")
WORTH_SAYING = 1.02  # advice must raise the ratio by as much


@final
@dataclass(frozen=True)
class CostEstimate:
    """The plan of a study.

    Args:
        runs: how many.
        steps_alone: updates, if every run were trained by itself.
        steps_shared: updates, with every common prefix trained once.
        ratio: steps_alone / steps_shared.
        exact: whether that is known; what a plateau shares is not, and is counted as if it shared nothing more.
        steps_to_train: updates that the store does not have yet.
        bytes: of disk that the snapshots will need at most, before the budget is applied.
        advice: what would raise the ratio.
        warnings: schedules that are longer than their run, so that only their beginning is compared.
        trained_first: of a screening, the schedules that it trains before it predicts the others.
    """

    runs: int
    steps_alone: int
    steps_shared: int
    ratio: float
    exact: bool
    steps_to_train: int
    bytes: int
    advice: tuple[str, ...]
    warnings: tuple[str, ...]
    trained_first: tuple[str, ...] = ()


def estimate_cost(prepared: Prepared) -> CostEstimate:
    """Estimate the cost of a study that has been prepared; trains nothing."""
    coordinator = prepared.coordinator
    alone = sum(run.horizon for run in prepared.runs)
    shared = _count_shared(coordinator.values)
    size = max(origin.bytes for origin in prepared.origins.values())
    return CostEstimate(
        runs=len(prepared.runs),
        steps_alone=alone,
        steps_shared=shared,
        ratio=alone / shared,
        exact=all(values.complete for values in coordinator.values),
        steps_to_train=coordinator.updates_left() + coordinator.updates_unknown(),
        bytes=len(coordinator.find_needed()) * size,
        advice=tuple(_advice(prepared, alone / shared)),
        warnings=tuple(_cut_short(prepared.study)),
    )


def _count_shared(values: Sequence[RunValues]) -> int:
    """Count the updates of the tree; what is not known yet counts in full."""
    resolved = distinct_updates([run_values.path for run_values in values])
    return resolved + sum(run_values.run.horizon - run_values.resolved_steps for run_values in values)


def _cut_short(study: Study) -> Iterable[str]:
    for name, spec in (study.schedules or {}).items():
        length = spec.own_length
        for steps in study.horizons_of(spec):
            if length is not None and length > steps:
                yield f"{name} lasts {length:,} updates: a run of {steps:,} sees only its beginning"


def _advice(prepared: Prepared, ratio: float) -> Iterable[str]:
    study = prepared.study
    if not study.share:
        yield "sharing is off: every run is trained alone"
        return
    fixed = _with_warmups_in_steps(study)
    if fixed is not None:
        values = values_of(fixed, list_runs(fixed), prepared.origins)
        better = sum(run.horizon for run in prepared.runs) / _count_shared(values)
        if better > ratio * WORTH_SAYING:
            yield (
                f"a warmup of the same number of steps at every horizon, in place of a percentage, would be shared: "
                f"{better:.2f} in place of {ratio:.2f}"
            )
    if len(prepared.runs) > len(study.seeds) and ratio < WORTH_SAYING:
        yield (
            "these schedules part at their first updates, so nothing is shared; schedules that hold the peak and then "
            "cool down (wsd, constant() >> linear(20%)) share the part that they hold"
        )


def _with_warmups_in_steps(study: Study) -> Study | None:
    """Return the study with percentages of the longest run as steps; None if no horizon or no warmup would change."""
    specs = study.schedules or {}
    shortest = min(steps for spec in specs.values() for steps in study.horizons_of(spec))
    texts = {name: spec.texts for name, spec in specs.items() if isinstance(spec.texts, str)}
    fixed = {name: _warmups_in_steps(text, study.longest, shortest) for name, text in texts.items()}
    if shortest == study.longest or fixed == texts:
        return None
    changed = {name: read_spec(text) for name, text in fixed.items() if text != texts[name]}
    return study.model_copy(update={"schedules": {**specs, **changed}})


def _warmups_in_steps(text: str, longest: int, shortest: int) -> str:
    return PERCENT_WARMUP.sub(lambda match: f"warmup({_steps(match[1], longest, shortest)}", text)


def _steps(percent: str, longest: int, shortest: int) -> int:
    """Return the percentage of the longest run, unless a short one would be all warmup."""
    return max(1, min(round(float(percent) / 100 * longest), shortest // 2))
