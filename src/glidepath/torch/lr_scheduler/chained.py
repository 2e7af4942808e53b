"""ChainedScheduler: several schedulers at once, their factors multiplied.

Where every member has a formula, so has the chain, the product of theirs, and what it writes is this product times the
factor of all changes by other code. A member that passes zero, as a cosine does at its bottom, then costs the others
nothing: each by itself could not tell the zero from a change by hand. Members without a formula are stepped one by one,
and so are those that replace the rate (CyclicLR, OneCycleLR).
"""

from collections.abc import Mapping, Sequence
from math import isclose, isfinite
from typing import Any, cast, final

from torch import Tensor, finfo
from torch.optim import Optimizer

from glidepath.torch.compiling import skip_compiling

from .base import IN_FORCE, NOT_GIVEN, warn_about_verbose
from .call_order import watch_updates
from .closed_form import ClosedForm, factor_of
from .composed import Composite, Member, begin_member, check_members, rates_at
from .fast_path import FastPath, hold_the_very_rates, multiply
from .groups import copy_value, write_value
from .last_written import LastWrite, record_write
from .momentum import MomentumScheduler


class ChainedScheduler(Composite):
    """base * f_1(k) * f_2(k) * ...: all at once, their factors multiplied

    Args:
        schedulers: at least one; none of them a ReduceLROnPlateau.
        optimizer: the optimizer of all of them; None takes it from the first.
        verbose: deprecated.

    Differs from PyTorch's: LambdaLR and CosineAnnealingWarmRestarts do not wipe out the others' factors, so the order
    makes no difference; a member that passes zero loses the others nothing; it can be a member of a SequentialLR, at
    any place.
    """

    _state_key = "_schedulers"
    _path: "ChainPath | None"

    def __init__(
        self, schedulers: Sequence[Member], optimizer: Optimizer | None = None, verbose: Any = NOT_GIVEN
    ) -> None:
        warn_about_verbose(verbose)
        name = type(self).__name__
        members = list(schedulers)
        optimizer = optimizer or (getattr(members[0], "optimizer", None) if members else None)
        self._schedulers = check_members(name, optimizer, members)
        self.optimizer = self._schedulers[0].optimizer
        watch_updates(self.optimizer)
        if self._is_product():
            self._start_product([group["lr"] for group in self.optimizer.param_groups])
        record_write(self)

    @property
    def last_epoch(self) -> int:  # type: ignore[override]
        """Return the step of the first member."""
        return cast(int, self._schedulers[0].last_epoch)

    @skip_compiling
    def step(self) -> None:  # type: ignore[override]
        """Advance every member by one step."""
        path, self._fast_path = self._fast_path or open_chain_path(self), None  # gone too if the step raises
        if path is not None and path.step(self):
            self._fast_path = path
        elif self._is_product():
            self._step_product()
        else:
            self._step_members()

    def lr_at(self, step: int) -> list[float]:
        """Return the rates of all groups at `step`, if only the members write them; change nothing."""
        return self._product([rates_at(member, step) for member in self._schedulers])

    # --- the product ---

    def _is_product(self) -> bool:
        return self._is_ours and all(map(is_factor, self._schedulers))

    def _product(self, rates: Sequence[list[float]]) -> list[float]:
        """Return the product of what each member would write by itself."""
        product: list[float] = self._schedulers[0]._starts()
        for member, own in zip(self._schedulers, rates, strict=True):
            product = scale_by(product, own, member._starts())
        return product

    def _present_formula(self) -> list[float]:
        self._member_steps = [member.last_epoch for member in self._schedulers]
        return self._product([rates_at(m, k) for m, k in zip(self._schedulers, self._member_steps, strict=True)])

    def _start_product(self, rates: Sequence[Any]) -> None:
        """Take the ratio of the groups' rates to the product for the factor of other code; near 1 it is rounding."""
        self._formula = self._present_formula()
        factors = [factor_of(rate, formula, 1.0) for rate, formula in zip(rates, self._formula, strict=True)]
        near = [isclose(f, 1.0, rel_tol=tolerance(rate)) for f, rate in zip(factors, rates, strict=True)]
        self._external = [1.0 if is_near else f for is_near, f in zip(near, factors, strict=True)]

    def _update_factors(self) -> list[Any]:
        """Set the factor of each group that does not hold what was written; return what the groups hold."""
        if self._member_steps != [member.last_epoch for member in self._schedulers]:  # one was stepped by itself
            self._formula = self._present_formula()
        held_rates = [group["lr"] for group in self.optimizer.param_groups]
        starts = self._schedulers[0]._starts()[len(self._formula) :]
        self._formula += starts
        self._external += [1.0] * len(starts)
        triples = zip(held_rates, self._formula, self._external, strict=True)
        self._external = [factor_of(*triple) for triple in triples]
        return held_rates

    def _step_members(self) -> None:
        for member in self._schedulers:
            member.step()
        record_write(self)

    def _step_product(self) -> None:
        self._join_groups()
        held_rates = [copy_value(rate) for rate in self._update_factors()]
        before = self._formula
        for member in self._schedulers:
            member.step()
        self._formula = self._present_formula()
        self._write_product(held_rates, before)

    def _write_product(self, held_rates: Sequence[Any], before: Sequence[float]) -> None:
        groups = self.optimizer.param_groups
        values = multiply(self._formula, self._external)
        # where the product does not change, the rate does not either: even at 0, where a factor cannot show
        for group, rate, value, old, new in zip(groups, held_rates, values, before, self._formula, strict=True):
            write_value(group, "lr", rate if old == new else value)
        record_write(self)

    def _factor(self) -> list[float]:
        if not self._is_product():
            return super()._factor()
        self._update_factors()
        return list(self._external)

    def _begin(self, step: int) -> None:
        self._fast_path = None
        groups = self.optimizer.param_groups
        held_rates = [float(group["lr"]) for group in groups]
        for member in self._schedulers:
            begin_member(member, step)
        if self._is_product():
            starts = self._schedulers[0]._starts()
            self._formula = self._present_formula()
            self._external = [factor_of(rate, start, 1.0) for rate, start in zip(held_rates, starts, strict=True)]
        record_write(self)

    def _load(self, state: Mapping[str, Any]) -> None:
        self._fast_path = None
        super()._load(state)
        if self._is_product() and "_member_steps" not in state:  # PyTorch's own state, or one of an older version
            self._start_product(state.get(IN_FORCE, state["_last_lr"]))


