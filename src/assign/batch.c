/*
 * batch.c
 *		A batch of records: evaluated one by one, written in one go.
 *
 * Whatever makes records be evaluated (a trigger, a run, a changed rule) goes
 * through here, so that all of them give the same answer: the nodes that match
 * (rule/match.c), less exclusions, narrowed by the object's mode, compared with
 * what is stored. Where records depend on others, the pairs of those count too
 * (inherit.c), and who depends on the records is evaluated next (follow.c). Only
 * differences are written. A pair that is both manual and
 * rule-made stays until it is neither; an exclusion removes both.
 */
#include "postgres.h"

#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rls.h"

#include "assign/batch.h"
#include "assign/follow.h"
#include "base/lock.h"
#include "check/check.h"
#include "pair/exclusion.h"
#include "pair/pairs.h"
#include "parent/deal.h"
#include "parent/inherit.h"
#include "parent/kin.h"

/*
 * batch_begin readies a batch for the records of an object.
 */
void
batch_begin(Batch *batch, Oid object, int capacity)
{
	memset(batch, 0, sizeof(Batch));
	batch->capacity = capacity;
	batch->rules = ruleset_acquire(object);
	get_typlenbyval(batch->rules->object.key_type, &batch->key_length, &batch->key_by_value);
	batch->context = AllocSetContextCreate(CurrentMemoryContext, "territory batch",
										   ALLOCSET_DEFAULT_SIZES);
}

/*
 * batch_end gives everything back; what was not written is dropped.
 */
void
batch_end(Batch *batch)
{
	if (batch->rules == NULL)
		return;
	ruleset_release(batch->rules);
	batch->rules = NULL;
	MemoryContextDelete(batch->context);
}

/*
 * reserve_record makes room for one more record: for few at first, since most
 * statements touch one.
 */
static void
reserve_record(Batch *batch)
{
	Assert(batch->count < batch->capacity);
	if (batch->count < batch->room)
		return;
	if (batch->room == 0)
	{
		batch->room = Min(8, batch->capacity);
		batch->keys = palloc(batch->room * sizeof(Datum));
		batch->fresh = palloc(batch->room * sizeof(bool));
		batch->flags = palloc(batch->room * sizeof(uint8));
		if (batch->rules->link)
			batch->links = palloc(batch->room * sizeof(Link));
		batch->end = palloc(batch->room * sizeof(int));
		batch->match_room = batch->room;
		batch->matches = palloc(batch->match_room * sizeof(Match));
		return;
	}
	batch->room = Min(batch->room * 4, batch->capacity);
	batch->keys = repalloc(batch->keys, batch->room * sizeof(Datum));
	batch->fresh = repalloc(batch->fresh, batch->room * sizeof(bool));
	batch->flags = repalloc(batch->flags, batch->room * sizeof(uint8));
	if (batch->rules->link)
		batch->links = repalloc(batch->links, batch->room * sizeof(Link));
	batch->end = repalloc(batch->end, batch->room * sizeof(int));
}

/*
 * keep_key copies a key; one that is stored apart, or packed, in full.
 */
static Datum
keep_key(const Batch *batch, Datum key)
{
	if (batch->key_length == -1)
		return PointerGetDatum(PG_DETOAST_DATUM_COPY(key));
	return datumCopy(key, batch->key_by_value, batch->key_length);
}

/*
 * keep_matches appends the rule set's matches of the last row.
 */
static void
keep_matches(Batch *batch, int count)
{
	int			begin = batch->count == 0 ? 0 : batch->end[batch->count - 1];

	if (begin + count > batch->match_room)
	{
		batch->match_room = Max(batch->match_room * 2, begin + count);
		batch->matches = repalloc_huge(batch->matches, batch->match_room * sizeof(Match));
	}
	memcpy(batch->matches + begin, batch->rules->matches, count * sizeof(Match));
	batch->end[batch->count] = begin + count;
}

/*
 * batch_add evaluates a record. The caller brackets calls by match_begin and
 * match_end, and writes the batch when it is full.
 */
