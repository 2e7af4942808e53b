"""Two trainings at a time on Ray against one process, on the same study, and how near that is to the ideal.

    python -m benchmarks.ray            # four to six minutes on two cores that are otherwise idle

The arms take turns, twice. The ideal is what two workers need for the tree if nothing but updates took time: each free
one takes the segment with the longest way ahead of it, and an update takes what it took in one process. Two trainings
on one machine also slow each other down (memory, clock rate, whatever else runs); by how much is measured beside it,
with two processes that share nothing, and given as `together`.
"""

import heapq
import multiprocessing
import os
import tempfile
import time
from collections.abc import Sequence
from typing import Any

import ray
import torch

from benchmarks.compare import check_task
from benchmarks.studies import forty_five, study
from glidepath.study import Curve, Progress, RunningSegment, compare
from glidepath.tasks import load_task

WORKERS = 2
UPDATES = 200  # of each arm of `together`


def eleven() -> dict[str, Any]:
    """Eleven of the 45 runs, of 200 updates each."""
    texts = {name: text for name, text in forty_five().items() if name.endswith(" 200")}
    return study(dict(list(texts.items())[:11]))


class Stopwatch(Progress):
    """Measures from when the tree is planned to the end of its last segment, and keeps the segments."""

    def __init__(self) -> None:
        self.start: float | None = None
        self.end, self.segments = 0.0, list[RunningSegment]()

    def on_plan(self, updates: int) -> None:
        self.start = self.start or time.perf_counter()

    def on_segment(self, segment: RunningSegment, trained: int) -> None:
        self.end = time.perf_counter()
        self.segments.append(segment)

    @property
    def seconds(self) -> float:
        return self.end - (self.start or 0.0)


def timed(described: dict[str, Any], on: str) -> tuple[float, Sequence[Curve], list[RunningSegment]]:
    """Seconds to train a study in a new store, its curves and its tree."""
    with tempfile.TemporaryDirectory() as store:
        check_task(described["task"], store)
        watch = Stopwatch()
        result = compare(described, store=store, on=on, workers=None if on == "local" else WORKERS, progress=watch)
        return watch.seconds, result.curves, watch.segments


def children(segments: Sequence[RunningSegment]) -> list[list[int]]:
    """The segments that follow each: those that begin where it ends, with some of its runs."""
    numbers = [{run.number for run in segment.runs} for segment in segments]
    return [
        [i for i, later in enumerate(segments) if later.start == segment.stop and numbers[i] <= runs]
        for segment, runs in zip(segments, numbers, strict=True)
    ]


def makespan(segments: Sequence[RunningSegment], workers: int) -> int:
    """Updates until the last of several workers is done with the tree."""
    following, steps = children(segments), [segment.stop - segment.start for segment in segments]
    longest = list(steps)
    for i in sorted(range(len(segments)), key=lambda i: -segments[i].start):
        longest[i] += max((longest[child] for child in following[i]), default=0)
    ready = [(-longest[i], i) for i, segment in enumerate(segments) if segment.start == 0]
    heapq.heapify(ready)
    busy: list[tuple[int, int]] = []
    now = 0
    while ready or busy:
        while ready and len(busy) < workers:
            _, i = heapq.heappop(ready)
            heapq.heappush(busy, (now + steps[i], i))
        now, i = heapq.heappop(busy)
        for child in following[i]:
            heapq.heappush(ready, (-longest[child], child))
    return now


def per_update(meeting: Any, answers: Any) -> None:
    """Seconds of one update in this process, once all are ready."""
    torch.set_num_threads(1)
    task = load_task("stdlib_gpt")(0)
    for step in range(20 + UPDATES):
        if step == 20:
            meeting.wait()
            start = time.perf_counter()
        task.optimizer.zero_grad()
        task.loss(task.model, task.batch(step)).backward()
        task.optimizer.step()
    answers.put((time.perf_counter() - start) / UPDATES)


def slowest(many: int) -> float:
    """Seconds of an update when so many processes train at once."""
    context = multiprocessing.get_context("spawn")
    meeting, answers = context.Barrier(many), context.Queue()
    processes = [context.Process(target=per_update, args=(meeting, answers)) for _ in range(many)]
    for process in processes:
        process.start()
    seconds = [answers.get() for _ in processes]
    for process in processes:
        process.join()
    return max(seconds)


def main() -> None:
    described = eleven()
    together = slowest(WORKERS) / slowest(1)
    os.environ |= {"RAY_AUTH_MODE": "disabled", "RAY_worker_niceness": "0", "RAY_USAGE_STATS_ENABLED": "0"}
    ray.init("local", num_cpus=WORKERS, include_dashboard=False, log_to_driver=False)  # its workers stay warm
    timed(described | {"seeds": [1, 2], "steps": 8, "schedules": {"warm": "constant()"}}, "ray")
    print("| one process | Ray, two workers | equal | faster | ideal | of the ideal | together | of the ideal then |")
    print("|---|---|---|---|---|---|---|---|")
    for _ in range(2):
        one, curves, segments = timed(described, "local")
        two, rays, _ = timed(described, "ray")
        equal = sum(a.records == b.records for a, b in zip(curves, rays, strict=True))
        ideal = sum(segment.stop - segment.start for segment in segments) / makespan(segments, WORKERS)
        again = slowest(WORKERS) / slowest(1)
        mean = (together + again) / 2
        print(
            f"| {one:.1f} s | {two:.1f} s | {equal} of {len(curves)} | {one / two:.3f} | {ideal:.3f} "
            f"| {one / two / ideal:.3f} | {mean:.3f} | {one / two / ideal * mean:.3f} |",
            flush=True,
        )
        together = again
    ray.shutdown()


if __name__ == "__main__":
    main()
