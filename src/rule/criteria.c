/*
 * criteria.c
 *		The criteria of a rule: text to checked expression tree, and back.
 *
 * Criteria are read by PostgreSQL's parser as a WHERE clause over one table, so
 * every type, operator, collation and cast works. What is refused beyond that:
 * sub-queries, system columns and whole rows, and functions that are not a
 * function of the row (and, for functions about date and time, of the clock),
 * or that an ordinary user could have written: criteria run inside other
 * people's INSERTs.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_clause.h"
#include "parser/parse_coerce.h"
#include "parser/parse_collate.h"
#include "parser/parse_expr.h"
#include "parser/parse_node.h"
#include "parser/parse_relation.h"
#include "parser/parser.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "base/session.h"
#include "compat.h"
#include "rule/criteria.h"

/*
 * report_inside moves an error's position from the statement that wrote the
 * rule to the criteria themselves.
 */
static void
report_inside(void *criteria)
{
	int			position = geterrposition();

	if (position > 0)
	{
		errposition(0);
		internalerrposition(position);
		internalerrquery((const char *) criteria);
	}
}

/*
 * criteria_position is the position of a node, for errors that we raise.
 */
int
criteria_position(const char *criteria, int location)
{
	if (location < 0)
		return 0;
	internalerrquery(criteria);
	return internalerrposition(pg_mbstrlen_with_len(criteria, location) + 1);
}

/*
 * alias_position finds the word at the end of the text that the grammar took
 * for an output name (country = 'NL' AND).
 */
static int
alias_position(const char *criteria, const char *alias)
{
	int			length = strlen(alias);

	for (int at = (int) strlen(criteria) - length; at >= 0; at--)
	{
		if (pg_strncasecmp(criteria + at, alias, length) == 0)
			return criteria_position(criteria, at);
	}
	return 0;
}

/*
 * first_beyond returns the location of what follows the first expression, as
 * far as the parse tree has it, or -1.
 */
static int
first_beyond(const SelectStmt *select)
{
	if (list_length(select->targetList) > 1)
		return lsecond_node(ResTarget, select->targetList)->location;
	if (select->whereClause)
		return exprLocation(select->whereClause);
	if (select->sortClause)
		return exprLocation(linitial_node(SortBy, select->sortClause)->node);
	if (select->groupClause)
		return exprLocation(linitial(select->groupClause));
	if (select->limitCount)
		return exprLocation(select->limitCount);
	return -1;
}

/*
 * has_clauses tells whether a statement is more than a list of expressions.
 */
static bool
has_clauses(const SelectStmt *select)
{
	return select->distinctClause || select->intoClause || select->fromClause ||
		select->whereClause || select->groupClause || select->havingClause ||
		select->windowClause || select->sortClause || select->limitOffset ||
		select->limitCount || select->lockingClause || select->withClause ||
		select->op != SETOP_NONE;
}

/*
 * single_expression takes the one expression out of what the parser made of
 * the text; anything beside it is refused.
 */
static Node *
single_expression(List *parsed, const char *criteria)
{
	SelectStmt *select = castNode(SelectStmt, linitial_node(RawStmt, parsed)->stmt);
	ResTarget  *target;

	if (select->targetList == NIL && !has_clauses(select))
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("criteria are empty"),
				 errhint("Write a condition as in WHERE, for example country = 'NL'; true matches every record.")));
	if (list_length(select->targetList) != 1 || has_clauses(select))
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("criteria must be one expression"),
				 errhint("Write only the condition, as it would stand after WHERE."),
				 criteria_position(criteria, first_beyond(select))));
	target = linitial_node(ResTarget, select->targetList);
	if (target->name != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("syntax error at or near \"%s\"", target->name),
				 errdetail("Criteria must be one complete expression."),
				 alias_position(criteria, target->name)));
	return target->val;
}

/*
 * is_star tells whether a list of fields ends with *.
 */
