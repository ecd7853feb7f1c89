# mig: five small programs.  `make` builds them, `make check` tests them, `make install` installs them.
#
#   make                               build/mig-scan ... build/mig-check, and build/mig, which is all of them
#   make static                        build/static/mig: the same in one file that needs no shared library
#   make check                         everything, as scripts/test does it
#   make bench                         what it costs, beside others; minutes
#   make check-traffic                 what clients feel of a deploy, beside psql -f, also as a picture; minutes
#   make check-forecast                what mig-plan says of times, beside what happens; minutes
#   make SANITIZE=address,undefined    the same with sanitizers, in build/sanitize/
#   make CC=clang
#   make LINK=1                        libpq and libcurl linked as usual, instead of loaded when they are needed, in build/link/
#   make NETTLE=                       without nettle: libsodium's SHA-256, a quarter as fast
#   make dist | deb | npm              the sources in one file; a Debian package; npm packages: in build/
#   make static HOST=aarch64-linux-gnu for another processor, in build/static-aarch64-linux-gnu/; so for all and deb: HACKING.md
#   make install PREFIX=/usr DESTDIR=/tmp/root

PREFIX  ?= /usr/local
BINDIR  ?= $(PREFIX)/bin
MANDIR  ?= $(PREFIX)/share/man
SHAREDIR ?= $(PREFIX)/share/mig
DOCDIR  ?= $(PREFIX)/share/doc/mig
BASHDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR  ?= $(PREFIX)/share/zsh/site-functions
FISHDIR ?= $(PREFIX)/share/fish/vendor_completions.d
INSTALL ?= install
BUILD   ?= build
ifdef HOST
export HOST
CC      = $(HOST)-gcc
AR      = $(HOST)-ar
STRIP   = $(HOST)-strip
PKG_CONFIG = $(HOST)-pkg-config
BUILD  := $(BUILD)/$(HOST)
endif
PKG_CONFIG ?= pkg-config
CC      ?= cc
STRIP   ?= strip

CFLAGS ?= -O2 -g
WARN = -std=c11 -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings \
       -Wvla -Wformat -Wundef -Wpointer-arith -Wcast-align -Werror=implicit-function-declaration
HARDEN = -fstack-protector-strong -fPIE
ifeq ($(shell uname -s),Darwin)
HARDEN_LD = -pie
SYSTEM = -D_DARWIN_C_SOURCE
else
HARDEN_LD = -pie -Wl,-z,relro,-z,now
AS_NEEDED = -Wl,--as-needed
endif
FORTIFY = -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
ifdef LINK
BUILD := build/link$(HOST:%=-%)
endif
STATIC_BUILD = build/static$(HOST:%=-%)
ifdef STATIC
ORDINARY := $(BUILD)
BUILD := $(STATIC_BUILD)
HARDEN_LD = -static-pie -Wl,-z,relro,-z,now
endif
ifdef SANITIZE
BUILD := build/sanitize
HARDEN += -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
HARDEN_LD += -fsanitize=$(SANITIZE)
FORTIFY =
endif

# Where nettle is, its SHA-256 is used.
NETTLE := $(shell $(PKG_CONFIG) --exists nettle && echo nettle)

# libpq and libcurl are loaded when they are needed: lib/base/library.h.  Only what calls lib/postgres can talk to PostgreSQL, and
# mig-plan has no part of it.  tests/build.bats holds it.
LIBS = $(shell $(PKG_CONFIG) --libs jansson libsodium $(NETTLE)) $(LINKED)
PQ   = $(shell $(PKG_CONFIG) --libs libpq)
ifdef LINK
LINKED = $(shell $(PKG_CONFIG) --libs libpq libcurl)
LOADS = -DMIG_LINK
endif
ifdef STATIC
LIBRARIES = $(BUILD)/libraries
LIBS = -L$(LIBRARIES) -lpq -lpgcommon_shlib -lpgport_shlib -lcurl \
	$(shell $(PKG_CONFIG) --static --libs openssl) $(shell $(PKG_CONFIG) --libs jansson libsodium $(NETTLE)) -lm
# What is different in a static file says so; all else is the same object as in the others.
STATIC_SOURCES := $(shell grep -lE 'MIG_(LINK|STATIC)' lib/*/*.c tools/*.c)
$(BUILD)/%.o: LOADS = -I$(LIBRARIES)/include -DMIG_LINK -DMIG_STATIC
endif

TOOLS = mig-scan mig-plan mig-apply mig-seed mig-check
SCRIPTS = mig-release mig-fleet

# Programs with which tests ask single rooms; built by `make test-tools`.
TEST_TOOLS = $(patsubst tests/tool_%.c,$(BUILD)/tests/tool_%,$(wildcard tests/tool_*.c))

OBJECTS = $(call objects,$(wildcard lib/*/*.c))

