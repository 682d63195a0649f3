/*
 * label_query.c
 *		Label queries: read, written, evaluated.
 *
 *		query   := operand { ( "&" | "|" ) operand }        & before |
 *		operand := { "!" } ( term | "(" query ")" )
 *
 * A compiled query is the tokens in the order of the text. That is enough to
 * evaluate it from left to right without a stack: what stands left of "&" is
 * false, or left of "|" true, decides all up to a place that is found by
 * counting parentheses. Hence neither reading nor evaluating recurses, and
 * both are linear in the size of the query.
 */
#include "path/term.h"

typedef enum TPathTokenKind
{
	TPATH_TERM, /* a compiled term follows */
	TPATH_OPEN,
	TPATH_CLOSE,
	TPATH_AND,
	TPATH_OR
} TPathTokenKind;

/*
 * A compiled token. Of an opening parenthesis, "enclosing" is the offset of
 * the one around it; that of the outermost ones is TPATH_OUTSIDE.
 */
typedef struct TPathToken
{
	uint32_t enclosing;
	uint8_t kind;
	uint8_t negated; /* of a term and of both parentheses: an odd number of "!" before it */
} TPathToken;

#define TPATH_OUTSIDE UINT32_MAX

/* bytes of a token without padding */
#define TPATH_TOKEN_SIZE (sizeof(uint32_t) + 2)

/* a query that is being read */
typedef struct TPathQueryParser
{
	TPathScanner scanner;
	char *query;
	uint32_t open; /* the innermost parenthesis that is open */
	bool complete; /* behind the last operand */
} TPathQueryParser;

/*
 * tpath_put_token writes a compiled token at "at" and returns its end.
 */
static char *
tpath_put_token(char *at, const TPathToken *token)
{
	memcpy(at, token, TPATH_TOKEN_SIZE);
	return at + TPATH_TOKEN_SIZE;
}

/*
 * tpath_next_token reads the compiled token at "at", and its term if it has
 * one, and returns the end of both.
 */
static const char *
tpath_next_token(const char *at, TPathToken *token, TPathTerm *term)
{
	memcpy(token, at, TPATH_TOKEN_SIZE);
	at += TPATH_TOKEN_SIZE;
	return token->kind == TPATH_TERM ? tpath_read_term(at, term) : at;
}

/*
 * tpath_skip_space passes over white space.
 */
static void
tpath_skip_space(TPathScanner *scanner)
{
	while (scanner->at < scanner->end &&
		   (*scanner->at == ' ' || (*scanner->at >= '\t' && *scanner->at <= '\r')))
		scanner->at++;
}

/*
 * tpath_scan_opening writes an opening parenthesis that was read.
 */
static void
tpath_scan_opening(TPathQueryParser *parser, bool negated)
{
	TPathToken token = { parser->open, TPATH_OPEN, negated };

	parser->open = (uint32_t) (parser->scanner.out - parser->query);
	parser->scanner.out = tpath_put_token(parser->scanner.out, &token);
}

/*
 * tpath_scan_closing writes a closing parenthesis that was read, which is
 * negated as the opening one is.
 */
static TPathError
tpath_scan_closing(TPathQueryParser *parser)
{
	TPathToken token;

	if (parser->open == TPATH_OUTSIDE)
	{
		parser->scanner.at--;
		return TPATH_UNOPENED_PARENTHESIS;
	}
	memcpy(&token, parser->query + parser->open, TPATH_TOKEN_SIZE);
	parser->open = token.enclosing;
	token.kind = TPATH_CLOSE;
	parser->scanner.out = tpath_put_token(parser->scanner.out, &token);
	return TPATH_OK;
}

/*
 * tpath_scan_operand reads all that stands before an operator: "!", opening
 * parentheses, and a term.
 */
static TPathError
tpath_scan_operand(TPathQueryParser *parser)
{
	TPathScanner *scanner = &parser->scanner;
	TPathToken token = { TPATH_OUTSIDE, TPATH_TERM, false };

	for (tpath_skip_space(scanner); scanner->at < scanner->end; tpath_skip_space(scanner))
	{
		if (tpath_takes(scanner, '!'))
			token.negated = !token.negated;
		else if (tpath_takes(scanner, '('))
		{
			tpath_scan_opening(parser, token.negated);
			token.negated = false;
		}
		else
		{
			scanner->out = tpath_put_token(scanner->out, &token);
			return tpath_scan_term(scanner);
		}
	}
	return TPATH_UNEXPECTED_END;
}

/*
 * tpath_scan_operator reads all that stands behind an operand: closing
 * parentheses, and an operator or the end of the text.
 */
static TPathError
tpath_scan_operator(TPathQueryParser *parser)
{
	TPathScanner *scanner = &parser->scanner;
	TPathToken token = { TPATH_OUTSIDE, TPATH_AND, false };

	for (tpath_skip_space(scanner); tpath_takes(scanner, ')'); tpath_skip_space(scanner))
	{
		TPathError error = tpath_scan_closing(parser);

		if (error != TPATH_OK)
			return error;
	}
	parser->complete = scanner->at == scanner->end;
	if (parser->complete)
		return parser->open == TPATH_OUTSIDE ? TPATH_OK : TPATH_UNCLOSED_PARENTHESIS;
	if (tpath_takes(scanner, '|'))
		token.kind = TPATH_OR;
	else if (!tpath_takes(scanner, '&'))
		return TPATH_OPERATOR_EXPECTED;
	scanner->out = tpath_put_token(scanner->out, &token);
	return TPATH_OK;
}