static bool
is_star(const List *fields)
{
	return fields != NIL && IsA(llast(fields), A_Star);
}

/*
 * refuse_early walks the raw tree for what must not come to name look-up:
 * sub-queries, which would look at other tables, and *.
 */
static bool
refuse_early(Node *node, void *criteria)
{
	if (node == NULL)
		return false;
	if (IsA(node, SubLink) || IsA(node, SelectStmt))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("criteria may not contain a sub-query"),
				 errhint("Criteria see one record only. Keep what they need in a column of the table."),
				 criteria_position(criteria, exprLocation(node))));
	if ((IsA(node, ColumnRef) && is_star(((ColumnRef *) node)->fields)) ||
		(IsA(node, A_Indirection) && is_star(((A_Indirection *) node)->indirection)))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("criteria may not use the whole row"),
				 errhint("Name the columns that matter."),
				 criteria_position(criteria, exprLocation(node))));
	return raw_expression_tree_walker(node, refuse_early, criteria);
}

/*
 * criteria_check_syntax refuses a text that is not one expression by itself.
 */
void
criteria_check_syntax(const char *criteria)
{
	ErrorContextCallback callback = {error_context_stack, report_inside, (void *) criteria};

	error_context_stack = &callback;
	(void) single_expression(raw_parser(criteria, RAW_PARSE_PLPGSQL_EXPR), criteria);
	error_context_stack = callback.previous;
}

/*
 * use_old_name makes a renamed column known by its old name only.
 */
static void
use_old_name(ParseNamespaceItem *item, const char *old_name, const char *new_name)
{
	ListCell   *cell;

	foreach(cell, item->p_rte->eref->colnames)
	{
		if (strcmp(strVal(lfirst(cell)), new_name) == 0)
			lfirst(cell) = makeString(pstrdup(old_name));
	}
}

/*
 * coerce makes an expression one of a type, as assigning it to a column would.
 */
static Node *
coerce(ParseState *pstate, Node *expr, Oid type)
{
	Oid			from = exprType(expr);
	Node	   *result;

	if (type == BOOLOID)
		return coerce_to_boolean(pstate, expr, "criteria");
	result = coerce_to_target_type(pstate, expr, from, type, -1, COERCION_ASSIGNMENT, COERCE_IMPLICIT_CAST, -1);
	if (result == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the expression has type %s, not %s", format_type_be(from), format_type_be(type)),
				 parser_errposition(pstate, exprLocation(expr))));
	return result;
}

/*
 * criteria_parse_renamed reads an expression of a type that may still use a
 * column's old name; NULL names: nothing was renamed.
 */
Expr *
criteria_parse_renamed(Relation rel, const char *criteria, Oid type,
					   const char *old_name, const char *new_name)
{
	ErrorContextCallback callback = {error_context_stack, report_inside, (void *) criteria};
	ParseState *pstate = make_parsestate(NULL);
	ParseNamespaceItem *item;
	Node	   *expr;

	error_context_stack = &callback;
	expr = single_expression(raw_parser(criteria, RAW_PARSE_PLPGSQL_EXPR), criteria);
	(void) refuse_early(expr, (void *) criteria);

	pstate->p_sourcetext = criteria;
	item = addRangeTableEntryForRelation(pstate, rel, AccessShareLock, NULL, false, true);
	if (old_name)
		use_old_name(item, old_name, new_name);
	addNSItemToQuery(pstate, item, true, true, true);
	expr = transformExpr(pstate, expr, EXPR_KIND_WHERE);
	expr = coerce(pstate, expr, type);
	assign_expr_collations(pstate, expr);
	free_parsestate(pstate);
	error_context_stack = callback.previous;
	return (Expr *) expr;
}

/*
 * criteria_parse_value reads an expression of a type over the table.
 */
Expr *
criteria_parse_value(Relation rel, const char *text, Oid type)
{
	return criteria_parse_renamed(rel, text, type, NULL, NULL);
}

