/*
 * inherit.c
 *		The pairs that records have because of the record above them.
 *
 * A contact has all nodes of its parent, with their rules. In a family a record has
 * those of the top, or its own, as the object's family_mode says. Deals: deal.c.
 * What the record above has is what is stored of it, made by rules or by hand, so
 * chains of objects need no more than the pairs of the next one: whoever changes
 * these looks for the records below (follow.c).
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "base/catalog.h"
#include "base/lock.h"
#include "base/session.h"
#include "pair/pairs.h"
#include "pair/records.h"
#include "parent/deal.h"
#include "parent/family.h"
#include "parent/inherit.h"

/*
 * distinct_keys sorts the keys that count, gives each record the place of its own
 * among them, and returns their number.
 */
static int
distinct_keys(const ObjectInfo *above, const Datum *keys, const bool *counts, int count, int *group, Datum *distinct)
{
	Datum	   *listed = palloc(Max(count, 1) * sizeof(Datum));
	int		   *record = palloc(Max(count, 1) * sizeof(int));
	int			listed_count = 0;
	int			groups = 0;
	KeySet		set;

	for (int i = 0; i < count; i++)
	{
		group[i] = -1;
		if (!counts[i])
			continue;
		record[listed_count] = i;
		listed[listed_count++] = keys[i];
	}
	keyset_init(&set, above->key_type, above->key_collation, listed, listed_count);
	for (int i = 0; i < listed_count; i++)
	{
		if (i == 0 || keyset_compare(&set, distinct[groups - 1], keyset_at(&set, i)) != 0)
			distinct[groups++] = keyset_at(&set, i);
		group[record[set.order[i]]] = groups - 1;
	}
	return groups;
}

/*
 * hold_records holds the records above. Where one is not there, whoever adds such
 * records is waited for, and it is looked again (base/lock.c).
 */
static void
hold_records(const ObjectInfo *above, const Datum *keys, int count)
{
	if (count == 0 || records_hold(above, keys, count) == count)
		return;
	lock_newcomers_for_search(above->object);
	(void) records_hold(above, keys, count);
}

/*
 * load_above reads the attached table above.
 */
static void
load_above(const Ruleset *rules, ObjectInfo *above)
{
	SessionRole role;

	if (rules->object.above == rules->object.object)
	{
		*above = rules->object;
		return;
	}
	session_become(&role, catalog_owner());
	object_require(rules->object.above, above);
	session_restore_role(&role);
}

/*
 * read_pairs reads the stored pairs of the records above.
 */
static void
read_pairs(Inheritance *inheritance, int count, bool write)
{
	const ObjectInfo *above = &inheritance->above;
	const Datum *keys = inheritance->keys;
	PairAccess	access;
	bool	   *fresh = palloc0(Max(count, 1) * sizeof(bool));
	int			found = 0;
	int			next = 0;

	inheritance->begin = palloc((count + 1) * sizeof(int));
	if (count > 0 && !write)
		found = pairs_read(above, keys, count, &inheritance->pairs);
	else if (count > 0)
	{
		pairs_begin(&access, above, keys, count);
		found = pairs_fetch(&access, fresh, &inheritance->pairs);
		pairs_end(&access);
	}
	for (int group = 0; group <= count; group++)
	{
		while (next < found && inheritance->pairs[next].record < group)
			next++;
		inheritance->begin[group] = next;
	}
	if (inheritance->rules->object.kind == KIND_DEAL)
		deal_know_nodes(inheritance, inheritance->pairs, found);
}

/*
 * inherit_begin finds out what is above the records of a batch.
 */
Inheritance *
inherit_begin(Ruleset *rules, const Datum *keys, const Link *links, int count, InheritPurpose purpose)
{
	Inheritance *inheritance = palloc0(sizeof(Inheritance));
	Datum	   *above_keys = palloc(Max(count, 1) * sizeof(Datum));
	bool	   *has = palloc(Max(count, 1) * sizeof(bool));
	int			groups;

	inheritance->rules = rules;
	inheritance->links = links;
	inheritance->group = palloc(Max(count, 1) * sizeof(int));
	inheritance->keys = palloc(Max(count, 1) * sizeof(Datum));
	load_above(rules, &inheritance->above);
	for (int i = 0; i < count; i++)
	{
		above_keys[i] = links[i].key;
		has[i] = links[i].linked;
	}
	if (object_has_families(&rules->object))
		family_find_tops(rules, keys, links, count, purpose == INHERIT_HOLD, above_keys, has);
	groups = distinct_keys(&inheritance->above, above_keys, has, count, inheritance->group, inheritance->keys);
	if (purpose == INHERIT_HOLD && !object_has_families(&rules->object))
		hold_records(&inheritance->above, inheritance->keys, groups);
	read_pairs(inheritance, groups, purpose != INHERIT_READ);
	return inheritance;
}

