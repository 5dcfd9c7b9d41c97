# posed: build, try, test, measure. `make demo` and `make test` install the Debian packages they need.
SHELL := /bin/bash
.DEFAULT_GOAL := build

PACKAGES := libopenblas-dev libdnnl-dev libpng-dev libgrpc-dev libprotobuf-dev
CONFIGURATION := release
SWIFT_BUILD := swift build -c $(CONFIGURATION)
BIN := .build/$(CONFIGURATION)
POSEKIT := $(BIN)/posekit

# The demonstration's model: the default one where it is there, else the small random one of the tests.
MODEL ?= $(if $(wildcard weights/default/model_index.json),weights/default,Tests/Goldens/tiny)
SOURCE ?= Tests/Goldens/tiny/expected/synthesize/source.png
POSE ?= Tests/Goldens/tiny/expected/synthesize/pose.json
OUT ?= demo/out.png
VENV ?= .venv

.PHONY: build packages demo test lint format bench goldens clean help

help: ## Say what there is
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

packages: ## Install the Debian packages that are missing
	@.ci/packages $(PACKAGES)

build: packages ## Build posekit and the backends
	$(SWIFT_BUILD)

demo: build ## Synthesize a picture with MODEL, SOURCE and POSE into OUT
	@mkdir -p $(dir $(OUT))
	$(POSEKIT) synthesize --model $(MODEL) --source $(SOURCE) --pose $(POSE) --out $(OUT) --seed 7
	@if [ "$(MODEL)" = Tests/Goldens/tiny ]; then \
	  echo "$(OUT): made by the small random model of the tests, so it shows no person"; \
	else echo "$(OUT)"; fi

test: packages ## Build and run all tests
	$(SWIFT_BUILD) --build-tests
	.ci/exports $(BIN)
	swift test -c $(CONFIGURATION) --skip-build

lint: ## Check formatting, structure and imports
	@.ci/lint

format: ## Format the sources in place
	swift format format --in-place --parallel --recursive Package.swift Sources Tests
	clang-format -i $$(git ls-files 'CShims/*.[ch]' 'CShims/*.cpp' 'CShims/*.hpp' 'Tests/Plugins/*.[ch]')

bench: build ## Time every part; PEERS=1 times PyTorch and OpenVINO in the same run
ifeq ($(PEERS),1)
	@.ci/venv $(VENV) torch diffusers transformers openvino safetensors
	$(VENV)/bin/python Tests/Peers/compare.py --posekit $(POSEKIT)
else
	$(POSEKIT) bench --preset $(or $(PRESET),S) --json bench.json
endif

goldens: ## Make the goldens of the tests anew
	@.ci/venv $(VENV) torch diffusers transformers safetensors pillow scikit-image scipy
	$(VENV)/bin/python Tests/Goldens/make_models.py
	$(VENV)/bin/python Tests/Goldens/make_noise.py
	$(VENV)/bin/python Tests/Goldens/make_vision.py

clean: ## Remove what was built
	rm -rf .build demo bench.json
