"""The cluster that a study trains on: found, made, given the folder where we are, measured."""

import logging
import os
import socket
from pathlib import Path
from typing import Any

import ray

from glidepath.errors import StudyError
from glidepath.study.engine.origin import KERNELS

UNSHIPPED = [".git", ".glidepath", "results", "__pycache__", ".venv", "venv"]


def connect(address: str | None, cpus: int, store: Path) -> bool:
    """Connect to a cluster, or make one; whether this folder had to be sent to it."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    found = address or os.environ.get("RAY_ADDRESS") or "local"
    if found == "local":
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
        _knock(found)
        ray.init(found, runtime_env=_environment(store), log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, RuntimeError, ValueError) as error:
        raise StudyError(f"there is no Ray cluster to use at {found}: {brief(error)}") from error
    return True


def _environment(store: Path) -> dict[str, Any]:
    """What workers elsewhere need: the folder where we are, without what is large in it, and what decides bits."""
    here, names = Path.cwd(), [name for name in os.environ if name.startswith(KERNELS)]
    own = [f"/{store.resolve().relative_to(here).as_posix()}"] if store.resolve().is_relative_to(here) else []
    return {
        "working_dir": str(here),
        "excludes": UNSHIPPED + own,
        "env_vars": {name: os.environ[name] for name in names},
    }


def _knock(address: str) -> None:
    """Whether anybody is there at all; Ray itself asks for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if port.isdigit():
        socket.create_connection((host, int(port)), timeout=10).close()


def places(threads: int, gpus: float) -> int:
    """Trainings that the cluster has room for at a time."""
    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    machines = [node["Resources"] for node in nodes if node["Alive"]]
    return sum(
        int(min(has.get("CPU", 0) // threads, has.get("GPU", 0) // gpus if gpus else float("inf"))) for has in machines
    )


def brief(error: BaseException) -> str:
    """The first line of one of Ray's errors, which fill pages."""
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0]:.200}" if str(error) else type(error).__name__
