"""A program from its sections: what it is, its imports, and its definitions."""

from collections.abc import Iterable, Sequence

from glidepath.core.schedule import Schedule

from .layout import comment


def program(plan: Schedule, notes: Sequence[str], imports: Iterable[str], *sections: str) -> str:
    """Write the whole text: the plan and the notes as a comment, imports, sections two lines apart."""
    head = "\n".join(comment(text) for text in (plan.text, *notes) if text)
    lines = "\n".join(imports)
    return "\n\n\n".join(part for part in (f"{head}\n\n{lines}" if lines else head, *sections) if part) + "\n"
