"""A file that is one piece of JSON."""

import json
from pathlib import Path
from typing import Any

from glidepath.errors import Place, RunError

from ..lines import unreadable

MOST_BYTES = 200_000_000


def read_json(file: Path, what: str) -> Any:
    """Return what a file says.

    Args:
        file: to be read.
        what: it should be, for messages.

    Raises:
        RunError: if it is too large, damaged, or something else.
    """
    try:
        if file.stat().st_size > MOST_BYTES:
            raise RunError(f"{file} has more than {MOST_BYTES:,} bytes: this is not {what}")
        return json.loads(file.read_bytes().decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        place = Place(str(file), line=error.lineno)
        raise RunError(f"{error.msg}: the file is not JSON, or was cut off", place=place) from error
    except UnicodeDecodeError as error:
        place = Place(str(file), part=f"byte {error.start}")
        raise RunError("not UTF-8: the file is not JSON, or damaged", place=place) from error
    except RecursionError as error:
        raise RunError(f"lists in lists, too deep for {what}", place=str(file)) from error
    except RunError:
        raise
    except ValueError as error:  # a number with thousands of digits
        raise RunError(f"{error}: the file is damaged", place=str(file)) from error
    except OSError as error:
        raise unreadable(file, error) from error
