/*
 * above.c
 *		The record above one that is explained: of a contact or deal its parent, in
 *		families the top.
 *
 * Its pairs are shown to whoever may read the record that has them from it; what
 * else is known of it, only to whoever may read it.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "base/attempt.h"
#include "base/catalog.h"
#include "base/session.h"
#include "explain/above.h"

/* What look works on. */
typedef struct Look
{
	const ObjectInfo *object;
	Datum		key;
	bool		found;
} Look;

/*
 * look asks for a record as the current role.
 */
static void
look(void *arg)
{
	Look	   *work = arg;
	Oid			types[1] = {work->object->key_type};

	session_execute(psprintf("SELECT FROM %s WHERE %s OPERATOR(pg_catalog.=) $1",
							 catalog_qualified_name(work->object->object),
							 quote_identifier(NameStr(work->object->key_column))),
					SPI_OK_SELECT, 1, types, &work->key, NULL);
	work->found = SPI_processed > 0;
}

/*
 * read_record finds out whether the record is there, and whether the caller may
 * read it.
 */
static void
read_record(Above *above, Look *work)
{
	SessionRole role;

	above->readable = attempt(look, work, NULL) && work->found;
	session_become(&role, work->object->owner);
	look(work);
	session_restore_role(&role);
	above->there = work->found;
}

/*
 * above_read finds the record above.
 */
void
above_read(Above *above, Ruleset *rules, Datum key)
{
	Inheritance *inheritance = inherit_begin(rules, &key, above->link, 1, INHERIT_READ);
	Look		work = {&inheritance->above};
	Oid			output;
	bool		varlena;

	above->inheritance = inheritance;
	above->closed = above->link->closed;
	above->named = inheritance->group[0] >= 0;
	if (!above->named)
		return;
	work.key = inheritance->keys[0];
	above->stored = inheritance->pairs;
	above->stored_count = inheritance->begin[1];
	above->held = held_list(above->stored, above->stored_count);
	read_record(above, &work);
	getTypeOutputInfo(inheritance->above.key_type, &output, &varlena);
	if (above->readable || !object_has_families(&rules->object))
		above->key = OidOutputFunctionCall(output, work.key);
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
