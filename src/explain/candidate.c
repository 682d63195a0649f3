/*
 * candidate.c
 *		Values that a column might be changed to.
 *
 * A condition that compares a column with constants changes its answer at these
 * constants only. So the constants, a value below, between and above each two, and
 * NULL stand for all values that there are. That is exact for numbers, dates,
 * Booleans and enums; of texts there is "another one", a longer, a shorter and the
 * next one of each, which serves =, IN, LIKE and most orders. Values are made as texts and
 * read by the column's own type, so that its length and precision hold.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "base/attempt.h"
#include "explain/candidate.h"

/* candidates of a column at most */
#define MAX_CANDIDATES 2000

/* What read_text works on. */
typedef struct Reading
{
	Form_pg_attribute attribute;
	char	   *text;
	Datum		value;
	char	   *shown;
} Reading;

/*
 * read_text reads a text as a value of the column.
 */
static void
read_text(void *arg)
{
	Reading    *reading = arg;
	Oid			function;
	Oid			parameter;
	bool		varlena;

	getTypeInputInfo(reading->attribute->atttypid, &function, &parameter);
	reading->value = OidInputFunctionCall(function, reading->text, parameter, reading->attribute->atttypmod);
	getTypeOutputInfo(reading->attribute->atttypid, &function, &varlena);
	reading->shown = OidOutputFunctionCall(function, reading->value);
}

/*
 * append adds a candidate.
 */
static void
append(Candidates *candidates, char *text, Datum value)
{
	if (candidates->count == candidates->room)
	{
		candidates->room *= 2;
		candidates->texts = repalloc(candidates->texts, candidates->room * sizeof(char *));
		candidates->values = repalloc(candidates->values, candidates->room * sizeof(Datum));
	}
	candidates->texts[candidates->count] = text;
	candidates->values[candidates->count++] = value;
}

/*
 * add adds a candidate, unless the column cannot hold it, or it is there.
 */
static void
add(Candidates *candidates, const char *text)
{
	Reading		reading = {candidates->attribute, pstrdup(text)};

	if (candidates->count >= MAX_CANDIDATES || !attempt(read_text, &reading, NULL))
		return;
	for (int i = 0; i < candidates->count; i++)
	{
		if (candidates->texts[i] != NULL && strcmp(candidates->texts[i], reading.shown) == 0)
			return;
	}
	append(candidates, reading.shown, reading.value);
}

void
candidates_init(Candidates *candidates, const Inquiry *inquiry, AttrNumber attno)
{
	bool		isnull;
	Datum		value = slot_getattr(inquiry->slot, attno, &isnull);

	memset(candidates, 0, sizeof(Candidates));
	candidates->attno = attno;
	candidates->attribute = TupleDescAttr(RelationGetDescr(inquiry->rel), attno - 1);
	candidates->room = 16;
	candidates->texts = palloc(candidates->room * sizeof(char *));
	candidates->values = palloc(candidates->room * sizeof(Datum));
	append(candidates, inquiry_value(inquiry, attno), value);
}

/* What evaluate works on. */
typedef struct Constant
{
	Expr	   *expr;
	Oid			type;
	Datum		value;
	bool		isnull;
} Constant;

static void
evaluate(void *arg)
{
	Constant   *constant = arg;
	ExprContext *econtext = CreateStandaloneExprContext();

	constant->value = ExecEvalExpr(ExecInitExpr(constant->expr, NULL), econtext, &constant->isnull);
}

/*
 * without returns a text without some letters.
 */
static char *
without(const char *text, const char *letters)
{
	StringInfoData rest;

	initStringInfo(&rest);
	for (; *text; text++)
	{
		if (strchr(letters, *text) == NULL)
			appendStringInfoChar(&rest, *text);
	}
	return rest.data;
}

/*
 * is_closed_word tells whether a text is a category of closed deals: it stands in
 * the condition that a deal is closed, and is no value to open one with.
 */
static bool
is_closed_word(const char *text)
{
	return strcmp(text, "closed") == 0 || strcmp(text, "omitted") == 0;
}

/*
 * learn_value adds a constant, and what a pattern or a list has in it.
 */
static void
learn_value(Candidates *candidates, Oid type, Datum value)
{
	Oid			output;
	bool		varlena;
	char	   *text;

	getTypeOutputInfo(type, &output, &varlena);
	text = OidOutputFunctionCall(output, value);
	if (candidates->opening && is_closed_word(text))
		return;
	if (strpbrk(text, "%_^$") != NULL && TypeCategory(candidates->attribute->atttypid) == TYPCATEGORY_STRING)
		add(candidates, without(text, "%_^$"));
	add(candidates, text);
	if (OidIsValid(get_element_type(candidates->attribute->atttypid)))
		add(candidates, psprintf("{%s}", text));
}

