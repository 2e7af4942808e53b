"""The built-in tasks: real data, the same for the same seed, batches that depend on the step alone, and learning."""

import pytest
import torch
from sklearn.datasets import load_digits

import glidepath.tasks
from glidepath.tasks import BUILT_IN, Task, load_task


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(params=sorted(BUILT_IN))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def weights(task: Task) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in task.model.parameters()])


def flat(batch: object) -> torch.Tensor:
    parts = batch if isinstance(batch, tuple) else (batch,)
    return torch.cat([part.flatten().double() for part in parts])


def test_one_seed_gives_one_model_and_one_run_of_batches(name: str) -> None:
    first, second = load_task(name)(3), load_task(name)(3)
    torch.rand(5)  # nobody else's random numbers matter
    assert torch.equal(weights(first), weights(second))
    assert all(torch.equal(flat(first.batch(k)), flat(second.batch(k))) for k in (5, 0, 200))


def test_another_seed_gives_another_model_and_other_batches(name: str) -> None:
    first, second = load_task(name)(3), load_task(name)(4)
    assert not torch.equal(weights(first), weights(second))
    assert not torch.equal(flat(first.batch(0)), flat(second.batch(0)))


def test_batches_differ_from_step_to_step_and_come_in_any_order(name: str) -> None:
    task = load_task(name)(0)
    later = flat(task.batch(7))
    assert not torch.equal(flat(task.batch(8)), later)
    assert torch.equal(flat(task.batch(7)), later)


def test_twenty_updates_lower_the_metric_that_ranks(name: str) -> None:
    task = load_task(name)(0)

    def ranked() -> float:
        with torch.no_grad():
            found = task.evaluate(task.model)
        assert not isinstance(found, float)
        return next(iter(found.values()))

    before = ranked()
    for step in range(20):
        task.optimizer.zero_grad()
        task.loss(task.model, task.batch(step)).backward()
        task.optimizer.step()
    assert ranked() < before


def test_an_epoch_of_digits_shows_no_image_twice_and_none_held_out() -> None:
    task = load_task("digits")(0)
    pixels, _ = load_digits(return_X_y=True)
    shown = torch.cat([task.batch(k)[0].flatten(1) * 16 for k in range(84)]).int()
    rows = [tuple(row) for row in shown.tolist()]
    held_out = {tuple(row) for row in pixels[::4].astype(int).tolist()}
    assert len(set(rows)) == len(rows) == 84 * 16
    assert not held_out & set(rows)


def test_the_sizes_are_those_of_the_documents() -> None:
    assert [len(weights(load_task(name)(0))) for name in ("digits", "stdlib_gpt")] == [6090, 120576]


def test_the_language_model_cannot_see_what_it_predicts() -> None:
    model = load_task("stdlib_gpt")(0).model.eval()
    text = torch.arange(20)[None]
    changed = text.clone()
    changed[0, 10] = 99
    with torch.no_grad():
        before, after = model(text), model(changed)
    assert torch.equal(before[0, :10], after[0, :10])
    assert not torch.equal(before[0, 10:], after[0, 10:])


def test_the_language_model_predicts_the_byte_that_comes_next() -> None:
    task = load_task("stdlib_gpt")(0)
    windows = task.batch(0)
    seen: list[torch.Tensor] = []

    class Echo(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen.append(x)
            return 50.0 * torch.nn.functional.one_hot(windows[:, 1:], 256).double()

    assert task.loss(Echo(), windows).item() < 1e-6
    assert torch.equal(seen[0], windows[:, :-1])


def test_what_a_task_carries_is_stateful():
    needed = {name for name in vars(glidepath.tasks.Stateful) if not name.startswith("_")}
    assert needed == {"state_dict", "load_state_dict"}
    scaler, loader = torch.amp.GradScaler("cpu", enabled=False), object()
    assert needed <= set(dir(scaler))
    with pytest.raises(glidepath.tasks.TaskError, match="has no state_dict"):
        glidepath.tasks.Task(
            torch.nn.Linear(1, 1),
            torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1),
            batch=lambda step: step,
            loss=lambda model, batch: torch.zeros(()),
            evaluate=lambda model: {"loss": 0.0},
            carried={"loader": loader},
        )
