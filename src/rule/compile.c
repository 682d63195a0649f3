/*
 * compile.c
 *		Builds the rule set of an attached table: reads the active rules of the
 *		active model and the nodes that have them, and puts together what
 *		condition.c and access.c make of them.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "base/catalog.h"
#include "rule/build.h"
#include "rule/criteria.h"
#include "rule/shape.h"

/*
 * read_settings reads what the active model pins.
 */
static void
read_settings(Ruleset *rules)
{
	static KeptStatement find = {
		"SELECT time_zone, date_style FROM territory.model WHERE state OPERATOR(pg_catalog.=) 'active'",
		SPI_OK_SELECT, 0
	};
	HeapTuple	row;

	session_execute_kept(&find, NULL, NULL);
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("no model is active")));
	row = SPI_tuptable->vals[0];
	rules->settings.time_zone =
		MemoryContextStrdup(rules->context, SPI_getvalue(row, SPI_tuptable->tupdesc, 1));
	rules->settings.date_style =
		MemoryContextStrdup(rules->context, SPI_getvalue(row, SPI_tuptable->tupdesc, 2));
}

/*
 * link_nodes finds, for nodes in tree order, the nearest gate above each and
 * the end of the subtree of each.
 */
static void
link_nodes(Ruleset *rules)
{
	int		   *above = palloc(Max(rules->node_count, 1) * sizeof(int));
	int			depth = 0;

	for (int i = 0; i < rules->node_count; i++)
	{
		RuleNode   *node = &rules->nodes[i];

		while (depth > 0 && !territory_contains(rules->nodes[above[depth - 1]].path, node->path))
			rules->nodes[above[--depth]].subtree_end = i;
		node->gate = -1;
		if (depth > 0)
		{
			int			parent = above[depth - 1];

			node->gate = rules->nodes[parent].cascade ? parent : rules->nodes[parent].gate;
		}
		above[depth++] = i;
	}
	while (depth > 0)
		rules->nodes[above[--depth]].subtree_end = rules->node_count;
	pfree(above);
}

/*
 * read_nodes reads the nodes that have active rules for the object.
 */
static void
read_nodes(Ruleset *rules)
{
	static KeptStatement find = {
		"SELECT n.id, n.path, n.priority, n.cascade"
		"  FROM territory.node n JOIN territory.model m ON m.id OPERATOR(pg_catalog.=) n.model_id"
		" WHERE m.state OPERATOR(pg_catalog.=) 'active'"
		"   AND EXISTS (SELECT FROM territory.rule r"
		"                WHERE r.node_id OPERATOR(pg_catalog.=) n.id"
		"                  AND r.object OPERATOR(pg_catalog.=) $1 AND r.active)"
		" ORDER BY n.path",
		SPI_OK_SELECT, 1, {OIDOID}
	};
	Datum		values[1] = {ObjectIdGetDatum(rules->object.object)};
	MemoryContext old;

	session_execute_kept(&find, values, NULL);
	old = MemoryContextSwitchTo(rules->context);
	rules->node_count = (int) SPI_processed;
	rules->nodes = palloc0(Max(rules->node_count, 1) * sizeof(RuleNode));
	for (int i = 0; i < rules->node_count; i++)
	{
		RuleNode   *node = &rules->nodes[i];
		HeapTuple	row = SPI_tuptable->vals[i];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		bool		isnull;

		node->id = DatumGetInt32(SPI_getbinval(row, desc, 1, &isnull));
		node->path = (Territory *) PG_DETOAST_DATUM_COPY(SPI_getbinval(row, desc, 2, &isnull));
		node->priority = DatumGetInt32(SPI_getbinval(row, desc, 3, &isnull));
		node->cascade = DatumGetBool(SPI_getbinval(row, desc, 4, &isnull));
		node->depth = territory_nlevel(node->path);
	}
	link_nodes(rules);
	MemoryContextSwitchTo(old);
}

/* A node's index by its id, for the rules. */
typedef struct NodeSlot
{
	int32		id;
	int			index;
} NodeSlot;

/*
 * index_nodes returns a hash from node id to index.
 */
