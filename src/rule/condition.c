/*
 * condition.c
 *		Makes conditions of expressions, sharing what rules have in common.
 *
 * A comparison of an expression with a constant becomes a test of the
 * operand's code (=, <>, IN, LIKE 'x%', IS NULL, booleans) or rank (<, <=, >=,
 * >, BETWEEN, <@); everything else that is not AND, OR or NOT is a predicate for
 * the executor.
 *
 * NOT is carried down to the comparisons. That is right in three-valued logic
 * too, as long as each comparison is asked whether it is known to be false
 * rather than whether it is not true: for NULL neither x < 5 nor x >= 5 holds.
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "catalog/pg_am.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_operator.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_oper.h"
#include "nodes/makefuncs.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "rule/build.h"
#include "type/value.h"
#include "compat.h"

/* A comparison: an expression, an operator, and a constant that is not NULL. */
typedef struct Comparison
{
	Expr	   *left;
	Oid			operator;
	Oid			collation;
	const Const *constant;
} Comparison;

/* more elements than this are not worth being taken apart */
#define ELEMENTS_APART 256

static Condition *build(Builder *builder, Expr *expr, bool leading, bool want);

static Condition *
make_condition(ConditionKind kind, int count)
{
	Condition  *condition = palloc0(sizeof(Condition));

	condition->kind = kind;
	condition->count = count;
	condition->low = condition->high = UNBOUNDED;
	if (kind == CONDITION_AND || kind == CONDITION_OR)
		condition->args = palloc(Max(count, 1) * sizeof(Condition *));
	return condition;
}

static Condition *
make_constant(bool truth)
{
	Condition  *condition = make_condition(CONDITION_CONST, 0);

	condition->truth = truth;
	return condition;
}

/*
 * make_codes makes a test of a code.
 */
static Condition *
make_codes(int operand, int room, bool negated, bool if_null)
{
	Condition  *condition = make_condition(CONDITION_CODES, 0);

	condition->index = operand;
	condition->negated = negated;
	condition->if_null = if_null;
	condition->codes = room > 1 ? palloc(room * sizeof(int)) : &condition->code;
	return condition;
}

static int
compare_codes(const void *a, const void *b)
{
	int			x = *(const int *) a;
	int			y = *(const int *) b;

	return (x > y) - (x < y);
}

/*
 * sort_codes puts a list in order and takes duplicates out.
 */
static void
sort_codes(Condition *condition)
{
	int			last = 0;

	qsort(condition->codes, condition->count, sizeof(int), compare_codes);
	for (int i = 0; i < condition->count; i++)
	{
		if (i == 0 || condition->codes[i] != condition->codes[last - 1])
			condition->codes[last++] = condition->codes[i];
	}
	condition->count = last;
}

/*
 * has_collation tells whether values of a type can be compared under a
 * collation. Without one the executor raises an error, and shall. The hash of a
 * name is the same under every collation.
 */
static bool
has_collation(Oid type, Oid collation)
{
	if (!type_is_collatable(type))
		return true;
	return OidIsValid(collation) && (type != NAMEOID || get_collation_isdeterministic(collation));
}

/*
 * equality_of returns the hashable equality that an operator is, or whose
 * negation it is; InvalidOid when it is neither, or compares different types.
 * Integers of all widths are compared by one.
 */
static Oid
equality_of(Oid operator, Oid left, Oid right, bool *negated)
{
	Oid			equality = operator;
	Oid			left_type;
	Oid			right_type;
	RegProcedure left_hash;

	*negated = false;
	if (!op_hashjoinable(equality, left))
	{
		equality = get_negator(operator);
		*negated = true;
		if (!OidIsValid(equality) || !op_hashjoinable(equality, left))
			return InvalidOid;
	}
	if (get_op_opfamily_strategy(equality, INTEGER_BTREE_FAM_OID) == BTEqualStrategyNumber)
		return get_opfamily_member(INTEGER_BTREE_FAM_OID, INT8OID, INT8OID, BTEqualStrategyNumber);
	op_input_types(equality, &left_type, &right_type);
	if (left_type != right_type || !func_strict(get_opcode(operator)) ||
		!get_op_hash_functions(equality, &left_hash, NULL))
		return InvalidOid;
	return equality;
}

