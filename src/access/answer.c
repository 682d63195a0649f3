/*
 * answer.c
 *		Functions that return the rows of a query.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "executor/tstoreReceiver.h"
#include "nodes/execnodes.h"
#include "nodes/params.h"

#include "access/answer.h"
#include "base/catalog.h"
#include "base/session.h"

/*
 * answer_query runs the query by the snapshot of the statement.
 */
void
answer_query(FunctionCallInfo fcinfo, const char *sql, int count, Oid *types, Datum *values, const char *nulls, bool as_owner)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	SPIExecuteOptions options = {.read_only = true};
	ParamListInfo params = makeParamList(count);
	SessionRole role;

	for (int i = 0; i < count; i++)
		params->params[i] = (ParamExternData)
	{
		.value = values[i],.isnull = nulls != NULL && nulls[i] == 'n',.pflags = PARAM_FLAG_CONST,.ptype = types[i]
	};
	options.params = params;
	options.dest = CreateDestReceiver(DestTuplestore);
	SetTuplestoreDestReceiverParams(options.dest, result->setResult,
									result->econtext->ecxt_per_query_memory, false, NULL, NULL);
	if (as_owner)
		session_become(&role, catalog_owner());
	if (SPI_execute_extended(sql, &options) != SPI_OK_SELECT)
		elog(ERROR, "could not run \"%s\"", sql);
	if (as_owner)
		session_restore_role(&role);
}
