/*
 * explain.c
 *		territory.explain(): why a record has the territories it has, and why it
 *		has not the others, as rows.
 *
 * The decisions come from the match engine itself (inquiry.c, decision.c); the
 * conditions are evaluated one by one for show (criterion.c).
 */
#include "postgres.h"

#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "explain/criterion.h"
#include "explain/decision.h"

PG_FUNCTION_INFO_V1(territory_explain);

/* columns of the result */
enum
{
	EXPLAIN_PATH,
	EXPLAIN_NODE_ID,
	EXPLAIN_RULE_ID,
	EXPLAIN_RULE,
	EXPLAIN_CRITERION,
	EXPLAIN_VALUE,
	EXPLAIN_RESULT,
	EXPLAIN_DECISION,
	EXPLAIN_BECAUSE,
	EXPLAIN_ITEM,
	EXPLAIN_LEVEL,
	EXPLAIN_RULE_RESULT,
	EXPLAIN_BY_RULE,
	EXPLAIN_WHO,
	EXPLAIN_SINCE,
	EXPLAIN_NOTE,
	EXPLAIN_FROM_OBJECT,
	EXPLAIN_FROM_KEY,
	EXPLAIN_COLUMNS
};

/* A question. */
typedef struct Explanation
{
	ReturnSetInfo *result;
	const Territory *only;		/* NULL: all nodes */
	int32		only_id;
} Explanation;

/* A row of the result. */
typedef struct ExplainRow
{
	Datum		values[EXPLAIN_COLUMNS];
	bool		nulls[EXPLAIN_COLUMNS];
} ExplainRow;

static void
set(ExplainRow *row, int column, Datum value)
{
	row->values[column] = value;
	row->nulls[column] = false;
}

/*
 * set_text sets a column, where there is a text.
 */
static void
set_text(ExplainRow *row, int column, const char *text)
{
	row->nulls[column] = text == NULL;
	row->values[column] = text ? CStringGetTextDatum(text) : (Datum) 0;
}

/*
 * set_truth sets a column; unknown is NULL.
 */
static void
set_truth(ExplainRow *row, int column, Truth truth)
{
	row->nulls[column] = truth == TRUTH_UNKNOWN;
	row->values[column] = BoolGetDatum(truth == TRUTH_TRUE);
}

/*
 * set_decision fills in what became of the record.
 */
static void
set_decision(ExplainRow *row, const Inquiry *inquiry, const Decision *decision)
{
	set_text(row, EXPLAIN_DECISION, decision_word(decision->kind));
	set_text(row, EXPLAIN_BECAUSE, decision->because);
	if (decision->rule_id != 0)
		set(row, EXPLAIN_BY_RULE, Int32GetDatum(decision->rule_id));
	set_text(row, EXPLAIN_WHO, decision->who);
	if (decision->has_since)
		set(row, EXPLAIN_SINCE, TimestampTzGetDatum(decision->since));
	set_text(row, EXPLAIN_NOTE, decision->note);
	if (!decision->from_above)
		return;
	set(row, EXPLAIN_FROM_OBJECT, ObjectIdGetDatum(inquiry->rules->object.above));
	set_text(row, EXPLAIN_FROM_KEY, inquiry->above.key);
}

/*
 * set_place fills in what is the same in all rows of a node.
 */
static void
set_place(ExplainRow *row, const Inquiry *inquiry, const Place *place)
{
	Decision	decision = decide_place(inquiry, place);

	memset(row->nulls, true, sizeof(row->nulls));
	set(row, EXPLAIN_PATH, TerritoryGetDatum(place->path));
	set(row, EXPLAIN_NODE_ID, Int32GetDatum(place->node_id));
	set_decision(row, inquiry, &decision);
}

/*
 * put_rule adds a row for each criterion of a rule.
 */
static void
put_rule(const Explanation *e, const Inquiry *inquiry, int rule, ExplainRow *row)
{
	const char *note = row->nulls[EXPLAIN_NOTE] ? NULL : TextDatumGetCString(row->values[EXPLAIN_NOTE]);
	Truth		truth;
	List	   *criteria = criterion_list(inquiry, rule, &truth);
	ListCell   *cell;

	set(row, EXPLAIN_RULE_ID, Int32GetDatum(inquiry->rules->index->rules[rule].id));
	set_text(row, EXPLAIN_RULE, inquiry->rules->index->infos[rule].name);
	set_truth(row, EXPLAIN_RULE_RESULT, truth);
	foreach(cell, criteria)
	{
		const Criterion *criterion = lfirst(cell);

		set_text(row, EXPLAIN_ITEM, criterion->place);
		set(row, EXPLAIN_LEVEL, Int32GetDatum(criterion->level));
		set_text(row, EXPLAIN_CRITERION, criterion->text);
		set_text(row, EXPLAIN_VALUE, criterion->value);
		set_truth(row, EXPLAIN_RESULT, criterion->truth);
		set_text(row, EXPLAIN_NOTE, criterion->error ? psprintf("error: %s", criterion->error) : note);
		tuplestore_putvalues(e->result->setResult, e->result->setDesc, row->values, row->nulls);
	}
	set_text(row, EXPLAIN_NOTE, note);
}

/*
 * put_place adds the rows of a node.
 */
static void
put_place(const Inquiry *inquiry, const Place *place, void *arg)
{
	const Explanation *e = arg;
	ExplainRow	row;

	set_place(&row, inquiry, place);
	if (place->node < 0)
	{
		tuplestore_putvalues(e->result->setResult, e->result->setDesc, row.values, row.nulls);
		return;
	}
	for (int rule = inquiry_first_rule(inquiry, place->node);
		 rule < inquiry->rules->index->rule_count && inquiry->rules->index->rules[rule].node == place->node; rule++)
		put_rule(e, inquiry, rule, &row);
}

/*
 * put_nowhere adds the row of a record for which there is no node to speak of.
 */
static void
put_nowhere(const Explanation *e, const Inquiry *inquiry)
{
	Decision	decision;
	ExplainRow	row;

	if (!decide_nowhere(inquiry, &decision))
		return;
	memset(row.nulls, true, sizeof(row.nulls));
	set_decision(&row, inquiry, &decision);
	tuplestore_putvalues(e->result->setResult, e->result->setDesc, row.values, row.nulls);
}

/*
 * explain_matched is within the bracket that criteria need.
 */
static void
explain_matched(Inquiry *inquiry, void *arg)
{
	const Explanation *e = arg;

	if (decision_each(inquiry, e->only, e->only_id, put_place, arg) == 0)
		put_nowhere(e, inquiry);
}

static void
explain_record(Inquiry *inquiry, void *arg)
{
	inquiry_match(inquiry, explain_matched, arg);
}

/*
 * territory_explain(object, key, node): one row a node, rule and criterion.
 * Shows only records that the caller may read.
 */
Datum
territory_explain(PG_FUNCTION_ARGS)
{
	Explanation e = {.result = (ReturnSetInfo *) fcinfo->resultinfo};

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return (Datum) 0;
	SPI_connect();
	if (!PG_ARGISNULL(2))
	{
		e.only = PG_GETARG_TERRITORY_PP(2);
		e.only_id = inquiry_find_node(e.only);
	}
	inquiry_visit(PG_GETARG_OID(0), text_to_cstring(PG_GETARG_TEXT_PP(1)), explain_record, &e);
	SPI_finish();
	return (Datum) 0;
}
