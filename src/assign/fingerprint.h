/*
 * fingerprint.h
 *		Compares two sets of pairs that do not fit into memory.
 */
#ifndef TERRITORY_FINGERPRINT_H
#define TERRITORY_FINGERPRINT_H

#include "postgres.h"

#include "rule/object.h"

/* what a bucket is marked with, beside its sum */
typedef enum FingerprintMark
{
	MARK_RECORDS,				/* evaluate its records, whatever the sum */
	MARK_PAIRS,					/* look for the records of its pairs, whatever the sum */
	MARKS
} FingerprintMark;

typedef struct Fingerprint
{
	int16		typlen;			/* of keys */
	uint64		seeds[3];
	uint32		mask;			/* number of buckets - 1 */
	uint64	   *sums;
	uint8	   *marks[MARKS];	/* bitmaps; NULL: none */
} Fingerprint;

/* A record's place. */
typedef struct FingerprintKey
{
	uint32		bucket;
	uint64		hash;
} FingerprintKey;

extern Fingerprint *fingerprint_create(const ObjectInfo *object, double records);

extern FingerprintKey fingerprint_key(const Fingerprint *fingerprint, Datum key);

/* the term of a pair in its bucket's sum */
extern uint64 fingerprint_term(const Fingerprint *fingerprint, FingerprintKey key,
							   int32 node_id, int32 rule_id);

extern void fingerprint_mark(Fingerprint *fingerprint, FingerprintMark mark, uint32 bucket);

/* number of buckets whose sum is not 0 or that have the mark */
extern uint32 fingerprint_count(const Fingerprint *fingerprint, FingerprintMark mark);

/*
 * fingerprint_differs tells whether a bucket's sum is not 0, or it has the mark.
 */
static inline bool
fingerprint_differs(const Fingerprint *fingerprint, FingerprintMark mark, uint32 bucket)
{
	const uint8 *marks = fingerprint->marks[mark];

	return fingerprint->sums[bucket] != 0 ||
		(marks != NULL && (marks[bucket / 8] >> (bucket % 8) & 1) != 0);
}

#endif							/* TERRITORY_FINGERPRINT_H */
