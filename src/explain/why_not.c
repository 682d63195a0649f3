/*
 * why_not.c
 *		territory.why_not(): what would have to change for a record to come to a
 *		node, as rows.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "explain/advice.h"
#include "explain/answer.h"

PG_FUNCTION_INFO_V1(territory_why_not);

/* columns of the result */
enum
{
	WHY_COLUMN,
	WHY_VALUE,
	WHY_BECOMES,
	WHY_SUGGESTION,
	WHY_PATH,
	WHY_RULE_ID,
	WHY_RULE,
	WHY_REASON,
	WHY_PROVEN,
	WHY_MINIMAL,
	WHY_OBJECT,
	WHY_KEY,
	WHY_COLUMNS
};

/* A row of the result. */
typedef struct WhyRow
{
	Datum		values[WHY_COLUMNS];
	bool		nulls[WHY_COLUMNS];
} WhyRow;

static void
set(WhyRow *row, int column, Datum value)
{
	row->values[column] = value;
	row->nulls[column] = false;
}

static void
set_text(WhyRow *row, int column, const char *text)
{
	if (text != NULL)
		set(row, column, CStringGetTextDatum(text));
}

/*
 * put_advice makes a row of a point.
 */
static void
put_advice(ReturnSetInfo *result, const Advice *advice)
{
	WhyRow		row;

	memset(row.nulls, true, sizeof(row.nulls));
	set_text(&row, WHY_COLUMN, advice->column);
	set_text(&row, WHY_VALUE, advice->value);
	set_text(&row, WHY_BECOMES, advice->becomes);
	set_text(&row, WHY_SUGGESTION, advice->suggestion);
	set(&row, WHY_PATH, TerritoryGetDatum(advice->path));
	if (advice->rule_id != 0)
		set(&row, WHY_RULE_ID, Int32GetDatum(advice->rule_id));
	set_text(&row, WHY_RULE, advice->rule);
	set_text(&row, WHY_REASON, advice->reason);
	if (advice->judged)
		set(&row, WHY_PROVEN, BoolGetDatum(advice->proven));
	if (advice->judged && advice->column != NULL)
		set(&row, WHY_MINIMAL, BoolGetDatum(advice->minimal));
	set(&row, WHY_OBJECT, ObjectIdGetDatum(advice->object));
	set_text(&row, WHY_KEY, advice->key);
	tuplestore_putvalues(result->setResult, result->setDesc, row.values, row.nulls);
}

/*
 * territory_why_not(object, key, node): the smallest change that brings a record
 * to a node. Only for records that the caller may read.
 */
Datum
territory_why_not(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const Territory *path;
	const Answer *answer;
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return (Datum) 0;
	SPI_connect();
	path = PG_GETARG_TERRITORY_PP(2);
	answer = answer_find(PG_GETARG_OID(0), text_to_cstring(PG_GETARG_TEXT_PP(1)), path, inquiry_find_node(path));
	foreach(cell, answer->points)
		put_advice(result, lfirst(cell));
	SPI_finish();
	return (Datum) 0;
}
