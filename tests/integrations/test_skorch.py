"""skorch: a net whose optimizer is scheduled as it is made, through repeated fits and a saved optimizer."""

import numpy as np
import pytest
import torch
from skorch import NeuralNetRegressor

import glidepath as gp

from .page import example
from .seen import PLAN, Seen, expected

X, Y = (np.random.default_rng(0).normal(size=(16, columns)).astype(np.float32) for columns in (4, 1))


def net_of(**options):
    net = example("skorch", NeuralNetRegressor=NeuralNetRegressor, plan=PLAN)["Net"]
    quiet = {"train_split": None, "verbose": 0, "batch_size": 4, "max_epochs": 1, "lr": 0.1, "optimizer": Seen}
    return net(torch.nn.Linear, module__in_features=4, module__out_features=1, **quiet, **options)


def test_partial_fit_goes_on_where_the_plan_was_and_fit_begins_anew():
    net = net_of()
    for _ in range(3):
        net.partial_fit(X, Y)
    assert net.optimizer_.used == expected(PLAN, 0, 12)
    net.fit(X, Y)
    assert net.optimizer_.used == expected(PLAN, 0, 4)


def test_a_net_that_is_loaded_without_its_scheduler_is_told_so(tmp_path):
    first = net_of().set_params(optimizer=torch.optim.AdamW)
    first.partial_fit(X, Y)
    first.save_params(f_params=tmp_path / "params.pt", f_optimizer=tmp_path / "optimizer.pt")
    second = net_of().set_params(optimizer=torch.optim.AdamW).initialize()
    second.load_params(f_params=tmp_path / "params.pt", f_optimizer=tmp_path / "optimizer.pt")
    with pytest.warns(gp.GlidepathWarning, match="the optimizer was loaded with 4 updates in it"):
        second.partial_fit(X, Y)


def test_a_net_goes_on_from_its_optimizer_and_the_state_of_its_scheduler(tmp_path):
    first = net_of()
    first.partial_fit(X, Y)
    first.save_params(f_params=tmp_path / "params.pt", f_optimizer=tmp_path / "optimizer.pt")
    second = net_of().initialize()
    second.load_params(f_params=tmp_path / "params.pt", f_optimizer=tmp_path / "optimizer.pt")
    second.scheduler_.load_state_dict(first.scheduler_.state_dict())
    second.partial_fit(X, Y)
    assert second.optimizer_.used == expected(PLAN, 4, 8)
