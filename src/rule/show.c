/*
 * show.c
 *		Conditions as a person would write them.
 *
 * PostgreSQL's own text of an expression is made for machines to read back:
 * (country)::text = ANY (ARRAY['NL'::text, 'BE'::text]). The conditions that most
 * rules are made of, a column compared with constants, are written here as one
 * would write them; all others are left to PostgreSQL (criteria_show).
 */
#include "postgres.h"

#include "catalog/pg_namespace.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "rule/criteria.h"
#include "rule/show.h"

/*
 * is_cast_number tells whether something is a whole number made one of another type,
 * as PostgreSQL does in amount > 1000, where amount is numeric.
 */
static bool
is_cast_number(const Node *node)
{
	const FuncExpr *cast = (const FuncExpr *) node;
	Oid			type;

	if (!IsA(node, FuncExpr) || cast->funcformat == COERCE_EXPLICIT_CALL || !IsA(linitial(cast->args), Const))
		return false;
	type = exprType(linitial(cast->args));
	return (type == INT4OID || type == INT8OID) && !((Const *) linitial(cast->args))->constisnull &&
		(cast->funcresulttype == NUMERICOID || cast->funcresulttype == FLOAT8OID || cast->funcresulttype == INT8OID);
}

/*
 * strip removes casts between types of the same form, and of whole numbers.
 */
static Node *
strip(Node *node)
{
	while (IsA(node, RelabelType))
		node = (Node *) ((RelabelType *) node)->arg;
	return is_cast_number(node) ? linitial(((FuncExpr *) node)->args) : node;
}

/*
 * show_constant appends a constant without its type, which the column beside it
 * tells.
 */
static void
show_constant(StringInfo text, Oid type, Datum value, bool isnull)
{
	Oid			output;
	bool		varlena;
	char		category;
	bool		preferred;
	char	   *shown;

	if (isnull)
	{
		appendStringInfoString(text, "NULL");
		return;
	}
	getTypeOutputInfo(type, &output, &varlena);
	shown = OidOutputFunctionCall(output, value);
	get_type_category_preferred(type, &category, &preferred);
	if (type == BOOLOID)
		appendStringInfoString(text, DatumGetBool(value) ? "true" : "false");
	else if (category == TYPCATEGORY_NUMERIC && strspn(shown, "-0123456789.") == strlen(shown))
		appendStringInfoString(text, shown);
	else
		appendStringInfoString(text, quote_literal_cstr(shown));
}

/*
 * list_of returns the constants of a list as Const nodes; NULL where it is
 * something else.
 */
static List *
list_of(Node *node)
{
	List	   *elements = NIL;

	node = strip(node);
	if (IsA(node, ArrayExpr) && !((ArrayExpr *) node)->multidims)
	{
		ListCell   *cell;

		foreach(cell, ((ArrayExpr *) node)->elements)
		{
			Node	   *element = strip(lfirst(cell));

			if (!IsA(element, Const))
				return NIL;
			elements = lappend(elements, element);
		}
	}
	else if (IsA(node, Const) && !((Const *) node)->constisnull)
	{
		ArrayType  *array = DatumGetArrayTypeP(((Const *) node)->constvalue);
		Oid			type = ARR_ELEMTYPE(array);
		int16		length;
		bool		by_value;
		char		align;
		Datum	   *values;
		bool	   *nulls;
		int			count;

		get_typlenbyvalalign(type, &length, &by_value, &align);
		deconstruct_array(array, type, length, by_value, align, &values, &nulls, &count);
		for (int i = 0; i < count; i++)
			elements = lappend(elements, makeConst(type, -1, InvalidOid, length, values[i], nulls[i], by_value));
	}
	return elements;
}

/*
 * operator_word returns how an operator is written; NULL where its name alone
 * would not say which one it is.
 */
static const char *
operator_word(Oid operator)
{
	static const char *const words[][2] = {
		{"~~", "LIKE"}, {"!~~", "NOT LIKE"}, {"~~*", "ILIKE"}, {"!~~*", "NOT ILIKE"}
	};
	HeapTuple	tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(operator));
	Form_pg_operator form;
	const char *word;

	if (!HeapTupleIsValid(tuple))
		return NULL;
	form = (Form_pg_operator) GETSTRUCT(tuple);
	word = pstrdup(NameStr(form->oprname));
	ReleaseSysCache(tuple);
	for (int i = 0; i < lengthof(words); i++)
	{
		if (strcmp(word, words[i][0]) == 0)
			return words[i][1];
	}
	return word;
}