static bool order_of(Oid operator, Oid *family, int *strategy);

/*
 * operator_meaning returns what an operator between two types means for
 * comparisons, looked up once: a few operators make up most rules.
 */
static const OperatorMeaning *
operator_meaning(Builder *builder, Oid operator, Oid left, Oid right)
{
	OperatorMeaning *meaning;

	for (int i = 0; i < builder->operator_count; i++)
	{
		meaning = &builder->operators[i];
		if (meaning->operator == operator && meaning->left == left && meaning->right == right)
			return meaning;
	}
	if (builder->operator_count == KNOWN_OPERATORS)
		builder->operator_count = 0;
	meaning = &builder->operators[builder->operator_count++];
	*meaning = (OperatorMeaning) {operator, left, right};
	meaning->equality = equality_of(operator, left, right, &meaning->negated);
	meaning->is_order = order_of(operator, &meaning->family, &meaning->strategy);
	return meaning;
}

/*
 * equality_condition makes a test of a code of an (in)equality; NULL where it is
 * none.
 */
static Condition *
equality_condition(Builder *builder, const Comparison *comparison, bool want)
{
	Oid			type = getBaseType(comparison->constant->consttype);
	const OperatorMeaning *meaning =
		operator_meaning(builder, comparison->operator, exprType((Node *) comparison->left), type);
	int			operand;
	Condition  *condition;

	if (!OidIsValid(meaning->equality) || !has_collation(type, comparison->collation))
		return NULL;
	operand = operand_find(builder, comparison->left, OPERAND_EQUAL, meaning->equality, comparison->collation, 0);
	condition = make_codes(operand, 1, meaning->negated == want, false);
	condition->codes[condition->count++] =
		operand_enter(builder, operand, type, comparison->constant->constvalue);
	return condition;
}

/*
 * order_of finds a btree operator family in which an operator compares values
 * of one type, or integers of any.
 */
static bool
order_of(Oid operator, Oid *family, int *strategy)
{
	ListCell   *cell;

	foreach(cell, territory_order_interpretation(operator))
	{
		TerritoryOrder *found = lfirst(cell);

		if (found->oplefttype != found->oprighttype && found->opfamily_id != INTEGER_BTREE_FAM_OID)
			continue;
		*family = found->opfamily_id;
		*strategy = territory_order_strategy(found);
		return func_strict(get_opcode(operator));
	}
	return false;
}

/*
 * has_order tells whether values of a type can be ordered: a row or an array has
 * an operator for it whatever its parts are.
 */
static bool
has_order(Oid type)
{
	if (type == RECORDOID)
		return false;
	return OidIsValid(lookup_type_cache(type, TYPECACHE_CMP_PROC)->cmp_proc);
}

/*
 * opposite_strategy returns the comparison that is true where another is false.
 */
static int
opposite_strategy(int strategy)
{
	switch (strategy)
	{
		case BTLessStrategyNumber:
			return BTGreaterEqualStrategyNumber;
		case BTLessEqualStrategyNumber:
			return BTGreaterStrategyNumber;
		case BTGreaterEqualStrategyNumber:
			return BTLessStrategyNumber;
		default:
			return BTLessEqualStrategyNumber;
	}
}

/*
 * make_range makes a test of a rank.
 */
static Condition *
make_range(int operand, int strategy, int bound)
{
	Condition  *condition = make_condition(CONDITION_RANGE, 0);

	condition->index = operand;
	if (strategy >= BTEqualStrategyNumber)
		condition->low = bound;
	if (strategy <= BTEqualStrategyNumber)
		condition->high = bound;
	condition->low_open = strategy == BTGreaterStrategyNumber;
	condition->high_open = strategy == BTLessStrategyNumber;
	return condition;
}

/*
 * order_condition makes a test of a rank of an ordering comparison; NULL where
 * it is none.
 */
