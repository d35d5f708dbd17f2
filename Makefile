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
LIBS := libzmq libprotobuf-c libpq libuv libmicrohttpd jansson libsodium

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
OPT_asan := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -U_FORTIFY_SOURCE
OPT_plain := -O1 -g
LDOPT_asan := -fsanitize=address,undefined

CPPFLAGS := -D_GNU_SOURCE -Iservices/runtime -Iservices -I$(GEN) \
	$(shell pkg-config --cflags-only-I $(LIBS) 2>/dev/null)
CFLAGS := -std=gnu17 $(OPT_$(VARIANT)) $(HARDEN) $(INIT_$(CC)) $(WARN) $(WARN_$(CC)) -MMD -MP
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

$(GEN)/%.pb-c.c $(GEN)/%.pb-c.h &: proto/%.proto
	@mkdir -p $(GEN)
	@protoc-c --c_out=$(GEN) -Iproto $<

$(OUT)/gen/%.o: $(GEN)/%.c | $(PROTO_H)
	@mkdir -p $(@D)
	@$(CC) $(CPPFLAGS) $(CFLAGS) -Wno-cast-qual -c -o $@ $<

$(OUT)/%.o: %.c | $(PROTO_H)
	@mkdir -p $(@D)
	@echo "  CC $<"
	@$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

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

# --- unit tests -----------------------------------------------------------------------------------
# tests/unit/base/X_test.c        links libbase and nothing else
# tests/unit/rules/S_X_test.c     links services/S/rules and libbase: the proof that rules are pure
# tests/unit/io/X_test.c          links libio
# tests/unit/S/X_test.c           links the service S without its main.o
UNIT_BASE := $(patsubst tests/%.c,$(OUT)/tests/%,$(wildcard tests/unit/base/*_test.c))
UNIT_RULES := $(patsubst tests/%.c,$(OUT)/tests/%,$(wildcard tests/unit/rules/*_test.c))
UNIT_IO := $(patsubst tests/%.c,$(OUT)/tests/%,$(wildcard tests/unit/io/*_test.c))
UNIT_SERVICE := $(patsubst tests/%.c,$(OUT)/tests/%,$(foreach s,$(SERVICES),$(wildcard tests/unit/$(s)/*_test.c)))
UNIT := $(UNIT_BASE) $(UNIT_RULES) $(UNIT_IO) $(UNIT_SERVICE)
TEST_LIBS := $(shell pkg-config --libs cmocka 2>/dev/null || echo -lcmocka)
link_test = @mkdir -p $(@D); $(CC) $(LDFLAGS) -o $@ $^ $(1) $(TEST_LIBS)

$(UNIT_BASE): $(OUT)/tests/unit/base/%: $(OUT)/tests/unit/base/%.o $(BASE_A)
	$(call link_test,-lsodium -lm)

.SECONDEXPANSION:
rule_objects = $(call objects,$(call find_c,services/$(word 1,$(subst _, ,$(1)))/rules))
$(UNIT_RULES): $(OUT)/tests/unit/rules/%: $(OUT)/tests/unit/rules/%.o $$(call rule_objects,$$*) $(BASE_A)
	$(call link_test,-lsodium -lm)

$(UNIT_IO): $(OUT)/tests/unit/io/%: $(OUT)/tests/unit/io/%.o $(IO_A) $(PROTO_A) $(BASE_A)
	$(call link_test,$(LDLIBS))

define unit_service_rules
$(filter $(OUT)/tests/unit/$(1)/%,$(UNIT_SERVICE)): %: %.o $(filter-out %/main.o,$(call objects,$(call find_c,services/$(1)))) $(IO_A) $(PROTO_A) $(BASE_A)
	$$(call link_test,$$(LDLIBS))
endef
$(foreach s,$(SERVICES),$(if $(filter $(OUT)/tests/unit/$(s)/%,$(UNIT_SERVICE)),$(eval $(call unit_service_rules,$(s)))))

.PHONY: test-unit
test-unit: $(UNIT) ## Unit tests: no network, no sleep
	@tests/support/run-unit.sh $(UNIT)

.PHONY: clean
clean: ## Remove what was built; var/ (data and keys) stays
	@rm -rf build

.PHONY: help
help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
