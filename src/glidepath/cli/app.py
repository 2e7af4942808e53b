"""The table of commands. A command is named by its place, so that `glidepath --help` loads none of them."""

import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError, UnknownOptionError

from glidepath import __version__
from glidepath.extras import require_extras

# name: (what it does, an example)
COMMANDS = {
    "show": (
        "Draw a plan in the terminal, with its values where its parts meet.",
        'glidepath show "warmup(5%) >> cosine(95%)" --steps 1000',
    ),
    "plot": (
        "Draw plans as a figure: PNG, SVG or PDF.",
        'glidepath plot "wsd(100%, warmup=500, cooldown=20%)" "half=0.5 * cosine(100%)" --steps 10k -o lr.svg',
    ),
    "review": (
        "Find mistakes before the run, or where a logged run left its plan; exits with 1 if there are any.",
        'glidepath review "warmup(5%) >> cosine(95%)" --steps 10k --run trainer_state.json',
    ),
    "recipes": ("List all recipes, or explain one.", "glidepath recipes cosine"),
    "gallery": ("Draw every recipe and every way to decay a rate in PyTorch.", "glidepath gallery -o gallery/"),
    "convert": (
        "Write a plan as code for another library, or read a schedule of another library as a plan.",
        'glidepath convert "warmup(500) >> cosine(9500)" --to torch --peak 3e-4',
    ),
    "compare": (
        "Train a task under several schedules and tell which one wins.",
        'glidepath compare digits --steps 300 --schedule cosine="cosine(100%)" --schedule step="step(every=100)"',
    ),
    "find": (
        "Sweep the rate of a task until its loss runs away, and tell where to begin looking.",
        "glidepath find digits -o range_test.png",
    ),
    "fit": (
        "Fit a loss law to logged runs.",
        "glidepath fit cosine.csv wsd.csv -o fit.png",
    ),
    "predict": (
        "Predict the loss that other schedules would have, from logged runs.",
        'glidepath predict "warmup(2%) >> cosine(98%)" --run constant.csv --run wsd.csv --steps 24k',
    ),
    "advise": (
        "Rank schedules that were not trained, from a few logged runs.",
        "glidepath advise --run constant.csv --run wsd.csv --steps 50k",
    ),
    "design": (
        "Design the best schedule that loss laws know of, from logged runs.",
        "glidepath design --run constant.csv --run wsd.csv --steps 24k --warmup 2%",
    ),
    "export": (
        "Write the curves of a finished study as CSV, Parquet or TensorBoard event files.",
        "glidepath export results/digits --to runs/",
    ),
    "store": ("List, clean up or check what was trained and stored.", "glidepath store ls"),
}
EXTRAS: dict[str, tuple[str, ...]] = {  # command: what it needs beside the extra of the command line
    "plot": ("plot",),
    "gallery": ("torch", "plot"),
    "find": ("torch", "plot", "law"),
    **dict.fromkeys(("compare", "store"), ("compare",)),
    **dict.fromkeys(("fit", "predict", "advise", "design"), ("law",)),
}
HINTS = {  # command: options that people try, and what it has instead
    "compare": {
        **dict.fromkeys(("--lr", "--learning-rate", "--peaks"), "the largest rate is --peak, given once for each"),
        "--seeds": "a seed is given by its number, once for each: --seed 0 --seed 1 --seed 2",
        "--schedules": "a schedule is --schedule NAME=TEXT, given once for each",
        "--horizons": "a length of run is --horizon, given once for each",
        **dict.fromkeys(("--epoch", "--epochs"), "a run is as long as its updates, --steps"),
    }
}
GROUPS = {"store"}  # have commands of their own, each with its example


def build() -> App:
    """Build the command line."""
    app = App(
        name="glidepath",
        help="Plan, check, drive, compare and design learning-rate schedules.",
        version=__version__,
        help_format="plaintext",
        help_epilogue=f"Example: {COMMANDS['show'][1]}",
        help_on_error=False,
        suppress_keyboard_interrupt=False,
        result_action="return_value",
    )
    for name, (line, example) in COMMANDS.items():
        epilogue = {} if name in GROUPS else {"help_epilogue": f"Example: {example}"}
        app.command(f"glidepath.cli.{name}:{name}", name=name, help=line, **epilogue)
    return app


def answer(arguments: Sequence[str]) -> int:
    """Run one command; a wrong option is explained on stderr and is bad input."""
    command = arguments[0] if arguments else ""
    require_extras(f"the command {command}", *EXTRAS.get(command, ()))
    try:
        result = build()(list(arguments), exit_on_error=False)
    except CycloptsError as error:
        option = error.token.keyword if isinstance(error, UnknownOptionError) else None
        hint = HINTS.get(command, {}).get(option or "")
        if hint is not None:
            print(f"glidepath: {hint}", file=sys.stderr)
        return 2
    return result if isinstance(result, int) else 0
