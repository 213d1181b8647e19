# Tocsin. Read top to bottom; `make help` lists the targets.
#
# Objects lie under build/FLAVOUR/, so that release, sanitizer and fuzz builds live side by side.
# Sources are found by wildcard: a new file needs no line here.

CC	?= cc
FLAVOUR	?= release
V	?= 0
OUT	:= build/$(FLAVOUR)
PREFIX	?= /usr/local
DESTDIR	?=

PKGS	:= libevent libevent_openssl openssl libcjson libxml-2.0 hiredis sqlite3 zlib libseccomp libidn2
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS   := $(shell pkg-config --libs $(PKGS) 2>/dev/null)

WARN	:= -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 \
	   -Werror=format-security -Werror=implicit-function-declaration -Werror
HARDEN	:= -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE
LDHARD	:= -pie -Wl,-z,relro,-z,now,-z,noexecstack
VERSION	:= $(shell cat VERSION 2>/dev/null || echo 0)

CPPFLAGS += -I. -D_GNU_SOURCE -DTOCSIN_VERSION='"$(VERSION)"'
CFLAGS_release := -O2 -g -D_FORTIFY_SOURCE=2 $(HARDEN)
CFLAGS_asan := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
	       -fno-sanitize-recover=all -fPIE
CFLAGS_fuzz := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined \
	       -fno-sanitize-recover=undefined -fPIE
CFLAGS_cover := -O1 -g -fprofile-instr-generate -fcoverage-mapping -fsanitize=fuzzer-no-link -fPIE
CFLAGS	+= -std=c11 $(WARN) $(CFLAGS_$(FLAVOUR)) $(PKG_CFLAGS)
LDFLAGS	+= $(if $(filter release,$(FLAVOUR)),$(LDHARD),-pie -fsanitize=address,undefined)

