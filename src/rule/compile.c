/*
 * compile.c
 *		Builds the rule set of an attached table: reads the active rules of the
 *		active model and the nodes that have them, and puts together what
 *		condition.c and access.c make of them.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "base/catalog.h"
#include "rule/build.h"
#include "rule/criteria.h"
#include "rule/leaf.h"
#include "rule/link.h"
#include "rule/shape.h"

/*
 * read_model reads what the active model pins, and returns its id.
 */
static int32
read_model(Ruleset *rules)
{
	static KeptStatement find = {
		"SELECT id, time_zone, date_style FROM territory.model WHERE state OPERATOR(pg_catalog.=) 'active'",
		SPI_OK_SELECT, 0
	};
	HeapTuple	row;
	bool		isnull;

	session_execute_kept(&find, NULL, NULL);
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("no model is active")));
	row = SPI_tuptable->vals[0];
	rules->settings.time_zone =
		MemoryContextStrdup(rules->context, SPI_getvalue(row, SPI_tuptable->tupdesc, 2));
	rules->settings.date_style =
		MemoryContextStrdup(rules->context, SPI_getvalue(row, SPI_tuptable->tupdesc, 3));
	return DatumGetInt32(SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &isnull));
}

/* A row of territory.node by its id. */
typedef struct NodeRow
{
	int32		id;
	int			index;			/* of the node in the rule set; -1: it has no rule */
	HeapTuple	row;
	char		status;
} NodeRow;

#define SH_PREFIX		node_rows
#define SH_ELEMENT_TYPE	NodeRow
#define SH_KEY_TYPE		int32
#define SH_KEY			id
#define SH_HASH_KEY(tb, key) murmurhash32(key)
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE		static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* A row of territory.rule, and all of them that count. */
typedef struct RuleRow
{
	int32		id;
	NodeRow    *node;
	HeapTuple	row;
} RuleRow;

typedef struct RuleRows
{
	TupleDesc	node_desc;
	node_rows_hash *nodes;
	TupleDesc	desc;
	RuleRow    *rows;			/* in the end by node, then id */
	int			count;
	int			node_count;		/* that have rules */
} RuleRows;

/*
 * find_nodes reads the nodes of a model.
 */
static void
find_nodes(RuleRows *found, int32 model)
{
	static KeptStatement find = {
		"SELECT id, path, priority, cascade FROM territory.node WHERE model_id OPERATOR(pg_catalog.=) $1",
		SPI_OK_SELECT, 1, {INT4OID}
	};
	Datum		values[1] = {Int32GetDatum(model)};

	session_execute_kept(&find, values, NULL);
	found->node_desc = SPI_tuptable->tupdesc;
	found->nodes = node_rows_create(CurrentMemoryContext, (uint32) SPI_processed, NULL);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		bool		isnull;
		bool		known;
		int32		id = DatumGetInt32(SPI_getbinval(row, found->node_desc, 1, &isnull));
		NodeRow    *node = node_rows_insert(found->nodes, id, &known);

		node->index = -1;
		node->row = row;
	}
}

