/*
 * Shared by the files that parse connection strings (secret/conninfo.h); private to them.
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
	size_t port_at;             /* of a ?port= that differs from the authority's; 0: none */
	bool host_needed;           /* the authority has a user or a port, but no host */
	size_t host_at;             /* where the host would be */
};

/* --- unresolved placeholders --- */

#define REFERENCE_RULE "an unresolved reference to a variable"
#define REFERENCE_HINT                                                                            \
	"The shell or the platform did not replace it: check the name, and the quotes around it."

/*
 * --- a password in another slot ---
 *
 * Every slot except the password's is shown to users, so none may contain a password.  Connection strings of other
 * drivers (`host=...;password=...`), a missing ? or a separator encoded by mistake put the password into the host,
 * the user, the database or a parameter.  So every slot is checked before it is copied.
 */

#define SLOT_HINT                                                                                 \
	"The form is " SHAPE "?NAME=VALUE&NAME=VALUE; a character that belongs to a name is percent-encoded."
#define QUOTED_HINT "The form is  host=HOST dbname=NAME user=NAME: blanks between, and quotes around a value with ; or &."
#define KEYWORD_RULE "something like a password in the wrong place"

/* --- parameters: the query of a URL, the words of a keyword string --- */

enum parameter_kind {
	LIBPQ,          /* passed to libpq as is */
	OURS,           /* ignored, or handled by us */
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
/* The first byte of text[start..end) that is in `set`, or end. */
size_t conninfo_find(const char *text, size_t start, size_t end, const char *set);
/* The last c in text[start..end), or end. */
size_t conninfo_find_last(const char *text, size_t start, size_t end, char c);
bool conninfo_begins_with(const char *text, size_t start, size_t end, const char *word);
int conninfo_hex_value(char c);
/* The byte that the escape at text[at] stands for, or -1 if it is not an escape. */
int conninfo_escape_value(const char *text, size_t at, size_t end);
/* Decodes like web browsers: what is not an escape is kept. */
size_t conninfo_percent_decode(const char *text, size_t start, size_t end, char *out);
/*
 * A part of the input that is not secret, decoded; NULL if it has a zero byte.  As in Prisma, bytes that do not
 * decode to UTF-8 are kept.  The caller frees it.
 */
char *conninfo_decode_part(struct parse *p, size_t start, size_t end);
/* The same for a query: + is a blank, and invalid UTF-8 is repaired. */
char *conninfo_decode_query(struct parse *p, size_t start, size_t end);
void conninfo_replace(char **field, char *value);
/* A `$` may be part of a password, but a value that is one whole reference is refused. */
bool conninfo_check_password(struct parse *p, size_t start, size_t end);
bool conninfo_check_no_reference(struct parse *p, size_t start, size_t end);

/* --- conninfo_slots.c --- */

/* The character at text[*at], with all levels of encoding resolved; moves *at past it. */
int conninfo_resolved_char(const char *text, size_t *at, size_t end);
/*
 * Checks text[start..end) before it becomes something that is shown.  `raw`: characters that are separators in one
 * of the forms; they belong to a name only if they are encoded, or quoted in a keyword string.
 */
bool conninfo_check_slot(struct parse *p, size_t start, size_t end, const char *raw);
/* A user `u:secret` results from an encoded colon. */
bool conninfo_check_user(struct parse *p, size_t start, size_t end);
/* A host list from a keyword string or ?host=: names, addresses, socket directories. */
bool conninfo_check_host(struct parse *p, const char *value, size_t at);
/* The server would truncate a longer name and then look for a schema other than the one it made. */
bool conninfo_check_schema(struct parse *p, const char *value, size_t at);

/* --- conninfo_forms.c --- */

/* Whether libpq's parameter `name` may have this value, as far as its form tells; at: of the parameter, for errors. */
bool conninfo_check_form(struct parse *p, const char *name, const char *value, size_t at);

/* --- conninfo_parameters.c --- */

const struct parameter *conninfo_parameter_find(const char *name, size_t len);
struct conninfo_parameter *conninfo_given(const struct conninfo *target, const char *keyword);
void conninfo_ignore(struct conninfo *target, const char *name);
bool conninfo_is_one_of(const char *value, const char *const words[], size_t count);
/* Takes ownership of value.  `at` is the position of the parameter, for errors. */
bool conninfo_parameter_set(struct parse *p, const struct parameter *parameter, char *value, size_t at);
/* Refuses certain parameters before their value is even copied. */
bool conninfo_check_secret_parameter(struct parse *p, const struct parameter *parameter, size_t at);
/* Combines the parameters that concern TLS. */
bool conninfo_finish_tls(struct parse *p);

/* --- conninfo_url.c --- */

bool conninfo_parse_url(struct parse *p, size_t start);

/* --- conninfo_json.c --- */

bool conninfo_parse_json(struct parse *p);
/* Decodes the text of a string that conninfo_parse_json() has read.  out has room for its length and a NUL. */
size_t conninfo_json_decode(const char *text, size_t start, size_t end, char *out);

/* --- conninfo_keywords.c --- */

size_t conninfo_unescape(const char *text, size_t start, size_t end, char *out);
bool conninfo_parse_keywords(struct parse *p);

#endif
