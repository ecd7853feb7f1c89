/*
 * A secret in memory: libsodium's guarded memory (locked, left out of core files, guard pages around
 * it, no access but while it is used), and the wiping of the copies that others make of it.
 *
 * A secret is never in an ordinary buffer, a stdio stream, a local array, a command line or a child's
 * environment.  Where it comes from is secret/source.h's concern.
 */
#ifndef MIG_SECRET_SECRET_H
#define MIG_SECRET_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/* A connection string, a password, a bearer token, the URL of a webhook. */
struct secret;

/*
 * The first statement of every main, also of tools that need no database: starts libsodium, forbids
 * core files and tracing by other processes of the same user, and takes DATABASE_URL, SHADOW_DATABASE_URL,
 * PGPASSWORD, MIG_DATABASE and the variables that MIG_DATABASE and argv name (env:NAME) out of the environment
 * block: they are copied into guarded memory, overwritten in place, and unset.
 */
void secret_begin(int argc, char *const argv[]);

/* What a variable held, now the caller's; NULL: it was not set, or was asked for before.  Line ends
 * behind it do not count. */
struct secret *secret_take(const char *name);

/* Whether a variable holds something, which secret_take() then gives. */
bool secret_is_taken(const char *name);

/* Zeroes and gives back all that was taken: for a tool that needs none of it. */
void secret_drop_taken(void);

/*
 * The first line that a descriptor gives, without its end.  Reads on `to_the_end`, so that a command
 * need not complain of a closed pipe.  NULL and errno, which is EFBIG where the line is longer than any
 * connection string, and EINTR after a signal.
 */
struct secret *secret_read(int fd, bool to_the_end);

/*
 * Asks on the terminal of the process, without echo, whatever its standard input is.  NULL where
 * there is no terminal or nothing was typed.  A signal that comes meanwhile is raised again once
 * the terminal is as it was.
 */
struct secret *secret_ask(const char *prompt);

/*
 * Makes a secret by hand: guarded memory that can be written, until secret_seal() takes it over.  It
 * holds len bytes and a NUL, and where raw_len > 0 then the same as others may hold it (percent-encoded,
 * quoted), and a NUL.  Fill it byte by byte: memcpy() would leave parts in vector registers, which the
 * next signal or lazily bound call puts on the stack.
 */
char *secret_room(size_t size);
struct secret *secret_seal(char *room, size_t len, size_t raw_len);

/* Zeroes and gives the memory back.  NULL is fine. */
void secret_free(struct secret *secret);

size_t secret_length(const struct secret *secret); /* NULL: 0 */

/*
 * Calls `use` with the secret readable for the time of the call, as text with a NUL behind it, or
 * with NULL where secret is NULL.  Whatever `use` returns is returned.  Not from within itself.
 */
void *secret_use(struct secret *secret, void *(*use)(const char *text, void *context), void *context);

/*
 * Overwrites every copy of the secret (plain and raw, and what free() leaves of one) in the writable
 * mappings of this process, but its own guarded one.  To be called after each connection attempt, also
 * a failed one, before threads are started and large data is loaded.  NULL is fine.
 *
 * What equals a text that secret_spare() named is left alone; what is short or part of one is wiped
 * where it is a whole string.  Where /proc is missing it looks where mappings_writable()
 * (secret/mappings.h) can; does nothing under a sanitizer.
 */
void secret_scrub(struct secret *secret);

/* A user's, host's or database's name, which people are shown; NULL is fine. */
void secret_spare(const char *text);

/* Scrubs a password that libpq found elsewhere (password file, service file): takes the text that
 * PQpass() shows, and leaves nothing; `text` itself is overwritten.  NULL and "" are fine. */
void secret_scrub_text(char *text);

#endif
