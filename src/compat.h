/*
 * compat.h
 *		Every difference between the PostgreSQL versions that we support, 15 to 18.
 *
 * Code is written for the newest server; this header gives older ones the
 * newer names. No other file looks at PG_VERSION_NUM.
 */
#ifndef TERRITORY_COMPAT_H
#define TERRITORY_COMPAT_H

#include "postgres.h"

#if PG_VERSION_NUM < 150000
#error "territory needs PostgreSQL 15 or newer"
#endif

#include "mb/pg_wchar.h"
#include "nodes/nodes.h"

/*
 * The macros for variable-length values have a header of their own (16).
 */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/*
 * Soft errors (16): input functions report through an error context. Before
 * 16 there is none, and every error is a hard one.
 */
#if PG_VERSION_NUM < 160000
#define ereturn(escontext, dummy_value, ...) \
	do { (void) (escontext); ereport(ERROR, __VA_ARGS__); return dummy_value; } while (0)
#define errsave(escontext, ...) \
	do { (void) (escontext); ereport(ERROR, __VA_ARGS__); } while (0)
#define SOFT_ERROR_OCCURRED(escontext) (false)
#else
#include "nodes/miscnodes.h"
#endif

/*
 * Checks of ownership and rights went from one function a kind of object to one
 * for all (16).
 */
#include "utils/acl.h"
#if PG_VERSION_NUM < 160000
#define territory_owns_relation(relid, role) pg_class_ownercheck(relid, role)
#define territory_owns_extension(oid, role) pg_extension_ownercheck(oid, role)
#define territory_may_execute(oid, role) (pg_proc_aclcheck(oid, role, ACL_EXECUTE) == ACLCHECK_OK)
#else
#include "catalog/pg_class.h"
#include "catalog/pg_extension.h"
#define territory_owns_relation(relid, role) object_ownercheck(RelationRelationId, relid, role)
#include "catalog/pg_proc.h"
#define territory_owns_extension(oid, role) object_ownercheck(ExtensionRelationId, oid, role)
#define territory_may_execute(oid, role) \
	(object_aclcheck(ProcedureRelationId, oid, role, ACL_EXECUTE) == ACLCHECK_OK)
#endif

/*
 * The width of a character that never passes the end of the text. The
 * server's pg_mblen_with_len does the same, but minor releases before 18.2,
 * 17.8, 16.12 and 15.16 have no such symbol to load.
 */
static inline Size
territory_mblen(const char *at, Size limit)
{
	int			width = pg_encoding_mblen(GetDatabaseEncoding(), at);

	return width < 1 ? 1 : Min((Size) width, limit);
}

/*
 * The backend's local transaction id moved into a struct (17).
 */
#include "storage/proc.h"
#if PG_VERSION_NUM < 170000
#define territory_lxid() (MyProc->lxid)
#else
#define territory_lxid() (MyProc->vxid.lxid)
#endif

/*
 * build_attrmap_by_name_if_req takes a missing_ok (16).
 */
#include "access/attmap.h"
#if PG_VERSION_NUM < 160000
#define territory_build_attrmap(in, out) build_attrmap_by_name_if_req(in, out)
#else
#define territory_build_attrmap(in, out) build_attrmap_by_name_if_req(in, out, false)
#endif

/*
 * RelationGetPrimaryKeyIndex takes a deferrable_ok (18).
 */
#include "utils/relcache.h"
#if PG_VERSION_NUM < 180000
#define territory_primary_key(rel) RelationGetPrimaryKeyIndex(rel)
#else
#define territory_primary_key(rel) RelationGetPrimaryKeyIndex(rel, false)
#endif

/*
 * Generated columns that are not stored (18): a trigger's row lacks them.
 */
#include "catalog/pg_attribute.h"
#if PG_VERSION_NUM < 180000
#define territory_is_virtual(attribute) (false)
#else
#define territory_is_virtual(attribute) ((attribute)->attgenerated == ATTRIBUTE_GENERATED_VIRTUAL)
#endif

/*
 * pq_sendcountedtext lost its flag (17): whether the count includes itself.
 */
#if PG_VERSION_NUM < 170000
#define territory_sendcountedtext(buf, text, size) pq_sendcountedtext(buf, text, size, false)
#else
#define territory_sendcountedtext(buf, text, size) pq_sendcountedtext(buf, text, size)
#endif

/*
 * A btree returns rows in its order although a column but the first one is
 * compared with an array (17). Before, the planner has to know of the array,
 * which it does not if a support function made the condition.
 */
#if PG_VERSION_NUM < 170000
#define territory_arrays_keep_order (false)
#else
#define territory_arrays_keep_order (true)
#endif

/*
 * vacuum_delay_point wants to know whether it is ANALYZE that calls (18).
 */
#include "commands/vacuum.h"
#if PG_VERSION_NUM < 180000
#define territory_analyze_delay_point() vacuum_delay_point()
#else
#define territory_analyze_delay_point() vacuum_delay_point(true)
#endif

/*
 * Asks the processor for memory that is read soon; a hint that compilers without
 * it can do without.
 */
#if defined(__GNUC__) || defined(__clang__)
#define territory_prefetch(address) __builtin_prefetch(address)
#else
#define territory_prefetch(address) ((void) 0)
#endif

/*
 * What an operator means in the operator families of orders: btree strategies
 * became comparisons of any ordered access method (18), with the same numbers.
 */
#include "utils/lsyscache.h"
#define TERRITORY_ORDER_NE 6
#if PG_VERSION_NUM < 180000
typedef OpBtreeInterpretation TerritoryOrder;
#define territory_order_interpretation(opno) get_op_btree_interpretation(opno)
#define territory_order_strategy(found) ((int) (found)->strategy)
#else
typedef OpIndexInterpretation TerritoryOrder;
#define territory_order_interpretation(opno) get_op_index_interpretation(opno)
#define territory_order_strategy(found) ((int) (found)->cmptype)
#endif

/*
 * index_beginscan takes a place for its instrumentation (18).
 */
#include "access/genam.h"
#if PG_VERSION_NUM < 180000
#define territory_index_beginscan(heap, index, snapshot, nkeys) \
	index_beginscan(heap, index, snapshot, nkeys, 0)
#else
#define territory_index_beginscan(heap, index, snapshot, nkeys) \
	index_beginscan(heap, index, snapshot, NULL, nkeys, 0)
#endif

/*
 * An update says of which indexes it needs new entries (16): of those that
 * summarize blocks alone, or of all.
 */
#include "access/tableam.h"
#include "executor/executor.h"
#if PG_VERSION_NUM < 160000
typedef bool TU_UpdateIndexes;

#define TU_None false
#define TU_All true
#define territory_insert_index_tuples(result, slot, estate, which) \
	((void) ExecInsertIndexTuples(result, slot, estate, false, false, NULL, NIL))
#else
#define territory_insert_index_tuples(result, slot, estate, which) \
	((void) ExecInsertIndexTuples(result, slot, estate, false, false, NULL, NIL, (which) == TU_Summarizing))
#endif

/*
 * LockHeldByMe can be asked for stronger modes as well (17).
 */
#include "storage/lock.h"
#if PG_VERSION_NUM < 170000
#define territory_lock_held(tag, mode) LockHeldByMe(tag, mode)
#else
#define territory_lock_held(tag, mode) LockHeldByMe(tag, mode, false)
#endif

#endif							/* TERRITORY_COMPAT_H */
