/*
 * explain_text.c
 *		territory.explain_text(): the same as explain(), as a text for people.
 *
 * The tree is drawn by indentation, with the nodes that have no say left bare. In
 * front of each condition stands whether it is true: yes, no, or ? for unknown.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "explain/criterion.h"
#include "explain/decision.h"
#include "path/path.h"

PG_FUNCTION_INFO_V1(territory_explain_text);

/* A text in the making. */
typedef struct Writer
{
	ReturnSetInfo *result;
	const Territory *only;		/* NULL: all nodes */
	int32		only_id;
	const Territory *last;		/* the node that was written last, or NULL */
} Writer;

/*
 * put_line adds a line: in front of it a mark, then the indentation. An empty line
 * is empty.
 */
static void
put_line(const Writer *writer, const char *mark, int indent, const char *line)
{
	const char *text = line[0] ? psprintf("%-5s%*s%s", mark, indent * 2, "", line) : "";
	Datum		value = CStringGetTextDatum(text);
	bool		isnull = false;

	tuplestore_putvalues(writer->result->setResult, writer->result->setDesc, &value, &isnull);
}

/*
 * label_of returns a label of a path, which counts from 0, as it is written in one.
 */
static char *
label_of(const Territory *path, int level)
{
	size_t		size;
	const char *label = tpath_slice(TERRITORY_DATA(path), TERRITORY_SIZE(path), level, level + 1, &size);

	return territory_to_cstring(territory_from_payload(label, size));
}

/*
 * common_levels counts the labels that two paths begin with alike.
 */
static int
common_levels(const Territory *a, const Territory *b)
{
	return tpath_level_count(TERRITORY_DATA(a),
							 tpath_common_size(TERRITORY_DATA(a), TERRITORY_SIZE(a),
											   TERRITORY_DATA(b), TERRITORY_SIZE(b)));
}

/*
 * put_above writes the nodes above one that were not written yet; returns the
 * node's own level, from 0.
 */
static int
put_above(Writer *writer, const Territory *path)
{
	int			levels = territory_nlevel(path);

	for (int level = writer->last ? common_levels(writer->last, path) : 0; level < levels - 1; level++)
		put_line(writer, "", level, label_of(path, level));
	writer->last = path;
	return levels - 1;
}

/*
 * append_who says by whom and when somebody decided.
 */
static void
append_who(StringInfo text, const Decision *decision)
{
	if (decision->who != NULL)
		appendStringInfo(text, " by %s", decision->who);
	if (decision->has_since)
		appendStringInfo(text, " on %.10s", DatumGetCString(DirectFunctionCall1(timestamptz_out, TimestampTzGetDatum(decision->since))));
}

/*
 * name_above names the record above: account 42.
 */
static char *
name_above(const Inquiry *inquiry)
{
	const char *table = get_rel_name(inquiry->rules->object.above);

	if (inquiry->above.key == NULL)
		return psprintf("a record of %s that you may not read", table);
	return psprintf("%s %s", table, inquiry->above.key);
}

/*
 * append_inherited says from where a node comes.
 */
static void
append_inherited(StringInfo text, const Inquiry *inquiry, const Decision *decision)
{
	appendStringInfo(text, " from %s", name_above(inquiry));
	if (decision->rule_id != 0)
		appendStringInfo(text, " (rule %s)", inquiry_rule_name(inquiry, decision->rule_id));
}

/*
 * append_reason says what decided, in a form that fits the decision's word.
 */
