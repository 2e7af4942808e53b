"""Keras: a plan as one of Keras's own learning-rate schedules, which it saves and loads with the model.

Keras calls a plain function without the step, so a plan has to be a `LearningRateSchedule`. It is traced and compiled
with the rest of the training step.
"""

from typing import Any, final

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

    Args:
        plan: a schedule of absolute rates, as in `3e-4 * plan`, or its text.

    Raises:
        ScheduleError: if `plan` is not a plan, or the backend is another.
        DraftError: if `plan` is a draft; give it a horizon first.

    Examples:
        >>> optimizer = keras.optimizers.Adam(LearningRate(3e-4 * (warmup(100) >> cosine(900))))
    """

    def __init__(self, plan: Schedule | str) -> None:
        if keras.backend.backend() not in BACKENDS:
            raise _backend_error(keras.backend.backend())
        schedule = parse(plan) if isinstance(plan, str) else plan
        if not isinstance(schedule, Schedule):
            raise ScheduleError(f"LearningRate takes a schedule or its text, not {plan!r}")
        if waits(schedule):
            raise DraftError(f"{schedule!r} waits for a horizon: give LearningRate(plan.over(10_000))")
        self.plan = schedule

    def __call__(self, step: Any) -> Any:
        return keras.ops.cast(self.plan(keras.ops.convert_to_tensor(step)), keras.config.floatx())

    def get_config(self) -> dict[str, Any]:
        """Return the plan's text, from which Keras builds it again without running any code."""
        return {"plan": self.plan.text}
