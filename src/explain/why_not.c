/*
 * why_not.c
 *		territory.why_not(): what would have to change for a record to come to a
 *		node.
 *
 * remedy.c finds the change; here it becomes rows: for each column that is to be
 * changed, what each rule asks of it, and a value that serves.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "base/catalog.h"
#include "explain/inquiry.h"
#include "explain/remedy.h"
#include "rule/show.h"

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
	WHY_COLUMNS
};

/* A question. */
typedef struct Question
{
	ReturnSetInfo *result;
	const Territory *node;
	int32		node_id;
} Question;

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
 * begin_row empties a row, but for the node and the reason.
 */
static void
begin_row(WhyRow *row, const Territory *path, const char *reason)
{
	memset(row->nulls, true, sizeof(row->nulls));
	set(row, WHY_PATH, TerritoryGetDatum(path));
	set_text(row, WHY_REASON, reason);
}

static void
put_row(const Question *question, const WhyRow *row)
{
	tuplestore_putvalues(question->result->setResult, question->result->setDesc,
						 unconstify(WhyRow *, row)->values, unconstify(WhyRow *, row)->nulls);
}

/*
 * put_ban says that an exclusion is to be lifted.
 */
static void
put_ban(const Question *question, const Ban *ban)
{
	WhyRow		row;

	begin_row(&row, question->node, "excluded");
	set_text(&row, WHY_VALUE, psprintf("by %s%s%s", ban->who ? ban->who : "somebody",
									   ban->note ? ": " : "", ban->note ? ban->note : ""));
	set_text(&row, WHY_BECOMES, psprintf("DELETE FROM territory.exclusion WHERE id = %d", ban->id));
	put_row(question, &row);
}

/*
 * put_rules says what a node without active rules lacks: those that are not active
 * are shown with what makes them so.
 */
static void
put_rules(const Question *question, Oid object)
{
	Oid			types[2] = {OIDOID, INT4OID};
	Datum		values[2] = {ObjectIdGetDatum(object), Int32GetDatum(question->node_id)};
	SessionRole role;
	WhyRow		row;

	session_become(&role, catalog_owner());
	session_execute("SELECT id, name FROM territory.rule WHERE object OPERATOR(pg_catalog.=) $1"
					"   AND node_id OPERATOR(pg_catalog.=) $2 AND NOT active ORDER BY id",
					SPI_OK_SELECT, 2, types, values, NULL);
	session_restore_role(&role);
	if (SPI_processed == 0)
	{
		begin_row(&row, question->node, "no rules");
		put_row(question, &row);
	}
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		Datum		id = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull);

		begin_row(&row, question->node, "rule not active");
		set(&row, WHY_RULE_ID, id);
		set_text(&row, WHY_RULE, SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2));
		set_text(&row, WHY_BECOMES, psprintf("UPDATE territory.rule SET active = true WHERE id = %d", DatumGetInt32(id)));
		put_row(question, &row);
	}
}

/*
 * may_be_unknown tells whether a condition on a column can be unknown.
 */
static bool
may_be_unknown(const Inquiry *inquiry, const Need *need)
{
	int			attno;

	if (IsA(need->condition, NullTest) || IsA(need->condition, BooleanTest))
		return false;
	return !bms_get_singleton_member(need->columns, &attno) ||
		!TupleDescAttr(RelationGetDescr(inquiry->rel), attno - 1)->attnotnull;
}

/*
 * describe_need returns what a condition asks: of its column (>= 500), or as a
 * whole.
 */
static char *
describe_need(const Inquiry *inquiry, const Need *need)
{
	bool		negate = (need->mask & MASK_TRUE) == 0;
	bool		or_unknown = (need->mask & MASK_UNKNOWN) != 0 && may_be_unknown(inquiry, need);
	char	   *bound = show_bound(inquiry->rel, need->condition, negate);
	char	   *whole;

	if (bound != NULL)
		return or_unknown ? psprintf("%s, or NULL", bound) : bound;
	whole = show_condition(inquiry->rel, need->condition);
	if (or_unknown)
		return psprintf("(%s) IS NOT %s", whole, negate ? "TRUE" : "FALSE");
	return negate ? psprintf("NOT (%s)", whole) : whole;
}

/*
 * reason_of says why a condition is needed.
 */
static const char *
reason_of(NeedKind kind)
{
	static const char *const reasons[] = {
		[NEED_MATCH] = "must match",
		[NEED_ANCESTOR] = "ancestor must match",
		[NEED_DESCENDANT] = "descendant must not match",
		[NEED_RIVAL] = "must not outrank"
	};

	return reasons[kind];
}

/*
 * set_suggestion fills in a column's value as it is, and the one that serves.
 */
