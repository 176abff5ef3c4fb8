# Lookalike's verbs. `make demo` and `make test` do all set-up themselves.
.DEFAULT_GOAL := help
SHELL := /bin/bash

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
TRITON := .triton
SBOM := .sbom
OF ?= $(VENV)

CATALOG ?=
CHECKPOINT ?=
LIMIT ?=
ENCODER ?=
ENCODERS ?=
QUICK ?=
SCHEMAS ?=
VALIDATED ?=
EXPORTED ?=
SPLITS ?=
DEVICE ?=
SHORT ?=
ARMS ?=
WORKSPACE ?=
SCRATCH ?=

.PHONY: help setup browser kustomize redis demo test lint types layers unit pipelines lock clean

help:  ## Show the verbs
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(INSTALLED) triton  ## Make both environments: the application's and the local Triton server's

$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
	  { echo "Python 3.11 is needed; $(PYTHON) is $$($(PYTHON) -V 2>&1). Set PYTHON=/path/to/python3.11"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: triton
triton: $(INSTALLED)
	@$(BIN)/python -m serving.triton.environment $(TRITON) || [ $$? -eq 3 ]  # 3: no wheel here, onnxruntime serves

browser:  ## Find the Chromium that tests the web page, or install Debian's where that is allowed
	@command -v $(LOOKALIKE_CHROMIUM) chromium chromium-browser google-chrome > /dev/null || \
	  { [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null && apt-get -qq update && \
	    DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends chromium > /dev/null; } || \
	  echo "No Chromium here: install one or set LOOKALIKE_CHROMIUM; until then the web page's tests are skipped."

kustomize:  ## Say whether the manifests can be built here; no registry has a kustomize that its authors put there
	@$(BIN)/python -c 'from app.manifests.reading import kustomize; kustomize()' 2> /dev/null || \
	  echo "No kustomize here, nor kubectl 1.21 or later (Debian's is older): the overlays' tests are skipped."

# Debian's redis-server is a link to this program with a service around it, which would start and listen.
redis:  ## Find the Redis that tests of features start, or install Debian's program, without its service, where allowed
	@command -v redis-server > /dev/null || \
	  { [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null && apt-get -qq update && \
	    DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends redis-tools > /dev/null && \
	    ln -sf "$$(command -v redis-check-rdb)" /usr/local/bin/redis-server; } || \
	  echo "No redis-server here: install one; until then the tests of features in Redis are skipped."

demo: setup  ## Run the whole loop on the drawn shop, or on CATALOG=<folder> (LIMIT=n, ENCODER=<backbone folder>)
	$(BIN)/lookalike demo $(if $(CATALOG),--catalogue "$(CATALOG)") $(if $(LIMIT),--limit $(LIMIT)) \
	  $(if $(ENCODER),--encoder "$(ENCODER)") $(if $(WORKSPACE),--workspace "$(WORKSPACE)")

test: setup browser kustomize redis lint types layers unit  ## Lint, types, layers and every test

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types:
	$(BIN)/mypy

layers:
	$(BIN)/lint-imports

unit:
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

.PHONY: bench-mining
bench-mining: $(INSTALLED)  ## Mine a grown catalogue of a million products (WORKSPACE= folder; QUICK=1)
	$(BIN)/python -m benchmarks.mining $(if $(WORKSPACE),--workspace "$(WORKSPACE)") $(if $(QUICK),--quick)

.PHONY: bench-embedding
bench-embedding: $(INSTALLED)  ## Compare ways to train an embedding (CATALOG=, ENCODERS=, WORKSPACE= folders; QUICK=1)
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.embedding $(if $(CATALOG),--catalogue "$(CATALOG)") \
	  $(if $(ENCODERS),--encoders "$(ENCODERS)") $(if $(WORKSPACE),--workspace "$(WORKSPACE)") $(if $(QUICK),--quick)

.PHONY: bench-loader
bench-loader: $(INSTALLED)  ## Measure how long a training step waits for its batch (WORKSPACE=, ENCODERS= folders; QUICK=1)
	$(BIN)/python -m benchmarks.loader $(if $(WORKSPACE),--workspace "$(WORKSPACE)") \
	  $(if $(ENCODERS),--encoders "$(ENCODERS)") $(if $(QUICK),--quick)

.PHONY: bench-index
bench-index: $(INSTALLED)  ## Measure the index: ratios, filters, a million vectors, crashes (CATALOG=, ENCODERS=, CHECKPOINT=, WORKSPACE=; QUICK=1)
	$(BIN)/python -m benchmarks.index $(if $(CATALOG),--catalogue "$(CATALOG)") $(if $(ENCODERS),--encoders "$(ENCODERS)") \
	  $(if $(CHECKPOINT),--checkpoint "$(CHECKPOINT)") $(if $(WORKSPACE),--workspace "$(WORKSPACE)") $(if $(QUICK),--quick)

.PHONY: bench-serving
bench-serving: $(INSTALLED) triton  ## Measure the service: overhead, latencies, overload, a soak, decoding, fusion, Triton, hostile input (CATALOG=, ENCODERS=, MODELS="a b", WORKSPACE=; QUICK=1)
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.serving $(if $(CATALOG),--catalogue "$(CATALOG)") $(if $(ENCODERS),--encoders "$(ENCODERS)") \
	  $(if $(MODELS),--models $(MODELS)) $(if $(WORKSPACE),--workspace "$(WORKSPACE)") $(if $(QUICK),--quick)

.PHONY: bench-lexicon
bench-lexicon: $(INSTALLED)  ## Hold the fashion lexicon to titles judged by eye (CATALOG= folder)
	$(BIN)/python -m benchmarks.lexicon measure $(if $(CATALOG),--catalogue "$(CATALOG)")

.PHONY: bench-narrowing
bench-narrowing: $(INSTALLED)  ## Measure narrowing and colours in a workspace that was trained and exported (WORKSPACE=; QUICK=1)
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.narrowing --workspace "$(WORKSPACE)" $(if $(QUICK),--quick)

.PHONY: bench-scale-out
bench-scale-out: $(INSTALLED)  ## Measure what a shard of a large catalogue costs (WORKSPACE= with an exported model; QUICK=1)
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.scale_out --workspace "$(WORKSPACE)" $(if $(QUICK),--quick)

.PHONY: bench-shards
bench-shards: $(INSTALLED)  ## Kill a sharded build of a million products 20 times beside one that is not (WORKSPACE= with an exported model, SCRATCH=; QUICK=1)
	$(BIN)/python -m benchmarks.cluster.shard_resume --workspace "$(WORKSPACE)" $(if $(SCRATCH),--scratch "$(SCRATCH)") \
	  $(if $(QUICK),--quick)

.PHONY: bench-signing
bench-signing: $(INSTALLED)  ## Measure what verifying a signed release costs and catches (WORKSPACE= with a release; QUICK=1)
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.signing --workspace "$(WORKSPACE)" $(if $(QUICK),--quick)

.PHONY: bench-milvus-bulk
bench-milvus-bulk: $(INSTALLED)  ## Measure filling a Milvus server from files, on one started for it (WORKSPACE= with an index; QUICK=1)
	OMP_NUM_THREADS=1 unshare --map-root-user --net \
	  $(BIN)/python -m benchmarks.milvus_bulk --workspace "$(WORKSPACE)" $(if $(QUICK),--quick)

.PHONY: bench-drift
bench-drift: $(INSTALLED)  ## Measure the watch and the gate: false alarms, power, delay, years, planted and poisoned challengers (WORKSPACE= with an exported model, SHORT= checkpoint of one epoch, ARMS= workspace of bench-embedding; QUICK=1)
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.drift $(if $(WORKSPACE),--workspace "$(WORKSPACE)") \
	  $(if $(SHORT),--short "$(SHORT)") $(if $(ARMS),--arms "$(ARMS)") $(if $(QUICK),--quick)

.PHONY: bench-manifests
bench-manifests: $(INSTALLED)  ## Plant mistakes in the manifests and count those the checker misses (SCHEMAS=, QUICK=1)
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.cluster.manifests $(if $(SCHEMAS),--schemas "$(SCHEMAS)") $(if $(QUICK),--quick)

.PHONY: bench-gpu
bench-gpu: $(INSTALLED)  ## Measure the model on a GPU: onnxruntime and TensorRT beside PyTorch (EXPORTED=, VALIDATED=, SPLITS= folders; DEVICE=cpu, QUICK=1)
	$(BIN)/python -m benchmarks.cluster.gpu --exported "$(EXPORTED)" --validated "$(VALIDATED)" --splits "$(SPLITS)" \
	  $(if $(DEVICE),--device $(DEVICE)) $(if $(QUICK),--quick)

.PHONY: bench-train-scaling
bench-train-scaling: $(INSTALLED)  ## Measure training on one process and two, and model more (CATALOG=, ENCODERS=, WORKSPACE= folders; QUICK=1)
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.cluster.scaling $(if $(CATALOG),--catalogue "$(CATALOG)") \
	  $(if $(ENCODERS),--encoders "$(ENCODERS)") $(if $(WORKSPACE),--workspace "$(WORKSPACE)") $(if $(QUICK),--quick)

.PHONY: bench-caching
bench-caching: $(INSTALLED)  ## Count the pipeline tasks that the local runner's cache gets wrong (QUICK=1)
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.cluster.caching $(if $(QUICK),--quick)

.PHONY: bench-features
bench-features: $(INSTALLED) redis  ## Measure features from Feast on Redis beside a raw pipeline (VALIDATED= what validate made; QUICK=1)
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.features --validated "$(VALIDATED)" $(if $(QUICK),--quick)

.PHONY: notebooks
notebooks: setup  ## Run the notebooks against the shop that `make demo` left (WORKSPACE=): runs/notebooks
	$(BIN)/python -m notebooks.execute $(if $(WORKSPACE),--workspace "$(WORKSPACE)")

pipelines: $(INSTALLED)  ## Compile the pipelines into pipelines/compiled
	$(BIN)/lookalike pipeline compile

.PHONY: sbom
sbom: $(INSTALLED)  ## Bill of materials and licences of an environment (OF=folder): runs/sbom
	@test -x $(SBOM)/bin/cyclonedx-py || { $(PYTHON) -m venv $(SBOM) && \
	  $(SBOM)/bin/python -m pip install --quiet --disable-pip-version-check cyclonedx-bom==7.5.0 pip-licenses==5.5.5; }
	@mkdir -p runs/sbom
	$(SBOM)/bin/cyclonedx-py environment --output-format JSON --output-file runs/sbom/parts.cdx.json $(OF)
	$(SBOM)/bin/pip-licenses --python=$(OF)/bin/python --format=markdown --with-urls --output-file=runs/sbom/licences.md

lock: $(INSTALLED)  ## Resolve requirements.lock anew from pyproject.toml
	$(BIN)/python -m pip install --quiet --upgrade --editable '.[train,s3,export,index,features,serve,monitor,pipelines,deploy,dev]'
	{ sed -n '/^#/p' requirements.lock; $(BIN)/python -m pip freeze --exclude-editable | sed 's/+cpu$$//'; } > $(VENV)/lock
	mv $(VENV)/lock requirements.lock

clean:  ## Remove the environments and all runs
	rm -rf $(VENV) $(TRITON) $(SBOM) runs
