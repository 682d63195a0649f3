/*
 * shape.c
 *		Reads many criteria that differ by their literals only.
 *
 * Rules come in few shapes: country = '..' AND employees > .., a thousand times.
 * The parser, the checks and the planner's simplification need some ten
 * microseconds a rule; of a shape that was met before, only what depends on the
 * literals is done again: their types' input functions are called and the
 * constants made of them are put into the simplified expression.
 *
 * Why the result is the same. The parser looks at the kind of a literal, never
 * at its value, but to fold a minus sign into it and where the grammar asks for a
 * literal (the 10 of numeric(10)); then there is no constant at its place in the
 * parser's result, and the literal counts as part of the shape. criteria_check
 * looks at functions, columns and casts. The simplification looks at constants
 * if all arguments of a node are constant, if one is NULL, which no literal is,
 * if they are of type boolean, in planner support functions, in SQL functions
 * that it inlines, and in a few kinds of nodes, CASE and COALESCE among them.
 * So: what is constant as a whole is evaluated for each rule, by the executor as
 * the planner does (it was not skipped, if its result is in the simplified
 * expression), and literals that could play a part in the rest are again part of
 * the shape. A shape is made of the second rule that has it, so that it pays,
 * and only if it gives that rule's expression.
 */
#include "postgres.h"

#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/params.h"
#include "optimizer/optimizer.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "rule/criteria.h"
#include "rule/literal.h"
#include "rule/shape.h"

/* What becomes of a literal of a shape. */
typedef struct Source
{
	char	   *fixed;			/* the only value that the shape is for; NULL: any */
	Const	   *constant;		/* while the shape is made: what the parser made of it */
	FmgrInfo	input;
	Oid			ioparam;
} Source;

/* A constant of the simplified expression that differs by rule. */
typedef struct Slot
{
	Const	   *target;
	int			literal;		/* whose value it has, where there is no state */
	ExprState  *state;			/* computes it of several literals, or by functions */
} Slot;

typedef struct Shape
{
	Expr	   *expr;			/* simplified */
	int			slot_count;
	Slot	   *slots;
	Source	   *sources;		/* of the literals, in order */
	ParamListInfo values;		/* of those that are not fixed */
	ExprContext *econtext;
} Shape;

typedef struct ShapeEntry
{
	const char *text;
	uint32		hash;
	bool		refused;		/* no shape can be made */
	Shape	   *shape;			/* NULL: met once */
	char		status;
} ShapeEntry;

#define SH_PREFIX		shapes
#define SH_ELEMENT_TYPE	ShapeEntry
#define SH_KEY_TYPE		const char *
#define SH_KEY			text
#define SH_HASH_KEY(tb, key) hash_bytes((const unsigned char *) (key), strlen(key))
#define SH_EQUAL(tb, a, b) (strcmp(a, b) == 0)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, entry) (entry)->hash
#define SH_SCOPE		static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

struct ShapeCache
{
	MemoryContext context;
	Relation	rel;
	LiteralList literals;		/* of the criteria that are read */
	shapes_hash *entries;
	int			read;
	int			alike;
};

/* setting territory.check_shapes: read in full as well, and compare */
static bool check_shapes = false;

/*
 * shape_init defines the setting.
 */
void
shape_init(void)
{
	DefineCustomBoolVariable("territory.check_shapes",
							 "Compares what is read by the shape of criteria with what the parser makes of them.",
							 "For tests of territory itself: a difference is an error.",
							 &check_shapes, false, PGC_USERSET,
							 GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE, NULL, NULL, NULL);
}

/* What is known while a shape is made. */
typedef struct Maker
{
	const LiteralList *literals;
	Shape	   *shape;
	List	   *parts;			/* of slots: the constant parts of the parser's expression */
	bool		twice;			/* a part came twice out of the simplification */
} Maker;

/*
 * literal_of returns the number of the literal that a constant was made of, or
 * -1.
 */
static int
literal_of(const Const *constant, const LiteralList *literals)
{
	int			low = 0;
	int			high = literals->count;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (literals->items[middle].location < constant->location)
			low = middle + 1;
		else
			high = middle;
	}
	return low < literals->count && literals->items[low].location == constant->location ? low : -1;
}

static void
fix_literal(Maker *maker, int number)
{
	maker->shape->sources[number].fixed = literal_value(maker->literals, number);
}

/*
 * find_sources finds the constant that each literal became, to be run over the
 * parser's expression. A literal that became several is fixed.
 */
