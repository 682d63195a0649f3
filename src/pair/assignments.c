/*
 * assignments.c
 *		territory.assignments(): the pairs of an attached table, for the view over
 *		all of them.
 *
 * A view that named the assignment tables themselves would make DROP TABLE ...
 * CASCADE on one of them reach the extension; so the view asks a function, which
 * reads as its caller.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "base/catalog.h"
#include "base/select.h"
#include "base/session.h"
#include "rule/object.h"

PG_FUNCTION_INFO_V1(territory_assignments);
PG_FUNCTION_INFO_V1(territory_record_count);

/*
 * find_object reads the row of an attached table, as the extension's owner.
 */
static void
find_object(Oid relid, ObjectInfo *info)
{
	SessionRole role;

	session_become(&role, catalog_owner());
	object_require(relid, info);
	session_restore_role(&role);
}

/*
 * territory_assignments(object) -> (key, node_id, rule_id, manual, since).
 */
Datum
territory_assignments(PG_FUNCTION_ARGS)
{
	ObjectInfo	info;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	SPI_connect();
	find_object(PG_GETARG_OID(0), &info);
	select_send(psprintf("SELECT %s::pg_catalog.text, node_id, rule_id, manual, since FROM %s",
						 quote_identifier(NameStr(info.key_column)), catalog_qualified_name(info.assignment)),
				0, NULL, NULL, NULL, true, select_result(fcinfo));
	SPI_finish();
	return (Datum) 0;
}

/*
 * territory_record_count(object): how many records the caller sees in it.
 */
Datum
territory_record_count(PG_FUNCTION_ARGS)
{
	ObjectInfo	info;
	Datum		count;

	SPI_connect();
	find_object(PG_GETARG_OID(0), &info);
	select_rows(psprintf("SELECT pg_catalog.count(*) FROM %s", catalog_qualified_name(info.object)), 0, NULL, NULL, NULL);
	count = select_value(0, 1);
	SPI_finish();
	PG_RETURN_INT64(DatumGetInt64(count));
}
