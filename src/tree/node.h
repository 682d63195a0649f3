/*
 * node.h
 *		Rows of territory.node and territory.model, as the other modules see them.
 */
#ifndef TERRITORY_NODE_H
#define TERRITORY_NODE_H

#include "postgres.h"

#include "access/htup.h"
#include "access/tupdesc.h"

#include "base/session.h"
#include "type/territory.h"

/* columns of territory.node; an upgrade only appends */
#define Anum_node_id			1
#define Anum_node_model_id		2
#define Anum_node_parent_id		3
#define Anum_node_name			4
#define Anum_node_path			5
#define Anum_node_priority		6
#define Anum_node_cascade		8

/* columns of territory.model */
#define Anum_model_id			1
#define Anum_model_name			2
#define Anum_model_state		3
#define Anum_model_description	4
#define Anum_model_time_zone	5
#define Anum_model_date_style	6

typedef struct NodeRow
{
	int32		id;
	int32		model_id;
	int32		parent_id;		/* 0: none */
	char	   *name;			/* NULL: not given */
	Territory  *path;			/* NULL: not given */
	int32		priority;
	bool		cascade;
} NodeRow;

/* takes a row apart; pointers are into palloc'd copies */
extern void node_read(HeapTuple tuple, TupleDesc desc, NodeRow *node);

/* id of the node at a path of the active model; raises 42704 where there is none, or (look_up) returns 0 */
extern int32 node_find(const Territory *path);
extern int32 node_look_up(const Territory *path);

/* raises 23503 unless there is a node with this id, and keeps it from being deleted meanwhile */
extern void node_hold(int32 id);

/* Is the engine itself moving nodes, so that statement triggers keep still? */
extern bool node_moving(void);

/* id of the model that is active; raises when there is none */
extern int32 model_active(void);

/* ", model => 'name'", for a hint; of the active model nothing */
extern char *model_argument(int32 id);

/* the settings under which the active model has expressions evaluated */
extern PinnedSettings model_active_settings(void);

/* raises 23503 unless the model is there; it stays until the transaction ends */
extern void model_require(int32 id);

#endif							/* TERRITORY_NODE_H */
