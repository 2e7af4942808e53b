"""The result of a study: its curves, what may be said of them, and the folder that it is saved in and loaded from.

Everything in the folder can be made again from the store, so it is overwritten without asking; and it is left alone
where it already holds the very same curves. `study.yaml` begins with what decided the bits.
"""

import csv
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from itertools import takewhile
from pathlib import Path
from typing import Any, Literal, Self, final

from matplotlib.figure import Figure

from glidepath import __version__
from glidepath.errors import Cure, MissingExtraError, StudyError
from glidepath.runs.run import Run
from glidepath.study.curve import Curve, Record
from glidepath.study.mean_run import choose_setting, mean_run
from glidepath.study.screening.row import PredictedLoss, ScreeningRow
from glidepath.study.spec.runs import StudyRun, list_runs
from glidepath.study.spec.study import Study
from glidepath.study.spec.yaml_io import read_study, study_to_yaml

from .report.export import read_curves
from .report.files import draw_figures, report, report_names
from .report.page import page
from .report.screening import FILES as SCREENING_FILES
from .report.screening import save_screening
from .report.summary import Row, summary
from .report.tables import COLUMNS, curves_table, metric_name
from .report.verdict import Verdict, first_name, sentences, verdict

FrameLibrary = Literal["pandas", "polars"]