# The objects of sources, each in its folder.
ifdef STATIC
objects = $(patsubst %.c,$(BUILD)/%.o,$(filter $(STATIC_SOURCES),$(1))) $(patsubst %.c,$(ORDINARY)/%.o,$(filter-out $(STATIC_SOURCES),$(1)))
else
objects = $(1:%.c=$(BUILD)/%.o)
endif

CPPFLAGS_ALL = -iquote lib -D_XOPEN_SOURCE=700 $(SYSTEM) $(FORTIFY) \
	$(shell $(PKG_CONFIG) --cflags libpq libcurl libsodium jansson $(NETTLE)) $(if $(NETTLE),-DMIG_NETTLE) $(LOADS) $(CPPFLAGS)

all: $(TOOLS:%=$(BUILD)/%) $(BUILD)/mig $(SCRIPTS:%=$(BUILD)/%)

$(SCRIPTS:%=$(BUILD)/%): $(BUILD)/%: scripts/%
	@mkdir -p $(@D)
	$(INSTALL) $< $@

# What the five share; and the command lines that have a file of their own.
PROGRAM = $(BUILD)/tools/program.o
$(BUILD)/mig-scan: $(BUILD)/tools/scan_request.o
$(BUILD)/mig-plan: $(BUILD)/tools/plan_request.o
$(BUILD)/mig-apply: $(BUILD)/tools/apply_request.o

$(BUILD)/mig-%: $(BUILD)/tools/mig-%.o $(PROGRAM) $(BUILD)/libmig.a
	$(CC) $(CFLAGS) $(HARDEN) $(HARDEN_LD) $(LDFLAGS) -o $@ $^ $(AS_NEEDED) $(LIBS)

# All five in one file, where each main() has the name of its program; tools/mig.c says which is meant.
MIG_OBJECTS = $(call objects,$(patsubst %,tools/%.c,mig route chain manual manual_search completions program scan_request plan_request apply_request)) \
	$(TOOLS:%=$(or $(ORDINARY),$(BUILD))/one/%.o) $(if $(STATIC),$(BUILD)/pages.o)

$(BUILD)/mig: $(MIG_OBJECTS) $(BUILD)/libmig.a
	$(CC) $(CFLAGS) $(HARDEN) $(HARDEN_LD) $(LDFLAGS) -o $@ $^ $(AS_NEEDED) $(LIBS)
	$(if $(STATIC),$(STRIP) $@)

# How what stands in a folder is compiled.
define compile_in
$(1)/one/mig-%.o: tools/mig-%.c
	@mkdir -p $$(@D)
	$$(CC) $$(CPPFLAGS_ALL) -Dmain=mig_$$*_main $$(WARN) $$(CFLAGS) $$(HARDEN) -MMD -MP -c -o $$@ $$<

$(1)/%.o: %.c
	@mkdir -p $$(@D)
	$$(CC) $$(CPPFLAGS_ALL) $$(WARN) $$(CFLAGS) $$(HARDEN) -MMD -MP -c -o $$@ $$<
endef
$(foreach folder,$(BUILD) $(ORDINARY),$(eval $(call compile_in,$(folder))))