/*
 * A comparison with constants, ready to be written: side, then the rest.
 */
typedef struct Simple
{
	Node	   *side;			/* what is compared */
	char	   *rest;			/* with what, and how */
} Simple;

/*
 * read_operator reads expression operator constant, either way round.
 */
static bool
read_operator(const OpExpr *expr, bool negate, Simple *simple)
{
	Oid			operator = expr->opno;
	Node	   *left;
	Node	   *right;
	StringInfoData rest;
	const char *word;

	if (list_length(expr->args) != 2 || exprType((Node *) expr) != BOOLOID)
		return false;
	left = strip(linitial(expr->args));
	right = strip(lsecond(expr->args));
	if (IsA(left, Const))
	{
		Node	   *other = left;

		left = right;
		right = other;
		operator = get_commutator(operator);
	}
	if (negate && OidIsValid(operator))
		operator = get_negator(operator);
	word = OidIsValid(operator) ? operator_word(operator) : NULL;
	if (word == NULL || !IsA(right, Const) || IsA(left, Const))
		return false;
	initStringInfo(&rest);
	appendStringInfo(&rest, "%s ", word);
	show_constant(&rest, ((Const *) right)->consttype, ((Const *) right)->constvalue, ((Const *) right)->constisnull);
	simple->side = left;
	simple->rest = rest.data;
	return true;
}

/*
 * read_list reads expression IN (constants), or NOT IN.
 */
static bool
read_list(const ScalarArrayOpExpr *expr, bool negate, Simple *simple)
{
	List	   *elements = list_of(lsecond(expr->args));
	const char *word = operator_word(expr->opno);
	StringInfoData rest;
	ListCell   *cell;

	if (elements == NIL || word == NULL || strcmp(word, expr->useOr ? "=" : "<>") != 0)
		return false;
	initStringInfo(&rest);
	appendStringInfo(&rest, "%s (", expr->useOr != negate ? "IN" : "NOT IN");
	foreach(cell, elements)
	{
		Const	   *element = lfirst_node(Const, cell);

		if (foreach_current_index(cell) > 0)
			appendStringInfoString(&rest, ", ");
		show_constant(&rest, element->consttype, element->constvalue, element->constisnull);
	}
	appendStringInfoChar(&rest, ')');
	simple->side = strip(linitial(expr->args));
	simple->rest = rest.data;
	return true;
}

/*
 * read_simple reads a condition that compares something with constants; false:
 * it is another.
 */
static bool
read_simple(Expr *expr, bool negate, Simple *simple)
{
	if (IsA(expr, OpExpr))
		return read_operator((OpExpr *) expr, negate, simple);
	if (IsA(expr, ScalarArrayOpExpr))
		return read_list((ScalarArrayOpExpr *) expr, negate, simple);
	if (IsA(expr, NullTest) && !((NullTest *) expr)->argisrow)
	{
		bool		is_null = (((NullTest *) expr)->nulltesttype == IS_NULL) != negate;

		simple->side = strip((Node *) ((NullTest *) expr)->arg);
		simple->rest = is_null ? "IS NULL" : "IS NOT NULL";
		return true;
	}
	return false;
}

/*
 * show_condition returns a condition as text.
 */
char *
show_condition(Relation rel, Expr *expr)
{
	Simple		simple;

	if (IsA(expr, BoolExpr) && ((BoolExpr *) expr)->boolop == NOT_EXPR)
	{
		Expr	   *inner = linitial(((BoolExpr *) expr)->args);
		char	   *text = show_condition(rel, inner);

		return IsA(inner, Var) ? psprintf("NOT %s", text) : psprintf("NOT (%s)", text);
	}
	if (!read_simple(expr, false, &simple) || exprType(simple.side) == BOOLOID)
		return criteria_show(rel, expr);
	return psprintf("%s %s", criteria_show(rel, (Expr *) simple.side), simple.rest);
}

/*
 * show_bound returns what a condition asks of its column.
 */
char *
show_bound(Relation rel, Expr *expr, bool negate)
{
	Simple		simple;

	if (IsA(expr, BoolExpr) && ((BoolExpr *) expr)->boolop == NOT_EXPR)
		return show_bound(rel, linitial(((BoolExpr *) expr)->args), !negate);
	if (IsA(expr, Var))
		return negate ? "= false" : "= true";
	if (!read_simple(expr, negate, &simple) || !IsA(simple.side, Var))
		return NULL;
	return simple.rest;
}
