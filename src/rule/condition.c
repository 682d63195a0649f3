/*
 * condition.c
 *		Makes conditions of expressions, sharing what rules have in common.
 *
 * A comparison of an expression with constants for equality becomes a test of
 * dictionary codes; everything else that is not AND, OR or NOT is a predicate
 * for the executor. Equal operands and equal predicates are one.
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_statistic.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "utils/array.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "rule/build.h"

/* The dictionary of an operand: constants -> codes. */
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

#define PREDICATE_BUCKETS 8192

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

/*
 * condition_init allocates the growing parts.
 */
void
condition_init(Builder *builder, Ruleset *rules, Relation rel)
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
 * condition_build makes the condition of an expression that the planner has
 * simplified.
 */
Condition *
condition_build(Builder *builder, Expr *expr)
{
	return build_condition(builder, expr, true);
}

/*
 * condition_finish ties the dictionaries to their operands, whose array no
 * longer moves.
 */
void
condition_finish(Ruleset *rules)
{
	for (int i = 0; i < rules->operand_count; i++)
		rules->operands[i].dictionary->private_data = &rules->operands[i];
}
