/*
 * deal_change.c
 *		Changes of nodes and members that decide between a deal's candidates.
 *
 * A node's priority concerns the deals whose parents stand in it; those with deal
 * rules there are found by these (change.c). Members concern their own deals.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "assign/change.h"
#include "assign/deal_change.h"
#include "assign/run.h"
#include "base/catalog.h"
#include "base/session.h"
#include "base/triggers.h"
#include "check/check.h"
#include "parent/kin.h"

PG_FUNCTION_INFO_V1(territory_reassign_members);

/*
 * fetched_keys makes an array of the keys that a cursor has fetched.
 */
static Datum
fetched_keys(Oid type)
{
	Datum	   *keys = palloc(SPI_processed * sizeof(Datum));
	int16		length;
	bool		by_value;
	char		align;

	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;

		keys[i] = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull);
	}
	get_typlenbyvalalign(type, &length, &by_value, &align);
	return PointerGetDatum(construct_array(keys, (int) SPI_processed, type, length, by_value, align));
}

/*
 * open_parents opens a cursor over the keys of the parents that stand in some nodes,
 * as the owner of their table.
 */
static Portal
open_parents(const ObjectInfo *parent, Datum node_ids)
{
	Oid			types[1] = {INT4ARRAYOID};
	Datum		values[1] = {node_ids};
	SessionRole role;
	Portal		portal;

	session_become(&role, parent->owner);
	portal = SPI_cursor_open_with_args(NULL,
									   psprintf("SELECT DISTINCT %s FROM %s WHERE node_id OPERATOR(pg_catalog.=) ANY ($1)",
												quote_identifier(NameStr(parent->key_column)),
												catalog_qualified_name(parent->assignment)),
									   1, types, values, NULL, true, 0);
	session_restore_role(&role);
	return portal;
}

/*
 * deal_reassign_below re-evaluates the deals of the parents that stand in some
 * nodes.
 */
void
deal_reassign_below(const ObjectInfo *deal, Datum node_ids)
{
	ObjectInfo	parent;
	Portal		portal;
	char	   *condition;

	object_require(deal->above, &parent);
	condition = psprintf("%s = ANY ($1)", quote_identifier(get_attname(deal->object, deal->link_attno, false)));
	CommandCounterIncrement();
	PushActiveSnapshot(GetLatestSnapshot());
	portal = open_parents(&parent, node_ids);
	for (;;)
	{
		SPITupleTable *table;

		SPI_cursor_fetch(portal, true, BATCH_RECORDS);
		table = SPI_tuptable;
		if (SPI_processed == 0)
			break;
		run_followers(deal->object, condition, get_array_type(parent.key_type), fetched_keys(parent.key_type), false);
		SPI_freetuptable(table);
	}
	SPI_cursor_close(portal);
	PopActiveSnapshot();
	check_statement(deal->object);
}

/*
 * members_of is the query for the people whom a statement concerned.
 */
static char *
members_of(const TriggerData *trigger)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT pg_catalog.array_agg(DISTINCT c.member)::pg_catalog.text FROM (");
	if (trigger->tg_oldtable)
		appendStringInfo(&sql, "SELECT member FROM %s", quote_identifier(trigger->tg_trigger->tgoldtable));
	if (trigger->tg_oldtable && trigger->tg_newtable)
		appendStringInfoString(&sql, " UNION ALL ");
	if (trigger->tg_newtable)
		appendStringInfo(&sql, "SELECT member FROM %s", quote_identifier(trigger->tg_trigger->tgnewtable));
	appendStringInfoString(&sql, ") AS c");
	return sql.data;
}

/*
 * reassign_owned re-evaluates the deals of some people, an array as text.
 */
static void
reassign_owned(const char *people)
{
	SPITupleTable *deals;
	uint64		count;
	List	   *objects = NIL;
	bool		isnull;

	session_execute("SELECT o.object::pg_catalog.oid, o.owner FROM territory.object o"
					"  JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) o.object::pg_catalog.oid"
					" WHERE o.kind OPERATOR(pg_catalog.=) 'deal' AND o.owner IS NOT NULL ORDER BY 1",
					SPI_OK_SELECT, 0, NULL, NULL, NULL);
	deals = SPI_tuptable;
	count = SPI_processed;
	for (uint64 i = 0; i < count; i++)
		objects = lappend_oid(objects, DatumGetObjectId(SPI_getbinval(deals->vals[i], deals->tupdesc, 1, &isnull)));
	if (objects == NIL)
		return;
	kin_lock_list_for_change(objects);
	for (uint64 i = 0; i < count; i++)
		(void) run_where(list_nth_oid(objects, (int) i),
						 psprintf("(%s)::pg_catalog.text OPERATOR(pg_catalog.=) ANY (%s::pg_catalog.text[])",
								  SPI_getvalue(deals->vals[i], deals->tupdesc, 2), quote_literal_cstr(people)));
}

/*
 * territory_reassign_members: AFTER INSERT, UPDATE or DELETE on territory.member,
 * each statement.
 */
Datum
territory_reassign_members(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_data_of(fcinfo, "reassign_members",
										TRIGGER_EVENT_AFTER, TRIGGER_EVENT_STATEMENT, "member");
	ChangeScope scope;
	char	   *people;

	if (change_is_silent(trigger))
		return PointerGetDatum(NULL);
	change_begin_for(trigger, &scope, CAUSE_MEMBER);
	session_execute(members_of(trigger), SPI_OK_SELECT, 0, NULL, NULL, NULL);
	people = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	if (people != NULL)
		reassign_owned(people);
	change_end(&scope);
	return PointerGetDatum(NULL);
}
