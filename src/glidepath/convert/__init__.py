"""To and from the schedules of other libraries: `read` takes theirs, `code` writes ours for them."""

from .conversion import Conversion as Conversion
from .conversion import ConvertError as ConvertError
from .reading import read as read
from .writing import code as code
