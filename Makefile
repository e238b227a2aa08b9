# The scripts, by name. Everything runs from a fresh clone: what needs packages installs them.

RUN ?= node_modules/.bin/tsx
PORT ?= 5000
export RUN

# TEXT and MESSAGE reach their script as they were typed. What make exports it expands (`pay $5`, `$(shell …)`),
# so that these are not exported: the shell gets them as they are, within quotes, with their line ends beside.
unexport TEXT MESSAGE
define newline


endef
quoted = '$(subst $(newline),'"$$newline"',$(subst ','\'',$(value $(1))))'
typed = $(if $(filter command environment,$(origin $(1))),$(call quoted,$(1)))

# Only the default runtime needs the packages; `make smoke RUN=node` does without.
RUNTIME := $(if $(filter node_modules/%,$(RUN)),node_modules/.package-lock.json)

.PHONY: help hash server client smoke test audit fuzz bench format clean

help: ## list the targets | 할 수 있는 일을 보여 줍니다
	@case "$${LC_ALL:-$${LC_MESSAGES:-$$LANG}}" in \
	[kK][oO]|[kK][oO][!a-zA-Z]*) row=3 last='PORT=...는 포트(5000), RUN=...는 런타임: node, "deno run -A", bun' ;; \
	*) row=2 last='PORT=... picks the port (5000), RUN=... the runtime: node, "deno run -A", bun' ;; \
	esac; \
	awk -F ':.*## | [|] ' "/^[a-z]+:.*## / { printf \"  make %-7s %s\n\", \$$1, \$$$$row }" Makefile; \
	echo "$$last"

hash: $(RUNTIME) ## print the digest of TEXT="Hello, world!" | TEXT="Hello, world!"의 다이제스트
	@newline=$$(printf '\nx'); newline=$${newline%x}; $(RUN) scripts/hash.ts -- $(call typed,TEXT)

server: $(RUNTIME) ## start the server; Ctrl-C stops it | 서버를 시작합니다. Ctrl-C로 종료합니다
	@$(RUN) scripts/server.ts --port $(PORT)

client: $(RUNTIME) ## send MESSAGE="Hello, server!" to the server | MESSAGE="Hello, server!"를 서버로 보냅니다
	@newline=$$(printf '\nx'); newline=$${newline%x}; \
	$(RUN) scripts/tls-client.ts --port $(PORT) -- $(call typed,MESSAGE)

smoke: $(RUNTIME) ## server, then client: check that they work together | 서버와 클라이언트가 함께 동작하는지 확인
	@sh test/smoke.sh

test: node_modules/.package-lock.json ## types, format, tests and coverage | 타입, 서식, 테스트, 커버리지
	node_modules/.bin/tsc
	node_modules/.bin/prettier --check .
	node_modules/.bin/c8 node --import tsx --test --test-concurrency=4 --test-timeout=600000 test/*.test.ts

audit: node_modules/.package-lock.json ## what testssl.sh finds in the server: nothing | testssl.sh로 서버를 점검합니다
	@node --import tsx test/audit.ts

fuzz: node_modules/.package-lock.json ## input made at random; SECONDS=60, SEED=... repeats a run | 무작위 입력. SECONDS=60, SEED=...로 재현
	@node --import tsx test/fuzz.ts

bench: node_modules/.package-lock.json ## measure; BENCH="--only NAME", NODE=/path/to/node | 성능. BENCH="--only NAME", NODE=/path/to/node
	@$(or $(NODE),node) --import tsx test/bench.ts $(BENCH)

format: node_modules/.package-lock.json ## format the code | 코드 서식을 맞춥니다
	node_modules/.bin/prettier --write .

clean: ## remove what was installed and made, certificates included | 설치하거나 만든 것을 인증서까지 지웁니다
	rm -rf node_modules coverage .certs .certs.draft-*

node_modules/.package-lock.json: package.json package-lock.json
	npm ci --no-audit --no-fund --loglevel=error >&2
	@touch $@
