/*
 * Where a connection string or another secret comes from, and the pages that say what is missing.
 * A string's password goes into a struct secret; the rest, a struct conninfo, may be seen by anyone.
 */
#ifndef MIG_SECRET_SOURCE_H
#define MIG_SECRET_SOURCE_H

#include <stdbool.h>

#include "secret/conninfo.h"
#include "secret/secret.h"

/* What a connection needs.  Free with source_free(). */
struct source {
	struct conninfo target;    /* password-free */
	struct secret *password; /* NULL: none was given; libpq asks or has its password file */
};

/*
 * Finds the connection string: `word` is what -d said, or NULL: then MIG_DATABASE, else
 * env:DATABASE_URL.  A password of PGPASSWORD is taken where the string has none.
 *
 * Returns 0, or an exit code once the error has been said: MIG_CONFIG (unset, empty, malformed,
 * both a variable and its _FILE twin, a failed command, a secret file that others may read, a
 * password in MIG_DATABASE), MIG_USAGE (-d is malformed or has a password in it), MIG_DENIED (a
 * secret file that we may not read); or 128 + N, unsaid, when a signal (base/signals.h) ended the reading.
 *
 * What a variable held is used up by this: a second call for the same one finds it unset.
 */
int source_open(struct source *source, const char *word);

/* The same where another option had the word; errors name that. */
int source_open_option(struct source *source, const char *word, const char *option);
void source_free(struct source *source); /* gives the password back, zeroed; {0} is fine */

/* Whether a variable, or its _FILE twin, holds something; it is not used up. */
bool source_is_set(const char *name);

/* Whether what -d said may be shown and kept in records: NULL, env:NAME and file:PATH; a command or string may hold a secret. */
bool source_word_is_public(const char *word);

/*
 * The same for another secret, e.g. a bearer token: the first line of env:NAME (or of the file that
 * NAME_FILE names), file:PATH or cmd:COMMAND.  `what` names it in messages: "bearer token".
 * Returns NULL and the exit code in *code once the error has been said.
 */
struct secret *secret_open(const char *word, const char *what, int *code);

#endif
