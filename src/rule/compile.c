/*
 * compile.c
 *		Builds the rule set of an attached table: reads the active rules of the
 *		active model, shares what they have in common, and decides on which
 *		(operand, value) pairs each of them hangs.
 *
 * Conditions stay trees of AND, OR and NOT; nothing is expanded to a normal
 * form. The pairs on which a rule hangs (its cover) follow the tree: a
 * comparison offers its constants, AND takes its cheapest argument's offer, OR
 * needs one of every argument. A rule without a cover is tried for every row.
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_statistic.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "base/catalog.h"
#include "rule/criteria.h"
#include "rule/ruleset.h"

/* ----- dictionary: constants of an operand -> codes ----- */

typedef struct DictionaryEntry
{
	Datum		value;
	uint32		hash;
	int			code;
	char		status;
} DictionaryEntry;

#define SH_PREFIX		dictionary
#define SH_ELEMENT_TYPE	DictionaryEntry
#define SH_KEY_TYPE		Datum
#define SH_KEY			value
#define SH_HASH_KEY(tb, key) \
	DatumGetUInt32(FunctionCall1Coll(&((Operand *) (tb)->private_data)->hash_function, \
									 ((Operand *) (tb)->private_data)->collation, key))
#define SH_EQUAL(tb, a, b) \
	DatumGetBool(FunctionCall2Coll(&((Operand *) (tb)->private_data)->equal_function, \
								   ((Operand *) (tb)->private_data)->collation, a, b))
#define SH_STORE_HASH
#define SH_GET_HASH(tb, entry) (entry)->hash
#define SH_SCOPE		static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* What is needed while building, beside the rule set itself. */
typedef struct Builder
{
	Ruleset    *rules;
	Relation	rel;
	int			operand_room;
	int			predicate_room;
	/* predicates by hash: chains of indexes, -1 ends one */
	int		   *bucket;
	uint32	   *hash;
	int		   *next;
} Builder;

#define PREDICATE_BUCKETS 8192

/* On what a rule may hang: codes of one or several operands. */
typedef struct Cover
{
	double		cost;			/* expected share of rows that have one of the pairs */
	List	   *conditions;		/* of kind CODES, not negated */
} Cover;

/*
 * operand_code_of numbers a row's value of an operand; the value is not NULL.
 */
int
operand_code_of(const Operand *operand, Datum value)
{
	DictionaryEntry *entry = dictionary_lookup(operand->dictionary, value);

	return entry ? entry->code : CODE_UNKNOWN;
}

/*
 * enter_constant returns the code of a constant, a new one if need be.
 */
static int
enter_constant(Operand *operand, Datum value)
{
	bool		found;
	DictionaryEntry *entry;

	operand->dictionary->private_data = operand;	/* the array may have moved */
	entry = dictionary_insert(operand->dictionary, value, &found);
	if (!found)
	{
		entry->value = datumCopy(value, operand->byval, operand->typlen);
		entry->code = operand->value_count++;
	}
	return entry->code;
}

/*
 * estimate_distinct returns how many values the table seems to have in a
 * column, by its statistics; 0 when not known.
 */
static double
estimate_distinct(Relation rel, AttrNumber attno)
{
	HeapTuple	tuple = SearchSysCache3(STATRELATTINH, ObjectIdGetDatum(RelationGetRelid(rel)),
										Int16GetDatum(attno),
										BoolGetDatum(rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE));
	double		distinct;

	if (!HeapTupleIsValid(tuple))
		return 0;
	distinct = ((Form_pg_statistic) GETSTRUCT(tuple))->stadistinct;
	ReleaseSysCache(tuple);
	if (distinct < 0)
		distinct = -distinct * Max(rel->rd_rel->reltuples, 1);
	return distinct;
}

/*
 * init_operand fills a new operand in.
 */
