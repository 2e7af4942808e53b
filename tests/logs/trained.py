"""Small trainings by the real packages, which note the rate that every update really used."""

import logging
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader, TensorDataset

POINTS = torch.linspace(0, 1, 80).reshape(40, 2)


def noted(optimizer: torch.optim.Optimizer) -> list[float]:
    """The rates that the updates of an optimizer will have used."""
    rates: list[float] = []
    optimizer.register_step_pre_hook(lambda one, *_: rates.append(float(one.param_groups[0]["lr"])))
    return rates


class Line(torch.nn.Module):
    """A model as Hugging Face's Trainer wants it."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(2, 1)

    def forward(self, x: torch.Tensor | None = None, labels: torch.Tensor | None = None) -> dict[str, torch.Tensor]:
        out = self.layer(x)
        return {"loss": ((out - labels) ** 2).mean() + 0.1, "logits": out}


def by_trainer(folder: Path, *, resume: str | None = None, **more: Any) -> list[float]:
    """20 updates by Hugging Face's Trainer, or the last of them; the rates that they used."""
    from transformers import Trainer, TrainingArguments

    given = {"max_steps": 20, "logging_steps": 4, "eval_steps": 10, "save_steps": 10, "report_to": [], **more}
    arguments = TrainingArguments(
        output_dir=str(folder),
        eval_strategy="steps",
        learning_rate=0.1,
        lr_scheduler_type="cosine",
        warmup_steps=4,
        use_cpu=True,
        disable_tqdm=True,
        per_device_train_batch_size=4,
        dataloader_pin_memory=False,
        **given,
    )
    data = [{"x": x, "labels": x.sum(0, keepdim=True)} for x in POINTS]
    trainer = Trainer(Line(), arguments, train_dataset=data, eval_dataset=data)
    rates = noted(trainer.create_optimizer())
    trainer.train(resume_from_checkpoint=resume)
    trainer.save_state()
    return rates


def by_lightning(
    logger: Any, schedule: Any, *, interval: str = "step", groups: int = 1, epochs: int = 2
) -> list[float]:
    """10 updates in each epoch by Lightning; the rates that they used."""
    import lightning
    from lightning.pytorch.callbacks import LearningRateMonitor

    for name in ("lightning.pytorch", "lightning.pytorch.utilities.rank_zero"):
        logging.getLogger(name).setLevel(logging.ERROR)
    rates: list[list[float]] = []

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(2, 1)

        def training_step(self, batch: Any, _: int) -> torch.Tensor:
            loss = ((self.layer(batch[0]) - 1) ** 2).mean() + 0.1
            self.log("train_loss", loss)
            return loss

        def validation_step(self, batch: Any, _: int) -> None:
            self.log("val_loss", ((self.layer(batch[0]) - 1) ** 2).mean() + 0.1)

        def configure_optimizers(self) -> Any:
            parts = [[self.layer.weight], [self.layer.bias]] if groups == 2 else [list(self.parameters())]
            optimizer = torch.optim.SGD([{"params": p, "lr": 0.1 / (i + 1)} for i, p in enumerate(parts)], lr=0.1)
            rates.append(noted(optimizer))
            scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, schedule)
            return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": interval}}

    loader = DataLoader(TensorDataset(POINTS), batch_size=4)
    trainer = lightning.Trainer(
        max_epochs=epochs,
        logger=logger,
        callbacks=[LearningRateMonitor()],
        log_every_n_steps=4,
        accelerator="cpu",
        enable_progress_bar=False,
        enable_checkpointing=False,
        enable_model_summary=False,
    )
    trainer.fit(Module(), loader, loader)
    return rates[0]
