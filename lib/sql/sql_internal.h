/*
 * Shared by the files that read SQL (sql/sql.h); private to them.
 *
 * Three layers.  The lexer finds the end of a token by the rules of PostgreSQL's scan.l.  The splitter
 * (statements.c) reads tokens up to the semicolon that ends a statement.  A reader then matches statements against
 * synopses written as in PostgreSQL's manual, so that the tables show which statements are recognized.
 */
#ifndef MIG_SQL_SQL_INTERNAL_H
#define MIG_SQL_SQL_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "sql/sql.h"

struct sql_reader {
	const char *text;
	size_t end;
	struct sql_token token; /* the next token */
};

/* --- lexer.c --- */

/* As sql_token(), into a place of the caller's: a struct that is returned is copied, which takes as long as most tokens do. */
void sql_token_read(struct sql_token *token, const char *text, size_t len, size_t at);

bool sql_is_digit(char c);
/* Whether a character may start an identifier or the tag of a dollar quote. */
bool sql_is_letter(char c);
char sql_upper(char c);
/* The character at an offset; NUL, which has no meaning in SQL, at and after the end. */
char sql_peek(const char *text, size_t len, size_t at);
/* The offset after the next `c` at or after `at`; len + 1 if there is none. */
size_t sql_behind(const char *text, size_t len, size_t at, char c);
bool sql_same_word(const char *text, const char *word, size_t len);
bool sql_is_sign(const char *text, struct sql_token token, char sign);

/* --- synopsis.c --- */

struct sql_reader sql_reader_at(const char *text, size_t start, size_t end);
void sql_reader_advance(struct sql_reader *r);
bool sql_accept_sign(struct sql_reader *r, char sign);
/* "public"."Order" */
bool sql_accept_name(struct sql_reader *r);
/* Moves to the next comma, or to the parenthesis that closes the current level. */
void sql_skip_to_comma(struct sql_reader *r);
/* (anything in parentheses) */
bool sql_accept_parentheses(struct sql_reader *r);
/*
 * Whether the synopsis comes next; if so, moves the reader past it.  It is written as in the manual: WORD,
 * ONE|OTHER, [optional], and for the variable parts: name, text (a string), (...), *, and end (of the statement).
 * An optional part is always taken if it is there.
 */
bool sql_reader_match(struct sql_reader *r, const char *synopsis);
/*
 * Whether the next word begins with one of these letters.  A cheap first test for scripts with a million INSERTs.
 */
bool sql_begins_with(const struct sql_reader *r, const char *letters);
bool sql_reader_match_any(struct sql_reader *r, const char *const synopses[], size_t count);

#endif
