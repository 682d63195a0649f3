/*
 * session.h
 *		What the engine sets aside of the calling session: its role, its
 *		snapshot, its settings.
 */
#ifndef TERRITORY_SESSION_H
#define TERRITORY_SESSION_H

#include "postgres.h"

#include "executor/spi.h"
#include "utils/rel.h"
#include "utils/snapshot.h"

/* The caller's role, while statements run as another one. */
typedef struct SessionRole
{
	Oid			user;
	int			security;
} SessionRole;

extern void session_become(SessionRole *saved, Oid role);
extern void session_restore_role(const SessionRole *saved);

/* The newest snapshot that this backend may take at this moment. */
extern Snapshot session_latest_snapshot(void);

/*
 * One SQL statement in an open SPI connection with the newest snapshot at
 * every isolation level, and all of the transaction's own changes visible.
 * expected is an SPI_OK_ code. Results are in SPI_processed, SPI_tuptable.
 */
extern void session_execute(const char *sql, int expected, int nargs,
							Oid *argtypes, Datum *values, const char *nulls);

/* likewise with a prepared plan */
extern void session_execute_plan(SPIPlanPtr plan, int expected,
								 Datum *values, const char *nulls);

/* A statement that is prepared at its first use and kept by the backend. */
typedef struct KeptStatement
{
	const char *sql;
	int			expected;
	int			nargs;
	Oid			argtypes[6];
	bool		looks_up;		/* finds rows by an index, however small the table is when it is planned */
	SPIPlanPtr	plan;			/* NULL at first */
	bool		planned;
} KeptStatement;

extern void session_execute_kept(KeptStatement *statement, Datum *values, const char *nulls);

/* likewise, but by the snapshot of the calling query: for functions that are STABLE */
extern void session_read_kept(KeptStatement *statement, Datum *values, const char *nulls);

/* The settings under which criteria are read and evaluated. */
typedef struct PinnedSettings
{
	char	   *time_zone;
	char	   *date_style;
} PinnedSettings;

/* what is pinned; flags */
#define PIN_TIME	0x01		/* TimeZone, DateStyle, IntervalStyle */
#define PIN_PATH	0x02		/* search_path */
#define PIN_JIT		0x08		/* none: compiling many long criteria takes minutes, and no cancel */
#define PIN_JOINS	0x10		/* by hash or merge: for queries over sets that have no statistics */
#define PIN_INDEXES	0x20		/* instead of reading whole tables: for plans that are kept while a table grows */
#define PIN_FORMAT	0x04		/* how constants are written: so that any session reads them alike */

extern int	session_pin(const PinnedSettings *settings, int what);
extern void session_unpin(int nest_level);

/* Is a dump being restored by somebody who may also switch triggers off? */
extern bool session_restoring(Oid relid);

#endif							/* TERRITORY_SESSION_H */