void
batch_add(Batch *batch, TupleTableSlot *slot, int flags)
{
	const ObjectInfo *object = &batch->rules->object;
	MemoryContext old = MemoryContextSwitchTo(batch->context);
	bool		isnull;
	Datum		key = slot_getattr(slot, object->key_attno, &isnull);

	reserve_record(batch);
	if (!isnull)
	{
		keep_matches(batch, match_row(batch->rules, slot));
		batch->keys[batch->count] = keep_key(batch, key);
		/* a new record that depends on others may have been evaluated on their account */
		batch->fresh[batch->count] = (flags & RECORD_FRESH) != 0 && batch->links == NULL;
		batch->flags[batch->count] = flags;
		if (batch->links)
			batch->links[batch->count] = link_read(batch->rules, slot);
		batch->count++;
	}
	MemoryContextSwitchTo(old);
}

/*
 * batch_add_one evaluates a record outside of any bracket.
 */
void
batch_add_one(Batch *batch, TupleTableSlot *slot, int flags)
{
	MatchScope	scope;

	match_begin(&scope, batch->rules);
	PG_TRY();
	{
		batch_add(batch, slot, flags);
	}
	PG_FINALLY();
	{
		match_end(&scope);
	}
	PG_END_TRY();
}

/*
 * batch_has_doubles tells whether a record is in the batch more than once.
 */
bool
batch_has_doubles(const Batch *batch)
{
	const ObjectInfo *object = &batch->rules->object;
	KeySet		keys;

	if (batch->count < 2)
		return false;
	keyset_init(&keys, object->key_type, object->key_collation, batch->keys, batch->count);
	pfree(keys.order);
	return keys.doubled;
}

/*
 * batch_clear empties the batch.
 */
void
batch_clear(Batch *batch)
{
	batch->count = 0;
	batch->room = 0;
	batch->links = NULL;
	MemoryContextReset(batch->context);
}

static int
compare_nodes(const void *a, const void *b)
{
	int32		x = ((const Pair *) a)->node_id;
	int32		y = ((const Pair *) b)->node_id;

	return (x > y) - (x < y);
}

/*
 * wanted_pairs makes the pairs that a record should have by its rules, and by what
 * is above it, by node id, and returns their number.
 */
static int
wanted_pairs(Batch *batch, int record, Inheritance *inheritance, const Slice *excluded, PairList *wanted)
{
	Ruleset    *rules = batch->rules;
	int			begin = record == 0 ? 0 : batch->end[record - 1];
	Match	   *matches = batch->matches + begin;
	int			count = batch->end[record] - begin;

	wanted->count = 0;
	count = exclusion_apply(rules, matches, count, excluded->exclusions, excluded->count);
	if (inheritance != NULL)
		count = inherit_wanted(inheritance, record, batch->keys[record], matches, count, excluded, wanted);
	else
	{
		count = match_select(rules, matches, count);
		for (int i = 0; i < count; i++)
			pair_append(wanted, batch->keys[record], rules->nodes[matches[i].node].id, matches[i].rule_id, NULL);
	}
	if (count > 1)
		qsort(wanted->pairs, count, sizeof(Pair), compare_nodes);
	return count;
}

/*
 * lose_pair notes that the rules no longer give a stored pair.
 */
static void
lose_pair(Datum key, const StoredPair *pair, const Slice *excluded, Difference *difference)
{
	if (!pair->manual || exclusion_covers(excluded->exclusions, excluded->count, pair->node_id))
		pair_append(&difference->deleted, key, pair->node_id, 0, pair);
	else if (pair->rule_id != 0)
		pair_append(&difference->changed, key, pair->node_id, 0, pair)->manual = true;
}

/*
 * size_of counts the pairs of a difference.
 */
static int
size_of(const Difference *difference)
{
	return difference->inserted.count + difference->deleted.count + difference->changed.count;
}

/*
 * compare_record compares the wanted pairs of a record with its stored ones,
 * both by node id; tells whether there is a difference.
 */
