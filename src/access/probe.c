/*
 * probe.c
 *		territory.sees() and territory.edits(): the tests that policies consist of. Has
 *		a record a pair with a node in which whoever is asking has the right?
 *
 * A place of a query that calls one of them keeps a probe from row to row. What it
 * does for a row depends on how rows have come so far:
 *
 *	- The first one, as in a look-up by key: the pairs of its key, by the primary key
 *	  of the assignment table.
 *	- Rows that come by ascending keys, as by an index or in the order in which they
 *	  were inserted: it reads ahead, twice as far each time, so that the rows and the
 *	  pairs are merged.
 *	- Rows that come in another order: when they have taken as many descents of the
 *	  index as reading all pairs costs, it reads all pairs and hashes the keys that
 *	  pass, if these fit into the memory of a hash join.
 *
 * It holds no lock, pin or scan between two rows: what it has read, it has copied. All
 * of it is by the snapshot of the statement, and thrown away when that, or who is
 * asking, is another: PL/pgSQL keeps its expressions for a whole transaction.
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/execdesc.h"
#include "executor/nodeHash.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "nodes/primnodes.h"
#include "storage/bufmgr.h"
#include "tcop/pquery.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/typcache.h"

#include "access/identity.h"
#include "access/pair_source.h"
#include "access/probe.h"
#include "access/visible.h"
#include "base/catalog.h"
#include "pair/stored.h"

PG_FUNCTION_INFO_V1(territory_sees);
PG_FUNCTION_INFO_V1(territory_edits);
PG_FUNCTION_INFO_V1(territory_sees_node);
PG_FUNCTION_INFO_V1(territory_edits_node);
PG_FUNCTION_INFO_V1(territory_inserting);
PG_FUNCTION_INFO_V1(territory_visible_keys);

/* keys that are read ahead at most */
#define MOST_AHEAD 1024

/* descents of the index that cost as much as reading a block of pairs and hashing its keys */
#define DESCENTS_PER_BLOCK 8

/* Which statement is running, and for whom, as far as it matters here. */
typedef struct Moment
{
	Oid			user;
	char	   *identity;		/* what the application's setting says; NULL: nothing, or that the role is asking */
	TimestampTz statement;
	uint32		generation;		/* of what people see; 0: as when the statement began */
	TransactionId xmin;
	TransactionId xmax;
	uint32		xcnt;
	CommandId	curcid;
	uint64		completions;
} Moment;

typedef struct PassingKey
{
	Datum		key;
	char		status;
} PassingKey;

typedef struct Probe Probe;

static uint32 hash_key(const Probe *probe, Datum key);
static bool equal_keys(const Probe *probe, Datum a, Datum b);

#define SH_PREFIX passing
#define SH_ELEMENT_TYPE PassingKey
#define SH_KEY_TYPE Datum
#define SH_KEY key
#define SH_HASH_KEY(tb, key) hash_key((tb)->private_data, key)
#define SH_EQUAL(tb, a, b) equal_keys((tb)->private_data, a, b)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* A place that calls sees() or edits(). */
struct Probe
{
	Moment		moment;
	MemoryContext context;		/* of what follows */
	Oid			assignment;
	Viewer	   *viewer;			/* NULL: nobody is asking */
	int			right;
	int16		typlen;			/* of keys */
	bool		byval;
	Oid			collation;
	TypeCacheEntry *type;

	/* what was read ahead: all keys with pairs from one to the last, or to the end */
	MemoryContext ahead;		/* of its keys, where they are references */
	Datum		from;
	Datum	   *keys;
	bool	   *passes;
	int			room;			/* in these two */
	int			count;			/* 0: of the key "from" alone, which has no pairs */
	int			place;			/* that was asked for last */
	bool		to_end;
	bool		loaded;
	int			reach;			/* keys to read */
	int			used;			/* rows that it was good for */
	int			patience;		/* further descents before it reads ahead again */

	int64		descents;
	int64		affordable;		/* descents, before all pairs are read; -1: they are not */
	passing_hash *all;			/* all keys that pass */
};

/*
 * is_of_portal tells whether a call belongs to the query of the portal that runs. That
 * goes on with what it began with, also where it is a cursor, and another role or
 * person fetches from it.
 */
static bool
is_of_portal(FunctionCallInfo fcinfo)
{
	return ActivePortal != NULL && ActivePortal->queryDesc != NULL && ActivePortal->queryDesc->estate != NULL &&
		ActivePortal->queryDesc->estate->es_query_cxt == fcinfo->flinfo->fn_mcxt;
}