static HTAB *
index_nodes(const Ruleset *rules)
{
	HASHCTL		control = {.keysize = sizeof(int32),.entrysize = sizeof(NodeSlot),
	.hcxt = CurrentMemoryContext};
	HTAB	   *table = hash_create("territory nodes", Max(rules->node_count, 16), &control,
									HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);

	for (int i = 0; i < rules->node_count; i++)
	{
		NodeSlot   *slot = hash_search(table, &rules->nodes[i].id, HASH_ENTER, NULL);

		slot->index = i;
	}
	return table;
}

/*
 * report_rule names the rule whose expression does not compile any more.
 */
static void
report_rule(void *arg)
{
	HeapTuple	row = arg;

	errcontext("rule %s of table territory.rule",
			   SPI_getvalue(row, SPI_tuptable->tupdesc, 1));
}

/*
 * add_columns notes the columns that an expression reads.
 */
static void
add_columns(Ruleset *rules, Expr *expr)
{
	Bitmapset  *found = NULL;
	int			member = -1;

	pull_varattnos((Node *) expr, 1, &found);
	while ((member = bms_next_member(found, member)) >= 0)
	{
		int			attno = member + FirstLowInvalidHeapAttributeNumber;

		rules->columns = bms_add_member(rules->columns, attno);
		rules->max_attno = Max(rules->max_attno, attno);
	}
}

/*
 * compile_rule parses and compiles one rule, as the table's owner. Runs in
 * scratch, keeps what must stay in the rule set's context. The checks are made
 * again: a function may have got another owner since the rule was written.
 */
static void
compile_rule(Builder *builder, ShapeCache *shapes, Rule *rule, const char *expression,
			 MemoryContext scratch)
{
	Ruleset    *rules = builder->rules;
	MemoryContext old = MemoryContextSwitchTo(scratch);
	SessionRole role;
	Expr	   *expr;
	bool		alike;

	session_become(&role, rules->object.owner);
	expr = shape_read(shapes, expression, &alike);
	session_restore_role(&role);
	if (!alike)
	{
		rules->pins |= criteria_settings(expr);
		MemoryContextSwitchTo(rules->context);
		add_columns(rules, expr);
	}
	MemoryContextSwitchTo(builder->context);
	builder->rule = rule - rules->rules;
	builder->conditions[builder->rule] = condition_build(builder, expr);
	MemoryContextSwitchTo(old);
	MemoryContextReset(scratch);
}

/*
 * read_rules reads and compiles the active rules of the object.
 */
static void
read_rules(Builder *builder)
{
	static KeptStatement find = {
		"SELECT r.id, r.node_id, r.name, r.expression"
		"  FROM territory.rule r"
		"  JOIN territory.node n ON n.id OPERATOR(pg_catalog.=) r.node_id"
		"  JOIN territory.model m ON m.id OPERATOR(pg_catalog.=) n.model_id"
		" WHERE r.object OPERATOR(pg_catalog.=) $1 AND r.active"
		"   AND m.state OPERATOR(pg_catalog.=) 'active'"
		" ORDER BY r.id",
		SPI_OK_SELECT, 1, {OIDOID}
	};
	Ruleset    *rules = builder->rules;
	Datum		values[1] = {ObjectIdGetDatum(rules->object.object)};
	HTAB	   *nodes = index_nodes(rules);
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "territory criteria",
												  ALLOCSET_DEFAULT_SIZES);
	ErrorContextCallback callback = {error_context_stack, report_rule, NULL};
	ShapeCache *shapes = shape_cache_create(builder->rel);
	SPITupleTable *table;

	session_execute_kept(&find, values, NULL);
	table = SPI_tuptable;
	rules->rule_count = (int) SPI_processed;
	rules->rules = MemoryContextAllocZero(rules->context, Max(rules->rule_count, 1) * sizeof(Rule));
	rules->infos = MemoryContextAllocZero(rules->context, Max(rules->rule_count, 1) * sizeof(RuleInfo));
	builder->conditions = MemoryContextAlloc(builder->context, Max(rules->rule_count, 1) * sizeof(Condition *));
	error_context_stack = &callback;
	for (int i = 0; i < rules->rule_count; i++)
	{
		Rule	   *rule = &rules->rules[i];
		HeapTuple	row = table->vals[i];
		char	   *name = SPI_getvalue(row, table->tupdesc, 3);
		int32		node_id;
		bool		isnull;

		CHECK_FOR_INTERRUPTS();
		callback.arg = row;
		rule->id = DatumGetInt32(SPI_getbinval(row, table->tupdesc, 1, &isnull));
		node_id = DatumGetInt32(SPI_getbinval(row, table->tupdesc, 2, &isnull));
		rule->node = ((NodeSlot *) hash_search(nodes, &node_id, HASH_FIND, NULL))->index;
		rules->infos[i].name = name ? MemoryContextStrdup(rules->context, name) : NULL;
		compile_rule(builder, shapes, rule, SPI_getvalue(row, table->tupdesc, 4), scratch);
	}
	error_context_stack = callback.previous;
	SPI_freetuptable(table);
	shape_cache_delete(shapes);
	MemoryContextDelete(scratch);
	hash_destroy(nodes);
}