static void
init_operand(Builder *builder, Operand *operand, Expr *expr, Oid equality, Oid collation)
{
	Oid			type = exprType((Node *) expr);
	Expr	   *stripped = expr;
	Oid			hash;

	while (IsA(stripped, RelabelType))
		stripped = ((RelabelType *) stripped)->arg;
	memset(operand, 0, sizeof(Operand));
	operand->expr = copyObject(expr);
	if (IsA(stripped, Var))
		operand->attno = ((Var *) stripped)->varattno;
	operand->equality = equality;
	operand->collation = collation;
	get_typlenbyval(type, &operand->typlen, &operand->byval);
	(void) get_op_hash_functions(equality, &hash, NULL);
	fmgr_info(hash, &operand->hash_function);
	fmgr_info(get_opcode(equality), &operand->equal_function);
	operand->dictionary = dictionary_create(CurrentMemoryContext, 16, NULL);
	if (operand->attno != 0)
		operand->distinct = estimate_distinct(builder->rel, operand->attno);
}

/*
 * find_operand returns the index of the operand for this expression under this
 * equality and collation, a new one if need be.
 */
static int
find_operand(Builder *builder, Expr *expr, Oid equality, Oid collation)
{
	Ruleset    *rules = builder->rules;

	for (int i = 0; i < rules->operand_count; i++)
	{
		Operand    *operand = &rules->operands[i];

		if (operand->equality == equality && operand->collation == collation &&
			equal(operand->expr, expr))
			return i;
	}
	if (rules->operand_count == builder->operand_room)
	{
		builder->operand_room *= 2;
		rules->operands = repalloc(rules->operands, builder->operand_room * sizeof(Operand));
	}
	init_operand(builder, &rules->operands[rules->operand_count], expr, equality, collation);
	return rules->operand_count++;
}

/* ----- conditions ----- */

static Condition *
make_condition(ConditionKind kind, int count)
{
	Condition  *condition = palloc0(sizeof(Condition));

	condition->kind = kind;
	condition->count = count;
	return condition;
}

/*
 * equality_of returns the hashable equality that an operator is, or whose
 * negation it is; InvalidOid when it is neither, or compares different types.
 */
static Oid
equality_of(Oid operator, Expr *left, bool *negated)
{
	Oid			equality = operator;
	Oid			left_type;
	Oid			right_type;
	RegProcedure left_hash;

	*negated = false;
	if (!op_hashjoinable(equality, exprType((Node *) left)))
	{
		equality = get_negator(operator);
		*negated = true;
		if (!OidIsValid(equality) || !op_hashjoinable(equality, exprType((Node *) left)))
			return InvalidOid;
	}
	op_input_types(equality, &left_type, &right_type);
	if (left_type != right_type || !func_strict(get_opcode(operator)) ||
		!get_op_hash_functions(equality, &left_hash, NULL))
		return InvalidOid;
	return equality;
}

/*
 * integer_value reads a constant of one of the integer types.
 */
static bool
integer_value(Oid type, Datum datum, int64 *value)
{
	switch (type)
	{
		case INT2OID:
			*value = DatumGetInt16(datum);
			return true;
		case INT4OID:
			*value = DatumGetInt32(datum);
			return true;
		case INT8OID:
			*value = DatumGetInt64(datum);
			return true;
		default:
			return false;
	}
}

/*
 * same_type_operator replaces an operator between two integer types (bigint
 * column = 5) by the one within the left type, and the constant with it. The
 * constant must fit.
 */
