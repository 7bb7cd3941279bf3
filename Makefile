# Every target explains itself: the comment after '##' is what 'make help' prints.
# Needed: git, make and a Node.js that NODE_CHECK accepts; the rest comes from 'make install'.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

TSC := tsc -p tsconfig.json
# npm's own copy of the lockfile would do, but npm rewrites it; this one says what 'npm ci' has run for.
INSTALLED := node_modules/.installed-lock.json

# $(call step,title,command): one line when the command succeeds, all that it said when it fails.
define step
@printf '%-44s' '$(1)'; start=$$SECONDS; \
if out=$$({ $(2); } 2>&1 </dev/null); then printf 'ok %4d s\n' $$((SECONDS - start)); \
else printf 'FAILED\n\n%s\n\n' "$$out"; exit 1; fi
endef

# What the dependencies run on and the tests are run with; "engines" in package.json says the same.
define NODE_CHECK
const [major, minor] = process.versions.node.split('.').map(Number);
const least = { 20: 19, 22: 12, 24: 0, 26: 0 }[major];
if (minor < least || (least === undefined && major < 26)) {
  console.error('Node.js ' + process.version + ' does not fit: install 24 or 26 (or 20.19, 22.12');
  console.error('or newer of these) from https://nodejs.org');
  process.exit(1);
}
endef
export NODE_CHECK

.PHONY: help
help: ## Show what each target does
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

.PHONY: node-version
node-version:
	@command -v node >/dev/null && command -v npm >/dev/null || \
	  { echo "Node.js is missing: install 24 or 26 from https://nodejs.org" >&2; exit 1; }
	@node -e "$$NODE_CHECK"

.PHONY: install
install: node-version ## Install the locked dependencies (npm ci), once per lockfile
	@cmp -s package-lock.json $(INSTALLED) || $(MAKE) install-now

.PHONY: install-now
install-now:
	$(call step,install dependencies,npm ci --no-audit --no-fund --no-progress && cp package-lock.json $(INSTALLED))

.PHONY: build
build: install ## Compile everything into dist/, and bundle the program bss
	$(call step,compile,$(TSC))
	$(call step,bundle,node scripts/bundle.mjs)

.PHONY: proto
proto: install ## Generate src/gen and docs/api.md from proto/
	$(call step,generate src/gen,buf generate)
	$(call step,compile,$(TSC))
	$(call step,write docs/api.md,node dist/test/support/write-api-reference.js)

.PHONY: proto-go
proto-go: install ## Generate clients/go/bssv1 from proto/; needs go, which fetches the plugins
	$(call step,generate clients/go/bssv1,cd clients/go && buf generate ../../proto --path ../../proto/bss/v1)

# The packages with which the client for Python is tested and generated.
PYTHON_VENV := $(CURDIR)/.build/python

$(PYTHON_VENV): clients/python/pyproject.toml
	@python3 -m venv $@
	@$@/bin/pip install --quiet --disable-pip-version-check --editable 'clients/python[test,dev]'
	@touch $@

.PHONY: proto-python
proto-python: $(PYTHON_VENV) ## Generate clients/python/src/bss_client/bssv1 from proto/; needs python3
	$(call step,generate clients/python/src/bss_client/bssv1,$(PYTHON_VENV)/bin/python clients/python/generate.py)

.PHONY: fmt
fmt: install ## Format sources and proto files, apply safe lint fixes
	$(call step,format sources,biome check --write --error-on-warnings)
	$(call step,format proto,buf format --write)

.PHONY: check
check: install ## Format, lint, types, proto, generated code, architecture: what CI runs first
	$(call step,format and lint,biome check --error-on-warnings)
	$(call step,proto format and lint,buf format --diff --exit-code && buf lint)
	$(call step,generated code is up to date,$(GEN_DIFF))
	$(call step,API compatible with what was accepted,$(BASELINE_BREAKING))
	$(call step,types,$(TSC))
	$(call step,architecture,node dist/test/run.js tidy)

GEN_DIFF = tmp=$$(mktemp -d) && trap 'rm -rf "$$tmp"' EXIT && buf generate --output "$$tmp" && \
  { diff -r src/gen "$$tmp/src/gen" || { echo "src/gen differs from proto/: run make proto"; exit 1; }; }

.PHONY: test
test: build ## Run every test; fail below 95 % line coverage of ledger, consensus, crypto
	@node dist/test/run.js --coverage

.PHONY: test-unit
test-unit: build ## Run the unit tests only; ONLY=crypto narrows it to test/unit/crypto
	@node dist/test/run.js unit/$(ONLY)

