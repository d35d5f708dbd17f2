# Moment. `make help` lists the targets; the two that matter are `make run` and `make test`.
.DEFAULT_GOAL := build
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-builtin-rules

CC := gcc
# One folder per compiler and variant, so that switching never rebuilds the world.
VARIANT := release
OUT := build/$(CC)-$(VARIANT)
GEN := build/gen

SERVICES := ingest feedback recognition reporting
LIBS := libzmq libprotobuf-c libpq libuv libmicrohttpd libcurl jansson libsodium icu-i18n icu-uc

WARN := -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wredundant-decls -Wnested-externs -Wundef -Wcast-qual -Wpointer-arith \
	-Wwrite-strings -Wvla -Walloca -Wformat=2 -Wnull-dereference -Wdouble-promotion -Wfloat-equal \
	-Wdate-time -Wunused-macros -Wframe-larger-than=16384 -Werror
WARN_gcc := -Wcast-align=strict -Wformat-signedness -Wformat-overflow=2 -Wformat-truncation=2 \
	-Wimplicit-fallthrough=5 -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wjump-misses-init \
	-Wtrampolines -Warith-conversion
WARN_clang := -Wcast-align -Wimplicit-fallthrough -Wcomma -Wassign-enum -Wconditional-uninitialized \
	-Wunreachable-code-aggressive -Wmissing-variable-declarations -Wloop-analysis
HARDEN := -fstack-protector-strong -fstack-clash-protection -fno-delete-null-pointer-checks \
	-fno-strict-overflow -fno-common -fno-omit-frame-pointer -fPIE
MACHINE := $(shell $(CC) -dumpmachine 2>/dev/null)
HARDEN += $(if $(findstring x86_64,$(MACHINE)),-fcf-protection=full)
HARDEN += $(if $(findstring aarch64,$(MACHINE)),-mbranch-protection=standard)
INIT_gcc := -ftrivial-auto-var-init=zero
INIT_clang := -ftrivial-auto-var-init=pattern

OPT_release := -O2 -g -D_FORTIFY_SOURCE=3
# Red zones around every variable make frames larger than what is delivered: the bound is for that.
OPT_asan := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -U_FORTIFY_SOURCE
WARN_asan := -Wno-frame-larger-than
OPT_plain := -O1 -g
LDOPT_asan := -fsanitize=address,undefined
OPT_fuzz := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -U_FORTIFY_SOURCE
LDOPT_fuzz := -fsanitize=fuzzer,address,undefined

CPPFLAGS := -D_GNU_SOURCE -Iservices/runtime -Iservices -I$(GEN) \
	$(shell pkg-config --cflags-only-I $(LIBS) 2>/dev/null)
CFLAGS := -std=gnu17 $(OPT_$(VARIANT)) $(HARDEN) $(INIT_$(CC)) $(WARN) $(WARN_$(CC)) $(WARN_$(VARIANT)) -MMD -MP
LDFLAGS := -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code -Wl,--as-needed -Wl,--no-undefined \
	$(LDOPT_$(VARIANT))
LDLIBS = $(shell pkg-config --libs $(LIBS)) -lm

find_c = $(sort $(shell find $(1) -name '*.c' 2>/dev/null))
objects = $(patsubst %.c,$(OUT)/%.o,$(1))

