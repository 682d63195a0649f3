/*
 * link.h
 *		What of a record's row says where it belongs: the key of the record above
 *		it and, of a deal, its owner and whether it is closed.
 */
#ifndef TERRITORY_LINK_H
#define TERRITORY_LINK_H

#include "postgres.h"

#include "rule/ruleset.h"

typedef struct Link
{
	bool		linked;			/* it names a record above, which may be there or not */
	bool		closed;
	Datum		key;			/* of the record above, as that table's keys are */
	char	   *owner;			/* NULL: nobody */
} Link;

/* completes a rule set whose records depend on others; needs an SPI connection */
extern void link_compile(Ruleset *rules, Relation rel);

/* Is that as it would be made now? needs an SPI connection */
extern bool link_is_current(const Ruleset *rules, const ObjectInfo *object);

/* what a row says; within match_begin and match_end; palloc'd */
extern Link link_read(Ruleset *rules, TupleTableSlot *slot);

/* is a deal closed? likewise */
extern bool link_is_closed(Ruleset *rules, TupleTableSlot *slot);

/* the expressions of a deal's owner and category; NULL: not given */
extern const char *link_owner(const Ruleset *rules);
extern const char *link_category(const Ruleset *rules);

/* the key of the record above, of a value of the column that holds it; false: there can be none */
extern bool link_key(const Ruleset *rules, Datum value, Datum *key);

/* can a column of one type name records whose keys are of another? */
extern bool link_types_fit(Oid link, Oid key);

#endif							/* TERRITORY_LINK_H */
