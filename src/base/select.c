/*
 * select.c
 *		Queries of functions that read: with the rights of the current user, by the
 *		snapshot of the calling query.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "executor/tstoreReceiver.h"
#include "nodes/execnodes.h"
#include "nodes/params.h"

#include "base/select.h"

/*
 * select_rows runs a query whose rows the function itself reads.
 */
void
select_rows(const char *sql, int count, Oid *types, Datum *values, const char *nulls)
{
	int			result = SPI_execute_with_args(sql, count, types, values, nulls, true, 0);

	if (result != SPI_OK_SELECT)
		elog(ERROR, "could not run \"%s\": %s", sql, SPI_result_code_string(result));
}

/*
 * select_value returns a column of a row.
 */
Datum
select_value(uint64 row, int column)
{
	bool		isnull;

	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &isnull);
}

/*
 * select_text returns a column of a row as text, NULL where it is null.
 */
char *
select_text(uint64 row, int column)
{
	return SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column);
}

/*
 * select_send runs a query whose rows a receiver takes. It is planned for these values
 * of its parameters.
 */
void
select_send(const char *sql, int count, Oid *types, Datum *values, const char *nulls,
			bool read_only, DestReceiver *receiver)
{
	SPIExecuteOptions options = {.params = makeParamList(count),.read_only = read_only,.dest = receiver};
	int			result;

	for (int i = 0; i < count; i++)
		options.params->params[i] = (ParamExternData)
	{
		.value = values[i],.isnull = nulls != NULL && nulls[i] == 'n',.pflags = PARAM_FLAG_CONST,.ptype = types[i]
	};
	result = SPI_execute_extended(sql, &options);
	if (result != SPI_OK_SELECT)
		elog(ERROR, "could not run \"%s\": %s", sql, SPI_result_code_string(result));
}

/*
 * select_result makes a receiver of the function's result.
 */
DestReceiver *
select_result(FunctionCallInfo fcinfo)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	DestReceiver *receiver = CreateDestReceiver(DestTuplestore);

	SetTuplestoreDestReceiverParams(receiver, result->setResult,
									result->econtext->ecxt_per_query_memory, false, NULL, NULL);
	return receiver;
}