static Condition *
order_condition(Builder *builder, const Comparison *comparison, bool want)
{
	Oid			type = getBaseType(comparison->constant->consttype);
	const OperatorMeaning *meaning =
		operator_meaning(builder, comparison->operator, exprType((Node *) comparison->left), type);
	int			strategy = meaning->strategy;
	bool		negated = false;
	int			operand;
	Condition  *condition;

	if (!meaning->is_order || !has_collation(type, comparison->collation) || !has_order(type))
		return NULL;
	if (strategy == TERRITORY_ORDER_NE)
	{
		negated = want;
		strategy = BTEqualStrategyNumber;
	}
	else if (strategy == BTEqualStrategyNumber)
		negated = !want;
	else if (!want)
		strategy = opposite_strategy(strategy);
	operand = operand_find(builder, comparison->left, OPERAND_ORDER, meaning->family, comparison->collation, 0);
	condition = make_range(operand, strategy,
						   operand_enter_bound(builder, operand, type, comparison->constant->constvalue));
	condition->negated = negated;
	return condition;
}

/*
 * subtree_condition makes a test of a rank of path <@ constant: a subtree is one
 * range in the order of paths.
 */
static Condition *
subtree_condition(Builder *builder, const Comparison *comparison, bool want)
{
	Oid			type = comparison->constant->consttype;
	Oid			family = get_opclass_family(GetDefaultOpClass(type, BTREE_AM_OID));
	int			operand = operand_find(builder, comparison->left, OPERAND_ORDER, family, InvalidOid, 0);
	const Territory *top = DatumGetTerritoryPP(comparison->constant->constvalue);
	Condition  *condition = make_range(operand, BTGreaterEqualStrategyNumber,
									   operand_enter_bound(builder, operand, type, TerritoryGetDatum(top)));

	condition->negated = !want;
	if (TERRITORY_SIZE(top) == 0)
		return condition;		/* below the root is all */
	condition->high = operand_enter_bound(builder, operand, type,
										  TerritoryGetDatum(territory_subtree_end(top)));
	condition->high_open = true;
	return condition;
}

/*
 * lineage_condition makes a test of a code of path @> constant: the path is one
 * of the constant's ancestors.
 */
static Condition *
lineage_condition(Builder *builder, const Comparison *comparison, bool want)
{
	Oid			type = comparison->constant->consttype;
	const Territory *leaf = DatumGetTerritoryPP(comparison->constant->constvalue);
	Oid			equality;
	Datum	   *elements;
	int			operand;
	int			count;
	Condition  *condition;

	if (!territory_lineage_fits(leaf))
		return NULL;
	get_sort_group_operators(type, false, true, false, NULL, &equality, NULL, NULL);
	operand = operand_find(builder, comparison->left, OPERAND_EQUAL, equality, InvalidOid, 0);
	elements = palloc((territory_nlevel(leaf) + 1) * sizeof(Datum));
	count = territory_lineage_elements(leaf, elements);
	condition = make_codes(operand, count, !want, false);
	for (int i = 0; i < count; i++)
		condition->codes[condition->count++] = operand_enter(builder, operand, type, elements[i]);
	sort_codes(condition);
	return condition;
}

/*
 * path_condition makes a test of path <@ constant or path @> constant; NULL where
 * it is neither.
 */
static Condition *
path_condition(Builder *builder, const Comparison *comparison, bool want)
{
	Oid			left;
	Oid			right;
	const char *name;

	if (!territory_is_type(comparison->constant->consttype))
		return NULL;
	op_input_types(comparison->operator, &left, &right);
	if (left != comparison->constant->consttype || right != left)
		return NULL;
	name = get_opname(comparison->operator);
	if (strcmp(name, "<@") == 0)
		return subtree_condition(builder, comparison, want);
	return strcmp(name, "@>") == 0 ? lineage_condition(builder, comparison, want) : NULL;
}

/*
 * read_pattern reads a LIKE pattern: its bytes up to the first wildcard, whether
 * there is one, and whether more follows than "any text". false: it ends badly.
 */
