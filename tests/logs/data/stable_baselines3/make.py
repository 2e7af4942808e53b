"""Write the logs of Stable-Baselines3 2.9.2 (JSON lines, CSV and TensorBoard): PPO and DQN with a falling rate.

From the repository's root: `python -m tests.logs.data.stable_baselines3.make`.
"""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import torch
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.logger import configure
from tests.logs.data.truth import note_rates, write_truth

HERE = Path(__file__).parent
NOTES = {
    "ppo": "A row's step, time/total_timesteps, counts steps of the environment; the row at 32 k holds the rate of "
    "the 4 updates made from 32 (k-1) timesteps on, train/n_updates counts passes (2 for these 4 updates), "
    "train/loss is that of the last batch alone, and the last 4 updates are in no row.",
    "dqn": "A row's step, time/total_timesteps, counts steps of the environment; train/n_updates counts updates "
    "made, so its row holds the rate and the loss of update n_updates-1; rows before the first update have neither.",
}
SETTINGS: dict[str, dict[str, Any]] = {
    "ppo": {"n_steps": 32, "batch_size": 16, "n_epochs": 2},
    "dqn": {"learning_starts": 40, "train_freq": 4, "batch_size": 8, "buffer_size": 200},
}


def train(name: str, folder: Path) -> None:
    """Train by one algorithm and keep its three logs."""
    algorithm = {"ppo": PPO, "dqn": DQN}[name]
    model = algorithm(
        "MlpPolicy",
        "CartPole-v1",
        learning_rate=lambda remaining: 1e-3 * remaining,
        policy_kwargs={"net_arch": [4]},
        seed=0,
        device="cpu",
        **SETTINGS[name],
    )
    model.set_logger(configure(str(folder), ["json", "csv", "tensorboard"]))
    rates = note_rates(model.policy.optimizer)
    model.learn(160, log_interval=1)
    model.logger.close()
    (HERE / name).mkdir(exist_ok=True)
    for written in folder.iterdir():
        kept = "events.out.tfevents.0.host" if "tfevents" in written.name else written.name
        shutil.copy(written, HERE / name / kept)
    write_truth(HERE / name, "stable-baselines3", rates, None, NOTES[name])


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name in SETTINGS:
        with tempfile.TemporaryDirectory() as folder:
            train(name, Path(folder))
