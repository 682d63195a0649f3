/*
 * advice.c
 *		What would have to change, point by point: the rows of why_not().
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "base/catalog.h"
#include "base/session.h"
#include "explain/advice.h"
#include "rule/show.h"

/*
 * add adds a point with no more than a node and a reason. The path may be part of
 * a rule set, which goes before the point does.
 */
static Advice *
add(List **list, const Inquiry *inquiry, const Territory *path, const char *reason)
{
	Advice	   *advice = palloc0(sizeof(Advice));

	advice->object = inquiry->rules->object.object;
	advice->key = inquiry->key;
	advice->path = territory_from_payload(TERRITORY_DATA(path), TERRITORY_SIZE(path));
	advice->reason = reason;
	*list = lappend(*list, advice);
	return advice;
}

/*
 * advice_lift says that an exclusion is to be lifted.
 */
List *
advice_lift(List *list, const Inquiry *inquiry, const Territory *path, const Ban *ban)
{
	Advice	   *advice = add(&list, inquiry, path, "excluded");

	advice->value = psprintf("by %s%s%s", ban->who ? ban->who : "somebody", ban->note ? ": " : "", ban->note ? ban->note : "");
	advice->becomes = psprintf("DELETE FROM territory.exclusion WHERE id = %d", ban->id);
	return list;
}

/*
 * advice_release says that a decision by hand is to be undone.
 */
List *
advice_release(List *list, const Inquiry *inquiry, const Territory *path, const Held *held)
{
	Advice	   *advice = add(&list, inquiry, held ? held->path : path, "assigned by hand");
	char	   *who = held ? held_assigner(&inquiry->rules->object, inquiry->key, held) : NULL;

	advice->value = held == NULL ? "to a territory of another model" : who ? psprintf("by %s", who) : NULL;
	if (held == NULL)
		return list;
	advice->becomes = psprintf("SELECT territory.unassign(%s, %s, %s)",
							   quote_literal_cstr(catalog_qualified_name(advice->object)),
							   quote_literal_cstr(inquiry->key),
							   quote_literal_cstr(territory_to_cstring(held->path)));
	return list;
}

/*
 * advice_rules says what a node without active rules lacks: those that are not
 * active are shown with what makes them so.
 */
List *
advice_rules(List *list, const Inquiry *inquiry, const Territory *path, int32 node_id)
{
	Oid			types[2] = {OIDOID, INT4OID};
	Datum		values[2] = {ObjectIdGetDatum(inquiry->rules->object.object), Int32GetDatum(node_id)};
	SessionRole role;

	session_become(&role, catalog_owner());
	session_execute("SELECT id, name FROM territory.rule WHERE object OPERATOR(pg_catalog.=) $1"
					"   AND node_id OPERATOR(pg_catalog.=) $2 AND NOT active ORDER BY id",
					SPI_OK_SELECT, 2, types, values, NULL);
	session_restore_role(&role);
	if (SPI_processed == 0)
		(void) add(&list, inquiry, path, "no rules");
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		Advice	   *advice = add(&list, inquiry, path, "rule not active");
		bool		isnull;

		advice->rule_id = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull));
		advice->rule = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2);
		advice->becomes = psprintf("UPDATE territory.rule SET active = true WHERE id = %d", advice->rule_id);
	}
	return list;
}

/*
 * may_be_unknown tells whether a condition on a column can be unknown.
 */
static bool
may_be_unknown(const Inquiry *inquiry, const Need *need)
{
	int			attno;

	if (IsA(need->condition, NullTest) || IsA(need->condition, BooleanTest))
		return false;
	return !bms_get_singleton_member(need->columns, &attno) ||
		!TupleDescAttr(RelationGetDescr(inquiry->rel), attno - 1)->attnotnull;
}

/*
 * describe_need returns what a condition asks: of its column (>= 500), or as a
 * whole.
 */
static char *
describe_need(const Inquiry *inquiry, const Need *need)
{
	bool		negate = (need->mask & MASK_TRUE) == 0;
	bool		or_unknown = (need->mask & MASK_UNKNOWN) != 0 && may_be_unknown(inquiry, need);
	char	   *bound = show_bound(inquiry->rel, need->condition, negate);
	char	   *whole;

	if (bound != NULL)
		return or_unknown ? psprintf("%s, or NULL", bound) : bound;
	if (need->kind == NEED_OPEN)
		return pstrdup("a category other than closed and omitted");
	whole = show_condition(inquiry->rel, need->condition);
	if (or_unknown)
		return psprintf("(%s) IS NOT %s", whole, negate ? "TRUE" : "FALSE");
	return negate ? psprintf("NOT (%s)", whole) : whole;
}

/*
 * reason_of says why a condition is needed.
 */
static const char *
reason_of(NeedKind kind)
{
	static const char *const reasons[] = {
		[NEED_MATCH] = "must match",
		[NEED_ANCESTOR] = "ancestor must match",
		[NEED_DESCENDANT] = "descendant must not match",
		[NEED_RIVAL] = "must not outrank",
		[NEED_WAY] = "must take its ancestor's place",
		[NEED_SELF] = "must not match itself",
		[NEED_OWNER] = "owner must be a member",
		[NEED_OPEN] = "deal must be open"
	};

	return reasons[kind];
}