static bool
same_type_operator(Oid *operator, Oid left_type, Const **constant)
{
	int64		value;
	Oid			replacement;
	Datum		datum;

	if (left_type == (*constant)->consttype)
		return true;
	if ((*constant)->constisnull ||
		!integer_value((*constant)->consttype, (*constant)->constvalue, &value))
		return false;
	switch (left_type)
	{
		case INT2OID:
			if (value != (int16) value)
				return false;
			datum = Int16GetDatum((int16) value);
			replacement = get_opfamily_member(INTEGER_BTREE_FAM_OID, INT2OID, INT2OID, BTEqualStrategyNumber);
			break;
		case INT8OID:
			datum = Int64GetDatum(value);
			replacement = get_opfamily_member(INTEGER_BTREE_FAM_OID, INT8OID, INT8OID, BTEqualStrategyNumber);
			break;
		case INT4OID:
			if (value != (int32) value)
				return false;
			datum = Int32GetDatum((int32) value);
			replacement = get_opfamily_member(INTEGER_BTREE_FAM_OID, INT4OID, INT4OID, BTEqualStrategyNumber);
			break;
		default:
			return false;
	}
	/* an equality or its negation; other operators are no business of ours */
	if (get_op_opfamily_strategy(*operator, INTEGER_BTREE_FAM_OID) == BTEqualStrategyNumber)
		*operator = replacement;
	else if (OidIsValid(get_negator(*operator)) &&
			 get_op_opfamily_strategy(get_negator(*operator), INTEGER_BTREE_FAM_OID) == BTEqualStrategyNumber)
		*operator = get_negator(replacement);
	else
		return false;
	*constant = makeConst(left_type, -1, InvalidOid, get_typlen(left_type), datum, false,
						  get_typbyval(left_type));
	return true;
}

static int
compare_codes(const void *a, const void *b)
{
	int			x = *(const int *) a;
	int			y = *(const int *) b;

	return (x > y) - (x < y);
}

/*
 * codes_condition makes a condition of an operand and its list of constants.
 */
static Condition *
codes_condition(Builder *builder, int operand, bool negated, Datum *values, int count)
{
	Condition  *condition = make_condition(CONDITION_CODES, 0);
	int			last = 0;

	condition->index = operand;
	condition->negated = negated;
	condition->codes = palloc(Max(count, 1) * sizeof(int));
	for (int i = 0; i < count; i++)
		condition->codes[i] = enter_constant(&builder->rules->operands[operand], values[i]);
	qsort(condition->codes, count, sizeof(int), compare_codes);
	for (int i = 0; i < count; i++)
	{
		if (i == 0 || condition->codes[i] != condition->codes[last - 1])
			condition->codes[last++] = condition->codes[i];
	}
	condition->count = last;
	return condition;
}

/*
 * comparison_condition makes a CODES condition of operand = constant, or <>,
 * either way round; NULL where it is not one.
 */
static Condition *
comparison_condition(Builder *builder, OpExpr *expr)
{
	Oid			operator = expr->opno;
	Expr	   *left;
	Const	   *constant;
	Oid			equality;
	bool		negated;

	if (list_length(expr->args) != 2)
		return NULL;
	left = linitial(expr->args);
	constant = lsecond(expr->args);
	if (IsA(left, Const))
	{
		left = lsecond(expr->args);
		constant = linitial(expr->args);
		operator = get_commutator(operator);
	}
	if (!IsA(constant, Const) || constant->constisnull || !OidIsValid(operator) ||
		!same_type_operator(&operator, exprType((Node *) left), &constant))
		return NULL;
	equality = equality_of(operator, left, &negated);
	if (!OidIsValid(equality))
		return NULL;
	return codes_condition(builder, find_operand(builder, left, equality, expr->inputcollid),
						   negated, &constant->constvalue, 1);
}

/*
 * list_condition makes a CODES condition of operand IN (constants), or NOT IN;
 * NULL where it is not one. A NULL in the list is left to the executor.
 */