static void
append_reason(StringInfo text, const Inquiry *inquiry, const Decision *decision)
{
	switch (decision->kind)
	{
		case DECISION_MATCHED:
			appendStringInfo(text, " by rule %s", inquiry_rule_name(inquiry, decision->rule_id));
			break;
		case DECISION_INHERITED:
			append_inherited(text, inquiry, decision);
			break;
		case DECISION_BLOCKED:
		case DECISION_SHADOWED:
			appendStringInfo(text, " %s", decision->because);
			break;
		case DECISION_OUTRANKED:
			if (decision->because != NULL)
				appendStringInfo(text, " by %s", decision->because);
			else if (decision->from_above)
				appendStringInfo(text, " by %s", name_above(inquiry));
			break;
		case DECISION_TIED:
			appendStringInfo(text, " with %s", decision->because);
			break;
		case DECISION_EXCLUDED:
			append_who(text, decision);
			break;
		case DECISION_MANUAL:
			appendStringInfoString(text, ", assigned");
			append_who(text, decision);
			break;
		default:
			break;
	}
}

/*
 * describe says in words what became of the record at a node.
 */
static char *
describe(const Inquiry *inquiry, const Decision *decision)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoString(&text, decision_word(decision->kind));
	append_reason(&text, inquiry, decision);
	if (decision->note != NULL && decision->kind == DECISION_EXCLUDED)
		appendStringInfo(&text, ": %s", decision->note);
	else if (decision->note != NULL && decision->kind != DECISION_NO_PARENT)	/* that is in the heading */
		appendStringInfo(&text, " (%s)", decision->note);
	return text.data;
}

static const char *
mark_of(Truth truth)
{
	return truth == TRUTH_TRUE ? "yes" : truth == TRUTH_FALSE ? "no" : "?";
}

/*
 * describe_criterion returns a condition with the values that it saw, or the words for
 * what joins the conditions below it.
 */
static char *
describe_criterion(const Criterion *criterion)
{
	static const char *const words[] = {[CRITERION_AND] = "all of:", [CRITERION_OR] = "one of:", [CRITERION_NOT] = "not:"};
	StringInfoData text;

	if (criterion->kind != CRITERION_CONDITION)
		return pstrdup(words[criterion->kind]);
	initStringInfo(&text);
	appendStringInfoString(&text, criterion->text);
	if (criterion->value != NULL && criterion->error != NULL)
		appendStringInfo(&text, "   (%s; error: %s)", criterion->value, criterion->error);
	else if (criterion->value != NULL || criterion->error != NULL)
		appendStringInfo(&text, "   (%s%s)", criterion->error ? "error: " : "", criterion->error ? criterion->error : criterion->value);
	return text.data;
}

/*
 * is_alone tells whether the first criterion holds all others.
 */
static bool
is_alone(const List *criteria)
{
	ListCell   *cell;

	for_each_from(cell, criteria, 1)
	{
		if (((Criterion *) lfirst(cell))->level == 1)
			return false;
	}
	return true;
}

/*
 * put_rule writes a rule: one of a single condition in one line, another one under
 * a heading that says how its parts are joined.
 */
static void
put_rule(const Writer *writer, const Inquiry *inquiry, int rule, int indent)
{
	Truth		truth;
	List	   *criteria = criterion_list(inquiry, rule, &truth);
	char	   *name = inquiry_rule_name(inquiry, inquiry->rules->index->rules[rule].id);
	const Criterion *first = linitial(criteria);
	bool		joined = first->kind != CRITERION_CONDITION && is_alone(criteria);
	ListCell   *cell;

	if (list_length(criteria) == 1)
	{
		put_line(writer, mark_of(truth), indent, psprintf("rule %s: %s", name, describe_criterion(first)));
		return;
	}
	put_line(writer, mark_of(truth), indent,
			 psprintf("rule %s, %s", name, joined ? describe_criterion(first) : "all of:"));
	for_each_from(cell, criteria, joined ? 1 : 0)
	{
		const Criterion *criterion = lfirst(cell);

		put_line(writer, mark_of(criterion->truth), indent + criterion->level - (joined ? 1 : 0),
				 describe_criterion(criterion));
	}
}

/*
 * put_place writes a node with its rules.
 */
