/*
 * Reads a statement word by word.
 *
 * Pure.
 */
#ifndef MIG_SQL_WORDS_H
#define MIG_SQL_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "sql/sql.h"

struct words {
	const char *text;
	size_t end;
	struct sql_token token; /* the one read last */
};

struct words words_of(const char *text, const struct sql_statement *statement);

/* The next token. */
struct sql_token words_next(struct words *words);

/* Each reads on only if the key word, the sign or the phrase (key words with a blank between them) comes next. */
bool words_take(struct words *words, const char *word);
bool words_take_sign(struct words *words, char sign);
bool words_take_phrase(struct words *words, const char *phrase);

/*
 * A name with its schema, as written but for blanks and comments; false where there is none, or it is U&"..", which the
 * catalog's functions do not read.
 */
bool words_take_name(struct words *words, struct bytes *name);

#endif
