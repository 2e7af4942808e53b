"""What other libraries call the arguments of our recipes, and what we called some of them before.

Read from torch.optim.lr_scheduler, transformers, timm, Keras, optax, fairseq, Composer and Megatron-LM. A name can
mean several things (`final` a value or a length, `decay_steps` a whole length or a part of it), so each row lists
our arguments in the order of preference; the first that a recipe has is the one to suggest.
"""

from typing import NamedTuple, final

VALUE = "a fraction of the peak"
SHARE = 'a share of the run is a text, "3%"'
ABSOLUTE = "minimum= in Scheduler (an absolute rate)"
PEAK = "the optimizer's own rate as the peak, or multiply: 3e-4 * {recipe}(...)"
POSITION = "leave it out, Scheduler counts the updates; to begin later, use position= in Scheduler"
PRINT = "leave it out, and print scheduler.get_last_lr() where you want to see the rate"
MULTIPLY = "multiply: 0.5 * {recipe}(...)"
DIV_FACTOR = 25.0  # of torch's OneCycleLR, where it is not given


@final
class Meaning(NamedTuple):
    """What a foreign name means here.

    Args:
        arguments: Glidepath's, the preferred one first; "warmup.steps" is one of the recipe `warmup` alone.
        unit: of the value, to be shown with the argument.
        elsewhere: what to use besides, or where a recipe has none of the arguments.
        always: whether `elsewhere` is a choice even where the recipe has one of the arguments.
        sentence: the whole advice, where nothing is to be used instead.
        divisors: the foreign names, and their defaults, whose product our value is the inverse of.
    """

    arguments: tuple[str, ...]
    unit: str = ""
    elsewhere: str = ""
    always: bool = False
    sentence: str = ""
    divisors: tuple[tuple[str, float | None], ...] = ()


def _rows(
    names: str, *arguments: str, unit: str = "", elsewhere: str = "", always: bool = False, sentence: str = ""
) -> dict[str, Meaning]:
    return dict.fromkeys(names.split(), Meaning(arguments, unit, elsewhere, always, sentence))


