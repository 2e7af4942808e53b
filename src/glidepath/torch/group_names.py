"""How messages name a parameter group: by its number, and by its name if it has one."""

from collections.abc import Mapping
from typing import Any


def name_group(group: Mapping[str, Any], number: int) -> str:
    """Return the number of a group, and its name.

    Examples:
        >>> name_group({"name": "head"}, 1), name_group({}, 0)
        ('group 1 ("head")', 'group 0')
    """
    name = group.get("name")
    return f"group {number}" if name is None else f'group {number} ("{name}")'
