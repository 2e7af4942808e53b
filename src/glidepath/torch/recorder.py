"""`Recorder`: writes what every update used, and the losses, for people who log in their own loop.

The hyperparameters are read when the innermost `step` has just ended, by the first of its post-hooks: what a scheduler
writes before the update is there then, and what one shows after it is not yet. So the place among the hooks, and the
order in which recorder and scheduler are built, make no difference. The updates are counted as the scheduler counts
them (`wrappers.py`). The form of the file is in `record_file.py`.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, final
from weakref import WeakValueDictionary, finalize

import torch.distributed as dist

from glidepath.core.checks import count
from glidepath.errors import Cure, GlidepathError
from glidepath.warn import warn_caller

from .clock import LOAD_HOOKS
from .record_file import RecordFile
from .record_hooks import put_reader
from .record_position import count_updates, refuse_rows
from .record_rows import RecordRows
from .record_sinks import build_sinks
from .record_values import UsedValues, is_evaluation, read_number
from .skipped_steps import is_dry_step
from .validation import check_arguments
from .wrapper_chain import members_of, refer_weakly
from .wrappers import UpdateWatch

_recorders: "WeakValueDictionary[Path, Recorder]" = WeakValueDictionary()  # by the file that they write


@final
class Recorder:
    """Writes a row for every update: its index, the values that it used, and the numbers given by `log`.

    Recorded are the rate, every hyperparameter that a `Scheduler` drives, and those that `values` names. Skipped steps
    (of a GradScaler) are not updates. The row of the last update is written when the next one has been made, or at the
    end of the program; each row is flushed, so a killed process loses one at most.

    The file of a run that is resumed goes on. Which update comes next is known from a `Scheduler`, from the optimizer's
    own count, or from `start`; rows that the file has from there on are moved to a file beside it, with a warning.

    On several processes (`torch.distributed`) the first one writes. The recorder lives in the optimizer's hooks, also
    when the object is dropped.

    Args:
        optimizer: any PyTorch optimizer, or a wrapper of one.
        path: of the file, JSON lines; folders are made. None to write only to `to`.
        to: a TensorBoard `SummaryWriter` or a run of W&B, or several, which get the same numbers.
        every: updates from one row to the next: those are written whose index is a multiple of it.
        start: index of the first update, where nothing else tells it: plain SGD does not count, for instance.
        values: names of further hyperparameters, as in `["momentum", "betas[0]"]`.

    Raises:
        SchedulerError: if the optimizer is not one.
        RunError: if the file is there and is not a record.

    Examples:
        >>> import torch, glidepath as gp, tempfile
        >>> from pathlib import Path
        >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
        >>> scheduler = gp.torch.Scheduler(optimizer, gp.linear(2))
        >>> folder = tempfile.TemporaryDirectory()
        >>> recorder = Recorder(optimizer, f"{folder.name}/run.jsonl")
        >>> for loss in (2.5, 2.25):
        ...     optimizer.step()
        ...     scheduler.step()
        ...     recorder.log(loss=loss)
        >>> recorder.evaluate(val_loss=2.3)
        >>> recorder.close()
        >>> print(Path(folder.name, "run.jsonl").read_text().split("\\n", 1)[1])
        {"update": 0, "lr": 0.1, "loss": 2.5}
        {"updates_made": 2, "val_loss": 2.3}
        {"update": 1, "lr": 0.05, "loss": 2.25}
        <BLANKLINE>
        >>> folder.cleanup()
    """

    paused: bool  # whether updates are passed over, while a range test runs

    def __init__(
        self,
        optimizer: Any,
        path: str | os.PathLike[str] | None = None,
        *,
        to: Any = None,
        every: int = 1,
        start: int | None = None,
        values: Sequence[str] = (),
    ) -> None:
        check_arguments(optimizer, None)
        sinks = build_sinks(to)
        if path is None and not sinks:
            raise GlidepathError("Recorder has nowhere to write", cures=[Cure("give a path, or a writer as to=")])
        self.every = count(every, "every", at_least=1)
        self._start = None if start is None else count(start, "start")
        members = members_of(optimizer)
        self._members = [refer_weakly(member) for member in members]
        self._used = UsedValues(members, values)
        self._values: dict[str, float] = {}
        self._position, self._offset = self._start or 0, 0  # offset: of the position from what the optimizer counts
        self._seen, self._is_placed, self.paused = 0, False, False
        self._names_before: set[str] = set()  # of numbers that are logged before their update
        self._writes = not (dist.is_available() and dist.is_initialized() and dist.get_rank())
        self._file = RecordFile(Path(path)) if path is not None and self._writes else None
        self._rows = RecordRows(self._file, sinks if self._writes else ())
        self._take_over(optimizer)
        self._attach(members)
        self._end = finalize(self, self._rows.close)

    def _take_over(self, optimizer: Any) -> None:
        """Close the recorder that has written this file so far: that of a notebook's cell which is run again."""
        if self._file is None:
            return
        path = self._file.path.resolve()
        previous = _recorders.get(path)
        if previous is not None and previous._end.alive:
            same = previous._members[-1]() is self._members[-1]()
            previous.close()
            if not same:
                warn_caller(f"{path}: another Recorder, of another optimizer, wrote this file; it is closed", "GP748")
        _recorders[path] = self

    # --- hooks ---

    def _attach(self, members: list[Any]) -> None:
        """Register the hooks: those that see updates, and the reader before every other post-hook of the innermost."""
        handle = UpdateWatch(self, members).attach()
        self._handles = [handle.remove, put_reader(members[-1], self.read_values)]
        registries = {id(vars(member).get(LOAD_HOOKS)): member for member in members if LOAD_HOOKS in vars(member)}
        for member in registries.values():
            self._handles.append(member.register_load_state_dict_post_hook(self.after_load).remove)

    def after_load(self, optimizer: Any) -> None:
        """Note that a state was loaded, and with it perhaps another position."""
        self._is_placed = False

    def begin_update(self, optimizer: Any) -> bool:
        """Find the position before the first update; return False for a dry step."""
        if is_dry_step(optimizer):
            return False
        if not self._is_placed:
            self._place()
        return True

    def read_values(self) -> None:
        """Read the values that the update has used."""
        if self._writes and self._position % self.every == 0:
            self._values = self._used.read([member() for member in self._members])

    def end_update(self) -> None:
        """Write the row before, and begin that of the update that has ended."""
        if self._writes:
            if self._position % self.every == 0:
                self._rows.add(self._position, self._values)
            else:
                self._rows.finish()
            self._rows.coming.clear()
        self._position += 1
        self._seen += 1

    def pause(self) -> None:
        """Pass over updates until `resume`: a range test makes some that it takes back."""
        self.paused = True

    def resume(self) -> None:
        """Record updates again."""
        self.paused = False

    # --- position ---

    @property
    def position(self) -> int:
        """Return the number of updates made so far, which is the index of the next one."""
        if self._is_placed:
            return self._position
        counted = self._count()
        if self._seen == 0 and self._start is not None:
            return self._start
        return self._position if counted is None else counted + self._offset

    def _count(self) -> int | None:
        return count_updates([member() for member in self._members])

    def _place(self) -> None:
        """Find which update comes next, and open the file for it."""
        position, counted = self.position, self._count()
        if self._seen == 0:
            if counted is None and self._start is None and self._file is not None:
                refuse_rows(self._file)
            self._offset = 0 if counted is None else position - counted
        if self._seen == 0 or position != self._position:
            self._rows.begin(position)
        self._position, self._is_placed = position, True
        early, self._rows.early = self._rows.early, {}
        if early:
            self._rows.evaluate(position, early)

    # --- numbers ---

    def log(self, /, *, update: int | None = None, **numbers: Any) -> None:
        """Add numbers to the row of an update.

        They are of the update last made; a number that was first given before any update is of the update to come,
        then and always. So a loss may be logged after `optimizer.step()` or before it, always at the same place. Of
        several values for one update, the nearest to its step holds. Names that begin with val, valid, validation,
        eval, evaluation, test or dev, as in val_loss, go to `evaluate`.

        Args:
            update: index of the update, the last or the next one, to say it.
            **numbers: by name, numbers, tensors with one element, or texts. NaN and infinities are kept.

        Raises:
            GlidepathError: if a value is of another kind, or a name is a column that is written anyway.
        """
        self._check_open()
        evaluation = {name: value for name, value in numbers.items() if is_evaluation(name)}
        if evaluation:
            self.evaluate(**evaluation)
        self._used.refuse(numbers)
        for name, value in numbers.items():
            if name not in evaluation:
                self._log(name, value, is_next=self._is_next(name, update))

    def evaluate(self, /, **numbers: Any) -> None:
        """Write numbers that were measured after the updates made so far.

        Raises:
            GlidepathError: as `log` does.
        """
        self._check_open()
        self._used.refuse(numbers)
        values = {name: read_number(name, value) for name, value in numbers.items()} if self._writes else {}
        if self._is_placed and values:
            self._rows.evaluate(self._position, values)
        else:
            self._rows.early.update(values)

    def _log(self, name: str, value: Any, *, is_next: bool) -> None:
        if not self._writes:
            return
        if not is_next:
            if self._rows.last is not None and name not in self._rows.last:
                self._rows.last[name] = read_number(name, value)
        elif not self._is_placed or self._position % self.every == 0:
            self._rows.coming[name] = read_number(name, value)

    def _is_next(self, name: str, update: int | None) -> bool:
        """Return whether a number is of the update to come."""
        if update is None:
            if self._seen == 0:
                self._names_before.add(name)
            return name in self._names_before
        position = self.position
        if update == position or (self._seen and update == position - 1):
            return update == position
        last = f"{position - 1} or " if self._seen else ""
        raise GlidepathError(f"update is {last}{position}, the last or the next one, not {update!r}")

    def _check_open(self) -> None:
        if not self._end.alive:
            raise GlidepathError("this Recorder is closed", cures=[Cure("build another one")])

    def close(self) -> None:
        """Write the last row, close the file, and remove the hooks."""
        if self._end.alive and not self._is_placed and self._rows.early:
            self._place()
        if self._end.detach() is not None:
            self._rows.close()
        while self._handles:
            self._handles.pop()()


def recorders_of(optimizer: Any) -> list[Recorder]:
    """Return the recorders in an optimizer's hooks."""
    hooks = getattr(optimizer, LOAD_HOOKS, {}).values()
    return [hook.__self__ for hook in hooks if isinstance(getattr(hook, "__self__", None), Recorder)]
