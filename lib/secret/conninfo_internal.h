/*
 * Shared by the files that read connection strings (secret/conninfo.h); nobody else includes it.
 */
#ifndef MIG_SECRET_CONNINFO_INTERNAL_H
#define MIG_SECRET_CONNINFO_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "secret/conninfo.h"

#define SHAPE "postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
#define ZERO_RULE "an encoded NUL byte (%00)"
#define COUNT(array) (sizeof(array) / sizeof *(array))

struct parse {
	const char *text;
	size_t start, end;          /* text without the white space around it */
	struct conninfo *target;
	struct conninfo_password *password;
	struct conninfo_error *error;

	bool strict;                /* sslaccept=strict */
	bool host_parameter;        /* ?host= was there */
	size_t port_at;             /* of a ?port= that is another one than the authority's; 0: none */
	bool host_needed;           /* the authority has a user or a port, but no host */
	size_t host_at;             /* where it would stand */
};

/* --- what somebody was to fill in --- */

#define REFERENCE_RULE "an unresolved reference to a variable"
#define REFERENCE_HINT                                                                            \
	"The shell or the platform did not replace it: check the name, and the quotes around it."

/*
 * --- a password in another slot ---
 *
 * What is shown may hold no password, and what a slot holds is shown.  Connection strings of other drivers
 * (`host=...;password=...`), a forgotten ? and a separator that was encoded by mistake leave the password in the
 * host, the user, the database or any parameter; so every slot is looked through before it is copied.
 */

#define SLOT_HINT                                                                                 \
	"The form is " SHAPE "?NAME=VALUE&NAME=VALUE; a character that belongs to a name is percent-encoded."
#define QUOTED_HINT "The form is  host=HOST dbname=NAME user=NAME: blanks between, and quotes around a value with ; or &."
#define KEYWORD_RULE "something like a password in the wrong place"

/* --- parameters: the query of a URL, the words of a keyword string --- */

enum parameter_kind {
	LIBPQ,          /* goes to libpq as it is */
	OURS,           /* means nothing here, or is for us to say */
	HOST,
	PORT,
	USER,
	DATABASE,
	SCHEMA,
	PASSWORD,
	OTHER_SECRET,
	PKCS12,
	SSL,
	SSLMODE,
	SSLACCEPT,
	SECONDS,
	POOLED,
	APPLICATION
};

struct parameter {
	const char *name;
	enum parameter_kind kind;
};

/* --- conninfo_text.c --- */

bool conninfo_fail(struct parse *p, size_t at, const char *rule, const char *hint);
bool conninfo_is_blank(char c);
bool conninfo_is_control(char c);
bool conninfo_is_digit(char c);
bool conninfo_is_letter(char c);
/* The first of `set` in text[start..end), or end. */
size_t conninfo_find(const char *text, size_t start, size_t end, const char *set);
/* The last c in text[start..end), or end. */
size_t conninfo_find_last(const char *text, size_t start, size_t end, char c);
bool conninfo_begins_with(const char *text, size_t start, size_t end, const char *word);
int conninfo_hex_value(char c);
/* The byte that the escape at text[at] stands for, or -1 where it is none. */
int conninfo_escape_value(const char *text, size_t at, size_t end);
/* As URLs are decoded on the web: what is no escape stays as it is. */
size_t conninfo_percent_decode(const char *text, size_t start, size_t end, char *out);
/* A piece of the input that is no secret, decoded; NULL where it has a zero byte.  As in Prisma,
 * what does not decode to UTF-8 stays as it is. */
char *conninfo_decode_part(struct parse *p, size_t start, size_t end);
/* The same for a query, where + is a blank and what is not UTF-8 is mended. */
char *conninfo_decode_query(struct parse *p, size_t start, size_t end);
void conninfo_replace(char **field, char *value);
/* A `$` may be part of any password, but one that is a reference from end to end is none. */
bool conninfo_check_password(struct parse *p, size_t start, size_t end);
bool conninfo_check_no_reference(struct parse *p, size_t start, size_t end);

/* --- conninfo_slots.c --- */

/*
 * The character at text[*at], with escapes resolved however often it was encoded; *at is then behind it.
 */
int conninfo_resolved_char(const char *text, size_t *at, size_t end);
/*
 * text[start..end) as it stands in the string is to become something that is shown.  `raw`: characters that
 * separate in one form or another, which belong to a name only where they are encoded, or in a keyword string quoted.
 */
bool conninfo_check_slot(struct parse *p, size_t start, size_t end, const char *raw);
/* A user `u:secret` comes from an encoded colon. */
bool conninfo_check_user(struct parse *p, size_t start, size_t end);
/* A host list of a keyword string or of ?host=: names, addresses, and directories of sockets. */
bool conninfo_check_host(struct parse *p, const char *value, size_t at);
/* The server would cut a longer one, and look for another schema than it made. */
bool conninfo_check_schema(struct parse *p, const char *value, size_t at);

/* --- conninfo_parameters.c --- */

const struct parameter *conninfo_parameter_find(const char *name, size_t len);
struct conninfo_parameter *conninfo_given(const struct conninfo *target, const char *keyword);
void conninfo_ignore(struct conninfo *target, const char *name);
bool conninfo_is_one_of(const char *value, const char *const words[], size_t count);
/* Takes the value over.  `at` is where the parameter stands, for errors. */
bool conninfo_parameter_set(struct parse *p, const struct parameter *parameter, char *value, size_t at);
/* Of the things that are refused before the value is even copied. */
bool conninfo_check_secret_parameter(struct parse *p, const struct parameter *parameter, size_t at);
/* What several parameters mean together. */
bool conninfo_finish_tls(struct parse *p);

/* --- conninfo_url.c --- */

bool conninfo_parse_url(struct parse *p, size_t start);

/* --- conninfo_keywords.c --- */

size_t conninfo_unescape(const char *text, size_t start, size_t end, char *out);
bool conninfo_parse_keywords(struct parse *p);

#endif
