/*
 * criterion.c
 *		A rule's criteria, taken apart and evaluated for a record.
 *
 * Each condition is evaluated by itself, also where WHERE would stop before it, so
 * that all that fails is seen at once. An error that it then raises is shown with
 * it; its truth counts as unknown.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "executor/executor.h"
#include "nodes/nodeFuncs.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"

#include "base/attempt.h"
#include "explain/criterion.h"
#include "rule/criteria.h"
#include "rule/show.h"

static Truth take_apart(const Inquiry *inquiry, Expr *expr, const char *place, int level, List **criteria);

bool
criterion_is_condition(const Expr *expr)
{
	if (!IsA(expr, BoolExpr))
		return true;
	return ((BoolExpr *) expr)->boolop == NOT_EXPR &&
		!IsA(linitial(((BoolExpr *) expr)->args), BoolExpr);
}

Truth
truth_not(Truth truth)
{
	return truth == TRUTH_UNKNOWN ? TRUTH_UNKNOWN : truth == TRUTH_TRUE ? TRUTH_FALSE : TRUTH_TRUE;
}

Truth
truth_join(Truth a, Truth b, bool all)
{
	Truth		decides = all ? TRUTH_FALSE : TRUTH_TRUE;

	if (a == decides || b == decides)
		return decides;
	return a == TRUTH_UNKNOWN ? a : b;
}

/*
 * describe_values lists the columns that a condition reads with their values;
 * NULL where it reads none.
 */
static char *
describe_values(const Inquiry *inquiry, Expr *condition)
{
	Bitmapset  *columns = NULL;
	int			member = -1;
	StringInfoData text;

	initStringInfo(&text);
	pull_varattnos((Node *) condition, 1, &columns);
	while ((member = bms_next_member(columns, member)) >= 0)
	{
		AttrNumber	attno = member + FirstLowInvalidHeapAttributeNumber;
		char	   *value = inquiry_value(inquiry, attno);

		appendStringInfo(&text, "%s%s = %s", text.len == 0 ? "" : ", ",
						 NameStr(TupleDescAttr(inquiry->rules->desc, attno - 1)->attname),
						 value ? value : "NULL");
	}
	return text.len == 0 ? NULL : text.data;
}

/* What evaluate_work works on. */
typedef struct Evaluation
{
	ExprState  *state;
	ExprContext *econtext;
	Truth		truth;
} Evaluation;

static void
evaluate_work(void *arg)
{
	Evaluation *evaluation = arg;
	bool		isnull;
	Datum		value = ExecEvalExprSwitchContext(evaluation->state, evaluation->econtext, &isnull);

	evaluation->truth = isnull ? TRUTH_UNKNOWN : DatumGetBool(value) ? TRUTH_TRUE : TRUTH_FALSE;
}

/*
 * criterion_evaluate evaluates a condition on a row.
 */
Truth
criterion_evaluate(ExprState *state, ExprContext *econtext, TupleTableSlot *slot, char **error)
{
	Evaluation	evaluation = {state, econtext, TRUTH_UNKNOWN};

	ResetExprContext(econtext);
	econtext->ecxt_scantuple = slot;
	*error = NULL;
	if (!attempt(evaluate_work, &evaluation, error))
		return TRUTH_UNKNOWN;
	return evaluation.truth;
}

/*
 * add_criterion appends a criterion, which is to be completed.
 */
static Criterion *
add_criterion(List **criteria, CriterionKind kind, const char *place, int level, char *text)
{
	Criterion  *criterion = palloc0(sizeof(Criterion));

	criterion->kind = kind;
	criterion->place = pstrdup(place);
	criterion->level = level;
	criterion->text = text;
	*criteria = lappend(*criteria, criterion);
	return criterion;
}

/*
 * take_condition adds a condition.
 */
static Truth
take_condition(const Inquiry *inquiry, Expr *expr, const char *place, int level, List **criteria)
{
	Criterion  *criterion = add_criterion(criteria, CRITERION_CONDITION, place, level, show_condition(inquiry->rel, expr));
	ExprContext *econtext = CreateStandaloneExprContext();
	ExprState  *state = ExecInitExpr(expression_planner(copyObject(expr)), NULL);

	criterion->value = describe_values(inquiry, expr);
	criterion->truth = criterion_evaluate(state, econtext, inquiry->slot, &criterion->error);
	FreeExprContext(econtext, true);
	return criterion->truth;
}

/*
 * take_parts adds the parts of AND, OR or NOT; returns what they come to.
 */
static Truth
take_parts(const Inquiry *inquiry, const BoolExpr *expr, const char *place, int level, List **criteria)
{
	bool		all = expr->boolop != OR_EXPR;
	Truth		truth = all ? TRUTH_TRUE : TRUTH_FALSE;
	ListCell   *cell;

	foreach(cell, expr->args)
	{
		char	   *part = psprintf("%s%s%d", place, place[0] ? "." : "", foreach_current_index(cell) + 1);

		truth = truth_join(truth, take_apart(inquiry, lfirst(cell), part, level, criteria), all);
	}
	return expr->boolop == NOT_EXPR ? truth_not(truth) : truth;
}

/*
 * take_apart adds an expression with all of its parts; returns its truth.
 */
static Truth
take_apart(const Inquiry *inquiry, Expr *expr, const char *place, int level, List **criteria)
{
	static const char *const words[] = {[AND_EXPR] = "AND", [OR_EXPR] = "OR", [NOT_EXPR] = "NOT"};
	static const CriterionKind kinds[] = {[AND_EXPR] = CRITERION_AND, [OR_EXPR] = CRITERION_OR, [NOT_EXPR] = CRITERION_NOT};
	BoolExpr   *joined = (BoolExpr *) expr;
	Criterion  *criterion;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (criterion_is_condition(expr))
		return take_condition(inquiry, expr, place, level, criteria);
	criterion = add_criterion(criteria, kinds[joined->boolop], place, level, pstrdup(words[joined->boolop]));
	criterion->truth = take_parts(inquiry, joined, place, level + 1, criteria);
	return criterion->truth;
}

/*
 * criterion_list takes a rule's criteria apart.
 */
List *
criterion_list(const Inquiry *inquiry, int rule, Truth *truth)
{
	Expr	   *whole = inquiry_criteria(inquiry, rule);
	List	   *criteria = NIL;

	if (IsA(whole, BoolExpr) && ((BoolExpr *) whole)->boolop == AND_EXPR)
		*truth = take_parts(inquiry, (BoolExpr *) whole, "", 1, &criteria);
	else
		*truth = take_apart(inquiry, whole, "1", 1, &criteria);
	return criteria;
}