FOREIGN: dict[str, Meaning] = {
    # where a decay ends: an absolute rate in most libraries, a fraction of the peak in the others
    **_rows(
        "min_lr eta_min lr_min end_lr lr_end final_lr lr_final min_learning_rate end_learning_rate learning_rate_end",
        *("to", "minimum"),
        unit=VALUE,
        elsewhere=ABSOLUTE,
        always=True,
    ),
    **_rows(
        "end end_value end_factor final final_value final_lr_scale final_lr_ratio min_lr_ratio min_lr_rate min_ratio "
        "min_factor lr_min_ratio alpha alpha_f decay_to target to",
        *("to", "minimum", "maximum"),
        unit=VALUE,
        elsewhere=ABSOLUTE,
    ),
    **_rows("annealing_steps anneal_steps anneal_iters", "annealing", "cooldown", "decay", "steps"),
    **_rows(
        "min low floor lower_bound min_value lower minimum base_momentum",
        *("minimum", "to", "start"),
        unit=VALUE,
        elsewhere=ABSOLUTE,
    ),
    **_rows(
        "max high ceiling upper_bound max_value maximum max_momentum",
        "maximum",
        unit=VALUE,
        elsewhere="clip(plan, maximum=)",
    ),
    **_rows("level stable_value constant_lr", "plateau", "to", unit=VALUE, elsewhere="0.5 * constant(n)"),
    # where it begins
    **_rows(
        "init_value initial_value start_value start_factor begin initial init_lr_scale warmup_init_lr warmup_lr_init "
        "warmup_lr warmup_start_lr warmup_start_value lr_start start_lr start",
        "start",
        unit=VALUE,
        elsewhere="a first piece with its own start: warmup(500, start=0.1)",
    ),
    **_rows(
        "lr learning_rate max_lr peak_lr peak_value base_lr initial_lr initial_learning_rate init_lr peak lr_max",
        "peak",
        unit="an absolute rate",
        elsewhere=PEAK,
    ),
    # torch's OneCycleLR divides: the peak by div_factor is the start, and the start by final_div_factor the end
    "div_factor": Meaning(("start",), elsewhere="start= in one_cycle", divisors=(("div_factor", None),)),
    "final_div_factor": Meaning(
        ("to",), elsewhere="to= in one_cycle", divisors=(("div_factor", DIV_FACTOR), ("final_div_factor", None))
    ),
    # lengths
    **_rows(
        "T_max t_max total_steps total_iters num_training_steps training_steps max_iters max_iter max_steps num_steps "
        "n_steps iters iterations epochs n_epochs num_epochs max_epochs t_initial total_num_update max_update "
        "max_updates length duration lr_decay_iters T_0 T_i cycle_steps first_decay_steps first_cycle_steps steps",
        *("steps", "up", "every"),
        elsewhere="a cut: {recipe}(...)[:1000]",
    ),
    **_rows(
        "decay_steps transition_steps decay_iters lr_decay_steps num_decay_steps decay_epochs",
        *("every", "cooldown", "decay", "steps"),
        elsewhere="a cut: {recipe}(...)[:1000]",
    ),
    **_rows(
        "step_size decay_t decay_every every_n period every", "every", "steps", elsewhere="staircase(plan, every=)"
    ),
    **_rows("step_size_up", "up", "steps", elsewhere="up= in cyclic"),
    **_rows("step_size_down", "down", elsewhere="down= in cyclic"),
    **_rows(
        "cooldown_steps decay", "cooldown", "decay", "steps", elsewhere="a piece after it: {recipe}(...) >> linear(200)"
    ),
    **_rows(
        "cooldown_ratio cooldown_fraction decay_ratio decay_fraction cooldown",
        *("cooldown", "decay", "annealing"),
        unit=SHARE,
        elsewhere='a piece after it: {recipe}(...) >> linear("20%")',
    ),
    **_rows(
        "hold_steps stable_steps num_stable_steps plateau_steps constant_steps hold",
        "hold",
        elsewhere="a piece between: constant(500) >> ...",
    ),
    **_rows(
        "warmup_steps num_warmup_steps warmup_updates warmup_iters warmup_epochs warmup_t warmup_tokens t_warmup "
        "lr_warmup_steps lr_warmup_iters warmup_length warmup",
        *("warmup", "warmup.steps"),
        elsewhere="a piece before it: warmup(500) >> {recipe}(...)",
    ),
    **_rows(
        "warmup_ratio warmup_proportion warmup_fraction warmup_frac warmup_pct",
        *("warmup", "warmup.steps"),
        unit=SHARE,
        elsewhere='a piece before it: warmup("3%") >> {recipe}(...)',
    ),
    **_rows("pct_start", "rise", "warmup", "cut", elsewhere="rise= in one_cycle"),
    **_rows("cut_frac", "cut", "rise", elsewhere="cut= in slanted_triangular"),
    # factors, cycles, exponents
    **_rows(
        "gamma decay_rate lr_decay drop drop_rate decay_factor multiplier factor",
        *("factor", "rate", "shrink", "ratio"),
        elsewhere="factor= in exponential, step or multistep",
    ),
    **_rows("scales factors", "factor", "values", elsewhere="factor= in multistep"),
    **_rows(
        "milestones boundaries lr_steps lr_milestones decay_milestones",
        *("milestones", "boundaries", "points"),
        elsewhere="milestones= in multistep",
    ),
    **_rows(
        "num_cycles cycles n_cycles cycle_limit num_restarts restarts num_periods waves times",
        *("waves", "times"),
        elsewhere="times= in cosine_restarts or waves= in cosine_waves",
    ),
    **_rows("T_mult t_mult t_mul cycle_mult cycle_mul growth", "growth", elsewhere="growth= in cosine_restarts"),
    **_rows("m_mul cycle_decay cycle_gamma shrink", "shrink", elsewhere="shrink= in cosine_restarts"),
    **_rows("exponent degree lr_power poly_power power", "power", elsewhere="power= in polynomial"),
    **_rows("k_decay cycle_k", "k", elsewhere="k= in cosine"),
    # the rest
    **_rows("d_model model_size hidden_size dim_model embed_dim", "model_width", elsewhere="model_width= in noam"),
    **_rows("noise_seed random_state random_seed seed", "seed", elsewhere="seed= in noise"),
    **_rows("noise_std lr_noise_std std stddev sigma", "spread", "variance", elsewhere="spread= in noisy"),
    **_rows("noise_pct lr_noise_pct", "limit", elsewhere="limit= in noisy"),
    **_rows("initial_variance", "variance", elsewhere="variance= in noisy_linear_cosine"),
    **_rows("variance_decay", "fade", elsewhere="fade= in noisy_linear_cosine"),
    **_rows("staircase", elsewhere="staircase(plan, every=100) around it"),
    **_rows("last_epoch last_step initial_step", sentence=POSITION),
    **_rows("verbose", sentence=PRINT),
    **_rows("value", sentence=MULTIPLY),
    **_rows("optimizer wrapped_optimizer", elsewhere="Scheduler(optimizer, {recipe}(...)) from glidepath.torch"),
}

