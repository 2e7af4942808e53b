"""The schedules that bear the field's names, with their usual options: what a designed one is compared with."""

from collections.abc import Iterator

from glidepath.core.schedule import Schedule
from glidepath.recipes import constant, cosine, geometric, linear, one_minus_sqrt
from glidepath.recipes import warmup as rise

SHARES = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)  # of what follows the warmup, for a cooldown
FLOORS = (0.0, 0.01, 0.05, 0.1)  # of the peak


def standard_schedules(steps: int, warmup: int = 0) -> Iterator[tuple[str, Schedule]]:
    """Yield name and plan of each, over `steps` updates, the first `warmup` of which rise to the peak."""
    length = steps - warmup
    for floor in FLOORS:
        to = f" to {floor:.0%}" if floor else ""
        yield f"cosine{to}", _after(warmup, cosine(length, to=floor))
        yield f"linear{to}", _after(warmup, linear(length, to=floor))
        for share in SHARES[:-1]:
            fall = max(1, round(share * length))
            hold = length - fall
            yield f"WSD, linear over the last {share:.0%}{to}", _after(warmup, _hold(hold, linear(fall, to=floor)))
            if floor:
                yield (
                    f"WSD, exponential over the last {share:.0%}{to}",
                    _after(warmup, _hold(hold, geometric(fall, to=floor))),
                )
            else:
                yield f"WSD, 1-sqrt over the last {share:.0%}", _after(warmup, _hold(hold, one_minus_sqrt(fall)))


def cooldown(steps: int, warmup: int, share: float) -> Schedule:
    """Warm up, hold the peak, and fall to zero in a straight line over a share of what comes after the warmup."""
    fall = max(1, round(share * (steps - warmup)))
    return _after(warmup, _hold(steps - warmup - fall, linear(fall)))


def _hold(steps: int, fall: Schedule) -> Schedule:
    return constant(steps) >> fall if steps else fall


def _after(warmup: int, plan: Schedule) -> Schedule:
    return rise(warmup) >> plan if warmup else plan