static void
learn_array(Candidates *candidates, Datum value)
{
	ArrayType  *array = DatumGetArrayTypeP(value);
	int16		length;
	bool		by_value;
	char		align;
	Datum	   *values;
	bool	   *nulls;
	int			count;

	get_typlenbyvalalign(ARR_ELEMTYPE(array), &length, &by_value, &align);
	deconstruct_array(array, ARR_ELEMTYPE(array), length, by_value, align, &values, &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		if (!nulls[i])
			learn_value(candidates, ARR_ELEMTYPE(array), values[i]);
	}
}

/*
 * learn_walker learns from the parts of an expression that read no column.
 */
static bool
learn_walker(Node *node, void *arg)
{
	Candidates *candidates = arg;
	Constant	constant;

	if (node == NULL)
		return false;
	CHECK_FOR_INTERRUPTS();
	if (IsA(node, List) || contain_var_clause(node))
		return expression_tree_walker(node, learn_walker, arg);
	constant = (Constant) {(Expr *) node, exprType(node)};
	if (!attempt(evaluate, &constant, NULL) || constant.isnull)
		return false;
	if (OidIsValid(get_element_type(constant.type)))
		learn_array(candidates, constant.value);
	if (!OidIsValid(get_element_type(constant.type)) ||
		OidIsValid(get_element_type(candidates->attribute->atttypid)))
		learn_value(candidates, constant.type, constant.value);
	return false;
}

void
candidates_learn(Candidates *candidates, Expr *condition, bool opening)
{
	candidates->opening = opening;
	(void) learn_walker((Node *) condition, candidates);
	candidates->constants = candidates->count - 1;
}

/*
 * number reads a text as a number; false: it is none, or no finite one.
 */
static bool
number(const char *text, Datum *value)
{
	if (text == NULL || text[0] == '\0' || strspn(text, "-0123456789.") != strlen(text))
		return false;
	*value = DirectFunctionCall3(numeric_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	return true;
}

static void
add_number(Candidates *candidates, Datum value)
{
	add(candidates, DatumGetCString(DirectFunctionCall1(numeric_out, value)));
}

static int
compare_numbers(const void *a, const void *b)
{
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp, *(const Datum *) a, *(const Datum *) b));
}

/*
 * beside_numbers adds the numbers beside and between the constants.
 */
static void
beside_numbers(Candidates *candidates)
{
	Datum	   *numbers = palloc(candidates->count * sizeof(Datum));
	Datum		one = NumericGetDatum(int64_to_numeric(1));
	Datum		two = NumericGetDatum(int64_to_numeric(2));
	int			count = 0;

	for (int i = 0; i <= candidates->constants; i++)
		count += number(candidates->texts[i], &numbers[count]);
	for (int i = 0; i < count; i++)
	{
		Datum		below = DirectFunctionCall1(numeric_floor, numbers[i]);
		Datum		above = DirectFunctionCall1(numeric_ceil, numbers[i]);

		add_number(candidates, below);
		add_number(candidates, above);
		add_number(candidates, DirectFunctionCall2(numeric_sub, below, one));
		add_number(candidates, DirectFunctionCall2(numeric_add, above, one));
	}
	qsort(numbers, count, sizeof(Datum), compare_numbers);
	for (int i = 0; i + 1 < count; i++)
		add_number(candidates, DirectFunctionCall2(numeric_div,
												   DirectFunctionCall2(numeric_add, numbers[i], numbers[i + 1]), two));
	if (count == 0)
		add(candidates, "0");
}

/*
 * successor returns a text that comes behind all that begin with another, in the
 * order of bytes; NULL where its last byte has no such one.
 */
static char *
successor(const char *text)
{
	int			length = strlen(text);
	char	   *next = pstrdup(text);

	if (length == 0 || next[length - 1] < ' ' || next[length - 1] >= '~')
		return NULL;
	next[length - 1]++;
	return next;
}

/*
 * beside_texts adds what is like the constants, and the value that is there, which
 * may be one of them, and not the same.
 */