static bool
find_sources(Node *node, void *context)
{
	Maker	   *maker = context;
	int			number;

	if (node == NULL)
		return false;
	if (!IsA(node, Const))
		return expression_tree_walker(node, find_sources, context);
	number = literal_of((Const *) node, maker->literals);
	if (number < 0)
		return false;
	if (maker->shape->sources[number].constant != NULL)
		fix_literal(maker, number);
	maker->shape->sources[number].constant = (Const *) node;
	return false;
}

/*
 * fix_literals makes all literals below a node part of the shape.
 */
static bool
fix_literals(Node *node, void *context)
{
	int			number;

	if (node == NULL)
		return false;
	if (!IsA(node, Const))
		return expression_tree_walker(node, fix_literals, context);
	number = literal_of((Const *) node, ((Maker *) context)->literals);
	if (number >= 0)
		fix_literal(context, number);
	return false;
}

/*
 * is_free tells whether a constant was made of a literal that may differ.
 */
static bool
is_free(const Const *constant, const Maker *maker)
{
	int			number = literal_of(constant, maker->literals);

	return number >= 0 && maker->shape->sources[number].fixed == NULL;
}

static bool
has_free(Node *node, void *maker)
{
	if (node == NULL)
		return false;
	if (IsA(node, Const))
		return is_free((Const *) node, maker);
	return expression_tree_walker(node, has_free, maker);
}

/*
 * is_looking tells whether the simplification lets a function look at constant
 * arguments: it inlines SQL functions, and asks support functions. Those for
 * patterns only answer questions about indexes and estimates.
 */
static bool
is_looking(Oid oid, void *context)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(oid));
	Form_pg_proc function;
	bool		looking;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", oid);
	function = (Form_pg_proc) GETSTRUCT(tuple);
	looking = function->prolang != INTERNALlanguageId && function->prolang != ClanguageId;
	switch (function->prosupport)
	{
		case InvalidOid:
		case F_TEXTLIKE_SUPPORT:
		case F_TEXTICLIKE_SUPPORT:
		case F_TEXTREGEXEQ_SUPPORT:
		case F_TEXTICREGEXEQ_SUPPORT:
		case F_TEXT_STARTS_WITH_SUPPORT:
			break;
		default:
			looking = true;
	}
	ReleaseSysCache(tuple);
	return looking;
}

/*
 * is_plain tells whether the simplification of a node does nothing but evaluate
 * it when all its arguments are constant, and fold what is NULL or boolean.
 */
static bool
is_plain(Node *node)
{
	switch (nodeTag(node))
	{
		case T_Const:
		case T_Var:
		case T_BoolExpr:
		case T_OpExpr:
		case T_DistinctExpr:
		case T_FuncExpr:
		case T_ScalarArrayOpExpr:
		case T_RelabelType:
		case T_CoerceViaIO:
		case T_CollateExpr:
		case T_ArrayExpr:
		case T_SubscriptingRef:
		case T_NullTest:
		case T_BooleanTest:
		case T_SQLValueFunction:
			return !check_functions_in_node(node, is_looking, NULL);
		default:
			return false;
	}
}

static bool
has_unplain(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (!IsA(node, List) && !is_plain(node))
		return true;
	return expression_tree_walker(node, has_unplain, context);
}

static Param *
make_param(int number, Node *of)
{
	Param	   *param = makeNode(Param);

	param->paramkind = PARAM_EXTERN;
	param->paramid = number + 1;
	param->paramtype = exprType(of);
	param->paramtypmod = exprTypmod(of);
	param->paramcollid = exprCollation(of);
	param->location = -1;
	return param;
}

/*
 * take_parts copies the parser's expression, with a parameter in the place of
 * every constant part that differs by rule.
 */
static Node *
take_parts(Node *node, void *context)
{
	Maker	   *maker = context;

	if (node == NULL)
		return NULL;
	if (!IsA(node, List))
	{
		bool		constant = !contain_var_clause(node) && !contain_mutable_functions(node);

		if (!is_plain(node) ||
			(constant && (getBaseType(exprType(node)) == BOOLOID || has_unplain(node, NULL))))
		{
			(void) fix_literals(node, maker);
			return copyObject(node);
		}
		if (constant)
		{
			if (!has_free(node, maker))
				return copyObject(node);
			maker->parts = lappend(maker->parts, node);
			return (Node *) make_param(list_length(maker->parts) - 1, node);
		}
	}
	return expression_tree_mutator(node, take_parts, context);
}

/*
 * make_constant makes the constant that a part becomes.
 */
static Const *
make_constant(Node *part)
{
	int16		typlen;
	bool		byval;
	Const	   *constant;

	if (IsA(part, Const))
		return copyObject((Const *) part);
	get_typlenbyval(exprType(part), &typlen, &byval);
	constant = makeConst(exprType(part), exprTypmod(part), exprCollation(part), typlen,
						 (Datum) 0, true, byval);
	constant->constisnull = false;	/* from the first value on */
	return constant;
}

