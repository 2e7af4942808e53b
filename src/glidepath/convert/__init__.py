"""Schedules from and to other libraries: `read` turns one into a plan, `code` writes a plan for one."""

from glidepath.errors import ConvertError as ConvertError

from .conversion import Conversion as Conversion
from .reading import read as read
from .writing import code as code