static bool
compare_record(Datum key, const Pair *wanted, int wanted_count,
			   const StoredPair *stored, int stored_count,
			   const Slice *excluded, Difference *difference)
{
	int			w = 0;
	int			s = 0;
	int			before = size_of(difference);

	while (w < wanted_count || s < stored_count)
	{
		if (s == stored_count || (w < wanted_count && wanted[w].node_id < stored[s].node_id))
		{
			pair_append(&difference->inserted, key, wanted[w].node_id, wanted[w].rule_id, NULL);
			w++;
		}
		else if (w == wanted_count || stored[s].node_id < wanted[w].node_id)
			lose_pair(key, &stored[s++], excluded, difference);
		else
		{
			if (stored[s].rule_id != wanted[w].rule_id)
				pair_append(&difference->changed, key, wanted[w].node_id, wanted[w].rule_id,
							&stored[s])->manual = stored[s].manual;
			w++;
			s++;
		}
	}
	return size_of(difference) > before;
}

/* How much a difference had before a record was added to it. */
typedef struct Before
{
	int			inserted;
	int			deleted;
} Before;

/*
 * note_record notes what of a record checks may look at, from what was stored and
 * what its part of the difference does to that.
 */
static void
note_record(const CheckNeeds *needs, const ObjectInfo *object, Datum key, const StoredPair *stored, int stored_count,
			const Difference *difference, Before *before)
{
	int			inserted = difference->inserted.count - before->inserted;
	int			count = stored_count + inserted - (difference->deleted.count - before->deleted);
	int			by_hand = 0;	/* of whichever model */

	if (needs->nodes || needs->amounts || needs->arrivals)
	{
		for (int i = 0; i < inserted; i++)
			check_note_node(object->object, difference->inserted.pairs[before->inserted + i].node_id);
	}
	for (int i = 0; needs->amounts && i < stored_count; i++)
		check_note_node(object->object, stored[i].node_id);
	for (int i = 0; needs->homeless && i < stored_count; i++)
		by_hand += stored[i].manual;
	if (needs->records || count > needs->most_nodes || (needs->homeless && count <= by_hand))
		check_note_record(object, key);
	before->inserted = difference->inserted.count;
	before->deleted = difference->deleted.count;
}

/*
 * find_difference compares the batch with what is stored.
 */
static void
find_difference(Batch *batch, PairAccess *access, Inheritance *inheritance, Difference *difference)
{
	const ObjectInfo *object = &batch->rules->object;
	PairList	wanted = {0};
	StoredPair *stored;
	int			stored_count = pairs_fetch(access, batch->fresh, &stored);
	int			next_stored = 0;
	Exclusion  *exclusions = NULL;
	int			exclusion_count = 0;
	int			next_exclusion = 0;
	const CheckNeeds *needs = check_needs(object->object);
	Before		before = {0, 0};

	if (exclusion_any(object->object))
		exclusion_count = exclusion_fetch(object, batch->keys, batch->count, &exclusions);
	if (object->kind == KIND_DEAL)
		deal_know_nodes(inheritance, stored, stored_count);
	for (int i = 0; i < batch->count; i++)
	{
		int			first_stored = next_stored;
		int			first_exclusion = next_exclusion;
		Slice		excluded;
		int			count;

		while (next_stored < stored_count && stored[next_stored].record == i)
			next_stored++;
		while (next_exclusion < exclusion_count && exclusions[next_exclusion].record == i)
			next_exclusion++;
		excluded.exclusions = exclusions + first_exclusion;
		excluded.count = next_exclusion - first_exclusion;
		count = wanted_pairs(batch, i, inheritance, &excluded, &wanted);
		if (object->kind == KIND_DEAL)
		{
			(void) deal_settle(inheritance, i, batch->keys[i], (batch->flags[i] & RECORD_KEEPS) != 0,
							   stored + first_stored, next_stored - first_stored, &excluded, &wanted);
			count = wanted.count;
		}
		if (compare_record(batch->keys[i], wanted.pairs, count, stored + first_stored,
						   next_stored - first_stored, &excluded, difference))
			batch->flags[i] |= RECORD_CHANGED;
		if (needs->any)
			note_record(needs, object, batch->keys[i], stored + first_stored, next_stored - first_stored,
						difference, &before);
	}
}

/*
 * look_above finds out what is above the records; NULL where they depend on no
 * others. The records above are held first, unless nobody else can write the batch's.
 */
