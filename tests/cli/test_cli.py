import contextlib
import io
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from glidepath.cli import main
from glidepath.cli.app import COMMANDS

GLIDEPATH = (sys.executable, "-m", "glidepath.cli")


@pytest.fixture(autouse=True)
def a_terminal_of_80_columns_in_an_empty_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)


def run(*arguments, **environment):
    """The command in a process of its own."""
    command = [*GLIDEPATH, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}, check=False)


def call(*arguments):
    """The same in this process, for what does not depend on the process: quicker."""
    out, told = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(told):
        code = main(list(map(str, arguments)))
    texts = [stream.buffer.getvalue().decode() for stream in (out, told)]
    return subprocess.CompletedProcess(arguments, code, *texts)


def refused(answer):
    """Bad input: exit code 2, nothing on stdout, words and no traceback on stderr."""
    assert answer.returncode == 2
    assert answer.stdout == ""
    assert answer.stderr.strip()
    assert "Traceback" not in answer.stderr
    return answer.stderr


# --- the answers that the issue asks for ---


def test_show_prints_the_resolved_plan_the_curve_and_the_boundaries():
    answer = run("show", "warmup(5%) >> cosine(95%)", "--steps", 1000)
    assert (answer.returncode, answer.stderr) == (0, "")
    lines = answer.stdout.splitlines()
    assert lines[0] == "warmup(50) >> cosine(950)"
    rows = [line.split() for line in lines[-4:]]
    assert [(row[0], row[2]) for row in rows] == [
        ("0", "warmup"),
        ("49", "warmup"),
        ("50", "cosine"),
        ("999", "cosine"),
    ]
    assert [float(row[1]) for row in rows] == pytest.approx([0.02, 1.0, 1.0, 2.73396e-6])
    assert answer.stdout.isascii()


def test_a_misspelt_recipe_gets_a_caret_and_the_nearest_name():
    told = refused(run("show", "warmup(5%) >> cosin(95%)", "--steps", 1000)).splitlines()
    assert "did you mean cosine?" in told[0]
    assert told[1][told[2].index("^") :].startswith("cosin(")


def test_review_of_the_notes_own_lambda_names_step_0_and_step_4():
    answer = run("review", "formula('sin(step) / step')", "--steps", 100)
    assert (answer.returncode, answer.stderr) == (1, "")
    assert re.search(r"step 0\b.*", answer.stdout)
    assert re.search(r"(?i)\bnan\b|not a number", answer.stdout)
    assert re.search(r"step 4\b", answer.stdout)


def test_review_of_a_sound_plan_is_clean():
    assert run("review", "warmup(5%) >> cosine(95%)", "--steps", "10k").returncode == 0


def test_plot_writes_several_plans_to_an_svg(tmp_path):
    plans = ("wsd(100%, warmup=500, cooldown=20%)", "cosine(100%)")
    answer = run("plot", *plans, "--steps", "10k", "-o", "lr.svg")
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "wrote lr.svg: 10k steps\n", "")
    assert "<svg" in (tmp_path / "lr.svg").read_text()


# --- plot ---


def test_plot_without_a_file_name_says_where_it_wrote(tmp_path):
    answer = call("plot", "cosine(100)")
    assert "schedule.png" in answer.stdout
    assert (tmp_path / "schedule.png").read_bytes().startswith(b"\x89PNG")


def test_plot_takes_names_log_panels_and_a_width(tmp_path):
    arguments = ("half=0.5 * cosine(100)", "step(every=30, factor=0.1)", "--log", "--side-by-side")
    answer = call("plot", *arguments, "--width", "column", "-o", tmp_path / "new" / "lr.pdf")
    assert answer.returncode == 0
    assert (tmp_path / "new" / "lr.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("cosine(100)", "-o", "lr.jpeg"), ".png, .svg, .pdf"),
        (("cosine(100)", "--width", "wide"), "page, column or a number of inches"),
        (("cosine(100)", "--width", "0"), "1 to 100 inches"),
        ((), "no plan to draw"),
        (("cosine(100)", "cosine(100)"), "two plans are called 'cosine(100)'"),
        (("cosine(100%)",), "--steps"),
        (("step(every=3)",), "--steps"),
        (("warmup(20) >> cosine(100%)", "--steps", "100"), "shorten a part"),
    ],
)
def test_plot_refuses_what_it_cannot_draw(tmp_path, arguments, words):
    assert words in refused(call("plot", *arguments))
    assert not list(tmp_path.iterdir())


