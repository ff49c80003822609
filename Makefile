# make demo and make test set up all they need; nothing else has to be installed by hand.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet

.PHONY: help venv demo test test-long test-fast test-pythons test-oldest test-cluster test-faults wheels gpu check format audit demo-assets clean

help:
	@echo "make demo         set up .venv and run the embedded experiment (results/demo)"
	@echo "make test         set up .venv and run the tests, in a few minutes"
	@echo "make test-long    the tests that take a second or more: runs, pictures, real networks, hostile files"
	@echo "make test-fast    the tests that run no workflow, in a minute or two"
	@echo "make test-pythons the tests that need no torch under Python 3.12 and 3.13, where these are found"
	@echo "make test-oldest  the tests of networks, numbers and tables with the oldest supported versions"
	@echo "make test-cluster the demo and more on what tests/slurm/install.sh sets up: Slurm, a queue, an S3 server"
	@echo "make test-faults  runs whose processes are killed, whose disk is full, and the like"
	@echo "make wheels       collect the packages that make gpu needs, in WHEELS=folder"
	@echo "make gpu          the tests and benchmarks for CUDA, with the torch of the machine (docs/gpu.md)"
	@echo "make check        linters, formatting and types"
	@echo "make format       format the code"
	@echo "make audit        look up known vulnerabilities of the pinned packages"
	@echo "make demo-assets  draw the demo's images, write its questions and train its models again"
	@echo "make clean        remove .venv and results"

venv: $(VENV)/installed

# An environment knows the folder that it was made in: in a project that was moved or copied it is
# made anew. Two terminals may ask for it at once, so the second one waits, and finds it made.
MADE_HERE := $(shell head -n 3 $(BIN)/snakemake 2>/dev/null | grep -F '$(CURDIR)/$(BIN)/python')
ifeq ($(MADE_HERE),)
$(VENV)/installed: .moved
endif

.PHONY: .moved
.moved:
	@test ! -e $(VENV)/installed || echo "$(VENV) was made in another folder and is made anew here."

ifndef ALONE
$(VENV)/installed: requirements.txt pyproject.toml
	@flock Makefile $(MAKE) --no-print-directory ALONE=1 $@
else
$(VENV)/installed: requirements.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; name one with make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv --clear $(VENV)
	$(INSTALL) --requirement requirements.txt
	$(INSTALL) --no-deps --no-build-isolation --editable .
	touch $@
endif

$(VENV)/installed-dev: $(VENV)/installed requirements-dev.txt
	$(INSTALL) --requirement requirements-dev.txt
	touch $@

demo: $(VENV)/installed
	$(BIN)/snakemake --cores all
	@echo "Open results/demo/report.html in a browser. Tables: results/demo/tables. Figures: results/demo/figures."

# One process more than there are processors: tests of runs wait for these, now and then.
PYTEST := $(BIN)/python -m pytest --numprocesses $(shell expr 1 + $$(nproc)) --maxprocesses 8 --dist worksteal

test: $(VENV)/installed-dev
	$(PYTEST) -m "not long"

test-long: $(VENV)/installed-dev
	$(PYTEST) -m long

test-fast: $(VENV)/installed-dev
	$(PYTEST) -m "not workflow and not slow and not long"

test-pythons: $(VENV)/installed
	bash tests/pythons.sh

test-oldest: $(VENV)/installed-dev
	bash tests/oldest.sh

WHEELS :=
DEVICE := cuda

# All that make gpu may have to install.
wheels:
	@test -n "$(WHEELS)" || { echo "make wheels WHEELS=folder: where to put them"; exit 2; }
	mkdir -p "$(WHEELS)"
	$(PYTHON) tests/missing.py --all >"$(WHEELS)/requirements.txt"
	$(PYTHON) -m pip wheel --quiet --no-deps --wheel-dir "$(WHEELS)" --requirement "$(WHEELS)/requirements.txt"

gpu:
	PYTHON="$(PYTHON)" WHEELS="$(WHEELS)" DEVICE="$(DEVICE)" bash tests/gpu.sh

test-cluster: $(VENV)/installed-dev
	$(BIN)/python -m pytest --numprocesses 2 $(addprefix tests/slurm/,runs.py nodes.py submitting.py storing.py)

ROUNDS := 16

test-faults: $(VENV)/installed-dev
	$(BIN)/python -m tests.faults --rounds $(ROUNDS)

check: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	PATH="$(CURDIR)/$(BIN):$$PATH" snakefmt --check --compact-diff Snakefile rules
	$(BIN)/python tests/lint.py
	$(BIN)/mypy
	$(BIN)/oxlint src/synthsight

format: $(VENV)/installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	PATH="$(CURDIR)/$(BIN):$$PATH" snakefmt Snakefile rules

# Fails if a package cannot be looked up, too. The tool has an environment of its own.
audit:
	$(PYTHON) -m venv $(VENV)-audit
	$(VENV)-audit/bin/python -m pip install --quiet pip-audit==2.10.1
	$(VENV)-audit/bin/pip-audit --strict --no-deps --disable-pip --requirement requirements.txt --requirement requirements-dev.txt

demo-assets: $(VENV)/installed
	$(BIN)/python -m demo all

clean:
	rm -rf $(VENV) $(VENV)-audit $(VENV)-3.* $(VENV)-oldest $(VENV)-gpu results .snakemake resources/weights
