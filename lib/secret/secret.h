/*
 * Secrets in memory: libsodium's guarded memory (locked, excluded from core files, between guard pages,
 * inaccessible except during use), and wiping of the copies that libraries make.
 *
 * A secret is never in an ordinary buffer, a stdio stream, a local array, a command line or a child's environment.
 * secret/source.h reads secrets.
 */
#ifndef MIG_SECRET_SECRET_H
#define MIG_SECRET_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/* A connection string, a password, a bearer token, the URL of a webhook. */
struct secret;

/*
 * Must be the first statement of every main, even in tools that need no database.  Starts libsodium, forbids core
 * files and tracing by other processes of the same user, and takes DATABASE_URL, SHADOW_DATABASE_URL, PGPASSWORD,
 * MIG_DATABASE and the variables that MIG_DATABASE and argv name (env:NAME) out of the environment block: copies
 * them into guarded memory, overwrites them in place, and unsets them.
 */
void secret_begin(int argc, char *const argv[]);

/*
 * Returns the value that a variable had; the caller owns it.  NULL: it was not set, or was taken before.  Line
 * ends at the end of the value are dropped.
 */
struct secret *secret_take(const char *name);

/* Whether secret_take() would return a value. */
bool secret_is_taken(const char *name);

/* Whether secret_begin() took it, and nobody has it yet: it is meant for a connection. */
bool secret_is_reserved(const char *name);

/* Zeroes and frees all taken variables: for a tool that needs none of them. */
void secret_drop_taken(void);

/*
 * Reads the first line from a descriptor, without its line end.  Returns NULL and errno on failure: EFBIG if it is longer than
 * any connection string, EINTR after a signal, ETIMEDOUT if it has not come by `until`, a clock_now_ms(); 0: no limit.
 */
enum {
	SECRET_TO_THE_END = 1, /* the rest is read too, so that a command does not complain about a closed pipe */
	SECRET_OBJECT = 2,     /* what begins with { is all of it, lines and all */
	SECRET_WHOLE = 4       /* all of it, without the line ends at its end */
};
struct secret *secret_read(int fd, int how, long long until);

/*
 * Prompts on the controlling terminal, without echo, whatever standard input is.  Returns NULL if there is no
 * terminal or nothing was typed.  A signal that arrives during the prompt is raised again after the terminal is
 * restored.
 */
struct secret *secret_ask(const char *prompt);

/*
 * Allocates `size` bytes of guarded, writable memory for building a secret; secret_seal() takes ownership of it.
 * Layout: len bytes and a NUL; if raw_len > 0, then the same secret in the encoded form that other code may have
 * (percent-encoded, quoted), and a NUL.  Fill it byte by byte: memcpy() would leave parts in vector registers,
 * which the next signal or lazily bound call writes to the stack.
 */
char *secret_room(size_t size);
struct secret *secret_seal(char *room, size_t len, size_t raw_len);

/* Zeroes and frees the memory.  NULL is fine. */
void secret_free(struct secret *secret);

size_t secret_length(const struct secret *secret); /* NULL: 0 */

/*
 * Calls `use` with the secret, NUL-terminated and readable only during the call, or with NULL if secret is NULL.
 * Returns the result of `use`.  Do not nest calls.
 */
void *secret_use(struct secret *secret, void *(*use)(const char *text, void *context), void *context);

/*
 * Overwrites every copy of the secret (plain and raw, and what free() leaves of one) in the writable mappings of
 * this process, except its own guarded one.  Call it after each connection attempt, also a failed one, before
 * threads start and large data is loaded.  NULL is fine.
 *
 * Text equal to a name given to secret_spare() is left alone.  A short secret, or one that is part of such a name,
 * is wiped only if it is a whole string.  Without /proc it covers what mappings_writable() (secret/mappings.h)
 * finds; does nothing under a sanitizer.
 */
void secret_scrub(struct secret *secret);

/*
 * Registers a user, host or database name that secret_scrub() must not erase because users are shown it.  NULL is
 * fine.
 */
void secret_spare(const char *text);

/*
 * Scrubs a password that libpq found elsewhere (password file, service file): pass the text that PQpass() returns.
 * Overwrites `text` itself too.  NULL and "" are fine.
 */
void secret_scrub_text(char *text);

#endif
