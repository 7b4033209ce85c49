# Every target makes what it needs in .venv; `make demo` and `make test` work on a fresh machine.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test lint format bench reproduce docs clean help

help:
	@echo "make demo        install, run a case on real data, look at its result"
	@echo "make test        install with the test extras, run the whole suite"
	@echo "make lint        ruff and the type checker"
	@echo "make bench       speed beside peers, in one process run"
	@echo "make reproduce   what takes minutes: a million steps, all of MNIST (in OCCORE_DATA)"
	@echo "make docs        the documentation site, into site/"

# A stamp for each set of extras: installed again when pyproject.toml changes.
$(VENV)/.%: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "occore needs Python 3.11")'
	$(PIP) --editable '.[$*]'
	@touch $@

demo: $(VENV)/.data,plot
	@rm -f demo.h5 demo.log.jsonl demo.png
	$(BIN)/occore run cases/02_least_squares/digits.toml -o demo.h5
	$(BIN)/occore inspect demo.h5
	$(BIN)/occore inspect demo.h5 --plot demo.png
	@echo
	@echo "The figure is demo.png, the run demo.h5. Change cases/02_least_squares/digits.toml and run"
	@echo "it again:  $(BIN)/occore run cases/02_least_squares/digits.toml"
	@echo "What there is to use:  $(BIN)/occore plugins     Documentation:  docs/index.md"

test: $(VENV)/.test
	$(BIN)/python -m pytest -n 2 --dist worksteal

lint: $(VENV)/.test,lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright

format: $(VENV)/.test,lint
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.data,fast
	$(BIN)/python -m benchmarks

reproduce: $(VENV)/.data,fast
	@rm -f reproduce_*.h5 reproduce_*.log.jsonl
	$(BIN)/python -m benchmarks.long_march
	$(BIN)/python -m benchmarks.label_fit
	$(BIN)/python -m benchmarks.resolution_transfer
	$(BIN)/occore run cases/01_semisupervised/mnist.toml -o reproduce_labels.h5
	$(BIN)/occore run cases/03_classification/mnist.toml -o reproduce_softmax.h5
	$(BIN)/occore run cases/05_convolution/mnist_full.toml -o reproduce_convolution.h5
	$(BIN)/occore run cases/05_convolution/lecun_1990.toml -o reproduce_lecun.h5 \
		--set data.source.samples=60000 \
		--set optimizer.learning_rate=0.06 --set optimizer.max_iterations=20

docs: $(VENV)/.docs
	$(BIN)/mkdocs build --strict

clean:
	rm -rf $(VENV) site dist demo.h5 demo.log.jsonl demo.png reproduce_*.h5 reproduce_*.log.jsonl
