"""What a study will cost, before anything runs: runs, updates alone and shared, disk, and what would share more."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import final

from glidepath.study.sharing.tree import distinct_updates
from glidepath.study.sharing.values import Values
from glidepath.study.spec.runs import runs
from glidepath.study.spec.schedule_spec import own_length
from glidepath.study.spec.study import Study

from .prepare import Prepared, values_of

PERCENT_WARMUP = re.compile(r"\bwarmup\((\d+(?:\.\d+)?)%")
WORTH_SAYING = 1.02  # advice must raise the ratio by as much


@final
@dataclass(frozen=True)
class Forecast:
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


def forecast(prepared: Prepared) -> Forecast:
    """The plan of a study that has been prepared; trains nothing."""
    conductor = prepared.conductor
    alone = sum(run.horizon for run in prepared.runs)
    shared = _shared(conductor.values)
    size = max(origin.bytes for origin in prepared.origins.values())
    return Forecast(
        runs=len(prepared.runs),
        steps_alone=alone,
        steps_shared=shared,
        ratio=alone / shared,
        exact=all(values.complete for values in conductor.values),
        steps_to_train=conductor.left() + conductor.unknown(),
        bytes=len(conductor.wanted()) * size,
        advice=tuple(_advice(prepared, alone / shared)),
        warnings=tuple(_cut_short(prepared.study)),
    )


def _shared(values: Sequence[Values]) -> int:
    """Updates of the tree; what is not known yet counts in full."""
    known = distinct_updates([one.path for one in values])
    return known + sum(one.run.horizon - one.known for one in values)


def _cut_short(study: Study) -> Iterable[str]:
    for name, entry in (study.schedules or {}).items():
        length = own_length(entry)
        for steps in study.horizons_of(entry):
            if length is not None and length > steps:
                yield f"{name} lasts {length:,} updates: a run of {steps:,} sees only its beginning"


def _advice(prepared: Prepared, ratio: float) -> Iterable[str]:
    study = prepared.study
    if not study.share:
        yield "sharing is off: every run is trained alone"
        return
    fixed = _with_warmups_in_steps(study)
    if fixed is not None:
        better = sum(run.horizon for run in prepared.runs) / _shared(_values(fixed, prepared))
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


def _values(study: Study, prepared: Prepared) -> list[Values]:
    return values_of(study, runs(study), prepared.origins)


def _with_warmups_in_steps(study: Study) -> Study | None:
    """The study with percentages of the longest run as steps; None if it has only one horizon, or no such warmup."""
    shortest = min(steps for entry in (study.schedules or {}).values() for steps in study.horizons_of(entry))
    texts = {name: text for name, text in (study.schedules or {}).items() if isinstance(text, str)}
    fixed = {
        name: PERCENT_WARMUP.sub(lambda found: f"warmup({_steps(found[1], study.longest, shortest)}", text)
        for name, text in texts.items()
    }
    if shortest == study.longest or fixed == texts:
        return None
    return study.model_copy(update={"schedules": {**(study.schedules or {}), **fixed}})


def _steps(percent: str, longest: int, shortest: int) -> int:
    """The percentage of the longest run, unless a short one would be all warmup."""
    return max(1, min(round(float(percent) / 100 * longest), shortest // 2))
