/*
 * compat.h
 *		Every difference between the PostgreSQL versions that we support, 15 to 18.
 *
 * Code is written for the newest server; this header gives older ones the
 * newer names. No other file looks at PG_VERSION_NUM.
 */
#ifndef TERRITORY_COMPAT_H
#define TERRITORY_COMPAT_H

#include "postgres.h"

#if PG_VERSION_NUM < 150000
#error "territory needs PostgreSQL 15 or newer"
#endif

#include "nodes/nodes.h"

/*
 * Soft errors (16): input functions report through an error context. Before
 * 16 there is none, and every error is a hard one.
 */
#if PG_VERSION_NUM < 160000
#define ereturn(escontext, dummy_value, ...) \
	do { (void) (escontext); ereport(ERROR, __VA_ARGS__); return dummy_value; } while (0)
#define errsave(escontext, ...) \
	do { (void) (escontext); ereport(ERROR, __VA_ARGS__); } while (0)
#define SOFT_ERROR_OCCURRED(escontext) (false)
#else
#include "nodes/miscnodes.h"
#endif

/*
 * The cursor width of a multibyte character never passes the end of the
 * text: pg_mblen_with_len is new with the fix of CVE-2026-2006, and absent
 * from older minor releases.
 */

#endif							/* TERRITORY_COMPAT_H */
