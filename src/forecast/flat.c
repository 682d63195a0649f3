/*
 * flat.c
 *		The flat form of territory.rollup: reading and writing its entries.
 *
 * An entry is a RollupEntryHead, the sum as a plain numeric with a four-byte
 * header, and the payload of the path, padded with zeroes to MAXALIGN.
 */
#include "postgres.h"

#include "forecast/decimal.h"
#include "forecast/rollup.h"
#include "utils/memutils.h"

typedef struct RollupEntryHead
{
	int64		count;
	uint32		sum_size;
	uint32		path_size;
} RollupEntryHead;

StaticAssertDecl(sizeof(Rollup) == MAXALIGN(sizeof(Rollup)),
				 "entries of a rollup must be aligned");
StaticAssertDecl(sizeof(RollupEntryHead) == MAXALIGN(sizeof(RollupEntryHead)),
				 "the sum in an entry of a rollup must be aligned");

/*
 * rollup_from_datum returns the flat form of a value in any form, in line and
 * aligned, and refuses a version that is not ours.
 */
const Rollup *
rollup_from_datum(Datum datum)
{
	const Rollup *rollup = (const Rollup *) PG_DETOAST_DATUM(datum);

	if (VARSIZE(rollup) < sizeof(Rollup) || rollup->version != ROLLUP_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("stored territory.rollup is of an unknown version")));
	return rollup;
}

/*
 * rollup_first returns a cursor before the first entry.
 */
RollupCursor
rollup_first(const Rollup *rollup)
{
	RollupCursor cursor;

	cursor.next = (const char *) rollup + sizeof(Rollup);
	cursor.left = rollup->nentries;
	return cursor;
}

/*
 * item_size returns the bytes that an entry takes.
 */
static inline Size
item_size(const RollupItem *item)
{
	return MAXALIGN(sizeof(RollupEntryHead) + VARSIZE(item->sum) + item->path_size);
}

/*
 * rollup_next reads the next entry in tree order; false when there is none.
 */
bool
rollup_next(RollupCursor *cursor, RollupItem *item)
{
	const RollupEntryHead *head = (const RollupEntryHead *) cursor->next;

	if (cursor->left == 0)
		return false;

	item->count = head->count;
	item->sum = (Numeric) (cursor->next + sizeof(RollupEntryHead));
	item->path = (const char *) item->sum + head->sum_size;
	item->path_size = head->path_size;
	Assert(VARSIZE(item->sum) == head->sum_size);

	cursor->next += item_size(item);
	cursor->left--;
	return true;
}

/*
 * rollup_item_is_empty tells whether an item has neither a count nor a sum:
 * the flat form has no entry for it.
 */
bool
rollup_item_is_empty(const RollupItem *item)
{
	return item->count == 0 && decimal_is_zero(item->sum);
}

/*
 * rollup_size returns the bytes that a value of these items takes, and refuses
 * what no value can hold.
 */
Size
rollup_size(const RollupItem *items, uint32 nitems)
{
	Size		size = sizeof(Rollup);

	for (uint32 i = 0; i < nitems; i++)
	{
		size += item_size(&items[i]);
		if (!AllocSizeIsValid(size))
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("territory.rollup is too large"),
					 errdetail("A value cannot exceed %zu bytes.", (Size) MaxAllocSize)));
	}
	return size;
}

/*
 * write_item writes an entry into zeroed memory, and returns the place of the
 * next one.
 */
static char *
write_item(char *place, const RollupItem *item)
{
	RollupEntryHead *head = (RollupEntryHead *) place;
	char	   *sum = place + sizeof(RollupEntryHead);

	head->count = item->count;
	head->sum_size = VARSIZE(item->sum);
	head->path_size = item->path_size;
	memcpy(sum, item->sum, head->sum_size);
	memcpy(sum + head->sum_size, item->path, item->path_size);
	return place + item_size(item);
}

/*
 * rollup_write makes the memory at rollup the value of these items, which are
 * in tree order and not empty; the size is what rollup_size gave for them.
 */
void
rollup_write(Rollup *rollup, Size size, const RollupItem *items, uint32 nitems)
{
	char	   *place = (char *) rollup + sizeof(Rollup);

	memset(rollup, 0, size);
	SET_VARSIZE(rollup, size);
	rollup->version = ROLLUP_VERSION;
	rollup->nentries = nitems;
	for (uint32 i = 0; i < nitems; i++)
		place = write_item(place, &items[i]);
	Assert(place == (char *) rollup + size);
}

/*
 * rollup_from_items returns the value of these items, which are in tree order
 * and not empty, in the current context.
 */
Rollup *
rollup_from_items(const RollupItem *items, uint32 nitems)
{
	Size		size = rollup_size(items, nitems);
	Rollup	   *rollup = palloc(size);

	rollup_write(rollup, size, items, nitems);
	return rollup;
}

/*
 * rollup_path_compare returns -1, 0 or 1, in tree order, for two payloads.
 */
int
rollup_path_compare(const char *a, Size a_size, const char *b, Size b_size)
{
	int			order = memcmp(a, b, Min(a_size, b_size));

	if (order != 0)
		return order < 0 ? -1 : 1;
	return (a_size > b_size) - (a_size < b_size);
}

/*
 * rollup_path_contains tells whether payload a is an ancestor of b, or b.
 */
bool
rollup_path_contains(const char *a, Size a_size, const char *b, Size b_size)
{
	if (a_size == 0)
		return true;
	if (a_size > b_size || memcmp(a, b, a_size) != 0)
		return false;
	return a_size == b_size || b[a_size] == '\0';
}
