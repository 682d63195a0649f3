/*
 * visible.c
 *		What a person may do in which territories, kept by the backend.
 *
 * A member sees the node and all below it. The set of these nodes is computed once
 * a person, and again when a member, a node or a model has changed, or another day
 * has begun. It is read by the newest snapshot, as privileges are: who has lost a
 * territory sees it no longer from the next statement on, at every isolation level,
 * though the records themselves are still read by the transaction's snapshot.
 *
 * Changes of the three tables are told by invalidations of territory.member
 * (base/inval.c), which also come where a transaction that had changed them is rolled back. A set that is in use
 * while it becomes stale is freed by its last user.
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "access/identity.h"
#include "access/visible.h"
#include "base/catalog.h"
#include "base/inval.h"
#include "base/session.h"
#include "base/triggers.h"
#include "type/value.h"

PG_FUNCTION_INFO_V1(territory_visibility_changed);

/* people whose sets are kept, as of an application that speaks for many */
#define MAX_KEPT 64

typedef struct NodeRights
{
	int32		id;				/* key */
	uint8		rights;
	char		status;
} NodeRights;

#define SH_PREFIX noderights
#define SH_ELEMENT_TYPE NodeRights
#define SH_KEY_TYPE int32
#define SH_KEY id
#define SH_HASH_KEY(tb, key) murmurhash32((uint32) (key))
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

struct Viewer
{
	Viewer	   *next;			/* of those that are kept */
	MemoryContext context;
	char	   *name;
	uint32		generation;		/* of territory.member, which stands for the tables that it was computed from */
	TimestampTz from;			/* the day that it holds for */
	TimestampTz until;
	int			pins;
	bool		kept;
	int32		model_id;
	noderights_hash *nodes;
	int			editable;		/* of these */
	Territory **managed;		/* paths of the nodes that he manages */
	int			managed_count;
};

static Viewer *kept = NULL;
static int	kept_count = 0;

/*
 * visible_pin pins search_path, the time zone of the active model, and no JIT. Needs an SPI
 * connection.
 */
int
visible_pin(void)
{
	static KeptStatement find = {
		"SELECT time_zone, date_style FROM territory.model WHERE state OPERATOR(pg_catalog.=) 'active'",
		SPI_OK_SELECT, 0
	};
	PinnedSettings settings = {"UTC", "ISO, MDY"};
	SessionRole role;

	session_become(&role, catalog_owner());
	session_execute_kept(&find, NULL, NULL);
	session_restore_role(&role);
	if (SPI_processed > 0)
	{
		settings.time_zone = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
		settings.date_style = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2);
	}
	return session_pin(&settings, PIN_TIME | PIN_PATH | PIN_JIT);
}

/*
 * value_at returns a value of the last query's result.
 */
static Datum
value_at(uint64 row, int column)
{
	bool		isnull;

	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &isnull);
}

/*
 * read_day notes the day for which memberships are read.
 */
static void
read_day(Viewer *viewer)
{
	static KeptStatement day = {
		"SELECT current_date::timestamptz, (current_date + 1)::timestamptz, territory.active_model()",
		SPI_OK_SELECT, 0
	};

	session_execute_kept(&day, NULL, NULL);
	viewer->from = DatumGetTimestampTz(value_at(0, 1));
	viewer->until = DatumGetTimestampTz(value_at(0, 2));
	viewer->model_id = DatumGetInt32(value_at(0, 3));
}

/*
 * read_nodes computes the nodes in which the person has rights.
 */
