/*
 * follow.c
 *		Records follow when the pairs of the record above them change.
 *
 * When a batch of records has been written, those that depend on the records whose
 * pairs have changed are found by a query for their keys (so the column that holds
 * them should have an index), evaluated in batches of their own, and so on down the
 * chain of objects. In a family all below a changed record are found at once; those
 * below a record whose place has changed too.
 *
 * Nobody may be writing records that depend on the changed ones meanwhile, unseen:
 * so these are seized first (base/lock.c).
 */
#include "postgres.h"

#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "assign/follow.h"
#include "assign/run.h"
#include "base/catalog.h"
#include "base/lock.h"
#include "base/session.h"
#include "history/cause.h"
#include "pair/keyset.h"
#include "pair/records.h"
#include "parent/kin.h"

/* Keys of changed records. */
typedef struct ChangedKeys
{
	int			count;
	Datum	   *keys;
} ChangedKeys;

/*
 * follow_needed tells whether anything depends on an object's records.
 */
bool
follow_needed(const ObjectInfo *object)
{
	return object_has_families(object) || kin_children(object->object) != NIL;
}

/*
 * sort_keys sorts keys and leaves each once.
 */
static void
sort_keys(const ObjectInfo *object, ChangedKeys *changed)
{
	Datum	   *sorted = palloc(Max(changed->count, 1) * sizeof(Datum));
	int			count = 0;
	KeySet		set;

	keyset_init(&set, object->key_type, object->key_collation, changed->keys, changed->count);
	for (int i = 0; i < changed->count; i++)
	{
		if (count == 0 || keyset_compare(&set, sorted[count - 1], keyset_at(&set, i)) != 0)
			sorted[count++] = keyset_at(&set, i);
	}
	changed->keys = sorted;
	changed->count = count;
}

/*
 * seize keeps others from writing what depends on the changed records. New ones
 * need no lock, for nobody else sees them; but records that name them may be there
 * already, or on their way.
 */
static void
seize(const ObjectInfo *object, const ChangedKeys *changed, bool some_new, bool all_new)
{
	if (kin_is_quiet(object->object))
		return;
	if (!all_new)
		records_seize(object, changed->keys, changed->count);
	if (some_new)
		lock_newcomers_for_insert(object->object);
}

/*
 * key_array makes an array of keys.
 */
static Datum
key_array(const ObjectInfo *object, const ChangedKeys *changed)
{
	int16		length;
	bool		by_value;
	char		align;

	get_typlenbyvalalign(object->key_type, &length, &by_value, &align);
	return PointerGetDatum(construct_array(changed->keys, changed->count, object->key_type, length, by_value, align));
}

/*
 * load reads an attached table as the owner of ours.
 */
static void
load(Oid object, ObjectInfo *info)
{
	SessionRole role;

	session_become(&role, catalog_owner());
	object_require(object, info);
	session_restore_role(&role);
}

/*
 * name_link is the quoted name of the column that holds the key of the record
 * above.
 */
static const char *
name_link(const ObjectInfo *info)
{
	return quote_identifier(get_attname(info->object, info->link_attno, false));
}

/*
 * push_cause says that pairs change because those of a record above did, and, as
 * the detail, why those did.
 */
static int
push_cause(void)
{
	const char *detail = cause_detail();

	if (cause_is(CAUSE_PARENT))
		return cause_push(CAUSE_PARENT, detail);
	return cause_push(CAUSE_PARENT, detail ? psprintf("%s: %s", cause_name(), detail) : cause_name());
}

/*
 * follow_children has the records of the tables below follow.
 */
static void
follow_children(const ObjectInfo *object, const ChangedKeys *changed)
{
	List	   *children = list_copy(kin_children(object->object));
	int			cause = push_cause();
	ListCell   *cell;

	foreach(cell, children)
	{
		ObjectInfo	child;

		load(lfirst_oid(cell), &child);
		run_followers(child.object, psprintf("%s = ANY ($1)", name_link(&child)),
					  get_array_type(object->key_type), key_array(object, changed), false);
	}
	cause_pop(cause);
}

/*
 * follow_family has all records below follow, at any distance.
 */
static void
follow_family(const ObjectInfo *object, const ChangedKeys *changed)
{
	const char *key = quote_identifier(NameStr(object->key_column));
	const char *link = name_link(object);
	const char *table = catalog_qualified_name(object->object);
	int			cause = push_cause();

	run_followers(object->object,
				  psprintf("%1$s IN (WITH RECURSIVE territory_below (key) AS ("
						   " SELECT r.%1$s FROM %3$s r WHERE r.%2$s = ANY ($1)"
						   " UNION SELECT r.%1$s FROM territory_below b JOIN %3$s r ON r.%2$s = b.key)"
						   " SELECT b.key FROM territory_below b)", key, link, table),
				  get_array_type(object->key_type), key_array(object, changed), true);
	cause_pop(cause);
}

/*
 * moves_family tells whether what stands below a record in its family is to follow:
 * a top has other pairs, or the record another place, unless all below it is being
 * evaluated with it anyway.
 */
static bool
moves_family(const Batch *batch, int record)
{
	int			flags = batch->flags[record];

	return ((flags & RECORD_CHANGED) && (flags & RECORD_TOP)) ||
		((flags & RECORD_MOVED) && !batch->with_family);
}

/*
 * follow_batch has what depends on a batch's records follow: first the families,
 * whose records may have others below them, of which these see the end.
 */
void
follow_batch(const Batch *batch)
{
	const ObjectInfo *object = &batch->rules->object;
	ChangedKeys changed = {0};
	ChangedKeys moved = {0};
	bool		some_new = false;
	bool		all_new = true;

	if (!follow_needed(object))
		return;
	changed.keys = palloc(batch->count * sizeof(Datum));
	moved.keys = palloc(batch->count * sizeof(Datum));
	for (int i = 0; i < batch->count; i++)
	{
		bool		fresh = (batch->flags[i] & RECORD_FRESH) != 0;
		bool		moves = object_has_families(object) && moves_family(batch, i);

		if (batch->flags[i] & RECORD_CHANGED)
			changed.keys[changed.count++] = batch->keys[i];
		if (moves)
			moved.keys[moved.count++] = batch->keys[i];
		if ((batch->flags[i] & RECORD_CHANGED) || moves)
		{
			some_new |= fresh;
			all_new &= fresh;
		}
	}
	if (moved.count > 0)
	{
		sort_keys(object, &moved);
		seize(object, &moved, some_new, all_new);
		follow_family(object, &moved);
	}
	if (changed.count > 0 && kin_children(object->object) != NIL)
	{
		sort_keys(object, &changed);
		seize(object, &changed, some_new, all_new);
		follow_children(object, &changed);
	}
}

/*
 * follow_records has what depends on records follow, which may be gone.
 */
void
follow_records(const ObjectInfo *object, const Datum *keys, int count)
{
	ChangedKeys changed = {count, (Datum *) keys};

	if (count == 0 || !follow_needed(object))
		return;
	sort_keys(object, &changed);
	seize(object, &changed, true, false);
	if (object_has_families(object))
		follow_family(object, &changed);
	follow_children(object, &changed);
}

/*
 * follow_all has all records of the tables below follow.
 */
void
follow_all(Oid object)
{
	List	   *children = list_copy(kin_children(object));
	int			cause = push_cause();
	ListCell   *cell;

	foreach(cell, children)
		(void) run_where(lfirst_oid(cell), NULL);
	cause_pop(cause);
}