/*
 * criteria_parse reads criteria as a WHERE clause over the table.
 */
Expr *
criteria_parse(Relation rel, const char *criteria)
{
	return criteria_parse_value(rel, criteria, BOOLOID);
}

/*
 * is_clock_type tells whether a type is about date and time.
 */
static bool
is_clock_type(Oid type)
{
	switch (getBaseType(type))
	{
		case DATEOID:
		case TIMEOID:
		case TIMETZOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
		case INTERVALOID:
			return true;
		default:
			return false;
	}
}

/*
 * is_clock_function tells whether a STABLE function of pg_catalog is one about
 * date and time: its result or an argument is. Not those that look into the
 * server (pg_...), nor those of any number or type of arguments.
 */
static bool
is_clock_function(Form_pg_proc function)
{
	if (function->pronamespace != PG_CATALOG_NAMESPACE ||
		strncmp(NameStr(function->proname), "pg_", 3) == 0 ||
		OidIsValid(function->provariadic))
		return false;
	if (is_clock_type(function->prorettype))
		return true;
	for (int i = 0; i < function->pronargs; i++)
	{
		if (is_clock_type(function->proargtypes.values[i]))
			return true;
	}
	return false;
}

/*
 * is_trusted_function tells whether a function belongs to PostgreSQL, to an
 * extension, or to a superuser.
 */
static bool
is_trusted_function(Oid oid, Form_pg_proc function)
{
	return function->pronamespace == PG_CATALOG_NAMESPACE ||
		superuser_arg(function->proowner) ||
		OidIsValid(getExtensionOfObject(ProcedureRelationId, oid));
}

/* What a walk over the tree knows. */
typedef struct CriteriaCheck
{
	Relation	rel;
	const char *criteria;
	int			location;		/* of the node whose functions are looked at */
} CriteriaCheck;

/*
 * check_function refuses a function that does not belong into criteria.
 */
static bool
check_function(Oid oid, void *context)
{
	CriteriaCheck *check = context;
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(oid));
	Form_pg_proc function;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", oid);
	function = (Form_pg_proc) GETSTRUCT(tuple);
	if (!is_trusted_function(oid, function))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("criteria may not use function %s, which belongs to an ordinary user",
						format_procedure(oid)),
				 errdetail("Criteria run in every writer's statements, so their functions must belong to PostgreSQL, to an extension or to a superuser."),
				 errhint("Ask a superuser to own the function, or write the condition with built-in ones."),
				 criteria_position(check->criteria, check->location)));
	if (function->provolatile == PROVOLATILE_VOLATILE ||
		(function->provolatile == PROVOLATILE_STABLE && !is_clock_function(function)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
				 errmsg("criteria may not use function %s, which is %s",
						format_procedure(oid),
						function->provolatile == PROVOLATILE_VOLATILE ? "volatile" : "not immutable"),
				 errdetail("The same record must have the same territories whoever writes it and whenever it is looked at."),
				 errhint("Use an immutable function; of the others only those about date and time, such as now(), are taken."),
				 criteria_position(check->criteria, check->location)));
	ReleaseSysCache(tuple);
	if (!territory_may_execute(oid, GetUserId()))
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_FUNCTION, get_func_name(oid));
	return false;
}

/*
 * check_column refuses columns that are not the record's own data.
 */
static void
check_column(Var *var, Relation rel, const char *criteria)
{
	if (var->varattno == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("criteria may not use the whole row"),
				 errhint("Name the columns that matter."),
				 criteria_position(criteria, var->location)));
	if (var->varattno < 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("criteria may not use a system column"),
				 criteria_position(criteria, var->location)));
	if (territory_is_virtual(TupleDescAttr(RelationGetDescr(rel), var->varattno - 1)))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("criteria may not use a virtual generated column"),
				 errhint("Declare the column STORED, or write its expression."),
				 criteria_position(criteria, var->location)));
}

/*
 * check_value_function refuses current_user and its like.
 */
