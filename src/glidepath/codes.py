"""The code of every error, warning and review finding: one table, shown with each message as `[GP101]`.

1xx plans, 2xx PyTorch, 3xx tasks and studies, 4xx runs and laws, 5xx other libraries, 6xx the installation, 7xx
warnings, 8xx findings of a review. A code that is in the table keeps its meaning; later work adds rows.
"""

from typing import NamedTuple


class Code(NamedTuple):
    """A row of the table.

    Args:
        name: the class of the error, the rule of the finding, or the name of the warning.
        meaning: what is wrong.
        cure: what to do about it.
    """

    name: str
    meaning: str
    cure: str


CODES = {
    "GP001": Code(
        "GlidepathError", "An option or an argument cannot be used.", "Read the message: it names the value."
    ),
    # plans
    "GP101": Code("ScheduleError", "A schedule has a value that it cannot have.", "Give a value within the bounds."),
    "GP102": Code("ArgumentError", "A recipe does not have this argument.", "Use the argument that the message names."),
    "GP103": Code("StepError", "Something that is not a step was used as one.", "Call a plan with whole numbers."),
    "GP104": Code("DraftError", "A draft has no values yet.", "Give it a horizon: plan.over(10_000)."),
    "GP105": Code("HorizonError", "A plan does not fit its horizon.", "Shorten a part, or give the missing unit."),
    "GP106": Code("TextError", "A text is not a schedule.", "Mend the text at the caret."),
    "GP107": Code("file-as-plan", "A file was given where a plan belongs.", "Give the text of the plan."),
    # PyTorch
    "GP201": Code("SchedulerError", "A schedule cannot be attached to this optimizer.", "See the message."),
    "GP202": Code(
        "StateError", "A saved state belongs to another scheduler.", "Load the state that was saved with it."
    ),
    "GP203": Code("OptimizerError", "Not an optimizer, or not a function.", "Give one of torch.optim."),
    "GP204": Code("ResumeError", "The optimizer does not know where the schedule began.", "Load its state first."),
    "GP205": Code("GroupError", "The parameter groups have changed.", "Build the scheduler after the groups."),
    # tasks and studies
    "GP301": Code("TaskError", "A task cannot be found, or failed.", "Mend the task at the place in the message."),
    "GP302": Code("StudyError", "A study is described wrongly.", "Mend each line of the message."),
    "GP303": Code("StoreError", "A store cannot be used.", "Name another store, or move it away."),
    "GP304": Code("SnapshotError", "A snapshot is missing or damaged.", "Nothing: its state is trained again."),
    "GP305": Code("MachineError", "A worker runs on another kind of machine.", "Use machines of one kind."),
    "GP306": Code("WorkerLostError", "A worker process died.", "Give it more memory; the same command goes on."),
    # runs and laws
    "GP401": Code("RunError", "A logged run cannot be read.", "Mend the log at the place in the message."),
    "GP402": Code("LawError", "A loss law cannot be fitted to these runs.", "Give other runs, or another law."),
    "GP403": Code("log-left-out", "A log among others cannot be read.", "Mend it, or move it out of the folder."),
    # other libraries
    "GP501": Code("ConvertError", "A schedule cannot be read or written.", "See the message."),
    "GP502": Code("NoFormulaError", "A plan has no formula in another library.", "Cut it: plan[:10_000] is a table."),
    # the installation
    "GP601": Code("MissingExtraError", "An optional package is not installed.", "Install the extra in the message."),
    # warnings
    "GP700": Code("GlidepathWarning", "Something works, and is probably not meant.", "See the message."),
    "GP701": Code("step-without-update", "step() was called twice and no update was made.", "Call optimizer.step()."),
    "GP702": Code(
        "step-per-epoch", "A plan in updates is stepped once per epoch.", 'Write the plan in epochs: "30ep".'
    ),
    "GP703": Code("plan-changed", "The plan in the code is not the saved one.", 'Choose with on_change="saved".'),
    "GP704": Code("base-changed", "The rate in the code is not the saved base.", "Call rebase(), or restore the rate."),
    "GP705": Code("plan-of-rates", "A plan looks like the rate that it scales.", "Write Set(plan), or a peak of 1."),
    "GP706": Code("verbose-deprecated", "verbose is deprecated.", "Print scheduler.get_last_lr()."),
    "GP707": Code("get-lr-outside-step", "get_lr() computes the next rates.", "Use get_last_lr()."),
    "GP708": Code("epoch-deprecated", "step(epoch) is deprecated.", "Call step() without arguments."),
    "GP709": Code(
        "step-overridden", "optimizer.step was overridden too late.", "Override it, then build the scheduler."
    ),
    "GP710": Code(
        "step-before-update", "scheduler.step() came before optimizer.step().", "Call optimizer.step() first."
    ),
    "GP711": Code("rate-not-finite", "A schedule gives a rate that is not finite.", "Mend the function at this step."),
    "GP712": Code("metric-not-finite", "A metric is NaN or infinite.", 'Use glidepath.torch.Plateau(nan="skip").'),
    "GP713": Code("several-peaks", "The runs have several peak rates.", "Give the runs of one peak."),
    "GP714": Code("rate-read-once", "Rprop reads lr at its first update only.", "Use another optimizer."),
    "GP715": Code("rate-one-update-late", "ASGD uses each rate one update late.", "Give plan[1:]."),
    "GP716": Code("rate-capped", "Adafactor uses at most 1 / sqrt(updates made).", "Lower lr, or the plan."),
    "GP720": Code("former-name", "A text uses a name of an older Glidepath.", "Write what the message shows."),
    "GP721": Code("base-unclear", "What the plan scales cannot be told for sure.", "Give base=, or a saved state."),
    "GP722": Code(
        "write-between-rates", "A write has two readings where a plan moves fast.", "Call scheduler.step() first."
    ),
    "GP723": Code("peak-raised", "A write by other code raises all rates to come.", "Use set_rate(), or rebase()."),
    "GP724": Code(
        "written-every-time", "Other code writes before every update.", "Let one of the two write: detach()."
    ),
    "GP725": Code("averaging-took-over", "SWALR has taken over the rate.", "Nothing, or leave SWALR out."),
    "GP726": Code("late-group", "The rate of a late group has two readings.", 'Give late="base" or late="now".'),
    "GP727": Code(
        "ended-at-zero", "A run trains on past the end of its plan, at 0.", "Stop there, or give a longer plan."
    ),
    "GP728": Code("write-before-update", "A write before the first update has two readings.", "Use set_rate()."),
    "GP729": Code("set-overwritten", "A plan without a base wrote over a change.", "Change the plan, or scale it."),
    "GP730": Code("study", "A part of a study was repaired, or is cut short.", "See the message."),
    "GP731": Code(
        "update-by-parameter", "Every parameter is stepped alone.", "Call optimizer.step() after each backward()."
    ),
    "GP732": Code("foreign-state", "The state of another scheduler was loaded.", "Check the position in the message."),
    "GP733": Code("state-missing", "The optimizer was loaded, and its scheduler was not.", "Load the state as well."),
    "GP734": Code("rate-rounds-to-zero", "A tensor is too coarse for the values.", "Give it float32."),
    "GP736": Code("multipliers", "The groups have lr_scale or lr_mult.", "Remove the key to have it ignored."),
    "GP737": Code("rate-ignored", "The optimizer has a rate of its own.", "Switch it off, as the message says."),
    "GP738": Code("warmup-squared", "Optimizer and plan both warm up.", "Leave one of the warmups out."),
    "GP739": Code("rate-scales-parameters", "FTRL scales all parameters by the rate.", "Keep the rate constant."),
    "GP740": Code("built-again", "A schedule was built again, and begins anew.", "Build it once, or use last_epoch=."),
    "GP742": Code("command", "A command for a living run was not carried out.", "Write it as the message shows."),
    "GP743": Code("averaging-resumed", "SWALR was in the scheduler's place when this was saved.", "Nothing, mostly."),
    "GP746": Code(
        "rate-of-the-checkpoint", "A Trainer goes on with the saved rate.", "Call rebase() as the training begins."
    ),
    "GP747": Code("no-update-left", "A Trainer is resumed past its end.", "Give max_steps=, or more epochs."),
    "GP748": Code(
        "record-resumed", "A record goes on: rows were moved or left out.", "See the message; or give start=."
    ),
    "GP749": Code("log-without-update", "Logged numbers belong to no update.", "Call log() after optimizer.step()."),
    # findings of a review
    "GP801": Code("finite", "A value is NaN or infinite.", "Change the formula, or cut the step away."),
    "GP802": Code("negative", "A value is below zero, so the update would climb.", "Clip the plan at zero."),
    "GP803": Code("jump", "The value changes more than tenfold at once.", "Begin a part where the last one ends."),
    "GP804": Code("zero", "The first or last updates train at zero.", "Begin above zero; end after the last update."),
    "GP805": Code("length", "The plan and the run do not end together.", "Give lengths as shares of the run."),
    "GP806": Code("parentheses", "A factor scales the first part alone.", "Put the whole sequence in parentheses."),
    "GP807": Code("warmup", "The warmup takes more than half of the run.", "Shorten it."),
    "GP808": Code("low", "A third of the run is below 1% of the peak.", "Decay more slowly, or keep a floor."),
    "GP809": Code("units", "Lengths in epochs are read as updates.", 'Write them as "30ep", and give a horizon.'),
    "GP810": Code("deviation", "A run used other rates than the plan's.", "See the cause in the message."),
}
