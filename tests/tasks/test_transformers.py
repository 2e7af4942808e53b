"""A task from a Hugging Face Trainer trains as `Trainer.train()` does: the same losses and weights, to the bit."""

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.data import Dataset, IterableDataset, SequentialSampler
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    EarlyStoppingCallback,
    GPT2Config,
    GPT2LMHeadModel,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

import glidepath as gp
from glidepath.cli import main
from glidepath.errors import TaskError
from glidepath.tasks import Task
from glidepath.tasks.transformers import from_trainer
from glidepath.torch import Scheduler

EXAMPLES = Path(__file__).parents[2] / "examples" / "training"
SEED, PLAN, RATE, UPDATES = 3, gp.parse("warmup(2) >> cosine(6)"), 1e-2, 8


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


class Tokens(Dataset[Any]):
    """Sequences of 12 tokens, to be continued; some labels do not count."""

    def __init__(self, length: int, seed: int) -> None:
        self.x = torch.randint(1, 50, (length, 12), generator=torch.Generator().manual_seed(seed))

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, row: int) -> dict[str, Any]:
        return {"input_ids": self.x[row], "labels": self.x[row].masked_fill(self.x[row] % (2 + row % 5) == 0, -100)}


class Classes(Tokens):
    """Sequences that belong to one of three classes."""

    def __getitem__(self, row: int) -> dict[str, Any]:
        return {"input_ids": self.x[row], "labels": int(self.x[row].sum()) % 3}


class Stream(IterableDataset[Any]):
    def __iter__(self) -> Iterator[Any]:
        rows = Tokens(18, 0)
        return iter([rows[row] for row in range(18)])


def gpt2(dropout: float = 0.1) -> Any:
    torch.manual_seed(SEED)
    drops = {"resid_pdrop": dropout, "embd_pdrop": dropout, "attn_pdrop": dropout, "loss_type": "ForCausalLM"}
    shape = {"n_positions": 16, "n_embd": 16, "n_layer": 2, "n_head": 2, "bos_token_id": 0, "eos_token_id": 0}
    return GPT2LMHeadModel(GPT2Config(vocab_size=50, **shape, **drops))


def bert() -> Any:
    torch.manual_seed(SEED)
    shape = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    return BertForSequenceClassification(BertConfig(vocab_size=50, max_position_embeddings=16, num_labels=3, **shape))


