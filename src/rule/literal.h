/*
 * literal.h
 *		Splits criteria into their literals and the rest.
 */
#ifndef TERRITORY_LITERAL_H
#define TERRITORY_LITERAL_H

#include "postgres.h"

#include "lib/stringinfo.h"

/* Where a literal is, and what it says. */
typedef struct Literal
{
	int			location;		/* of its first byte in the text, as the parser counts */
	int			value;			/* where its value begins in the list's values */
} Literal;

typedef struct LiteralList
{
	StringInfoData shape;		/* the text with its literals replaced by their kinds */
	StringInfoData values;		/* what the literals say, each ended by a zero byte */
	Literal    *items;
	int			count;
	int			room;
} LiteralList;

#define literal_value(list, index) ((list)->values.data + (list)->items[index].value)

/* in the current memory context */
extern void literal_init(LiteralList *list);

/* false: there is something in the text that only PostgreSQL's scanner reads */
extern bool literal_split(LiteralList *list, const char *text);

#endif							/* TERRITORY_LITERAL_H */