static void
put_place(const Inquiry *inquiry, const Place *place, void *arg)
{
	Writer	   *writer = arg;
	Decision	decision = decide_place(inquiry, place);
	int			level;

	if (writer->last == NULL)
		put_line(writer, "", 0, "");
	level = put_above(writer, place->path);
	put_line(writer, "", level, psprintf("%s: %s", label_of(place->path, level), describe(inquiry, &decision)));
	if (place->node < 0)
		return;
	for (int rule = inquiry_first_rule(inquiry, place->node);
		 rule < inquiry->rules->index->rule_count && inquiry->rules->index->rules[rule].node == place->node; rule++)
		put_rule(writer, inquiry, rule, level + 1);
}

/* What the heading says. */
typedef struct Heading
{
	StringInfoData text;
	int			count;
} Heading;

/*
 * add_to_heading adds a node in which the record stands.
 */
static void
add_to_heading(const Inquiry *inquiry, const Place *place, void *arg)
{
	Heading    *heading = arg;
	Decision	decision = decide_place(inquiry, place);

	if (decision_is_there(&decision))
		appendStringInfo(&heading->text, "%s%s", heading->count++ == 0 ? " stands in " : ", ",
						 territory_to_cstring(place->path));
}

/*
 * put_heading says where the record stands.
 */
static void
put_heading(const Writer *writer, const Inquiry *inquiry)
{
	Heading		heading = {.count = 0};

	initStringInfo(&heading.text);
	appendStringInfo(&heading.text, "%s %s", get_rel_name(inquiry->rules->object.object), inquiry->key);
	decision_each(inquiry, NULL, 0, add_to_heading, &heading);
	if (heading.count == 0)
		appendStringInfoString(&heading.text, " stands in no territory");
	put_line(writer, "", 0, heading.text.data);
}

/*
 * put_above_heading says what is above the record, and where that stands.
 */
static void
put_above_heading(const Writer *writer, const Inquiry *inquiry)
{
	const Above *above = &inquiry->above;
	bool		family = object_has_families(&inquiry->rules->object);
	StringInfoData text;

	if (above->inheritance == NULL || (family && !above->named))
		return;
	initStringInfo(&text);
	if (!above->named)
		appendStringInfo(&text, "it has no %s", get_rel_name(inquiry->rules->object.above));
	else
		appendStringInfo(&text, "%s %s", family ? "the top of its family," : "its parent,", name_above(inquiry));
	if (above->named && !above->there)
		appendStringInfoString(&text, ", is not there");
	else if (above_is_hidden(above))
		appendStringInfoString(&text, above->key ? ", is not yours to read" : "");
	else if (above->named)
		appendStringInfoString(&text, above->held.count == 0 ? ", stands in no territory" : ", stands in ");
	for (int i = 0; i < above->held.count && !above_is_hidden(above); i++)
		appendStringInfo(&text, "%s%s", i == 0 ? "" : ", ", territory_to_cstring(above->held.items[i].path));
	put_line(writer, "", 0, text.data);
}

static void
write_matched(Inquiry *inquiry, void *arg)
{
	Writer	   *writer = arg;

	put_heading(writer, inquiry);
	put_above_heading(writer, inquiry);
	decision_each(inquiry, writer->only, writer->only_id, put_place, writer);
}

static void
write_record(Inquiry *inquiry, void *arg)
{
	inquiry_match(inquiry, write_matched, arg);
}

/*
 * territory_explain_text(object, key, node): a line a row.
 */
Datum
territory_explain_text(PG_FUNCTION_ARGS)
{
	Writer		writer = {.result = (ReturnSetInfo *) fcinfo->resultinfo};

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return (Datum) 0;
	SPI_connect();
	if (!PG_ARGISNULL(2))
	{
		writer.only = PG_GETARG_TERRITORY_PP(2);
		writer.only_id = inquiry_find_node(writer.only);
	}
	inquiry_visit(PG_GETARG_OID(0), text_to_cstring(PG_GETARG_TEXT_PP(1)), write_record, &writer);
	SPI_finish();
	return (Datum) 0;
}
