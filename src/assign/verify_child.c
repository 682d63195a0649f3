/*
 * verify_child.c
 *		The part of territory.verify() about records that depend on others.
 *
 * As the rest of it, plain SQL: joins with the stored pairs of the records above,
 * which verify checks by themselves. Nothing of inherit.c or deal.c is used.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "assign/verify_child.h"
#include "base/catalog.h"
#include "base/session.h"

/*
 * append_held appends the CTE "held": each record with the pairs of the record above.
 */
static void
append_held(StringInfo sql, const ObjectInfo *info, const ObjectInfo *above)
{
	appendStringInfo(sql,
					 ", held AS MATERIALIZED ("
					 " SELECT r.%1$s AS key, p.node_id, p.rule_id FROM %2$s r JOIN %3$s p ON p.%4$s = r.%5$s)",
					 quote_identifier(NameStr(info->key_column)), catalog_qualified_name(info->object),
					 catalog_qualified_name(above->assignment), quote_identifier(NameStr(above->key_column)),
					 quote_identifier(get_attname(info->object, info->link_attno, false)));
}

/* the condition that a pair is not excluded */
#define NOT_EXCLUDED(pair) \
	" NOT EXISTS (SELECT FROM excluded e WHERE e.key = " pair ".key AND coalesce(e.node_id, " pair ".node_id) = " pair ".node_id)"

/*
 * append_contact appends what contacts should have.
 */
static void
append_contact(StringInfo sql)
{
	appendStringInfoString(sql, ", chosen AS (SELECT * FROM held h WHERE" NOT_EXCLUDED("h") ")");
}

/*
 * append_family appends what the records of families should have.
 */
static void
append_family(StringInfo sql, const ObjectInfo *info)
{
	appendStringInfo(sql,
					 ", member (key, up) AS MATERIALIZED (SELECT %1$s, %2$s FROM %3$s),"
					 " walk (key, at) AS ("
					 "  SELECT key, key FROM member"
					 "  UNION ALL"
					 "  SELECT w.key, t.key FROM walk w JOIN member c ON c.key = w.at JOIN member t ON t.key = c.up"
					 " ) CYCLE at SET again USING way,"
					 " top AS MATERIALIZED ("
					 "  SELECT w.key, w.at FROM walk w JOIN member c ON c.key = w.at LEFT JOIN member t ON t.key = c.up"
					 "   WHERE NOT w.again AND t.key IS NULL AND w.at <> w.key),"
					 " chosen AS ("
					 "  SELECT o.* FROM own o WHERE %5$s NOT EXISTS (SELECT FROM top t WHERE t.key = o.key)"
					 "  UNION ALL"
					 "  SELECT h.* FROM (SELECT t.key, p.node_id, p.rule_id FROM top t JOIN %4$s p ON p.%1$s = t.at) h"
					 "   WHERE (%6$s NOT EXISTS (SELECT FROM own o WHERE o.key = h.key)) AND" NOT_EXCLUDED("h") ")",
					 quote_identifier(NameStr(info->key_column)),
					 quote_identifier(get_attname(info->object, info->link_attno, false)),
					 catalog_qualified_name(info->object), catalog_qualified_name(info->assignment),
					 info->family_mode == FAMILY_ALL ? "" : "true OR",
					 info->family_mode == FAMILY_ALL ? "true OR" : "");
}

/*
 * expression_of reads one of an object's expressions.
 */
static char *
expression_of(const ObjectInfo *info, const char *name)
{
	Oid			types[1] = {OIDOID};
	Datum		values[1] = {ObjectIdGetDatum(info->object)};
	char	   *expression;

	session_execute(psprintf("SELECT %s FROM territory.object WHERE object OPERATOR(pg_catalog.=) $1",
							 quote_identifier(name)), SPI_OK_SELECT, 1, types, values, NULL);
	expression = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	return expression ? psprintf("(%s)::text", expression) : pstrdup("NULL::text");
}

/*
 * append_options appends the CTE "option": the nodes between which priority and
 * membership decide.
 */
