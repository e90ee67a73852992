# One line of work per target; `make help` lists them. Caches live outside the checkout, see README.md.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
export RAY_VLLM_STACK_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/ray-vllm-stack
export PATH := $(RAY_VLLM_STACK_CACHE)/bin:$(RAY_VLLM_STACK_CACHE)/venv/bin:$(PATH)
export PYTHONPATH := $(CURDIR)
CHART := charts/ray-vllm-stack
GENERATED := $(CHART)/values.schema.json $(CHART)/VALUES.md $(CHART)/files/versions.yaml serve_app/versions.yaml tests/golden docs/accelerators.md docs/models.md docs/safe-change.md
PYTEST := python -m pytest -p no:cacheprovider
ALL_CLIENTS := tests/clients/all/requirements
GATEWAY_TESTS := tests/app/gateway tests/app/keys
DATA_TESTS := tests/app/data tests/app/jobs

.PHONY: help demo down cluster tools tools-path venv gateway-venv data-venv images deps generate verify instance-types lock lint test test-unit test-chart test-gateway test-data test-modules test-contract test-attacks test-api test-simulation test-cluster test-clients-all campaign bench bench-before bench-client impact package
.DEFAULT_GOAL := help

help: ## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'

demo: ## from nothing to streamed tokens on a local cluster (ASK="...": your question; CLUSTER=current: your own cluster)
	@tests/cluster/demo.sh

down: ## stop everything that `make demo` and the tests started; built things are kept (PURGE=1: those of the cluster too)
	@tests/cluster/down.sh $(if $(PURGE),--purge)

tools: venv ## build and install the pinned tools (once; then in seconds)
	@tests/cluster/packages.sh
	@tests/tools/build.sh $(TOOLS)

tools-path: ## print the directory of the built tools
	@echo $(RAY_VLLM_STACK_CACHE)/bin

venv: ## make the Python environment of lint and tests
	@tests/tools/venv.sh > /dev/null

gateway-venv: ## make the environment of the gateway's tests, with the Python of its image
	@PYTHON=$$(tests/tools/gateway_python.sh) tests/tools/venv.sh gateway-venv > /dev/null

data-venv: ## make the environment of the data component's tests, with the Python of its image
	@PYTHON=$$(tests/tools/gateway_python.sh) tests/tools/venv.sh data-venv tests/requirements-data.txt > /dev/null

images: ## build the serve (CPU), gateway and data images; IMAGES="serve-cuda" for others
	@images/build.sh $(or $(IMAGES),serve-cpu gateway data)

deps: ## fetch the chart's dependency, or package it from the operator's own module
	@tests/cluster/kuberay-chart.sh

generate: venv deps ## write what is generated: schema, VALUES.md, version copies, golden files, table of models
	@cp versions.yaml serve_app/versions.yaml; cp versions.yaml $(CHART)/files/versions.yaml
	@python -m serve_app.settings $(CHART)/values.yaml > $(CHART)/values.schema.json.new; mv $(CHART)/values.schema.json.new $(CHART)/values.schema.json
	@helm-docs --chart-search-root $(CHART) --template-files VALUES.md.gotmpl --output-file VALUES.md --log-level warning
	@python -m serve_app.settings --entries $(CHART)/values.yaml >> $(CHART)/VALUES.md
	@tests/golden/generate.sh

verify: generate ## fail if a generated file in git is out of date
	@git diff --exit-code --stat -- $(GENERATED) || { echo "make verify: commit what make generate wrote" >&2; exit 1; }

instance-types: ## outside CI, seldom: the chart's table of EC2 instance types, out of moto's
	@uv run -q --no-project --with moto==5.2.5 python -m tests.instance_types

lock: ## resolve the locks anew (images/lock.sh for the images)
	@uv pip compile -q --python-version 3.11 --no-build --generate-hashes --extra agents --extra gateway --extra test --custom-compile-command "make lock" pyproject.toml -o tests/requirements.txt
	@uv pip compile -q --python-version 3.13 --no-build --generate-hashes --extra data --extra data-test --custom-compile-command "make lock" pyproject.toml -o tests/requirements-data.txt
	@uv pip compile -q --python-version 3.11 --no-build --generate-hashes --custom-compile-command "make lock" tests/clients/requirements.in -o tests/clients/requirements.txt
	@for group in agents evaluation; do uv pip compile -q --python-version 3.11 --no-build --emit-build-options --generate-hashes --override $(ALL_CLIENTS)/override.txt --custom-compile-command "make lock" $(ALL_CLIENTS)/$$group.in -o $(ALL_CLIENTS)/$$group.txt; done
	@images/lock.sh