static bool
read_pattern(const Const *pattern, StringInfo prefix, bool *open, bool *more)
{
	text	   *value = DatumGetTextPP(pattern->constvalue);
	const char *at = VARDATA_ANY(value);
	const char *end = at + VARSIZE_ANY_EXHDR(value);

	for (; at < end && *at != '%' && *at != '_'; at++)
	{
		if (*at == '\\' && ++at == end)
			return false;
		appendStringInfoChar(prefix, *at);
	}
	*open = at < end;
	while (at < end && *at == '%')
		at++;
	*more = at < end;
	/* what follows may end badly, too */
	return !*more || end[-1] != '\\';
}

/*
 * null_condition makes a test of whether an expression is NULL.
 */
static Condition *
null_condition(Builder *builder, Expr *expr, bool is_null)
{
	return make_codes(operand_find(builder, expr, OPERAND_NULLNESS, InvalidOid, InvalidOid, 0),
					  0, !is_null, is_null);
}

/*
 * prefix_test makes a test of an expression's first bytes, or of all.
 */
static Condition *
prefix_test(Builder *builder, const Comparison *comparison, StringInfo prefix, bool whole, bool want)
{
	Datum		value = PointerGetDatum(cstring_to_text_with_len(prefix->data, prefix->len));
	Condition  *condition;
	int			operand;

	if (!whole && prefix->len == 0)
		return want ? null_condition(builder, comparison->left, false) : make_constant(false);
	operand = whole ?
		operand_find(builder, comparison->left, OPERAND_EQUAL, TextEqualOperator, comparison->collation, 0) :
		operand_find(builder, comparison->left, OPERAND_PREFIX, InvalidOid, InvalidOid, prefix->len);
	condition = make_codes(operand, 1, !want, false);
	condition->codes[condition->count++] = operand_enter(builder, operand, TEXTOID, value);
	return condition;
}

/*
 * make_predicate makes a condition that the executor evaluates.
 */