# The registry has every Node.js as a package.
OTHER_NODE = .build/node-$(NODE)
OTHER_NODE_BIN = $(OTHER_NODE)/node_modules/.bin

.PHONY: test-node
test-node: build ## Run the demo and the integration tests under another Node.js: NODE=24
	@[ -n "$(NODE)" ] || { echo "say which Node.js: make test-node NODE=24" >&2; exit 1; }
	$(call step,install Node.js $(NODE),mkdir -p $(OTHER_NODE) && cd $(OTHER_NODE) && \
	  npm install --no-save --no-audit --no-fund --prefix . node@$(NODE))
	@export PATH="$(CURDIR)/$(OTHER_NODE_BIN):$$PATH" NODE_COMPILE_CACHE="$(CURDIR)/.build/compile-cache"; \
	  echo "Node.js $$(node --version)"; \
	  node dist/examples/energy-community/demo.js && node dist/test/run.js $(or $(ONLY),integration)

SBOM := .build/bss-node.cdx.json

.PHONY: sbom
sbom: install ## Write a software bill of materials (CycloneDX JSON) to .build/
	$(call step,write $(SBOM),mkdir -p .build && \
	  npm sbom --package-lock-only --omit=dev --sbom-format=cyclonedx >$(SBOM).tmp && \
	  mv $(SBOM).tmp $(SBOM))

.PHONY: third-party
third-party: build ## Write THIRD-PARTY.md, the packages that run with their licences
	$(call step,write THIRD-PARTY.md,node dist/test/support/write-third-party.js)

# A registry that answers no audits is no finding, and is said; a finding fails.
.PHONY: audit
audit: install ## Ask the registry for known weaknesses (high or worse) of the packages that run
	@printf '%-44s' 'audit of the packages that run'; \
	if out=$$(npm audit --omit=dev --audit-level=high 2>&1 </dev/null); then echo ok; \
	elif grep -q 'audit endpoint returned an error\|npm error code E' <<<"$$out"; then \
	  printf 'SKIPPED: the registry answers no audits\n'; \
	else printf 'FAILED\n\n%s\n\n' "$$out"; exit 1; fi

.PHONY: alerts
alerts: ## Check the alerts in deploy/prometheus and run their tests; needs promtool
	@command -v $(PROMTOOL) >/dev/null || { printf '%s\n' "$$PROMTOOL_MISSING" >&2; exit 1; }
	$(call step,Prometheus configuration and alerts,$(PROMTOOL) check config $(PROMETHEUS)/prometheus.yml)
	$(call step,tests of the alerts,$(PROMTOOL) test rules $(PROMETHEUS)/alerts.test.yml)

PROMETHEUS := deploy/prometheus
PROMTOOL ?= promtool
define PROMTOOL_MISSING
promtool is missing. It comes with Prometheus: on Debian and Ubuntu 'apt-get install prometheus'
(starts a service) or 'make alerts PROMTOOL=$$(.ci/promtool)', which fetches the one program;
elsewhere download Prometheus and give PROMTOOL=/path/to/promtool.
endef
export PROMTOOL_MISSING

.PHONY: sim
sim: build ## Simulate consortiums under faults; SEEDS=200 FIRST_SEED=1 choose the runs
	@node dist/test/simulation/run.js

.PHONY: soak
soak: build ## The same with new seeds for as long as MINUTES=30 says
	@MINUTES=$${MINUTES:-30} FIRST_SEED=$${FIRST_SEED:-$$RANDOM$$RANDOM} node dist/test/simulation/run.js

.PHONY: mutations
mutations: build ## Break the protocol in one way after the other, and see the simulation find it
	@node dist/test/simulation/mutations/run.js

.PHONY: chaos
chaos: build ## Strike real processes under load with faults, and check everything; MINUTES=3 SEED=1
	@node dist/test/chaos/run.js

.PHONY: hostile
hostile: build ## Attack real nodes with the keys of every role; ATTACKS=all SECONDS_EACH=20 MINUTES=
	@node dist/test/hostile/run.js

.PHONY: model
model: build ## Search all states of the agreement rules; ROUNDS=5 BLOCKS=2 choose the size
	@node dist/test/model/run.js

.PHONY: fuzz
fuzz: build ## Feed mutated messages to every decoder and check; COUNT=1000000 SEED=1 choose the run
	@COUNT=$(or $(COUNT),1000000) SEED=$(or $(SEED),1) node dist/test/fuzz/run.js

.PHONY: demo
demo: build ## Run the energy community example; DEMO_DAYS=7, DEMO_DATA and DEMO_PORT=8400 change it
	@node dist/examples/energy-community/demo.js

