/*
 * The connection string in memory: where it comes from, and who may read it.
 *
 * The string lives in libsodium's guarded memory (sodium_malloc: locked, left out of core files,
 * guard pages around it, no access but while it is used) and never in an ordinary buffer, a stdio
 * stream, a local array, a command line or a child's environment.  database.c is the only reader.
 */
#ifndef MIG_SECRET_H
#define MIG_SECRET_H

#include <stdbool.h>

#include "target.h"

/*
 * The first statement of every main, also of tools that need no database: starts libsodium, forbids
 * core files and tracing by other processes of the same user, and takes DATABASE_URL, PGPASSWORD,
 * MIG_DATABASE and the variables that MIG_DATABASE and argv name (env:NAME) out of the environment
 * block: they are copied into guarded memory, overwritten in place, and unset.  source_open() and
 * secret_open() find them there.
 */
void secret_begin(int argc, char *const argv[]);

/*
 * A password, a bearer token, the URL of a webhook, in guarded memory.  Opaque.
 */
struct secret;

/* What a connection needs.  Free with source_free(). */
struct source {
	struct target target;      /* password-free */
	struct secret *password;   /* NULL: none was given; libpq asks or has its password file */
};

/*
 * Finds the connection string: `word` is what -d said, or NULL: then MIG_DATABASE, else
 * env:DATABASE_URL.  A password of PGPASSWORD is taken where the string has none.
 *
 * Returns 0, or an exit code once the error has been said: MIG_CONFIG (unset, empty, malformed,
 * both a variable and its _FILE twin, a failed command, a secret file that others may read, a
 * password in MIG_DATABASE), MIG_USAGE (-d is malformed or has a password in it), MIG_DENIED (a
 * secret file that we may not read).
 *
 * What a variable held is used up by this: a second call for the same one finds it unset.
 */
int source_open(struct source *source, const char *word);
void source_free(struct source *source);   /* gives the password back, zeroed; {0} is fine */

/*
 * The same for another secret, e.g. a bearer token: the first line of env:NAME (or of the file that
 * NAME_FILE names), file:PATH or cmd:COMMAND.  `what` names it in messages: "bearer token".
 * Returns NULL and the exit code in *code once the error has been said.
 */
struct secret *secret_open(const char *word, const char *what, int *code);

/*
 * Asks on the terminal of the process, without echo, whatever its standard input is.  NULL where
 * there is no terminal or nothing was typed.  A signal that comes meanwhile is raised again once
 * the terminal is as it was.
 */
struct secret *secret_ask(const char *prompt);

/*
 * Calls `use` with the secret readable for the time of the call, as text with a NUL behind it, or
 * with NULL where secret is NULL.  Whatever `use` returns is returned.
 */
void *secret_use(
    struct secret *secret, void *(*use)(const char *text, void *context), void *context);

/*
 * Overwrites every copy of the secret (plain and percent-encoded, and what free() leaves of one) in
 * the writable mappings of this process, but its own guarded one.  To be called after each
 * connection attempt, also a failed one, before threads are started and large data is loaded.
 *
 * What equals a user, host or database that was shown is left alone; what is short or part of such
 * a name is wiped where it is a whole string.  Does nothing where /proc is missing, or under a
 * sanitizer.
 */
void secret_scrub(struct secret *secret);

/* The same for a password that libpq found elsewhere (password file, service file): takes the text
 * that PQpass() shows, scrubs, and leaves nothing; `text` itself is overwritten.  NULL and "" are
 * fine. */
void secret_scrub_text(char *text);

/* Zeroes and gives the memory back.  NULL is fine. */
void secret_free(struct secret *secret);

#endif
