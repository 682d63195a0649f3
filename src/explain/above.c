/*
 * above.c
 *		The record above one that is explained: of a contact or deal its parent, in
 *		families the top.
 *
 * Who may not read that, is shown no more of its pairs than the record has from it:
 * it is supposed to have what the record has by rules, so that the engine, asked with
 * this, gives the record what it has.
 */
#include "postgres.h"

#include "utils/lsyscache.h"

#include "base/attempt.h"
#include "base/session.h"
#include "explain/above.h"

/* What look works on. */
typedef struct Look
{
	const Inheritance *inheritance;
	bool		found;
} Look;

/*
 * look asks for a record as the current role.
 */
static void
look(void *arg)
{
	Look	   *work = arg;

	work->found = inherit_sees_above(work->inheritance);
}

/*
 * read_record finds out whether the record is there, and whether the caller may
 * read it.
 */
static void
read_record(Above *above)
{
	Look		work = {above->inheritance};
	SessionRole role;

	above->readable = attempt(look, &work, NULL) && work.found;
	session_become(&role, above->inheritance->above.owner);
	look(&work);
	session_restore_role(&role);
	above->there = work.found;
}

/*
 * take_pairs gives the record above some pairs.
 */
static void
take_pairs(Above *above, StoredPair *pairs, int count)
{
	inherit_suppose(above->inheritance, pairs, count);
	above->held = held_list(pairs, count);
}

/*
 * suppose_own lets the record above have the pairs that a record has by rules, in the
 * place of its own.
 */
static void
suppose_own(Above *above, const StoredPair *pairs, int count)
{
	above->stored = palloc(Max(count, 1) * sizeof(StoredPair));
	above->stored_count = 0;
	for (int i = 0; i < count; i++)
	{
		StoredPair	pair = pairs[i];

		if (pair.manual && pair.rule_id == 0)
			continue;
		pair.manual = false;
		above->stored[above->stored_count++] = pair;
	}
	take_pairs(above, above->stored, above->stored_count);
}

/*
 * above_read finds the record above.
 */
void
above_read(Above *above, Ruleset *rules, Datum key, const StoredPair *pairs, int count)
{
	Inheritance *inheritance = inherit_begin(rules, &key, above->link, 1, INHERIT_READ);
	Oid			output;
	bool		varlena;

	above->inheritance = inheritance;
	above->closed = above->link->closed;
	above->named = inheritance->group[0] >= 0;
	if (!above->named)
		return;
	above->stored = inheritance->pairs;
	above->stored_count = inheritance->begin[1];
	above->held = held_list(above->stored, above->stored_count);
	read_record(above);
	if (above_is_hidden(above))
		suppose_own(above, pairs, count);
	getTypeOutputInfo(inheritance->above.key_type, &output, &varlena);
	if (above->readable || !object_has_families(&rules->object))
		above->key = OidOutputFunctionCall(output, inheritance->keys[0]);
}

void
above_suppose(Above *above, StoredPair *pairs, int count)
{
	take_pairs(above, pairs, count);
	above->supposed = true;
}

void
above_restore(Above *above)
{
	take_pairs(above, above->stored, above->stored_count);
	above->supposed = false;
}