/*
 * moment_generation is that of what people see, where an expression of PL/pgSQL is
 * evaluated by itself, which counts as a statement of its own: no query runs by its
 * snapshot.
 */
static uint32
moment_generation(const SnapshotData *snapshot)
{
	return snapshot->regd_count > 0 ? 0 : viewer_generation();
}

/*
 * read_moment tells which statement is running, for as long as a context.
 */
static Moment
read_moment(MemoryContext context)
{
	Snapshot	snapshot = GetActiveSnapshot();
	const char *identity = identity_setting();
	Moment		moment;

	memset(&moment, 0, sizeof(moment));
	moment.user = GetUserId();
	moment.identity = identity ? MemoryContextStrdup(context, identity) : NULL;
	moment.statement = GetCurrentStatementStartTimestamp();
	moment.generation = moment_generation(snapshot);
	moment.xmin = snapshot->xmin;
	moment.xmax = snapshot->xmax;
	moment.xcnt = snapshot->xcnt;
	moment.curcid = snapshot->curcid;
	moment.completions = snapshot->snapXactCompletionCount;
	return moment;
}

static bool
same_identity(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/*
 * is_moment tells whether a call is still of the same statement, for the same person.
 */
static bool
is_moment(const Moment *moment, FunctionCallInfo fcinfo)
{
	Snapshot	snapshot = GetActiveSnapshot();

	if (is_of_portal(fcinfo))
		return true;
	return moment->user == GetUserId() && moment->xmin == snapshot->xmin && moment->xmax == snapshot->xmax &&
		moment->xcnt == snapshot->xcnt && moment->curcid == snapshot->curcid &&
		moment->completions == snapshot->snapXactCompletionCount &&
		moment->statement == GetCurrentStatementStartTimestamp() &&
		same_identity(moment->identity, identity_setting()) &&
		moment->generation == moment_generation(snapshot);
}

/*
 * compare_keys returns the sign of a - b.
 */
static inline int
compare_keys(const Probe *probe, Datum a, Datum b)
{
	return DatumGetInt32(FunctionCall2Coll(&probe->type->cmp_proc_finfo, probe->collation, a, b));
}

static uint32
hash_key(const Probe *probe, Datum key)
{
	if (probe->byval)
		return murmurhash32((uint32) key ^ (uint32) ((uint64) key >> 32) * 0x9e3779b1u);
	return DatumGetUInt32(FunctionCall1Coll(&probe->type->hash_proc_finfo, probe->collation, key));
}

static bool
equal_keys(const Probe *probe, Datum a, Datum b)
{
	return probe->byval ? a == b : compare_keys(probe, a, b) == 0;
}

/*
 * check_key_type raises when a value is no key of the table: anything can be passed
 * to a function.
 */
static void
check_key_type(FunctionCallInfo fcinfo, const ObjectInfo *object)
{
	Oid			given = get_fn_expr_argtype(fcinfo->flinfo, 1);
	Oid			type = given == object->key_type || !OidIsValid(given) ? given : getBaseType(given);

	if (type == object->key_type || (type == TEXTOID && object->key_type == VARCHAROID) ||
		(type == VARCHAROID && object->key_type == TEXTOID))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("the keys of table %s have type %s", catalog_qualified_name(object->object),
					format_type_be(object->key_type))));
}

/*
 * begin makes a probe.
 */
static Probe *
begin(FunctionCallInfo fcinfo, int right)
{
	MemoryContext context = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "territory probe", ALLOCSET_SMALL_SIZES);
	Probe	   *probe = MemoryContextAllocZero(context, sizeof(Probe));
	const ObjectInfo *object = pair_source_object(PG_GETARG_OID(0));

	check_key_type(fcinfo, object);
	probe->context = context;
	probe->assignment = PG_GETARG_OID(0);
	probe->right = right;
	probe->reach = 1;
	probe->collation = object->key_collation;
	get_typlenbyval(object->key_type, &probe->typlen, &probe->byval);
	probe->type = lookup_type_cache(object->key_type, TYPECACHE_CMP_PROC_FINFO | TYPECACHE_HASH_PROC_FINFO);
	probe->viewer = viewer_acquire();
	if (probe->viewer)
		viewer_release_with(probe->viewer, context);
	probe->moment = read_moment(context);
	return probe;
}

/*
 * allows tells whether a pair gives the right.
 */
