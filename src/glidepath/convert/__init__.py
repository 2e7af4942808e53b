"""To and from the schedules of other libraries: `read` takes theirs, `code` writes ours for them."""

from glidepath.errors import ConvertError as ConvertError

from .conversion import Conversion as Conversion
from .reading import read as read
from .writing import code as code
