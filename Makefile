PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
RUNS := outputs
NOTEBOOK := notebooks/07_final_model.ipynb
# all but the one that trains for minutes
QUICK := $(filter-out $(NOTEBOOK),$(wildcard notebooks/[0-9][0-9]_*.ipynb))
# a person at a terminal sees the live bar; a log gets one line per epoch
LOG := $(shell test -t 2 && echo --no-progress-bar || echo --log-output --no-progress-bar)

.DEFAULT_GOAL := help
.PHONY: help setup lab env-update train publish test test-model test-training test-smoke test-cluster test-all check-model \
        check-params view-results notebooks check-notebooks check-checks check-goal seeds studies fast speedups ideas \
        frontier sweep compare-threads ledger bench bench-quick bench-gpu profile clean clean-checkpoints

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 20

$(READY): requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --requirement requirements.txt
	@touch $@

setup: $(READY) ## Create the virtual environment from requirements.txt

lab: $(READY) ## Open JupyterLab on the notebooks
	$(BIN)/jupyter lab --notebook-dir=notebooks

env-update: $(READY) ## Check Python, versions, device, data and disk, one line each
	@$(BIN)/python -m mnist_helpers.environment

train: $(READY) ## Train the final model through papermill (PARAMETERS="-p seed 1" for other settings)
	@mkdir -p outputs/trial
	$(BIN)/python -m papermill $(NOTEBOOK) outputs/trial/running.ipynb -k python3 --cwd notebooks $(LOG) $(PARAMETERS)
	@$(BIN)/python -m mnist_helpers.product outputs/trial/running.ipynb $(notdir $(NOTEBOOK))

publish: train ## Train with the course's settings and make the executed notebook the committed one
	cp outputs/$(notdir $(NOTEBOOK)) $(NOTEBOOK)

test: $(READY) ## Run the fast tests and the checks of the notebooks' files
	$(BIN)/python -m pytest -m "not training and not smoke and not cluster"

test-model: $(READY) ## Test the networks, their layers and their table
	$(BIN)/python -m pytest tests/test_models.py tests/test_layers.py

test-training: $(READY) ## Test training: repeats bit for bit, survives kills
	$(BIN)/python -m pytest -m training

test-smoke: $(READY) ## Run the final notebook headlessly on a small subset
	$(BIN)/python -m pytest -m smoke

test-cluster: $(READY) ## Install Ray and test sweeps on two nodes of a cluster on this machine
	$(BIN)/python -m pip install --quiet --editable ".[cluster]"
	$(BIN)/python -m pytest -m cluster

test-all: $(READY) ## Run every test
	$(BIN)/python -m pytest

check-model: $(READY) ## Check the final network's structure: BatchNorm, dropout, pooling, blocks
	@$(BIN)/python -m mnist_helpers.structure rules

check-params: $(READY) ## Show the final network's layers and check its parameter budget
	@$(BIN)/python -m mnist_helpers.structure parameters

view-results: $(READY) ## Show the last published run
	@$(BIN)/python -m mnist_helpers.results

notebooks: $(READY) ## Run every notebook but the final model's again, in place
	$(BIN)/python -m jupyter nbconvert --to notebook --execute --inplace --log-level=ERROR $(QUICK)

check-notebooks: $(READY) ## Run those notebooks again and compare every output that must not change (nbval)
	$(BIN)/python -m pytest --nbval --nbval-current-env -p no:cacheprovider $(QUICK)

seeds: $(READY) ## Train the final model with seeds 0 to 3 and write their spread
	$(BIN)/python -m mnist_helpers.iterations final --seeds 0 1 2 3

studies: $(READY) ## Train every iteration and ablation with seeds 0 to 2 (hours); finished runs are kept
	$(BIN)/python -m mnist_helpers.iterations

sweep: $(READY) ## Run a grid over seeds (SWEEP="--name rate --grid max_lr=0.05,0.1 --seeds 0 1" or "FILE.toml")
	$(BIN)/python -m mnist_helpers.sweep $(SWEEP)

compare-threads: $(READY) ## Time one process a core against one process on all cores
	$(BIN)/python -m mnist_helpers.sweep_threads

fast: $(READY) ## Train the two fast recipes with seeds 0 to 9; finished runs are kept
	$(BIN)/python -m mnist_helpers.iterations fast sprint --seeds 0 1 2 3 4 5 6 7 8 9

speedups: $(READY) ## Train and time every step from the final network to the fast one (half an hour)
	$(BIN)/python -m mnist_helpers.speedups

ideas: $(READY) ## Train every idea of notebook 10 with seeds 0 to 2, judged on held-out digits (a quarter of an hour)
	$(BIN)/python -m mnist_helpers.ideas

frontier: $(READY) ## Train eleven networks from 574 to 19,546 parameters with ten seeds or more (75 minutes)
	@# its target is one for an interval: more seeds, a narrower one
	$(BIN)/python -m mnist_helpers.frontier tiny --seeds $$(seq 0 19)
	$(BIN)/python -m mnist_helpers.frontier

ledger: $(READY) ## Time an epoch of every iteration and write the ledger from the recorded studies
	$(BIN)/python -m mnist_helpers.ledger

check-goal: $(READY) ## Judge finished runs by their mean (RUNS="outputs/trial/seed_0 outputs/trial/seed_1")
	@$(BIN)/python -m mnist_helpers.goals $(RUNS)

check-checks: $(READY) ## Break the helpers one at a time and see some check turn red
	$(BIN)/python tests/check_checks.py

bench: $(READY) ## Time the reference's recipe, a public one and ours side by side, and how cost grows
	$(BIN)/python -m mnist_helpers.benchmark

bench-quick: $(READY) ## Check the ratios of whole trainings with a wide margin, in a minute
	$(BIN)/python -m mnist_helpers.benchmark --quick

bench-gpu: $(READY) ## Time whole trainings on a GPU, from a cold start and warm, beside a public one
	$(BIN)/python -m mnist_helpers.bench_gpu

profile: $(READY) ## Show where the time of a training step goes, before and after
	$(BIN)/python -m mnist_helpers.step_profile

clean: ## Remove the virtual environment, caches, trial runs and extracted data
	rm -rf $(VENV) *.egg-info .pytest_cache .hypothesis .ruff_cache outputs/trial data/MNIST/raw/*-ubyte
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

clean-checkpoints: ## Remove the checkpoints of all runs, those moved aside included
	find outputs -type d -name 'checkpoints*' -prune -exec rm -rf {} +