static Condition *
list_condition(Builder *builder, ScalarArrayOpExpr *expr)
{
	Expr	   *left = linitial(expr->args);
	Const	   *list = lsecond(expr->args);
	ArrayType  *array;
	Datum	   *values;
	int			count;
	Oid			equality;
	bool		negated;
	int16		typlen;
	bool		byval;
	char		align;

	if (!IsA(list, Const) || list->constisnull)
		return NULL;
	equality = equality_of(expr->opno, left, &negated);
	if (!OidIsValid(equality) || expr->useOr == negated)
		return NULL;
	array = DatumGetArrayTypeP(list->constvalue);
	if (array_contains_nulls(array) || exprType((Node *) left) != ARR_ELEMTYPE(array))
		return NULL;
	get_typlenbyvalalign(ARR_ELEMTYPE(array), &typlen, &byval, &align);
	deconstruct_array(array, ARR_ELEMTYPE(array), typlen, byval, align, &values, NULL, &count);
	if (count == 0)
		return NULL;			/* is decided even for NULL */
	return codes_condition(builder, find_operand(builder, left, equality, expr->inputcollid),
						   negated, values, count);
}

/*
 * hash_walker adds a node to the hash of an expression; what equal() ignores,
 * it ignores.
 */
static bool
hash_walker(Node *node, void *hash)
{
	uint32		part;

	if (node == NULL)
		return false;
	part = nodeTag(node);
	if (IsA(node, Var))
		part = hash_combine(part, ((Var *) node)->varattno);
	else if (IsA(node, OpExpr))
		part = hash_combine(part, ((OpExpr *) node)->opno);
	else if (IsA(node, FuncExpr))
		part = hash_combine(part, ((FuncExpr *) node)->funcid);
	else if (IsA(node, ScalarArrayOpExpr))
		part = hash_combine(part, ((ScalarArrayOpExpr *) node)->opno);
	else if (IsA(node, Const) && !((Const *) node)->constisnull)
		part = hash_combine(part, datum_image_hash(((Const *) node)->constvalue,
												   ((Const *) node)->constbyval,
												   ((Const *) node)->constlen));
	*(uint32 *) hash = hash_combine(*(uint32 *) hash, part);
	return expression_tree_walker(node, hash_walker, hash);
}

/*
 * find_predicate returns the index of a predicate, a new one if need be.
 */
static int
find_predicate(Builder *builder, Expr *expr)
{
	Ruleset    *rules = builder->rules;
	uint32		hash = 0;
	int		   *bucket;
	int			index;

	(void) hash_walker((Node *) expr, &hash);
	bucket = &builder->bucket[hash % PREDICATE_BUCKETS];
	for (index = *bucket; index >= 0; index = builder->next[index])
	{
		if (builder->hash[index] == hash && equal(rules->predicates[index].expr, expr))
			return index;
	}
	index = rules->predicate_count++;
	if (index == builder->predicate_room)
	{
		builder->predicate_room *= 2;
		rules->predicates = repalloc(rules->predicates, builder->predicate_room * sizeof(Predicate));
		builder->hash = repalloc(builder->hash, builder->predicate_room * sizeof(uint32));
		builder->next = repalloc(builder->next, builder->predicate_room * sizeof(int));
	}
	rules->predicates[index].expr = copyObject(expr);
	builder->hash[index] = hash;
	builder->next[index] = *bucket;
	*bucket = index;
	return index;
}

static Condition *build_condition(Builder *builder, Expr *expr, bool leading);

/*
 * sort_arguments puts comparisons of plain columns, which cannot raise errors,
 * first, and leaves the order alone otherwise: a condition may stand there to
 * keep the next one from an error (n <> 0 AND 100 / n > 5).
 */
static void
sort_arguments(const Ruleset *rules, Condition *condition)
{
	Condition **sorted = palloc(condition->count * sizeof(Condition *));
	int			filled = 0;

	for (int pass = 0; pass < 2; pass++)
	{
		for (int i = 0; i < condition->count; i++)
		{
			Condition  *argument = condition->args[i];
			bool		plain = argument->kind == CONDITION_CODES &&
				rules->operands[argument->index].attno != 0;

			if (plain == (pass == 0))
				sorted[filled++] = argument;
		}
	}
	condition->args = sorted;
}

/*
 * boolean_condition makes a condition of AND, OR or NOT.
 */
