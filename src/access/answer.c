/*
 * answer.c
 *		Functions that return the rows of a query.
 */
#include "postgres.h"

#include "access/answer.h"
#include "base/catalog.h"
#include "base/select.h"
#include "base/session.h"

/*
 * answer_query runs the query by the snapshot of the statement.
 */
void
answer_query(FunctionCallInfo fcinfo, const char *sql, int count, Oid *types, Datum *values, const char *nulls, bool as_owner)
{
	SessionRole role;

	if (as_owner)
		session_become(&role, catalog_owner());
	select_send(sql, count, types, values, nulls, true, select_result(fcinfo));
	if (as_owner)
		session_restore_role(&role);
}