/*
 * put_slots copies the simplified expression, with a constant to be filled in in
 * the place of each parameter.
 */
static Node *
put_slots(Node *node, void *context)
{
	Maker	   *maker = context;
	int			number;

	if (node == NULL)
		return NULL;
	if (!IsA(node, Param))
		return expression_tree_mutator(node, put_slots, context);
	number = ((Param *) node)->paramid - 1;
	if (maker->shape->slots[number].target != NULL)
		maker->twice = true;
	maker->shape->slots[number].target = make_constant(list_nth(maker->parts, number));
	return (Node *) maker->shape->slots[number].target;
}

/*
 * put_literals copies a part, with a parameter in the place of every literal
 * that may differ.
 */
static Node *
put_literals(Node *node, void *context)
{
	Maker	   *maker = context;

	if (node == NULL)
		return NULL;
	if (IsA(node, Const) && is_free((Const *) node, maker))
		return (Node *) make_param(literal_of((Const *) node, maker->literals), node);
	return expression_tree_mutator(node, put_literals, context);
}

/*
 * init_sources readies the input functions of the literals.
 */
static void
init_sources(Maker *maker)
{
	Shape	   *shape = maker->shape;

	for (int i = 0; i < maker->literals->count; i++)
	{
		Source	   *source = &shape->sources[i];
		Oid			function;

		if (source->constant == NULL)
			fix_literal(maker, i);
		if (source->fixed)
		{
			source->fixed = pstrdup(source->fixed);
			continue;
		}
		source->constant = copyObject(source->constant);
		getTypeInputInfo(source->constant->consttype, &function, &source->ioparam);
		fmgr_info(function, &source->input);
		shape->values->params[i] = (ParamExternData){.ptype = source->constant->consttype};
	}
}

/*
 * init_slots readies the slots; false where a part is not in the expression once.
 */
static bool
init_slots(Maker *maker)
{
	Shape	   *shape = maker->shape;

	for (int i = 0; i < shape->slot_count; i++)
	{
		Slot	   *slot = &shape->slots[i];
		Node	   *part = list_nth(maker->parts, i);

		if (slot->target == NULL || maker->twice)
			return false;
		if (IsA(part, Const))
		{
			slot->literal = literal_of((Const *) part, maker->literals);
			continue;
		}
		part = put_literals(copyObject(part), maker);	/* a mutator copies no values */
		/* the executor knows no COLLATE and no default arguments */
		slot->state = ExecInitExprWithParams(expression_planner((Expr *) part), shape->values);
	}
	return true;
}

/*
 * make_shape makes a shape of one of its rules, in the cache's context: of what
 * the parser made of it. NULL where none can be made.
 */
static Shape *
make_shape(ShapeCache *cache, Expr *parsed)
{
	MemoryContext old = MemoryContextSwitchTo(cache->context);
	Shape	   *shape = palloc0(sizeof(Shape));
	Maker		maker = {.literals = &cache->literals,.shape = shape};
	Expr	   *simplified;

	shape->sources = palloc0(Max(cache->literals.count, 1) * sizeof(Source));
	shape->values = makeParamList(cache->literals.count);
	shape->econtext = CreateStandaloneExprContext();
	shape->econtext->ecxt_param_list_info = shape->values;

	MemoryContextSwitchTo(old);
	(void) find_sources((Node *) parsed, &maker);
	simplified = expression_planner((Expr *) take_parts((Node *) parsed, &maker));
	MemoryContextSwitchTo(cache->context);
	shape->slot_count = list_length(maker.parts);
	shape->slots = palloc0(Max(shape->slot_count, 1) * sizeof(Slot));
	shape->expr = (Expr *) put_slots(copyObject((Node *) simplified), &maker);
	init_sources(&maker);
	if (!init_slots(&maker))
		shape = NULL;
	MemoryContextSwitchTo(old);
	return shape;
}

/* Whose input function is called. */
typedef struct Reading
{
	const char *criteria;
	int			location;
} Reading;

/*
 * report_literal gives an error of an input function its position, as the parser
 * does.
 */
static void
report_literal(void *arg)
{
	Reading    *reading = arg;

	if (geterrcode() != ERRCODE_QUERY_CANCELED)
		(void) criteria_position(reading->criteria, reading->location);
}

/*
 * flatten is what the parser and the planner do to the value of a constant.
 */
static Datum
flatten(Datum value, const Const *constant)
{
	return constant->constlen == -1 ? PointerGetDatum(PG_DETOAST_DATUM(value)) : value;
}