class Bag(nn.Module):
    """No model of Transformers': its loss is the mean over a batch, whatever else is accumulated."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(SEED)
        self.bag, self.dropout = nn.EmbeddingBag(50, 3), nn.Dropout(0.1)

    def forward(self, input_ids: Any, labels: Any) -> Any:
        scores = self.dropout(self.bag(input_ids))
        return {"loss": nn.functional.cross_entropy(scores, labels), "logits": scores}


Settings = dict[str, Any]


@pytest.fixture
def trainer(tmp_path: Path) -> Callable[..., Trainer]:
    """Makes a Trainer: a tiny GPT-2 on 18 rows in batches of 4, so that an epoch ends in a smaller one."""

    def make(kind: type[Trainer] = Trainer, settings: Settings | None = None, **given: Any) -> Trainer:
        quiet = {"report_to": "none", "use_cpu": True, "disable_tqdm": True, "save_strategy": "no"}
        sizes = {"per_device_train_batch_size": 4, "learning_rate": RATE, "logging_steps": 1, "seed": SEED}
        chosen = {**quiet, **sizes, "dataloader_pin_memory": False, "max_steps": UPDATES, **(settings or {})}
        arguments = TrainingArguments(output_dir=str(tmp_path / "out"), **chosen)
        parts = {"model": gpt2, "train_dataset": Tokens(18, 0), "eval_dataset": Tokens(10, 1), **given}
        return kind(**{**parts, "model": parts["model"](), "args": arguments})

    return make


def fitted(real: Trainer) -> list[float]:
    """The losses of a real training by the plan."""
    real.lr_scheduler = Scheduler(real.create_optimizer(), PLAN)
    real.train()
    return [entry["loss"] for entry in real.state.log_history if "loss" in entry]


def trained(task: Task, updates: int = UPDATES) -> list[float]:
    """The losses of a task, driven by the plan."""
    losses = []
    for step in range(updates):
        for group in task.optimizer.param_groups:
            group["lr"] = RATE * PLAN(step)
        task.model.train()
        task.optimizer.zero_grad()
        losses.append(float(task.update(step)))  # type: ignore[misc]
    return losses


def evaluated(task: Task) -> dict[str, float]:
    task.model.eval()
    with torch.no_grad():
        return dict(task.evaluate(task.model))  # type: ignore[arg-type, misc]


def check_equal(make: Callable[[], Trainer]) -> dict[str, float]:
    real = make()
    expected = fitted(real)
    task = from_trainer(make(), seed=SEED)
    assert trained(task) == expected
    assert all(map(torch.equal, real.model.state_dict().values(), task.model.state_dict().values()))
    found = evaluated(task)
    metrics = real.evaluate()
    assert found == {name: metrics[name] for name in found}
    return found


# --- the same as a real Trainer ---

VARIANTS: dict[str, tuple[Settings, dict[str, Any]]] = {
    "a causal model": ({}, {}),
    "accumulation": ({"gradient_accumulation_steps": 2}, {}),
    "accumulation with a remainder": ({"gradient_accumulation_steps": 3}, {}),
    "no clipping": ({"max_grad_norm": 0.0}, {}),
    "clipping that bites": ({"max_grad_norm": 0.05}, {}),
    "label smoothing": ({"label_smoothing_factor": 0.1, "gradient_accumulation_steps": 2}, {}),
    "weight decay and SGD": ({"optim": "sgd", "weight_decay": 0.1}, {}),
    "Adagrad": ({"optim": "adagrad"}, {}),
    "rows in order": ({"train_sampling_strategy": "sequential"}, {}),
    "a seed for the data": ({"data_seed": 11}, {}),
    "full batches only": ({"dataloader_drop_last": True}, {}),
    "a classifier": ({}, {"model": bert, "train_dataset": Classes(18, 0), "eval_dataset": Classes(10, 1)}),
    "a module that accumulates": (
        {"gradient_accumulation_steps": 3},
        {"model": Bag, "train_dataset": Classes(18, 0), "eval_dataset": Classes(10, 1)},
    ),
    "a classifier that accumulates": (
        {"gradient_accumulation_steps": 3, "label_smoothing_factor": 0.1},
        {"model": bert, "train_dataset": Classes(18, 0), "eval_dataset": Classes(10, 1)},
    ),
}


@pytest.mark.parametrize(("settings", "given"), VARIANTS.values(), ids=VARIANTS.keys())
def test_losses_weights_and_metrics_are_those_of_a_trainer(
    settings: Settings, given: dict[str, Any], trainer: Callable[..., Trainer]
) -> None:
    """With dropout, and in the order that the Trainer draws by itself."""
    assert list(check_equal(lambda: trainer(settings=settings, **given))) == ["eval_loss"]


class Weighted(Trainer):
    """A loss of one's own that depends on where training stands, rows in reverse, a step that does more."""

    def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, **kwargs: Any) -> Any:
        outputs = model(**inputs)
        loss = outputs.loss * (1 + (self.state.epoch or 0.0) + 0.1 * self.state.global_step)
        return (loss, outputs) if return_outputs else loss

    def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> Any:
        inputs["input_ids"] = inputs["input_ids"].flip(1)
        return super().training_step(model, inputs, num_items_in_batch)

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        return SequentialSampler(self.train_dataset)


def test_what_a_subclass_overrides_counts(trainer: Callable[..., Trainer]) -> None:
    real = trainer(Weighted, {"gradient_accumulation_steps": 2})
    expected = fitted(real)
    assert trained(from_trainer(trainer(Weighted, {"gradient_accumulation_steps": 2}), seed=SEED)) == expected
    assert trained(from_trainer(trainer(settings={"gradient_accumulation_steps": 2}), seed=SEED)) != expected


def test_an_optimizer_and_a_loss_function_of_ones_own_are_used(trainer: Callable[..., Trainer]) -> None:
    """The optimizer leaves one parameter out: its gradient does not grow from update to update."""

    def make() -> Trainer:
        loss = lambda outputs, labels, num_items_in_batch: outputs.logits.square().mean()
        made = trainer(settings={"max_grad_norm": 1e-3}, compute_loss_func=loss)
        some = [parameter for name, parameter in made.model.named_parameters() if name != "transformer.wpe.weight"]
        made.optimizer = torch.optim.SGD(some, lr=RATE, momentum=0.9)
        return made

    check_equal(make)


def test_a_model_that_is_made_by_model_init_is_the_one_that_a_trainer_makes(trainer: Callable[..., Trainer]) -> None:
    def make() -> Trainer:
        return trainer(model=lambda: None, model_init=lambda: gpt2())

    real = make()
    real.optimizer_cls_and_kwargs = (torch.optim.SGD, {"lr": 0.0})
    real.train()  # at rate 0: its losses are those of the first weights
    mine = make()
    mine.optimizer_cls_and_kwargs = (torch.optim.SGD, {"lr": 0.0})
    task = from_trainer(mine, seed=SEED)
    found = [float(task.update(step)) for step in range(UPDATES)]  # type: ignore[misc]
    assert found == [entry["loss"] for entry in real.state.log_history if "loss" in entry]


def test_losses_come_first_among_the_metrics_and_times_are_left_out(trainer: Callable[..., Trainer]) -> None:
    given = {
        "compute_metrics": lambda predicted: {"accuracy": 0.25, "z_loss": 4.0},
        "eval_dataset": {"b": Tokens(6, 1), "a": Tokens(6, 2)},
    }
    found = evaluated(from_trainer(trainer(**given), seed=SEED))
    assert list(found)[:2] == ["eval_b_loss", "eval_a_loss"]
    assert set(list(found)[2:]) == {f"eval_{data}_{name}" for data in "ab" for name in ("accuracy", "z_loss")}


