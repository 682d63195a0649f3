/*
 * input_error.h
 *		What is wrong with a text of one of our types, in words.
 */
#ifndef TERRITORY_TYPE_INPUT_ERROR_H
#define TERRITORY_TYPE_INPUT_ERROR_H

#include "postgres.h"

#include "path/path.h"

/*
 * raise, or save in the error context, what was found at an offset of a text
 * of the type of that name
 */
extern void territory_save_input_error(const char *type, TPathError error, const char *text,
									   Size size, Size offset, struct Node *escontext);

#endif /* TERRITORY_TYPE_INPUT_ERROR_H */
