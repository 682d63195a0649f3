# territory: PostgreSQL extension for sales territory management.
#
#   make && make install     build and install (PGXS, needs the server's headers)
#   make installcheck        regression and isolation tests on a running server
#   make demo                the story in one command, on a cluster of its own
#   make check               all tests in one command, on clusters of their own
#   make check-long          the random tests ten times longer, an hour or so
#   make bench               the performance table, as ratios; CASES, RULES and other settings: test/bench/README.md
#   make fuzz                fuzzing of src/path, FUZZ_SECONDS (600) a target

EXTENSION = territory
# the control file is the one place that states the version
EXTVERSION = $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" territory.control)

MODULE_big = territory
SOURCES = $(wildcard src/*.c src/*/*.c)
OWN_HEADERS = $(wildcard src/*.h src/*/*.h)
OBJS = $(SOURCES:.c=.o)

EXTENSION_PARTS = $(sort $(wildcard sql/install/*.sql))
EXTENSION_SQL = sql/$(EXTENSION)--$(EXTVERSION).sql
DATA_built = $(EXTENSION_SQL)
DATA = $(wildcard sql/upgrade/*.sql)

REGRESS_ALL = $(basename $(notdir $(sort $(wildcard test/sql/*.sql))))
# "install" creates the extension for the others
REGRESS = install $(filter-out install,$(REGRESS_ALL))
REGRESS_OPTS = --inputdir=test --encoding=UTF8
ISOLATION = $(basename $(notdir $(sort $(wildcard test/isolation/specs/*.spec))))
# from 16 on the expected output is looked for in a place of its own
ISOLATION_OPTS = --inputdir=test/isolation --outputdir=test/isolation --load-extension=territory \
	$(if $(filter-out 15,$(MAJORVERSION)),--expecteddir=test/isolation)

PG_CPPFLAGS = -I$(srcdir)/src
PG_CFLAGS = -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers -Wno-cast-function-type
# our own symbols win over those of other extensions in the same backend
SHLIB_LINK = -Wl,-Bsymbolic
EXTRA_CLEAN = $(EXTENSION_SQL) test/isolation/output_iso test/isolation/results test/isolation/regression.diffs test/isolation/regression.out

# these goals need no PostgreSQL to begin with: they install what is missing and work on private clusters
OWN_GOALS = demo check check-long check-versions bench fuzz indent

ifneq ($(filter-out $(OWN_GOALS),$(or $(MAKECMDGOALS),all)),)
PG_CONFIG ?= pg_config
PGXS := $(wildcard $(shell $(PG_CONFIG) --pgxs 2>/dev/null))
ifneq ($(PGXS),)
include $(PGXS)
else
all install installcheck clean:
	@echo "$(PG_CONFIG) knows of no PostgreSQL headers: install them, or set PG_CONFIG (make demo and make check install them)" >&2; exit 1
endif
endif

$(OBJS): $(OWN_HEADERS)

$(EXTENSION_SQL): $(EXTENSION_PARTS) territory.control
	cat $(EXTENSION_PARTS) > $@

.PHONY: $(OWN_GOALS)

demo:
	@bash test/run/demo.sh

# PGXS has a target of this name too, which only says that it does nothing
ifneq ($(filter check,$(MAKECMDGOALS)),)
check:
	@bash test/run/check.sh
endif

# the random tests alone, longer
check-long:
	@bash test/run/check.sh long

# the other PostgreSQL versions alone
check-versions:
	@bash test/run/check.sh versions

bench:
	@bash test/bench/run.sh

fuzz:
	@bash test/fuzz/run.sh

indent:
	clang-format -i $(SOURCES) $(OWN_HEADERS) $(wildcard test/fuzz/*.[ch])
