"""What reading a log costs: `glidepath.logs.read` against the reader of the file's own package.

    python -m benchmarks.logs [--quick]

Each log is written here and read by both in turns, in one process that does nothing else, with a quarter of the rows
and with all: figures are CPU time, the least of five turns. The readers beside it only parse; ours also checks every
row and finds the rate of every update. Memory is the highest that a process of its own held beyond what it held
before (Linux only), the least of three.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from glidepath import logs

TURNS, PROCESSES = 5, 3
ROWS, SCALARS = 1_000_000, 100_000
Work = Callable[[Path], object]


class Log(NamedTuple):
    """A log: how it is written and read by its package, how many rows it has, and the ratio to reach."""

    name: str
    file: str
    write: Callable[[Path, int], object]
    read: Work
    rows: int
    most: float


# --- the logs ---


def _columns(rows: int) -> dict[str, Any]:
    steps = np.arange(rows)
    return {"step": steps, "lr": 1e-3 * np.cos(steps / rows), "loss": 2 + 1 / (steps + 1.0)}


def _write_csv(file: Path, rows: int) -> None:
    import pandas

    pandas.DataFrame(_columns(rows)).to_csv(file, index=False)


def _read_csv(file: Path) -> object:
    import pandas

    return pandas.read_csv(file)


def _write_parquet(file: Path, rows: int) -> None:
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(pyarrow.table(_columns(rows)), file)


def _read_parquet(file: Path) -> object:
    from pyarrow import parquet

    return parquet.read_table(file)


def _read_parquet_by_pandas(file: Path) -> object:
    import pandas

    return pandas.read_parquet(file)


def _write_state(file: Path, rows: int) -> None:
    history = [
        {"epoch": k / rows, "grad_norm": 1.234567, "learning_rate": 5e-5 * (1 - k / rows), "loss": 2.5, "step": k + 1}
        for k in range(rows)
    ]
    file.write_text(json.dumps({"log_history": history, "max_steps": rows}, indent=2), encoding="utf-8")


def _read_state(file: Path) -> object:
    return json.loads(file.read_text(encoding="utf-8"))


def _write_events(folder: Path, scalars: int) -> None:
    from tensorboardX import SummaryWriter

    with SummaryWriter(str(folder)) as writer:
        for k in range(scalars // 2):
            writer.add_scalar("lr", 1e-3 * (1 - 2 * k / scalars), k)
            writer.add_scalar("loss", 2 + 1 / (k + 1), k)


def _read_events(folder: Path) -> object:
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    return sum(1 for file in folder.iterdir() for _ in EventFileLoader(str(file)).Load())


def _accumulate_events(folder: Path) -> object:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    return EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0}).Reload()


LOGS = (
    Log("CSV, pandas", "log.csv", _write_csv, _read_csv, ROWS, 3),
    Log("Parquet, pyarrow", "log.parquet", _write_parquet, _read_parquet, ROWS, 2),
    Log("Parquet, pandas", "pandas.parquet", _write_parquet, _read_parquet_by_pandas, ROWS, 2),
    Log("Trainer, json", "trainer_state.json", _write_state, _read_state, SCALARS, 3),
    Log("events, EventFileLoader", "loaded", _write_events, _read_events, SCALARS, 1),
    Log("events, EventAccumulator", "accumulated", _write_events, _accumulate_events, SCALARS, 1),
)


# --- time and memory ---


def measure_time(log: Log, path: Path) -> tuple[float, float]:
    """Return the seconds of CPU that the package takes, and that we take."""
    turns = [(_seconds(log.read, path), _seconds(logs.read, path)) for _ in range(TURNS + 1)][1:]
    return min(theirs for theirs, _ in turns), min(ours for _, ours in turns)


def _seconds(work: Work, path: Path) -> float:
    start = time.process_time()
    work(path)
    return time.process_time() - start


def measure_memory(log: Log, path: Path) -> tuple[float, float]:
    """Return the MB that a process holds at most while the package reads, and while we do."""
    theirs, ours = (min(_in_process(log, path, who) for _ in range(PROCESSES)) for who in ("theirs", "ours"))
    return theirs, ours


def _in_process(log: Log, path: Path, who: str) -> float:
    command = [sys.executable, "-m", "benchmarks.logs", "--memory", log.name, str(path), who]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def print_memory(log: Log, path: Path, who: str) -> None:
    """Print the MB that one reading takes beyond what the process held after reading a small log."""
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder, log.file)
        log.write(small, log.rows // 50)
        read = log.read if who == "theirs" else logs.read
        read(small)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = _status("VmRSS")
    result = read(path)
    print((_status("VmHWM") - before) / 1000)
    del result


def _status(field: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows, and no memory")
    parser.add_argument("--memory", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory:
        name, path, who = options.memory
        print_memory(next(log for log in LOGS if log.name == name), Path(path), who)
        return
    print(f"{'log, its reader':>25} {'rows':>10} {'its, s':>7} {'ours, s':>8} {'ratio':>6} {'at most':>8}  memory, MB")
    for log in LOGS:
        for rows in (log.rows // 4, log.rows):
            _print_row(log, rows // 10 if options.quick else rows, memory=rows == log.rows and not options.quick)


def _print_row(log: Log, rows: int, *, memory: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, log.file)
        log.write(path, rows)
        theirs, ours = measure_time(log, path)
        held = measure_memory(log, path) if memory else None
    text = f"{held[1]:.0f} of {held[0]:.0f}: {held[1] / held[0]:.1f}" if held else ""
    print(f"{log.name:>25} {rows:>10,} {theirs:7.3f} {ours:8.3f} {ours / theirs:6.2f} {log.most:8}  {text}", flush=True)


if __name__ == "__main__":
    main()