static Inheritance *
look_above(Batch *batch)
{
	bool		held = batch->follows || lock_object_is_mine(batch->rules->object.object);
	Inheritance *inheritance;

	if (batch->links == NULL)
		return NULL;
	inheritance = inherit_begin(batch->rules, batch->keys, batch->links, batch->count,
								held ? INHERIT_WRITE : INHERIT_HOLD);
	for (int i = 0; i < batch->count; i++)
	{
		if (inheritance->group[i] < 0)
			batch->flags[i] |= RECORD_TOP;
	}
	return inheritance;
}

/*
 * batch_write writes what differs, has those below follow, and empties the batch.
 */
void
batch_write(Batch *batch)
{
	Difference	difference = {{0}};
	Inheritance *inheritance;
	PairAccess	access;
	MemoryContext old;

	CHECK_FOR_INTERRUPTS();
	if (batch->count == 0)
		return;
	old = MemoryContextSwitchTo(batch->context);
	inheritance = look_above(batch);
	pairs_begin(&access, &batch->rules->object, batch->keys, batch->count);
	find_difference(batch, &access, inheritance, &difference);
	pairs_write(&access, &difference);
	pairs_end(&access);
	follow_batch(batch);
	batch->counts.records += batch->count;
	batch->counts.added += difference.inserted.count;
	batch->counts.removed += difference.deleted.count;
	MemoryContextSwitchTo(old);
	batch_clear(batch);
}

/*
 * match_bracketed matches one row, and reads its link.
 */
static int
match_bracketed(Ruleset *rules, TupleTableSlot *slot, Link *link)
{
	MatchScope	scope;
	volatile int count = 0;

	match_begin(&scope, rules);
	PG_TRY();
	{
		count = match_row(rules, slot);
		if (rules->link)
			*link = link_read(rules, slot);
	}
	PG_FINALLY();
	{
		match_end(&scope);
	}
	PG_END_TRY();
	return count;
}

/*
 * may_read_above tells whether the caller may know of the pairs of the record above.
 * Without row-level security it takes no more than the right to read the table.
 */
static bool
may_read_above(const Inheritance *inheritance)
{
	Oid			above = inheritance->above.object;

	if (check_enable_rls(above, InvalidOid, true) != RLS_ENABLED &&
		pg_class_aclcheck(above, GetUserId(), ACL_SELECT) == ACLCHECK_OK)
		return true;
	return inherit_sees_above(inheritance);
}

/*
 * preview_above reads what is above one record. One that the caller cannot read has no
 * pairs to him.
 */
static Inheritance *
preview_above(Ruleset *rules, Datum key, const Link *link)
{
	Inheritance *inheritance = inherit_begin(rules, &key, link, 1, INHERIT_READ);

	if (inheritance->group[0] >= 0 && !may_read_above(inheritance))
		inherit_suppose(inheritance, NULL, 0);
	return inheritance;
}

/*
 * batch_preview tells what one record would get: the nodes, each with its rule.
 */
int
batch_preview(Ruleset *rules, TupleTableSlot *slot, Pair **pairs)
{
	Batch		batch = {.rules = rules,.count = 1};
	Inheritance *inheritance = NULL;
	Exclusion  *exclusions = NULL;
	Slice		excluded = {NULL, 0};
	PairList	wanted = {0};
	Link		link = {0};
	bool		isnull;
	Datum		key = slot_getattr(slot, rules->object.key_attno, &isnull);
	int			count = match_bracketed(rules, slot, &link);

	batch.keys = &key;
	batch.end = &count;
	batch.matches = palloc(Max(count, 1) * sizeof(Match));
	memcpy(batch.matches, rules->matches, count * sizeof(Match));
	if (isnull && object_has_families(&rules->object))
		link.linked = false;
	if (!isnull && exclusion_any(rules->object.object))
		excluded.count = exclusion_fetch(&rules->object, &key, 1, &exclusions);
	excluded.exclusions = exclusions;
	if (rules->link)
		inheritance = preview_above(rules, key, &link);
	count = wanted_pairs(&batch, 0, inheritance, &excluded, &wanted);
	*pairs = wanted.pairs;
	return count;
}