static void
beside_texts(Candidates *candidates)
{
	for (int i = 0; i <= candidates->constants; i++)
	{
		const char *text = candidates->texts[i];
		int			length;

		if (text == NULL)
			continue;
		length = strlen(text);
		add(candidates, psprintf("%s0", text));
		if (successor(text) != NULL)
			add(candidates, successor(text));
		if (length > 1)
			add(candidates, pnstrdup(text, pg_mbcliplen(text, length, length - 1)));
	}
	add(candidates, "other");
	add(candidates, "x");
	add(candidates, "");
}

/*
 * beside_times adds the days and seconds beside the constants.
 */
static void
beside_times(Candidates *candidates)
{
	bool		is_date = getBaseType(candidates->attribute->atttypid) == DATEOID;
	int64		steps[] = {USECS_PER_DAY, -USECS_PER_DAY, USECS_PER_SEC, -USECS_PER_SEC};
	Oid			output;
	bool		varlena;
	int			constants = candidates->constants;

	getTypeOutputInfo(candidates->attribute->atttypid, &output, &varlena);
	for (int i = 0; i <= constants; i++)
	{
		Datum		value = candidates->values[i];

		if (candidates->texts[i] == NULL ||
			(is_date ? DATE_NOT_FINITE(DatumGetDateADT(value)) : TIMESTAMP_NOT_FINITE(DatumGetTimestamp(value))))
			continue;
		for (int step = 0; step < (is_date ? 2 : 4); step++)
			add(candidates, OidOutputFunctionCall(output, is_date ?
												  DateADTGetDatum(DatumGetDateADT(value) + (step == 0 ? 1 : -1)) :
												  TimestampGetDatum(DatumGetTimestamp(value) + steps[step])));
	}
}

/*
 * all_labels adds the values of an enum.
 */
static void
all_labels(Candidates *candidates)
{
	CatCList   *list = SearchSysCacheList1(ENUMTYPOIDNAME,
										   ObjectIdGetDatum(getBaseType(candidates->attribute->atttypid)));

	for (int i = 0; i < list->n_members; i++)
		add(candidates, NameStr(((Form_pg_enum) GETSTRUCT(&list->members[i]->tuple))->enumlabel));
	ReleaseSysCacheList(list);
}

/*
 * add_beside adds what lies beside the constants, by the kind of type.
 */
static void
add_beside(Candidates *candidates)
{
	Oid			type = getBaseType(candidates->attribute->atttypid);

	switch (TypeCategory(type))
	{
		case TYPCATEGORY_BOOLEAN:
			add(candidates, "true");
			add(candidates, "false");
			break;
		case TYPCATEGORY_NUMERIC:
			beside_numbers(candidates);
			break;
		case TYPCATEGORY_STRING:
			beside_texts(candidates);
			break;
		case TYPCATEGORY_DATETIME:
			if (type == DATEOID || type == TIMESTAMPOID || type == TIMESTAMPTZOID)
				beside_times(candidates);
			break;
		case TYPCATEGORY_ENUM:
			all_labels(candidates);
			break;
		case TYPCATEGORY_ARRAY:
			add(candidates, "{}");
			break;
		default:
			if (territory_is_type(type))
				add(candidates, "");
			break;
	}
}

/* A candidate with its distance from the column's value. */
typedef struct Near
{
	char	   *text;
	Datum		value;
	Datum		distance;
} Near;

static int
compare_distances(const void *a, const void *b)
{
	return compare_numbers(&((const Near *) a)->distance, &((const Near *) b)->distance);
}

/*
 * sort_numbers puts numbers near to the column's own first.
 */
static void
sort_numbers(Candidates *candidates)
{
	Near	   *near = palloc(candidates->count * sizeof(Near));
	Datum		now;
	Datum		other;

	if (!number(candidates->texts[0], &now))
		return;
	for (int i = 1; i < candidates->count; i++)
	{
		if (!number(candidates->texts[i], &other))
			return;
		near[i] = (Near) {candidates->texts[i], candidates->values[i],
		DirectFunctionCall1(numeric_abs, DirectFunctionCall2(numeric_sub, other, now))};
	}
	qsort(near + 1, candidates->count - 1, sizeof(Near), compare_distances);
	for (int i = 1; i < candidates->count; i++)
	{
		candidates->texts[i] = near[i].text;
		candidates->values[i] = near[i].value;
	}
}

void
candidates_finish(Candidates *candidates)
{
	add_beside(candidates);
	if (TypeCategory(getBaseType(candidates->attribute->atttypid)) == TYPCATEGORY_NUMERIC)
		sort_numbers(candidates);
	if (candidates->texts[0] != NULL && !candidates->attribute->attnotnull)
		append(candidates, NULL, (Datum) 0);
}