.PHONY: bench
bench: build ## Measure speed, latency and their cost; FULL=1 MANAGERS=4 STORAGE=7 RTT_MS= SECONDS_EACH= LOADS= OUT=
	@node dist/bench/run.js $(if $(FULL),--full) $(if $(MANAGERS),--managers $(MANAGERS)) \
	  $(if $(STORAGE),--storage $(STORAGE)) $(if $(RTT_MS),--rtt-ms $(RTT_MS)) \
	  $(if $(SECONDS_EACH),--seconds $(SECONDS_EACH)) $(if $(LOADS),--loads '$(LOADS)') \
	  $(if $(OUT),--out $(OUT))

.PHONY: bench-store
bench-store: build ## Measure what a record costs a manager as the ledger grows, and opening its store; RECORDS=1000000
	@node dist/bench/limit/store.js $(if $(RECORDS),--records $(RECORDS))

.PHONY: bench-compare
bench-compare: build ## Say what got better and worse between two runs of 'make bench OUT=': A=old.json B=new.json
	@[ -n "$(A)" ] && [ -n "$(B)" ] || { echo "say which runs: make bench-compare A=old.json B=new.json" >&2; exit 1; }
	@node dist/bench/compare.js $(A) $(B)

.PHONY: bench-peers
bench-peers: build ## Measure CometBFT and this ledger in turn; needs go, which fetches CometBFT; SECONDS_EACH= ROUNDS= OUT=
	@node dist/bench/peers/run.js $(if $(SECONDS_EACH),--seconds $(SECONDS_EACH)) \
	  $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(OUT),--out $(OUT))

.PHONY: bench-meters
bench-meters: build ## Put a day of many meters onto a ledger as load profiles; METERS=10000
	@node dist/bench/meters/run.js --meters $(METERS)

bench-meters: METERS ?= 10000

.PHONY: bench-sync
bench-sync: build ## Measure how fast nodes that lost everything catch up; BLOCKS=2000
	@node dist/bench/catch-up.js --blocks $(BLOCKS)

bench-sync: BLOCKS ?= 2000

.PHONY: bench-storage
bench-storage: build ## Measure what storage nodes cost four managers; NODES=10,100 for how many
	@node dist/bench/storage-nodes/run.js --nodes $(NODES)

bench-storage: NODES ?= 10,100

.PHONY: bench-resend
bench-resend: build ## Measure what it costs to send again what is on the ledger; ROWS=1000,10000
	@node dist/bench/resend/run.js --rows $(ROWS)

bench-resend: ROWS ?= 1000,10000

.PHONY: bench-floods
bench-floods: build ## Measure what one participant feels while another one floods all managers; SECONDS_EACH=30
	@node dist/bench/floods/run.js --seconds $(SECONDS_EACH)

bench-floods: SECONDS_EACH ?= 30

.PHONY: bench-public
bench-public: build ## Compute what silence, audits, losses and sampling of storage nodes come to
	@node dist/bench/public/run.js

.PHONY: test-go
test-go: ## Test the client for Go; needs go, which fetches its modules
	@cd clients/go && go vet ./... && go test -count=1 ./...

.PHONY: test-python
test-python: $(PYTHON_VENV) ## Check and test the client for Python; needs python3, which fetches its packages
	@cd clients/python && PATH=$(PYTHON_VENV)/bin:$$PATH && \
	  ruff format --quiet --check . && ruff check --quiet . && mypy && python -m pytest --quiet

.PHONY: test-java
test-java: ## Test the client for Java; needs java and mvn, which fetches its libraries
	@mvn -q -B -f clients/java test

.PHONY: interop
interop: build ## Try the clients of all languages against one consortium; LANGUAGES=Go,Java,Python,TypeScript
	@LANGUAGES='$(LANGUAGES)' node dist/test/interop/run.js

.PHONY: breaking
breaking: install ## Compare the API with another commit or tag: AGAINST=main by default
	$(call step,API compatible with $(AGAINST),buf breaking --path $(API) --against '.git#ref=$(AGAINST)')

AGAINST ?= main

.PHONY: accept-api
accept-api: install ## Accept the API as it is: later changes are held against it
	$(call step,write $(API_BASELINE),buf build --path $(API) --exclude-source-info -o $(API_BASELINE))

# What is stored on disk has a format number of its own and breaks as that says.
API := proto/bss/v1
API_BASELINE := proto/api-baseline.binpb
# Paths do not choose among the files of an image, so one image is held against the other.
BASELINE_BREAKING = buf build --path $(API) -o - | buf breaking - --against $(API_BASELINE)

.PHONY: clean
clean: ## Remove what was built, measured or written by the demo
	@rm -rf dist coverage .demo