static void
read_nodes(Viewer *viewer)
{
	static KeptStatement find = {
		"SELECT n.id, bool_or(m.write), bool_or(m.role = 'manager' AND n.id <> m.id)"
		"  FROM (" MEMBERSHIPS ") m"
		"  JOIN territory.node n ON n.model_id = m.model_id AND n.path OPERATOR(territory.<@) m.path GROUP BY n.id",
		SPI_OK_SELECT, 1, {TEXTOID}
	};
	Datum		values[1] = {CStringGetTextDatum(viewer->name)};

	session_execute_kept(&find, values, NULL);
	viewer->nodes = noderights_create(viewer->context, SPI_processed + SPI_processed / 4, NULL);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		found;
		NodeRights *node = noderights_insert(viewer->nodes, DatumGetInt32(value_at(i, 1)), &found);

		node->rights = RIGHT_SEE | (DatumGetBool(value_at(i, 2)) ? RIGHT_EDIT : 0) |
			(DatumGetBool(value_at(i, 3)) ? RIGHT_ADMINISTER : 0);
		viewer->editable += (node->rights & RIGHT_EDIT) != 0;
	}
	SPI_freetuptable(SPI_tuptable);
}

/*
 * read_managed notes the nodes that the person manages.
 */
static void
read_managed(Viewer *viewer)
{
	static KeptStatement find = {
		"SELECT m.path FROM (" MEMBERSHIPS ") m WHERE m.role = 'manager'",
		SPI_OK_SELECT, 1, {TEXTOID}
	};
	Datum		values[1] = {CStringGetTextDatum(viewer->name)};
	MemoryContext outer;

	session_execute_kept(&find, values, NULL);
	outer = MemoryContextSwitchTo(viewer->context);
	viewer->managed = palloc(Max(SPI_processed, 1) * sizeof(Territory *));
	for (uint64 i = 0; i < SPI_processed; i++)
		viewer->managed[viewer->managed_count++] = (Territory *) PG_DETOAST_DATUM_COPY(value_at(i, 1));
	MemoryContextSwitchTo(outer);
	SPI_freetuptable(SPI_tuptable);
}

/*
 * compute makes the set of a person. What changes meanwhile is newer than the
 * generation that it carries, so it is computed again.
 */
static Viewer *
compute(const char *name, uint32 generation)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "territory visible nodes", ALLOCSET_SMALL_SIZES);
	Viewer	   *viewer = MemoryContextAllocZero(context, sizeof(Viewer));
	SessionRole role;
	int			pin;

	viewer->context = context;
	viewer->name = MemoryContextStrdup(context, name);
	viewer->generation = generation;
	SPI_connect();
	pin = visible_pin();
	session_become(&role, catalog_owner());
	read_day(viewer);
	read_nodes(viewer);
	read_managed(viewer);
	session_restore_role(&role);
	session_unpin(pin);
	SPI_finish();
	MemoryContextSetParent(context, CacheMemoryContext);
	return viewer;
}

/*
 * drop takes a set off the list; it is freed when nobody uses it.
 */
static void
drop(Viewer **link)
{
	Viewer	   *viewer = *link;

	*link = viewer->next;
	kept_count--;
	viewer->kept = false;
	if (viewer->pins == 0)
		MemoryContextDelete(viewer->context);
}

/*
 * find returns the kept set of a person if it still holds, and puts it in front.
 */
static Viewer *
find(const char *name, uint32 generation)
{
	TimestampTz now = GetCurrentTransactionStartTimestamp();

	for (Viewer **link = &kept; *link != NULL; link = &(*link)->next)
	{
		Viewer	   *viewer = *link;

		if (strcmp(viewer->name, name) != 0)
			continue;
		if (viewer->generation != generation ||
			now < viewer->from || now >= viewer->until)
		{
			drop(link);
			return NULL;
		}
		*link = viewer->next;
		viewer->next = kept;
		kept = viewer;
		return viewer;
	}
	return NULL;
}

/*
 * keep puts a set in front of the list, and takes off the one that was used least
 * recently if there are too many.
 */
static void
keep(Viewer *viewer)
{
	viewer->next = kept;
	viewer->kept = true;
	kept = viewer;
	if (++kept_count > MAX_KEPT)
	{
		Viewer	  **link = &kept;

		while ((*link)->next != NULL)
			link = &(*link)->next;
		drop(link);
	}
}

