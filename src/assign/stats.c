/*
 * stats.c
 *		territory.rule_stats(): how each rule is found, and what trying it costs.
 *
 * The records that stand are matched once more, with a count, and a clock, at
 * every rule that is tried. Nothing is written.
 */
#include "postgres.h"

#include <math.h>

#include "access/table.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "assign/run.h"
#include "assign/source.h"
#include "base/session.h"
#include "rule/criteria.h"
#include "rule/ruleset.h"

PG_FUNCTION_INFO_V1(territory_rule_stats);

/* columns of the result */
enum
{
	STATS_RULE_ID,
	STATS_PATH,
	STATS_RULE,
	STATS_ACCESS,
	STATS_TRIED,
	STATS_MATCHED,
	STATS_SHARE,
	STATS_COLUMNS
};

/*
 * match_all matches every record.
 */
static void
match_all(Ruleset *rules)
{
	Snapshot	snapshot = RegisterSnapshot(session_latest_snapshot());
	Source		source;
	MatchScope	scope;

	source_open(&source, rules, source_tables(rules->object.object), snapshot);
	match_begin(&scope, rules);
	PG_TRY();
	{
		while (source_next(&source))
		{
			CHECK_FOR_INTERRUPTS();
			(void) match_row(rules, source_row(&source));
		}
	}
	PG_FINALLY();
	{
		match_end(&scope);
	}
	PG_END_TRY();
	source_close(&source);
	UnregisterSnapshot(snapshot);
}

/*
 * count_all matches every record, with counts if they are asked for.
 */
static void
count_all(Ruleset *rules, bool timing)
{
	if (timing)
		rules->index->counts = palloc_extended(Max(rules->index->rule_count, 1) * sizeof(RuleCount),
										MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	match_all(rules);
}

/*
 * append_operand appends what of a row leads to a rule.
 */
static void
append_operand(StringInfo text, const Ruleset *rules, const Operand *operand, Relation rel)
{
	const Attribute *attribute = &rules->index->attributes[operand->attribute];

	if (attribute->attno != 0)
		appendStringInfoString(text, quote_identifier(NameStr(TupleDescAttr(rules->desc, attribute->attno - 1)->attname)));
	else
		appendStringInfoString(text, criteria_show(rel, attribute->expr));
	if (operand->kind == OPERAND_PREFIX)
		appendStringInfo(text, " (first %d bytes)", operand->size);
	else if (operand->kind == OPERAND_ORDER)
		appendStringInfoString(text, " (range)");
	else if (operand->kind == OPERAND_NULLNESS)
		appendStringInfoString(text, " (null)");
}

/*
 * describe_access tells people how a rule is found.
 */
static char *
describe_access(const Ruleset *rules, const RuleInfo *info, Relation rel)
{
	StringInfoData text;

	if (info->scanned)
		return "scanned for every row";
	if (info->access[0] < 0)
		return "never true";
	initStringInfo(&text);
	for (int i = 0; i < ACCESS_OPERANDS && info->access[i] >= 0; i++)
	{
		if (i > 0)
			appendStringInfoString(&text, ", ");
		append_operand(&text, rules, &rules->index->operands[info->access[i]], rel);
	}
	return text.data;
}

/*
 * total_seconds adds up the time of all rules.
 */
static double
total_seconds(const RuleCount *counts, int count)
{
	double		total = 0;

	for (int i = 0; i < count; i++)
		total += INSTR_TIME_GET_DOUBLE(counts[i].time);
	return total;
}

/*
 * put_rules puts a row for each rule into the result.
 */
static void
put_rules(ReturnSetInfo *result, const Ruleset *rules)
{
	const RuleIndex *index = rules->index;
	const RuleCount *counts = index->counts;
	Relation	rel = table_open(rules->object.object, AccessShareLock);
	double		total = counts ? total_seconds(counts, index->rule_count) : 0;

	for (int i = 0; i < index->rule_count; i++)
	{
		const RuleInfo *info = &index->infos[i];
		Datum		values[STATS_COLUMNS] = {0};
		bool		nulls[STATS_COLUMNS] = {false};

		values[STATS_RULE_ID] = Int32GetDatum(index->rules[i].id);
		values[STATS_PATH] = TerritoryGetDatum(rules->nodes[index->rules[i].node].path);
		nulls[STATS_RULE] = info->name == NULL;
		if (info->name != NULL)
			values[STATS_RULE] = CStringGetTextDatum(info->name);
		values[STATS_ACCESS] = CStringGetTextDatum(describe_access(rules, info, rel));
		nulls[STATS_TRIED] = nulls[STATS_MATCHED] = nulls[STATS_SHARE] = counts == NULL;
		if (counts != NULL)
		{
			values[STATS_TRIED] = Int64GetDatum(counts[i].tried);
			values[STATS_MATCHED] = Int64GetDatum(counts[i].matched);
			values[STATS_SHARE] = Float8GetDatum(total == 0 ? 0 :
												 rint(INSTR_TIME_GET_DOUBLE(counts[i].time) / total * 10000) / 10000);
		}
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	table_close(rel, NoLock);
}

/*
 * territory_rule_stats(object, timing) -> (rule_id, path, rule, access, tried,
 * matched, share).
 */
Datum
territory_rule_stats(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Ruleset    *rules;
	RuleCount  *outer;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	run_require_manager(PG_GETARG_OID(0));
	SPI_connect();
	rules = ruleset_acquire_whole(PG_GETARG_OID(0));
	outer = rules->index->counts;
	PG_TRY();
	{
		count_all(rules, PG_ARGISNULL(1) || PG_GETARG_BOOL(1));
		put_rules(result, rules);
	}
	PG_FINALLY();
	{
		rules->index->counts = outer;
		ruleset_release(rules);
	}
	PG_END_TRY();
	SPI_finish();
	return (Datum) 0;
}
