/*
 * fingerprint.h
 *		Compares two sets of pairs that do not fit into memory.
 */
#ifndef TERRITORY_FINGERPRINT_H
#define TERRITORY_FINGERPRINT_H

#include "postgres.h"

#include "port/atomics.h"

#include "rule/object.h"

/* what a bucket is marked with, beside its sum */
typedef enum FingerprintMark
{
	MARK_RECORDS,				/* evaluate its records, whatever the sum */
	MARK_PAIRS,					/* look for the records of its pairs, whatever the sum */
	MARKS
} FingerprintMark;

/*
 * One block of memory, which may be shared: the marks, bitmaps, follow the sums.
 */
typedef struct Fingerprint
{
	bool		shared;			/* several processes add to it */
	int16		typlen;			/* of keys */
	uint32		mask;			/* number of buckets - 1 */
	uint64		seeds[3];
	pg_atomic_uint64 sums[FLEXIBLE_ARRAY_MEMBER];
} Fingerprint;

/* A record's place. */
typedef struct FingerprintKey
{
	uint32		bucket;
	uint64		hash;
} FingerprintKey;

/* bytes of one that is fit for a number of records */
extern Size fingerprint_size(double records);

/* makes an empty one in so many bytes, for keys of the object */
extern void fingerprint_init(Fingerprint *fingerprint, const ObjectInfo *object, double records, bool shared);

/* likewise, in the current memory context */
extern Fingerprint *fingerprint_create(const ObjectInfo *object, double records);

/* one of the caller's own, in the current memory context, when the others have ended */
extern Fingerprint *fingerprint_copy(const Fingerprint *shared);

extern FingerprintKey fingerprint_key(const Fingerprint *fingerprint, Datum key);

/* the term of a pair in its bucket's sum */
extern uint64 fingerprint_term(const Fingerprint *fingerprint, FingerprintKey key,
							   int32 node_id, int32 rule_id);

extern void fingerprint_mark(Fingerprint *fingerprint, FingerprintMark mark, uint32 bucket);

/* number of buckets whose sum is not 0 or that have the mark */
extern uint32 fingerprint_count(Fingerprint *fingerprint, FingerprintMark mark);

/*
 * fingerprint_add adds to a bucket's sum. What several do at once is atomic; one
 * alone is spared the price of that.
 */
static inline void
fingerprint_add(Fingerprint *fingerprint, uint32 bucket, uint64 term)
{
	pg_atomic_uint64 *sum = &fingerprint->sums[bucket];

	if (fingerprint->shared)
		pg_atomic_fetch_add_u64(sum, (int64) term);
	else
		pg_atomic_write_u64(sum, pg_atomic_read_u64(sum) + term);
}

/*
 * fingerprint_marks returns the bitmap of a mark.
 */
static inline pg_atomic_uint32 *
fingerprint_marks(Fingerprint *fingerprint, FingerprintMark mark)
{
	return (pg_atomic_uint32 *) (fingerprint->sums + fingerprint->mask + 1) +
		mark * ((fingerprint->mask + 1) / 32);
}

/*
 * fingerprint_differs tells whether a bucket's sum is not 0, or it has the mark.
 */
static inline bool
fingerprint_differs(Fingerprint *fingerprint, FingerprintMark mark, uint32 bucket)
{
	return pg_atomic_read_u64(&fingerprint->sums[bucket]) != 0 ||
		(pg_atomic_read_u32(&fingerprint_marks(fingerprint, mark)[bucket / 32]) >> (bucket % 32) & 1) != 0;
}

#endif							/* TERRITORY_FINGERPRINT_H */
