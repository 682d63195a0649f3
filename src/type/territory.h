/*
 * territory.h
 *		The type territory.territory, as the other modules see it.
 *
 * A value is a varlena whose payload is the labels joined by a zero byte,
 * which no label can contain. The payload of the root is empty. Hence bytewise
 * comparison is depth-first tree order under every collation, and the subtree
 * of p is the one contiguous range [p, p || 0x01).
 */
#ifndef TERRITORY_TYPE_H
#define TERRITORY_TYPE_H

#include "postgres.h"

#include "compat.h"
#include "fmgr.h"

typedef struct varlena Territory;

#define DatumGetTerritoryPP(d)	  ((Territory *) PG_DETOAST_DATUM_PACKED(d))
#define PG_GETARG_TERRITORY_PP(n) DatumGetTerritoryPP(PG_GETARG_DATUM(n))
#define TerritoryGetDatum(t)	  PointerGetDatum(t)
#define PG_RETURN_TERRITORY_P(t)  PG_RETURN_POINTER(t)

/* payload and its length in bytes */
#define TERRITORY_DATA(t) VARDATA_ANY(t)
#define TERRITORY_SIZE(t) ((Size) VARSIZE_ANY_EXHDR(t))

/* a new value, palloc'd, of a payload that is known to be well formed */
extern Territory *territory_from_payload(const char *payload, Size size);

/* the text form, palloc'd, for messages and output */
extern char *territory_to_cstring(const Territory *t);

/* the value of a text form; raises or, given an ErrorSaveContext, saves the error and returns NULL */
extern Territory *territory_from_cstring(const char *text, struct Node *escontext);

/* the same of a text of "size" bytes that needs no zero byte behind it */
extern Territory *territory_parse(const char *text, Size size, struct Node *escontext);

/* parent extended by one label of raw text (no quoting); checks the label; NULL parent means root */
extern Territory *territory_child(const Territory *parent, const char *label, Size size);

/* -1, 0, 1 in tree order */
extern int territory_compare(const Territory *a, const Territory *b);

/* is a an ancestor of b, or b itself? */
extern bool territory_contains(const Territory *a, const Territory *b);

/* number of labels; the root has none */
extern int territory_nlevel(const Territory *t);

/* is this the type itself, so that its values may be read by this module? */
extern bool territory_is_type(Oid type);

#endif /* TERRITORY_TYPE_H */