Q	:= $(if $(filter 1,$(V)),,@)
QUIETLY	:= --no-print-directory $(if $(filter 1,$(V)),,-s)
MAIN	:= gateway/main.c
SRCS	:= $(filter-out $(MAIN),$(wildcard gateway/base/*.c formats/*.c gateway/*.c adapters/*.c))
OBJS	:= $(SRCS:%.c=$(OUT)/%.o)
LIB	:= $(OUT)/libtocsin.a
UNITS	:= $(patsubst tests/unit/%.c,$(OUT)/unit/%,$(wildcard tests/unit/test_*.c))
FUZZERS	:= $(patsubst tests/fuzz/%.c,build/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
BENCHES	:= $(patsubst tests/bench/%.c,$(OUT)/bench/%,$(wildcard tests/bench/bench_*.c))

.PHONY: all deps test unit golden golden-update scenarios check lint asan asan-run valgrind analyse fuzz coverage bench soak \
	ready demo format install clean help
.SECONDARY:

all: build/tocsin		## build the program (build/tocsin)

build/tocsin: $(OUT)/tocsin
	$(Q)ln -sf $(FLAVOUR)/tocsin $@

$(OUT)/tocsin: $(OUT)/gateway/main.o $(LIB)
	@echo "  LD    $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(LIB): $(OBJS)
	@echo "  AR    $@"
	$(Q)rm -f $@ && ar rcs $@ $^

# The compiler and the libraries, before the first complaint about a missing header.
ready:
	$(if $(and $(PKG_LIBS),$(shell command -v $(firstword $(CC)))),,@echo "$(CC) or a library is \
missing: 'make deps' installs what is needed" >&2; exit 2)

$(OUT)/%.o: %.c | ready
	@echo "  CC    $<"
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(OUT)/unit/%: tests/unit/%.c $(LIB)
	@echo "  UNIT  $@"
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -MMD -MP -MF $@.d -o $@ $< $(LIB) $(PKG_LIBS) -lcmocka

$(OUT)/bench/%: tests/bench/%.c $(LIB)
	@echo "  BENCH $@"
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -MMD -MP -MF $@.d -o $@ $< $(LIB) $(PKG_LIBS)

FUZZ_cover := -fsanitize=fuzzer -fprofile-instr-generate -fcoverage-mapping
FUZZ_fuzz  := -fsanitize=fuzzer,address,undefined
$(OUT)/fuzz_%: tests/fuzz/fuzz_%.c $(LIB)
	@echo "  FUZZ  $@"
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -std=c11 $(WARN) -g -O1 $(FUZZ_$(FLAVOUR)) $(PKG_CFLAGS) \
	    -MMD -MP -MF $@.d -o $@ $< $(LIB) $(PKG_LIBS)

deps:				## install what is missing for all of this (apt; sudo when not root)
	@tests/deps all

deps-%:				# only what `make demo` or `make test` needs
	@tests/deps $*

test: deps-test			## everything that must pass: units, golden files, scenarios
	@$(MAKE) $(QUIETLY) -j2 build/tocsin $(UNITS)
	@tests/run $(UNITS) --pytest tests/scenarios

unit: build/tocsin $(UNITS)	## unit and golden tests only
	@tests/run $(UNITS)

golden: $(OUT)/unit/test_golden	## golden folders only
	@tests/run $(OUT)/unit/test_golden

golden-update: $(OUT)/unit/test_golden	## rewrite expected files; review the diff like code
	@GOLDEN_UPDATE=1 $(OUT)/unit/test_golden

scenarios: build/tocsin		## real processes only
	@tests/run --pytest tests/scenarios

FORMAT = /usr/bin/python3 tests/lint/format.py $(wildcard gateway/*.[ch] gateway/base/*.[ch] \
	 formats/*.[ch] adapters/*.[ch] tests/unit/*.[ch] tests/fuzz/*.c tests/bench/*.c)

lint: deps			## layers, doormen, banned words, long functions, headers alone
	@/usr/bin/python3 tests/lint/layers.py
	@/usr/bin/python3 tests/lint/style.py
	@$(FORMAT) --check

asan: deps				## units and scenarios under ASan and UBSan
	@$(MAKE) $(QUIETLY) -j2 FLAVOUR=asan CC=clang asan-run

asan-run: $(OUT)/tocsin $(UNITS)
	@TOCSIN=$(OUT)/tocsin tests/run $(UNITS) --pytest tests/scenarios

valgrind: deps build/tocsin	## start, serve, relay, reload, stop under valgrind
	@tests/valgrind

analyse: deps			## clang-tidy and cppcheck, of what changed since they last passed
	@mkdir -p build/analyse/cppcheck
	@cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr -j2 \
	    --cppcheck-build-dir=build/analyse/cppcheck --suppressions-list=tests/lint/cppcheck.txt \
	    --error-exitcode=1 -I. -D__linux__ gateway formats adapters
	@$(MAKE) $(QUIETLY) -k -j2 $(patsubst %.c,build/analyse/%.ok,$(MAIN) $(SRCS))

# The analyser's default of 225,000 nodes a function takes twice the time and finds the same here.
build/analyse/%.ok: %.c .clang-tidy
	@echo "  TIDY  $<"
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(PKG_CFLAGS) -MM -MP -MT $@ -MF $@.d $<
	$(Q)clang-tidy --quiet $< -- $(CPPFLAGS) -std=c11 $(WARN) $(PKG_CFLAGS) \
	    -Xclang -analyzer-config -Xclang max-nodes=100000 2>$@.log || { cat $@.log; false; }
	@touch $@

check: deps lint test asan valgrind analyse	## everything, with sanitizers and analysers

FUZZ_SECONDS ?= 20
fuzz: deps			## every fuzz target for FUZZ_SECONDS (20) each
	@$(MAKE) $(QUIETLY) -j2 FLAVOUR=fuzz CC=clang $(FUZZERS)
	@tests/fuzz/run $(FUZZ_SECONDS) $(FUZZERS)

coverage: deps			## how much of each parser its fuzz target reaches, after FUZZ_SECONDS
	@$(MAKE) $(QUIETLY) -j2 FLAVOUR=cover CC=clang $(FUZZERS:build/fuzz/%=build/cover/%)
	@tests/fuzz/coverage $(FUZZ_SECONDS) $(FUZZERS:build/fuzz/%=build/cover/%)

bench: deps			## figures beside nginx, libxml2, cJSON, SQLite (QUICK=1: in a minute)
	@$(MAKE) $(QUIETLY) -j2 build/tocsin $(BENCHES)
	@QUICK=$(QUICK) tests/bench/run

soak: deps			## the long runs: 1,000 kills, every fault, a million objects, 20,000 strangers
	@$(MAKE) $(QUIETLY) -j2 build/tocsin $(OUT)/bench/bench_pages
	@TOCSIN_KILL_ROUNDS=1000 TOCSIN_FAULT_EVERY=1 SOAK=1 tests/run --pytest tests/soak \
	    $(addprefix tests/scenarios/test_,durable_kill.py durable_faults.py durable_check.py strangers.py)

demo: deps-demo			## the main job on two federated nodes (ONCE=1: check and end)
	@$(MAKE) $(QUIETLY) -j2 build/tocsin
	@ONCE=$(ONCE) tests/demo/demo

format: deps			## clang-format, over the lines that it understands
	@$(FORMAT)

install: build/tocsin		## DESTDIR= and PREFIX= as usual
	install -Dm755 $(OUT)/tocsin $(DESTDIR)$(PREFIX)/bin/tocsin
	install -d $(DESTDIR)$(PREFIX)/share/tocsin/mappings $(DESTDIR)$(PREFIX)/share/man/man1 \
	    $(DESTDIR)$(PREFIX)/share/man/man5 $(DESTDIR)$(PREFIX)/share/man/man7 \
	    $(DESTDIR)$(PREFIX)/lib/systemd/system
	install -m644 conf/*.conf conf/alerts.yml $(DESTDIR)$(PREFIX)/share/tocsin/
	install -m644 conf/mappings/* $(DESTDIR)$(PREFIX)/share/tocsin/mappings/
	install -m644 conf/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1/
	install -m644 conf/man/*.5 $(DESTDIR)$(PREFIX)/share/man/man5/
	install -m644 conf/man/*.7 $(DESTDIR)$(PREFIX)/share/man/man7/
	install -m644 conf/systemd/tocsin.service $(DESTDIR)$(PREFIX)/lib/systemd/system/
	install -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	$(OUT)/tocsin completion bash >$(DESTDIR)$(PREFIX)/share/bash-completion/completions/tocsin
	sed -i 's,/usr/local/bin/,$(PREFIX)/bin/,' $(DESTDIR)$(PREFIX)/lib/systemd/system/tocsin.service

help:				## this list
	@sed -n 's/^\([a-z-]*\):[^#]*##[ \t]*/\1\t/p' Makefile | expand -t 16

-include $(shell test -d build && find build -name '*.d')

clean:				## remove build/
	rm -rf build
