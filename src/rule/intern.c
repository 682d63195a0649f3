/*
 * intern.c
 *		Numbers expressions, so that equal ones are one.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "nodes/nodeFuncs.h"
#include "utils/datum.h"

#include "rule/build.h"

#define BUCKETS 8192

/*
 * hash_walker adds a node to the hash of an expression; what equal() ignores,
 * it ignores.
 */
static bool
hash_walker(Node *node, void *hash)
{
	uint32		part;

	if (node == NULL)
		return false;
	part = nodeTag(node);
	if (IsA(node, Var))
		part = hash_combine(part, ((Var *) node)->varattno);
	else if (IsA(node, OpExpr))
		part = hash_combine(part, ((OpExpr *) node)->opno);
	else if (IsA(node, FuncExpr))
		part = hash_combine(part, ((FuncExpr *) node)->funcid);
	else if (IsA(node, ScalarArrayOpExpr))
		part = hash_combine(part, ((ScalarArrayOpExpr *) node)->opno);
	else if (IsA(node, Const) && !((Const *) node)->constisnull)
		part = hash_combine(part, datum_image_hash(((Const *) node)->constvalue,
												   ((Const *) node)->constbyval,
												   ((Const *) node)->constlen));
	*(uint32 *) hash = hash_combine(*(uint32 *) hash, part);
	return expression_tree_walker(node, hash_walker, hash);
}

/*
 * intern_init makes an empty table.
 */
void
intern_init(Interned *table)
{
	table->count = 0;
	table->room = 64;
	table->exprs = palloc(table->room * sizeof(Expr *));
	table->hash = palloc(table->room * sizeof(uint32));
	table->next = palloc(table->room * sizeof(int));
	table->bucket = palloc(BUCKETS * sizeof(int));
	for (int i = 0; i < BUCKETS; i++)
		table->bucket[i] = -1;
}

/*
 * intern returns the number of an expression. A new one is not copied: the
 * caller puts a lasting copy into its place.
 */
int
intern(Interned *table, Expr *expr, bool *is_new)
{
	uint32		hash = 0;
	int		   *bucket;
	int			number;

	(void) hash_walker((Node *) expr, &hash);
	bucket = &table->bucket[hash % BUCKETS];
	*is_new = false;
	for (number = *bucket; number >= 0; number = table->next[number])
	{
		if (table->hash[number] == hash && equal(table->exprs[number], expr))
			return number;
	}
	*is_new = true;
	number = table->count++;
	if (number == table->room)
	{
		table->room *= 2;
		table->exprs = repalloc(table->exprs, table->room * sizeof(Expr *));
		table->hash = repalloc(table->hash, table->room * sizeof(uint32));
		table->next = repalloc(table->next, table->room * sizeof(int));
	}
	table->exprs[number] = expr;
	table->hash[number] = hash;
	table->next[number] = *bucket;
	*bucket = number;
	return number;
}