/*
 * set_column fills in a column with its value as it is, and the one that serves.
 */
static void
set_column(Advice *advice, const Inquiry *inquiry, const Remedy *remedy, AttrNumber attno)
{
	Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(inquiry->rel), attno - 1);
	Oid			output;
	bool		varlena;

	advice->column = pstrdup(NameStr(attribute->attname));
	advice->value = inquiry_value(inquiry, attno);
	advice->judged = true;
	advice->proven = remedy->proven;
	advice->minimal = remedy->minimal;
	if (!remedy->proven || remedy->nulls[attno - 1])
		return;
	getTypeOutputInfo(attribute->atttypid, &output, &varlena);
	advice->suggestion = OidOutputFunctionCall(output, remedy->values[attno - 1]);
}

/*
 * is_said tells whether the same was said before of a column, for the same rule.
 */
static bool
is_said(const Remedy *remedy, int upto)
{
	const Need *need = list_nth(remedy->needs, upto);

	for (int i = 0; i < upto; i++)
	{
		const Need *other = list_nth(remedy->needs, i);

		if (other->rule == need->rule && other->mask == need->mask && equal(other->condition, need->condition))
			return true;
	}
	return false;
}

/*
 * advise_column adds what is asked of a column that is to be changed.
 */
static List *
advise_column(List *list, const Inquiry *inquiry, const Territory *path, const Remedy *remedy, AttrNumber attno)
{
	const Ruleset *rules = inquiry->rules;
	ListCell   *cell;

	foreach(cell, remedy->needs)
	{
		const Need *need = lfirst(cell);
		const Rule *rule = need->rule < 0 ? NULL : &rules->index->rules[need->rule];
		Advice	   *advice;

		if (!bms_is_member(attno, need->columns) || is_said(remedy, foreach_current_index(cell)))
			continue;
		advice = add(&list, inquiry, rule ? rules->nodes[rule->node].path : path, reason_of(need->kind));
		set_column(advice, inquiry, remedy, attno);
		advice->becomes = describe_need(inquiry, need);
		if (rule == NULL)
			continue;
		advice->rule_id = rule->id;
		if (rules->index->infos[need->rule].name != NULL)
			advice->rule = pstrdup(rules->index->infos[need->rule].name);
	}
	return list;
}

/*
 * advice_remedy adds the points of a change, or one that says that there is none.
 */
List *
advice_remedy(List *list, const Inquiry *inquiry, const Territory *path, const Remedy *remedy)
{
	int			attno = -1;

	if (!remedy->found)
		(void) add(&list, inquiry, remedy->dead >= 0 ? inquiry->rules->nodes[remedy->dead].path : path, "impossible");
	while ((attno = bms_next_member(remedy->columns, attno)) >= 0)
		list = advise_column(list, inquiry, path, remedy, attno);
	return list;
}

/*
 * path_of makes a path of its text.
 */
static Territory *
path_of(const Inquiry *inquiry, int32 node_id)
{
	return territory_from_cstring(inquiry_path(inquiry, node_id), NULL);
}

/*
 * advice_obstacles names the nodes that the record has, or would have, instead.
 */
List *
advice_obstacles(List *list, const Inquiry *inquiry, int32 node_id, int priority)
{
	for (int i = 0; i < inquiry->candidate_count; i++)
	{
		const DealCandidate *candidate = &inquiry->candidates[i];
		bool		tied = candidate->priority == priority;

		if (candidate->node_id == node_id || candidate->priority < priority)
			continue;
		add(&list, inquiry, path_of(inquiry, candidate->node_id), tied ? "tied" : "must not outrank")->value =
			tied ? psprintf("equal priority %d, and no owner decides", priority) : psprintf("priority %d before %d", candidate->priority, priority);
	}
	for (int i = 0; i < inquiry->chosen_count && object_has_families(&inquiry->rules->object); i++)
	{
		const RuleNode *node = &inquiry->rules->nodes[inquiry->chosen[i].node];

		if (node->id != node_id)
			(void) add(&list, inquiry, node->path, "must not match itself");
	}
	return list;
}

/*
 * advice_above says that the record above must have the node.
 */
List *
advice_above(List *list, const Inquiry *inquiry, const Territory *path, bool proven)
{
	Advice	   *advice = add(&list, inquiry, path, "record above must have it");

	advice->object = inquiry->rules->object.above;
	advice->key = inquiry->above.key;
	advice->judged = proven;
	advice->proven = proven;
	return list;
}

/*
 * advice_no_parent says that there is no record above.
 */
List *
advice_no_parent(List *list, const Inquiry *inquiry, const Territory *path, bool or_above)
{
	const ObjectInfo *object = &inquiry->rules->object;
	Advice	   *advice = add(&list, inquiry, path, "no parent");

	advice->column = get_attname(object->object, object->link_attno, false);
	advice->value = inquiry_value(inquiry, object->link_attno);
	advice->becomes = psprintf("key of a record of %s in %s%s", get_rel_name(object->above), or_above ? "or above " : "",
							   territory_to_cstring(path));
	return list;
}
