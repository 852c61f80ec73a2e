.DEFAULT_GOAL := help
SHELL         := /bin/bash
PYTHON        ?= python3
PY            := .venv/bin/python
PACKAGES      := protos services/chassis services/contents services/sessions services/kernels services/runner \
                 gateway_http deploy/local
PROTO_FILES    = $(shell cd protos && find perijove -name '*.proto' | sort)
ARGS          ?=
CORES         := $(shell getconf _NPROCESSORS_ONLN)
# Files of tests side by side: as many as there are cores, and more where tests mostly wait.
SIDE_BY_SIDE  := --dist loadfile --maxprocesses 16 -n
# What tests need beside .venv: programs of others.
ENVIRONMENTS  := $(foreach name,kernels clients fuzz identity,.venv/$(name)/.done) \
                 $(foreach place,integration/hub clients/node,tests/$(place)/node_modules/.done)

help: ## Show this help
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n\033[1m%s\033[0m\n", substr($$0, 5)} \
	  /^[a-z0-9 _-]+:.*## / {printf "  \033[36m%-14s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Use
setup: .venv/.done ## Create .venv with every package and tool
.venv/.done: constraints.txt pyproject.toml $(addsuffix /pyproject.toml,$(PACKAGES))
	$(PYTHON) -m venv .venv
	$(PY) -m pip install -q --disable-pip-version-check -c constraints.txt -U pip uv
	VIRTUAL_ENV=.venv .venv/bin/uv pip install -q --compile-bytecode -c constraints.txt --group dev \
	  $(addprefix -e ,$(PACKAGES))
	@touch $@

.venv/kernels/.done .venv/clients/.done .venv/fuzz/.done .venv/identity/.done .venv/audit/.done: .venv/%/.done: .venv/.done
	.venv/bin/uv venv -q --clear -p $(PY) .venv/$*
	VIRTUAL_ENV=.venv/$* .venv/bin/uv pip install -q --compile-bytecode -c constraints.txt --group $*
	@touch $@

environments: $(ENVIRONMENTS)

# Who has no npm is told by the tests what is skipped.
tests/integration/hub/node_modules/.done tests/clients/node/node_modules/.done: %/node_modules/.done: %/package-lock.json
	@if command -v npm > /dev/null; then \
	  cd $* && npm ci --ignore-scripts --no-progress --loglevel=error && touch node_modules/.done; \
	else echo 'npm is not there: tests that need it are skipped'; fi

run: setup ## Run Perijove with JupyterLab; Ctrl-C stops it (ARGS="--port 9999")
	.venv/bin/perijove up $(ARGS)

##@ Test
test: unit integration conformance clients chaos e2e fuzz-short ## Everything

unit: setup ## The rules and the parts: minutes
	$(PY) -m pytest $(SIDE_BY_SIDE) $$(($(CORES) * 2)) services gateway_http deploy tests/contract $(ARGS)

integration: .venv/kernels/.done .venv/identity/.done tests/integration/hub/node_modules/.done
clients: .venv/clients/.done tests/clients/node/node_modules/.done
integration conformance clients: setup ## Real sockets, Redis, kernels; clients that others wrote
	$(PY) -m pytest $(SIDE_BY_SIDE) $(CORES) tests/$@ $(ARGS)

chaos: setup ## Processes that are killed
	$(PY) -m pytest $(SIDE_BY_SIDE) $$(($(CORES) * 3 / 2)) --no-loadscope-reorder tests/$@ $(ARGS)

e2e: setup ## A real browser
	$(PY) -m pytest tests/$@ $(ARGS)

fuzz: .venv/fuzz/.done ## Ten minutes of requests made up from the OpenAPI document (ARGS="--duration 60")
	$(PY) -m pytest tests/fuzz --duration 600 $(ARGS)

fuzz-short: .venv/fuzz/.done
	$(PY) -m pytest tests/fuzz $(ARGS)

bench: setup ## Measure beside jupyter_server and direct ZeroMQ
	$(PY) -m tests.bench $(ARGS)

##@ Change
check: lint types imports check-protos ## What CI runs first

fmt: setup ## Format Python and protos
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix-only -q .
	.venv/bin/buf format -w protos

lint: setup ## Lint Python
	.venv/bin/ruff format --check -q .
	.venv/bin/ruff check -q .

types: setup ## Check types
	.venv/bin/mypy

imports: setup ## Check who may import whom
	.venv/bin/lint-imports --no-cache

protos: setup ## Regenerate the stubs beside the .proto files
	cd protos && ../$(PY) -m grpc_tools.protoc -I . --plugin=protoc-gen-mypy_grpc=../.venv/bin/protoc-gen-mypy_grpc \
	  --python_out=. --pyi_out=. --grpc_python_out=. --mypy_grpc_out=quiet:. $(PROTO_FILES)

check-protos: protos ## Lint the protos; fail if the stubs have drifted
	.venv/bin/buf lint protos
	.venv/bin/buf format -d --exit-code protos
	git diff --exit-code -- protos
	@test -z "$$(git status --porcelain -- protos)" || { git status --short -- protos; exit 1; }

audit: .venv/audit/.done ## Ask whether anything is known against the packages (ARGS="--strict")
	$(PY) -m tests.audit $(ARGS)

lock: ## Rewrite constraints.txt with the newest versions
	rm -rf .venv/lock && mkdir -p .venv && $(PYTHON) -m venv .venv/lock && .venv/lock/bin/python -m pip install -q -U pip uv
	VIRTUAL_ENV=.venv/lock .venv/lock/bin/uv pip install -q --group dev --group kernels --group clients --group fuzz --group identity --group audit $(addprefix -e ,$(PACKAGES))
	VIRTUAL_ENV=.venv/lock .venv/lock/bin/uv pip freeze -q --exclude-editable > constraints.txt
	rm -rf .venv/lock

clean: ## Remove .venv and every cache
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .bench
	find . -name __pycache__ -prune -exec rm -rf {} +

.PHONY: help setup environments run test unit integration conformance clients chaos e2e fuzz fuzz-short bench check fmt lint types imports protos \
        check-protos audit lock clean