# What a static file has in it besides: the manual.
$(BUILD)/pages.c: scripts/embed-manual $(wildcard man/*.[157])
	@mkdir -p $(@D)
	scripts/embed-manual $(filter man/%,$^) >$@

$(BUILD)/pages.o: $(BUILD)/pages.c
	$(CC) $(CFLAGS) $(HARDEN) -c -o $@ $<

static:
	scripts/install-packages build static
	CC="$(CC)" PKG_CONFIG="$(PKG_CONFIG)" scripts/static-libraries $(STATIC_BUILD)/libraries
	$(MAKE) STATIC=1 $(STATIC_BUILD)/mig

$(BUILD)/libmig.a: $(OBJECTS)
	rm -f $@
	$(AR) qcs $@ $^

# Pure functions, asked in C; `make unit` runs them.
UNITS = $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/u_*.c))

test-tools: $(TEST_TOOLS) $(UNITS) $(BUILD)/tests/shim_clock.so
test-tools: $(TEST_TOOLS) $(UNITS) $(BUILD)/tests/torture.so

# Put in front of the programs; glibc's names are in it.
$(BUILD)/tests/torture.so: $(wildcard tests/torture/*.c) tests/torture/shim.h
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) -Itests/torture $(WARN) -O1 -g -fPIC -shared -o $@ $(filter %.c,$^) -ldl

$(BUILD)/tests/unit/u_%: $(BUILD)/tests/unit/u_%.o $(BUILD)/libmig.a
	$(CC) $(CFLAGS) $(HARDEN) $(HARDEN_LD) $(LDFLAGS) -o $@ $^ $(AS_NEEDED) $(LIBS)

# The fuzzers' functions with the inputs that are kept of them, one program each.
CORPORA = $(patsubst tests/fuzz/%.c,$(BUILD)/tests/%,$(wildcard tests/fuzz/fuzz_*.c))
test-tools: $(CORPORA)
$(BUILD)/tests/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/tests/fuzz/main.o $(BUILD)/libmig.a
	$(CC) $(CFLAGS) $(HARDEN) $(HARDEN_LD) $(LDFLAGS) -o $@ $^ $(AS_NEEDED) $(LIBS)

unit: $(UNITS)
	@for u in $(UNITS); do $$u || exit 1; done

$(BUILD)/tests/tool_%: $(BUILD)/tests/tool_%.o $(BUILD)/libmig.a
	$(CC) $(CFLAGS) $(HARDEN) $(HARDEN_LD) $(LDFLAGS) -o $@ $^ $(AS_NEEDED) $(LIBS) $(PQ)

# What the bench compares with: the least that a program in C does.
$(BUILD)/tests/bench/floor: $(BUILD)/tests/bench/floor.o $(BUILD)/libmig.a
	$(CC) $(CFLAGS) $(HARDEN) $(HARDEN_LD) $(LDFLAGS) -o $@ $^ $(AS_NEEDED) $(LIBS) $(PQ)

check: all
	./scripts/test

# The long batteries; a short round of each is in `make check`.
check-sql: all test-tools
	BUILD=$(BUILD) tests/fuzz/sql-oracle 20000

check-prisma: all
	BUILD=$(BUILD) tests/fuzz/prisma-side-by-side 500

# Ids and times that mig-seed makes, beside those of the real client.
check-client-values: all
	BUILD=$(BUILD) tests/fuzz/client-values 10000

# Seed scripts of five projects by the real client, and as folders by mig-seed, which is also killed.
check-seeds: all test-tools
	BUILD=$(BUILD) tests/fuzz/seeds --kill 20

# Random datamodels, both ways, by mig and by the real engine.
check-schema: all
	BUILD=$(BUILD) tests/fuzz/schema-oracle 1000

# Real histories beside real datamodels, by mig and by the real engine: make check-replay FOLDERS="~/a/prisma ~/b/prisma".
check-replay: all
	BUILD=$(BUILD) tests/fuzz/replay-oracle $(FOLDERS)

# What is disturbed at any message is finished by the next plain run: SEED=S FAULT=N shows one again; half an hour and more.
FAULTS = 2000
check-faults: all test-tools $(BUILD)/tests/shim_clock.so
	BUILD=$(BUILD) tests/fuzz/faults $(FAULTS) $(SEED) $(FAULT)

$(BUILD)/tests/shim_clock.so: tests/shim_clock.c
	@mkdir -p $(@D)
	$(CC) $(WARN) $(CFLAGS) -fPIC -shared -o $@ $<

# Deployers at once, of whole, older and newer folders, and the real Prisma between them.
check-race: all
	BUILD=$(BUILD) tests/fuzz/race 60 $(SEED)

# Each allocation, and each call of libpq and libcurl, made to fail once. TORTURE="mig-seed near 17" repeats one.
check-torture: all test-tools
	BUILD=$(BUILD) tests/torture/run $(TORTURE)

# The suite against servers of PostgreSQL 13 to 18, one after the other; hours. VERSIONS="14 18" for some.
check-versions: all test-tools
	BUILD=$(BUILD) tests/versions/run $(VERSIONS)

# With sanitizers: what a proxy in front of the server does to its answers.
check-mutate:
	$(MAKE) SANITIZE=address,undefined all
	JOBS=8 BUILD=build/sanitize tests/fuzz/mutate 2000

# The suite with sanitizers: any report is a failure.  FILES="tests/mig-scan.bats" for some.
check-memory:
	tests/memcheck $(FILES)

# The one static file, in empty folders; as root.
check-static: static test-tools
	scripts/install-packages server test
	MIG_TEST_STATIC=$(CURDIR)/build/static/mig bats tests/static.bats

# A deploy of 20 s, whose token is another one each second.
check-credentials: all test-tools
	CREDENTIALS_PAUSE=5 bats tests/credentials.bats -f 'token of each second'

# mig-apply killed at each statement of scripts that are not one transaction, where a gate holds it.
check-journal: all test-tools
	MIG_TEST_STRIDE=1 bats tests/journal.bats -f 'killed at each statement'

# Each example of README and of the manual; the suite runs a share of them.
check-examples: all
	MIG_TEST_STRIDE=1 bats tests/examples.bats

# Each of the 145 migrations with measured effects; the suite takes a share of them.
check-rehearsal: all
	MIG_REHEARSAL_EVERY=1 bats tests/rehearsal.bats -f 'each statement has the effects'

# Changes with the drafts of their opposites: up, draft, and compare by pg_dump; ten minutes.
check-down: all test-tools
	BUILD=$(BUILD) tests/fuzz/draft-matrix

# Reverts of each kind, killed behind each message.  Real histories, FOLDERS="~/a ~/b" with prisma/migrations each: taken back, killed in it; and found in a database without a history.
check-revert: all test-tools
	BUILD=$(BUILD) tests/fuzz/revert-kills
	[ -z "$(FOLDERS)" ] || BUILD=$(BUILD) tests/fuzz/revert-matrix $(FOLDERS)

check-adopt: all
	BUILD=$(BUILD) tests/fuzz/adopt-oracle $(FOLDERS)

# mig-release, killed at each tool that it starts.
check-release: all
	MIG_TEST_STRIDE=1 bats tests/release.bats -f killed

# A thousand databases on one server: costs, kills, canary, outliers, secrets; minutes. FLEET=100 for less; it takes parts by name.
FLEET = 1000
check-fleet: all
	BUILD=$(BUILD) tests/fleet/run $(FLEET) $(PARTS)

# A base backup and its WAL, restored to the state before a deploy: by time, position and name.
check-restore: all
	MIG_TEST_RESTORE='time lsn name' bats tests/cookbook.bats -f 'restored to just'

# The Debian package in fresh systems, installed, used, upgraded, removed; as root, with debootstrap.
check-deb: deb
	scripts/install-packages build server
	tests/deb-life build/deb/mig_*.deb

# The suite as a newcomer runs it in fresh Debian 12 and 13: as root and as a user, alone and beside busy loops; two hours.
# DEBIAN="trixie user busy" for one of the eight.
check-debian:
	tests/debian-suite $(DEBIAN)

# The whole suite, with an attacker's schema in every database.
check-traps:
	MIG_TEST_TRAPS=1 ./scripts/test

check-traffic: all test-tools
	BUILD=$(BUILD) tests/traffic/run

check-forecast: all
	BUILD=$(BUILD) tests/forecast/run $(FORECAST)

bench: all test-tools $(BUILD)/tests/bench/floor
	tests/bench/run

demo:
	./scripts/demo

# libFuzzer's programs, in build/fuzz/, by clang; and each of them for FUZZ seconds.  FUZZERS="fuzz_sql fuzz_json" for some.
FUZZ_WITH = address,undefined
FUZZERS = $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ = 300
fuzz: fuzzers
	tests/fuzz/fuzz $(FUZZ) $(FUZZERS:fuzz_%=%)

fuzzers:
	$(MAKE) CC=clang BUILD=build/fuzz HARDEN=-fPIE CFLAGS='-std=c11 -g -O1 -fsanitize=fuzzer-no-link,$(FUZZ_WITH)' \
	    $(FUZZERS:%=build/fuzz/%)

build/fuzz/fuzz_%: tests/fuzz/fuzz_%.c build/fuzz/libmig.a
	$(CC) $(CPPFLAGS_ALL) $(WARN) $(CFLAGS) -fsanitize=fuzzer,$(FUZZ_WITH) -o $@ $^ $(LIBS)

# Each header compiles alone.
headers:
	set -e; for h in lib/*/*.h; do $(CC) $(CPPFLAGS_ALL) $(WARN) -fsyntax-only -x c "$$h"; done
	set -e; for f in tests/fuzz/*.c; do $(CC) $(CPPFLAGS_ALL) $(WARN) -fsyntax-only "$$f"; done

lint: headers
	scripts/floors
	scripts/includes
	mandoc -Tlint -Wwarning man/*.[157]
	shellcheck -x -S warning $(filter-out %.mk,$(wildcard scripts/*)) npm/mig tests/*.bash tests/*.bats tests/bench/run tests/traffic/run tests/fuzz/faults tests/fuzz/race tests/fuzz/revert-matrix tests/fuzz/revert-kills tests/fuzz/adopt-oracle tests/fuzz/schema-oracle tests/fuzz/replay-oracle tests/fuzz/mutate tests/fleet/run tests/deb-life tests/debian-suite tests/memcheck tests/fuzz/fuzz .ci/run

PAGES = $(foreach s,1 5 7,$(patsubst man/%,man$s/%,$(wildcard man/*.$s)))
EXAMPLES = $(shell find examples -type f)
COMPLETED = $(TOOLS) mig-fleet
COMPLETIONS = $(BASHDIR)/mig $(COMPLETED:%=$(BASHDIR)/%) $(ZSHDIR)/_mig $(FISHDIR)/mig.fish $(COMPLETED:%=$(FISHDIR)/%.fish)

install: all
	$(INSTALL) -d $(DESTDIR)$(BINDIR) $(foreach s,1 5 7,$(DESTDIR)$(MANDIR)/man$s) $(DESTDIR)$(BASHDIR) $(DESTDIR)$(ZSHDIR) \
	    $(DESTDIR)$(FISHDIR)
	$(INSTALL) $(TOOLS:%=$(BUILD)/%) $(BUILD)/mig $(SCRIPTS:%=$(BUILD)/%) $(DESTDIR)$(BINDIR)
	$(INSTALL) -d $(DESTDIR)$(SHAREDIR)
	$(INSTALL) -m 644 scripts/release.mk $(DESTDIR)$(SHAREDIR)
	set -e; for e in $(EXAMPLES); do $(INSTALL) -d $(DESTDIR)$(DOCDIR)/$$(dirname $$e); \
	    $(INSTALL) -m 644 $$e $(DESTDIR)$(DOCDIR)/$$e; done
	set -e; for p in $(PAGES); do $(INSTALL) -m 644 man/$${p#*/} $(DESTDIR)$(MANDIR)/$$p; done
	$(EMULATOR) $(BUILD)/mig completions bash >$(DESTDIR)$(BASHDIR)/mig
	$(EMULATOR) $(BUILD)/mig completions zsh >$(DESTDIR)$(ZSHDIR)/_mig
	$(EMULATOR) $(BUILD)/mig completions fish >$(DESTDIR)$(FISHDIR)/mig.fish
	set -e; for t in $(COMPLETED); do ln -sf mig $(DESTDIR)$(BASHDIR)/$$t; ln -sf mig.fish $(DESTDIR)$(FISHDIR)/$$t.fish; done

