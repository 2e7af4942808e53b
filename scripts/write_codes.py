"""Write docs/codes.md, the page of all codes, from the one table in glidepath.codes.

python scripts/write_codes.py
"""

from pathlib import Path

from glidepath.codes import CODES

PAGE = Path(__file__).parent.parent / "docs" / "codes.md"
FAMILIES = {
    "GP0": "General",
    "GP1": "Plans",
    "GP2": "PyTorch",
    "GP3": "Tasks and studies",
    "GP4": "Runs and laws",
    "GP5": "Other libraries",
    "GP6": "The installation",
    "GP7": "Warnings",
    "GP8": "Findings of a review",
}
HEAD = """# Codes

Every error, warning and finding of a review ends its first line with a code, `[GP101]`. This page is written from the
table in `glidepath.codes` by `scripts/write_codes.py`.
"""


def page() -> str:
    """Return the page as Markdown: a section for each family of codes, a row for each code."""
    sections = [HEAD]
    for prefix, title in FAMILIES.items():
        rows = [
            f"| {code} | `{row.name}` | {row.meaning} | {row.cure} |"
            for code, row in CODES.items()
            if code.startswith(prefix)
        ]
        if rows:
            sections.append(
                "\n".join([f"## {title}", "", "| code | name | meaning | cure |", "|---|---|---|---|", *rows]) + "\n"
            )
    return "\n".join(sections)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
