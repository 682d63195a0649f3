/*
 * people.c
 *		Who is in which territories: territory.my_nodes(), visible_nodes() and team().
 *
 * Everybody may ask about himself, and about the people of a territory whose records
 * he sees. For more it takes SELECT on territory.member, node and model.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"

#include "access/answer.h"
#include "access/identity.h"
#include "access/visible.h"
#include "base/catalog.h"
#include "base/session.h"
#include "tree/node.h"

PG_FUNCTION_INFO_V1(territory_my_nodes);
PG_FUNCTION_INFO_V1(territory_visible_nodes);
PG_FUNCTION_INFO_V1(territory_team);

/*
 * answer_about returns the rows of a query about a person.
 */
static void
answer_about(FunctionCallInfo fcinfo, char *member, bool as_owner, const char *sql)
{
	Oid			types[1] = {TEXTOID};
	Datum		values[1];
	int			pin;

	if (member == NULL)
		return;
	values[0] = CStringGetTextDatum(member);
	SPI_connect();
	pin = visible_pin();
	answer_query(fcinfo, sql, 1, types, values, NULL, as_owner);
	session_unpin(pin);
	SPI_finish();
}

/*
 * territory_my_nodes() -> (node_id, path, role, access, starts, ends).
 */
Datum
territory_my_nodes(PG_FUNCTION_ARGS)
{
	InitMaterializedSRF(fcinfo, 0);
	answer_about(fcinfo, identity_member(), true,
				 "SELECT m.id, m.path, m.role, m.access, m.starts, m.ends FROM (" MEMBERSHIPS ") m ORDER BY m.path");
	return (Datum) 0;
}

/*
 * territory_visible_nodes(member) -> (node_id, path, access).
 */
Datum
territory_visible_nodes(PG_FUNCTION_ARGS)
{
	char	   *own = identity_member();
	char	   *member = PG_ARGISNULL(0) ? own : text_to_cstring(PG_GETARG_TEXT_PP(0));

	InitMaterializedSRF(fcinfo, 0);
	answer_about(fcinfo, member, own != NULL && member != NULL && strcmp(own, member) == 0,
				 "SELECT n.id, n.path, CASE WHEN bool_or(m.write) THEN 'write' ELSE 'read' END"
				 "  FROM (" MEMBERSHIPS ") m"
				 "  JOIN territory.node n ON n.model_id = m.model_id AND n.path OPERATOR(territory.<@) m.path"
				 " GROUP BY n.id ORDER BY n.path");
	return (Datum) 0;
}

/*
 * sees_node tells whether whoever is asking sees the records of a node; 0: of none.
 */
static bool
sees_node(int32 node_id)
{
	Viewer	   *viewer = viewer_acquire();
	bool		result;

	if (viewer == NULL)
		return false;
	result = (viewer_rights(viewer, node_id) & RIGHT_SEE) != 0;
	viewer_release(viewer);
	return result;
}

/*
 * may_read_people tells whether the caller may read who is where.
 */
static bool
may_read_people(void)
{
	static const char *const tables[] = {"member", "node", "model"};

	for (int i = 0; i < lengthof(tables); i++)
	{
		if (pg_class_aclcheck(catalog_table(tables[i]), GetUserId(), ACL_SELECT) != ACLCHECK_OK)
			return false;
	}
	return true;
}

/*
 * find_node looks a node of the active model up, whatever the caller may read; where he
 * may not know of it, it is the same whether it is there.
 */
static int32
find_node(const Territory *path, bool *seen)
{
	SessionRole role;
	int32		id;

	session_become(&role, catalog_owner());
	id = node_look_up(path);
	session_restore_role(&role);
	*seen = id != 0 && sees_node(id);
	if (!*seen && !may_read_people())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for the people of territory \"%s\"", territory_to_cstring(path)),
				 errhint("It takes seeing its records, or SELECT on territory.member, node and model. SELECT * FROM territory.my_nodes() shows your territories.")));
	return id != 0 ? id : node_find(path);
}

/*
 * territory_team(node) -> (member, role, access, path, inherited): who is in a node
 * today, and its managers; where it has none, those of the next node above that has.
 */
Datum
territory_team(PG_FUNCTION_ARGS)
{
	Oid			types[1] = {INT4OID};
	Datum		values[1];
	int			pin;
	int32		node_id;
	bool		seen;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	SPI_connect();
	node_id = find_node(PG_GETARG_TERRITORY_PP(0), &seen);
	values[0] = Int32GetDatum(node_id);
	pin = visible_pin();
	answer_query(fcinfo,
				 "WITH present AS ("
				 "  SELECT m.member, m.role, m.access, n.id, n.path"
				 "    FROM territory.node own"
				 "    JOIN territory.node n ON n.model_id = own.model_id AND n.path OPERATOR(territory.@>) own.path"
				 "    JOIN territory.member m ON m.node_id = n.id"
				 "   WHERE own.id = $1 AND coalesce(m.starts, '-infinity') <= current_date"
				 "     AND current_date < coalesce(m.ends, 'infinity'))"
				 " SELECT p.member, p.role, p.access, p.path, p.id <> $1 FROM present p"
				 "  WHERE p.id = $1 OR (p.role = 'manager' AND p.path OPERATOR(territory.=)"
				 "    (SELECT territory.max(q.path) FROM present q WHERE q.role = 'manager'))"
				 " ORDER BY p.role = 'manager' DESC, p.member",
				 1, types, values, NULL, seen);
	session_unpin(pin);
	SPI_finish();
	return (Datum) 0;
}
