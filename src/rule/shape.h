/*
 * shape.h
 *		Reads many criteria that differ by their literals only.
 */
#ifndef TERRITORY_SHAPE_H
#define TERRITORY_SHAPE_H

#include "postgres.h"

#include "nodes/primnodes.h"
#include "utils/rel.h"

typedef struct ShapeCache ShapeCache;

/* defines the setting territory.check_shapes */
extern void shape_init(void);

/* In a context under the current one. It must not outlive the statement that reads the rules. */
extern ShapeCache *shape_cache_create(Relation rel);
extern void shape_cache_delete(ShapeCache *cache);

/*
 * Reads criteria, checks and simplifies them: what criteria_parse, criteria_check
 * and expression_planner give. The answer serves until the next call or the end
 * of the current memory context. parsed: as criteria_parse gave it; NULL: it reads
 * the same columns and calls the same functions as an earlier one.
 */
extern Expr *shape_read(ShapeCache *cache, const char *criteria, Expr **parsed);

#endif							/* TERRITORY_SHAPE_H */
