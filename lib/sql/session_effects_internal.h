/*
 * Shared by the files that implement sql/session_effects.h; private to them.
 */
#ifndef MIG_SQL_SESSION_EFFECTS_INTERNAL_H
#define MIG_SQL_SESSION_EFFECTS_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "sql/session_effects.h"
#include "sql/sql.h"

struct session_words {
	const char *text;
	size_t end;
	struct sql_token token;
};

/* --- session_settings.c --- */

enum { SESSION_SETTING = 256 }; /* bytes of a setting's name */

/* The setting that a SET or RESET names, by its name in pg_settings; "all" for RESET ALL. */
const char *session_setting_of(const char *text, const struct sql_statement *s, struct sql_token name, char *out,
    size_t size);

/* --- session_words.c --- */

struct session_words session_words_of(const char *text, size_t start, size_t end);
void session_next(struct session_words *w);
bool session_is_sign(const struct session_words *w, char sign);
/* A word, name or string without its quotes, in lower case; truncated to size - 1 bytes. */
const char *session_plain(const char *text, struct sql_token token, char *out, size_t size);
bool session_is_word(const char *text, struct sql_token token, const char *word);
bool session_same(const char *text, struct sql_token a, struct sql_token b);
bool session_is_any(const char *word, const char *const list[], size_t count);
/* The last part of a qualified name. */
struct sql_token session_last_part(struct session_words w);
/* Whether a bare word, given in lower case, is among its tokens. */
bool session_has_word(const char *text, const struct sql_statement *s, const char *word);
/* A call: what is called, in lower case; or NULL. */
const char *session_called(const struct session_words *w, char *name, size_t size);

#endif
