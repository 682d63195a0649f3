/*
 * object.h
 *		Attached tables: rows of territory.object with what follows from them.
 */
#ifndef TERRITORY_OBJECT_H
#define TERRITORY_OBJECT_H

#include "postgres.h"

#include "nodes/pg_list.h"

/* columns of territory.object */
#define Anum_object_object		1
#define Anum_object_kind		2
#define Anum_object_key_column	3
#define Anum_object_mode		4
#define Anum_object_assignment	5
#define Anum_object_history		6
#define Anum_object_past		7
#define Anum_object_parent		9

typedef enum ObjectKind
{
	KIND_ACCOUNT,
	KIND_LEAD,
	KIND_CONTACT,				/* has the nodes of the record above */
	KIND_DEAL					/* has one of them, or one below */
} ObjectKind;

/* which records of a family have the nodes of its top */
typedef enum FamilyMode
{
	FAMILY_NONE,
	FAMILY_UNMATCHED,			/* those that match nothing themselves */
	FAMILY_ALL
} FamilyMode;

/* which of the matching nodes a record gets */
typedef enum MatchMode
{
	MODE_DEEPEST,				/* those with no matching descendant */
	MODE_ALL,					/* all */
	MODE_FIRST					/* one, by priority, depth, path */
} MatchMode;

typedef struct ObjectInfo
{
	Oid			object;
	Oid			owner;			/* of the table */
	Oid			assignment;		/* table of its pairs */
	NameData	key_column;
	AttrNumber	key_attno;
	Oid			key_type;		/* of a domain, the base type */
	Oid			key_collation;
	MatchMode	mode;
	bool		history;		/* is kept */
	Oid			past;			/* table of pairs that ended */
	ObjectKind	kind;
	FamilyMode	family_mode;
	bool		freeze;			/* closed deals keep their node */

	/* where records may have nodes of a record above them: its table, which is this one in families */
	Oid			above;			/* InvalidOid: they do not */
	AttrNumber	link_attno;		/* the column that holds its key */
	Oid			link_type;		/* of a domain, the base type */
} ObjectInfo;

/* Do the records form families? */
static inline bool
object_has_families(const ObjectInfo *info)
{
	return info->family_mode != FAMILY_NONE;
}

/* The expressions over the columns of an attached table. */
typedef enum ObjectExpression
{
	EXPRESSION_OWNER,
	EXPRESSION_AMOUNT,
	EXPRESSION_CLOSE_DATE,
	EXPRESSION_CATEGORY,
	EXPRESSION_PROBABILITY,
	EXPRESSION_CURRENCY,
	EXPRESSION_STAGE,
	EXPRESSION_CREATED,
	EXPRESSIONS
} ObjectExpression;

/* names of their columns in territory.object and of the arguments of attach; their types */
extern const char *const object_expression_names[EXPRESSIONS];
extern const Oid object_expression_types[EXPRESSIONS];

/* as SQL text, palloc'd: the columns; the elements of an array parameter that hold them */
extern char *object_expression_columns(void);
extern char *object_expression_elements(int parameter);

/* false when the table is not attached. Needs an SPI connection. */
extern bool object_load(Oid relid, ObjectInfo *info);

/* raises 55000 with a hint when the table is not attached */
extern void object_require(Oid relid, ObjectInfo *info);

/* keeps an attached table from being detached until the transaction ends */
extern void object_hold(Oid relid);

/* OIDs of all attached tables, ascending. Needs an SPI connection. */
extern List *object_list(void);

#endif							/* TERRITORY_OBJECT_H */
