/*
 * Shared by the files that read SQL (sql/sql.h); nobody else includes it.
 *
 * Three layers, each a page or two.  The lexer says where a token ends, by the rules of PostgreSQL's scan.l.  The
 * splitter (statements.c) walks tokens to the semicolon that ends a statement.  A reader then matches statements
 * against synopses written as in PostgreSQL's manual; whoever wants to know which statements we take for what has only
 * the tables to read.
 */
#ifndef MIG_SQL_SQL_INTERNAL_H
#define MIG_SQL_SQL_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "sql/sql.h"

struct sql_reader {
	const char *text;
	size_t end;
	struct sql_token token; /* the one that comes next */
};

/* --- lexer.c --- */

bool sql_is_digit(char c);
/* What may start an identifier, or the tag of a dollar quote. */
bool sql_is_letter(char c);
char sql_upper(char c);
/* The character at an offset; a NUL, which means nothing in SQL, behind the end. */
char sql_peek(const char *text, size_t len, size_t at);
/* Behind the next `c` at or after `at`; len + 1 where there is none. */
size_t sql_behind(const char *text, size_t len, size_t at, char c);
bool sql_same_word(const char *text, const char *word, size_t len);
bool sql_is_sign(const char *text, struct sql_token token, char sign);

/* --- synopsis.c --- */

struct sql_reader sql_reader_at(const char *text, size_t start, size_t end);
void sql_reader_advance(struct sql_reader *r);
bool sql_accept_sign(struct sql_reader *r, char sign);
/* "public"."Order" */
bool sql_accept_name(struct sql_reader *r);
/* Goes to the next comma, or to the parenthesis that closes what the reader stands in. */
void sql_skip_to_comma(struct sql_reader *r);
/* (anything in parentheses) */
bool sql_accept_parentheses(struct sql_reader *r);
/*
 * Whether a synopsis comes next; if so, the reader goes behind it.  It is written as in the manual:
 * WORD, ONE|OTHER, [may be missing], and for what varies: name, text (a string), (...), *, and end
 * (of the statement).  An optional part is taken whenever it is there.
 */
bool sql_reader_match(struct sql_reader *r, const char *synopsis);
/* Whether a word with one of these letters comes next; scripts of a million INSERTs ask it before anything else. */
bool sql_begins_with(const struct sql_reader *r, const char *letters);
bool sql_reader_match_any(struct sql_reader *r, const char *const synopses[], size_t count);

#endif
