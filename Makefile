# posed: build, try, test, measure. `make demo` and `make test` install the Debian packages they need.
SHELL := /bin/bash
# SwiftPM writes the traits of packages in the order of a hash; without a fixed one, a new plan rebuilds all dependencies.
export SWIFT_DETERMINISTIC_HASHING := 1
.DEFAULT_GOAL := build

PACKAGES := libopenblas0-pthread libpng-dev libjpeg62-turbo-dev libwebp-dev libgrpc-dev libprotobuf-dev libssl-dev zlib1g-dev
CONFIGURATION := release
SWIFT_BUILD := swift build -c $(CONFIGURATION)
BIN := .build/$(CONFIGURATION)
POSEKIT := $(BIN)/posekit

# The demonstration's model: the default one where it is there, else the small random one of the tests.
MODEL ?= $(if $(wildcard weights/default/model_index.json),weights/default,Tests/Goldens/tiny)
SAMPLES ?= weights/default/samples
OUT ?= demo
VENV ?= .venv

# Where `make install` puts things; DESTDIR goes before them all, for packages.
PREFIX ?= /usr/local
SYSCONFDIR ?= $(if $(filter /usr /usr/local,$(PREFIX)),/etc,$(PREFIX)/etc)
DOCDIR = $(PREFIX)/share/doc/posed
UNITDIR ?= $(PREFIX)/lib/systemd/system
# The model that the installed configuration names; none without it.
MODEL_FOLDER ?=
RENDER = sed -e 's|@bindir@|$(PREFIX)/bin|g' -e 's|@docdir@|$(DOCDIR)|g' -e 's|@sysconfdir@|$(SYSCONFDIR)|g'
PROGRAMS := posed posectl posekit
BACKENDS := cpu blas cuda

.PHONY: build deps check-deps demo studio http test observability kernels sanitize sanitize-test fuzz deploy-test scale soak systemd-test lint format \
  protos bench goldens client deb deb-test \
  packages-test image docs release install install-system clean help

help: ## Say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

deps: ## Install the Debian packages that are missing, as root or through sudo
	@.ci/packages $(PACKAGES)

check-deps:
	@.ci/packages --check $(PACKAGES)

build: check-deps ## Build posed, posectl, posekit and the backends
	@set -e; for product in $(PROGRAMS) $(BACKENDS:%=posed-backend-%); do $(SWIFT_BUILD) --product $$product; done

demo: deps build ## Start posed with MODEL, stream poses of SAMPLES, leave frames and a sheet in OUT
	@.ci/demo $(BIN) $(MODEL) $(SAMPLES) $(OUT)
	@if [ "$(MODEL)" = Tests/Goldens/tiny ]; then \
	  echo "The model is the small random one of the tests, so its frames show no person."; fi

studio: deps build ## Serve the studio, a page for browsers, with MODEL at STUDIO (127.0.0.1:8080)
	@.ci/studio $(BIN) $(MODEL) $(or $(STUDIO),127.0.0.1:8080)

http: build ## Test the HTTP interface and the studio, in a real browser
	.ci/http $(BIN) $(VENV)-http

test: deps ## Build and run all tests
	$(SWIFT_BUILD) --build-tests
	.ci/exports $(BIN)
	.ci/suite $(CONFIGURATION)
	.ci/fuzz --built $(BIN) 3
	.ci/interop $(BIN) $(VENV)
	.ci/client $(BIN) $(VENV)
	.ci/http $(BIN) $(VENV)-http
	.ci/machines $(BIN) $(VENV)
	.ci/observability $(BIN) $(VENV)
	.ci/kubernetes $(BIN) $(VENV)
	.ci/kernels $(VENV)
	.ci/recipe $(VENV)-recipe

install: ## Install what was built (PREFIX, SYSCONFDIR, DESTDIR)
	@test -x $(BIN)/posed || { echo "install: nothing is built yet; make build, as yourself, comes first" >&2; exit 1; }
	install -D -t $(DESTDIR)$(PREFIX)/bin $(PROGRAMS:%=$(BIN)/%)
	install -D -t $(DESTDIR)$(PREFIX)/lib/posed/backends $(BACKENDS:%=$(BIN)/libposed-backend-%.so)
	.ci/runtime $(DESTDIR)$(PREFIX)/lib/posed/runtime $(PROGRAMS:%=$(BIN)/%)
	@set -e; for program in $(PROGRAMS); do \
	  $(BIN)/$$program --generate-completion-script bash | \
	    install -D -m 644 /dev/stdin $(DESTDIR)$(PREFIX)/share/bash-completion/completions/$$program; \
	  $(BIN)/$$program --generate-completion-script zsh | \
	    install -D -m 644 /dev/stdin $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_$$program; \
	  $(BIN)/$$program --generate-completion-script fish | \
	    install -D -m 644 /dev/stdin $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/$$program.fish; \
	  section=$$([ $$program = posed ] && echo 8 || echo 1); \
	  python3 .ci/manual.py $(BIN)/$$program "$$(.ci/version)" | \
	    install -D -m 644 /dev/stdin $(DESTDIR)$(PREFIX)/share/man/man$$section/$$program.$$section; \
	done
	@$(MAKE) --no-print-directory install-system

