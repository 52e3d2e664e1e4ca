# Latchkey: each target has one line of help; `make` alone prints them.
GO    ?= go
FLAGS := -tags sqlite_omit_load_extension
FUZZ  ?= 10s
KILLS ?= 200
export CGO_ENABLED = 1

.PHONY: help run build test check bench fuzz faults golden screenshots

help: ## print this help
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## make a provider here if there is none, print a set-up link, and serve http://localhost:8080
	./latchkey quickstart

build: ## build ./latchkey
	$(GO) build $(FLAGS) -trimpath -o latchkey ./cmd/latchkey

check: ## the yes or no before a change is sent: gofmt, vet, architecture, race tests, goldens
	@unformatted=$$(gofmt -l $$(git ls-files '*.go' 2>/dev/null || find . -name '*.go' -not -path '*/node_modules/*')); \
	  test -z "$$unformatted" || { echo "gofmt would change: $$unformatted"; exit 1; }
	$(GO) vet $(FLAGS) ./...
	$(GO) test $(FLAGS) -race ./...

test: check build ## check, then end-to-end tests with real relying parties in a real browser (installs what it needs)
	LATCHKEY_BIN=$(CURDIR)/latchkey app/e2e/run.sh

bench: build ## micro-benchmarks, then load against the built binary with durable storage, as one table
	$(GO) test $(FLAGS) -run '^$$' -bench . -benchmem ./adapters/... ./domain/...
	$(GO) run $(FLAGS) ./cmd/loadgen -bench -server ./latchkey

fuzz: ## fuzz every parser for FUZZ (10s) each
	@for package in $$($(GO) list ./...); do \
	  for target in $$($(GO) test $(FLAGS) -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
	    echo "$$package $$target"; $(GO) test $(FLAGS) -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZ) -fuzzminimizetime 1s $$package || exit 1; \
	  done; \
	done

faults: ## kill -9 a loaded server 200 times and check what it had acknowledged (KILLS=200)
	LATCHKEY_KILLS=$(KILLS) $(GO) test $(FLAGS) -count=1 -timeout 60m -run '^TestFault' -v ./app

golden: ## rewrite the golden files after a wanted change; read the difference before you commit it
	$(GO) test $(FLAGS) $$(git grep -l 'flag.Bool("update"' -- '*_test.go' | xargs -n1 dirname | sort -u | sed 's|^|./|') -update

screenshots: build ## pictures of the pages: light, dark, narrow, Indonesian
	LATCHKEY_BIN=$(CURDIR)/latchkey app/e2e/run.sh screenshots