/*
 * tpath_parse_query compiles a text; "query" has room for
 * TPATH_COMPILED_BOUND bytes. On an error, *error_at is the offset of the
 * byte at which it was seen.
 */
TPathError
tpath_parse_query(const char *text, size_t text_size, TPathCharSize char_size, char *query,
				  size_t *size, size_t *error_at)
{
	TPathQueryParser parser = { { text, text + text_size, query, char_size, TPATH_IN_QUERY },
								query,
								TPATH_OUTSIDE,
								false };
	TPathError error;

	do
	{
		error = tpath_scan_operand(&parser);
		if (error == TPATH_OK)
			error = tpath_scan_operator(&parser);
	} while (error == TPATH_OK && !parser.complete);
	*size = parser.scanner.out - query;
	*error_at = parser.scanner.at - text;
	return error;
}

/*
 * tpath_query_text_size returns no fewer bytes than the text form has.
 */
size_t
tpath_query_text_size(const char *query, size_t size)
{
	const char *end = query + size;
	size_t total = 0;

	while (query < end)
	{
		TPathToken token;
		TPathTerm term;

		query = tpath_next_token(query, &token, &term);
		/* an operator has a space on both sides, an operand perhaps a "!" */
		total += 3;
		if (token.kind == TPATH_TERM)
			total += tpath_term_text_size(&term, TPATH_IN_QUERY);
	}
	return total;
}

/*
 * tpath_print_token writes a token and returns the end.
 */
static char *
tpath_print_token(const TPathToken *token, const TPathTerm *term, char *out)
{
	if (token->negated && token->kind != TPATH_CLOSE)
		*out++ = '!';
	switch (token->kind)
	{
		case TPATH_TERM:
			return tpath_print_term(term, TPATH_IN_QUERY, out);
		case TPATH_OPEN:
			*out++ = '(';
			return out;
		case TPATH_CLOSE:
			*out++ = ')';
			return out;
		default:
			*out++ = ' ';
			*out++ = token->kind == TPATH_AND ? '&' : '|';
			*out++ = ' ';
			return out;
	}
}

/*
 * tpath_print_query writes the text form and returns its size, at most what
 * tpath_query_text_size says.
 */
size_t
tpath_print_query(const char *query, size_t size, char *text, size_t text_size)
{
	const char *end = query + size;
	char *out = text;

	while (query < end)
	{
		TPathToken token;
		TPathTerm term;

		query = tpath_next_token(query, &token, &term);
		out = tpath_print_token(&token, &term, out);
	}
	(void) text_size;
	return out - text;
}

/*
 * tpath_skip_decided returns the place up to which the value at hand, of all
 * that stands left of an operator, decides: if it is true, the end of the
 * parenthesis; if it is false, the next "|" in there too.
 */
static const char *
tpath_skip_decided(const char *query, const char *end, bool value)
{
	long depth = 0;

	while (query < end)
	{
		TPathToken token;
		TPathTerm term;
		const char *next = tpath_next_token(query, &token, &term);

		if (depth == 0 && (token.kind == TPATH_CLOSE || (token.kind == TPATH_OR && !value)))
			break;
		depth += (token.kind == TPATH_OPEN) - (token.kind == TPATH_CLOSE);
		query = next;
	}
	return query;
}

/*
 * tpath_evaluate_query returns the value of a query from those of its terms,
 * of which it asks only for what can still decide.
 */
bool
tpath_evaluate_query(const char *query, size_t size, TPathTermValue term_value, void *argument)
{
	const char *end = query + size;
	bool value = false;	  /* of what stands left of here in this parenthesis */
	bool negated = false; /* is this parenthesis, with all around it? */

	while (query < end)
	{
		TPathToken token;
		TPathTerm term;

		query = tpath_next_token(query, &token, &term);
		if (token.kind == TPATH_TERM)
			value = term_value(&term, negated != (token.negated != 0), argument) !=
					(token.negated != 0);
		else if (token.kind == TPATH_OPEN)
			negated ^= token.negated;
		else if (token.kind == TPATH_CLOSE)
		{
			negated ^= token.negated;
			value ^= token.negated;
		}
		else if (value == (token.kind == TPATH_OR))
			query = tpath_skip_decided(query, end, value);
	}
	return value;
}

/*
 * tpath_next_query_term passes over the other tokens.
 */
const char *
tpath_next_query_term(const char *at, const char *end, TPathTerm *term)
{
	while (at < end)
	{
		TPathToken token;

		at = tpath_next_token(at, &token, term);
		if (token.kind == TPATH_TERM)
			return at;
	}
	return NULL;
}

/* a path whose labels are to match the terms of a query */
typedef struct TPathLabels
{
	const char *path;
	size_t size;
	const TPathCallbacks *callbacks;
} TPathLabels;

/*
 * tpath_any_label_matches tells whether a label of the path matches a term.
 */
static bool
tpath_any_label_matches(const TPathTerm *term, bool negated, void *argument)
{
	const TPathLabels *labels = argument;
	size_t at = 0;

	(void) negated;
	labels->callbacks->check_for_interrupts();
	while (at < labels->size)
	{
		const char *label = labels->path + at;
		size_t label_size = tpath_label_size(label, labels->size - at);

		if (tpath_term_matches(term, label, label_size, labels->callbacks))
			return true;
		at += label_size + 1;
	}
	return false;
}

/*
 * tpath_satisfies tells whether a label query is true of a path.
 */
bool
tpath_satisfies(const char *path, size_t path_size, const char *query, size_t size,
				const TPathCallbacks *callbacks)
{
	TPathLabels labels = { path, path_size, callbacks };

	return tpath_evaluate_query(query, size, tpath_any_label_matches, &labels);
}