static Condition *
boolean_condition(Builder *builder, BoolExpr *expr, bool leading)
{
	ConditionKind kind = expr->boolop == AND_EXPR ? CONDITION_AND :
		expr->boolop == OR_EXPR ? CONDITION_OR : CONDITION_NOT;
	Condition  *condition = make_condition(kind, list_length(expr->args));
	ListCell   *cell;

	condition->args = palloc(condition->count * sizeof(Condition *));
	foreach(cell, expr->args)
	{
		int			i = foreach_current_index(cell);

		condition->args[i] = build_condition(builder, lfirst(cell), leading && i == 0);
	}
	if (kind != CONDITION_NOT)
		sort_arguments(builder->rules, condition);
	return condition;
}

/*
 * constant_condition makes a condition of a constant; NULL of a NULL, which is
 * neither true nor false and is left to the executor.
 */
static Condition *
constant_condition(const Const *constant)
{
	Condition  *condition;

	if (constant->constisnull)
		return NULL;
	condition = make_condition(CONDITION_CONST, 0);
	condition->negated = !DatumGetBool(constant->constvalue);
	return condition;
}

/*
 * build_condition makes the condition of an expression that the planner has
 * simplified. leading: WHERE would evaluate it for every row, whatever the rest
 * of the criteria says.
 */
static Condition *
build_condition(Builder *builder, Expr *expr, bool leading)
{
	Condition  *condition = NULL;

	check_stack_depth();
	if (IsA(expr, BoolExpr))
		return boolean_condition(builder, (BoolExpr *) expr, leading);
	if (IsA(expr, Const))
		condition = constant_condition((Const *) expr);
	else if (IsA(expr, OpExpr))
		condition = comparison_condition(builder, (OpExpr *) expr);
	else if (IsA(expr, ScalarArrayOpExpr))
		condition = list_condition(builder, (ScalarArrayOpExpr *) expr);
	if (condition == NULL)
	{
		condition = make_condition(CONDITION_EXPR, 0);
		condition->index = find_predicate(builder, expr);
	}
	else if (condition->kind == CONDITION_CODES)
		condition->safe = leading || builder->rules->operands[condition->index].attno != 0;
	return condition;
}

/* ----- covers ----- */

/*
 * code_share estimates which share of the rows has one given value of an
 * operand.
 */
static double
code_share(const Operand *operand)
{
	return 1.0 / Max(Max(operand->distinct, operand->value_count), 1.0);
}

static bool find_cover(Ruleset *rules, Condition *condition, Cover *cover);

/*
 * cheapest_cover takes the cheapest of the arguments' covers, for AND.
 */
static bool
cheapest_cover(Ruleset *rules, Condition *condition, Cover *cover)
{
	bool		found = false;

	for (int i = 0; i < condition->count; i++)
	{
		Cover		offer;

		if (find_cover(rules, condition->args[i], &offer) &&
			(!found || offer.cost < cover->cost))
		{
			*cover = offer;
			found = true;
		}
	}
	return found;
}

/*
 * joint_cover takes all of the arguments' covers, for OR.
 */
static bool
joint_cover(Ruleset *rules, Condition *condition, Cover *cover)
{
	cover->cost = 0;
	cover->conditions = NIL;
	for (int i = 0; i < condition->count; i++)
	{
		Cover		offer;

		if (!find_cover(rules, condition->args[i], &offer))
			return false;
		cover->cost += offer.cost;
		cover->conditions = list_concat(cover->conditions, offer.conditions);
	}
	return true;
}

/*
 * find_cover finds values of which a row must have one for the condition to be
 * true; false when there are none.
 */
static bool
find_cover(Ruleset *rules, Condition *condition, Cover *cover)
{
	switch (condition->kind)
	{
		case CONDITION_CODES:
			cover->cost = condition->count * code_share(&rules->operands[condition->index]);
			cover->conditions = list_make1(condition);
			return condition->safe && !condition->negated;
		case CONDITION_AND:
			return cheapest_cover(rules, condition, cover);
		case CONDITION_OR:
			return joint_cover(rules, condition, cover);
		case CONDITION_CONST:
			/* never true: needs no looking for */
			cover->cost = 0;
			cover->conditions = NIL;
			return condition->negated;
		case CONDITION_EXPR:
		case CONDITION_NOT:
			return false;
	}
	return false;
}

