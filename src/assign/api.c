/*
 * api.c
 *		territory.match() and territory.run(), as SQL calls them.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tupconvert.h"
#include "catalog/partition.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "assign/batch.h"
#include "assign/run.h"
#include "base/catalog.h"
#include "base/session.h"
#include "compat.h"
#include "history/cause.h"
#include "parent/kin.h"
#include "rule/criteria.h"
#include "rule/ruleset.h"
#include "tree/node.h"

PG_FUNCTION_INFO_V1(territory_match);
PG_FUNCTION_INFO_V1(territory_run);

/*
 * record_slot puts a composite value into a slot with the object's columns. The
 * value must be a row of the table or of one of its partitions.
 */
static TupleTableSlot *
record_slot(const Ruleset *rules, HeapTupleHeader record)
{
	Oid			type = HeapTupleHeaderGetTypeId(record);
	TupleDesc	desc = lookup_rowtype_tupdesc(type, HeapTupleHeaderGetTypMod(record));
	TupleTableSlot *slot = MakeSingleTupleTableSlot(CreateTupleDescCopy(desc), &TTSOpsHeapTuple);
	HeapTuple	tuple = palloc0(sizeof(HeapTupleData));
	AttrMap    *map = NULL;

	ReleaseTupleDesc(desc);
	if (type != get_rel_type_id(rules->object.object))
	{
		Oid			relid = get_typ_typrelid(type);

		if (!OidIsValid(relid) || !get_rel_relispartition(relid) || !list_member_oid(get_partition_ancestors(relid), rules->object.object))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("the record has type %s, not that of table %s", format_type_be(type),
							catalog_qualified_name(rules->object.object)),
					 errhint("Pass a row of the table, for example SELECT territory.match('%s', t) FROM %s t.",
							 catalog_qualified_name(rules->object.object),
							 catalog_qualified_name(rules->object.object))));
		map = territory_build_attrmap(slot->tts_tupleDescriptor, rules->desc);
	}
	tuple->t_len = HeapTupleHeaderGetDatumLength(record);
	tuple->t_data = record;
	ItemPointerSetInvalid(&tuple->t_self);
	ExecStoreHeapTuple(tuple, slot, false);
	if (map)
		return execute_attr_map_slot(map, slot, MakeSingleTupleTableSlot(rules->desc, &TTSOpsVirtual));
	return slot;
}

/*
 * territory_match(object, record) -> (node_id, rule_id): what the record would
 * get by its rules.
 *
 * The record is taken as a plain varlena: the server's own accessor for
 * composite values is a macro in some minor releases and a function in others,
 * and a library built with the one would not load in the other.
 */
Datum
territory_match(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Ruleset    *rules;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return (Datum) 0;
	if (!type_is_rowtype(get_fn_expr_argtype(fcinfo->flinfo, 1)))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("match needs a row of the table"),
				 errhint("For example SELECT territory.match('account', a) FROM account a.")));
	SPI_connect();
	rules = ruleset_acquire(PG_GETARG_OID(0));
	PG_TRY();
	{
		Pair	   *pairs;
		TupleTableSlot *slot = record_slot(rules, (HeapTupleHeader) PG_DETOAST_DATUM(PG_GETARG_DATUM(1)));
		int			count = batch_preview(rules, slot, &pairs);

		for (int i = 0; i < count; i++)
		{
			Datum		values[2] = {Int32GetDatum(pairs[i].node_id), Int32GetDatum(pairs[i].rule_id)};
			bool		nulls[2] = {false, pairs[i].rule_id == 0};

			tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		}
	}
	PG_FINALLY();
	{
		ruleset_release(rules);
	}
	PG_END_TRY();
	SPI_finish();
	return (Datum) 0;
}

/*
 * only_condition checks the caller's filter and returns it qualified.
 */
static char *
only_condition(Oid object, const char *only)
{
	Relation	rel = table_open(object, AccessShareLock);
	Expr	   *expr = criteria_parse(rel, only);
	char	   *condition;

	criteria_check(rel, expr, only);
	criteria_check_access(rel, expr);
	condition = criteria_deparse(rel, expr);
	table_close(rel, NoLock);
	return condition;
}

/*
 * subtree_nodes returns the ids of the nodes of a subtree as an array literal.
 */
static char *
subtree_nodes(const Territory *under, int32 model)
{
	Oid			types[2] = {TEXTOID, INT4OID};
	Datum		values[2] = {CStringGetTextDatum(territory_to_cstring(under)), Int32GetDatum(model)};

	if (TERRITORY_SIZE(under) > 0)
		(void) node_find(under);	/* raises */
	session_execute("SELECT pg_catalog.array_agg(id)::pg_catalog.text FROM territory.node"
					" WHERE model_id OPERATOR(pg_catalog.=) $2"
					"   AND path OPERATOR(territory.<@) $1::territory.territory",
					SPI_OK_SELECT, 2, types, values, NULL);
	return SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
}

/*
 * append_column appends the texts in the first column of the last query's
 * result, each in brackets, joined by a word.
 */
static void
append_column(StringInfo condition, const char *word)
{
	for (uint64 i = 0; i < SPI_processed; i++)
		appendStringInfo(condition, "%s(%s)", i == 0 ? "" : word,
						 SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1));
}

