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

PKGS	:= libevent libevent_openssl openssl libcjson libxml-2.0 hiredis sqlite3 zlib libseccomp
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
CFLAGS	+= -std=c11 $(WARN) $(CFLAGS_$(FLAVOUR)) $(PKG_CFLAGS)
LDFLAGS	+= $(if $(filter release,$(FLAVOUR)),$(LDHARD),-pie -fsanitize=address,undefined)

Q	:= $(if $(filter 1,$(V)),,@)
MAIN	:= gateway/main.c
SRCS	:= $(filter-out $(MAIN),$(wildcard gateway/base/*.c formats/*.c gateway/*.c adapters/*.c))
OBJS	:= $(SRCS:%.c=$(OUT)/%.o)
LIB	:= $(OUT)/libtocsin.a
UNITS	:= $(patsubst tests/unit/%.c,$(OUT)/unit/%,$(wildcard tests/unit/test_*.c))
FUZZERS	:= $(patsubst tests/fuzz/%.c,build/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
BENCHES	:= $(patsubst tests/bench/%.c,$(OUT)/bench/%,$(wildcard tests/bench/bench_*.c))

.PHONY: all deps test unit golden scenarios check lint asan analyse fuzz bench demo format install \
	clean help golden-update

all: build/tocsin		## build the program (build/tocsin)

build/tocsin: $(OUT)/tocsin
	$(Q)ln -sf $(FLAVOUR)/tocsin $@

$(OUT)/tocsin: $(OUT)/gateway/main.o $(LIB)
	@echo "  LD    $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(LIB): $(OBJS)
	@echo "  AR    $@"
	$(Q)rm -f $@ && ar rcs $@ $^

$(OUT)/%.o: %.c
	@echo "  CC    $<"
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(OUT)/unit/%: tests/unit/%.c $(LIB)
	@echo "  UNIT  $@"
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -MMD -MP -MF $@.d -o $@ $< $(LIB) $(PKG_LIBS) -lcmocka

-include $(shell test -d build && find build -name '*.d')

clean:				## remove build/
	rm -rf build
