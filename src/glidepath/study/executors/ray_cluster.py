"""The Ray cluster that a study trains on: connect to it or start it, send it this folder, count its slots."""

import logging
import os
import socket
from pathlib import Path
from typing import Any

import ray

from glidepath.errors import StudyError
from glidepath.study.engine.origin import KERNELS

NOT_SENT = [".git", ".glidepath", "results", "__pycache__", ".venv", "venv"]


def connect(address: str | None, cpus: int, store: Path) -> bool:
    """Connect to a cluster, or start one; return whether this folder had to be sent to it."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    target = address or os.environ.get("RAY_ADDRESS") or "local"
    if target == "local":
        os.environ.setdefault("RAY_AUTH_MODE", "disabled")  # else it writes a token into the home folder
        os.environ.setdefault("RAY_worker_niceness", "0")  # else whatever runs beside it goes first
        ray.init(
            "local",
            num_cpus=cpus or len(os.sched_getaffinity(0)),
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
        return False
    try:
        _check_reachable(target)
        ray.init(target, runtime_env=_environment(store), log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, RuntimeError, ValueError) as error:
        raise StudyError(f"there is no Ray cluster to use at {target}: {brief(error)}") from error
    return True


def _environment(store: Path) -> dict[str, Any]:
    """Return what remote workers need: this folder, without what is large in it, and the variables that decide bits."""
    here, names = Path.cwd(), [name for name in os.environ if name.startswith(KERNELS)]
    own = [f"/{store.resolve().relative_to(here).as_posix()}"] if store.resolve().is_relative_to(here) else []
    return {
        "working_dir": str(here),
        "excludes": NOT_SENT + own,
        "env_vars": {name: os.environ[name] for name in names},
    }


def _check_reachable(address: str) -> None:
    """Raise an OSError if no server answers at an address; Ray itself tries for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if port.isdigit():
        socket.create_connection((host, int(port)), timeout=10).close()


def count_slots(threads: int, gpus: float) -> int:
    """Return how many trainings fit into the cluster at a time."""
    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    machines = [node["Resources"] for node in nodes if node["Alive"]]
    return sum(
        int(min(has.get("CPU", 0) // threads, has.get("GPU", 0) // gpus if gpus else float("inf"))) for has in machines
    )


def brief(error: BaseException) -> str:
    """Return the first line of one of Ray's errors, which are pages long."""
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0]:.200}" if str(error) else type(error).__name__
