#!/usr/bin/env bash
# In Stable-Baselines3's logs train/n_updates counts optimizer steps for DQN and passes over the rollout for PPO.
#
# Version: stable_baselines3 2.9.2, gymnasium 1.4.0, torch 2.13.0, CPU.
# Expected: one name in one library's logs means one thing, the number of updates that were made.
# Seen: DQN's is exact: it is the number of optimizer steps before the row. PPO adds n_epochs for each rollout, so with the
#   defaults (2048 steps, batches of 64, 10 epochs) 10 in the log are 320 optimizer steps; the factor is nowhere in the log.
# Why it matters: a curve of the learning rate over n_updates, or a schedule's length taken from it, is right for DQN and 32 times
#   too short for PPO; and runs of PPO with another batch_size look as if they had made as many updates.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet stable-baselines3==2.9.2 gymnasium==1.4.0 torch==2.13.0 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import csv

from stable_baselines3 import DQN, PPO
from stable_baselines3.common.logger import configure


def last(algorithm, steps, **options):
    """The last train/n_updates in the log, and the optimizer steps that were made when its row was written."""
    model = algorithm("MlpPolicy", "CartPole-v1", seed=0, device="cpu", **options)
    logger, made, counts = configure(algorithm.__name__, ["csv"]), [], []
    model.set_logger(logger)
    model.policy.optimizer.register_step_post_hook(lambda *_: made.append(1))
    dump = logger.dump
    logger.dump = lambda step=0: (counts.append(len(made)), dump(step))
    model.learn(steps, log_interval=1)
    logger.close()
    with open(f"{algorithm.__name__}/progress.csv") as file:
        rows = list(csv.DictReader(file))
    return int(rows[-1]["train/n_updates"]), counts[len(rows) - 1]


dqn = last(DQN, 400, learning_starts=40)
ppo = last(PPO, 3 * 2048)
large = last(PPO, 3 * 2048, batch_size=512)
for name, (logged, made) in (("DQN", dqn), ("PPO", ppo), ("PPO, batch_size=512", large)):
    print(f"{name:20} train/n_updates {logged}, optimizer steps made {made}")
raise SystemExit(not (dqn[0] == dqn[1] > 0 and ppo == (20, 640) and large == (20, 80)))
PYTHON