static void
check_value_function(SQLValueFunction *function, const char *criteria)
{
	if (!is_clock_type(function->type))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
				 errmsg("criteria may not depend on the session"),
				 errdetail("The same record must have the same territories whoever writes it."),
				 criteria_position(criteria, function->location)));
}

/*
 * check_domain refuses a cast to a domain whose checks an ordinary user wrote.
 */
static void
check_domain(CoerceToDomain *cast, const char *criteria)
{
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(cast->resulttype));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for type %u", cast->resulttype);
	owner = ((Form_pg_type) GETSTRUCT(tuple))->typowner;
	ReleaseSysCache(tuple);
	if (DomainHasConstraints(cast->resulttype) && !superuser_arg(owner) &&
		!OidIsValid(getExtensionOfObject(TypeRelationId, cast->resulttype)))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("criteria may not cast to domain %s, which belongs to an ordinary user",
						format_type_be(cast->resulttype)),
				 errhint("Cast to the domain's base type."),
				 criteria_position(criteria, cast->location)));
}

/*
 * check_node checks one node of the tree and goes on below it.
 */
static bool
check_node(Node *node, void *context)
{
	CriteriaCheck *check = context;

	if (node == NULL)
		return false;
	CHECK_FOR_INTERRUPTS();
	check->location = exprLocation(node);
	(void) check_functions_in_node(node, check_function, check);
	if (IsA(node, Var))
		check_column((Var *) node, check->rel, check->criteria);
	else if (IsA(node, SQLValueFunction))
		check_value_function((SQLValueFunction *) node, check->criteria);
	else if (IsA(node, CoerceToDomain))
		check_domain((CoerceToDomain *) node, check->criteria);
	else if (IsA(node, NextValueExpr) || IsA(node, Param))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("criteria may not contain parameters or sequences")));
	return expression_tree_walker(node, check_node, context);
}

/*
 * criteria_check refuses sub-trees that do not belong into criteria, with the
 * position. 42P17 for functions that are not immutable, 42501 for those of
 * ordinary users, 0A000 for the rest.
 */
void
criteria_check(Relation rel, Expr *expr, const char *criteria)
{
	CriteriaCheck check = {rel, criteria, -1};

	(void) check_node((Node *) expr, &check);
}

/*
 * criteria_check_access raises 42501 unless the current user may read the
 * columns that an expression reads.
 */
void
criteria_check_access(Relation rel, Expr *expr)
{
	Oid			relid = RelationGetRelid(rel);
	Bitmapset  *columns = NULL;
	int			member = -1;

	if (pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK)
		return;
	pull_varattnos((Node *) expr, 1, &columns);
	while ((member = bms_next_member(columns, member)) >= 0)
	{
		AttrNumber	attno = member + FirstLowInvalidHeapAttributeNumber;

		if (pg_attribute_aclcheck(relid, attno, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("permission denied for column \"%s\" of table %s",
							get_attname(relid, attno, false), RelationGetRelationName(rel)),
					 errdetail("Criteria tell about the values of the columns that they read, so their author must be allowed to.")));
	}
}

/*
 * criteria_deparse returns the text of an expression over the table with
 * qualified names, palloc'd.
 */
char *
criteria_deparse(Relation rel, Expr *expr)
{
	List	   *context = deparse_context_for(RelationGetRelationName(rel), RelationGetRelid(rel));
	int			pin = session_pin(NULL, PIN_PATH | PIN_FORMAT);
	char	   *text = deparse_expression((Node *) expr, context, false, false);

	session_unpin(pin);
	return text;
}

static bool
add_operator(Oid oid, void *list)
{
	List	  **oids = list;

	*oids = lappend_oid(*oids, oid);
	return false;
}

/*
 * operators_walker lists the functions behind all that an expression calls.
 */
static bool
operators_walker(Node *node, void *list)
{
	if (node == NULL)
		return false;
	(void) check_functions_in_node(node, add_operator, list);
	return expression_tree_walker(node, operators_walker, list);
}