/*
 * viewer_generation tells the present sets from former ones. What other sessions have
 * committed is heard of first: a statement on tables that the transaction has
 * locked before would not wait for it.
 */
uint32
viewer_generation(void)
{
	AcceptInvalidationMessages();
	return inval_generation(catalog_table("member"));
}

/*
 * viewer_acquire returns the set of whoever is asking.
 */
Viewer *
viewer_acquire(void)
{
	char	   *name = identity_member();
	uint32		generation;
	Viewer	   *viewer;

	if (name == NULL)
		return NULL;
	generation = viewer_generation();
	viewer = find(name, generation);
	if (viewer == NULL)
	{
		viewer = compute(name, generation);
		/* a worker of a parallel query reads by the transaction's snapshot, which may be an old one */
		if (!IsParallelWorker())
			keep(viewer);
	}
	viewer->pins++;
	pfree(name);
	return viewer;
}

/*
 * viewer_release ends the use of a set.
 */
void
viewer_release(Viewer *viewer)
{
	Assert(viewer->pins > 0);
	if (--viewer->pins == 0 && !viewer->kept)
		MemoryContextDelete(viewer->context);
}

static void
release_callback(void *viewer)
{
	viewer_release(viewer);
}

/*
 * viewer_release_with has a set released when a memory context is reset.
 */
void
viewer_release_with(Viewer *viewer, MemoryContext context)
{
	MemoryContextCallback *callback = MemoryContextAlloc(context, sizeof(MemoryContextCallback));

	callback->func = release_callback;
	callback->arg = viewer;
	MemoryContextRegisterResetCallback(context, callback);
}

/*
 * viewer_rights returns the rights in a node.
 */
int
viewer_rights(const Viewer *viewer, int32 node_id)
{
	NodeRights *node = noderights_lookup(viewer->nodes, node_id);

	return node ? node->rights : 0;
}

/*
 * viewer_manages_below tells whether a path is strictly below a node that the
 * person manages; of nodes that are only being made there is no id yet.
 */
bool
viewer_manages_below(const Viewer *viewer, int32 model_id, const Territory *path)
{
	if (model_id != viewer->model_id)
		return false;
	for (int i = 0; i < viewer->managed_count; i++)
	{
		if (territory_contains(viewer->managed[i], path) && territory_compare(viewer->managed[i], path) != 0)
			return true;
	}
	return false;
}

/*
 * viewer_count counts the nodes in which the person has the right to see or to edit.
 */
int
viewer_count(const Viewer *viewer, int right)
{
	return right == RIGHT_EDIT ? viewer->editable : (int) viewer->nodes->members;
}

static int
compare_ids(const void *a, const void *b)
{
	int32		x = *(const int32 *) a;
	int32		y = *(const int32 *) b;

	return (x > y) - (x < y);
}

/*
 * viewer_nodes lists the nodes in which the person has a right.
 */
int
viewer_nodes(const Viewer *viewer, int right, int32 **nodes)
{
	noderights_iterator iterator;
	NodeRights *node;
	int			count = 0;

	*nodes = palloc(Max(viewer->nodes->members, 1) * sizeof(int32));
	noderights_start_iterate(viewer->nodes, &iterator);
	while ((node = noderights_iterate(viewer->nodes, &iterator)) != NULL)
	{
		if (node->rights & right)
			(*nodes)[count++] = node->id;
	}
	qsort(*nodes, count, sizeof(int32), compare_ids);
	return count;
}

/*
 * territory_visibility_changed: AFTER INSERT, UPDATE OR DELETE on territory.member,
 * node and model, each row. All sets are to be computed again, everywhere.
 */
Datum
territory_visibility_changed(PG_FUNCTION_ARGS)
{
	(void) trigger_data(fcinfo, "visibility_changed", TRIGGER_EVENT_AFTER, TRIGGER_EVENT_ROW);
	inval_send(catalog_table("member"));
	return PointerGetDatum(NULL);
}