lint: venv deps ## level 0: style of Python, shell, YAML, workflows, Dockerfiles, chart
	@tests/lint.sh

test-unit: test-chart test-gateway test-data test-modules ## levels 1 and 2: schema, guards, every template, every module
test-chart: deps ## level 1: schema, guards, every template
	@helm-unittest --strict -f 'tests/**/*_test.yaml' $(CHART)
test-gateway: gateway-venv ## level 2: the gateway's modules, on its image's Python
	@$(RAY_VLLM_STACK_CACHE)/gateway-venv/bin/$(PYTEST) $(GATEWAY_TESTS)
test-data: data-venv ## level 2: the data component's modules, on its image's Python
	@$(RAY_VLLM_STACK_CACHE)/data-venv/bin/$(PYTEST) $(DATA_TESTS)
test-modules: venv deps ## level 2: all other modules, golden files, alert rules
	@$(PYTEST) $(GATEWAY_TESTS:%=--ignore=%) $(DATA_TESTS:%=--ignore=%) tests/app tests/golden tests/rules tests/argocd

cluster: ## build what is missing, start the local cluster and load the images: what levels 3 to 6 run on
	@$(if $(PREPARED),:,tests/cluster/prepare.sh)

# Clients that leave need a quiet machine: make test runs them with the attacks, beside nothing.
LEFT := tests/clients/test_left.py
test-contract test-api test-cluster: cluster
test-api test-cluster: export KUBECONFIG := $(RAY_VLLM_STACK_CACHE)/cluster/admin.kubeconfig
test-contract: ## level 3: what the chart renders is what Ray and vLLM accept, in the built images; clients with vLLM
	@$(PYTEST) --ignore=tests/clients/all --ignore=$(LEFT) tests/contract tests/images tests/clients

test-clients-all: venv ## outside CI: every client of tests/clients/README.md with real vLLM; the first run builds them, 10 min
	@tests/cluster/packages.sh
	@$(PYTEST) tests/clients

test-attacks: venv gateway-venv ## hostile clients: the gateway in a memory cgroup of 512 MiB (root); clients that leave
	@$(PYTEST) tests/attacks $(LEFT)

test-api: ## level 4: every values file on a real API server with the real CRDs, strictly
	@$(PYTEST) tests/api

SIMULATION_TOOLS := etcd kube helm4 crds karpenter-kwok kwok kuberay-operator
test-simulation: venv deps ## level 5: Karpenter on EC2's instance types, and KubeRay's operator, on nodes that are objects only
	@$(if $(PREPARED),:,tests/tools/build.sh $(SIMULATION_TOOLS))
	@$(PYTEST) tests/simulation

test-cluster: data-venv
test-cluster: ## level 6: tokens, edits, faults, metrics, uninstall on the local cluster
	@$(PYTEST) --timeout 1200 tests/cluster

campaign: cluster data-venv ## outside CI, hours: what takes long, on the local cluster (ONLY=incremental, ONLY=argocd_live, ...: one module of tests/campaign)
	@KUBECONFIG=$(RAY_VLLM_STACK_CACHE)/cluster/admin.kubeconfig $(PYTEST) --timeout 1800 tests/campaign$(ONLY:%=/test_%.py)

test: ## all levels, from nothing
	@tests/all.sh

bench: venv ## the gateway against HAProxy, vllm-router, LiteLLM and no proxy at all, in one run
	@tests/bench/gateway/peers/install.sh > /dev/null
	@python -m tests.bench.gateway $(BENCH)

bench-before: venv ## this gateway against that of another checkout, in turns: BEFORE=PATH
	@python -m tests.bench.gateway --only null --peers gateway --per-core --gateway before=$(BEFORE) --gateway after=. $(BENCH)

bench-client: venv ## the gateway's own HTTP client against aiohttp's, in turns
	@python -m tests.bench.gateway --only null --peers gateway --per-core --aiohttp $(BENCH)

impact: venv deps ## what an edit does: BEFORE=values.yaml AFTER=edited.yaml, or RELEASE=llm NAMESPACE=llm AFTER=edited.yaml for a live one
	@$(if $(RELEASE),python -m serve_app.impact upgrade $(RELEASE) $(CHART) -f $(AFTER) $(if $(NAMESPACE),-n $(NAMESPACE)),python -m serve_app.impact compare --chart $(CHART) --from $(BEFORE) --to $(AFTER)) $(IMPACT)

package: deps ## package the chart into dist/
	@mkdir -p dist; helm package $(CHART) -d dist