/*
 * report_unreadable says why a text cannot be read back.
 */
static void
report_unreadable(void *text)
{
	errhint("IS DISTINCT FROM, NULLIF, CASE ... WHEN and comparisons of rows find their operators by name; where these are not PostgreSQL's own, write the condition with =, AND, OR and IS NULL.");
	errcontext("criteria as they are kept: %s", (const char *) text);
}

/*
 * criteria_check_text refuses a text that would not be read back as the
 * expression that it was made of: some constructs name no operator.
 */
void
criteria_check_text(Relation rel, Expr *expr, const char *text, Oid type)
{
	ErrorContextCallback callback = {error_context_stack, report_unreadable, (void *) text};
	int			pin = session_pin(NULL, PIN_PATH);
	List	   *meant = NIL;
	List	   *read = NIL;

	error_context_stack = &callback;
	(void) operators_walker((Node *) expr, &meant);
	(void) operators_walker((Node *) criteria_parse_value(rel, text, type), &read);
	if (!equal(meant, read))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("criteria cannot be kept: an operator has no name in them")));
	error_context_stack = callback.previous;
	session_unpin(pin);
}

/*
 * criteria_resolve checks an expression and returns it with every name qualified.
 */
char *
criteria_resolve(Relation rel, const char *text, Oid type)
{
	Expr	   *expr = criteria_parse_value(rel, text, type);
	char	   *resolved;

	criteria_check(rel, expr, text);
	criteria_check_access(rel, expr);
	resolved = criteria_deparse(rel, expr);
	criteria_check_text(rel, expr, resolved, type);
	return resolved;
}

/*
 * criteria_show returns the text of an expression for a person to read,
 * palloc'd.
 */
char *
criteria_show(Relation rel, Expr *expr)
{
	Datum		tree = CStringGetTextDatum(nodeToString(expr));

	return TextDatumGetCString(DirectFunctionCall3(pg_get_expr_ext, tree,
												   ObjectIdGetDatum(RelationGetRelid(rel)),
												   BoolGetDatum(true)));
}

/*
 * add_settings adds what one function may feel. A function outside pg_catalog may
 * have a body that resolves names.
 */
static bool
add_settings(Oid oid, void *context)
{
	int		   *settings = context;

	if (func_volatile(oid) != PROVOLATILE_IMMUTABLE)
		*settings |= PIN_TIME;
	if (get_func_namespace(oid) != PG_CATALOG_NAMESPACE)
		*settings |= PIN_TIME | PIN_PATH;
	return false;
}

static bool
settings_walker(Node *node, void *settings)
{
	if (node == NULL)
		return false;
	(void) check_functions_in_node(node, add_settings, settings);
	if (IsA(node, SQLValueFunction))
		*(int *) settings |= PIN_TIME;
	return expression_tree_walker(node, settings_walker, settings);
}

/*
 * criteria_settings tells which settings must be pinned while the expression
 * is evaluated: none where only immutable built-in functions are in it.
 */
int
criteria_settings(Expr *expr)
{
	int			settings = 0;

	(void) settings_walker((Node *) expr, &settings);
	return settings;
}

static bool
is_unsafe_function(Oid oid, void *context)
{
	return func_parallel(oid) != PROPARALLEL_SAFE;
}

/*
 * unsafe_walker tells whether something in the tree keeps it out of a parallel
 * worker. Who wrote the checks of a domain has not said whether they may run there.
 */
static bool
unsafe_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, CoerceToDomain) || check_functions_in_node(node, is_unsafe_function, context))
		return true;
	return expression_tree_walker(node, unsafe_walker, context);
}

/*
 * criteria_are_parallel_safe tells whether criteria may be evaluated in parallel
 * workers, by the planner's rule.
 */
bool
criteria_are_parallel_safe(Expr *expr)
{
	return !unsafe_walker((Node *) expr, NULL);
}
