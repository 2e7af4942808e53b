#!/usr/bin/env bash
# Without validation Keras' CSVLogger adds a column of NA for everything, even a val_learning_rate.
#
# Version: keras 3.15.1 with the backend of torch 2.13.0, pandas 3.1.1, CPU.
# Expected: the columns are what was logged: epoch, learning_rate, loss. A validation has no learning rate.
# Seen: epoch, learning_rate, loss, val_learning_rate, val_loss; the last two are "NA" in every row. With validation data
#   val_loss is there alone, so the header depends on what fit() was given.
# Why it matters: dropna(), the usual first line over such a file, drops every epoch; a script that looks for the column of the rate
#   by its name finds two; and a model without validation looks like one whose validation failed.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet keras==3.15.1 torch==2.13.0 numpy pandas==3.1.1
cd "$folder"
KERAS_BACKEND=torch "$folder/venv/bin/python" - <<'PYTHON'
import keras
import numpy
import pandas

X, Y = numpy.ones((40, 2), dtype="float32"), numpy.ones((40, 1), dtype="float32")


def written(name, **options):
    """Train four epochs at a falling rate and read what CSVLogger wrote."""
    model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.1), loss="mse")
    falls = keras.callbacks.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1))
    writes = keras.callbacks.CSVLogger(name)
    model.fit(X, Y, batch_size=8, epochs=4, verbose=0, callbacks=[falls, writes], **options)
    table = pandas.read_csv(name)
    rates = [column for column in table if "learning_rate" in column]
    print(f"{name}: {', '.join(table)}; {len(table)} epochs, {len(table.dropna())} after dropna()")
    return rates, len(table), len(table.dropna())


alone = written("alone.csv")
validated = written("validated.csv", validation_data=(X, Y))
same = alone == (["learning_rate", "val_learning_rate"], 4, 0) and validated == (["learning_rate"], 4, 4)
raise SystemExit(not same)
PYTHON
