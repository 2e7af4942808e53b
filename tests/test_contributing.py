"""What the pages for contributors name is there: files, figures, findings."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = ["CONTRIBUTING.md", "docs/architecture.md", "findings/README.md"]
EXAMPLES = re.compile(r"steady|explain")  # the worked examples, which do not exist


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_names_exists(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    named = re.findall(r"`([\w/.-]+\.(?:py|md|toml|sh)|[\w-]+/[\w/-]*/)`", text)
    assert named or page.startswith("findings")
    places = (ROOT, ROOT / "src/glidepath", ROOT / "src/glidepath/logs", ROOT / "src/glidepath/study/sharing")
    missing = [
        name for name in named if not EXAMPLES.search(name) and not any((place / name).exists() for place in places)
    ]
    assert missing == []


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_page_leads_somewhere(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#]+)\)", text)
    assert [target for target in targets if not ((ROOT / page).parent / target).exists()] == []


def test_the_figures_of_the_architecture_are_those_of_the_code(tmp_path):
    script = "import sys; sys.path.insert(0, 'scripts'); import draw_architecture as d; from pathlib import Path; "
    script += f"d.IMAGES = Path({str(tmp_path)!r}); d.main()"
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)
    drawn = sorted(tmp_path.glob("*.svg"))
    assert len(drawn) == 5
    assert [file.name for file in drawn if file.read_bytes() != (ROOT / "docs/images" / file.name).read_bytes()] == []


def test_every_stop_of_a_path_is_a_file():
    script = (ROOT / "scripts/draw_architecture.py").read_text(encoding="utf-8")
    paths = next(
        node.value for node in ast.parse(script).body if isinstance(node, ast.AnnAssign) and node.target.id == "PATHS"
    )
    files = [file for stops in ast.literal_eval(paths).values() for _, file in stops if file.endswith(".py")]
    assert len(files) > 15
    assert [file for file in files if not (ROOT / "src/glidepath" / file).exists()] == []


def test_every_finding_is_in_the_table_and_has_its_head():
    scripts = sorted((ROOT / "findings").glob("*.sh"))
    assert len(scripts) >= 3
    table = (ROOT / "findings/README.md").read_text(encoding="utf-8")
    for script in scripts:
        text = script.read_text(encoding="utf-8")
        assert f"({script.name})" in table, script.name
        for word in ("# Version:", "# Expected:", "# Seen:", "# Why it matters:", "==", "mktemp -d"):
            assert word in text, (script.name, word)
        assert "glidepath" not in text, script.name


def test_the_page_of_codes_is_the_table():
    script = "import sys; sys.path.insert(0, 'scripts'); import write_codes; sys.stdout.write(write_codes.page())"
    answer = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert answer.stdout == (ROOT / "docs/codes.md").read_text(encoding="utf-8")
