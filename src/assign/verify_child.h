/*
 * verify_child.h
 *		The part of territory.verify() about records that depend on others.
 */
#ifndef TERRITORY_VERIFY_CHILD_H
#define TERRITORY_VERIFY_CHILD_H

#include "postgres.h"

#include "lib/stringinfo.h"

#include "rule/object.h"

/*
 * Appends what comes between the CTE "own", the pairs that a record has by its
 * rules alone (of deals "candidate"), and the CTE "chosen", those that it should have.
 */
extern void verify_append_children(StringInfo sql, const ObjectInfo *info, int32 model);

#endif							/* TERRITORY_VERIFY_CHILD_H */