static void
append_options(StringInfo sql, int32 model)
{
	appendStringInfo(sql,
					 ", anchor AS MATERIALIZED ("
					 " SELECT h.*, n.path, n.priority FROM held h JOIN territory.node n ON n.id = h.node_id AND n.model_id = %d),"
					 " below AS MATERIALIZED ("
					 " SELECT DISTINCT c.key, c.node_id, c.rule_id FROM candidate c JOIN ruled n ON n.id = c.node_id"
					 "   JOIN anchor a ON a.key = c.key AND a.path OPERATOR(territory.@>) n.path),"
					 " option AS ("
					 " SELECT b.*, n.priority FROM below b JOIN ruled n ON n.id = b.node_id"
					 "  WHERE NOT EXISTS (SELECT FROM below d JOIN above u ON u.node_id = d.node_id"
					 "   WHERE d.key = b.key AND u.above_id = b.node_id)"
					 " UNION ALL"
					 " SELECT a.key, a.node_id, a.rule_id, a.priority FROM anchor a"
					 "  WHERE NOT EXISTS (SELECT FROM below b WHERE b.key = a.key) AND" NOT_EXCLUDED("a") ")",
					 model);
}

/*
 * append_deal appends what deals should have.
 */
static void
append_deal(StringInfo sql, const ObjectInfo *info, int32 model)
{
	char	   *owner = expression_of(info, "owner");
	char	   *category = info->freeze ? expression_of(info, "category") : pstrdup("NULL");

	append_options(sql, model);
	appendStringInfo(sql,
					 ", deal AS MATERIALIZED ("
					 " SELECT %1$s AS key, %3$s AS owner, %4$s IN ('closed', 'omitted') AS closed FROM %2$s AS territory_record),"
					 " best AS ("
					 " SELECT o.*, max(o.priority) OVER (PARTITION BY o.key) AS highest FROM option o),"
					 " counted AS ("
					 " SELECT b.key, b.node_id, b.rule_id, m.node_id IS NOT NULL AS owns, count(*) OVER (PARTITION BY b.key) AS options,"
					 "        count(m.node_id) OVER (PARTITION BY b.key) AS owned"
					 "   FROM best b JOIN deal d ON d.key = b.key"
					 "   LEFT JOIN (SELECT DISTINCT node_id, member FROM territory.member"
					 "     WHERE coalesce(starts <= current_date, true) AND coalesce(ends > current_date, true)) m"
					 "     ON m.node_id = b.node_id AND m.member = d.owner"
					 "  WHERE b.priority = b.highest),"
					 " given AS MATERIALIZED ("
					 " SELECT s.%1$s AS key, s.node_id FROM (SELECT %1$s, %1$s AS key, node_id FROM %5$s WHERE manual) s"
					 "   JOIN territory.node n ON n.id = s.node_id AND n.model_id = %6$d"
					 "  WHERE" NOT_EXCLUDED("s") "),"
					 " kept AS MATERIALIZED ("
					 " SELECT DISTINCT ON (s.key) s.key, s.node_id, s.rule_id"
					 "   FROM (SELECT %1$s AS key, node_id, rule_id FROM %5$s) s"
					 "   JOIN deal d ON d.key = s.key AND d.closed"
					 "   JOIN territory.node n ON n.id = s.node_id AND n.model_id = %6$d"
					 "  WHERE" NOT_EXCLUDED("s") " AND NOT EXISTS (SELECT FROM given g WHERE g.key = s.key)"
					 "  ORDER BY s.key, s.node_id),"
					 " chosen AS ("
					 " SELECT * FROM kept"
					 " UNION ALL"
					 " SELECT c.key, c.node_id, c.rule_id FROM counted c"
					 "  WHERE (c.options = 1 OR (c.owns AND c.owned = 1))"
					 "    AND NOT EXISTS (SELECT FROM kept k WHERE k.key = c.key)"
					 "    AND (NOT EXISTS (SELECT FROM given g WHERE g.key = c.key)"
					 "         OR EXISTS (SELECT FROM given g WHERE g.key = c.key AND g.node_id = c.node_id)))",
					 quote_identifier(NameStr(info->key_column)), catalog_qualified_name(info->object),
					 owner, category, catalog_qualified_name(info->assignment), model);
}

/*
 * verify_append_children appends the CTEs up to "chosen".
 */
void
verify_append_children(StringInfo sql, const ObjectInfo *info, int32 model)
{
	ObjectInfo	above;

	if (object_has_families(info))
	{
		append_family(sql, info);
		return;
	}
	object_require(info->above, &above);
	append_held(sql, info, &above);
	if (info->kind == KIND_CONTACT)
		append_contact(sql);
	else
		append_deal(sql, info, model);
}
