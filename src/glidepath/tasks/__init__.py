"""Real work to compare schedules on: what a task is, how one is found by name, and two that run on every machine."""

from .loading import BUILT_IN as BUILT_IN
from .loading import load_task as load_task
from .task import Stateful as Stateful
from .task import Task as Task
from .task import TaskError as TaskError
