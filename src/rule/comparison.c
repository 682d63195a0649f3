/*
 * comparison.c
 *		Makes conditions of comparisons with constants: which operators mean a test
 *		of a code (=, <>, IN, LIKE 'x%', @>, IS NULL, booleans) or of a rank (<, <=, >=,
 *		>, <@).
 *
 * Every function is asked for the condition that a comparison is true, or (want)
 * that it is false, and returns NULL where only the executor can tell.
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "catalog/pg_am.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "lib/stringinfo.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_oper.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "compat.h"
#include "rule/comparison.h"
#include "rule/leaf.h"
#include "type/value.h"

/* A comparison: an expression, an operator, and a constant that is not NULL. */
typedef struct Comparison
{
	Expr	   *left;
	Oid			operator;
	Oid			collation;
	const Const *constant;
	Oid			type;			/* of the constant; a domain's base type */
	const OperatorMeaning *meaning;
} Comparison;

/* more elements than this are not worth being taken apart */
#define ELEMENTS_APART 256

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
	const OperatorMeaning *meaning = comparison->meaning;
	int			operand;
	Condition  *condition;

	if (!OidIsValid(meaning->equality) || !has_collation(comparison->type, comparison->collation))
		return NULL;
	operand = operand_find(builder, comparison->left, OPERAND_EQUAL, meaning->equality, comparison->collation, 0);
	condition = leaf_codes(operand, 1, meaning->negated == want, false);
	condition->codes[condition->count++] =
		operand_enter(builder, operand, comparison->type, comparison->constant->constvalue);
	return condition;
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
 * order_condition makes a test of a rank of an ordering comparison; NULL where
 * it is none.
 */
