# Latchkey: each target has one line of help; `make` alone prints them.
GO    ?= go
# The same flags everywhere, so that what one command compiled the next one need not.
FLAGS := -tags sqlite_omit_load_extension -trimpath
FUZZ  ?= 10s
KILLS ?= 200
KILL_WRITES ?= 1100
CUTS  ?= 100
IO    ?= 150
FILLS ?= 20
FLIPS ?= 200
JUMPS ?= 100
HOSTILE ?= 1000000
FLOOD ?= 120
ROTATIONS ?= 50
BACKUPS ?= 20
SIZE ?= 1000000
MUTANTS ?= all
RACES ?= 10000
TIMING ?= 2000
SESSIONS ?= 100000
SOAK  ?= 30
export CGO_ENABLED = 1

.PHONY: help run build test check reproducible bench bench-size bench-memory fuzz faults fault-kill fault-power fault-io fault-disk fault-clock fault-bits \
  fault-hostile fault-clients fault-flood fault-restart fault-rotation fault-races fault-backup fault-migrations fault-soak matrices timing mutants golden screenshots

help: ## print this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## make a provider here if there is none, print a set-up link, and serve http://localhost:8080
	./latchkey quickstart

build: ## build ./latchkey
	$(GO) build $(FLAGS) -o latchkey ./cmd/latchkey

# SQLite is compiled with -O1 for the race tests, because -O2 takes longer than they gain by it.
check: ## the yes or no before a change is sent: gofmt, vet, architecture, race tests, goldens
	@unformatted=$$(gofmt -l $$(git ls-files '*.go' 2>/dev/null || find . -name '*.go' -not -path '*/node_modules/*')); \
	  test -z "$$unformatted" || { echo "gofmt would change: $$unformatted"; exit 1; }
	$(GO) vet $(FLAGS) ./...
	CGO_CFLAGS=-O1 $(GO) test $(FLAGS) -race ./...

test: check build ## check, then end-to-end tests with real relying parties in a real browser (installs what it needs)
	LATCHKEY_BIN=$(CURDIR)/latchkey app/e2e/run.sh

reproducible: ## build this commit twice, in two places with two caches, and compare the programs byte by byte
	@dir=$$(mktemp -d) && trap 'chmod -R u+w $$dir; rm -rf $$dir' EXIT && for place in a somewhere/else; do \
	  git clone -q . $$dir/$$place && \
	  (cd $$dir/$$place && GOCACHE=$$dir/cache-$$(basename $$place) $(GO) build $(FLAGS) -o latchkey ./cmd/latchkey) || exit 1; \
	done && sha256sum $$dir/a/latchkey $$dir/somewhere/else/latchkey | sed "s|$$dir/||" && cmp $$dir/a/latchkey $$dir/somewhere/else/latchkey && \
	  echo "the same program, byte by byte; what it is made of: latchkey version --sbom"

bench: build ## micro-benchmarks, then load against the built binary with durable storage, as one table
	$(GO) test $(FLAGS) -run '^$$' -bench . -benchmem ./adapters/... ./domain/...
	$(GO) run $(FLAGS) ./cmd/loadgen -bench -server ./latchkey

bench-size: ## the same load on an empty file and on one with SIZE (1000000) users and five times as many token families; 4 GB, 15 minutes
	LATCHKEY_SIZE=$(SIZE) $(GO) test $(FLAGS) -timeout 120m -run '^$$' -bench '^BenchmarkSize$$' -benchtime 1x ./app

bench-memory: ## what memory SESSIONS (100000) signed-in people take, when each goes to an application and its tokens are refreshed
	LATCHKEY_SESSIONS=$(SESSIONS) $(GO) test $(FLAGS) -timeout 120m -run '^$$' -bench '^BenchmarkMemory$$' -benchtime 1x ./app

fuzz: ## fuzz every parser for FUZZ (10s) each
	@for package in $$($(GO) list ./...); do \
	  for target in $$($(GO) test $(FLAGS) -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
	    echo "$$package $$target"; $(GO) test $(FLAGS) -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZ) -fuzzminimizetime 1s $$package || exit 1; \
	  done; \
	done

# A campaign runs anew every time, by itself, and prints its figures.
campaign = $(GO) test $(FLAGS) -count=1 -timeout 180m -v ./app -run

faults: fault-kill fault-power fault-io fault-disk fault-clock fault-bits fault-hostile fault-clients fault-flood fault-restart fault-rotation fault-races fault-backup fault-migrations fault-soak matrices ## every campaign below, one after another

fault-kill: ## kill -9 a loaded server KILLS (200) times, about KILL_WRITES (1100) acknowledged writes apart
	LATCHKEY_KILLS=$(KILLS) LATCHKEY_KILL_WRITES=$(KILL_WRITES) $(campaign) '^TestFaultKill$$'

fault-power: ## cut the power CUTS (100) times; check that each of 1000 effects of every kind is synced before its answer
	LATCHKEY_CUTS=$(CUTS) $(campaign) '^TestFaultPowerCut$$'
	LATCHKEY_EFFECTS=1000 $(campaign) '^TestFaultSyncOrder$$'