# --- the run ---


def test_a_plan_with_an_end_needs_no_steps():
    assert "99" in call("show", "linear(100)").stdout.splitlines()[-1]


@pytest.mark.parametrize("plan", ["constant()", "cosine(100%)", "noise()", "constant(0)"])
@pytest.mark.parametrize("command", ["show", "review"])
def test_a_plan_without_an_end_asks_for_steps(command, plan):
    assert "--steps 10k" in refused(call(command, plan))


def test_epochs_and_tokens_make_the_horizon():
    epochs = call("show", "warmup(3ep) >> cosine(7ep)", "--steps", "10ep", "--steps-per-epoch", 100)
    assert epochs.stdout.splitlines()[0] == "warmup(300) >> cosine(700)"
    tokens = call("show", "warmup(1Mtok) >> constant()", "--steps", "10k", "--tokens-per-step", "1k")
    assert tokens.stdout.splitlines()[0] == "warmup(1000) >> constant(9000)"


def test_an_epoch_alone_is_refused_with_the_option_that_is_missing():
    assert "steps_per_epoch" in refused(call("show", "cosine(3ep)", "--steps", 100))


@pytest.mark.parametrize("steps", ["0", "-5", "1.5", "ten", "50%", "1e400", ""])
@pytest.mark.parametrize("command", ["show", "plot", "review"])
def test_steps_that_are_no_count_are_refused(command, steps):
    refused(call(command, "cosine(100%)", f"--steps={steps}"))


def test_a_trillion_steps_are_shown_with_exact_boundaries():
    answer = call("show", "wsd(100%, warmup=1%, cooldown=20%)", "--steps", "1T")
    assert answer.stdout.splitlines()[-3].split() == ["799999999999", "1", "constant"]


# --- recipes ---


def test_recipes_lists_every_name_with_a_line_and_a_spark():
    from glidepath.parser import NAMES

    lines = call("recipes").stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(NAMES)
    assert all(len(line) > 50 for line in lines)


def test_recipes_explains_one_in_full():
    answer = call("recipes", "cosine")
    assert answer.stdout.startswith("cosine(steps, *, to=0.0, start=1.0")
    assert "Sources:" in answer.stdout


def test_an_unknown_recipe_gets_the_nearest_name():
    assert "did you mean cosine?" in refused(call("recipes", "cosin"))


