# A release of Prisma migrations by mig, for a Makefile of GNU make:
#
#   MIGRATIONS = prisma/migrations            the folder (default: this)
#   SCHEMA = prisma/schema.prisma             make verify compares with it (default: this, if it is there)
#   SEEDS = prisma/seed                       reference data (default: none)
#   CHECKS = health=https://api.example.com/health
#   MIG_DATABASE = file:/etc/shop/database-url
#   RELEASE = build/production                what a release leaves (default: build/release); one for each database
#   PLAN_FLAGS, APPLY_FLAGS, SEED_FLAGS       options of the tools: --strict, --expect 4f7cb550d69c7918
#   include /usr/local/share/mig/release.mk
#
#   make status       what is applied, pending, failed
#   make verify       whether the migrations run from empty, and make what schema.prisma says
#   make plan         what a deploy would do, kept in $(RELEASE)/plan.rec
#   make release      carries out that plan, seeds, checks
#   make seed         the seeds alone
#   make check        whether all is well now
#
# A second `make release` does nothing until a migration or a seed file changes.  MIG_DATABASE names where the connection
# string is; no recipe has the string itself, so neither `make -n` nor a log shows it.
# Names of migrations must not contain blanks.

MIGRATIONS ?= prisma/migrations
SCHEMA ?= $(wildcard prisma/schema.prisma)
SEEDS ?=
CHECKS ?=
RELEASE ?= build/release
PLAN_FLAGS ?=
APPLY_FLAGS ?=
SEED_FLAGS ?=

ifdef MIG_DATABASE
export MIG_DATABASE
endif

mig_scripts := $(MIGRATIONS) $(wildcard $(MIGRATIONS)/*/migration.sql)
mig_seeds := $(if $(SEEDS),$(SEEDS) $(wildcard $(SEEDS)/* $(SEEDS)/*/*))

# Private, since a plan has the scripts, and a seed's page may have values.
mig_folder = mkdir -p -m 700 $(RELEASE)

status:
	mig-scan --format=text $(MIGRATIONS)

verify: $(RELEASE)/verified
$(RELEASE)/verified: $(mig_scripts) $(SCHEMA)
	$(mig_folder)
	mig-scan --replay $(MIGRATIONS) | mig-check $(if $(SCHEMA),schema=$(SCHEMA),history)
	touch $@

plan: $(RELEASE)/plan.rec
	mig-plan --format=text $(RELEASE)/plan.rec

# An equal plan leaves its file untouched, so the time is set; one that is refused is kept by no file.
$(RELEASE)/plan.rec: $(mig_scripts)
	$(mig_folder)
	mig-scan -o $(RELEASE)/scan.rec $(MIGRATIONS) >/dev/null
	mig-plan$(PLAN_FLAGS:%= %) -o $@ $(RELEASE)/scan.rec >/dev/null || { code=$$?; rm -f $@; exit $$code; }
	touch $@

# After a failure the history may be another: the next plan starts from that.
$(RELEASE)/applied: $(RELEASE)/plan.rec
	mig-apply$(APPLY_FLAGS:%= %) -o $(RELEASE)/results.rec $(RELEASE)/plan.rec || { code=$$?; rm -f $(RELEASE)/plan.rec; exit $$code; }
	touch $@

$(RELEASE)/seeded: $(RELEASE)/applied $(mig_seeds)
	$(if $(SEEDS),mig-seed$(SEED_FLAGS:%= %) -o $(RELEASE)/seed.rec $(SEEDS))
	touch $@

release: $(RELEASE)/released
$(RELEASE)/released: $(RELEASE)/seeded
	mig-check deploy database $(CHECKS) <$(RELEASE)/results.rec
	touch $@

seed:
	$(if $(SEEDS),mig-seed$(SEED_FLAGS:%= %) $(SEEDS),@echo 'SEEDS names no folder' >&2; exit 64)

check:
	mig-scan $(MIGRATIONS) | mig-check history database $(CHECKS)

.PHONY: status verify plan release seed check