def test_evaluating_again_and_again_keeps_nothing_and_prints_nothing(
    trainer: Callable[..., Trainer], capsys: pytest.CaptureFixture[str]
) -> None:
    made = trainer()
    task = from_trainer(made, seed=SEED)
    assert evaluated(task) == evaluated(task)
    assert made.state.log_history == []
    assert capsys.readouterr().out == ""


# --- what a task does not do ---


class Own(TrainerCallback):
    pass


class Loops(Trainer):
    def _inner_training_loop(self, *args: Any, **kwargs: Any) -> Any:
        return None


@pytest.mark.parametrize(
    ("settings", "given", "words"),
    [
        ({"bf16": True}, {}, "mixed precision"),
        ({"torch_compile": True}, {}, "torch_compile, which a task does not do: compile the model yourself"),
        ({"neftune_noise_alpha": 5.0}, {}, "neftune_noise_alpha"),
        ({"activation_checkpointing": True}, {}, "activation_checkpointing"),
        ({"auto_find_batch_size": True}, {}, "auto_find_batch_size"),
        ({"bf16_full_eval": True}, {}, "evaluation in 16 bits"),
        ({"debug": "underflow_overflow"}, {}, "debug"),
        ({"optim": "lomo"}, {}, "LOMO"),
        ({"seed": 4}, {}, r"the Trainer's seed is 4, the task's 3: TrainingArguments\(seed=seed\)"),
        ({}, {"train_dataset": None}, "has no train_dataset"),
        ({}, {"eval_dataset": None}, "has no eval_dataset"),
        ({}, {"callbacks": [Own()]}, "callbacks that a task does not call: Own"),
        ({}, {"callbacks": [EarlyStoppingCallback()]}, "EarlyStoppingCallback"),
        ({}, {"kind": Loops}, "Loops overrides _inner_training_loop"),
    ],
)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_what_a_trainer_does_beyond_an_update_is_refused_by_name(
    settings: Settings, given: dict[str, Any], words: str, trainer: Callable[..., Trainer]
) -> None:
    with pytest.raises(TaskError, match=words):
        from_trainer(trainer(settings=settings, **given), seed=SEED)


def test_a_scheduler_is_refused(trainer: Callable[..., Trainer]) -> None:
    made = trainer()
    made.create_optimizer_and_scheduler(10)
    with pytest.raises(TaskError, match="a scheduler, which a task does not do: leave it out"):
        from_trainer(made, seed=SEED)


def test_another_thing_than_a_trainer_is_refused() -> None:
    with pytest.raises(TaskError, match=r"from_trainer takes a transformers.Trainer, not"):
        from_trainer(gpt2(), seed=SEED)  # type: ignore[arg-type]


def test_an_optimizer_that_is_none_of_pytorchs_is_refused(trainer: Callable[..., Trainer]) -> None:
    made = trainer()
    made.create_optimizer = lambda: "mine"  # type: ignore[method-assign]
    with pytest.raises(TaskError, match="the Trainer's optimizer is 'mine'"):
        from_trainer(made, seed=SEED)


def test_an_evaluation_without_a_loss_is_told(trainer: Callable[..., Trainer]) -> None:
    class Bare(Tokens):
        def __getitem__(self, row: int) -> dict[str, Any]:
            return {"input_ids": self.x[row]}

    given = {"eval_dataset": Bare(4, 0), "compute_metrics": lambda predicted: {"accuracy": 1.0}}
    with pytest.raises(TaskError, match="evaluates to no loss, only to"):
        evaluated(from_trainer(trainer(**given), seed=SEED))


def test_a_stream_goes_on_and_not_back(trainer: Callable[..., Trainer]) -> None:
    """The losses of a real Trainer, one after the other."""
    expected = fitted(trainer(train_dataset=Stream()))
    task = from_trainer(trainer(train_dataset=Stream()), seed=SEED)
    assert trained(task) == expected
    with pytest.raises(
        TaskError,
        match=r"cannot resume at update 5: Stream is an IterableDataset.*compare without sharing, share=False",
    ):
        task.update(5)  # type: ignore[misc]


# --- compared by the command ---


def test_the_example_is_compared_with_sharing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    shutil.copy(EXAMPLES / "transformers_trainer.py", tmp_path)
    plans = ("--schedule", "a=warmup(8) >> linear(4)", "--schedule", "b=warmup(8) >> cosine(4)", "--seed", "0")
    assert main(["compare", "transformers_trainer.py:transformers_trainer", *plans, "--verify"]) == 0
    told = capsys.readouterr()
    assert "24 updates in 2 runs, 15 of them different" in told.out
    assert "every loss, metric and last bit is the same" in told.out
    assert "eval loss" in told.out