/*
 * read_literals calls the input functions.
 */
static void
read_literals(Shape *shape, const LiteralList *literals, const char *criteria)
{
	Reading		reading = {criteria, -1};
	ErrorContextCallback callback = {error_context_stack, report_literal, &reading};

	error_context_stack = &callback;
	for (int i = 0; i < literals->count; i++)
	{
		Source	   *source = &shape->sources[i];
		Datum		value;

		if (source->fixed)
			continue;
		reading.location = literals->items[i].location;
		value = InputFunctionCall(&source->input, literal_value(literals, i), source->ioparam,
								  source->constant->consttypmod);
		shape->values->params[i].value = flatten(value, source->constant);
	}
	error_context_stack = callback.previous;
}

/*
 * fill_shape puts the literals of criteria into the expression of their shape,
 * and returns it; NULL where a literal is not the one that the shape is for, or
 * a constant becomes NULL, which the simplification would have looked at.
 */
static Expr *
fill_shape(Shape *shape, const LiteralList *literals, const char *criteria)
{
	for (int i = 0; i < literals->count; i++)
	{
		if (shape->sources[i].fixed && strcmp(shape->sources[i].fixed, literal_value(literals, i)) != 0)
			return NULL;
	}
	read_literals(shape, literals, criteria);
	for (int i = 0; i < shape->slot_count; i++)
	{
		Slot	   *slot = &shape->slots[i];
		Datum		value = shape->values->params[slot->literal].value;
		bool		isnull = false;

		if (slot->state)
			value = ExecEvalExpr(slot->state, shape->econtext, &isnull);
		if (isnull)
			return NULL;
		slot->target->constvalue = slot->state ? flatten(value, slot->target) : value;
	}
	return shape->expr;
}

/*
 * read_in_full reads, checks and simplifies criteria.
 */
static Expr *
read_in_full(Relation rel, const char *criteria, Expr **parsed)
{
	*parsed = criteria_parse(rel, criteria);
	criteria_check(rel, *parsed, criteria);
	return expression_planner(copyObject(*parsed));
}

/*
 * compare does what territory.check_shapes says.
 */
static void
compare(ShapeCache *cache, Expr *expr, const char *criteria)
{
	Expr	   *parsed;

	if (!equal(expr, read_in_full(cache->rel, criteria, &parsed)))
		elog(ERROR, "criteria are read in another way by their shape: %s", criteria);
}

/*
 * shape_cache_create makes an empty cache for criteria over a table.
 */
ShapeCache *
shape_cache_create(Relation rel)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "territory shapes",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	ShapeCache *cache = palloc0(sizeof(ShapeCache));

	cache->context = context;
	cache->rel = rel;
	literal_init(&cache->literals);
	cache->entries = shapes_create(context, 64, NULL);
	MemoryContextSwitchTo(old);
	return cache;
}

/*
 * shape_cache_delete frees a cache.
 */
void
shape_cache_delete(ShapeCache *cache)
{
	elog(DEBUG1, "%d of %d criteria read by their shape", cache->alike, cache->read);
	MemoryContextDelete(cache->context);
}

/*
 * find_entry returns the entry of the shape of criteria, a new one if need be,
 * which is said; NULL where it cannot be told.
 */
static ShapeEntry *
find_entry(ShapeCache *cache, const char *criteria, bool *found)
{
	ShapeEntry *entry;

	if (!literal_split(&cache->literals, criteria))
		return NULL;
	entry = shapes_insert(cache->entries, cache->literals.shape.data, found);
	if (!*found)
	{
		entry->text = MemoryContextStrdup(cache->context, entry->text);
		entry->shape = NULL;
		entry->refused = false;
	}
	return entry;
}

/*
 * shape_read reads criteria.
 */
Expr *
shape_read(ShapeCache *cache, const char *criteria, Expr **parsed)
{
	bool		found = false;
	ShapeEntry *entry = find_entry(cache, criteria, &found);
	Expr	   *expr = NULL;

	cache->read++;
	if (entry && entry->shape)
		expr = fill_shape(entry->shape, &cache->literals, criteria);
	*parsed = NULL;
	if (expr)
	{
		cache->alike++;
		if (check_shapes)
			compare(cache, expr, criteria);
		return expr;
	}
	expr = read_in_full(cache->rel, criteria, parsed);
	if (found && entry->shape == NULL && !entry->refused)
	{
		Shape	   *shape = make_shape(cache, *parsed);
		Expr	   *again = shape ? fill_shape(shape, &cache->literals, criteria) : NULL;

		entry->refused = again == NULL || !equal(again, expr);
		entry->shape = entry->refused ? NULL : shape;
	}
	return expr;
}
