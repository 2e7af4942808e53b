"""The option that names a loss law."""

from typing import Annotated

from cyclopts import Parameter

from glidepath.law import LAWS as LAWS
from glidepath.law import LawName

Option = Annotated[LawName, Parameter(name="--law")]