@final
@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """A finished study.

    Args:
        study: the study; of one that was screened, the part that was trained.
        curves: every run, in the order of the study.
        facts: where the bits come from, and what was shared: label and text.
        trained: updates that the call which gave this result trained; 0 for one that was loaded.
        screening: the outcome of the screening for each schedule, if there was one.

    Two results are equal if their studies, curves (bit for bit, NaN equal to NaN), facts and screenings are.
    """

    study: Study
    curves: tuple[Curve, ...]
    facts: Mapping[str, str] = field(default_factory=dict)
    trained: int = 0
    screening: tuple[ScreeningRow, ...] = ()

    @cached_property
    def rows(self) -> list[Row]:
        """Return the summary: a row for every schedule, horizon and peak, the best of each horizon first.

        Raises:
            StudyError: if the schedules of a horizon were not trained with the same seeds.
        """
        return summary(self.curves)

    @property
    def verdict(self) -> list[Verdict]:
        """Return what may be said of the schedules, for each horizon."""
        return verdict(self.rows)

    @property
    def verdict_text(self) -> str:
        """Return the verdict in sentences, a line for each."""
        return "\n".join(sentences(self.rows))

    def __repr__(self) -> str:
        return f"<Result of {self.study.task}, {len(self.curves)} runs: {'; '.join(sentences(self.rows))}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Result) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self.digest)

    @property
    def _identity(self) -> tuple[object, ...]:
        return self.study, self.digest, dict(self.facts), self.screening

    @cached_property
    def digest(self) -> str:
        """Return a hash of all curves: 16 hexadecimal digits that change with any bit of them."""
        bits = [(curve.peak, [_bits(record) for record in curve.records]) for curve in self.curves]
        return hashlib.sha256(repr(bits).encode()).hexdigest()[:16]

    def mean_run(self, schedule: str, *, peak: float | None = None, horizon: int | None = None) -> Run:
        """Average the runs of a schedule over its seeds, as a logged run that `glidepath.fit` and `predict` take.

        Args:
            schedule: its name.
            peak: one of those that were trained; without it the best of this schedule, which the report shows.
            horizon: one of those that were trained, in updates; without it the longest.

        Returns:
            The rates, and the evaluations of the metric that ranks as losses; of the seeds that did not diverge.

        Raises:
            StudyError: if there is no such schedule, peak or horizon, or every run diverged.
            RunError: if a plateau gave the seeds different rates.
        """
        setting = choose_setting(self.rows, schedule, peak, horizon)
        key = setting.horizon, setting.peak
        mean = mean_run(schedule, [curve for curve in self.curves if (curve.run.horizon, curve.peak) == key])
        if mean is None:
            peak_text = f"{setting.peak:g} over {setting.horizon} updates"
            raise StudyError(f"every run of {schedule} at the peak {peak_text} diverged, so there is none to average")
        return mean

    def figures(self) -> dict[str, Figure]:
        """Draw the figures of the report, by name: curves, final, spent."""
        return {name: figure for name, (figure, _) in draw_figures(self.curves, self.rows).items()}

    def frame(self, library: FrameLibrary | None = None) -> Any:
        """Return every update of every run as a data frame.

        Args:
            library: pandas or polars; without it the first of them that is installed.

        Returns:
            A frame with the columns run, schedule, horizon, seed, peak, step, rate, loss, and one for each metric.

        Raises:
            MissingExtraError: if neither is installed, or the one that was named is not.
        """
        table = curves_table(self.curves)
        columns = {name: [row.get(name) for row in table.rows] for name in table.columns}
        return _frame_library(library).DataFrame(columns)

    def to_html(self) -> str:
        """Return the report as one page that needs no other file: summary, verdict, figures, facts."""
        return page(self.curves, self.rows, draw_figures(self.curves, self.rows), self._page_facts)

    def save(self, folder: str | Path) -> list[Path]:
        """Write the report, the curves and the study into a folder.

        Args:
            folder: is created where it is missing.

        Returns:
            The files; none if the folder holds these very curves already.

        Raises:
            StudyError: if the folder cannot be written.
        """
        with results_folder(folder) as target:
            file, text = target / "study.yaml", self._comments() + study_to_yaml(self.study)
            names = [*report_names(), *(SCREENING_FILES if self.screening else ()), file.name]
            if all((target / name).is_file() for name in names) and file.read_text(encoding="utf-8") == text:
                return []
            files = report(target, self.curves, self.rows, self._page_facts)
            if self.screening:
                files += save_screening(target, self.screening, first_name(self.rows))
            file.write_text(text, encoding="utf-8")
            return [*files, file]

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a folder that `save`, or the command line, wrote.

        Raises:
            StudyError: if the folder does not hold a result, or its curves are not those that were saved.
        """
        folder = Path(folder)
        _check_results(folder)
        study = read_study(folder / "study.yaml")
        facts = _read_comments(folder / "study.yaml")
        digest = facts.pop("curves", None)
        result = cls(study, _read_curves(folder, list_runs(study)), facts, 0, tuple(_read_screening(folder)))
        if digest not in (None, result.digest):
            raise StudyError(f"{folder / 'curves.csv'} was changed since it was saved: its digest is not {digest}")
        return result

    @property
    def _page_facts(self) -> dict[str, str]:
        """Return the facts with what this call trained."""
        facts = dict(self.facts)
        if "updates" in facts:
            facts["updates"] += f"; {self.trained:,} trained now"
        return facts

    def _comments(self) -> str:
        """Return the comments above the study: where its bits come from, and which they are."""
        facts = {"glidepath": __version__, **self.facts, "curves": self.digest}
        return "".join(f"# {label}: {' '.join(text.splitlines())}\n" for label, text in facts.items())


@contextmanager
def results_folder(folder: str | Path) -> Iterator[Path]:
    """Create a folder that can take results, before hours are spent on them; an error leaves no empty one behind.

    Raises:
        StudyError: if it cannot be created, or cannot be written.
    """
    target = Path(folder)
    created = list(takewhile(lambda path: not path.exists(), [target, *target.parents]))
    try:
        target.mkdir(parents=True, exist_ok=True)
        if not os.access(target, os.W_OK):
            raise PermissionError(13, "it cannot be written")
    except OSError as error:
        raise StudyError(f"{target} cannot hold results: {error.strerror}") from error
    try:
        yield target
    except BaseException:
        for path in created:
            with suppress(OSError):
                path.rmdir()
        raise


def _bits(record: Record) -> tuple[object, ...]:
    return record.step, record.rate, record.loss, sorted(record.metrics.items())


def _frame_library(name: FrameLibrary | None) -> Any:
    names = [name] if name else ["pandas", "polars"]
    installed = next((name for name in names if find_spec(name) is not None), None)
    if installed is None:
        raise MissingExtraError(" or ".join(names), "", "a data frame")
    return import_module(installed)


# --- what was saved ---


def _check_results(folder: Path) -> None:
    """Raise unless a folder holds what `save` writes.

    Raises:
        StudyError: with the folders inside that do.
    """
    missing = _list_absent(folder)
    if not missing:
        return
    inside = sorted(file.parent for file in folder.glob("*/study.yaml") if not _list_absent(file.parent))
    names = f", as {' or '.join(map(str, inside))}" if inside else ""
    problem = f"has no {' and no '.join(missing)}" if folder.is_dir() else "is not a folder"
    advice = f"give the folder that save or compare wrote{names}"
    raise StudyError(f"{folder} is not a folder of results: it {problem}", cures=[Cure(advice)])


def _list_absent(folder: Path) -> list[str]:
    return [name for name in ("study.yaml", "curves.csv") if not (folder / name).is_file()]


def _read_comments(file: Path) -> dict[str, str]:
    """Read the comments above a study: label and text."""
    lines = takewhile(lambda line: line.startswith("# "), file.read_text(encoding="utf-8").splitlines())
    pairs = (line.removeprefix("# ").split(": ", 1) for line in lines)
    facts = {pair[0]: pair[1] for pair in pairs if len(pair) == 2}
    facts.pop("glidepath", None)
    return facts


def _read_curves(folder: Path, runs: Sequence[StudyRun]) -> tuple[Curve, ...]:
    """Read the curves of these runs.

    Raises:
        StudyError: if the file has other runs.
    """
    rows: dict[int, list[dict[str, Any]]] = {}
    for row in read_curves(folder).rows:
        rows.setdefault(row["run"], []).append(row)
    settings = {number: _key(group[0]) for number, group in rows.items()}
    if settings != {run.number: (run.schedule, run.horizon, run.seed) for run in runs}:
        raise StudyError(f"{folder / 'curves.csv'} does not hold the runs of {folder / 'study.yaml'}")
    return tuple(Curve(run, rows[run.number][0]["peak"], _records(rows[run.number])) for run in runs)


def _key(row: Mapping[str, Any]) -> tuple[str, int, int]:
    return row["schedule"], row["horizon"], row["seed"]


def _records(rows: Iterable[Mapping[str, Any]]) -> tuple[Record, ...]:
    return tuple(Record(row["step"], row["rate"], row["loss"], _metrics(row)) for row in rows)


def _metrics(row: Mapping[str, Any]) -> dict[str, float]:
    return {metric_name(column): value for column, value in row.items() if column not in COLUMNS}


def _read_screening(folder: Path) -> Iterator[ScreeningRow]:
    """Yield the rows of `screening.csv`, if it is there.

    Raises:
        StudyError: if it is not what `save` writes.
    """
    file = folder / "screening.csv"
    if not file.exists():
        return
    try:
        with file.open(newline="", encoding="utf-8") as stream:
            for row in csv.DictReader(stream, strict=True):
                measured = float(row["measured"]) if row["measured"] else None
                yield ScreeningRow(row["schedule"], row["why trained"], _prediction(row), measured)  # type: ignore[arg-type]
    except (KeyError, ValueError, TypeError, csv.Error) as error:
        raise StudyError(f"{file} is not what glidepath compare writes: let it write the file again") from error


def _prediction(row: Mapping[str, str]) -> PredictedLoss | None:
    return PredictedLoss(*(float(row[name]) for name in ("predicted", "low", "high"))) if row["predicted"] else None