static Condition *
order_condition(Builder *builder, const Comparison *comparison, bool want)
{
	const OperatorMeaning *meaning = comparison->meaning;
	int			strategy = meaning->strategy;
	bool		negated = false;
	int			operand;
	Condition  *condition;

	if (!meaning->is_order || !has_collation(comparison->type, comparison->collation) || !has_order(comparison->type))
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
	condition = leaf_range(operand, strategy,
						   operand_enter_bound(builder, operand, comparison->type, comparison->constant->constvalue));
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
	Condition  *condition = leaf_range(operand, BTGreaterEqualStrategyNumber,
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
	condition = leaf_codes(operand, count, !want, false);
	for (int i = 0; i < count; i++)
		condition->codes[condition->count++] = operand_enter(builder, operand, type, elements[i]);
	leaf_sort_codes(condition);
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
 * comparison_with_null makes a test of whether an expression is NULL.
 */
Condition *
comparison_with_null(Builder *builder, Expr *expr, bool is_null)
{
	return leaf_codes(operand_find(builder, expr, OPERAND_NULLNESS, InvalidOid, InvalidOid, 0),
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
		return want ? comparison_with_null(builder, comparison->left, false) : leaf_constant(false);
	operand = whole ?
		operand_find(builder, comparison->left, OPERAND_EQUAL, TextEqualOperator, comparison->collation, 0) :
		operand_find(builder, comparison->left, OPERAND_PREFIX, InvalidOid, InvalidOid, prefix->len);
	condition = leaf_codes(operand, 1, !want, false);
	condition->codes[condition->count++] = operand_enter(builder, operand, TEXTOID, value);
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
	both = condition_make(CONDITION_AND, 2);
	both->args[0] = prefix_test(builder, comparison, &prefix, false, true);
	both->args[1] = leaf_predicate(builder, expr, want);
	return both;
}

/*
 * comparison_with_constant makes the condition of a comparison with a constant; NULL
 * where it is left to the executor.
 */
static Condition *
comparison_with_constant(Builder *builder, Comparison *comparison, Expr *expr, bool want)
{
	Condition  *condition;

	comparison->type = getBaseType(comparison->constant->consttype);
	comparison->meaning = operator_meaning(builder, comparison->operator,
										   exprType((Node *) comparison->left), comparison->type);
	condition = equality_condition(builder, comparison, want);

	if (condition == NULL)
		condition = order_condition(builder, comparison, want);
	if (condition == NULL)
		condition = path_condition(builder, comparison, want);
	if (condition == NULL)
		condition = like_condition(builder, comparison, expr, want);
	return condition;
}

/*
 * comparison_by_operator makes the condition of expression operator constant, either
 * way round; NULL where it is none.
 */
Condition *
comparison_by_operator(Builder *builder, OpExpr *expr, bool want)
{
	Comparison	comparison = {.operator = expr->opno,.collation = expr->inputcollid};
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
	return comparison_with_constant(builder, &comparison, (Expr *) expr, want);
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
	condition = leaf_codes(operand, elements->count, meaning->negated == want, false);
	for (int i = 0; i < elements->count; i++)
	{
		if (elements->nulls[i])
			has_null = true;
		else
			condition->codes[condition->count++] = operand_enter(builder, operand, type, elements->values[i]);
	}
	leaf_sort_codes(condition);
	return has_null && condition->negated ? leaf_constant(false) : condition;
}

/*
 * apart_condition takes expression operator ANY (constants), or ALL, apart, as
 * OR, or AND, of comparisons; NULL where one of them is left to the executor.
 */
static Condition *
apart_condition(Builder *builder, const ScalarArrayOpExpr *expr, const Elements *elements, bool want)
{
	Expr	   *left = linitial(expr->args);
	Condition  *condition = condition_make(expr->useOr == want ? CONDITION_OR : CONDITION_AND, elements->count);

	if (elements->count > ELEMENTS_APART)
		return NULL;
	for (int i = 0; i < elements->count; i++)
	{
		Expr	   *clause;
		Const	   *element = makeConst(elements->type, -1, type_is_collatable(elements->type) ? expr->inputcollid : InvalidOid,
										elements->typlen, elements->values[i], elements->nulls[i], elements->byval);
		Comparison	comparison = {.left = left,.operator = expr->opno,.collation = expr->inputcollid,.constant = element};

		clause = make_opclause(expr->opno, BOOLOID, false, left, (Expr *) element, InvalidOid, expr->inputcollid);
		set_opfuncid((OpExpr *) clause);
		condition->args[i] = elements->nulls[i] ? leaf_constant(false) :
			comparison_with_constant(builder, &comparison, clause, want);
		if (condition->args[i] == NULL)
			return NULL;
	}
	return condition;
}

/*
 * comparison_with_list makes the condition of expression operator ANY (constants) or
 * ALL; NULL where it is left to the executor.
 */
Condition *
comparison_with_list(Builder *builder, const ScalarArrayOpExpr *expr, bool want)
{
	const Const *list = lsecond(expr->args);
	Elements	elements;
	Condition  *condition;

	if (!IsA(list, Const) || list->constisnull)
		return NULL;
	read_elements(list, &elements);
	if (elements.count == 0)
		return leaf_constant(expr->useOr != want);
	condition = in_condition(builder, expr, &elements, want);
	return condition ? condition : apart_condition(builder, expr, &elements, want);
}

/*
 * comparison_distinct makes the condition of expression IS DISTINCT FROM constant;
 * NULL where it is left to the executor.
 */
Condition *
comparison_distinct(Builder *builder, OpExpr *expr, bool want)
{
	OpExpr	   *equality = copyObject(expr);
	Condition  *condition;

	NodeSetTag(equality, T_OpExpr);
	condition = comparison_by_operator(builder, equality, !want);
	if (condition == NULL || condition->kind != CONDITION_CODES)
		return NULL;
	condition->if_null = want;
	return condition;
}

/*
 * comparison_of_boolean makes a test of a Boolean expression's value: one of
 * two codes, and NULL.
 */
Condition *
comparison_of_boolean(Builder *builder, Expr *expr, bool is_true, bool is_false, bool is_null)
{
	int			operand = operand_find(builder, expr, OPERAND_EQUAL, BooleanEqualOperator, InvalidOid, 0);
	Condition  *condition = leaf_codes(operand, 2, false, is_null);

	if (is_true)
		condition->codes[condition->count++] = operand_enter(builder, operand, BOOLOID, BoolGetDatum(true));
	if (is_false)
		condition->codes[condition->count++] = operand_enter(builder, operand, BOOLOID, BoolGetDatum(false));
	leaf_sort_codes(condition);
	return condition;
}
