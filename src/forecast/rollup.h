/*
 * rollup.h
 *		The type territory.rollup: a sparse tree of (count, sum) per path.
 *
 * It has two forms. The flat one, which is stored, is a varlena of entries in
 * tree order, one for each path that has a count or a sum other than 0. The
 * expanded one, in which aggregates count many rows, is a hash table by path.
 * All other functions work on the flat form.
 */
#ifndef TERRITORY_ROLLUP_H
#define TERRITORY_ROLLUP_H

#include "postgres.h"

#include "compat.h"
#include "fmgr.h"
#include "utils/expandeddatum.h"
#include "utils/numeric.h"

#define ROLLUP_VERSION		1

/*
 * The flat form; aligned as double, so that counts and sums are read in place.
 */
typedef struct Rollup
{
	int32		vl_len_;		/* varlena header, do not touch */
	uint8		version;		/* ROLLUP_VERSION */
	uint8		unused[3];
	uint32		nentries;
	uint32		unused2;
	/* entries follow, each MAXALIGNed, see flat.c */
} Rollup;

/* one entry, as a reader sees it; the pointers lead into the value */
typedef struct RollupItem
{
	const char *path;			/* payload of a territory */
	Size		path_size;
	int64		count;
	Numeric		sum;
} RollupItem;

/* a place in a flat rollup */
typedef struct RollupCursor
{
	const char *next;
	uint32		left;
} RollupCursor;

/* the expanded form; its contents are private to expanded.c */
typedef struct ExpandedRollup ExpandedRollup;

#define PG_GETARG_ROLLUP_P(n)	rollup_from_datum(PG_GETARG_DATUM(n))

/* flat.c */
extern const Rollup *rollup_from_datum(Datum datum);
extern RollupCursor rollup_first(const Rollup *rollup);
extern bool rollup_next(RollupCursor *cursor, RollupItem *item);
extern bool rollup_item_is_empty(const RollupItem *item);
extern Size rollup_size(const RollupItem *items, uint32 nitems);
extern void rollup_write(Rollup *rollup, Size size, const RollupItem *items, uint32 nitems);
extern Rollup *rollup_from_items(const RollupItem *items, uint32 nitems);
extern int	rollup_path_compare(const char *a, Size a_size, const char *b, Size b_size);
extern bool rollup_path_contains(const char *a, Size a_size, const char *b, Size b_size);

/* merge.c */
extern Rollup *rollup_merge(const Rollup *a, const Rollup *b, bool subtract);
extern int64 rollup_add_counts(int64 a, int64 b);

/* expanded.c */
extern ExpandedRollup *expanded_rollup_create(MemoryContext parent);
extern ExpandedRollup *expanded_rollup_from_datum(Datum datum, MemoryContext parent);
extern Datum expanded_rollup_datum(ExpandedRollup *rollup);
extern Rollup *expanded_rollup_flatten(ExpandedRollup *rollup);
extern bool expanded_rollup_insert(ExpandedRollup *rollup, const RollupItem *item);
extern void expanded_rollup_count(ExpandedRollup *rollup, const char *path, Size path_size,
								  Datum amount);
extern void expanded_rollup_add(ExpandedRollup *rollup, const Rollup *other);

#endif							/* TERRITORY_ROLLUP_H */
