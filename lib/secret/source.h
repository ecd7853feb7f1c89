/*
 * Reads a connection string or another secret from its source, and prints help if it is missing.  The password of
 * a connection string goes into a struct secret; the rest, a struct conninfo, is not secret.
 */
#ifndef MIG_SECRET_SOURCE_H
#define MIG_SECRET_SOURCE_H

#include <stdbool.h>

#include "base/bytes.h"
#include "secret/conninfo.h"
#include "secret/secret.h"

/* What a connection needs.  Free with source_free(). */
struct source {
	struct conninfo target;    /* password-free */
	struct secret *password; /* NULL: none given; libpq prompts or uses its password file */
	struct secret *command;  /* the one of cmd:, which source_renew() asks again; NULL: another kind of source */
	bool used;               /* what it printed has been used for a connection */
	bool schema_given;       /* target.schema is that of --schema, whatever the string says */
};

/*
 * Finds the connection string: `word` is the value of -d, or NULL for MIG_DATABASE, else env:DATABASE_URL.  Uses
 * PGPASSWORD if the string has no password.
 *
 * Returns 0, or an exit code with the error reported: MIG_CONFIG (unset, empty, malformed, both a variable and its
 * _FILE variant, a failed command, a secret file that others may read, a password in MIG_DATABASE), MIG_USAGE (-d
 * is malformed or contains a password), MIG_DENIED (a secret file that we may not read); or 128 + N, not reported,
 * if a signal (base/signals.h) ended the reading.
 *
 * `schema` is the value of --schema, or NULL: it takes the place of the string's schema, so that one secret serves for
 * many schemas.  MIG_USAGE if no schema can have that name.
 *
 * This consumes the variable: a second call for the same one finds it unset.
 */
int source_open(struct source *source, const char *word, const char *schema);

/* For the next connection: another schema, which a schema can have as its name (conninfo_schema_rule()). */
void source_use_schema(struct source *source, const char *schema);

/* The same as source_open() for a word of another option; errors name that option. */
int source_open_option(struct source *source, const char *word, const char *option);
/*
 * To be called before each attempt to connect.  A command may print a token that lives for minutes, so from the second attempt on it
 * is asked again, for user and password.  Where it fails, or names another database or server by now, there is a warning and
 * its last answer stays.
 */
void source_renew(struct source *source);
void source_free(struct source *source); /* zeroes and frees the password; {0} is fine */

/* Whether a variable, or its _FILE variant, has a value; does not consume it. */
bool source_is_set(const char *name);

/*
 * Whether the value of -d may be shown and kept in records: NULL, env:NAME and file:PATH may; a command or a
 * string may contain a secret.
 */
bool source_word_is_public(const char *word);

/*
 * Why a word cannot be kept in a list of targets, or NULL: static text that repeats nothing of it.  It must be a word that -d
 * takes, without a password; of a command only what looks like a password is found.
 */
const char *source_word_fault(const char *word);

/*
 * The same for another secret, e.g. a bearer token: the first line of env:NAME (or of the file that NAME_FILE
 * names), file:PATH or cmd:COMMAND.  `what` names it in messages: "bearer token".  The caller frees the result
 * with secret_free().  Returns NULL with the exit code in *code and the error reported on failure.
 */
struct secret *secret_open(const char *word, const char *what, int *code);

/*
 * A secret that is data: env:NAME (or the file that NAME_FILE names), or file:PATH; of a file all of it, at most 16 kB.  Line ends
 * at its end are dropped.  Refuses a variable that is meant for a connection.  Returns NULL on failure, with the exit code
 * in *code and the reason in *why, for the caller to report; and what to do in *next, which may stay empty.
 */
struct secret *secret_value(const char *word, int *code, struct bytes *why, struct bytes *next);

#endif
