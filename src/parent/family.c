/*
 * family.c
 *		The tops of families: records of one table that stand below one another.
 *
 * The ways up of a batch of records are walked together, a level a query; what was
 * met is kept in a hash table. The top is the last record that is there: one that
 * names no other, or one that is not there. A way that runs into a circle has no
 * top; such a record stands by itself.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "utils/typcache.h"

#include "base/lock.h"
#include "pair/records.h"
#include "parent/family.h"

/* A record that was met. */
typedef struct Member
{
	Datum		key;
	bool		there;
	bool		linked;
	Datum		above;
	bool		topped;			/* its top is known */
	Datum		top;
	char		status;
} Member;

/* How keys are told apart. */
typedef struct KeyKind
{
	TypeCacheEntry *type;
	Oid			collation;
} KeyKind;

static uint32
hash_key(const KeyKind *kind, Datum key)
{
	return DatumGetUInt32(FunctionCall1Coll(&kind->type->hash_proc_finfo, kind->collation, key));
}

static bool
equal_keys(const KeyKind *kind, Datum a, Datum b)
{
	return DatumGetBool(FunctionCall2Coll(&kind->type->eq_opr_finfo, kind->collation, a, b));
}

#define SH_PREFIX		members
#define SH_ELEMENT_TYPE	Member
#define SH_KEY_TYPE		Datum
#define SH_KEY			key
#define SH_HASH_KEY(tb, k) hash_key((tb)->private_data, k)
#define SH_EQUAL(tb, a, b) equal_keys((tb)->private_data, a, b)
#define SH_SCOPE		static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

typedef struct Walk
{
	const Ruleset *rules;
	KeyKind		kind;
	members_hash *met;
	bool		hold;
	int			count;			/* of the next level */
	int			room;
	Datum	   *next;
} Walk;

/*
 * begin_walk readies a walk.
 */
static void
begin_walk(Walk *walk, const Ruleset *rules, int count, bool hold)
{
	walk->rules = rules;
	walk->kind.type = lookup_type_cache(rules->object.key_type, TYPECACHE_HASH_PROC_FINFO | TYPECACHE_EQ_OPR_FINFO);
	walk->kind.collation = rules->object.key_collation;
	walk->met = members_create(CurrentMemoryContext, Max(count, 8), &walk->kind);
	walk->hold = hold;
	walk->count = 0;
	walk->room = Max(count, 8);
	walk->next = palloc(walk->room * sizeof(Datum));
}

/*
 * go_to notes a record that is to be read, unless it was met.
 */
static void
go_to(Walk *walk, Datum key)
{
	bool		known;
	Member	   *member = members_insert(walk->met, key, &known);

	if (known)
		return;
	member->there = member->linked = member->topped = false;
	if (walk->count == walk->room)
		walk->next = repalloc(walk->next, (walk->room *= 2) * sizeof(Datum));
	walk->next[walk->count++] = key;
}

/*
 * note_rows takes the rows of a level in and frees them; returns their number.
 */
static int
note_rows(Walk *walk, SPITupleTable *rows)
{
	int			count = (int) rows->numvals;

	for (uint64 i = 0; i < rows->numvals; i++)
	{
		bool		isnull;
		Datum		key = SPI_getbinval(rows->vals[i], rows->tupdesc, 1, &isnull);
		Member	   *member = members_lookup(walk->met, key);
		Datum		link = SPI_getbinval(rows->vals[i], rows->tupdesc, 2, &isnull);

		if (member == NULL)
			continue;
		member->there = true;
		member->linked = !isnull && link_key(walk->rules, link, &member->above);
	}
	SPI_freetuptable(rows);
	return count;
}

/*
 * climb reads levels until there are none. Where a record is not there, whoever
 * adds one is waited for, and it is looked again (base/lock.c).
 */
static void
climb(Walk *walk)
{
	const ObjectInfo *object = &walk->rules->object;

	while (walk->count > 0)
	{
		int			count = walk->count;
		Datum	   *keys = walk->next;

		walk->next = palloc(walk->room * sizeof(Datum));
		walk->count = 0;
		if (note_rows(walk, records_read_links(object, keys, count, walk->hold)) < count && walk->hold)
		{
			lock_newcomers_for_search(object->object);
			(void) note_rows(walk, records_read_links(object, keys, count, true));
		}
		for (int i = 0; i < count; i++)
		{
			Member		member = *members_lookup(walk->met, keys[i]);

			if (member.there && member.linked)
				go_to(walk, member.above);
		}
		pfree(keys);
	}
}

/*
 * next_up returns the record that stands above one, or NULL.
 */
static Member *
next_up(const Walk *walk, const Member *member)
{
	Member	   *above = member->linked ? members_lookup(walk->met, member->above) : NULL;

	return above != NULL && above->there ? above : NULL;
}

/*
 * find_top goes up from a record as far as there are records, and lets those on the
 * way know what it found. Who stands above himself, at whatever distance, is his own
 * top.
 */
static Datum
find_top(const Walk *walk, Datum key)
{
	Member	   *first = members_lookup(walk->met, key);
	Member	   *last = first;
	Member	   *above;
	Datum		top;

	for (uint32 steps = 0; !last->topped && (above = next_up(walk, last)) != NULL; steps++)
	{
		if (steps > walk->met->members)
			return key;
		last = above;
	}
	top = last->topped ? last->top : last->key;
	for (Member *member = first; member != NULL && !member->topped; member = next_up(walk, member))
	{
		member->topped = true;
		member->top = top;
	}
	return top;
}

/*
 * family_find_tops finds the top of each record's family.
 */
void
family_find_tops(const Ruleset *rules, const Datum *keys, const Link *links, int count,
				 bool hold, Datum *tops, bool *has_top)
{
	Walk		walk;

	begin_walk(&walk, rules, count, hold);
	for (int i = 0; i < count; i++)
	{
		bool		known;
		Member	   *member = members_insert(walk.met, keys[i], &known);

		member->there = true;
		member->topped = false;
		member->linked = links[i].linked;
		member->above = links[i].key;
	}
	for (int i = 0; i < count; i++)
	{
		if (links[i].linked)
			go_to(&walk, links[i].key);
	}
	climb(&walk);
	for (int i = 0; i < count; i++)
	{
		tops[i] = find_top(&walk, keys[i]);
		has_top[i] = !equal_keys(&walk.kind, tops[i], keys[i]);
	}
}

/*
 * family_hold holds the records from these on up.
 */
void
family_hold(const Ruleset *rules, const Datum *keys, int count)
{
	Walk		walk;

	begin_walk(&walk, rules, count, true);
	for (int i = 0; i < count; i++)
		go_to(&walk, keys[i]);
	climb(&walk);
}
