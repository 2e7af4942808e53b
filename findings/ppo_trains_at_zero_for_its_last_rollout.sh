#!/usr/bin/env bash
# With a linear schedule Stable-Baselines3's PPO trains on its last rollout at rate 0, and the log does not show it.
#
# Version: stable_baselines3 2.9.2, gymnasium 1.4.0, torch 2.13.0, CPU.
# Expected: lr(progress_remaining) = 1e-3 * progress_remaining begins at 1e-3 and is small at the end; the log has every rate.
# Seen: the progress is counted after a rollout is collected and before train(), so with five rollouts the rates are 0.8, 0.6,
#   0.4, 0.2 and 0 thousandths: the last 320 of 1600 updates move no weight. A row is written before the train() that follows
#   it, so the log, and its TensorBoard curve, stop at 0.2.
# Why it matters: a fifth of a short run (with many environments a few rollouts are usual) is collected and thrown away; the peak
#   that was tuned is never used; and whoever compares the log with the plan sees each rate one rollout late.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet stable-baselines3==2.9.2 gymnasium==1.4.0 torch==2.13.0 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import csv

from stable_baselines3 import PPO
from stable_baselines3.common.logger import configure

model = PPO("MlpPolicy", "CartPole-v1", learning_rate=lambda remaining: 1e-3 * remaining, seed=0, device="cpu")
model.set_logger(configure("logs", ["csv"]))
rates, moved, before = [], [], []


def note(optimizer, *_):
    """Note the rate and the weights before an update."""
    rates.append(round(optimizer.param_groups[0]["lr"], 9))
    before[:] = [weight.detach().clone() for weight in model.policy.parameters()]


def compare(*_):
    """Note whether the update moved any weight."""
    moved.append(any((old != new).any() for old, new in zip(before, model.policy.parameters())))


model.policy.optimizer.register_step_pre_hook(note)
model.policy.optimizer.register_step_post_hook(compare)
model.learn(5 * 2048)
model.logger.close()
with open("logs/progress.csv") as file:
    rows = [row["train/learning_rate"] for row in csv.DictReader(file)]
logged = [round(float(rate), 9) for rate in rows if rate]
used = sorted(set(rates), reverse=True)
idle = len(moved) - sum(moved)
print("rates used:  ", *used)
print("rates logged:", *logged)
print(f"updates {len(rates)}, of which {rates.count(0)} at rate 0 and {idle} without any change of a weight")
expected = [8e-4, 6e-4, 4e-4, 2e-4]
raise SystemExit(not (used == [*expected, 0] and logged == expected and idle == rates.count(0) == 320))
PYTHON
