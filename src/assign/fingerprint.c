/*
 * fingerprint.c
 *		Compares two sets of pairs that do not fit into memory.
 *
 * Multiset hashing (MSet-Add-Hash: Clarke et al., ASIACRYPT 2003). A pair with
 * its rule has a 64-bit hash. Records fall into buckets by their keys; a bucket
 * holds the sum, modulo 2^64, of the hashes of the pairs that the rules give
 * its records, less that of the pairs that are stored. Where both sets are the
 * same, the sum is 0; the order in which either is read does not matter.
 *
 * Where they differ, the sum is 0 all the same, and the difference is missed,
 * with a chance of 2^-64 a bucket, as far as the hash is like a random function:
 * if a thousand runs a second had a thousand such buckets each, one difference
 * in half a million years. The seeds of the hash are drawn for each run, so no
 * data can be made that is missed more often, and the next run finds what one
 * has missed.
 *
 * Memory is bounded: 8 bytes a bucket and two bits, at most 4 million buckets. More
 * records than buckets only mean that more of them are evaluated for a difference.
 *
 * Since a sum does not mind the order of its terms, several processes may add to
 * the same sums, each what it has read.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "common/pg_prng.h"
#include "fmgr.h"
#include "port/pg_bitutils.h"
#include "utils/lsyscache.h"

#include "assign/fingerprint.h"
#include "compat.h"

#define MIN_BUCKETS 1024
#define MAX_BUCKETS (4 * 1024 * 1024)

/* neighbouring integers share cache lines: keys from a sequence come in order */
#define NEIGHBOURS 64

/*
 * bucket_count returns the number of buckets for a number of records, a power of 2.
 */
static uint32
bucket_count(double records)
{
	return pg_nextpower2_32((uint32) Min(Max(records, MIN_BUCKETS), MAX_BUCKETS));
}

/*
 * fingerprint_size returns the bytes of one that is fit for a number of records.
 */
Size
fingerprint_size(double records)
{
	Size		buckets = bucket_count(records);

	return offsetof(Fingerprint, sums) + buckets * sizeof(pg_atomic_uint64) +
		MARKS * (buckets / 32) * sizeof(pg_atomic_uint32);
}

/*
 * fingerprint_init makes an empty one.
 */
void
fingerprint_init(Fingerprint *fingerprint, const ObjectInfo *object, double records, bool shared)
{
	fingerprint->shared = shared;
	fingerprint->typlen = get_typlen(object->key_type);
	fingerprint->mask = bucket_count(records) - 1;
	for (int i = 0; i < lengthof(fingerprint->seeds); i++)
		fingerprint->seeds[i] = pg_prng_uint64(&pg_global_prng_state);
	for (uint32 i = 0; i <= fingerprint->mask; i++)
		pg_atomic_init_u64(&fingerprint->sums[i], 0);
	for (uint32 i = 0; i < MARKS * ((fingerprint->mask + 1) / 32); i++)
		pg_atomic_init_u32(&fingerprint_marks(fingerprint, 0)[i], 0);
}

/*
 * fingerprint_create returns an empty one.
 */
Fingerprint *
fingerprint_create(const ObjectInfo *object, double records)
{
	Fingerprint *fingerprint = palloc(fingerprint_size(records));

	fingerprint_init(fingerprint, object, records, false);
	return fingerprint;
}

/*
 * fingerprint_copy takes over what several processes have added up.
 */
Fingerprint *
fingerprint_copy(const Fingerprint *shared)
{
	Size		size = fingerprint_size((double) shared->mask + 1);
	Fingerprint *copy = palloc(size);

	memcpy(copy, shared, size);
	copy->shared = false;
	return copy;
}

/*
 * mix is a bijection in which each bit of the input decides on each bit of the
 * output (Stafford's variant 13 of the finalizer of MurmurHash3).
 */
static inline uint64
mix(uint64 x)
{
	x = (x ^ (x >> 30)) * UINT64CONST(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64CONST(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/*
 * integer_value returns the value of a key of one of the integer types.
 */
static inline uint64
integer_value(const Fingerprint *fingerprint, Datum key)
{
	switch (fingerprint->typlen)
	{
		case sizeof(int16):
			return (uint64) DatumGetInt16(key);
		case sizeof(int32):
			return (uint64) DatumGetInt32(key);
		default:
			return (uint64) DatumGetInt64(key);
	}
}

/*
 * bytes_hash hashes a key of another type: keys are equal when their bytes are,
 * since their collations are deterministic.
 */
static uint64
bytes_hash(const Fingerprint *fingerprint, Datum key)
{
	struct varlena *value;
	uint64		hash;

	if (fingerprint->typlen > 0)
		return hash_bytes_extended((unsigned char *) DatumGetPointer(key), fingerprint->typlen,
								   fingerprint->seeds[0]);
	value = PG_DETOAST_DATUM_PACKED(key);
	hash = hash_bytes_extended((unsigned char *) VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value),
							   fingerprint->seeds[0]);
	if ((Pointer) value != DatumGetPointer(key))
		pfree(value);
	return hash;
}

/*
 * fingerprint_key returns the place of a record.
 */
FingerprintKey
fingerprint_key(const Fingerprint *fingerprint, Datum key)
{
	FingerprintKey place;
	uint64		value;

	if (fingerprint->typlen < 0 || fingerprint->typlen > (int16) sizeof(int64))
	{
		place.hash = mix(bytes_hash(fingerprint, key));
		place.bucket = (uint32) place.hash & fingerprint->mask;
		return place;
	}
	value = integer_value(fingerprint, key);
	place.hash = mix(value ^ fingerprint->seeds[0]);
	place.bucket = (uint32) (mix(value / NEIGHBOURS ^ fingerprint->seeds[2]) * NEIGHBOURS +
							 value % NEIGHBOURS) & fingerprint->mask;
	return place;
}

/*
 * fingerprint_term returns what a pair adds to the sum of its bucket.
 */
uint64
fingerprint_term(const Fingerprint *fingerprint, FingerprintKey key, int32 node_id, int32 rule_id)
{
	uint64		pair = (uint64) (uint32) node_id << 32 | (uint32) rule_id;

	return mix(key.hash + mix(pair ^ fingerprint->seeds[1]));
}

/*
 * fingerprint_mark marks a bucket.
 */
void
fingerprint_mark(Fingerprint *fingerprint, FingerprintMark mark, uint32 bucket)
{
	pg_atomic_fetch_or_u32(&fingerprint_marks(fingerprint, mark)[bucket / 32], (uint32) 1 << bucket % 32);
}

/*
 * fingerprint_count counts the buckets that differ or have the mark.
 */
uint32
fingerprint_count(Fingerprint *fingerprint, FingerprintMark mark)
{
	uint32		count = 0;

	for (uint32 i = 0; i <= fingerprint->mask; i++)
		count += fingerprint_differs(fingerprint, mark, i);
	return count;
}