uninstall:
	rm -f $(TOOLS:%=$(DESTDIR)$(BINDIR)/%) $(DESTDIR)$(BINDIR)/mig $(SCRIPTS:%=$(DESTDIR)$(BINDIR)/%) $(PAGES:%=$(DESTDIR)$(MANDIR)/%) $(COMPLETIONS:%=$(DESTDIR)%) \
	    $(DESTDIR)$(SHAREDIR)/release.mk
	rm -rf $(DESTDIR)$(DOCDIR)/examples

# The sources as one file, the same bytes each time.
VERSION = $(shell sed -n 's/^\#define MIG_VERSION "\(.*\)"/\1/p' lib/base/mig.h)
DIST = build/mig-$(VERSION).tar.gz

dist:
	@mkdir -p build
	scripts/dist $(DIST)

# build/deb/mig_….deb
deb: dist
	scripts/install-packages build deb
	rm -rf build/deb
	mkdir -p build/deb
	tar -C build/deb -xzf $(DIST)
	cd build/deb/mig-$(VERSION) && env -u MAKEFLAGS -u MAKELEVEL -u HOST dpkg-buildpackage -us -uc -b $(HOST:%=--host-type %)

# build/npm/*.tgz, of this machine's processor and of those for which `make static HOST=...` made a file.
npm: static
	scripts/npm-packages build/npm build/static*/mig

clean:
	rm -rf build

-include $(wildcard $(foreach folder,$(BUILD) $(ORDINARY),$(folder)/*/*.d $(folder)/lib/*/*.d) $(BUILD)/tests/unit/*.d)

.PHONY: all bench check check-adopt check-client-values check-credentials check-deb check-debian check-down check-examples check-faults check-fleet check-forecast check-journal check-memory check-mutate check-prisma check-race check-rehearsal check-release check-replay check-restore check-schema check-seeds check-sql check-static check-torture check-traffic check-traps check-versions clean demo fuzz fuzzers headers install lint static test-tools uninstall unit
.SECONDARY:
