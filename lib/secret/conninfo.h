/*
 * Parses connection strings, as Prisma, hosted platforms and libpq write them.  The rules are Prisma's (a URL's
 * authority is split at the last `@`; the database name is not decoded; unknown parameters are ignored), see
 * prisma.io/docs "Connection URLs"; keyword strings follow libpq.
 *
 * A target never contains a password: conninfo_parse() returns the position of the password in the input, and the
 * owner of the input (secret/secret.c) puts it into guarded memory.  So a message can only show what a target
 * contains.  An error never echoes the input: it names a position and a rule.
 *
 * A URL that can be read in two ways is refused if one of them would send a piece of the password to a name server
 * or the deploy to another database: an `@` after the host, an empty host (`postgresql://:@:/` is what unresolved
 * references leave), an unresolved `${...}`.
 *
 * Only the password's slot may contain a password.  A value with `password=` or the like in it, however encoded,
 * is refused.  So are the separators of other forms (; & ?) if they are not encoded, a colon in the user's name,
 * and in a host every character that a host name cannot have.
 *
 * Pure: no file, no socket, no environment, no message.
 */
#ifndef MIG_SECRET_CONNINFO_H
#define MIG_SECRET_CONNINFO_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

struct conninfo_parameter {
	char *keyword; /* a libpq keyword: "sslmode", "connect_timeout", ... */
	char *value;
};

struct conninfo {
	/* passed to libpq and shown to users; several hosts are comma-separated, as in libpq */
	char *host;     /* NULL: libpq's default */
	char *port;     /* NULL: libpq's default; never with a URL that names a host: "5432" */
	char *user;     /* NULL: libpq's default */
	char *database; /* NULL: libpq's default; libpq must not expand it (PQconnectdbParams: 0) */
	char *schema;   /* Prisma's: of the history, and the search path; NULL: the server's */
	/*
	 * The other parameters for libpq, each keyword once.  application_name becomes fallback_application_name,
	 * because the program sets its own.  sslaccept=strict becomes sslmode=verify-full and, if no CA is named,
	 * sslrootcert=system.  That value needs libpq 16; an older libpq needs the path of the system's CA file
	 * instead.
	 */
	struct conninfo_parameter *parameters;
	size_t count;
	char **ignored; /* names of ignored parameters, for -v */
	size_t ignored_count;
	bool is_url;    /* libpq's PGOPTIONS, PGTZ and the like do not apply to a URL */
	bool is_name;   /* a bare word: the name of a database, as in psql -d */
	bool pooled;    /* the string has pgbouncer=true */

	char *first_host; /* see conninfo_first_host() */
};

struct conninfo_password {
	size_t start, end; /* byte range in the input; start == end: an empty password; see `given` */
	bool given;
	bool encoded; /* percent-encoded: decode with conninfo_decode() */
	bool json;    /* of a JSON string: needs conninfo_decode() too */
	bool quoted;  /* a keyword string's value with backslashes or quotes: needs conninfo_decode() too */
};

struct conninfo_error {
	size_t position;  /* in characters from 1, in the string as given; 0: none */
	const char *rule; /* static text: the rule that is broken; never contains input */
	const char *hint; /* static text or NULL: what to do, e.g. "write / in a password as %2F" */
};

/*
 * Parses text[0..len): a URL (postgres:// or postgresql://), a keyword string, or a JSON object as secret managers write it,
 * which must have a host and a user; ignores white space around it.
 * Returns true and fills target and password, or false and fills error (target is then empty).  conninfo_free()
 * frees the contents of a target and empties it.
 */
bool conninfo_parse(const char *text, size_t len, struct conninfo *target,
    struct conninfo_password *password, struct conninfo_error *error);
void conninfo_free(struct conninfo *target);

/* Why no schema of ours can have this name, or NULL: static text. */
const char *conninfo_schema_rule(const char *name);

/*
 * Decodes a password found by conninfo_parse() into out, NUL-terminated.  out must have room for the length in the
 * input plus one.  Returns the decoded length.  As in Prisma, a percent sign without two hex digits is kept, and
 * bytes that do not decode to UTF-8 are taken as is.
 */
size_t conninfo_decode(const char *text, const struct conninfo_password *password, char *out);

/*
 * The first host and port, for messages and records: "db.example.com" and 5432.  A socket directory counts as a
 * host.  NULL and 0 if libpq's default is used.  The target owns the text.
 */
const char *conninfo_first_host(const struct conninfo *target);
int conninfo_first_port(const struct conninfo *target);

/*
 * Last safeguard before text about a failed connection is shown, whoever wrote it: if the text repeats a host,
 * user, database or schema that contains one of ; & ? =, that value is truncated there; a service, or a value in
 * options=, is not shown at all.
 */
void conninfo_cut_values(const struct conninfo *target, struct bytes *text);

#endif
