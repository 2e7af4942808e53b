"""The code of every error, warning and review finding: one table, shown with each message as `[GP101]`.

1xx plans, 2xx PyTorch, 3xx tasks and studies, 4xx runs and laws, 5xx other libraries, 6xx the installation, 7xx warnings,
8xx findings of a review. A code that is in the table keeps its meaning; later work adds rows.
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
    # other libraries
    "GP501": Code("ConvertError", "A schedule cannot be read or written.", "See the message."),
    # the installation
    "GP601": Code("MissingExtraError", "An optional package is not installed.", "Install the extra in the message."),
}
