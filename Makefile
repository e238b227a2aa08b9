# The scripts, by name. Everything runs from a fresh clone: what needs packages installs them.

RUN ?= node_modules/.bin/tsx
PORT ?= 5000
export RUN

# Only the default runtime needs the packages; `make smoke RUN=node` does without.
RUNTIME := $(if $(filter node_modules/%,$(RUN)),node_modules/.package-lock.json)

.PHONY: help hash server client smoke test audit fuzz bench format clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' Makefile
	@echo 'PORT=... picks the port (5000), RUN=... the runtime: RUN=node, RUN="deno run -A", RUN=bun'

hash: $(RUNTIME) ## print the digest of TEXT="Hello, world!"
	@$(RUN) scripts/hash.ts -- $${TEXT+"$$TEXT"}

server: $(RUNTIME) ## start the server; Ctrl-C stops it
	@$(RUN) scripts/server.ts --port $(PORT)

client: $(RUNTIME) ## send MESSAGE="Hello, server!" to the server
	@$(RUN) scripts/tls-client.ts --port $(PORT) -- $${MESSAGE+"$$MESSAGE"}

smoke: $(RUNTIME) ## server, then client: check that they work together
	@sh test/smoke.sh

test: node_modules/.package-lock.json ## types, format, tests and coverage
	node_modules/.bin/tsc
	node_modules/.bin/prettier --check .
	node_modules/.bin/c8 node --import tsx --test --test-concurrency=3 --test-timeout=300000 test/*.test.ts

audit: node_modules/.package-lock.json ## what testssl.sh finds in the server: nothing
	node --import tsx --test test/audit.ts

fuzz: node_modules/.package-lock.json ## try input made at random, for SECONDS=60; SEED=... repeats a run
	@node --import tsx test/fuzz.ts

bench: node_modules/.package-lock.json ## measure beside other programs; BENCH="--only NAME", NODE=/path/to/node
	@$(or $(NODE),node) --import tsx test/bench.ts $(BENCH)

format: node_modules/.package-lock.json ## format the code
	node_modules/.bin/prettier --write .

clean: ## remove what was installed and made, development certificates included
	rm -rf node_modules coverage .certs .certs.draft-*

node_modules/.package-lock.json: package-lock.json
	npm ci --no-audit --no-fund --loglevel=error >&2
	@touch $@
