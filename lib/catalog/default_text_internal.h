/*
 * Shared by the files that read a default (catalog/default_text.h); nobody else includes it.
 */
#ifndef MIG_CATALOG_DEFAULT_TEXT_INTERNAL_H
#define MIG_CATALOG_DEFAULT_TEXT_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "catalog/catalog.h"
#include "catalog/default_text.h"

enum default_token_kind { END, STRING, ESCAPED, QUOTED, CAST, DIGITS, WORD, SIGN, BAD };

struct default_token {
	enum default_token_kind kind;
	size_t start, end;
};

struct default_parser {
	struct catalog *catalog;
	const char *text;
	struct default_token token;       /* the one that comes next */
};

/* --- default_lexer.c: default_take_*() and default_skip_*() read on, the others only look --- */

/* Behind a literal that begins at `at` with its quote; 0: it does not end.  `escapes`: a backslash takes the next along. */
size_t default_behind_quotes(const char *text, size_t at, char quote, bool escapes, bool doubled);

struct default_parser default_parser_of(struct catalog *catalog, const char *text);
struct default_token default_next(struct default_parser *p);
bool default_is_sign(const struct default_parser *p, char sign);
bool default_take_sign(struct default_parser *p, char sign);
bool default_is_word(const struct default_parser *p, struct default_token token, const char *word);
/* A copy of a part of the text, which the caller frees. */
char *default_part(const struct default_parser *p, size_t start, size_t end);
/* Behind an opening bracket, to its end. */
bool default_skip_bracket(struct default_parser *p);
/* ::name, ::"schema".name, ::character varying(3), ::name[]; or nothing. */
void default_skip_cast(struct default_parser *p);

/* --- default_literals.c --- */

/* A string literal with the cast behind it; its value is the caller's.  NULL: there is none, and nothing is read. */
char *default_take_string(struct default_parser *p);
char *default_integer_of_text(const char *text);
/* The value of a literal of a family, the caller's; NULL: it is none. */
char *default_take_integer(struct default_parser *p);
char *default_take_decimal(struct default_parser *p);
char *default_take_boolean(struct default_parser *p);
/* '\x4869' → 4869 */
char *default_take_bytes(struct default_parser *p);
char *default_take_enum(struct default_parser *p);

#endif
