/*
 * Shared by the files that parse a default (catalog/default_text.h); private to them.
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
	struct default_token token;       /* the next token */
};

/* --- default_lexer.c: default_take_*() and default_skip_*() advance, the others do not --- */

/*
 * The offset after a literal that begins at `at` with its quote; 0 if it is not closed.  `escapes`: a backslash
 * escapes the next character.
 */
size_t default_behind_quotes(const char *text, size_t at, char quote, bool escapes, bool doubled);

struct default_parser default_parser_of(struct catalog *catalog, const char *text);
struct default_token default_next(struct default_parser *p);
bool default_is_sign(const struct default_parser *p, char sign);
bool default_take_sign(struct default_parser *p, char sign);
bool default_is_word(const struct default_parser *p, struct default_token token, const char *word);
/* A copy of a part of the text, which the caller frees. */
char *default_part(const struct default_parser *p, size_t start, size_t end);
/* Skips to the matching bracket, from after the opening one. */
bool default_skip_bracket(struct default_parser *p);
/* Skips ::name, ::"schema".name, ::character varying(3), ::name[]; or nothing. */
void default_skip_cast(struct default_parser *p);

/* --- default_literals.c --- */

/*
 * Reads a string literal and the cast after it; the caller frees the value.  Returns NULL and reads nothing if
 * there is none.
 */
char *default_take_string(struct default_parser *p);
char *default_integer_of_text(const char *text);
/* Read a literal of one family; the caller frees the value.  Return NULL if it is not one. */
char *default_take_integer(struct default_parser *p);
char *default_take_decimal(struct default_parser *p);
char *default_take_boolean(struct default_parser *p);
/* '\x4869' → 4869 */
char *default_take_bytes(struct default_parser *p);
char *default_take_enum(struct default_parser *p);

#endif
