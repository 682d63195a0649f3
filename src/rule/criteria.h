/*
 * criteria.h
 *		The criteria of a rule: text to checked expression tree, and back.
 */
#ifndef TERRITORY_CRITERIA_H
#define TERRITORY_CRITERIA_H

#include "postgres.h"

#include "nodes/primnodes.h"
#include "utils/rel.h"

/*
 * Reads criteria against a table's columns under the session's search_path.
 * Syntax, names and types are PostgreSQL's own business; errors carry the
 * position inside the criteria. palloc'd.
 */
extern Expr *criteria_parse(Relation rel, const char *criteria);

/* likewise an expression of another type, as if it were assigned to a column of that type */
extern Expr *criteria_parse_value(Relation rel, const char *text, Oid type);

/* likewise for what was written before a column was renamed */
extern Expr *criteria_parse_renamed(Relation rel, const char *criteria, Oid type,
									const char *old_name, const char *new_name);

/* Refuses a text that is not one expression by itself; looks no names up. */
extern void criteria_check_syntax(const char *criteria);

/* Refuses what could make the rule mean different things to different writers. */
extern void criteria_check(Relation rel, Expr *expr, const char *criteria);

/* Refuses columns that the current user may not read, for whoever writes criteria learns about them. */
extern void criteria_check_access(Relation rel, Expr *expr);

/* The same as text with every name qualified; read back under an empty path. */
extern char *criteria_deparse(Relation rel, Expr *expr);

/* Refuses (0A000) a text of the former that would not be read back as the same. */
extern void criteria_check_text(Relation rel, Expr *expr, const char *text, Oid type);

/*
 * All of this for what is written down: criteria, or an expression of another type, with every name
 * qualified. Read under the session's search_path and the settings that are pinned.
 */
extern char *criteria_resolve(Relation rel, const char *text, Oid type);

/* The same for a person to read, with fewer parentheses. */
extern char *criteria_show(Relation rel, Expr *expr);

/* The position of a byte inside the criteria, for ereport. */
extern int	criteria_position(const char *criteria, int location);

/* Which of the settings that can be pinned (base/session.h) may it feel? */
extern int	criteria_settings(Expr *expr);

/* May several processes evaluate it at once? Of criteria as they were parsed, for simplifying calls functions. */
extern bool criteria_are_parallel_safe(Expr *expr);

#endif							/* TERRITORY_CRITERIA_H */
