# `make demo` trains a small network under eight schedules and draws what happened; `make test` runs the tests.
# Both install what they need into .venv first. `make help` lists the rest.

PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help install demo test test-peers wheel check fix bench gallery clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 12

install: .venv/installed  ## make .venv with everything in it

.venv/installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade --constraint constraints.txt pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[all]" --group dev
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --no-deps timm
	touch $@

demo: install  ## compare the decays of the study note on real data: a table, figures and data in results/demo
	$(BIN)/glidepath compare digits --out results/demo

test: install  ## run every test
	$(BIN)/python -m pytest -n 2

wheel: install  ## build the wheel and try it in fresh environments: the core alone, and each extra alone
	$(BIN)/python -m pytest tests/wheel -n 2 --dist loadgroup

check: install  ## formatting, lint, types (strict), layers and words
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python scripts/check_words.py

fix: install  ## format, and mend what the linter can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test-peers: install  ## write the logs of the tests again, with the heavy packages themselves, and read them
	test -x .venv-peers/bin/python || $(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --upgrade pip
	.venv-peers/bin/python -m pip install --quiet torch==2.13.0 --group peers
	for peer in accelerate dvclive mmengine skorch stable_baselines3 trackio wandb; do \
		PYTHONPATH=. .venv-peers/bin/python -m tests.logs.data.$$peer.make || exit 1; done
	$(BIN)/python -m pytest tests/logs/test_truth.py

bench: install  ## measure against PyTorch and separate training, side by side (half an hour)
	$(BIN)/python -m benchmarks.update
	$(BIN)/python -m benchmarks.curves
	$(BIN)/python -m benchmarks.logs
	$(BIN)/python -m benchmarks.exactness
	$(BIN)/python -m benchmarks.bound
	$(BIN)/python -m benchmarks.range_test
	$(BIN)/python -m benchmarks.compare

gallery: install  ## draw every recipe and every mechanism of the study note into gallery/
	$(BIN)/glidepath gallery -o gallery

clean:  ## remove .venv and everything that was made
	rm -rf .venv .venv-peers results gallery .glidepath .pytest_cache .mypy_cache .ruff_cache .hypothesis
