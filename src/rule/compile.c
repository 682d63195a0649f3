/*
 * compile.c
 *		Builds an index of rules: parses each, and puts together what condition.c
 *		and access.c make of them.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "utils/memutils.h"

#include "rule/build.h"
#include "rule/criteria.h"
#include "rule/leaf.h"
#include "rule/link.h"
#include "rule/shape.h"

/*
 * report_text names the rule whose expression does not compile any more.
 */
static void
report_text(void *text)
{
	errcontext("rule %d of table territory.rule", (*(const RuleText **) text)->id);
}

/*
 * add_columns notes the columns that an expression reads.
 */
static void
add_columns(RuleIndex *index, Expr *expr)
{
	Bitmapset  *found = NULL;
	int			member = -1;

	pull_varattnos((Node *) expr, 1, &found);
	while ((member = bms_next_member(found, member)) >= 0)
	{
		int			attno = member + FirstLowInvalidHeapAttributeNumber;

		index->columns = bms_add_member(index->columns, attno);
		index->max_attno = Max(index->max_attno, attno);
	}
}

/*
 * compile_rule parses and compiles one rule, as the table's owner. Runs in
 * scratch, keeps what must stay in the index's context. The checks are made
 * again: a function may have got another owner since the rule was written.
 */
static void
compile_rule(Builder *builder, ShapeCache *shapes, const char *expression, MemoryContext scratch)
{
	RuleIndex  *index = builder->index;
	MemoryContext old = MemoryContextSwitchTo(scratch);
	SessionRole role;
	Expr	   *expr;
	Expr	   *parsed;

	session_become(&role, builder->owner);
	expr = shape_read(shapes, expression, &parsed);
	session_restore_role(&role);
	if (parsed)
	{
		index->pins |= criteria_settings(expr);
		index->parallel_safe &= criteria_are_parallel_safe(parsed);
		MemoryContextSwitchTo(index->context);
		add_columns(index, expr);
	}
	MemoryContextSwitchTo(builder->context);
	builder->conditions[builder->rule] = condition_build(builder, expr);
	MemoryContextSwitchTo(old);
	MemoryContextReset(scratch);
}

/*
 * take_rules gives the rules their numbers.
 */
static void
take_rules(RuleIndex *index, const RuleText *texts, int count)
{
	index->rule_count = count;
	index->rules = MemoryContextAllocHuge(index->context, Max(count, 1) * sizeof(Rule));
	index->infos = MemoryContextAllocHuge(index->context, Max(count, 1) * sizeof(RuleInfo));
	for (int i = 0; i < count; i++)
	{
		index->rules[i] = (Rule) {texts[i].id, texts[i].node};
		index->infos[i] = (RuleInfo) {0};
		if (texts[i].name != NULL)
			index->infos[i].name = MemoryContextStrdup(index->context, texts[i].name);
	}
}

/*
 * compile_rules makes a condition of each rule.
 */
static void
compile_rules(Builder *builder, const RuleText *texts)
{
	const RuleText *text = NULL;
	ErrorContextCallback callback = {error_context_stack, report_text, &text};
	MemoryContext scratch = AllocSetContextCreate(builder->context, "territory criteria",
												  ALLOCSET_DEFAULT_SIZES);
	ShapeCache *shapes = shape_cache_create(builder->rel);

	builder->conditions = MemoryContextAllocHuge(builder->context,
												 Max(builder->index->rule_count, 1) * sizeof(Condition *));
	error_context_stack = &callback;
	for (int i = 0; i < builder->index->rule_count; i++)
	{
		text = &texts[i];
		CHECK_FOR_INTERRUPTS();
		builder->rule = i;
		compile_rule(builder, shapes, text->expression, scratch);
	}
	error_context_stack = callback.previous;
	shape_cache_delete(shapes);
}

/*
 * index_rules puts the conditions of all rules together.
 */
static void
index_rules(Builder *builder)
{
	int		  **places = operand_finish(builder);

	share_init(builder);
	for (int i = 0; i < builder->index->rule_count; i++)
		builder->conditions[i] = condition_finish(builder, builder->conditions[i], places);
	access_build(builder);
}

/*
 * init_execution readies the attributes that the executor evaluates. Predicates
 * wait for the first row that needs them.
 */
static void
init_execution(Builder *builder)
{
	RuleIndex  *index = builder->index;
	MemoryContext old = MemoryContextSwitchTo(index->context);
	SessionRole role;

	session_become(&role, builder->owner);
	for (int i = 0; i < index->attribute_count; i++)
	{
		Attribute  *attribute = &index->attributes[i];

		if (attribute->attno == 0)
			attribute->state = ExecInitExpr(attribute->expr, NULL);
	}
	session_restore_role(&role);
	MemoryContextSwitchTo(old);
}

/*
 * build brackets the building of an index.
 */
static void
build(Builder *builder, const RuleText *texts)
{
	MemoryContext old = CurrentMemoryContext;

	builder->context = AllocSetContextCreate(CurrentMemoryContext, "territory rule builder",
											 ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(builder->context);
	operand_init(builder);
	leaf_init(builder);
	MemoryContextSwitchTo(old);
	compile_rules(builder, texts);
	MemoryContextSwitchTo(builder->context);
	index_rules(builder);
	init_execution(builder);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(builder->context);
}

/*
 * index_compile builds an index of rules in a context of its own.
 */
RuleIndex *
index_compile(Relation rel, Oid owner, const PinnedSettings *settings,
			  const RuleText *texts, int count)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "territory rule index",
												  ALLOCSET_DEFAULT_SIZES);
	RuleIndex  *index = MemoryContextAllocZero(context, sizeof(RuleIndex));
	Builder		builder = {.index = index,.rel = rel,.owner = owner};
	int			pin = session_pin(settings, PIN_TIME | PIN_PATH);

	index->context = context;
	index->parallel_safe = true;
	take_rules(index, texts, count);
	build(&builder, texts);
	session_unpin(pin);
	return index;
}
