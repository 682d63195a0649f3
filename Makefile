# territory: PostgreSQL extension for sales territory management.
#
#   make && make install     build and install (PGXS, needs the server's headers)
#   make installcheck        regression and isolation tests on a running server
#   make demo                the story in one command, on a cluster of its own
#   make check               all tests in one command, on clusters of their own
#   make bench               the performance table, as ratios

EXTENSION = territory
# the control file is the one place that states the version
EXTVERSION = $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" territory.control)

MODULE_big = territory
SOURCES = $(wildcard src/*.c src/*/*.c)
HEADERS_OWN = $(wildcard src/*.h src/*/*.h)
OBJS = $(SOURCES:.c=.o)

INSTALL_PARTS = $(sort $(wildcard sql/install/*.sql))
INSTALL_SCRIPT = sql/$(EXTENSION)--$(EXTVERSION).sql
DATA_built = $(INSTALL_SCRIPT)
DATA = $(wildcard sql/upgrade/*.sql)

REGRESS_ALL = $(basename $(notdir $(sort $(wildcard test/sql/*.sql))))
# "install" creates the extension for the others
REGRESS = install $(filter-out install,$(REGRESS_ALL))
REGRESS_OPTS = --inputdir=test
ISOLATION = $(basename $(notdir $(sort $(wildcard test/isolation/specs/*.spec))))
ISOLATION_OPTS = --inputdir=test/isolation --outputdir=test/isolation --load-extension=territory
TAP_TESTS = 1

PG_CPPFLAGS = -I$(srcdir)/src
PG_CFLAGS = -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers -Wno-cast-function-type
# our own symbols win over those of other extensions in the same backend
SHLIB_LINK = -Wl,-Bsymbolic
EXTRA_CLEAN = $(INSTALL_SCRIPT) test/isolation/output_iso test/isolation/results

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
ifneq ($(PGXS),)
include $(PGXS)
endif

$(OBJS): $(HEADERS_OWN)

$(INSTALL_SCRIPT): $(INSTALL_PARTS) territory.control
	cat $(INSTALL_PARTS) > $@
