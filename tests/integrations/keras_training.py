"""A training with Keras, in a process of its own, whose backend the environment chooses; tells what happened as JSON.

The gradient is 1, so that the weight of plain SGD goes down by exactly the rate that a compiled update used.
"""

import json
import sys

import keras
import numpy as np

import glidepath as gp
import glidepath.integrations.keras

from .page import example


def model():
    layers = [keras.layers.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")]
    return keras.Sequential(layers)


def train(network, updates):
    """The rates of some updates, by what they did to the weight."""
    rates = []
    for _ in range(updates):
        before = float(np.asarray(network.get_weights()[0])[0, 0])
        network.train_on_batch(np.ones((2, 1)), np.zeros((2, 1)))
        rates.append(before - float(np.asarray(network.get_weights()[0])[0, 0]))
    return rates


@keras.saving.register_keras_serializable()
def mean_output(wanted, given):
    return keras.ops.mean(given)


def main(folder):
    names = {"keras": keras, "LearningRate": glidepath.integrations.keras.LearningRate, "loss": mean_output}
    network = example("Keras", **names, model=model())["model"]
    first = train(network, 5)
    network.save(f"{folder}/model.keras")
    again = keras.saving.load_model(f"{folder}/model.keras", safe_mode=True)
    resumed = train(again, 7)
    plan = again.optimizer._learning_rate.plan
    told = {"backend": keras.backend.backend(), "text": plan.text, "expected": [plan(k) for k in range(12)]}
    rates = {"first": first, "resumed": resumed, "logged": logged(), "accumulated": accumulated(folder)}
    print(json.dumps({**told, **rates}))


def accumulated(folder):
    """The rates of an optimizer that makes an update of every fourth batch, which is saved and loaded half-way."""
    plan = 3e-3 * (gp.warmup(3) >> gp.linear(3))
    rate = glidepath.integrations.keras.LearningRate(plan, gradient_accumulation_steps=4)
    network = model()
    network.compile(keras.optimizers.SGD(rate, gradient_accumulation_steps=4), mean_output)
    first = train(network, 12)
    network.save(f"{folder}/accumulated.keras")
    return first + train(keras.saving.load_model(f"{folder}/accumulated.keras", safe_mode=True), 12)


def logged():
    """What Keras itself says that the rate is, in each batch of a fit."""
    network, rates = model(), []
    plan = 0.1 * (gp.warmup(2) >> gp.linear(2))
    network.compile(keras.optimizers.SGD(glidepath.integrations.keras.LearningRate(plan)), mean_output)
    network.fit(np.ones((8, 1)), np.zeros((8, 1)), batch_size=2, verbose=0, callbacks=[Reader(rates)])
    return rates


class Reader(keras.callbacks.Callback):
    """Reads the rate before each batch."""

    def __init__(self, rates):
        super().__init__()
        self.rates = rates

    def on_train_batch_begin(self, batch, logs=None):
        self.rates.append(float(self.model.optimizer.learning_rate))


if __name__ == "__main__":
    main(sys.argv[1])
