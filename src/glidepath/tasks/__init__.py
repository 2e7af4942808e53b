"""Real work to compare schedules on: what a task is, how one is found by name, and two that run on every machine."""

from glidepath.errors import TaskError as TaskError
from glidepath.extras import needs_extra

with needs_extra("torch", "tasks"):
    import torch as _torch  # noqa: F401

from .loading import BUILT_IN as BUILT_IN
from .loading import load_task as load_task
from .task import Stateful as Stateful
from .task import Task as Task