@final
class ChainPath:
    """The fast path of a chain, through those of its members. Does not refer to the chain."""

    __slots__ = ("external", "paths", "record", "written")

    def __init__(self, chain: ChainedScheduler) -> None:
        self.paths = [FastPath(member) for member in chain._schedulers]
        self.external = None if set(chain._external) == {1.0} else list(chain._external)
        self.written = list(chain._last_lr)
        self.record = LastWrite(chain.last_epoch + 1, self.written, [], "")

    def step(self, chain: ChainedScheduler) -> bool:
        """Make a step; return False, with no rate written, if it is one for the slow path."""
        groups, pairs = chain.optimizer.param_groups, list(zip(self.paths, chain._schedulers, strict=True))
        for path, member in pairs:
            if not path.fits(member.__dict__):
                return False
        if not hold_the_very_rates(groups, self.written):
            return False
        formula, products = self.paths[0].starts, []
        for path, member in pairs:
            rates = path.next_formula(member)
            formula = [value * (rate / start) for value, rate, start in zip(formula, rates, path.starts)]  # noqa: B905
            products.append(formula if self.external is None else multiply(formula, self.external))
        if not isfinite(sum(products[-1])):
            return False
        self.written = self.record.rates = products[-1]
        for group, rate in zip(groups, self.written):  # noqa: B905
            group["lr"] = rate
        for (path, member), rates in zip(pairs, products):  # noqa: B905
            path.finish(member, rates)
        chain._formula, chain._last_lr = formula, self.written[:]
        chain._member_steps = [path.epoch for path in self.paths]
        cast(Any, chain.optimizer)._scheduled = self.record
        return True


def open_chain_path(chain: ChainedScheduler) -> ChainPath | None:
    """Return a fast path from the present step on, or None if the chain or its groups do not allow one."""
    members, groups = chain._schedulers, chain.optimizer.param_groups
    if not chain._is_product() or not all(isinstance(m, ClosedForm) and m._step_count > 1 for m in members):
        return None
    if chain._member_steps != [member.last_epoch for member in members]:
        return None
    last = chain._last_lr
    types = {*map(type, last), *(type(base) for member in members for base in member.base_lrs)}
    if types != {float} or not hold_the_very_rates(groups, last):
        return None
    if any(0.0 in member._starts() for member in members):
        return None
    return ChainPath(chain) if last == multiply(chain._formula, chain._external) else None


def is_factor(member: Member) -> bool:
    """Return whether a member multiplies the rate, by a formula of its own."""
    if not getattr(member, "_is_ours", False):
        return False
    if isinstance(member, Composite):
        return all(map(is_factor, member._schedulers))
    return isinstance(member, ClosedForm) and not isinstance(member, MomentumScheduler)


def scale_by(product: list[float], rates: list[float], starts: list[float]) -> list[float]:
    """Return `product`, times the ratio of a member's rates to those that it starts from."""
    return [value * (rate / start if start else 0.0) for value, rate, start in zip(product, rates, starts, strict=True)]


def tolerance(rate: Any) -> float:
    """Return how far a few roundings can move a rate, as a share of it."""
    return 8 * finfo(rate.dtype).eps if isinstance(rate, Tensor) else 1e-9