# Where a name means something else for one recipe: that of torch's CyclicLR and OneCycleLR, or of ConstantLR.
OF_ONE_RECIPE: dict[str, dict[str, Meaning]] = {
    "cyclic": {
        "base_lr": Meaning(("minimum",), unit="base_lr / max_lr"),
        "mode": Meaning(("shrink",), unit='0.5 is "triangular2"'),
    },
    "one_cycle": {"anneal_strategy": Meaning((), sentence="it is a cosine; one_cycle_linear has straight phases")},
    "Horizon": {"epochs": Meaning(("steps_per_epoch",), unit="updates in an epoch, not the number of epochs")},
    "constant": {"factor": Meaning((), sentence="multiply: 0.5 * constant(10)")},
}

# What other libraries call a schedule, and what it is here.
FOREIGN_RECIPES = {
    "CosineAnnealingLR": "cosine(100)",
    "CosineAnnealingWarmRestarts": "cosine_restarts(100)",
    "CosineLRScheduler": "cosine(100)",
    "CyclicLR": "cyclic(2000)",
    "ConstantLR": "0.3 * constant(5) >> constant()",
    "ExponentialLR": "exponential(every=1, factor=0.95)",
    "LambdaLR": "formula('1 / (1 + step)')",
    "LinearLR": "linear(5, start=0.3, to=1)",
    "MultiplicativeLR": "exponential(every=1, factor=0.95)",
    "MultiStepLR": "multistep([30, 80])",
    "OneCycleLR": "one_cycle(1000)",
    "PolynomialLR": "polynomial(100, power=1)",
    "SequentialLR": "warmup(5%) >> cosine(95%)",
    "ChainedScheduler": "linear(10, start=0.1, to=1) * cosine(100)",
    "StepLR": "step(every=30)",
    "get_constant_schedule": "constant()",
    "get_constant_schedule_with_warmup": "warmup(100) >> constant()",
    "get_linear_schedule_with_warmup": "warmup(100) >> linear(900)",
    "get_cosine_schedule_with_warmup": "warmup(100) >> cosine(900)",
    "get_cosine_with_hard_restarts_schedule_with_warmup": "warmup(100) >> cosine_restarts(300, times=3)",
    "get_cosine_with_min_lr_schedule_with_warmup": "warmup(100) >> cosine(900, to=0.1)",
    "get_polynomial_decay_schedule_with_warmup": "warmup(100) >> polynomial(900, power=1)",
    "get_inverse_sqrt_schedule": "inverse_sqrt(warmup=1000)",
    "get_wsd_schedule": "wsd(1000, warmup=100, cooldown=200)",
}
PLATEAUS = ("plateau", "Plateau", "ReduceLROnPlateau")  # they depend on a metric, so they are not plans

# What texts of an older Glidepath may still say; `parse` reads them.
FORMER_RECIPES = {"range_test": "sweep"}
FORMER_ARGUMENTS: dict[str, dict[str, str]] = {
    **{name: {"final": "to"} for name in ("wsd", "flat_cosine", "wsd_s", "one_cycle", "one_cycle_linear", "tri_stage")},
    "infinite": {"final": "annealing", "level": "plateau"},
    "one_cycle_momentum": {"low": "minimum", "high": "maximum"},
    "clip": {"low": "minimum", "high": "maximum"},
    "cyclic": {"low": "minimum"},
    "chebyshev": {"low": "curvature_ratio"},
    "sweep": {"low": "start"},
}