fault-io: ## let the k-th write or sync fail, k = 1 to IO (150), with EIO and ENOSPC, and some while it starts
	LATCHKEY_IO=$(IO) $(campaign) '^TestFaultIO$$'
	LATCHKEY_IO_START=10 $(campaign) '^TestFaultIOStart$$'

fault-disk: ## fill the disk FILLS (20) times, make it read-only, and start on files that are not usable
	LATCHKEY_FILLS=$(FILLS) $(campaign) '^TestFault(FullDisk|ReadOnly|RefusedFile)$$'

fault-clock: ## let the clock jump JUMPS (100) times, by minutes, hours, to 1970 and by ten years
	LATCHKEY_JUMPS=$(JUMPS) $(campaign) '^Test(FaultClock|Clock.*)$$'

fault-bits: ## flip a bit of the database in FLIPS (200) copies
	LATCHKEY_FLIPS=$(FLIPS) $(campaign) '^TestFaultBitFlips$$'

fault-hostile: ## send HOSTILE (1000000) malformed requests to every route
	LATCHKEY_HOSTILE=$(HOSTILE) $(campaign) '^TestFaultHostile$$'

fault-clients: ## 2000 slow clients; floods of HTTP/2 frames; a crowd that leaves early
	LATCHKEY_SLOW=2000 $(campaign) '^TestFaultSlowClients$$'
	LATCHKEY_FLOOD_MS=10000 $(campaign) '^TestFaultHTTP2Flood$$'
	LATCHKEY_CROWD=64 LATCHKEY_CROWD_SECONDS=60 $(campaign) '^TestFaultCrowd$$'

fault-flood: ## 500 sign-ins a second from 50 addresses for FLOOD (120) seconds, beside honest people and applications
	LATCHKEY_FLOOD_SECONDS=$(FLOOD) $(campaign) '^TestFault(LoginFlood|AbandonedSignIns)$$'

fault-restart: ## end and start a loaded server 100 times, try a second one beside it, and renew its certificate
	LATCHKEY_RESTARTS=100 $(campaign) '^TestFault(Restarts|Terminate|SecondServer)$$'
	LATCHKEY_RENEWALS=10 $(campaign) '^TestFaultCertificate$$'

fault-rotation: ## ROTATIONS (50) rotations of the signing keys, a million verifications with caches that are never fetched early
	LATCHKEY_ROTATIONS=$(ROTATIONS) LATCHKEY_VERIFICATIONS=20000 $(campaign) '^TestFaultRotation$$'

fault-races: ## RACES (10000) groups of 8 to 50 requests for what works once; 1000 rounds of refreshing while the token is revoked or its user signs out
	LATCHKEY_GROUPS=$(RACES) $(campaign) '^TestRaces$$'
	LATCHKEY_RACES=1000 $(campaign) '^TestNothingSurvivesTheEnd$$'

fault-migrations: ## kill and fail an upgrade from every released schema at every statement
	LATCHKEY_MIGRATIONS=all $(GO) test $(FLAGS) -count=1 -timeout 30m -run '^TestMigrationIsWholeOrNothing$$' -v ./adapters/sqlite

fault-backup: ## 20 backups under 500 writes a second, some killed midway, and as many restores (BACKUPS=20)
	LATCHKEY_BACKUPS=$(BACKUPS) $(GO) test $(FLAGS) -count=1 -timeout 60m -run '^TestFaultBackup$$' -v ./app

fault-soak: ## SOAK (30) minutes of mixed load with hostile, slow and impatient clients: nothing but the audit trail may grow
	LATCHKEY_SOAK=$(SOAK) $(campaign) '^TestFaultSoak$$'

matrices: ## every forged token at every door, every artefact in every role, every form of a redirect URI and of an address of the network
	LATCHKEY_FORGERIES=1000 LATCHKEY_REDIRECTS=5000 $(campaign) '^TestMatrix'
	$(GO) test $(FLAGS) -count=1 -v ./adapters/outbound -run '^Test(MayReach|DeniedAddresses|AllowedNetworks|NamesThatLeadInside|RedirectsAreNotFollowed)$$'

timing: ## TIMING (2000) samples of each answer that must not tell by its time what it found; 10 minutes on an idle machine
	LATCHKEY_TIMING=$(TIMING) $(GO) test $(FLAGS) -timeout 120m -run '^$$' -bench '^BenchmarkTiming$$' -benchtime 1x ./app

mutants: ## put mistakes into the source, one at a time, and see the tests notice (MUTANTS=all, or names as a regular expression); an hour or two
	LATCHKEY_MUTANTS='$(MUTANTS)' $(campaign) '^TestMutants$$'

golden: ## rewrite the golden files after a wanted change; read the difference before you commit it
	$(GO) test $(FLAGS) $$(git grep -l 'flag.Bool("update"' -- '*_test.go' | xargs -n1 dirname | sort -u | sed 's|^|./|') -update

screenshots: build ## pictures of the pages: light, dark, narrow, Indonesian
	LATCHKEY_BIN=$(CURDIR)/latchkey app/e2e/run.sh screenshots
