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
	struct sql_token token; /* the token read last */
};

struct words words_of(const char *text, const struct sql_statement *statement);

/* Reads the next token. */
struct sql_token words_next(struct words *words);

/*
 * Each reads on only if the key word, the sign or the phrase (key words with one blank between them) comes next,
 * and returns whether it did.
 */
bool words_take(struct words *words, const char *word);
bool words_take_sign(struct words *words, char sign);
bool words_take_phrase(struct words *words, const char *phrase);

/*
 * Appends a name with its schema, as written but without blanks and comments.  Returns false if there is no name,
 * or if it is U&"...", which the functions of the catalog cannot parse.
 */
bool words_take_name(struct words *words, struct bytes *name);

#endif