PROTO := $(sort $(wildcard proto/moment/v1/*.proto))
PROTO_C := $(patsubst proto/%.proto,$(GEN)/%.pb-c.c,$(PROTO))
PROTO_H := $(PROTO_C:.c=.h)
PROTO_O := $(patsubst $(GEN)/%.c,$(OUT)/gen/%.o,$(PROTO_C))
SCHEMA_SQL := $(sort $(wildcard services/runtime/io/schema/*.sql services/*/schema/*.sql))

BASE_A := $(OUT)/libbase.a
IO_A := $(OUT)/libio.a
PROTO_A := $(OUT)/libproto.a
BINARIES := $(SERVICES:%=$(OUT)/moment-%) $(OUT)/momentctl

.PHONY: build
build: $(BINARIES) ## Build the four services and momentctl

# Kept: make would take them for steps on the way and remove them.
.SECONDARY: $(PROTO_C) $(PROTO_H)
$(GEN)/%.pb-c.c $(GEN)/%.pb-c.h &: proto/%.proto
	@mkdir -p $(GEN)
	@protoc-c --c_out=$(GEN) -Iproto $<

$(OUT)/gen/%.o: $(GEN)/%.c | $(PROTO_H)
	@mkdir -p $(@D)
	@$(CC) $(CPPFLAGS) $(CFLAGS) -Wno-cast-qual -Wno-missing-variable-declarations -c -o $@ $<

$(OUT)/%.o: %.c | $(PROTO_H)
	@mkdir -p $(@D)
	@echo "  CC $<"
	@$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# The description of the API is part of the program.
$(OUT)/services/reporting/edge_page.o: services/reporting/openapi.json

$(BASE_A): $(call objects,$(call find_c,services/runtime/base))
$(IO_A): $(call objects,$(call find_c,services/runtime/io))
$(PROTO_A): $(PROTO_O)
$(BASE_A) $(IO_A) $(PROTO_A):
	@rm -f $@
	@ar rcs $@ $^

define service_rules
$(OUT)/moment-$(1): $(call objects,$(call find_c,services/$(1))) $(IO_A) $(PROTO_A) $(BASE_A)
	@$$(CC) $$(LDFLAGS) -o $$@ $$^ $$(LDLIBS)
endef
$(foreach s,$(SERVICES),$(eval $(call service_rules,$(s))))

# momentctl carries the SQL of every schema inside.
$(GEN)/schema.c: $(SCHEMA_SQL) deploy/embed.sh
	@mkdir -p $(GEN)
	@deploy/embed.sh $(SCHEMA_SQL) > $@.new && mv $@.new $@
$(OUT)/momentctl: $(call objects,$(call find_c,services/ctl)) $(OUT)/gen/schema.o $(IO_A) $(PROTO_A) $(BASE_A)
	@$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# --- the machine, the page, running -----------------------------------------------------------------
WEB := services/reporting/web
WEB_SOURCES := $(shell find $(WEB) -path '*/node_modules' -prune -o -type f -print 2>/dev/null)

.PHONY: setup setup-test
setup: ## Install the Debian packages that `make run` needs and that are missing
	@deploy/setup.sh build run
setup-test: ## The same for `make test`
	@deploy/setup.sh build run test

.PHONY: web
web: build/web/index.html ## Build the page

# npm's own mark of a finished installation is older than nothing: it is written last.
$(WEB)/node_modules/.package-lock.json: $(WEB)/package.json $(WEB)/package-lock.json
	@echo "  NPM $(WEB)"
	@cd $(WEB) && npm ci --silent --no-audit --no-fund && touch node_modules/.package-lock.json
build/web/index.html: $(WEB_SOURCES) $(wildcard proto/moment/v1/*.proto) $(WEB)/node_modules/.package-lock.json
	@echo "  WEB build/web"
	@mkdir -p build
	@cd $(WEB) && npm run --silent build >../../../build/web.log 2>&1 || { cat ../../../build/web.log; exit 1; }
	@touch $@

.PHONY: run demo stop
run: ## Install, build and start everything; prints the address of the live floor
	@deploy/run.sh
demo: ## Add a small organisation of two sites whose people did something on every page
	@deploy/demo.sh
stop: ## Drain the services, stop PostgreSQL; data and keys stay
	@deploy/stop.sh

# --- unit tests -----------------------------------------------------------------------------------
# tests/unit/base/X_test.c        links libbase and nothing else
# tests/unit/rules/S_X_test.c     links services/S/rules and libbase: the proof that rules are pure
# tests/unit/io/X_test.c          links libio
# tests/unit/S/X_test.c           links the service S (or ctl) without its main.o
# tests/contract/X_test.c         links libio: the protocol as bytes
# tests/system/X_test.c           links libio, and runs beside a real PostgreSQL
UNIT_BASE := $(patsubst tests/%.c,$(OUT)/tests/%,$(wildcard tests/unit/base/*_test.c))
UNIT_RULES := $(patsubst tests/%.c,$(OUT)/tests/%,$(wildcard tests/unit/rules/*_test.c))
UNIT_IO := $(patsubst tests/%.c,$(OUT)/tests/%,$(wildcard tests/unit/io/*_test.c))
UNIT_SERVICE := $(patsubst tests/%.c,$(OUT)/tests/%,$(foreach s,$(SERVICES) ctl,$(wildcard tests/unit/$(s)/*_test.c)))
CONTRACT := $(patsubst tests/%.c,$(OUT)/tests/%,$(wildcard tests/contract/*_test.c))
SYSTEM := $(patsubst tests/%.c,$(OUT)/tests/%,$(wildcard tests/system/*_test.c))
TOY := $(OUT)/tests/system/toy_service
UNIT := $(UNIT_BASE) $(UNIT_RULES) $(UNIT_IO) $(UNIT_SERVICE)
TEST_LIBS := $(shell pkg-config --libs cmocka 2>/dev/null || echo -lcmocka)
# What libbase needs itself.
BASE_LIBS = $(shell pkg-config --libs libsodium icu-i18n icu-uc) -lm
link_test = @mkdir -p $(@D); $(CC) $(LDFLAGS) -o $@ $^ $(1) $(TEST_LIBS)

$(UNIT_BASE): $(OUT)/tests/unit/base/%: $(OUT)/tests/unit/base/%.o $(BASE_A)
	$(call link_test,$(BASE_LIBS))

.SECONDEXPANSION:
rule_objects = $(call objects,$(call find_c,services/$(word 1,$(subst _, ,$(1)))/rules))
$(UNIT_RULES): $(OUT)/tests/unit/rules/%: $(OUT)/tests/unit/rules/%.o $$(call rule_objects,$$*) $(BASE_A)
	$(call link_test,$(BASE_LIBS))

$(UNIT_IO) $(CONTRACT) $(SYSTEM) $(TOY): %: %.o $(IO_A) $(PROTO_A) $(BASE_A)
	$(call link_test,$(LDLIBS))

# Every message of the protocol, for the test that each has its golden bytes.
$(GEN)/messages.h: $(PROTO_H)
	@sed -nE 's/^extern const ProtobufCMessageDescriptor (\w+);/MESSAGE(\1)/p' $^ > $@.new && mv $@.new $@
$(OUT)/tests/contract/golden_test.o: $(GEN)/messages.h

define unit_service_rules
$(filter $(OUT)/tests/unit/$(1)/%,$(UNIT_SERVICE)): %: %.o $(filter-out %/main.o,$(call objects,$(call find_c,services/$(1)))) $(if $(filter ctl,$(1)),$(OUT)/gen/schema.o) $(IO_A) $(PROTO_A) $(BASE_A)
	$$(call link_test,$$(LDLIBS))
endef
$(foreach s,$(SERVICES) ctl,$(if $(filter $(OUT)/tests/unit/$(s)/%,$(UNIT_SERVICE)),$(eval $(call unit_service_rules,$(s)))))

# The C example of an integrator: libzmq, protobuf-c and nothing of ours.
NATIVE := $(OUT)/native-client
$(NATIVE): $(OUT)/tests/support/native_client.o $(PROTO_A)
	@$(CC) $(LDFLAGS) -o $@ $^ $(shell pkg-config --libs libzmq libprotobuf-c)

.PHONY: test test-unit test-asan test-valgrind test-contract golden test-system test-browser
test: ## Everything that must hold: both compilers, lint, unit, sanitizers, valgrind, system, browser
	@tests/support/run-all.sh
test-unit: $(UNIT) ## Unit tests: no network, no sleep
	@tests/support/run-unit.sh $(UNIT)
test-asan: ## Unit tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@$(MAKE) --no-print-directory VARIANT=asan test-unit
test-valgrind: ## Unit tests under valgrind
	@UNIT_WRAPPER="valgrind --quiet --error-exitcode=9 --leak-check=full --show-leak-kinds=definite,indirect,possible --errors-for-leak-kinds=definite,indirect" \
		$(MAKE) --no-print-directory VARIANT=plain test-unit
test-contract: build $(CONTRACT) ## The protocol and the HTTP API as others see them
	@tests/support/run-unit.sh $(CONTRACT)
	@if ls tests/contract/test_*.py >/dev/null 2>&1; then \
		MOMENT_BIN=$(OUT) /usr/bin/python3 -m pytest -q -p no:cacheprovider tests/contract; fi
golden: ## Write the golden messages that are missing; what is there stays for ever
	@/usr/bin/python3 tests/contract/golden.py
# They wait for processes most of the time: files of tests run beside each other, each with a whole Moment of its own.
SYSTEM_WORKERS := 3
test-system: build web $(SYSTEM) $(TOY) $(NATIVE) ## Real processes, PostgreSQL and sockets; crashes in the middle
	@tests/support/with-postgres.sh tests/support/run-unit.sh $(SYSTEM)
	@MOMENT_BIN=$(OUT) /usr/bin/python3 -m pytest -q -x -p no:cacheprovider -n $(SYSTEM_WORKERS) --dist loadfile tests/system
test-browser: build web ## The page in Debian's Chromium
	@cd $(WEB) && npm run --silent test
	@MOMENT_BIN=$(OUT) /usr/bin/python3 -m pytest -q -x -p no:cacheprovider tests/browser

# tests/fuzz/S_X.c links the service S without its main.o; tests/fuzz/runtime_X.c links libio.
FUZZ := $(patsubst tests/%.c,$(OUT)/tests/%,$(wildcard tests/fuzz/*.c))
fuzz_objects = $(if $(filter-out runtime,$(1)),$(filter-out %/main.o,$(call objects,$(call find_c,services/$(1)))))
$(FUZZ): $(OUT)/tests/fuzz/%: $(OUT)/tests/fuzz/%.o $$(call fuzz_objects,$$(word 1,$$(subst _, ,$$*))) $(IO_A) $(PROTO_A) $(BASE_A)
	@$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
$(FUZZ:%=%.o): CPPFLAGS += -Itests/fuzz

.PHONY: fuzz fuzz-run
fuzz: ## Throw bytes at whatever reads bytes from outside (FUZZ_SECONDS=60 each)
	@$(MAKE) --no-print-directory CC=clang VARIANT=fuzz fuzz-run
fuzz-run: $(FUZZ)
	@tests/support/run-fuzz.sh $(FUZZ)

# The client of the fault tests: libzmq, protobuf-c, libsodium and nothing of ours.
LEDGER_CLIENT := $(OUT)/ledger-client
$(LEDGER_CLIENT): $(OUT)/tests/fault/ledger_client.o $(PROTO_A)
	@$(CC) $(LDFLAGS) -o $@ $^ $(shell pkg-config --libs libzmq libprotobuf-c libsodium)

MINUTES := 5
SEED := 1
.PHONY: fault fault-mutants
fault: build $(LEDGER_CLIENT) ## Real processes under faults, and whether anything was lost (MINUTES=5 SEED=1)
	@MOMENT_BIN=$(OUT) /usr/bin/python3 tests/fault/run.py --minutes $(MINUTES) --seed $(SEED) $(FAULT_OPTIONS)
fault-mutants: ## The same with known bugs planted: each must be found
	@OUT=$(OUT) tests/fault/mutants.sh

# The whole of libio above loop.h, db.h, zwatch.h and libzmq, which tests/sim has its own of: what its objects define is
# not taken from the archive, and libzmq is not linked.
SIM := $(OUT)/tests/sim/sim
$(SIM): $(call objects,$(call find_c,tests/sim)) $(IO_A) $(PROTO_A) $(BASE_A)
	@$(CC) $(LDFLAGS) -Wl,--wrap=seal_random -o $@ $^ $(shell pkg-config --libs libprotobuf-c jansson libsodium icu-i18n icu-uc) -lm
$(call objects,$(call find_c,tests/sim)): CPPFLAGS += -Itests/sim

SCHEDULES := 100000
SIM_JOBS := $(shell nproc)
.PHONY: sim
sim: $(SIM) ## The protocol against simulated clock, network and database: SCHEDULES=n SEED=s; ONE=seed shows one
	@$(SIM) $(if $(ONE),--one $(ONE),--schedules $(SCHEDULES) --seed $(SEED) --jobs $(SIM_JOBS) --regressions tests/sim/regressions.txt)

.PHONY: bench test-compose test-container
bench: build web ## Latency from event to page, footprint
	@for bench in tests/bench/*.py; do echo "$$bench"; MOMENT_BIN=$(OUT) /usr/bin/python3 $$bench; done
test-compose: ## docker-compose.yml for real, on a base image made here
	@tests/support/container-compose.sh
test-container: ## `make run` and `make test` in a bare Debian 12 with git and make only
	@tests/support/container-bare.sh

# --- lint -------------------------------------------------------------------------------------------
C_FILES := $(sort $(shell find services tests \( -name node_modules -o -name web \) -prune -o -name '*.c' -print -o -name '*.h' -print))
C_SOURCES := $(filter services/%.c,$(C_FILES))
TIDY := $(patsubst %.c,build/lint/%.tidy,$(C_SOURCES))

# The object stands for its headers: clang-tidy looks again at what was compiled again.
build/lint/%.tidy: %.c .clang-tidy $(OUT)/%.o
	@mkdir -p $(@D)
	@clang-tidy --quiet $< -- $(CPPFLAGS) -std=gnu17 >$@.out 2>$@.err || { cat $@.out $@.err; exit 1; }
	@touch $@

.PHONY: lint tidy format proto-release docs
lint: build ## Every static check
	@CPPFLAGS='$(CPPFLAGS)' tests/lint/lint.sh
tidy: $(TIDY)
format: ## Lay out the C sources
	@clang-format -i $(C_FILES)
proto-release: ## Freeze the protocol as released: what it says from now on may only grow
	@tests/lint/proto.sh release
docs: build ## Write the README's tables and the description of the HTTP API from the programs
	@tests/lint/docs.sh --write

.PHONY: clean
clean: ## Remove what was built; var/ (data and keys) stays
	@rm -rf build

.PHONY: help
help: ## This list
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 18

-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