static inline bool
allows(const Probe *probe, int32 node_id)
{
	return (viewer_rights(probe->viewer, node_id) & probe->right) != 0;
}

/*
 * prepare_ahead makes room for the keys that are read ahead.
 */
static void
prepare_ahead(Probe *probe)
{
	if (probe->reach > probe->room)
	{
		probe->room = probe->reach;
		probe->keys = MemoryContextAlloc(probe->context, probe->room * sizeof(Datum));
		probe->passes = MemoryContextAlloc(probe->context, probe->room * sizeof(bool));
	}
	if (!probe->byval && probe->ahead == NULL)
		probe->ahead = AllocSetContextCreate(probe->context, "territory keys read ahead", ALLOCSET_DEFAULT_SIZES);
	else if (!probe->byval)
		MemoryContextReset(probe->ahead);
	probe->count = probe->place = 0;
	probe->used = 0;
	probe->to_end = false;
}

static Datum
copy_ahead(Probe *probe, Datum key)
{
	MemoryContext outer;
	Datum		copy;

	if (probe->byval)
		return key;
	outer = MemoryContextSwitchTo(probe->ahead);
	copy = datumCopy(key, false, probe->typlen);
	MemoryContextSwitchTo(outer);
	return copy;
}

/*
 * take_ahead adds a pair to what was read ahead; false: that has all keys that it is
 * to have.
 */
static bool
take_ahead(Probe *probe, const SourcePair *pair)
{
	int			last = probe->count - 1;

	if (last < 0 || !equal_keys(probe, probe->keys[last], pair->key))
	{
		if (probe->count == probe->reach)
			return false;
		last = probe->count++;
		probe->keys[last] = copy_ahead(probe, pair->key);
		probe->passes[last] = false;
	}
	probe->passes[last] = probe->passes[last] || allows(probe, pair->node_id);
	return true;
}

/*
 * read_ahead reads the pairs of a key, and of those that follow it as far as the
 * probe reaches.
 */
static void
read_ahead(Probe *probe, Datum key)
{
	Snapshot	snapshot = RegisterSnapshot(GetActiveSnapshot());
	PairSource	source;
	PairScan	scan;
	SourcePair	pair;
	bool		more = true;

	prepare_ahead(probe);
	probe->from = copy_ahead(probe, key);
	probe->descents++;
	pair_source_open(&source, probe->assignment);
	if (probe->affordable == 0 && probe->descents > 1)
		probe->affordable = (int64) RelationGetNumberOfBlocks(source.table) * DESCENTS_PER_BLOCK + 1;
	pair_scan_begin(&scan, &source, snapshot,
					probe->reach == 1 ? BTEqualStrategyNumber : BTGreaterEqualStrategyNumber, key);
	while (more && pair_scan_next(&scan, &pair))
		more = take_ahead(probe, &pair);
	probe->to_end = more && probe->reach > 1;
	probe->loaded = true;
	pair_scan_end(&scan);
	pair_source_close(&source);
	UnregisterSnapshot(snapshot);
}

/*
 * adjust_reach sets how far to read for a key that was not read ahead: twice as far
 * where most of what was read last was of use, and the key follows it; else for a
 * while the key alone.
 */
static void
adjust_reach(Probe *probe, Datum key)
{
	if (!probe->loaded)
		return;
	if (probe->patience > 0)
		probe->patience--;
	if (probe->used * 2 < probe->reach)
	{
		probe->reach = 1;
		probe->patience = 16;
	}
	else if (probe->patience == 0 && compare_keys(probe, probe->from, key) < 0)
		probe->reach = Min(Max(probe->reach * 2, 8), MOST_AHEAD);
}

/*
 * search finds a key in what was read ahead: its place, or -1.
 */
static int
search(Probe *probe, Datum key)
{
	int			low = 0;
	int			high = probe->count - 1;

	for (int i = probe->place; i < probe->place + 4 && i < probe->count; i++)
	{
		int			sign = compare_keys(probe, key, probe->keys[i]);

		if (sign == 0)
			return i;
		if (sign < 0)
		{
			high = i - 1;
			break;
		}
		low = i + 1;
	}
	while (low <= high)
	{
		int			middle = low + (high - low) / 2;
		int			sign = compare_keys(probe, key, probe->keys[middle]);

		if (sign == 0)
			return middle;
		if (sign < 0)
			high = middle - 1;
		else
			low = middle + 1;
	}
	return -1;
}

/*
 * covers tells whether what was read ahead says all about a key.
 */
