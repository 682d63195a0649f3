/*
 * visible.h
 *		What a person may do in which territories.
 */
#ifndef TERRITORY_VISIBLE_H
#define TERRITORY_VISIBLE_H

#include "postgres.h"

#include "type/territory.h"

/* rights in a node, as flags */
#define RIGHT_SEE			1	/* its records */
#define RIGHT_EDIT			2	/* its records */
#define RIGHT_ADMINISTER	4	/* itself, its rules, members and decisions by hand: it is below one that the person manages */

/* A person with the nodes of the active model in which he has rights. */
typedef struct Viewer Viewer;

/*
 * The rights of whoever is asking, by the newest state; NULL: nobody is. Release it,
 * or have that done when a memory context is reset.
 */
extern Viewer *viewer_acquire(void);
extern uint32 viewer_generation(void);
extern void viewer_release(Viewer *viewer);
extern void viewer_release_with(Viewer *viewer, MemoryContext context);

/* his rights in a node */
extern int	viewer_rights(const Viewer *viewer, int32 node_id);

/* Is a path of a model below a node that he manages? */
extern bool viewer_manages_below(const Viewer *viewer, int32 model_id, const Territory *path);

/* the number of nodes whose records he sees, or (RIGHT_EDIT) edits */
extern int	viewer_count(const Viewer *viewer, int right);

/* all nodes in which he has a right, palloc'd, ascending; returns their number */
extern int	viewer_nodes(const Viewer *viewer, int right, int32 **nodes);

/* A query whose parameter is the person's name: the nodes of which he is a member today. */
#define MEMBERSHIPS \
	"SELECT n.id, n.path, n.model_id, m.role, m.access, m.starts, m.ends, m.role = 'manager' OR m.access = 'write' AS write" \
	"  FROM territory.member m JOIN territory.node n ON n.id = m.node_id" \
	"  JOIN territory.model o ON o.id = n.model_id AND o.state = 'active'" \
	" WHERE m.member = $1 AND coalesce(m.starts, '-infinity') <= current_date AND current_date < coalesce(m.ends, 'infinity')"

/* pins what queries with the above need: search_path and the active model's time zone; undo with session_unpin */
extern int	visible_pin(void);

#endif							/* TERRITORY_VISIBLE_H */
