"""Two trainings at a time on Ray against one process, on the same study, and how near that is to the ideal.

    python -m benchmarks.ray            # four to six minutes on two cores that are otherwise idle

The arms take turns, twice. The ideal is what two workers need for the tree if nothing but updates took time: each free
one takes the segment with the longest way ahead of it, and an update takes what it took in one process. Two trainings
on one machine also slow each other down (memory, clock rate, whatever else runs); by how much is measured beside it,
with two processes that share nothing, and given as `together`.
"""

import heapq
import multiprocessing
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ray

from benchmarks.compare import Quiet
from benchmarks.studies import forty_five, study
from glidepath.study.curve import Curve
from glidepath.study.engine.session import Session
from glidepath.study.executors.local import Local
from glidepath.study.executors.ray import Ray
from glidepath.study.sharing.tree import Segment, children, longest_path
from glidepath.study.spec.study import study_from
from glidepath.study.store import Snapshots, Store
from glidepath.study.training.jobs import Executor
from glidepath.study.training.prepare import prepare, train
from glidepath.tasks import load_task

WORKERS = 2
UPDATES = 200  # of each arm of `together`


def eleven() -> dict[str, Any]:
    """Eleven of the 45 runs, of 200 updates each."""
    texts = {name: text for name, text in forty_five().items() if name.endswith(" 200")}
    return study(dict(list(texts.items())[:11]))


def timed(described: dict[str, Any], make: Any) -> tuple[float, list[Curve], list[Segment]]:
    """Seconds to train a study in a new store, its curves and its tree."""
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder)) as store:
        prepared = prepare(study_from(described), store)
        prepared.store.note_origin(next(iter(prepared.origins.values())).task, {}, "elsewhere")
        executor: Executor = make(store.snapshots)
        start = time.perf_counter()
        curves = train(prepared, executor, Quiet())
        seconds = time.perf_counter() - start
        executor.close()
        return seconds, curves, prepared.coordinator.segments


def on_ray(snapshots: Snapshots) -> Ray:
    return Ray(snapshots, workers=WORKERS)


def makespan(segments: Sequence[Segment], workers: int) -> int:
    """Updates until the last of several workers is done with the tree."""
    longest, following = longest_path(segments), children(segments)
    ready = [(-longest[i], i) for i, segment in enumerate(segments) if segment.parent is None]
    heapq.heapify(ready)
    busy: list[tuple[int, int]] = []
    now = 0
    while ready or busy:
        while ready and len(busy) < workers:
            _, i = heapq.heappop(ready)
            heapq.heappush(busy, (now + segments[i].steps, i))
        now, i = heapq.heappop(busy)
        for child in following[i]:
            heapq.heappush(ready, (-longest[child], child))
    return now


def per_update(meeting: Any, answers: Any) -> None:
    """Seconds of one update in this process, once all are ready."""
    session = Session(load_task("stdlib_gpt"), 0, 1)
    with session._inside():
        for step in range(20):
            session._update(step)
        meeting.wait()
        start = time.perf_counter()
        for step in range(UPDATES):
            session._update(step)
        answers.put((time.perf_counter() - start) / UPDATES)


def slowest(many: int) -> float:
    """Seconds of an update when so many processes train at once."""
    context = multiprocessing.get_context("spawn")
    meeting, answers = context.Barrier(many), context.Queue()
    processes = [context.Process(target=per_update, args=(meeting, answers)) for _ in range(many)]
    for process in processes:
        process.start()
    found = [answers.get() for _ in processes]
    for process in processes:
        process.join()
    return max(found)


def main() -> None:
    described = eleven()
    together = slowest(WORKERS) / slowest(1)
    warm = on_ray(Snapshots(Path(tempfile.mkdtemp())))  # the connection stays; each study has its own executor
    timed(described | {"seeds": [1, 2], "steps": 8, "schedules": {"warm": "constant()"}}, on_ray)
    print("| one process | Ray, two workers | equal | faster | ideal | of the ideal | together | of the ideal then |")
    print("|---|---|---|---|---|---|---|---|")
    for _ in range(2):
        one, curves, segments = timed(described, Local)
        two, rays, _ = timed(described, on_ray)
        equal = sum(a.records == b.records for a, b in zip(curves, rays, strict=True))
        ideal = sum(segment.steps for segment in segments) / makespan(segments, WORKERS)
        again = slowest(WORKERS) / slowest(1)
        mean = (together + again) / 2
        print(
            f"| {one:.1f} s | {two:.1f} s | {equal} of {len(curves)} | {one / two:.3f} | {ideal:.3f} "
            f"| {one / two / ideal:.3f} | {mean:.3f} | {one / two / ideal * mean:.3f} |",
            flush=True,
        )
        together = again
    warm.close()
    ray.shutdown()


if __name__ == "__main__":
    main()
