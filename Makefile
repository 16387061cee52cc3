# Two commands for a newcomer: "make demo" needs Go and nothing else; "make test" is everything.

GO       ?= go
FUZZTIME ?= 2s

.PHONY: build demo test soak bench fuzz check-format vet

build: ## bin/superlistd and bin/listctl, static: they run on any Linux of this architecture, also in a chroot
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/ ./cmd/superlistd ./cmd/listctl

demo: ## one post on its way, from the SMTP dialogue to the copies
	$(GO) run ./cmd/superlistd demo

test: ## every test; installs Debian's postfix, swaks and chromium where it may
	@sh .ci/packages
	@$(MAKE) --no-print-directory check-format vet
	$(GO) test -race ./...
	$(GO) test -run TestDamagedFiles ./lists/boltstore
	@$(MAKE) --no-print-directory fuzz
	@echo "all tests passed"

soak: ## the tests with real processes, for minutes: kill -9 (SOAK_KILLS), a shared folder (SOAK_ROUNDS), anything (SOAK_STEPS)
	SOAK_KILLS=$${SOAK_KILLS:-200} SOAK_ROUNDS=$${SOAK_ROUNDS:-20} SOAK_STEPS=$${SOAK_STEPS:-500} \
	$(GO) test -count=1 -v -timeout 60m ./internal/soak

check-format:
	@out=$$(gofmt -l $$(git ls-files '*.go' 2>/dev/null || find . -name '*.go')); \
	if [ -n "$$out" ]; then echo "gofmt would change:"; echo "$$out"; exit 1; fi

vet:
	$(GO) vet ./...
	$(GO) tool staticcheck ./...

fuzz: ## a few seconds of each fuzz target (FUZZTIME=1m for more)
	@FUZZTIME=$(FUZZTIME) GO="$(GO)" sh .ci/fuzz

bench: ## the parts, then end to end against smtp-sink, with direct and raw in the same run
	@sh .ci/packages bench
	$(GO) test -run '^$$' -bench . -skip 'Replay/100000' -benchtime 500ms -benchmem ./... # that one takes minutes
	$(GO) run ./internal/bench
