# Everything that a fresh machine needs is Python 3.11 or newer, make, and a package index.
PYTHON ?= python3
VENV   := .venv
# On Windows, GNU make and a shell are in the path of Git's bash.
ifeq ($(OS),Windows_NT)
BIN    := $(VENV)/Scripts
EXE    := .exe
else
BIN    := $(VENV)/bin
endif
# One more than the cores of a small machine: the tests in a browser wait more than they compute.
WORKERS ?= 3

.PHONY: demo test test-dask test-docs check soak bench clients reference docs examples lab dist test-wheel clean

# A real notebook, end to end, on a scheduler of its own; what it leaves is in build/demo.
demo: $(VENV)/.installed
	$(BIN)/python examples/demo.py

# File by file, so that what the tests of a file share is started once; the long files first, as tests/conftest.py sorts them.
SPREAD := -n $(WORKERS) --dist loadfile --no-loadscope-reorder

test: $(VENV)/.test
	$(BIN)/python -m pytest $(SPREAD) -m "not commands"

# What Dask's workers run, and the semantics of the scheduler once more on them.
DASK_TESTS := $(addprefix tests/integration/,dask workflows scheduler runtimes/test_every_language.py \
	runtimes/test_round_trips.py executors/test_executor_contract.py)
test-dask: $(VENV)/.test
	$(BIN)/python -m pytest $(SPREAD) --executor dask $(DASK_TESTS)

# The commands on the pages, each a process or several; `make test` runs the cells of the pages.
test-docs: $(VENV)/.test
	$(BIN)/python -m pytest -m commands tests/acceptance/examples

check: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Faults at random for MINUTES: kill -9, full disks, locks, no handles; what breaks is printed with its seed. SOAK_ARGS: other options.
MINUTES ?= 10
soak: $(VENV)/.test
	$(BIN)/python -m tests.soak --minutes $(MINUTES) $(SOAK_ARGS)

# The targets of the embedded scheduler, beside peers: an hour; writes docs/performance.md. QUICK=1: minutes, without the page.
# ONLY=python,chain: single cases; BENCH_ARGS: all other options of `python -m benchmarks.suite`.
bench: $(VENV)/.installed
	$(BIN)/python -m benchmarks.suite $(if $(QUICK),--quick) $(if $(ONLY),--only $(ONLY)) \
		$(if $(QUICK)$(ONLY),,--page docs/performance.md) $(BENCH_ARGS)

# ProActive's own clients, for tests/conformance/clients; without them those tests are skipped.
clients:
	$(PYTHON) tools/foreign_clients.py

# The pages of docs/reference are made from the registries; a test asks that they are current.
reference: $(VENV)/.installed
	$(BIN)/python -m proactive_jupyter_kernel.pragmas.reference > docs/reference/pragmas.md
	$(BIN)/python -m proactive_jupyter_kernel.workflow.checks.reference > docs/reference/checks.md
	$(BIN)/python -m proactive_jupyter_kernel.workflow.formats.json_schema > docs/reference/workflow.schema.json
	$(BIN)/python -m tests.conformance.difference_list > docs/reference/fidelity.md
	$(BIN)/python -c 'from proactive_jupyter_kernel.scheduler.rest.routes import openapi; openapi.main()' > docs/reference/openapi.json
	$(BIN)/python -m proactive_jupyter_kernel.scheduler.rest.routes.reference > docs/reference/rest.md
	$(BIN)/python -m proactive_jupyter_kernel.scheduler.settings > docs/reference/settings.md
	$(BIN)/python -m proactive_jupyter_kernel.cli.reference > docs/reference/cli.md
	$(BIN)/python tools/python_api.py > docs/reference/python.md
	cp docs/reference/workflow.schema.json src/proactive_jupyter_kernel/workflow/formats/

# The site of docs/ and examples/, in build/site. Warnings of Sphinx and links that lead nowhere are errors.
docs: $(VENV)/.docs reference
	$(BIN)/python tools/docs_site.py

# The notebooks of examples/ are committed with their outputs, as GitHub shows them.
examples: $(VENV)/.test
	$(BIN)/python tools/run_examples.py

# JupyterLab on a copy of examples/, in build/lab; also as root. LAB_ARGS: options of `jupyter lab`, such as --port=9999 --no-browser.
lab: $(VENV)/.lab
	$(BIN)/python tools/lab.py $(LAB_ARGS)

# The sdist and the wheel, built twice and compared byte for byte; `twine check --strict`. SOURCE_DATE_EPOCH: the date of their files.
dist: $(VENV)/.dist
	$(BIN)/python tools/build_dist.py

# The wheel of dist/ in bare environments of each Python that there is, with the demo. PYTHONS="3.12 3.13": those must be there.
test-wheel: dist
	$(BIN)/python tools/test_wheel.py $(PYTHONS)

$(BIN)/python$(EXE):
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(BIN)/python$(EXE)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.lab: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[lab]'
	@touch $@

$(VENV)/.docs: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	@touch $@

$(VENV)/.test: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

$(VENV)/.dist: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dist]'
	@touch $@

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
