/*
 * fuzz.h
 *		What the fuzz targets share: memory of exact sizes, the parts of an
 *		input, encodings and callbacks.
 *
 * A target is a file with a function LLVMFuzzerTestOneInput; libFuzzer brings
 * the rest of the program. It ends the program where a property of src/path
 * does not hold, and the sanitizers do where a byte too many is read.
 */
#ifndef TERRITORY_FUZZ_H
#define TERRITORY_FUZZ_H

#include "path/query.h"

#define REQUIRE(condition) ((condition) ? (void) 0 : fuzz_fail(__FILE__, __LINE__, #condition))

/* bytes of any kind: a text, a payload, a label, something compiled */
typedef struct Bytes
{
	const char *data;
	size_t size;
} Bytes;

/* what libFuzzer calls */
extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern void fuzz_fail(const char *file, int line, const char *condition);

/* memory up to the end of this input, of which no byte too many can be used */
extern void *fuzz_allocate(size_t size);
extern Bytes fuzz_copy(const void *data, size_t size);
extern void fuzz_release(void);

extern bool fuzz_same(Bytes a, Bytes b);
extern Bytes fuzz_take_line(Bytes *rest);

/* the encoding of all texts, which is UTF-8 unless a target says otherwise */
extern TPathCharSize fuzz_char_size;
extern size_t fuzz_utf8_char(const char *at, size_t limit);
extern size_t fuzz_single_byte_char(const char *at, size_t limit);

/* as the server's where all is ASCII */
extern const TPathCallbacks fuzz_callbacks;

/* the functions of path.h, with memory of exactly the size that they are to have */
extern bool fuzz_parse_path(Bytes text, Bytes *payload);
extern Bytes fuzz_print_path(Bytes payload);

#endif /* TERRITORY_FUZZ_H */