def test_a_terminal_without_unicode_gets_question_marks_and_no_error():
    answer = run("recipes", "one_minus_sqrt", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert answer.returncode == 0
    assert "H?gele" in answer.stdout


def test_a_terminal_gets_braille_and_a_pipe_gets_ascii():
    assert run("show", "linear(100)").stdout.isascii()
    primary, replica = pty.openpty()
    process = subprocess.Popen([*GLIDEPATH, "show", "linear(100)"], stdout=replica, env={**os.environ, "COLUMNS": "60"})
    os.close(replica)
    seen = b""
    while chunk := _read(primary):
        seen += chunk
    assert process.wait() == 0
    assert any("⠀" < char <= "⣿" for char in seen.decode())


def _read(descriptor):
    try:
        return os.read(descriptor, 65536)
    except OSError:  # Linux says so where others say the end of the file
        return b""


# --- manners ---


def test_help_lists_every_command_and_loads_nothing_heavy():
    script = (
        "import sys; from glidepath.cli import main; code = main(['--help']); "
        "heavy = {'torch', 'matplotlib', 'numpy', 'glidepath.plot'} & set(sys.modules); assert not heavy, heavy"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert all(f" {name} " in answer.stdout for name in COMMANDS)


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "compare"])
def test_the_help_of_every_command_has_an_example(command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    answer = call(command, "--help")
    assert answer.returncode == 0
    assert f"Example: glidepath {command} " in answer.stdout


@pytest.mark.parametrize("arguments", [("show",), ("show", "linear(9)", "--stpes", "9"), ("shwo",), ("show", "a", "b")])
def test_wrong_usage_is_bad_input(arguments):
    refused(call(*arguments))


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (("cosine(9)", "linear(9)"), "draw several in one figure with glidepath plot 'cosine(9)' 'linear(9)'"),
        (("cosine(100%)", "--steps", "10m"), "did you mean 10M (10 million) or 10k (10 thousand)?"),
        (("noam(512, warmup=4000)", "--steps", "10k"), "write noam(model_width=512, warmup=4000)"),
        (("cosine(100, min_lr=0.1)",), "use to= (a fraction of the peak) or minimum= in Scheduler (an absolute rate)"),
        (("warmup(5) > cosine(9)",), "schedules are joined by >>"),
    ],
)
def test_the_first_mistake_gets_its_cure(arguments, answer):
    assert answer in refused(call("show", *arguments))


def test_a_misspelt_option_gets_the_nearest_one():
    assert "--steps" in refused(call("show", "linear(9)", "--stpes", "9"))


def test_a_plan_that_overflows_is_shown_and_is_a_finding():
    assert call("show", "exponential(every=1, factor=10)", "--steps", 1000).stdout.split()[-2] == "inf"
    assert call("review", "exponential(every=1, factor=10)", "--steps", 1000).returncode == 1


def test_an_error_of_our_own_is_told_without_a_traceback(monkeypatch):
    def broken(*values):
        raise RuntimeError("a bug")

    monkeypatch.setattr("glidepath.cli.show.parse", broken)
    assert "please report it: RuntimeError: a bug" in refused(call("show", "linear(9)"))
    monkeypatch.setenv("GLIDEPATH_TRACEBACK", "1")
    with pytest.raises(RuntimeError):
        call("show", "linear(9)")


def test_the_version_is_the_packages():
    import glidepath

    assert call("--version").stdout.strip() == glidepath.__version__


def test_a_closed_pipe_ends_quietly():
    process = subprocess.Popen([*GLIDEPATH, "recipes"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.wait() == 0
    assert process.stderr.read() == b""
    process.stderr.close()


def test_control_c_ends_quietly():
    script = (
        "import sys, glidepath.cli.app as app\n"
        "from glidepath.cli import main\n"
        "import glidepath.cli.show as show, time\n"
        "show.parse = lambda text: print('ready', flush=True) or time.sleep(60)\n"  # a plan that takes long to read
        "sys.exit(main(['show', 'noise()', '--steps', '9']))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    _, told = process.communicate()
    assert (process.returncode, told) == (130, "")


@pytest.mark.parametrize(
    ("package", "arguments", "extra"),
    [
        ("cyclopts", ["--help"], "glidepath[cli]"),
        ("matplotlib", ["plot", "linear(9)"], "glidepath[plot]"),
        ("torch", ["gallery"], "glidepath[torch]"),
    ],
)
def test_a_missing_package_is_named_in_one_line_with_the_line_that_installs_it(package, arguments, extra):
    script = (
        f"import sys; sys.modules[{package!r}] = None; from glidepath.cli import main; sys.exit(main({arguments!r}))"
    )
    command = [sys.executable, "-c", script]
    told = refused(subprocess.run(command, capture_output=True, text=True, check=False))
    assert told.count("\n") == 1
    assert told.rstrip().endswith(f'pip install "{extra}" [GP601]')


def test_the_installed_command_answers():
    script = Path(sys.executable).with_name("glidepath")
    assert subprocess.run([script, "show", "linear(9)"], capture_output=True, check=False).returncode == 0