# All that is installed and not built: units, user, folders, configuration, pages.
install-system:
	@set -e; for unit in posed.service posed.socket; do \
	  $(RENDER) systemd/$$unit | install -D -m 644 /dev/stdin $(DESTDIR)$(UNITDIR)/$$unit; \
	done
	@$(RENDER) systemd/posed.service | sed -f systemd/posed@.sed | \
	  install -D -m 644 /dev/stdin $(DESTDIR)$(UNITDIR)/posed@.service
	install -D -m 644 systemd/posed.sysusers.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d/posed.conf
	@mkdir -p $(DESTDIR)$(PREFIX)/lib/tmpfiles.d
	@$(RENDER) systemd/posed.tmpfiles.conf > $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/posed.conf
	@test -e $(DESTDIR)$(SYSCONFDIR)/posed/posed.yaml || \
	  sed 's|# folder: none|$(if $(MODEL_FOLDER),folder: $(MODEL_FOLDER),&)|' systemd/posed.yaml | \
	  install -D -m 644 /dev/stdin $(DESTDIR)$(SYSCONFDIR)/posed/posed.yaml
	install -D -m 644 -t $(DESTDIR)$(DOCDIR) README.md CHANGELOG.md docs/*.md

kernels: ## Compile the CUDA kernels with NVRTC from PyPI and check their registers
	@.ci/kernels $(VENV)

sanitize: deps ## Run the tests of calls, scheduling, sessions and serving with SANITIZER (address, thread; both without)
	.ci/sanitize $(or $(SANITIZER),address thread)

sanitize-test: deps ## Run some of these tests with both sanitizers, in ten minutes
	.ci/sanitize --short address thread

deb: build ## Make the Debian packages, into dist/
	@.ci/deb $(CONFIGURATION) dist

deb-test: ## Install the packages of dist/ on a Debian 12 in a container, try them, purge them
	@.ci/debs dist

packages-test: build ## Make the packages, the image and the site, quickly and without debug symbols, and try them
	DEB_BUILD_OPTIONS=noautodbgsym LEVEL=1 .ci/deb $(CONFIGURATION) dist
	.ci/debs dist
	.ci/image dist
	.ci/docs dist $(VENV)

image: deb ## Make the container image of the packages, dist/posed-VERSION.oci.tar (BASE: an image of Debian 12)
	@.ci/image dist $(BASE)

docs: ## Make the site of the documentation, dist/site
	@.ci/docs dist $(VENV)

release: build ## Make packages, wheel, image, sources and site of a release, with checksums, into dist/
	@.ci/release $(CONFIGURATION) dist $(VENV)

fuzz: build ## Try to break every reader of foreign bytes for SECONDS (60) each, and posed's HTTP/2
	.ci/fuzz $(or $(SECONDS),60)
	python3 Tests/Fuzz/frames.py --bin $(BIN) --seconds $(or $(SECONDS),60)

client: build ## Build the wheel of posed-client into dist/ and test it with the oldest and the newest grpcio
	@.ci/client $(BIN) $(VENV)

observability: build ## Test the alerts, and each query of the dashboard in a real Prometheus
	.ci/observability $(BIN) $(VENV)

deploy-test: build ## Check deploy/kubernetes, without a cluster
	.ci/kubernetes $(BIN) $(VENV)

soak: build ## Run posed for MINUTES (10) with clients that behave and clients that do not
	@.ci/packages python3-venv
	@.ci/venv $(VENV) grpcio grpcio-tools
	$(VENV)/bin/python Tests/Soak/soak.py --posed $(BIN)/posed --minutes $(or $(MINUTES),10)

scale: check-deps ## Simulate 10 to 1,000 replicas with SESSIONS (100,000) and draw docs/scaling.svg; takes long
	@SESSIONS=$(SESSIONS) .ci/scale $(BIN) $(VENV)

systemd-test: build ## Run what would be installed under a real systemd, in a container
	.ci/systemd $(BIN)

lint: ## Check formatting, structure and imports
	@.ci/lint

protos: ## Make the messages and descriptors of protos/ anew
	@.ci/protos

format: ## Format the sources in place
	swift format format --in-place --parallel --recursive Package.swift Sources Tests
	clang-format -i $$(git ls-files 'CShims/*.[ch]' 'CShims/*.cpp' 'CShims/*.hpp' \
	  'CShims/*.cu' 'CShims/*.cuh' 'Tests/Plugins/*.[ch]' 'Tests/Plugins/*.cpp' 'Tests/Plugins/*.cuh')

bench: build ## Time every part; PEERS=1 times PyTorch and OpenVINO in the same run
ifeq ($(PEERS),1)
	@.ci/venv $(VENV) torch diffusers transformers openvino nncf safetensors
	$(VENV)/bin/python Tests/Peers/compare.py --posekit $(POSEKIT)
else
	$(POSEKIT) bench --preset $(or $(PRESET),S) --json bench.json
endif

goldens: ## Make the goldens of the tests anew
	@.ci/venv $(VENV) torch diffusers transformers safetensors pillow scikit-image scipy
	$(VENV)/bin/python Tests/Goldens/make_models.py
	$(VENV)/bin/python Tests/Goldens/make_noise.py
	$(VENV)/bin/python Tests/Goldens/make_vision.py
	@.ci/venv $(VENV) pose-format
	$(VENV)/bin/python Tests/Goldens/make_pose_files.py
	$(VENV)/bin/python Tests/Goldens/make_pictures.py

clean: ## Remove what was built
	rm -rf .build demo bench.json