/*
 * find_guard picks, of the other comparisons that a rule needs as well, the one
 * that the fewest rows pass.
 */
static void
find_guard(const Ruleset *rules, const Condition *rule, const Condition *cover, Posting *posting)
{
	double		best = 1;

	posting->guard = -1;
	posting->mask = 0;
	for (int i = 0; rule->kind == CONDITION_AND && i < rule->count; i++)
	{
		const Condition *other = rule->args[i];
		double		share;

		if (other == cover || other->kind != CONDITION_CODES || other->negated || !other->safe)
			continue;
		share = other->count * code_share(&rules->operands[other->index]);
		if (share >= best)
			continue;
		best = share;
		posting->guard = other->index;
		posting->mask = 0;
		for (int k = 0; k < other->count; k++)
			posting->mask |= UINT64CONST(1) << (other->codes[k] & 63);
	}
}

/*
 * count_postings counts the rules that hang on each value: those of a code two
 * places late in start.
 */
static void
count_postings(Ruleset *rules, List **covers)
{
	for (int i = 0; i < rules->rule_count; i++)
	{
		ListCell   *cell;

		foreach(cell, covers[i])
		{
			Condition  *condition = lfirst(cell);
			Operand    *operand = &rules->operands[condition->index];

			if (operand->start == NULL)
				operand->start = palloc0((operand->value_count + 2) * sizeof(int));
			for (int k = 0; k < condition->count; k++)
				operand->start[condition->codes[k] + 2]++;
		}
	}
}

/*
 * fill_postings hangs the rules. The begins stand one place late; filling
 * advances each to where the next value's list begins.
 */
static void
fill_postings(Ruleset *rules, List **covers)
{
	for (int i = 0; i < rules->rule_count; i++)
	{
		ListCell   *cell;

		foreach(cell, covers[i])
		{
			Condition  *condition = lfirst(cell);
			Operand    *operand = &rules->operands[condition->index];
			Posting		posting;

			posting.rule = i;
			find_guard(rules, rules->rules[i].condition, condition, &posting);
			for (int k = 0; k < condition->count; k++)
				operand->postings[operand->start[condition->codes[k] + 1]++] = posting;
		}
	}
}

/*
 * index_rules hangs every rule on its cover, or on the list of those that are
 * tried for every row.
 */
static void
index_rules(Ruleset *rules)
{
	List	  **covers = palloc0(Max(rules->rule_count, 1) * sizeof(List *));

	rules->scanned = palloc(Max(rules->rule_count, 1) * sizeof(int));
	for (int i = 0; i < rules->rule_count; i++)
	{
		Cover		cover;

		if (find_cover(rules, rules->rules[i].condition, &cover))
			covers[i] = cover.conditions;
		else
			rules->scanned[rules->scanned_count++] = i;
	}

	count_postings(rules, covers);
	for (int i = 0; i < rules->operand_count; i++)
	{
		Operand    *operand = &rules->operands[i];

		if (operand->start == NULL)
			continue;
		for (int k = 1; k < operand->value_count + 2; k++)
			operand->start[k] += operand->start[k - 1];
		operand->postings = palloc(Max(operand->start[operand->value_count + 1], 1) * sizeof(Posting));
	}
	fill_postings(rules, covers);
}

/* ----- reading the tables ----- */

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
 * compile_rule parses and compiles one rule. Runs in scratch, keeps what must
 * stay in the rule set's context.
 */