static int
compare_rules(const void *a, const void *b)
{
	const RuleRow *x = a;
	const RuleRow *y = b;

	if (x->node != y->node)
		return x->node->index < y->node->index ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

/*
 * find_rules reads the active rules of an object. Joining and sorting them here
 * costs a fifth of what it costs in the statement.
 */
static void
find_rules(RuleRows *found, Oid object)
{
	static KeptStatement find = {
		"SELECT id, node_id, name, expression FROM territory.rule"
		" WHERE object OPERATOR(pg_catalog.=) $1 AND active",
		SPI_OK_SELECT, 1, {OIDOID}
	};
	Datum		values[1] = {ObjectIdGetDatum(object)};

	session_execute_kept(&find, values, NULL);
	found->desc = SPI_tuptable->tupdesc;
	found->rows = palloc_extended(Max(SPI_processed, 1) * sizeof(RuleRow), MCXT_ALLOC_HUGE);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		RuleRow    *rule = &found->rows[found->count];
		bool		isnull;

		rule->row = SPI_tuptable->vals[i];
		rule->node = node_rows_lookup(found->nodes,
									  DatumGetInt32(SPI_getbinval(rule->row, found->desc, 2, &isnull)));
		if (rule->node == NULL)
			continue;			/* of another model */
		rule->id = DatumGetInt32(SPI_getbinval(rule->row, found->desc, 1, &isnull));
		found->node_count += rule->node->index < 0;
		rule->node->index = 0;
		found->count++;
	}
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

static int
compare_nodes(const void *a, const void *b)
{
	return territory_compare(((const RuleNode *) a)->path, ((const RuleNode *) b)->path);
}

/*
 * take_nodes puts the nodes that have rules into the rule set, and the rules into
 * their order.
 */
static void
take_nodes(Ruleset *rules, RuleRows *found)
{
	MemoryContext old = MemoryContextSwitchTo(rules->context);
	node_rows_iterator each;
	NodeRow    *from;

	rules->nodes = palloc0(Max(found->node_count, 1) * sizeof(RuleNode));
	node_rows_start_iterate(found->nodes, &each);
	while ((from = node_rows_iterate(found->nodes, &each)) != NULL)
	{
		RuleNode   *node = &rules->nodes[rules->node_count];
		bool		isnull;

		if (from->index < 0)
			continue;
		node->id = from->id;
		node->path = (Territory *) PG_DETOAST_DATUM_COPY(SPI_getbinval(from->row, found->node_desc, 2, &isnull));
		node->priority = DatumGetInt32(SPI_getbinval(from->row, found->node_desc, 3, &isnull));
		node->cascade = DatumGetBool(SPI_getbinval(from->row, found->node_desc, 4, &isnull));
		node->depth = territory_nlevel(node->path);
		rules->node_count++;
	}
	qsort(rules->nodes, rules->node_count, sizeof(RuleNode), compare_nodes);
	for (int i = 0; i < rules->node_count; i++)
		node_rows_lookup(found->nodes, rules->nodes[i].id)->index = i;
	qsort(found->rows, found->count, sizeof(RuleRow), compare_rules);
	link_nodes(rules);
	MemoryContextSwitchTo(old);
}

/*
 * report_rule names the rule whose expression does not compile any more.
 */
static void
report_rule(void *rule)
{
	errcontext("rule %d of table territory.rule", (*(const RuleRow **) rule)->id);
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
compile_rule(Builder *builder, ShapeCache *shapes, int rule, Datum expression,
			 MemoryContext scratch)
{
	Ruleset    *rules = builder->rules;
	MemoryContext old = MemoryContextSwitchTo(scratch);
	SessionRole role;
	Expr	   *expr;
	bool		alike;

	session_become(&role, rules->object.owner);
	expr = shape_read(shapes, TextDatumGetCString(expression), &alike);
	session_restore_role(&role);
	if (!alike)
	{
		rules->pins |= criteria_settings(expr);
		MemoryContextSwitchTo(rules->context);
		add_columns(rules, expr);
	}
	MemoryContextSwitchTo(builder->context);
	builder->rule = rule;
	builder->conditions[rule] = condition_build(builder, expr);
	MemoryContextSwitchTo(old);
	MemoryContextReset(scratch);
}

/*
 * compile_rules compiles the rules that were read.
 */
static void
compile_rules(Builder *builder, const RuleRows *found)
{
	Ruleset    *rules = builder->rules;
	const RuleRow *row = NULL;
	ErrorContextCallback callback = {error_context_stack, report_rule, &row};
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "territory criteria",
												  ALLOCSET_DEFAULT_SIZES);
	ShapeCache *shapes = shape_cache_create(builder->rel);

	rules->rule_count = found->count;
	rules->rules = MemoryContextAllocZero(rules->context, Max(found->count, 1) * sizeof(Rule));
	rules->infos = MemoryContextAllocZero(rules->context, Max(found->count, 1) * sizeof(RuleInfo));
	builder->conditions = MemoryContextAlloc(builder->context, Max(found->count, 1) * sizeof(Condition *));
	error_context_stack = &callback;
	for (int i = 0; i < found->count; i++)
	{
		Datum		values[4];
		bool		nulls[4];

		CHECK_FOR_INTERRUPTS();
		row = &found->rows[i];
		heap_deform_tuple(row->row, found->desc, values, nulls);
		rules->rules[i].id = row->id;
		rules->rules[i].node = row->node->index;
		if (!nulls[2])
			rules->infos[i].name = MemoryContextStrdup(rules->context, TextDatumGetCString(values[2]));
		compile_rule(builder, shapes, i, values[3], scratch);
	}
	error_context_stack = callback.previous;
	shape_cache_delete(shapes);
	MemoryContextDelete(scratch);
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
	rules->hit_room = 16;
	rules->hits = palloc(rules->hit_room * sizeof(int));
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
compile_with_settings(Ruleset *rules, Relation rel, const RuleRows *found)
{
	int			pin = session_pin(&rules->settings, PIN_TIME | PIN_PATH);
	MemoryContext old = CurrentMemoryContext;
	SessionRole role;
	Builder		builder = {.rules = rules,.rel = rel};

	builder.context = AllocSetContextCreate(CurrentMemoryContext, "territory rule builder",
											ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(builder.context);
	operand_init(&builder);
	leaf_init(&builder);
	MemoryContextSwitchTo(old);
	compile_rules(&builder, found);
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
	RuleRows	found = {0};
	SessionRole role;

	MemoryContextSetIdentifier(context, MemoryContextStrdup(context, RelationGetRelationName(rel)));
	rules->context = context;
	rules->object = *object;
	session_become(&role, catalog_owner());
	find_nodes(&found, read_model(rules));
	find_rules(&found, object->object);
	take_nodes(rules, &found);
	{
		MemoryContext old = MemoryContextSwitchTo(context);

		rules->desc = CreateTupleDescCopy(RelationGetDescr(rel));
		rules->columns = bms_make_singleton(object->key_attno);
		rules->max_attno = object->key_attno;
		MemoryContextSwitchTo(old);
	}
	compile_with_settings(rules, rel, &found);
	link_compile(rules, rel);
	session_restore_role(&role);
	table_close(rel, NoLock);
	rules->valid = true;
	return rules;
}
