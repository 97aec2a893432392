# Everything runs in .venv, which the first target makes from Python 3.11 or newer and the locked packages.
#
#   make demo [ACCOUNTS=20000] [SPEED=240]   a crash day, end to end
#   make test                                linters, types, tests (with Apache Kafka where Java 17 and Maven are)
#   make bench | soak | kafka                benchmarks | long runs | a local Apache Kafka on port 9092

FITS := -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))'
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3; do \
	$$p $(FITS) 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
ACCOUNTS ?=
SPEED ?=

.PHONY: demo test lint bench soak kafka kafka-stop lock clean
.DELETE_ON_ERROR:

demo: $(VENV)/ready
	@$(BIN)/liangrong demo $(if $(ACCOUNTS),--accounts $(ACCOUNTS)) $(if $(SPEED),--speed $(SPEED))

test: lint
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(VENV)/ready
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: $(VENV)/ready
	$(BIN)/python -m tests.bench

soak: $(VENV)/ready
	$(BIN)/python -m pytest -m soak  # SOAK_SECONDS=600 says how long

kafka:
	@deploy/kafka/kafka.sh start
	@echo "Stop it with: make kafka-stop"

kafka-stop:
	@deploy/kafka/kafka.sh stop

# Rewrites the lock from pyproject.toml; needs uv. Everything else needs pip alone.
lock:
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-annotate \
		--custom-compile-command "make lock" --output-file requirements.lock

$(VENV)/ready: requirements.lock pyproject.toml
	@[ -n "$(PYTHON)" ] && $(PYTHON) $(FITS) || \
		{ echo "liangrong needs Python 3.11 to 3.14; name one with make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Preparing $(VENV) (once; about a minute)"
	@rm -f $@
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

clean:
	rm -rf $(VENV) build *.egg-info deploy/kafka/target
