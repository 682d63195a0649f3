/*
 * text_type.h
 *		The types that have a text form: paths, patterns and label queries.
 *
 * What they have in common is here: text form to value and back, the binary
 * form (one byte, the version, and then the text form), and what is said of a
 * bad text.
 */
#ifndef TERRITORY_TYPE_TEXT_TYPE_H
#define TERRITORY_TYPE_TEXT_TYPE_H

#include "postgres.h"

#include "compat.h"
#include "fmgr.h"
#include "path/path.h"

/* what differs between them */
typedef struct TextType
{
	const char *name;

	/* bytes of a text at the most, and of the value that a text gives */
	Size max_text;
	Size (*room)(Size text_size);

	/* as src/path has it */
	TPathError (*parse)(const char *text, size_t text_size, TPathCharSize char_size, char *payload,
						size_t *size, size_t *error_at);
	size_t (*text_size)(const char *payload, size_t size);
	size_t (*print)(const char *payload, size_t size, char *text, size_t text_size);

	/* what the user can do about an error of syntax */
	const char *(*advice)(TPathError error);
} TextType;

extern const TextType territory_path_type;
extern const TextType territory_pattern_type;
extern const TextType territory_label_query_type;

/*
 * The value of a text, palloc'd. What is wrong with the text is raised or,
 * given an ErrorSaveContext, saved there, and NULL is returned.
 */
extern struct varlena *text_type_parse(const TextType *type, const char *text, Size size,
									   struct Node *escontext);

/* the text form of a value, palloc'd, with a zero byte behind it */
extern char *text_type_print(const TextType *type, const struct varlena *value);

/* the four functions that SQL has for a type */
extern Datum text_type_in(FunctionCallInfo fcinfo, const TextType *type);
extern Datum text_type_out(FunctionCallInfo fcinfo, const TextType *type);
extern Datum text_type_recv(FunctionCallInfo fcinfo, const TextType *type);
extern Datum text_type_send(FunctionCallInfo fcinfo, const TextType *type);

/* report what was found at an offset of a text */
extern void text_type_save_error(const TextType *type, TPathError error, const char *text,
								 Size size, Size offset, struct Node *escontext);

/* advice for paths, and for patterns and label queries */
extern const char *text_type_path_advice(TPathError error);
extern const char *text_type_query_advice(TPathError error);

#endif /* TERRITORY_TYPE_TEXT_TYPE_H */
