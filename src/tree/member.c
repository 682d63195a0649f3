/*
 * member.c
 *		territory.member: people in nodes.
 *
 * A person may come and go, but is in a node once at a time. An index cannot say
 * that without another extension, so the trigger looks, and locks the node's row
 * first: of two sessions that add the same person, the second one sees the first.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "base/catalog.h"
#include "base/session.h"
#include "base/triggers.h"

PG_FUNCTION_INFO_V1(territory_member_check);

/* columns of territory.member; an upgrade only appends */
#define Anum_member_id			1
#define Anum_member_node_id		2
#define Anum_member_member		3
#define Anum_member_starts		8
#define Anum_member_ends		9

/* arguments of the query for another time of the same person */
static const int arguments[] = {
	Anum_member_node_id, Anum_member_member, Anum_member_id, Anum_member_starts, Anum_member_ends
};

/*
 * lock_node locks the node's row; raises when there is none. Returns its path.
 */
static char *
lock_node(Datum node_id)
{
	static KeptStatement lock = {
		"SELECT path::pg_catalog.text FROM territory.node WHERE id OPERATOR(pg_catalog.=) $1 FOR NO KEY UPDATE",
		SPI_OK_SELECT, 1, {INT4OID},
		.looks_up = true
	};

	session_execute_kept(&lock, &node_id, NULL);
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("node_id names no territory"),
				 errdetail("There is no node with id %d.", DatumGetInt32(node_id)),
				 errhint("territory.node_id('path') finds the id of a territory.")));
	return SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
}

/*
 * refuse_overlap raises when the person is in the node already at that time.
 */
static void
refuse_overlap(const char *path, Datum *values, const char *nulls)
{
	static KeptStatement find = {
		"SELECT pg_catalog.format('from %s to %s', coalesce(starts, '-infinity'), coalesce(ends, 'infinity'))"
		"  FROM territory.member"
		" WHERE node_id OPERATOR(pg_catalog.=) $1 AND member OPERATOR(pg_catalog.=) $2"
		"   AND id OPERATOR(pg_catalog.<>) $3"
		"   AND coalesce(starts, '-infinity') OPERATOR(pg_catalog.<) coalesce($5, 'infinity')"
		"   AND coalesce($4, '-infinity') OPERATOR(pg_catalog.<) coalesce(ends, 'infinity') LIMIT 1",
		SPI_OK_SELECT, 5, {INT4OID, TEXTOID, INT4OID, DATEOID, DATEOID},
		.looks_up = true
	};

	session_execute_kept(&find, values, nulls);
	if (SPI_processed > 0)
		ereport(ERROR,
				(errcode(ERRCODE_EXCLUSION_VIOLATION),
				 errmsg("\"%s\" is a member of territory \"%s\" already", TextDatumGetCString(values[1]), path),
				 errdetail("Another row says so %s.", SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1)),
				 errhint("Update that row, or end it before the new one starts.")));
}

/*
 * territory_member_check: AFTER INSERT OR UPDATE on territory.member, each row.
 */
Datum
territory_member_check(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_data_of(fcinfo, "member_check",
										   TRIGGER_EVENT_AFTER, TRIGGER_EVENT_ROW, "member");
	HeapTuple	tuple = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ?
		trigger->tg_newtuple : trigger->tg_trigtuple;
	Datum		values[lengthof(arguments)];
	char		nulls[lengthof(arguments)];
	SessionRole role;

	if (session_restoring(RelationGetRelid(trigger->tg_relation)))
		return PointerGetDatum(NULL);
	for (int i = 0; i < lengthof(arguments); i++)
	{
		bool		isnull;

		values[i] = heap_getattr(tuple, arguments[i], RelationGetDescr(trigger->tg_relation), &isnull);
		nulls[i] = isnull ? 'n' : ' ';
	}
	SPI_connect();
	session_become(&role, catalog_owner());
	refuse_overlap(lock_node(values[0]), values, nulls);
	session_restore_role(&role);
	SPI_finish();
	return PointerGetDatum(NULL);
}
