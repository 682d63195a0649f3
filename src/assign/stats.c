/*
 * stats.c
 *		territory.rule_stats(): how each rule is found, and what it costs.
 *
 * The rows that stand are matched once more, with a count and a clock at each
 * rule that is tried. Nothing is written.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/rel.h"
#include "access/table.h"
#include "access/tableam.h"
#include "executor/tuptable.h"
#include "utils/snapmgr.h"

#include "assign/run.h"
#include "base/catalog.h"
#include "base/session.h"
#include "rule/criteria.h"
#include "rule/ruleset.h"

PG_FUNCTION_INFO_V1(territory_rule_stats);

/*
 * match_all matches every row.
 */
static void
match_all(Ruleset *rules)
{
	Relation	rel = table_open(rules->object.object, AccessShareLock);
	TableScanDesc scan = table_beginscan(rel, GetActiveSnapshot(), 0, NULL);
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	MatchScope	scope;

	match_begin(&scope, rules);
	PG_TRY();
	{
		while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
		{
			CHECK_FOR_INTERRUPTS();
			(void) match_row(rules, slot);
		}
	}
	PG_FINALLY();
	{
		match_end(&scope);
		rules->counts = NULL;
	}
	PG_END_TRY();
	ExecDropSingleTupleTableSlot(slot);
	table_endscan(scan);
	table_close(rel, NoLock);
}

/*
 * describe_access tells people how a rule is found.
 */
static char *
describe_access(const Ruleset *rules, const RuleInfo *rule, Relation rel)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < ACCESS_OPERANDS && rule->access[i] >= 0; i++)
	{
		const Operand *operand = &rules->operands[rule->access[i]];
		const Attribute *attribute = &rules->attributes[operand->attribute];

		if (i > 0)
			appendStringInfoString(&text, ", ");
		if (attribute->attno != 0)
			appendStringInfoString(&text, quote_identifier(NameStr(TupleDescAttr(rules->desc, attribute->attno - 1)->attname)));
		else
			appendStringInfoString(&text, criteria_show(rel, attribute->expr));
	}
	return text.data;
}

Datum
territory_rule_stats(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Oid object = PG_GETARG_OID(0);
	Ruleset *rules;
	Relation rel;
	bool timing = PG_GETARG_BOOL(1);
	double total = 0;
	RuleCount *counts;

	InitMaterializedSRF(fcinfo, 0);
	run_require_manager(object);
	SPI_connect();
	rules = ruleset_acquire(object);
	counts = palloc0(Max(rules->rule_count, 1) * sizeof(RuleCount));
	rules->counts = timing ? counts : NULL;
	match_all(rules);
	rel = table_open(object, AccessShareLock);
	for (int i = 0; i < rules->rule_count; i++)
		total += INSTR_TIME_GET_DOUBLE(counts[i].time);
	for (int i = 0; i < rules->rule_count; i++)
	{
		const Rule *rule = &rules->rules[i];
		const RuleInfo *info = &rules->infos[i];
		Datum values[7] = {Int32GetDatum(rule->id), TerritoryGetDatum(rules->nodes[rule->node].path),
			info->name ? CStringGetTextDatum(info->name) : (Datum) 0,
			CStringGetTextDatum(info->scanned ? "scanned for every row" : describe_access(rules, info, rel)),
			Int64GetDatum(counts[i].tried), Int64GetDatum(counts[i].matched),
			Float8GetDatum(total > 0 ? INSTR_TIME_GET_DOUBLE(counts[i].time) / total : 0)};
		bool nulls[7] = {false, false, info->name == NULL, false, !timing, !timing, !timing};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	table_close(rel, NoLock);
	ruleset_release(rules);
	SPI_finish();
	return (Datum) 0;
}
