"""What a logged step means: the trainers and loggers that are known by the names under which they log.

A step may be the index of an update or the number of updates made; it may count epochs, or steps of an environment; and
between two rows the rate may have held, or may lie on the curve. A dialect says which of these a trainer means.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, final

from glidepath.runs.gaps import Between as Between

Unit = Literal["updates", "epochs", "iterations of an epoch", "environment steps", "iterations"]
Count = Literal["auto", "updates made", "index of the update"]


@final
@dataclass(frozen=True)
class Offsets:
    """What to add to a logged step.

    Args:
        rate: so that it is the index of the update that used the logged rate.
        loss: so that it is the number of updates before the one that computed the logged training loss.
        evaluation: so that it is the number of updates before an evaluation.
    """

    rate: int = 0
    loss: int = 0
    evaluation: int = 0


INDEX = Offsets()  # step k is update k
MADE = Offsets(rate=-1, loss=-1)  # a step is the number of updates made, when it was logged
LAST = Offsets(evaluation=1)  # step k is update k, and an evaluation is logged at that of the last update before it


@final
@dataclass(frozen=True)
class Dialect:
    """What a trainer means by the names and steps that it logs.

    Args:
        trainer: its name, for people to read; "" if it is not known.
        offsets: what to add to a step; None if the rows have to tell.
        unit: what a step counts.
        between: what the rate was between two rows; None if the rows have to tell.
        steps: the names of the step, the first that is there; empty for the common ones.
        rates: the names of the rate, the first that is there; empty for the common ones.
        losses: the names of the training loss, the first that is there; empty for the common ones.
        total: the name of the updates that the run was made for; "" if they are not logged.
        mark: what only the rows of training have; "" if all rows are read.
        evaluated: the name of the step in rows of evaluations, if it is another.
    """

    trainer: str = ""
    offsets: Offsets | None = None
    unit: Unit = "updates"
    between: Between | None = None
    steps: tuple[str, ...] = ()
    rates: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    total: str = ""
    mark: str = ""
    evaluated: str = ""


UNKNOWN = Dialect()
TRAINER = Dialect("Transformers", MADE, between="line")
LIGHTNING = Dialect("Lightning", LAST)
LLAMA_FACTORY = Dialect("LLaMA-Factory", MADE, between="line", steps=("current_steps",), total="total_steps")
MMENGINE = Dialect("mmengine", MADE, steps=("iter",))  # in rows of validation, which have no `iter`, `step` is an epoch
RECORD = Dialect("Glidepath", INDEX, steps=("update",), evaluated="updates_made")
SKORCH = Dialect("skorch", INDEX, between="held", rates=("event_lr",), losses=("train_loss",))
SB3 = Dialect("Stable-Baselines3", MADE, unit="environment steps", steps=("time/total_timesteps",))
PPO = replace(
    SB3,
    trainer="Stable-Baselines3, whose train/n_updates counts PPO's passes over its data,",
    steps=("time/total_timesteps", "train/n_updates"),
)
NEXT = Offsets(rate=0, loss=-1)  # a step is the number of updates made, and its rate that of the update to come
TORCHTUNE = Dialect("torchtune", NEXT, between="line")
MEGATRON = Dialect(
    *("Megatron-LM", NEXT),
    between="line",
    rates=("learning rate", "learning-rate"),
    losses=("lm loss",),
    total="iterations of the run",
)
RAY_EVENTS = Dialect("Ray", unit="iterations", rates=("ray/tune/lr",), losses=("ray/tune/loss",))
KNOWN: tuple[tuple[frozenset[str], Dialect], ...] = (  # by names that must all be there; the first that fits holds
    (frozenset({"current_steps", "total_steps"}), LLAMA_FACTORY),
    (frozenset({"mode", "lr", "data_time", "epoch", "iter"}), Dialect("mmcv", MADE, mark="data_time")),
    (frozenset({"lr", "data_time", "time", "iter"}), MMENGINE),
    (frozenset({"learning_rate", "epoch"}), TRAINER),
    (frozenset({"loss", "lr", "tokens_per_second_per_gpu"}), TORCHTUNE),
    (frozenset({"learning rate", "lm loss"}), MEGATRON),
    (frozenset({"learning-rate", "lm loss"}), MEGATRON),  # in event files
    (frozenset({"iteration", "lr", "total_loss"}), Dialect("Detectron2", INDEX, losses=("total_loss",))),
    (frozenset({"epoch", "lr/pg0"}), Dialect("Ultralytics", unit="epochs", rates=("lr/pg0",))),
    (frozenset({"train/n_updates", "train/clip_range"}), PPO),
    (frozenset({"time/total_timesteps"}), SB3),
    (frozenset({"time/fps", "time/iterations"}), SB3),  # in event files, whose steps are those of the environment
    (frozenset({"rollout/ep_rew_mean"}), SB3),
    (frozenset({"training_iteration"}), Dialect("Ray", unit="iterations", steps=("training_iteration",))),
    (frozenset({"ray/tune/iterations_since_restore"}), RAY_EVENTS),
)


def dialect_of(names: Iterable[str]) -> Dialect:
    """Return the dialect of the trainer that logs under these names, through any logger.

    >>> [dialect_of(names).trainer for names in (["train/loss", "train/learning_rate", "train/epoch"], ["lr-AdamW"])]
    ['Transformers', 'Lightning']
    """
    names = list(names)
    present = {*names, *(name.removeprefix("train/") for name in names)}
    dialect = next((dialect for needed, dialect in KNOWN if needed <= present), None)
    if dialect is not None:
        return dialect
    return LIGHTNING if any(name.startswith("lr-") for name in present) else UNKNOWN
