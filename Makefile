# make demo: from a fresh machine to a temperature series on the simulated set-up.
# make test: everything that a test needs, all checks, all tests.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_AT_LEAST := "pip>=25.1"

.PHONY: demo test torture check bench coverage survey environments system-packages clean

demo: $(VENV)/installed
	$(BIN)/labctl demo

test:
	bash tools/test.sh

# Faults in full: more than a thousand kills, every power cut twenty times, 100 000 points. Hours.
torture: $(VENV)/installed-dev
	$(BIN)/python -m pytest -q -s --torture -o timeout=0 tests/faults \
		tests/labctl/gui/test_long_watch.py tests/end_to_end/test_window_walk.py

check: $(VENV)/installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright --threads 2
	$(BIN)/lint-imports --no-logo

bench: $(VENV)/installed-dev .venv-clients
	@status=0; \
	$(BIN)/python benchmarks/run.py || status=1; \
	$(BIN)/python -m benchmarks.photons --document docs/benchmarks_photons.md || status=1; \
	exit $$status

coverage: $(VENV)/installed-dev
	$(BIN)/python -m benchmarks.coverage

survey: $(VENV)/installed-dev
	$(BIN)/python -m benchmarks.survey

environments: $(VENV)/installed-dev .venv-nexus .venv-clients

system-packages: $(VENV)/installed-dev
	bash tools/system-packages.sh $(BIN)/python

clean:
	rm -rf $(VENV) .venv-nexus .venv-clients .venv-peers

$(VENV)/created:
	@echo "making $(VENV) and installing labctl: a few minutes, once"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade $(PIP_AT_LEAST)
	touch $@

# Entry points, too, are read from pyproject.toml when the project is installed.
$(VENV)/installed: pyproject.toml $(VENV)/created
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --editable . --group dev
	touch $@

# Environments of their own for packages that do not go together with ours.
.PHONY: .venv-nexus .venv-clients
.venv-nexus: .venv-nexus/installed
.venv-clients: .venv-clients/installed

.venv-nexus/installed: tests/nexus/requirements.txt
.venv-clients/installed: tests/clients/requirements.txt $(wildcard tests/clients/*-no-deps.txt)
.venv-nexus/installed .venv-clients/installed:
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --upgrade $(PIP_AT_LEAST)
	$(@D)/bin/python -m pip install --quiet --requirement $<
	$(foreach file,$(filter %-no-deps.txt,$^),$(@D)/bin/python -m pip install --quiet --no-deps -r $(file))
	touch $@
