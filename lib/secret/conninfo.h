/*
 * The grammar of connection strings, as Prisma and hosted platforms write them and as libpq takes
 * them.  The rules are Prisma's (a URL's authority is split at the last `@`; the database name is
 * not decoded; unknown parameters are passed over), see prisma.io/docs "Connection URLs"; keyword
 * strings are libpq's.
 *
 * A target never holds a password: conninfo_parse() says where in the input the password stands, and
 * whoever owns that input (secret/secret.c) puts it into guarded memory.  So a message can only ever show
 * what is in a target.  Nothing of the input is echoed by an error: it names a position and a rule.
 *
 * Where a URL can be read in two ways, one of which would send a piece of the password to a name
 * server or the deploy to another database, it is refused: an `@` behind the host, an empty host
 * (`postgresql://:@:/` is what unresolved references leave), an unresolved `${...}`.
 *
 * And no slot but the password's may hold one: a value with `password=` or the like in it, however encoded, is
 * refused, and so are the separators of other forms (; & ?) where they stand plainly in a value, a colon in the user's
 * name, and in a host whatever no host name has.
 *
 * Pure: no file, no socket, no environment, no message.
 */
#ifndef MIG_SECRET_CONNINFO_H
#define MIG_SECRET_CONNINFO_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

struct conninfo_parameter {
	char *keyword; /* one that libpq knows: "sslmode", "connect_timeout", ... */
	char *value;
};

struct conninfo {
	/* what libpq gets, and what people see; several hosts are lists with commas, as in libpq */
	char *host;     /* NULL: libpq's default */
	char *port;     /* NULL: libpq's default; never with a URL that names a host: "5432" */
	char *user;     /* NULL: libpq's default */
	char *database; /* NULL: libpq's default; libpq must not expand it (PQconnectdbParams: 0) */
	char *schema;   /* Prisma's: of the history, and the search path; NULL: the server's */
	/*
	 * The rest of what goes to libpq, each keyword once.  application_name comes as
	 * fallback_application_name, since the program has one of its own.  sslaccept=strict
	 * becomes sslmode=verify-full and, where no CA is named, sslrootcert=system: that is a
	 * libpq 16 word, an older one needs the path of the system's CA file instead.
	 */
	struct conninfo_parameter *parameters;
	size_t count;
	char **ignored; /* names of parameters that mean nothing here, for -v */
	size_t ignored_count;
	bool is_url;    /* PGOPTIONS, PGTZ and the like do not reach a URL's session */
	bool is_name;   /* a bare word, the name of a database as after psql -d */
	bool pooled;    /* pgbouncer=true was said */

	char *first_host; /* see conninfo_first_host() */
};

struct conninfo_password {
	size_t start, end; /* bytes of the input; start == end: an empty password; see `given` */
	bool given;
	bool encoded; /* percent-encoded: decode with conninfo_decode() */
	bool quoted;  /* a keyword string's value with backslashes or quotes: conninfo_decode() too */
};

struct conninfo_error {
	size_t position;  /* in characters from 1, of the string as it was given; 0: none */
	const char *rule; /* static text: what is wrong there, without a byte of the input */
	const char *hint; /* static text or NULL: what to do, e.g. "write / in a password as %2F" */
};

/*
 * text[0..len) is a URL (postgres:// or postgresql://) or a keyword string.  White space around it
 * is passed over.  Returns true and fills target and password, or false and fills error (target is
 * then empty).  conninfo_free() frees what a target owns and makes it empty.
 */
bool conninfo_parse(const char *text, size_t len, struct conninfo *target,
    struct conninfo_password *password, struct conninfo_error *error);
void conninfo_free(struct conninfo *target);

/* Decodes a password that conninfo_parse() found into out[0..password->end - password->start], a NUL
 * behind it; out is as large as the input part plus one.  Returns the decoded length.  As in
 * Prisma, a percent sign without two hex digits stays, and what does not decode to UTF-8 is taken
 * as it is. */
size_t conninfo_decode(const char *text, const struct conninfo_password *password, char *out);

/* The first host and port for people and records: "db.example.com" and 5432.  A socket directory is
 * a host as well.  Where libpq's default is used: NULL and 0.  The target owns the text. */
const char *conninfo_first_host(const struct conninfo *target);
int conninfo_first_port(const struct conninfo *target);

/*
 * The last net before text about a connection that did not come about is shown, whoever wrote it: where it repeats a
 * host, user, database, schema or service with one of ; & ? = in it, that is cut there.
 */
void conninfo_cut_values(const struct conninfo *target, struct bytes *text);

#endif