static bool
covers(const Probe *probe, Datum key)
{
	Datum		last;

	if (!probe->loaded || compare_keys(probe, key, probe->from) < 0)
		return false;
	if (probe->to_end)
		return true;
	last = probe->count == 0 ? probe->from : probe->keys[probe->count - 1];
	return compare_keys(probe, key, last) <= 0;
}

/*
 * ask_ahead answers for a key by what was read ahead, and reads where that does not
 * tell.
 */
static bool
ask_ahead(Probe *probe, Datum key)
{
	int			place;

	if (!covers(probe, key))
	{
		adjust_reach(probe, key);
		read_ahead(probe, key);
	}
	probe->used++;
	place = search(probe, key);
	if (place < 0)
		return false;
	probe->place = place;
	return probe->passes[place];
}

/*
 * add_passing adds a key to the set of all; false: there is no more room.
 */
static bool
add_passing(Probe *probe, Datum key, Size *room)
{
	Size		size = sizeof(PassingKey) * 2;
	PassingKey *entry;
	bool		found;

	entry = passing_insert(probe->all, key, &found);
	if (found)
		return true;
	if (!probe->byval)
	{
		MemoryContext outer = MemoryContextSwitchTo(probe->all->ctx);

		entry->key = datumCopy(key, false, probe->typlen);
		MemoryContextSwitchTo(outer);
		size += datumGetSize(key, false, probe->typlen) + 16;
	}
	if (*room < size)
		return false;
	*room -= size;
	return true;
}

/*
 * read_all makes the set of all keys that pass, unless they are too many.
 */
static void
read_all(Probe *probe)
{
	MemoryContext context = AllocSetContextCreate(probe->context, "territory passing keys", ALLOCSET_DEFAULT_SIZES);
	Snapshot	snapshot = RegisterSnapshot(GetActiveSnapshot());
	Size		room = get_hash_memory_limit();
	StoredScan	stored;
	StoredRow	row;
	bool		fits = true;

	probe->affordable = -1;
	probe->all = passing_create(context, 1024, probe);
	stored_open(&stored, pair_source_object(probe->assignment), snapshot);
	while (fits && stored_next(&stored, &row))
		fits = !allows(probe, row.node_id) || add_passing(probe, row.key, &room);
	stored_close(&stored);
	UnregisterSnapshot(snapshot);
	if (!fits)
	{
		probe->all = NULL;
		MemoryContextDelete(context);
	}
}

/*
 * ask answers for one key.
 */
static bool
ask(Probe *probe, Datum key)
{
	if (probe->viewer == NULL)
		return false;
	if (probe->all)
		return passing_lookup(probe->all, key) != NULL;
	if (probe->affordable > 0 && probe->descents >= probe->affordable)
	{
		read_all(probe);
		return ask(probe, key);
	}
	return ask_ahead(probe, key);
}

/*
 * answer is sees() and edits().
 */
static bool
answer(FunctionCallInfo fcinfo, int right)
{
	Probe	   *probe = fcinfo->flinfo->fn_extra;

	if (probe == NULL || probe->assignment != PG_GETARG_OID(0) || !is_moment(&probe->moment, fcinfo))
	{
		fcinfo->flinfo->fn_extra = NULL;
		if (probe)
			MemoryContextDelete(probe->context);
		fcinfo->flinfo->fn_extra = probe = begin(fcinfo, right);
	}
	return ask(probe, PG_GETARG_DATUM(1));
}

/*
 * territory_sees(assignment, key): has the record a pair with a node that whoever is
 * asking sees?
 */
Datum
territory_sees(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(answer(fcinfo, RIGHT_SEE));
}

/*
 * territory_edits(assignment, key): has it one with a node where he may write?
 */
Datum
territory_edits(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(answer(fcinfo, RIGHT_EDIT));
}

/*
 * has_right tells whether whoever is asking has a right in a node.
 */
static bool
has_right(int32 node_id, int right)
{
	Viewer	   *viewer = viewer_acquire();
	bool		result;

	if (viewer == NULL)
		return false;
	result = (viewer_rights(viewer, node_id) & right) != 0;
	viewer_release(viewer);
	return result;
}

Datum
territory_sees_node(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(has_right(PG_GETARG_INT32(0), RIGHT_SEE));
}

Datum
territory_edits_node(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(has_right(PG_GETARG_INT32(0), RIGHT_EDIT));
}

/*
 * may_insert tells whether the caller may insert into a table, or into columns of it.
 */