static void
compile_rule(Builder *builder, Rule *rule, const char *expression, MemoryContext scratch)
{
	Ruleset    *rules = builder->rules;
	MemoryContext old = MemoryContextSwitchTo(scratch);
	Expr	   *expr = expression_planner(criteria_parse(builder->rel, expression));

	rules->pins |= criteria_settings(expr);
	MemoryContextSwitchTo(rules->context);
	add_columns(rules, expr);
	rule->condition = build_condition(builder, expr, true);
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
	SPITupleTable *table;

	session_execute_kept(&find, values, NULL);
	table = SPI_tuptable;
	rules->rule_count = (int) SPI_processed;
	rules->rules = MemoryContextAllocZero(rules->context, Max(rules->rule_count, 1) * sizeof(Rule));
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
		rule->name = name ? MemoryContextStrdup(rules->context, name) : NULL;
		compile_rule(builder, rule, SPI_getvalue(row, table->tupdesc, 4), scratch);
	}
	error_context_stack = callback.previous;
	SPI_freetuptable(table);
	MemoryContextDelete(scratch);
	hash_destroy(nodes);
}

/* ----- putting it together ----- */

/*
 * init_execution readies what the executor evaluates, and the scratch part.
 */
static void
init_execution(Ruleset *rules)
{
	rules->econtext = CreateStandaloneExprContext();
	for (int i = 0; i < rules->operand_count; i++)
	{
		Operand    *operand = &rules->operands[i];

		operand->dictionary->private_data = operand;
		if (operand->attno == 0)
			operand->state = ExecInitExpr(operand->expr, NULL);
	}
	for (int i = 0; i < rules->predicate_count; i++)
		rules->predicates[i].state = ExecInitExpr(rules->predicates[i].expr, NULL);

	rules->operand_stamp = palloc0(Max(rules->operand_count, 1) * sizeof(uint32));
	rules->operand_code = palloc(Max(rules->operand_count, 1) * sizeof(int));
	rules->predicate_stamp = palloc0(Max(rules->predicate_count, 1) * sizeof(uint32));
	rules->predicate_value = palloc(Max(rules->predicate_count, 1) * sizeof(int8));
	rules->rule_stamp = palloc0(Max(rules->rule_count, 1) * sizeof(uint32));
	rules->node_stamp = palloc0(Max(rules->node_count, 1) * sizeof(uint32));
	rules->node_rule = palloc(Max(rules->node_count, 1) * sizeof(int32));
	rules->hits = palloc(Max(rules->node_count, 1) * sizeof(int));
	rules->matches = palloc(Max(rules->node_count, 1) * sizeof(Match));
}

/*
 * init_builder allocates the growing parts.
 */
static void
init_builder(Builder *builder, Ruleset *rules, Relation rel)
{
	builder->rules = rules;
	builder->rel = rel;
	builder->operand_room = 8;
	builder->predicate_room = 64;
	rules->operands = palloc(builder->operand_room * sizeof(Operand));
	rules->predicates = palloc(builder->predicate_room * sizeof(Predicate));
	builder->hash = palloc(builder->predicate_room * sizeof(uint32));
	builder->next = palloc(builder->predicate_room * sizeof(int));
	builder->bucket = palloc(PREDICATE_BUCKETS * sizeof(int));
	for (int i = 0; i < PREDICATE_BUCKETS; i++)
		builder->bucket[i] = -1;
}

/*
 * compile_with_settings builds the rule set as the owner of the table, under
 * the pinned settings.
 */
static void
compile_with_settings(Ruleset *rules, Relation rel)
{
	int			pin = session_pin(&rules->settings, PIN_TIME | PIN_PATH);
	MemoryContext old = MemoryContextSwitchTo(rules->context);
	SessionRole role;
	Builder		builder;

	init_builder(&builder, rules, rel);
	MemoryContextSwitchTo(old);
	read_rules(&builder);
	MemoryContextSwitchTo(rules->context);
	index_rules(rules);
	session_become(&role, rules->object.owner);
	init_execution(rules);
	session_restore_role(&role);
	MemoryContextSwitchTo(old);
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
