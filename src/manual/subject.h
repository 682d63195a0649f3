/*
 * subject.h
 *		The records that a caller names by their keys, to do something to them.
 */
#ifndef TERRITORY_SUBJECT_H
#define TERRITORY_SUBJECT_H

#include "postgres.h"

#include "nodes/pg_list.h"

#include "rule/object.h"

/* what may be wrong with a record that was named */
typedef enum Fault
{
	FAULT_MISSING,				/* it is not there, or not the caller's to change */
	FAULT_EXCLUDED,
	FAULT_BY_RULE,
	FAULTS
} Fault;

typedef struct Subject
{
	ObjectInfo	info;
	int			named;			/* keys that the caller gave */
	int			count;			/* records: each once, in the order of their keys */
	Datum	   *keys;
	List	   *faulty[FAULTS];	/* keys as text */
} Subject;

/*
 * Finds and locks the records with these keys (char *), as the caller, who must
 * be allowed to update them; then locks the object as its writers do. Needs an
 * SPI connection.
 */
extern void subject_hold(Subject *subject, Oid object, List *keys);

/* a record's key as text */
extern char *subject_text(const Subject *subject, Datum key);

/* notes that something is wrong with a record */
extern void subject_fault(Subject *subject, Fault fault, Datum key);

/* raises when anything is wrong with any of the records: "cannot <verb> a record of <table> <whereto>" */
extern void subject_check(const Subject *subject, const char *verb, const char *whereto);

#endif							/* TERRITORY_SUBJECT_H */