/*
 * inherit_sees_above asks for the record above as the current role, with the policies
 * of its table.
 */
bool
inherit_sees_above(const Inheritance *inheritance)
{
	const ObjectInfo *above = &inheritance->above;
	Oid			types[1] = {above->key_type};

	session_execute(psprintf("SELECT FROM %s WHERE %s OPERATOR(pg_catalog.=) $1", catalog_qualified_name(above->object),
							 quote_identifier(NameStr(above->key_column))),
					SPI_OK_SELECT, 1, types, &inheritance->keys[0], NULL);
	return SPI_processed > 0;
}

/*
 * inherit_suppose puts other pairs in the place of those of the record above.
 */
void
inherit_suppose(Inheritance *inheritance, StoredPair *pairs, int count)
{
	inheritance->pairs = pairs;
	inheritance->begin[0] = 0;
	inheritance->begin[1] = count;
	if (inheritance->rules->object.kind == KIND_DEAL)
		deal_know_nodes(inheritance, pairs, count);
}

/*
 * append_inherited appends the pairs of the record above, less exclusions.
 */
static int
append_inherited(const Inheritance *inheritance, int group, Datum key, const Slice *excluded, PairList *wanted)
{
	int			before = wanted->count;

	for (int i = inheritance->begin[group]; i < inheritance->begin[group + 1]; i++)
	{
		const StoredPair *pair = &inheritance->pairs[i];

		if (!exclusion_covers(excluded->exclusions, excluded->count, pair->node_id))
			pair_append(wanted, key, pair->node_id, pair->rule_id, NULL);
	}
	return wanted->count - before;
}

/*
 * append_own appends what the record's own rules give it.
 */
static int
append_own(Ruleset *rules, Datum key, Match *matches, int count, PairList *wanted)
{
	count = match_select(rules, matches, count);
	for (int i = 0; i < count; i++)
		pair_append(wanted, key, rules->nodes[matches[i].node].id, matches[i].rule_id, NULL);
	return count;
}

/*
 * inherit_wanted appends the pairs that a record is to have.
 */
int
inherit_wanted(Inheritance *inheritance, int record, Datum key, Match *matches, int count,
			   const Slice *excluded, PairList *wanted)
{
	Ruleset    *rules = inheritance->rules;
	int			group = inheritance->group[record];
	int			own;

	if (rules->object.kind == KIND_DEAL)
		return deal_wanted(inheritance, record, key, matches, count, excluded, wanted);
	if (rules->object.kind == KIND_CONTACT)
		return group < 0 ? 0 : append_inherited(inheritance, group, key, excluded, wanted);
	if (group < 0)
		return append_own(rules, key, matches, count, wanted);
	own = rules->object.family_mode == FAMILY_ALL ? 0 : append_own(rules, key, matches, count, wanted);
	return own > 0 ? own : append_inherited(inheritance, group, key, excluded, wanted);
}

/*
 * inherit_hold holds records above that are left.
 */
void
inherit_hold(const Ruleset *rules, const Datum *keys, int count)
{
	ObjectInfo	above;
	int		   *group = palloc(Max(count, 1) * sizeof(int));
	Datum	   *distinct = palloc(Max(count, 1) * sizeof(Datum));
	bool	   *all = palloc(Max(count, 1) * sizeof(bool));
	int			groups;

	if (count == 0)
		return;
	load_above(rules, &above);
	memset(all, true, count * sizeof(bool));
	groups = distinct_keys(&above, keys, all, count, group, distinct);
	if (object_has_families(&rules->object))
		family_hold(rules, distinct, groups);
	else
		hold_records(&above, distinct, groups);
}