static void
set_suggestion(WhyRow *row, const Inquiry *inquiry, const Remedy *remedy, AttrNumber attno)
{
	Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(inquiry->rel), attno - 1);
	Oid			output;
	bool		varlena;

	set_text(row, WHY_COLUMN, NameStr(attribute->attname));
	set_text(row, WHY_VALUE, inquiry_value(inquiry, attno));
	set(row, WHY_PROVEN, BoolGetDatum(remedy->proven));
	set(row, WHY_MINIMAL, BoolGetDatum(remedy->minimal));
	if (!remedy->proven || remedy->nulls[attno - 1])
		return;
	getTypeOutputInfo(attribute->atttypid, &output, &varlena);
	set_text(row, WHY_SUGGESTION, OidOutputFunctionCall(output, remedy->values[attno - 1]));
}

/*
 * is_said tells whether the same was said before of a column, for the same rule.
 */
static bool
is_said(const Inquiry *inquiry, const Remedy *remedy, int upto, AttrNumber attno)
{
	const Need *need = list_nth(remedy->needs, upto);

	for (int i = 0; i < upto; i++)
	{
		const Need *other = list_nth(remedy->needs, i);

		if (other->rule == need->rule && other->mask == need->mask && equal(other->condition, need->condition))
			return true;
	}
	return false;
}

/*
 * put_column adds the rows of a column that is to be changed.
 */
static void
put_column(const Question *question, const Inquiry *inquiry, const Remedy *remedy, AttrNumber attno)
{
	const Ruleset *rules = inquiry->rules;
	ListCell   *cell;

	foreach(cell, remedy->needs)
	{
		const Need *need = lfirst(cell);
		const Rule *rule = &rules->index->rules[need->rule];
		WhyRow		row;

		if (!bms_is_member(attno, need->columns) || is_said(inquiry, remedy, foreach_current_index(cell), attno))
			continue;
		begin_row(&row, rules->nodes[rule->node].path, reason_of(need->kind));
		set_suggestion(&row, inquiry, remedy, attno);
		set_text(&row, WHY_BECOMES, describe_need(inquiry, need));
		set(&row, WHY_RULE_ID, Int32GetDatum(rule->id));
		set_text(&row, WHY_RULE, rules->index->infos[need->rule].name);
		put_row(question, &row);
	}
}

/*
 * put_remedy adds the rows of a change, or one that says that there is none.
 */
static void
put_remedy(const Question *question, Inquiry *inquiry, int node)
{
	Remedy		remedy = remedy_find(inquiry, node);
	int			attno = -1;

	if (!remedy.found)
	{
		WhyRow		row;

		begin_row(&row, remedy.dead >= 0 ? inquiry->rules->nodes[remedy.dead].path : question->node, "impossible");
		put_row(question, &row);
	}
	while ((attno = bms_next_member(remedy.columns, attno)) >= 0)
		put_column(question, inquiry, &remedy, attno);
}

/*
 * has_without_ban tells whether the record would stand in a node by its rules if
 * it were not excluded from it.
 */
static bool
has_without_ban(Inquiry *inquiry, int node)
{
	Ruleset    *rules = inquiry->rules;
	int32		id = rules->nodes[node].id;
	Match	   *matches;
	int			count = match_row(rules, inquiry->slot);
	int			left = 0;

	matches = palloc(Max(count, 1) * sizeof(Match));
	for (int i = 0; i < count; i++)
	{
		bool		excluded = false;

		for (int k = 0; k < inquiry->exclusion_count; k++)
			excluded |= !exclusion_covers(&inquiry->exclusions[k], 1, id) &&
				exclusion_covers(&inquiry->exclusions[k], 1, rules->nodes[rules->matches[i].node].id);
		if (!excluded)
			matches[left++] = rules->matches[i];
	}
	left = match_select(rules, matches, left);
	for (int i = 0; i < left; i++)
	{
		if (matches[i].node == node)
			return true;
	}
	return false;
}

/*
 * why_not_record answers the question for a record: nothing, where it stands in
 * the node.
 */
static void
why_not_record(Inquiry *inquiry, void *arg)
{
	const Question *question = arg;
	int			node = inquiry_node_index(inquiry, question->node_id);
	const Held *held = inquiry_held(inquiry, question->node_id);
	bool		banned = false;

	for (int i = 0; i < inquiry->ban_count; i++)
	{
		const Ban  *ban = &inquiry->bans[i];

		if (ban->node_id != EVERY_NODE && ban->node_id != question->node_id)
			continue;
		put_ban(question, ban);
		banned = true;
	}
	if (!banned && held != NULL && held->manual)
		return;
	if (node < 0)
		put_rules(question, inquiry->rules->object.object);
	else if (!has_without_ban(inquiry, node))
		put_remedy(question, inquiry, node);
}

/*
 * territory_why_not(object, key, node): the smallest change that brings a record
 * to a node. Only for records that the caller may read.
 */
Datum
territory_why_not(PG_FUNCTION_ARGS)
{
	Question	question = {.result = (ReturnSetInfo *) fcinfo->resultinfo};

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return (Datum) 0;
	SPI_connect();
	question.node = PG_GETARG_TERRITORY_PP(2);
	question.node_id = inquiry_find_node(question.node);
	inquiry_visit(PG_GETARG_OID(0), text_to_cstring(PG_GETARG_TEXT_PP(1)), why_not_record, &question);
	SPI_finish();
	return (Datum) 0;
}