/*
 * init_execution readies what the executor evaluates, and the scratch parts.
 * Predicates wait for the first row that needs them.
 */
static void
init_execution(Ruleset *rules)
{
	rules->econtext = CreateStandaloneExprContext();
	for (int i = 0; i < rules->attribute_count; i++)
	{
		Attribute  *attribute = &rules->attributes[i];

		if (attribute->attno == 0)
			attribute->state = ExecInitExpr(attribute->expr, NULL);
	}
	rules->node_stamp = palloc0(Max(rules->node_count, 1) * sizeof(uint32));
	rules->node_rule = palloc(Max(rules->node_count, 1) * sizeof(int32));
	rules->hits = palloc(Max(rules->node_count, 1) * sizeof(int));
	rules->matches = palloc(Max(rules->node_count, 1) * sizeof(Match));
}

/*
 * index_rules puts the conditions of all rules together.
 */
static void
index_rules(Builder *builder)
{
	int		  **places = operand_finish(builder);

	share_init(builder);
	for (int i = 0; i < builder->rules->rule_count; i++)
		builder->conditions[i] = condition_finish(builder, builder->conditions[i], places);
	access_build(builder);
}

/*
 * compile_with_settings builds the rule set as the owner of the table, under
 * the pinned settings.
 */
static void
compile_with_settings(Ruleset *rules, Relation rel)
{
	int			pin = session_pin(&rules->settings, PIN_TIME | PIN_PATH);
	MemoryContext old = CurrentMemoryContext;
	SessionRole role;
	Builder		builder = {.rules = rules,.rel = rel};

	builder.context = AllocSetContextCreate(CurrentMemoryContext, "territory rule builder",
											ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(builder.context);
	operand_init(&builder);
	condition_init(&builder);
	MemoryContextSwitchTo(old);
	read_rules(&builder);
	MemoryContextSwitchTo(builder.context);
	index_rules(&builder);
	MemoryContextSwitchTo(rules->context);
	session_become(&role, rules->object.owner);
	init_execution(rules);
	session_restore_role(&role);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(builder.context);
	session_unpin(pin);
}

/*
 * ruleset_compile builds the rule set of an object in a context of its own, a
 * child of the current one. Needs an SPI connection.
 */
Ruleset *
ruleset_compile(const ObjectInfo *object)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "territory rule set",
												  ALLOCSET_DEFAULT_SIZES);
	Ruleset    *rules = MemoryContextAllocZero(context, sizeof(Ruleset));
	Relation	rel = table_open(object->object, AccessShareLock);
	SessionRole role;

	MemoryContextSetIdentifier(context, MemoryContextStrdup(context, RelationGetRelationName(rel)));
	rules->context = context;
	rules->object = *object;
	session_become(&role, catalog_owner());
	read_settings(rules);
	read_nodes(rules);
	{
		MemoryContext old = MemoryContextSwitchTo(context);

		rules->desc = CreateTupleDescCopy(RelationGetDescr(rel));
		rules->columns = bms_make_singleton(object->key_attno);
		rules->max_attno = object->key_attno;
		MemoryContextSwitchTo(old);
	}
	compile_with_settings(rules, rel);
	session_restore_role(&role);
	table_close(rel, NoLock);
	rules->valid = true;
	return rules;
}
