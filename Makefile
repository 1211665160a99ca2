# Everything runs in .venv, which the first command makes. `make PYTHON=/path/to/python ...` chooses the Python.

CANDIDATES := python3 python python3.14 python3.13 python3.12 python3.11
PYTHON ?= $(shell for p in $(CANDIDATES); do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)
BIN := .venv/bin
RUN := $(BIN)/python -m
INSTALLED := .venv/installed
WORKERS ?= auto

.PHONY: help demo test install lint types tests format docs extension clean

help:
	@echo 'make demo    from a faulty file to a trained network, in a minute after the installation'
	@echo 'make test    style, types and tests'
	@echo 'make format  bring the code into its usual form'
	@echo 'make docs    write the derived pages of docs, and generated/, anew'
	@echo 'make extension   test and package the extension for VS Code; needs node 20 or newer'
	@echo 'make clean   remove .venv and what tools left behind'

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	@if [ -z "$(PYTHON)" ]; then \
		echo 'cnnspec needs Python 3.11 or newer, and none of these is one: $(CANDIDATES).' >&2; \
		echo 'Install one, or say where it is: make $(or $(MAKECMDGOALS),install) PYTHON=/path/to/python' >&2; exit 1; fi
	@echo 'Installing into .venv; the first time this downloads PyTorch and takes some minutes.'
	@$(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear .venv || { rm -rf .venv; \
		echo '$(PYTHON) cannot make a virtual environment; on Debian and Ubuntu: apt install python3-venv' >&2; exit 1; }
	$(RUN) pip install --quiet --constraint constraints.txt hatchling
	$(RUN) pip install --quiet --constraint constraints.txt --no-build-isolation --editable '.[torch,lsp,dev]'
	@$(RUN) compileall -q cnnspec  # starts fast also where Python is told to write no bytecode
	@touch $@

# $(call show,ARGUMENTS) prints a command, then runs it.
show = @printf '\n$$ cnnspec %s\n' '$(1)'; $(BIN)/cnnspec $(1)

demo: $(INSTALLED)
	@printf '\nA network whose sizes do not fit: the check says where, why, and what mends it.\n'
	$(call show,check docs/faulty/lenet.cnn); code=$$?; echo "(exit code $$code)"; [ $$code -eq 1 ]
	@printf '\nOne that fits, what it costs, and how well it learns the digits that ship with scikit-learn.\n'
	$(call show,check examples/digits.cnn)
	$(call show,summary examples/digits.cnn)
	$(call show,train examples/digits.cnn)

test: $(INSTALLED)
	@$(MAKE) --no-print-directory --keep-going lint types tests

lint: $(INSTALLED)
	$(RUN) ruff check .
	$(RUN) ruff format --check .

types: $(INSTALLED)
	$(RUN) mypy

# One thread per worker: more of them would only wait for one another.
tests: $(INSTALLED)
	OMP_NUM_THREADS=1 $(RUN) pytest -q -n $(WORKERS) --maxprocesses 8

format: $(INSTALLED)
	$(RUN) ruff check --fix .
	$(RUN) ruff format .

docs: $(INSTALLED)
	$(RUN) cnnspec.report.reference docs
	$(BIN)/python generated/refresh.py

EXTENSION := editors/vscode
NODE := $(shell node -e 'console.log(process.versions.node.split(".")[0] >= 20)' 2>/dev/null)

extension:
ifeq ($(NODE),true)
	cd $(EXTENSION) && npm install --no-package-lock --no-audit --no-fund
	cd $(EXTENSION) && npm run build && npm test && npm run package
else
	@echo 'The extension for VS Code is not packaged: that takes node 20 or newer, which is not here.'
endif

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache build dist $(EXTENSION)/node_modules $(EXTENSION)/dist $(EXTENSION)/*.vsix
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