static bool
may_insert(Oid relid)
{
	return pg_class_aclcheck(relid, GetUserId(), ACL_INSERT) == ACLCHECK_OK ||
		pg_attribute_aclcheck_all(relid, GetUserId(), ACL_INSERT, ACLMASK_ANY) == ACLCHECK_OK;
}

/*
 * territory_inserting(assignment, key): has the record no pair at all, as one that is
 * just being inserted? The planner makes it false where nothing is (plan.c). To others
 * than who may insert, it does not tell of records that they do not see.
 */
Datum
territory_inserting(PG_FUNCTION_ARGS)
{
	Snapshot	snapshot;
	PairSource	source;
	PairScan	scan;
	SourcePair	pair;
	bool		found;

	check_key_type(fcinfo, pair_source_object(PG_GETARG_OID(0)));
	if (!may_insert(pair_source_object(PG_GETARG_OID(0))->object))
		PG_RETURN_BOOL(false);
	snapshot = RegisterSnapshot(GetActiveSnapshot());
	pair_source_open(&source, PG_GETARG_OID(0));
	pair_scan_begin(&scan, &source, snapshot, BTEqualStrategyNumber, PG_GETARG_DATUM(1));
	found = pair_scan_next(&scan, &pair);
	pair_scan_end(&scan);
	pair_source_close(&source);
	UnregisterSnapshot(snapshot);
	PG_RETURN_BOOL(!found);
}

/* What a place that calls visible_keys() keeps: an index scan asks again at each rescan. */
typedef struct KeptKeys
{
	Moment		moment;
	MemoryContext context;
	Datum		keys;
} KeptKeys;

/*
 * collect_keys makes the array of the keys of all records that pass.
 */
static Datum
collect_keys(Oid assignment, int right)
{
	Snapshot	snapshot = RegisterSnapshot(GetActiveSnapshot());
	Viewer	   *viewer = viewer_acquire();
	PairSource	source;
	Datum	   *keys = NULL;
	int			count = 0;
	Oid			type;
	int16		typlen;
	bool		byval;
	char		align;

	pair_source_open(&source, assignment);
	type = source.object->key_type;
	if (viewer)
	{
		int32	   *nodes;
		int			node_count = viewer_nodes(viewer, right, &nodes);

		viewer_release_with(viewer, CurrentMemoryContext);
		count = pair_source_keys(&source, snapshot, nodes, node_count, &keys);
	}
	pair_source_close(&source);
	UnregisterSnapshot(snapshot);
	get_typlenbyvalalign(type, &typlen, &byval, &align);
	return PointerGetDatum(construct_array(keys, count, type, typlen, byval, align));
}

/*
 * keep_keys collects the keys in a context of their own.
 */
static KeptKeys *
keep_keys(FunctionCallInfo fcinfo)
{
	MemoryContext context = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "territory visible keys", ALLOCSET_SMALL_SIZES);
	MemoryContext outer = MemoryContextSwitchTo(context);
	KeptKeys   *kept = palloc(sizeof(KeptKeys));

	kept->context = context;
	kept->moment = read_moment(context);
	kept->keys = collect_keys(PG_GETARG_OID(0), PG_GETARG_BOOL(2) ? RIGHT_EDIT : RIGHT_SEE);
	MemoryContextSwitchTo(outer);
	return kept;
}

/*
 * territory_visible_keys(assignment, example, writable) -> the keys of all records
 * that pass sees() or, writable, edits(). The example gives the type. For scans of an
 * index; NULL to others.
 */
Datum
territory_visible_keys(PG_FUNCTION_ARGS)
{
	KeptKeys   *kept = fcinfo->flinfo->fn_extra;
	Node	   *call = fcinfo->flinfo->fn_expr;

	if (call == NULL || !IsA(call, FuncExpr) || ((FuncExpr *) call)->funcformat != VISIBLE_KEYS_FORMAT)
		PG_RETURN_NULL();
	if (PG_ARGISNULL(0) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	if (kept != NULL && is_moment(&kept->moment, fcinfo))
		PG_RETURN_DATUM(kept->keys);
	fcinfo->flinfo->fn_extra = NULL;
	if (kept)
		MemoryContextDelete(kept->context);
	check_key_type(fcinfo, pair_source_object(PG_GETARG_OID(0)));
	kept = keep_keys(fcinfo);
	fcinfo->flinfo->fn_extra = kept;
	PG_RETURN_DATUM(kept->keys);
}