static Condition *
make_predicate(Builder *builder, Expr *expr, bool want)
{
	Ruleset    *rules = builder->rules;
	Condition  *condition = make_condition(CONDITION_EXPR, 0);
	bool		is_new;

	condition->truth = want;
	condition->index = intern(&builder->predicate_exprs, expr, &is_new);
	if (!is_new)
		return condition;
	if (rules->predicate_count > STEP_MAX_INDEX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the rules have too many conditions that only the executor can evaluate")));
	if (rules->predicate_count == builder->predicate_room)
	{
		builder->predicate_room *= 2;
		rules->predicates = repalloc_huge(rules->predicates, builder->predicate_room * sizeof(Predicate));
	}
	{
		MemoryContext old = MemoryContextSwitchTo(rules->context);
		Predicate  *predicate = &rules->predicates[rules->predicate_count++];

		memset(predicate, 0, sizeof(Predicate));
		predicate->expr = copyObject(expr);
		builder->predicate_exprs.exprs[condition->index] = predicate->expr;
		MemoryContextSwitchTo(old);
	}
	return condition;
}

/*
 * like_condition makes a test of first bytes of LIKE 'x%' and ^@; where the
 * pattern asks for more, beside the predicate itself. NULL where there is no such
 * test. A deterministic collation compares letters byte by byte.
 */
static Condition *
like_condition(Builder *builder, const Comparison *comparison, Expr *expr, bool want)
{
	RegProcedure function = get_opcode(comparison->operator);
	StringInfoData prefix;
	bool		open = true;
	bool		more = false;
	Condition  *both;

	if (function != F_TEXTLIKE && function != F_TEXTNLIKE && function != F_STARTS_WITH)
		return NULL;
	if (!OidIsValid(comparison->collation) || !get_collation_isdeterministic(comparison->collation))
		return NULL;
	initStringInfo(&prefix);
	if (function == F_STARTS_WITH)
	{
		text	   *value = DatumGetTextPP(comparison->constant->constvalue);

		appendBinaryStringInfo(&prefix, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
	}
	else if (!read_pattern(comparison->constant, &prefix, &open, &more))
		return NULL;
	if (!more)
		return prefix_test(builder, comparison, &prefix, !open, want == (function != F_TEXTNLIKE));
	if (prefix.len == 0 || want != (function == F_TEXTLIKE))
		return NULL;
	both = make_condition(CONDITION_AND, 2);
	both->args[0] = prefix_test(builder, comparison, &prefix, false, true);
	both->args[1] = make_predicate(builder, expr, want);
	return both;
}

/*
 * comparison_condition makes the condition of a comparison with a constant; NULL
 * where it is left to the executor.
 */
static Condition *
comparison_condition(Builder *builder, const Comparison *comparison, Expr *expr, bool want)
{
	Condition  *condition = equality_condition(builder, comparison, want);

	if (condition == NULL)
		condition = order_condition(builder, comparison, want);
	if (condition == NULL)
		condition = path_condition(builder, comparison, want);
	if (condition == NULL)
		condition = like_condition(builder, comparison, expr, want);
	return condition;
}

/*
 * operator_condition makes the condition of expression operator constant, either
 * way round; NULL where it is none.
 */
static Condition *
operator_condition(Builder *builder, OpExpr *expr, bool want)
{
	Comparison	comparison = {NULL, expr->opno, expr->inputcollid, NULL};
	Node	   *right;

	if (list_length(expr->args) != 2)
		return NULL;
	comparison.left = linitial(expr->args);
	right = lsecond(expr->args);
	if (IsA(comparison.left, Const))
	{
		right = linitial(expr->args);
		comparison.left = lsecond(expr->args);
		comparison.operator = get_commutator(expr->opno);
	}
	comparison.constant = (Const *) right;
	if (!IsA(right, Const) || comparison.constant->constisnull || !OidIsValid(comparison.operator))
		return NULL;
	return comparison_condition(builder, &comparison, (Expr *) expr, want);
}

/* The elements of an array constant. */
typedef struct Elements
{
	Oid			type;
	int16		typlen;
	bool		byval;
	int			count;
	Datum	   *values;
	bool	   *nulls;
} Elements;

static void
read_elements(const Const *list, Elements *elements)
{
	ArrayType  *array = DatumGetArrayTypeP(list->constvalue);
	char		align;

	elements->type = ARR_ELEMTYPE(array);
	get_typlenbyvalalign(elements->type, &elements->typlen, &elements->byval, &align);
	deconstruct_array(array, elements->type, elements->typlen, elements->byval, align,
					  &elements->values, &elements->nulls, &elements->count);
}

/*
 * in_condition makes a test of codes of expression IN (constants), or NOT IN;
 * NULL where it is not one. A NULL in the list leaves what is not found unknown.
 */
static Condition *
in_condition(Builder *builder, const ScalarArrayOpExpr *expr, const Elements *elements, bool want)
{
	Expr	   *left = linitial(expr->args);
	Oid			type = getBaseType(elements->type);
	const OperatorMeaning *meaning = operator_meaning(builder, expr->opno, exprType((Node *) left), type);
	bool		has_null = false;
	int			operand;
	Condition  *condition;

	if (!OidIsValid(meaning->equality) || expr->useOr == meaning->negated || !has_collation(type, expr->inputcollid))
		return NULL;
	operand = operand_find(builder, left, OPERAND_EQUAL, meaning->equality, expr->inputcollid, 0);
	condition = make_codes(operand, elements->count, meaning->negated == want, false);
	for (int i = 0; i < elements->count; i++)
	{
		if (elements->nulls[i])
			has_null = true;
		else
			condition->codes[condition->count++] = operand_enter(builder, operand, type, elements->values[i]);
	}
	sort_codes(condition);
	return has_null && condition->negated ? make_constant(false) : condition;
}

/*
 * apart_condition takes expression operator ANY (constants), or ALL, apart, as
 * OR, or AND, of comparisons; NULL where one of them is left to the executor.
 */
static Condition *
apart_condition(Builder *builder, const ScalarArrayOpExpr *expr, const Elements *elements, bool want)
{
	Expr	   *left = linitial(expr->args);
	Condition  *condition = make_condition(expr->useOr == want ? CONDITION_OR : CONDITION_AND, elements->count);

	if (elements->count > ELEMENTS_APART)
		return NULL;
	for (int i = 0; i < elements->count; i++)
	{
		Expr	   *clause;
		Const	   *element = makeConst(elements->type, -1, type_is_collatable(elements->type) ? expr->inputcollid : InvalidOid,
										elements->typlen, elements->values[i], elements->nulls[i], elements->byval);
		Comparison	comparison = {left, expr->opno, expr->inputcollid, element};

		clause = make_opclause(expr->opno, BOOLOID, false, left, (Expr *) element, InvalidOid, expr->inputcollid);
		set_opfuncid((OpExpr *) clause);
		condition->args[i] = elements->nulls[i] ? make_constant(false) :
			comparison_condition(builder, &comparison, clause, want);
		if (condition->args[i] == NULL)
			return NULL;
	}
	return condition;
}

/*
 * list_condition makes the condition of expression operator ANY (constants) or
 * ALL; NULL where it is left to the executor.
 */
static Condition *
list_condition(Builder *builder, const ScalarArrayOpExpr *expr, bool want)
{
	const Const *list = lsecond(expr->args);
	Elements	elements;
	Condition  *condition;

	if (!IsA(list, Const) || list->constisnull)
		return NULL;
	read_elements(list, &elements);
	if (elements.count == 0)
		return make_constant(expr->useOr != want);
	condition = in_condition(builder, expr, &elements, want);
	return condition ? condition : apart_condition(builder, expr, &elements, want);
}

/*
 * distinct_condition makes the condition of expression IS DISTINCT FROM constant;
 * NULL where it is left to the executor.
 */
static Condition *
distinct_condition(Builder *builder, OpExpr *expr, bool want)
{
	OpExpr	   *equality = copyObject(expr);
	Condition  *condition;

	NodeSetTag(equality, T_OpExpr);
	condition = operator_condition(builder, equality, !want);
	if (condition == NULL || condition->kind != CONDITION_CODES)
		return NULL;
	condition->if_null = want;
	return condition;
}

/*
 * boolean_value_condition makes a test of a Boolean expression's value: one of
 * two codes, and NULL.
 */
static Condition *
boolean_value_condition(Builder *builder, Expr *expr, bool is_true, bool is_false, bool is_null)
{
	int			operand = operand_find(builder, expr, OPERAND_EQUAL, BooleanEqualOperator, InvalidOid, 0);
	Condition  *condition = make_codes(operand, 2, false, is_null);

	if (is_true)
		condition->codes[condition->count++] = operand_enter(builder, operand, BOOLOID, BoolGetDatum(true));
	if (is_false)
		condition->codes[condition->count++] = operand_enter(builder, operand, BOOLOID, BoolGetDatum(false));
	sort_codes(condition);
	return condition;
}

/*
 * truth_condition makes the condition of IS TRUE and its like; NULL where it is
 * left to the executor.
 */
static Condition *
truth_condition(Builder *builder, const BooleanTest *test, bool leading, bool want)
{
	BoolTestType kind = test->booltesttype;
	bool		is_true = kind == IS_TRUE || kind == IS_NOT_FALSE || kind == IS_NOT_UNKNOWN;
	bool		is_false = kind == IS_FALSE || kind == IS_NOT_TRUE || kind == IS_NOT_UNKNOWN;
	bool		is_null = kind == IS_UNKNOWN || kind == IS_NOT_TRUE || kind == IS_NOT_FALSE;

	if (IsA(test->arg, Var))
		return boolean_value_condition(builder, test->arg, is_true == want, is_false == want, is_null == want);
	if (want && kind == IS_TRUE)
		return build(builder, test->arg, leading, true);
	if (want && kind == IS_FALSE)
		return build(builder, test->arg, leading, false);
	return NULL;
}

/*
 * is_plain tells whether a condition compares a plain column, which can raise no
 * error.
 */
static bool
is_plain(const Builder *builder, const Condition *condition)
{
	const Ruleset *rules = builder->rules;

	return (condition->kind == CONDITION_CODES || condition->kind == CONDITION_RANGE) &&
		rules->attributes[rules->operands[condition->index].attribute].attno != 0;
}

/*
 * sort_arguments puts comparisons of plain columns first, and leaves the order
 * alone otherwise: a condition may stand there to keep the next one from an error
 * (n <> 0 AND 100 / n > 5).
 */
static void
sort_arguments(const Builder *builder, Condition *condition)
{
	Condition **sorted = palloc(condition->count * sizeof(Condition *));
	int			filled = 0;

	for (int pass = 0; pass < 2; pass++)
	{
		for (int i = 0; i < condition->count; i++)
		{
			if (is_plain(builder, condition->args[i]) == (pass == 0))
				sorted[filled++] = condition->args[i];
		}
	}
	condition->args = sorted;
}

/*
 * boolean_condition makes a condition of AND, OR or NOT.
 */
static Condition *
boolean_condition(Builder *builder, BoolExpr *expr, bool leading, bool want)
{
	Condition  *condition;
	ListCell   *cell;

	if (expr->boolop == NOT_EXPR)
		return build(builder, linitial(expr->args), leading, !want);
	condition = make_condition((expr->boolop == AND_EXPR) == want ? CONDITION_AND : CONDITION_OR,
							   list_length(expr->args));
	foreach(cell, expr->args)
	{
		int			i = foreach_current_index(cell);

		condition->args[i] = build(builder, lfirst(cell), leading && i == 0, want);
	}
	sort_arguments(builder, condition);
	return condition;
}

/*
 * leaf_condition makes the condition of what is not AND, OR or NOT; NULL where it
 * is left to the executor.
 */
static Condition *
leaf_condition(Builder *builder, Expr *expr, bool leading, bool want)
{
	switch (nodeTag(expr))
	{
		case T_Const:
			{
				const Const *constant = (Const *) expr;

				return make_constant(!constant->constisnull && DatumGetBool(constant->constvalue) == want);
			}
		case T_Var:
			return boolean_value_condition(builder, expr, want, !want, false);
		case T_OpExpr:
			return operator_condition(builder, (OpExpr *) expr, want);
		case T_DistinctExpr:
			return distinct_condition(builder, (OpExpr *) expr, want);
		case T_ScalarArrayOpExpr:
			return list_condition(builder, (ScalarArrayOpExpr *) expr, want);
		case T_BooleanTest:
			return truth_condition(builder, (BooleanTest *) expr, leading, want);
		case T_NullTest:
			if (((NullTest *) expr)->argisrow)
				return NULL;
			return null_condition(builder, ((NullTest *) expr)->arg,
								  (((NullTest *) expr)->nulltesttype == IS_NULL) == want);
		default:
			return NULL;
	}
}

/*
 * mark_safe notes of the comparisons that one expression gave whether they may be
 * looked at before their turn.
 */
static void
mark_safe(const Builder *builder, Condition *condition, bool leading)
{
	for (int i = 0; (condition->kind == CONDITION_AND || condition->kind == CONDITION_OR) && i < condition->count; i++)
		mark_safe(builder, condition->args[i], leading);
	if (condition->kind == CONDITION_CODES || condition->kind == CONDITION_RANGE)
		condition->safe |= leading || is_plain(builder, condition);
}

/*
 * build makes the condition that an expression is true, or false. leading: WHERE
 * would evaluate it for every row, whatever the rest of the criteria says.
 */
static Condition *
build(Builder *builder, Expr *expr, bool leading, bool want)
{
	Condition  *condition;

	check_stack_depth();
	if (IsA(expr, BoolExpr))
		return boolean_condition(builder, (BoolExpr *) expr, leading, want);
	condition = leaf_condition(builder, expr, leading, want);
	if (condition == NULL)
		return make_predicate(builder, expr, want);
	mark_safe(builder, condition, leading);
	return condition;
}

/*
 * condition_init allocates the growing parts.
 */
void
condition_init(Builder *builder)
{
	Ruleset    *rules = builder->rules;

	intern_init(&builder->predicate_exprs);
	builder->predicate_room = 16;
	rules->predicates = MemoryContextAlloc(rules->context, builder->predicate_room * sizeof(Predicate));
}

/*
 * condition_build makes the condition of an expression that the planner has
 * simplified.
 */
Condition *
condition_build(Builder *builder, Expr *expr)
{
	return build(builder, expr, true, true);
}

/*
 * set_ranks makes ranks of the bounds of a range.
 */
static void
set_ranks(const Builder *builder, Condition *condition, int **places)
{
	int		   *place = places[condition->index];
	int			count = builder->rules->operands[condition->index].value_count;

	condition->low = condition->low == UNBOUNDED ? 0 :
		2 * place[condition->low] + 1 + condition->low_open;
	condition->high = condition->high == UNBOUNDED ? 2 * count :
		2 * place[condition->high] + 1 - condition->high_open;
}

/*
 * meet_ranges makes one range of the ranges of an operand that AND joins. The
 * operand is evaluated where the first of them stands.
 */
static void
meet_ranges(Condition *condition)
{
	int			left = 0;

	for (int i = 0; i < condition->count; i++)
	{
		Condition  *argument = condition->args[i];
		Condition  *other = NULL;

		CHECK_FOR_INTERRUPTS();
		for (int k = 0; argument->kind == CONDITION_RANGE && k < left && other == NULL; k++)
		{
			if (!argument->negated &&
				condition->args[k]->kind == CONDITION_RANGE && !condition->args[k]->negated &&
				condition->args[k]->index == argument->index)
				other = condition->args[k];
		}
		if (other == NULL)
		{
			condition->args[left++] = argument;
			continue;
		}
		other->low = Max(other->low, argument->low);
		other->high = Min(other->high, argument->high);
	}
	condition->count = left;
}

/*
 * flatten puts the arguments of arguments of the same kind into their place, and
 * leaves out what does not decide; returns what is left.
 */
static Condition *
flatten(Condition *condition)
{
	bool		neutral = condition->kind == CONDITION_AND;
	Condition  *flat;
	int			count = 0;

	for (int i = 0; i < condition->count; i++)
		count += condition->args[i]->kind == condition->kind ? condition->args[i]->count : 1;
	flat = make_condition(condition->kind, count);
	flat->count = 0;
	for (int i = 0; i < condition->count; i++)
	{
		Condition  *argument = condition->args[i];

		if (argument->kind == CONDITION_CONST && argument->truth != neutral)
			return argument;
		if (argument->kind == condition->kind)
		{
			memcpy(flat->args + flat->count, argument->args, argument->count * sizeof(Condition *));
			flat->count += argument->count;
		}
		else if (argument->kind != CONDITION_CONST)
			flat->args[flat->count++] = argument;
	}
	if (flat->count == 0)
		return make_constant(neutral);
	return flat->count == 1 ? flat->args[0] : flat;
}

/*
 * finish_range ends a range that can hold no rank.
 */
static Condition *
finish_range(const Builder *builder, Condition *condition)
{
	if (condition->low > condition->high && !condition->negated)
		return make_constant(false);
	condition->share = share_of(builder, condition);
	return condition;
}

/*
 * condition_finish makes the final condition: bounds are ranks, the ranges of an
 * operand one, constants are gone, shares are known.
 */
Condition *
condition_finish(Builder *builder, Condition *condition, int **places)
{
	switch (condition->kind)
	{
		case CONDITION_RANGE:
			set_ranks(builder, condition, places);
			return finish_range(builder, condition);
		case CONDITION_CODES:
			condition->share = share_of(builder, condition);
			return condition;
		case CONDITION_AND:
		case CONDITION_OR:
			for (int i = 0; i < condition->count; i++)
				condition->args[i] = condition_finish(builder, condition->args[i], places);
			condition = flatten(condition);
			if (condition->kind != CONDITION_AND)
				return condition;
			meet_ranges(condition);
			for (int i = 0; i < condition->count; i++)
			{
				if (condition->args[i]->kind == CONDITION_RANGE)
					condition->args[i] = finish_range(builder, condition->args[i]);
			}
			return flatten(condition);
		default:
			return condition;
	}
}
