"""The base of all schedulers: attaching, stepping, writing, saving and loading. What is written is left to `get_lr`.

Subclasses of PyTorch's `LRScheduler` that define `get_lr`, and perhaps `_get_closed_form_lr`, work on this one too.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Self, cast

from torch.optim import Optimizer
from torch.optim import lr_scheduler as stock

from glidepath.errors import GroupError, ResumeError, StateError
from glidepath.torch.compiling import skip_compiling
from glidepath.warn import warn_caller

from .call_order import assume_in_order, check_call_order, watch_updates
from .groups import Group, check_optimizer, copy_container, copy_value, read_rates, write_value
from .last_written import holds_rates, record_write

EPOCH_DEPRECATION_WARNING: str = stock.EPOCH_DEPRECATION_WARNING
NOT_GIVEN = "deprecated"
IN_FORCE = "_rates_in_force"  # the one key of a state that is not an attribute


class LRScheduler(stock.LRScheduler):
    """Base of all schedulers: sets `group["lr"]` of every group to what `get_lr()` returns, at every `step()`.

    Differs from PyTorch's: `optimizer.step` is not patched; a group added later joins at the next step; if `get_lr`
    raises, nothing has changed; loading a state writes its rates, unless other code has written since.

    Args:
        optimizer: the optimizer.
        last_epoch: -1 to begin; k to resume after step k, on an optimizer that was loaded: the rate is that of step
            k + 1. Where a group still has the rate of step k, MultiplicativeLR, LinearLR, ExponentialLR, PolynomialLR
            and CosineAnnealingLR leave it alone and go on from there, as PyTorch's do (2.13).
        verbose: deprecated, as in PyTorch.

    Raises:
        OptimizerError: if `optimizer` is not an optimizer.
        ResumeError: if `last_epoch` is not -1 and a group has no "initial_lr".
    """

    __slots__ = ("_earlier_steps", "_fast_path", "_schedule_text")  # unlike attributes, in no state and in no copy

    optimizer: Optimizer
    last_epoch: int
    base_lrs: list[Any]
    _last_lr: list[Any]
    _get_lr_called_within_step: bool = False
    _is_initial: bool = False
    _fast_path: Any  # a FastPath, a ChainPath, or None
    _earlier_steps: int  # of a scheduler with the same arguments that drove the optimizer before this one was built
    _schedule_text: str
    _any_epoch: ClassVar[bool] = False  # whether step(epoch) is a way to use it, and not deprecated
    _is_ours: ClassVar[bool] = True  # not a subclass from elsewhere, which may define anything anew
    _state_key: ClassVar[str] = "last_epoch"  # a key of every state

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1, verbose: Any = NOT_GIVEN) -> None:
        warn_about_verbose(verbose)
        self.optimizer = check_optimizer(optimizer)
        if last_epoch != -1:
            check_key(optimizer, "initial_lr")
        self.base_lrs = []
        self.last_epoch = last_epoch
        self._join_groups()
        self._initial_step()
        watch_updates(optimizer)

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        cls._is_ours = cls.__module__.startswith(f"{__package__}.")

    def __new__(cls, *arguments: Any, **keywords: Any) -> Self:
        """Build it with no fast path, also where it is copied or unpickled."""
        scheduler = super().__new__(cls)
        scheduler._fast_path, scheduler._earlier_steps, scheduler._schedule_text = None, 0, ""
        return scheduler

    # --- groups ---

    def _join_groups(self) -> None:
        """Add the groups that are new since the last step."""
        groups = self.optimizer.param_groups
        if len(groups) < len(self.base_lrs):
            raise GroupError(
                f"the optimizer has {len(groups)} parameter groups, the scheduler was built for "
                f"{len(self.base_lrs)}: build it again"
            )
        for group in groups[len(self.base_lrs) :]:
            self._join(group)

    def _join(self, group: Group) -> None:
        group.setdefault("initial_lr", copy_value(group["lr"]))
        self.base_lrs.append(copy_value(group["initial_lr"]))

    # --- stepping ---

    def _initial_step(self) -> None:
        """Make the first step, from `last_epoch` to the next, which is not a call of the user."""
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def _begin(self, step: int) -> None:
        """Begin this schedule at `step`, with base rates that are in the groups already."""
        self.last_epoch = step - 1
        self._initial_step()

    @skip_compiling
    def step(self, epoch: Any = None) -> None:
        """Advance by one step and write its rates; call it after `optimizer.step()`.

        Args:
            epoch: deprecated; the step to jump to.
        """
        if epoch is None:
            path, self._fast_path = self._fast_path or self._open_fast_path(), None  # gone too if the step raises
            if path is not None and path.step(self):
                self._fast_path = path
                return
        before = self.last_epoch, self._step_count
        if self._step_count == 1:
            check_call_order(self.optimizer)
            self._check_built_once()
        if epoch is not None and not self._any_epoch:
            warn_caller(EPOCH_DEPRECATION_WARNING, "GP708")
        self._step_count += 1
        try:
            self._update_lr(epoch)
        except BaseException:
            self.last_epoch, self._step_count = before
            raise

    def _check_built_once(self) -> None:
        """Warn at the first step, unless a state was loaded by then, if this schedule had begun before."""
        if self._earlier_steps:
            warn_caller(
                f"{type(self).__name__} was built again, at step {self.last_epoch}, on an optimizer that one with the "
                f"same arguments has driven for {self._earlier_steps} steps: build it once, or with "
                f"last_epoch={self._earlier_steps - 1} to go on",
                "GP740",
            )

    def _open_fast_path(self) -> Any:
        """Return a fast path from the present step on, or None."""
        return None

    @skip_compiling
    def _update_lr(self, epoch: Any = None) -> None:
        self._join_groups()
        self._move(epoch)
        self._get_lr_called_within_step = True
        try:
            values = self._values(jump=epoch is not None)
        finally:
            self._get_lr_called_within_step = False
        self._write(values)

    def _move(self, epoch: Any) -> None:
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch

    def _values(self, *, jump: bool) -> list[Any]:
        if jump and hasattr(self, "_get_closed_form_lr"):
            return cast(list[Any], self._get_closed_form_lr())
        return self.get_lr()

    def _write(self, values: list[Any]) -> None:
        groups = self.optimizer.param_groups
        if len(values) != len(groups):
            raise GroupError(
                f"get_lr() returned {len(values)} rates for {len(groups)} parameter groups: return one for each"
            )
        for group, value in zip(groups, values, strict=True):
            write_value(group, "lr", value)
        record_write(self)

    def _starts(self) -> list[float]:
        """Return the rates that the schedule starts from."""
        return [float(base) for base in self.base_lrs]

    def _start_from_base(self) -> None:
        """Start from the base rates, whatever was in the groups when this was built."""

    def _factor(self) -> list[float]:
        """Return the ratio of each group's rate to what this schedule would write: the changes by other code."""
        return [1.0] * len(self.optimizer.param_groups)

    # --- state ---

    def state_dict(self) -> dict[str, Any]:
        """Return all attributes but the optimizer, as copies, and the present rates."""
        state = {key: copy_container(value) for key, value in vars(self).items() if key != "optimizer"}
        return {**state, IN_FORCE: read_rates(self.optimizer)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Load a state, hyperparameters included, and write the rates that the groups held when it was saved.

        They are not written if the groups hold other rates than this scheduler's last ones: then the optimizer was
        loaded since, or another scheduler wrote last. So either can be loaded first.

        Raises:
            StateError: if this is not the state of a scheduler, or has more groups than the optimizer.
        """
        self._check_state(state_dict)
        untouched = holds_rates(self.optimizer, self._last_lr)
        self._load(state_dict)
        if untouched:
            self._restore(state_dict.get(IN_FORCE, self._last_lr))

    def _check_state(self, state: Mapping[str, Any]) -> None:
        if self._state_key not in state:
            raise StateError(
                f"this is not a state of {type(self).__name__}: it has no {self._state_key!r}, only {sorted(state)}"
            )
        groups = len(self.optimizer.param_groups)
        if len(state.get("_last_lr", ())) > groups:
            raise StateError(f"a state for {len(state['_last_lr'])} parameter groups; this optimizer has {groups}")

    def __getstate__(self) -> dict[str, Any]:
        return vars(self)

    def _load(self, state: Mapping[str, Any]) -> None:
        vars(self).update({key: copy_container(value) for key, value in state.items() if key != IN_FORCE})

    def _restore(self, values: list[Any]) -> None:
        """Write the rates of a state; a group that is not in it keeps its own."""
        for group, value in zip(self.optimizer.param_groups, values, strict=False):
            write_value(group, "lr", value)

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        assume_in_order(self.optimizer)


def warn_about_verbose(verbose: Any) -> None:
    """Warn if `verbose` was passed."""
    if verbose != NOT_GIVEN:
        warn_caller("verbose is deprecated: print scheduler.get_last_lr() where you want to see the rate", "GP706")


def check_key(optimizer: Optimizer, key: str) -> None:
    """Check that every group has what the run that is resumed left in it.

    Raises:
        ResumeError: if one does not.
    """
    for i, group in enumerate(optimizer.param_groups):
        if key not in group:
            raise ResumeError(
                f"param '{key}' is not specified in param_groups[{i}] when resuming scheduler with last_epoch >= 0: "
                "load the optimizer's state first, or start over with last_epoch=-1"
            )


def warn_outside_step(scheduler: Any) -> None:
    """Warn if `get_lr` was called by user code, which wants `get_last_lr`."""
    if not scheduler._get_lr_called_within_step:
        warn_caller("get_lr() computes the next rates; the last ones are in get_last_lr()", "GP707")
