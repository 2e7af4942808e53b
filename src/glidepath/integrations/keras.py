"""Keras: a plan as one of Keras's own learning-rate schedules, which it saves and loads with the model.

Keras calls a plain function without the step, so a plan has to be a `LearningRateSchedule`. It is traced and compiled
with the rest of the training step.
"""

from typing import Any, final

from glidepath.core.checks import count
from glidepath.core.schedule import Schedule, waits
from glidepath.errors import DraftError, MissingExtraError, ScheduleError
from glidepath.extras import needs_extra
from glidepath.parser import parse

BACKENDS = ("jax", "torch")


def _backend_error(backend: str) -> ScheduleError:
    return ScheduleError(
        f"a plan can be traced on the backends {' and '.join(BACKENDS)}, not on {backend}: set KERAS_BACKEND before "
        "Keras is imported"
    )


try:
    with needs_extra("", "the integration with Keras"):
        import keras
except MissingExtraError as error:
    if error.package == "tensorflow":  # Keras's backend where KERAS_BACKEND is not set
        raise _backend_error(error.package) from error
    if error.package == "torch":
        raise MissingExtraError(error.package, "torch", error.purpose) from error
    raise


@final
@keras.saving.register_keras_serializable(package="glidepath")
class LearningRate(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """A schedule in which update k uses plan(k), on the backends jax and torch, in Keras's precision (default float32).

    Keras asks its schedules by the count of batches. With an optimizer that accumulates, only every n-th of them is an
    update, so give both the same n.

    Args:
        plan: a schedule of absolute rates, as in `3e-4 * plan`, or its text.
        gradient_accumulation_steps: batches in an update, as given to the optimizer; None for 1.

    Raises:
        ScheduleError: if `plan` is not a plan, the number is not at least 1, or the backend is another.
        DraftError: if `plan` is a draft; give it a horizon first.

    Examples:
        >>> optimizer = keras.optimizers.Adam(LearningRate(3e-4 * (warmup(100) >> cosine(900))))
    """

    def __init__(self, plan: Schedule | str, *, gradient_accumulation_steps: int | None = None) -> None:
        if keras.backend.backend() not in BACKENDS:
            raise _backend_error(keras.backend.backend())
        schedule = parse(plan) if isinstance(plan, str) else plan
        if not isinstance(schedule, Schedule):
            raise ScheduleError(f"LearningRate takes a schedule or its text, not {plan!r}")
        if waits(schedule):
            raise DraftError(f"{schedule!r} waits for a horizon: give LearningRate(plan.over(10_000))")
        self.plan = schedule
        steps = 1 if gradient_accumulation_steps is None else gradient_accumulation_steps
        self.gradient_accumulation_steps = count(steps, "gradient_accumulation_steps", at_least=1)

    def __call__(self, step: Any) -> Any:
        step = keras.ops.convert_to_tensor(step)
        if self.gradient_accumulation_steps > 1:
            step = keras.ops.floor_divide(step, self.gradient_accumulation_steps)
        return keras.ops.cast(self.plan(step), keras.config.floatx())

    def get_config(self) -> dict[str, Any]:
        """Return the plan's text, from which Keras builds it again without running any code."""
        config: dict[str, Any] = {"plan": self.plan.text}
        if self.gradient_accumulation_steps > 1:
            config["gradient_accumulation_steps"] = self.gradient_accumulation_steps
        return config