/*
 * append_rules appends the condition of the records that the rules of some nodes
 * may bring there: they satisfy one of the rules, and one of each node above the
 * subtree that gates it.
 */
static void
append_rules(StringInfo condition, Oid object, const char *nodes, const Territory *under, int32 model)
{
	Oid			types[4] = {OIDOID, TEXTOID, TEXTOID, INT4OID};
	Datum		values[4] = {ObjectIdGetDatum(object), CStringGetTextDatum(nodes),
	CStringGetTextDatum(territory_to_cstring(under)), Int32GetDatum(model)};

	session_execute("SELECT DISTINCT expression FROM territory.rule"
					" WHERE object OPERATOR(pg_catalog.=) $1 AND active"
					"   AND node_id OPERATOR(pg_catalog.=) ANY ($2::pg_catalog.int4[])",
					SPI_OK_SELECT, 2, types, values, NULL);
	if (SPI_processed == 0)
	{
		appendStringInfoString(condition, "false");
		return;
	}
	appendStringInfoChar(condition, '(');
	append_column(condition, " OR ");
	appendStringInfoChar(condition, ')');
	session_execute("SELECT pg_catalog.string_agg('(' OPERATOR(pg_catalog.||) r.expression OPERATOR(pg_catalog.||) ')', ' OR ')"
					"  FROM territory.node n JOIN territory.rule r ON r.node_id OPERATOR(pg_catalog.=) n.id"
					" WHERE n.model_id OPERATOR(pg_catalog.=) $4 AND n.cascade"
					"   AND n.path OPERATOR(territory.@>) $3::territory.territory"
					"   AND n.path OPERATOR(territory.<>) $3::territory.territory"
					"   AND r.object OPERATOR(pg_catalog.=) $1 AND r.active"
					" GROUP BY n.id",
					SPI_OK_SELECT, 4, types, values, NULL);
	if (SPI_processed > 0)
		appendStringInfoString(condition, " AND ");
	append_column(condition, " AND ");
}

/*
 * under_condition selects the records that a subtree may concern: those that
 * stand in it, or that its rules may bring there. The keys are found by two
 * queries of their own, so that each has its index. It is evaluated as the
 * table's owner, who need not be able to read our tables.
 */
static char *
under_condition(const ObjectInfo *info, const Territory *under)
{
	int32		model = model_active();
	char	   *nodes = subtree_nodes(under, model);
	const char *key = quote_identifier(NameStr(info->key_column));
	StringInfoData condition;

	if (nodes == NULL)
		return pstrdup("false");
	/* what brings a record there need not be its own rules */
	if (OidIsValid(info->above))
		return pstrdup("true");
	initStringInfo(&condition);
	appendStringInfo(&condition, "%s IN (SELECT a.%s FROM %s a WHERE a.node_id = ANY (%s::int4[])"
					 " UNION ALL SELECT territory_record.%s FROM %s AS territory_record WHERE ",
					 key, key, catalog_qualified_name(info->assignment), quote_literal_cstr(nodes),
					 key, catalog_qualified_name(info->object));
	append_rules(&condition, info->object, nodes, under, model);
	appendStringInfoChar(&condition, ')');
	return condition.data;
}

/*
 * describe_scope is the text for run_log.
 */
static char *
describe_scope(const Territory *under, const char *only)
{
	StringInfoData scope;

	initStringInfo(&scope);
	if (under == NULL && only == NULL)
		appendStringInfoString(&scope, "all");
	if (under != NULL)
		appendStringInfo(&scope, "under %s", territory_to_cstring(under));
	if (only != NULL)
		appendStringInfo(&scope, "%sonly %s", under ? ", " : "", only);
	return scope.data;
}

/*
 * run_scope re-evaluates what the two filters leave; both must hold.
 */
static BatchCounts
run_scope(Oid object, const Territory *under, const char *only)
{
	SessionRole role;
	ObjectInfo	info;
	char	   *condition = only ? only_condition(object, only) : NULL;

	kin_lock_for_change(object);
	session_become(&role, catalog_owner());
	object_require(object, &info);
	if (under)
		condition = condition ?
			psprintf("(%s) AND (%s)", condition, under_condition(&info, under)) :
			under_condition(&info, under);
	session_restore_role(&role);
	return run_where(object, condition);
}

/*
 * territory_run(object, under, only) -> (rows_read, added, removed).
 */
Datum
territory_run(PG_FUNCTION_ARGS)
{
	TimestampTz started = GetCurrentTimestamp();
	Oid			object;
	Territory  *under = PG_ARGISNULL(1) ? NULL : PG_GETARG_TERRITORY_PP(1);
	char	   *only = PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2));
	char	   *scope;
	int			cause;
	BatchCounts counts;
	TupleDesc	desc;
	Datum		values[3];
	bool		nulls[3] = {false, false, false};

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("object must not be null")));
	object = PG_GETARG_OID(0);
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	run_require_manager(object);
	SPI_connect();
	scope = describe_scope(under, only);
	cause = cause_push(CAUSE_RUN, scope);
	counts = run_scope(object, under, only);
	cause_pop(cause);
	run_record(object, scope, started, &counts);
	SPI_finish();
	values[0] = Int64GetDatum(counts.records);
	values[1] = Int64GetDatum(counts.added);
	values[2] = Int64GetDatum(counts.removed);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
