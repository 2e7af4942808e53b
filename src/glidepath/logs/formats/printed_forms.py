"""The forms of printed lines that are known, and the numbers in one of them, by name.

- Megatron-LM: `iteration 10/ 100 | consumed samples: 40 | learning rate: 1.0E-01 | lm loss: 2.5E+00 |`
- torchtune: `Step 1 | loss:2.9 lr:0.095`
- nanoGPT and loops like it: `iter 10: loss 2.30, time 12ms`, `step 250: train loss 2.1, val loss 2.2`, where both
  losses are evaluations, or `step 10 | loss: 2.30 | lr 1.0e-03`
- Keras: `Epoch 1/20`, and below it `5/5 - 0s - loss: 0.3 - val_loss: 0.2`, whose last one is that of the epoch
"""

import re
from collections.abc import Iterator

NUMBER = r"[-+]?(?:\d{1,40}\.?\d{0,40}|\.\d{1,40})(?:[eE][-+]?\d{1,4})?|[-+]?(?:nan|inf)\b"
ITEM = re.compile(
    rf"([A-Za-z][A-Za-z0-9_/. -]{{0,40}}?)(?:\s{{0,3}}[:=]\s{{0,20}}|\s{{1,20}})({NUMBER})", re.IGNORECASE
)
MEGATRON = re.compile(r"\biteration\s{1,20}(\d{1,12})/\s{0,20}(\d{1,12})\s{0,5}\|")
EVALUATION = re.compile(
    rf"\b(validation|test) loss at iteration (\d{{1,12}})\b[^|]{{0,80}}\| lm loss value:\s{{0,5}}({NUMBER})"
)
COUNTED = re.compile(
    r"^(?:\[[^\]]{0,80}\])?\s{0,20}(?:step|iter|iteration|update)[ :=]\s{0,20}(\d{1,12})\s{0,5}[|:,]", re.I
)
EPOCH = re.compile(r"^Epoch (\d{1,9})/\d{1,9}\b")
EPOCH_ROW = re.compile(r"^\s{0,5}\d{1,12}/\d{1,12}\b.*?- (?:\w{1,80}: )")
EPOCH_CELL = re.compile(rf"(\w{{1,80}}): ({NUMBER})", re.IGNORECASE)
PRINTED = re.compile(r"^\{'(?:loss|eval_loss|train_runtime|grad_norm|learning_rate)'")


class Form:
    """What the lines so far have shown: an epoch of Keras that goes on, and which forms there were."""

    def __init__(self) -> None:
        self.epoch: dict[str, float] = {}
        self.is_known = self.is_printed = False

    def take_epoch(self) -> dict[str, float]:
        """Return the numbers of the epoch that has ended, if it has any."""
        row, self.epoch = self.epoch, {}
        return row if len(row) > 1 else {}


def rows_of_line(line: str, form: Form) -> Iterator[dict[str, float]]:
    """Yield the numbers in a line, if it has a known form, or those of the epoch that it ends."""
    row = _of_megatron(line) or _of_evaluation(line) or _of_counted(line)
    if row:
        form.is_known = True
        yield row
        return
    form.is_printed = form.is_printed or bool(PRINTED.match(line))
    epoch = EPOCH.match(line)
    if epoch:
        ended = form.take_epoch()
        form.epoch = {"epoch": float(epoch[1])}
        if ended:
            form.is_known = True
            yield ended
    elif form.epoch and EPOCH_ROW.match(line):
        form.is_known = True
        cells = filter(None, map(EPOCH_CELL.fullmatch, line.strip().split(" - ")))
        form.epoch.update({cell[1]: float(cell[2]) for cell in cells})


def _items(text: str) -> dict[str, float]:
    """Return the names with a number behind them."""
    return {match[1].strip(" -"): float(match[2]) for match in ITEM.finditer(text)}


def _of_megatron(line: str) -> dict[str, float]:
    start = MEGATRON.search(line)
    if start is None:
        return {}
    cells = [cell.rpartition(":") for cell in line[start.end() :].split("|")]
    row = {"iteration": float(start[1]), "iterations of the run": float(start[2])}
    numbers = [(name.strip(), value.strip()) for name, _, value in cells if name]
    return row | {name: float(value) for name, value in numbers if re.fullmatch(NUMBER, value)}


def _of_evaluation(line: str) -> dict[str, float]:
    match = EVALUATION.search(line)
    return {} if match is None else {"iteration": float(match[2]), f"{match[1]} loss": float(match[3])}


def _of_counted(line: str) -> dict[str, float]:
    start = COUNTED.match(line)
    if start is None:
        return {}
    row = _items(line[start.end() :])
    if "val loss" in row and "train loss" in row:  # nanoGPT evaluates both
        row["eval train loss"] = row.pop("train loss")
    return {"step": float(start[1]), **row} if row else {}
