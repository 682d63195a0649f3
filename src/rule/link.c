/*
 * link.c
 *		What of a record's row says where it belongs: the key of the record above
 *		it and, of a deal, its owner and whether it is closed.
 *
 * These are columns that matter like those that rules read, so an update of one
 * of them makes the record be evaluated. Owner and category are expressions,
 * checked as criteria are, and evaluated with the rules.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "base/catalog.h"
#include "rule/criteria.h"
#include "rule/link.h"

/* The compiled parts. */
struct LinkRules
{
	Oid			key_type;		/* of the records above */
	char	   *owner_text;
	char	   *category_text;
	ExprState  *owner;			/* NULL: not given */
	ExprState  *category;
};

/*
 * is_integer tells whether a type is one of the integers.
 */
static bool
is_integer(Oid type)
{
	return type == INT2OID || type == INT4OID || type == INT8OID;
}

/*
 * is_text tells whether values of a type are texts without any more ado.
 */
static bool
is_text(Oid type)
{
	return type == TEXTOID || type == VARCHAROID;
}

/*
 * link_types_fit tells whether values of two types, base types, can be compared.
 */
bool
link_types_fit(Oid link, Oid key)
{
	return link == key || (is_integer(link) && is_integer(key)) || (is_text(link) && is_text(key));
}

/*
 * compile_value readies an expression of type text, and notes the columns that
 * it reads.
 */
static ExprState *
compile_value(Ruleset *rules, Relation rel, const char *text)
{
	Expr	   *expr;
	Bitmapset  *columns = NULL;
	int			member = -1;

	if (text == NULL)
		return NULL;
	expr = criteria_parse_value(rel, text, TEXTOID);
	criteria_check(rel, expr, text);
	rules->pins |= criteria_settings(expr);
	pull_varattnos((Node *) expr, 1, &columns);
	while ((member = bms_next_member(columns, member)) >= 0)
	{
		AttrNumber	attno = member + FirstLowInvalidHeapAttributeNumber;

		rules->columns = bms_add_member(rules->columns, attno);
		rules->max_attno = Max(rules->max_attno, attno);
	}
	return ExecInitExpr(expression_planner(expr), NULL);
}

/*
 * read_texts reads owner and category of a deal, palloc'd.
 */
static void
read_texts(Oid object, char **owner, char **category)
{
	Oid			types[1] = {OIDOID};
	Datum		values[1] = {ObjectIdGetDatum(object)};
	SessionRole role;

	session_become(&role, catalog_owner());
	session_execute("SELECT owner, category FROM territory.object WHERE object OPERATOR(pg_catalog.=) $1",
					SPI_OK_SELECT, 1, types, values, NULL);
	session_restore_role(&role);
	*owner = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	*category = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2);
	SPI_freetuptable(SPI_tuptable);
}

/*
 * compile_deal readies owner and category of a deal, as the table's owner.
 */
static void
compile_deal(Ruleset *rules, Relation rel)
{
	LinkRules  *link = rules->link;
	SessionRole role;
	int			pin;

	read_texts(rules->object.object, &link->owner_text, &link->category_text);
	pin = session_pin(&rules->settings, PIN_TIME | PIN_PATH);
	session_become(&role, rules->object.owner);
	link->owner = compile_value(rules, rel, link->owner_text);
	link->category = compile_value(rules, rel, link->category_text);
	session_restore_role(&role);
	session_unpin(pin);
}

/*
 * link_compile completes a rule set.
 */
void
link_compile(Ruleset *rules, Relation rel)
{
	ObjectInfo	above;
	SessionRole role;
	MemoryContext old;

	if (!OidIsValid(rules->object.above))
		return;
	session_become(&role, catalog_owner());
	object_require(rules->object.above, &above);
	session_restore_role(&role);
	old = MemoryContextSwitchTo(rules->context);
	rules->link = palloc0(sizeof(LinkRules));
	rules->link->key_type = above.key_type;
	rules->columns = bms_add_member(rules->columns, rules->object.link_attno);
	rules->max_attno = Max(rules->max_attno, rules->object.link_attno);
	if (rules->object.kind == KIND_DEAL)
		compile_deal(rules, rel);
	MemoryContextSwitchTo(old);
}

const char *
link_owner(const Ruleset *rules)
{
	return rules->link->owner_text;
}

const char *
link_category(const Ruleset *rules)
{
	return rules->link->category_text;
}

/*
 * is_same_text compares texts of which either may be NULL.
 */
static bool
is_same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/*
 * link_is_current tells whether what link_compile made is as it would be now.
 */
bool
link_is_current(const Ruleset *rules, const ObjectInfo *object)
{
	const ObjectInfo *former = &rules->object;
	char	   *owner;
	char	   *category;

	if (former->kind != object->kind || former->above != object->above ||
		former->link_attno != object->link_attno || former->link_type != object->link_type)
		return false;
	if (object->kind != KIND_DEAL)
		return true;
	read_texts(object->object, &owner, &category);
	return is_same_text(rules->link->owner_text, owner) && is_same_text(rules->link->category_text, category);
}

/*
 * integer_key makes an integer one of another type; false where it is too great.
 */
static bool
integer_key(Oid from, Oid to, Datum value, Datum *key)
{
	int64		number = from == INT2OID ? DatumGetInt16(value) :
		from == INT4OID ? DatumGetInt32(value) : DatumGetInt64(value);

	switch (to)
	{
		case INT2OID:
			*key = Int16GetDatum((int16) number);
			return number >= PG_INT16_MIN && number <= PG_INT16_MAX;
		case INT4OID:
			*key = Int32GetDatum((int32) number);
			return number >= PG_INT32_MIN && number <= PG_INT32_MAX;
		default:
			*key = Int64GetDatum(number);
			return true;
	}
}

/*
 * link_key makes a value of the linking column a key of the table above.
 */
bool
link_key(const Ruleset *rules, Datum value, Datum *key)
{
	Oid			type = rules->link->key_type;

	if (is_integer(type))
		return integer_key(rules->object.link_type, type, value, key);
	if (is_text(type))
		*key = PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
	else
	{
		int16		length;
		bool		by_value;

		get_typlenbyval(type, &length, &by_value);
		*key = datumCopy(value, by_value, length);
	}
	return true;
}

/*
 * evaluate returns an expression's text, or NULL. In its own short-lived memory
 * but for the result.
 */
static char *
evaluate(Ruleset *rules, ExprState *state, TupleTableSlot *slot)
{
	bool		isnull;
	Datum		value;

	if (state == NULL)
		return NULL;
	rules->econtext->ecxt_scantuple = slot;
	value = ExecEvalExprSwitchContext(state, rules->econtext, &isnull);
	return isnull ? NULL : TextDatumGetCString(value);
}

/*
 * link_is_closed tells whether a deal is closed: won, or lost.
 */
bool
link_is_closed(Ruleset *rules, TupleTableSlot *slot)
{
	char	   *category = evaluate(rules, rules->link->category, slot);

	return category != NULL && (strcmp(category, "closed") == 0 || strcmp(category, "omitted") == 0);
}

/*
 * link_read takes a row's link.
 */
Link
link_read(Ruleset *rules, TupleTableSlot *slot)
{
	Link		link = {0};
	bool		isnull;
	Datum		value = slot_getattr(slot, rules->object.link_attno, &isnull);

	link.linked = !isnull && link_key(rules, value, &link.key);
	if (rules->object.kind == KIND_DEAL)
	{
		link.owner = evaluate(rules, rules->link->owner, slot);
		link.closed = link_is_closed(rules, slot);
	}
	return link;
}
