/*
 * Reading order: target_parse() at the end, then parse_url() and parse_keywords(), then the
 * parameters that both share.
 *
 * The password is never copied, decoded or compared here beyond single characters; that is why
 * values are handled as offsets into the input until it is known whose they are.
 */
#include "secret/conninfo.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define SHAPE "postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
#define ZERO_RULE "an encoded zero byte (%00)"
#define COUNT(array) (sizeof(array) / sizeof *(array))

struct parse {
	const char *text;
	size_t start, end;          /* text without the white space around it */
	struct target *target;
	struct target_password *password;
	struct target_error *error;

	bool strict;                /* sslaccept=strict */
	bool host_parameter;        /* ?host= was there */
	size_t port_at;             /* of a ?port= that is another one than the authority's; 0: none */
	bool host_needed;           /* the authority has a user or a port, but no host */
	size_t host_at;             /* where it would stand */
};

/* --- small things --- */

static bool
fail(struct parse *p, size_t at, const char *rule, const char *hint)
{
	p->error->position = utf8_count(p->text, at) + 1;
	p->error->rule = rule;
	p->error->hint = hint;
	return false;
}

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool
is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7F;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The first of `set` in text[start..end), or end. */
static size_t
find(const char *text, size_t start, size_t end, const char *set)
{
	while (start < end && (text[start] == '\0' || strchr(set, text[start]) == NULL))
		start++;
	return start;
}

/* The last c in text[start..end), or end. */
static size_t
find_last(const char *text, size_t start, size_t end, char c)
{
	size_t i;

	for (i = end; i > start; i--)
		if (text[i - 1] == c)
			return i - 1;
	return end;
}

static bool
begins(const char *text, size_t start, size_t end, const char *word)
{
	size_t len = strlen(word);

	return end - start >= len && memcmp(text + start, word, len) == 0;
}

static int
hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte that the escape at text[at] stands for, or -1 where it is none. */
static int
escape_value(const char *text, size_t at, size_t end)
{
	if (text[at] != '%' || end - at < 3 || hex_value(text[at + 1]) < 0 ||
	    hex_value(text[at + 2]) < 0)
		return -1;
	return hex_value(text[at + 1]) * 16 + hex_value(text[at + 2]);
}

/* As URLs are decoded on the web: what is no escape stays as it is. */
static size_t
percent_decode(const char *text, size_t start, size_t end, char *out)
{
	size_t len = 0;

	while (start < end) {
		int byte = escape_value(text, start, end);

		out[len++] = byte >= 0 ? (char)byte : text[start];
		start += byte >= 0 ? 3 : 1;
	}
	out[len] = '\0';
	return len;
}

/* An escaped zero byte would end a C string early: find one, or end. */
static size_t
find_zero_escape(const char *text, size_t start, size_t end)
{
	for (; start < end; start++)
		if (escape_value(text, start, end) == 0)
			break;
	return start;
}

/* A piece of the input that is no secret, decoded; NULL where it has a zero byte.  As in Prisma,
 * what does not decode to UTF-8 stays as it is. */
static char *
decoded(struct parse *p, size_t start, size_t end)
{
	size_t zero = find_zero_escape(p->text, start, end);
	char *out = xmalloc(end - start + 1);
	size_t len;

	if (zero < end) {
		(void)fail(p, zero, ZERO_RULE, NULL);
		free(out);
		return NULL;
	}
	len = percent_decode(p->text, start, end, out);
	if (utf8_check(out, len) < len) {
		memcpy(out, p->text + start, end - start);
		out[end - start] = '\0';
	}
	return out;
}

/* The same for a query, where + is a blank and what is not UTF-8 is mended. */
static char *
decoded_query(struct parse *p, size_t start, size_t end)
{
	struct bytes raw = { 0 }, mended = { 0 };
	size_t i;

	if (find_zero_escape(p->text, start, end) < end) {
		(void)fail(p, find_zero_escape(p->text, start, end), ZERO_RULE, NULL);
		return NULL;
	}
	bytes_add(&raw, p->text + start, end - start);
	for (i = 0; i < raw.len; i++)
		if (raw.data[i] == '+')
			raw.data[i] = ' ';
	raw.len = percent_decode(raw.data, 0, raw.len, raw.data);
	bytes_add(&mended, "", 0);
	utf8_mend(&mended, raw.data, raw.len);
	bytes_free(&raw);
	return mended.data;
}

static void
replace(char **field, char *value)
{
	free(*field);
	*field = value;
}

/* --- what somebody was to fill in --- */

#define REFERENCE_RULE "an unresolved reference to a variable"
#define REFERENCE_HINT                                                                            \
	"The shell or the platform was to replace it: check the name, and what the quotes keep."

static bool
is_reference(const char *text, size_t start, size_t end)
{
	return (begins(text, start, end, "${") && text[end - 1] == '}') ||
	    (begins(text, start, end, "$(") && text[end - 1] == ')') ||
	    (begins(text, start, end, "{{") && end - start > 3 && begins(text, end - 2, end, "}}"));
}

/* A `$` may be part of any password, but one that is a reference from end to end is none. */
static bool
check_password(struct parse *p, size_t start, size_t end)
{
	size_t zero = find_zero_escape(p->text, start, end);

	if (is_reference(p->text, start, end))
		return fail(p, start, REFERENCE_RULE, REFERENCE_HINT);
	if (end - start > 2 && p->text[start] == '[' && p->text[end - 1] == ']' &&
	    (begins(p->text, start, end, "[YOUR") || begins(p->text, start, end, "[PASSWORD")))
		return fail(p, start, "the password is still the example's placeholder",
		    "Put the password there, without the brackets.");
	if (zero < end && p->target->is_url)
		return fail(p, zero, ZERO_RULE, NULL);
	return true;
}

static bool
check_no_reference(struct parse *p, size_t start, size_t end)
{
	size_t dollar = find(p->text, start, end, "$");

	if (dollar + 1 < end && (p->text[dollar + 1] == '{' || p->text[dollar + 1] == '('))
		return fail(p, dollar, REFERENCE_RULE, REFERENCE_HINT);
	return true;
}

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
#define KEYWORD_RULE "something that looks like a password outside of the password's place"

/*
 * The character at text[*at], with escapes resolved however often it was encoded; *at is then behind it.
 */
static int
resolved_char(const char *text, size_t *at, size_t end)
{
	int byte = escape_value(text, *at, end);
	size_t next = *at + (byte >= 0 ? 3 : 1);

	if (byte < 0)
		byte = (unsigned char)text[*at];
	/* %253B: the escape of a % and the digits of the next one */
	while (byte == '%' && next > *at + 1 && end - next >= 2 && hex_value(text[next]) >= 0 &&
	    hex_value(text[next + 1]) >= 0) {
		byte = hex_value(text[next]) * 16 + hex_value(text[next + 1]);
		next += 2;
	}
	*at = next;
	return byte;
}

/* Whether `word`, blanks and an = begin at text[at], in either case and however encoded. */
static bool
is_assignment(const char *text, size_t at, size_t end, const char *word)
{
	for (; *word != '\0'; word++) {
		int byte = at < end ? resolved_char(text, &at, end) : -1;

		if (byte != *word && byte != *word - 'a' + 'A')
			return false;
	}
	while (at < end) {
		int byte = resolved_char(text, &at, end);

		if (byte == '=')
			return true;
		if (byte != '+' && (byte < 0 || byte > 0x7F || !is_blank((char)byte)))
			return false;
	}
	return false;
}

/* Where text[start..end) assigns a password, or end. */
static size_t
find_assignment(const char *text, size_t start, size_t end)
{
	static const char *const words[] = { "password", "passwd", "passphrase", "pwd" };
	size_t at, i;

	for (at = start; at < end; at++)
		for (i = 0; i < COUNT(words); i++)
			if (is_assignment(text, at, end, words[i]))
				return at;
	return end;
}

/*
 * text[start..end) as it stands in the string is to become something that is shown.  `raw`: characters that
 * separate in one form or another, which belong to a name only where they are encoded, or in a keyword string quoted.
 */
static bool
check_slot(struct parse *p, size_t start, size_t end, const char *raw)
{
	const char *hint = p->target->is_url ? SLOT_HINT : QUOTED_HINT;
	size_t at = find_assignment(p->text, start, end);

	if (at < end)
		return fail(p, at, KEYWORD_RULE, hint);
	at = find(p->text, start, end, raw);
	if (at < end)
		return fail(p, at, "a character that separates, in the middle of a value", hint);
	if (end > start && strchr("\"'", p->text[end - 1]) != NULL &&
	    find(p->text, start, end - 1, "\"'") == end - 1)
		return fail(p, end - 1, "a quote at the end of a value, which nothing opened",
		    "Leave it out, or encode it: \" as %22, ' as %27.");
	return true;
}

/* A user `u:secret` comes from an encoded colon. */
static bool
check_user(struct parse *p, size_t start, size_t end)
{
	size_t at = start;

	if (!check_slot(p, start, end, "&;?"))
		return false;
	while (at < end) {
		size_t before = at;

		if (resolved_char(p->text, &at, end) == ':')
			return fail(p, before, "a colon in the user's name",
			    "Between user and password stands a plain colon: " SHAPE);
	}
	return true;
}

/* A host list of a keyword string or of ?host=: names, addresses, and directories of sockets. */
static bool
check_host(struct parse *p, const char *value, size_t at)
{
	bool directory = false, first = true;

	for (; *value != '\0'; value++) {
		unsigned char c = (unsigned char)*value;

		if (first)
			directory = c == '/' || c == '@';
		first = c == ',';
		if (is_control(*value) || (!directory && c < 0x80 && !is_letter(*value) && !is_digit(*value) &&
		    strchr(".-_:%,", c) == NULL) || (directory && strchr(";&?=", c) != NULL))
			return fail(p, at, "a character that no host name has",
			    p->target->is_url ? SLOT_HINT : QUOTED_HINT);
	}
	return true;
}

/* The server would cut a longer one, and look for another schema than it made. */
static bool
check_schema(struct parse *p, const char *value, size_t at)
{
	if (strlen(value) > 63)
		return fail(p, at, "the schema's name is longer than 63 bytes, which is PostgreSQL's limit for names", NULL);
	return true;
}

/* --- parameters: the query of a URL, the words of a keyword string --- */

enum kind {
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

static const struct parameter {
	const char *name;
	enum kind kind;
} known[] = {
	{ "host", HOST },
	{ "port", PORT },
	{ "user", USER },
	{ "dbname", DATABASE },
	{ "password", PASSWORD },
	{ "sslmode", SSLMODE },
	{ "connect_timeout", SECONDS },
	{ "application_name", APPLICATION },

	/* Prisma's */
	{ "schema", SCHEMA },
	{ "pgbouncer", POOLED },
	{ "sslaccept", SSLACCEPT },
	{ "sslidentity", PKCS12 },
	{ "connection_limit", OURS },
	{ "pool_timeout", OURS },
	{ "socket_timeout", OURS },
	{ "statement_cache_size", OURS },
	{ "max_connection_lifetime", OURS },
	{ "max_idle_connection_lifetime", OURS },
	{ "single_use_connections", OURS },

	/* libpq's, up to 18 */
	{ "channel_binding", LIBPQ },
	{ "gssdelegation", LIBPQ },
	{ "gssencmode", LIBPQ },
	{ "gsslib", LIBPQ },
	{ "hostaddr", LIBPQ },
	{ "keepalives", LIBPQ },
	{ "keepalives_count", LIBPQ },
	{ "keepalives_idle", LIBPQ },
	{ "keepalives_interval", LIBPQ },
	{ "krbsrvname", LIBPQ },
	{ "load_balance_hosts", LIBPQ },
	{ "max_protocol_version", LIBPQ },
	{ "min_protocol_version", LIBPQ },
	{ "oauth_client_id", LIBPQ },
	{ "oauth_issuer", LIBPQ },
	{ "oauth_scope", LIBPQ },
	{ "options", LIBPQ },
	{ "passfile", LIBPQ },
	{ "require_auth", LIBPQ },
	{ "requirepeer", LIBPQ },
	{ "service", LIBPQ },
	{ "servicefile", LIBPQ },
	{ "ssl_max_protocol_version", LIBPQ },
	{ "ssl_min_protocol_version", LIBPQ },
	{ "sslcert", LIBPQ },
	{ "sslcertmode", LIBPQ },
	{ "sslcompression", LIBPQ },
	{ "sslcrl", LIBPQ },
	{ "sslcrldir", LIBPQ },
	{ "sslkey", LIBPQ },
	{ "sslnegotiation", LIBPQ },
	{ "sslrootcert", LIBPQ },
	{ "sslsni", LIBPQ },
	{ "target_session_attrs", LIBPQ },
	{ "tcp_user_timeout", LIBPQ },
	{ "client_encoding", OURS },
	{ "fallback_application_name", OURS },
	{ "replication", OURS },
	{ "sslkeylogfile", OURS },      /* would write the session's keys into a file */
	{ "ssl", SSL },
	{ "sslpassword", OTHER_SECRET },
	{ "scram_client_key", OTHER_SECRET },
	{ "scram_server_key", OTHER_SECRET },
	{ "oauth_client_secret", OTHER_SECRET }
};

static const struct parameter *
parameter_find(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < COUNT(known); i++)
		if (strlen(known[i].name) == len && memcmp(known[i].name, name, len) == 0)
			return &known[i];
	return NULL;
}

static struct target_parameter *
given(const struct target *target, const char *keyword)
{
	size_t i;

	for (i = 0; i < target->count; i++)
		if (strcmp(target->parameters[i].keyword, keyword) == 0)
			return &target->parameters[i];
	return NULL;
}

/* The last one counts, in Prisma as in libpq.  Takes the value over. */
static void
put(struct target *target, const char *keyword, char *value)
{
	struct target_parameter *old = given(target, keyword);

	if (old != NULL) {
		replace(&old->value, value);
		return;
	}
	target->parameters =
	    xrealloc(target->parameters, (target->count + 1) * sizeof *target->parameters);
	target->parameters[target->count++] = (struct target_parameter){ xstrdup(keyword), value };
}

static void
ignore(struct target *target, const char *name)
{
	size_t i;

	for (i = 0; i < target->ignored_count; i++)
		if (strcmp(target->ignored[i], name) == 0)
			return;
	target->ignored =
	    xrealloc(target->ignored, (target->ignored_count + 1) * sizeof *target->ignored);
	target->ignored[target->ignored_count++] = xstrdup(name);
}

static bool
is_one_of(const char *value, const char *const words[], size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (strcmp(value, words[i]) == 0)
			return true;
	return false;
}

/* A list of ports as libpq takes it: "5432,,6432". */
static bool
is_ports(const char *value)
{
	long port = 0;

	for (; *value != '\0'; value++) {
		if (*value == ',')
			port = 0;
		else if (!is_digit(*value) || (port = port * 10 + (*value - '0')) > 65535)
			return false;
	}
	return true;
}

static bool
is_seconds(const char *value)
{
	size_t digits = strspn(value + (*value == '-'), "0123456789");

	return digits > 0 && digits < 10 && value[digits + (*value == '-')] == '\0';
}

/*
 * What the URL itself says counts, as in Prisma; in libpq the query would.  Where the URL is silent
 * the query may speak: postgresql:///shop?host=/run/postgresql&user=deploy is common with libpq.
 */
static void
set_or_ignore(struct parse *p, char **field, const char *name, char *value)
{
	if (p->target->is_url && *field != NULL) {
		ignore(p->target, name);
		free(value);
		return;
	}
	replace(field, *value != '\0' ? value : NULL);
	if (*field == NULL)
		free(value);
}

/* Takes the value over.  `at` is where the parameter stands, for errors. */
static bool
parameter_set(struct parse *p, const struct parameter *parameter, char *value, size_t at)
{
	static const char *const sslmodes[] = {
		"disable", "allow", "prefer", "require", "verify-ca", "verify-full"
	};
	struct target *target = p->target;
	const char *rule = NULL, *hint = NULL;

	switch (parameter->kind) {
	case HOST:      /* this one overrides the authority, in Prisma and in libpq */
		if (!check_host(p, value, at)) {
			free(value);
			return false;
		}
		if (*value != '\0') {
			p->host_parameter = true;
			replace(&target->host, value);
			return true;
		}
		break;
	case PORT:
		if (is_ports(value)) {
			if (target->port != NULL && strcmp(target->port, value) != 0 && target->is_url)
				p->port_at = at;
			set_or_ignore(p, &target->port, parameter->name, value);
			return true;
		}
		rule = "the port is not a number from 1 to 65535";
		break;
	case USER:
		set_or_ignore(p, &target->user, parameter->name, value);
		return true;
	case DATABASE:
		if (strstr(value, "://") == NULL) {
			set_or_ignore(p, &target->database, parameter->name, value);
			return true;
		}
		rule = "a URL as the value of dbname";
		hint = "Give the URL alone.";
		break;
	case SCHEMA:
		if (!check_schema(p, value, at)) {
			free(value);
			return false;
		}
		replace(&target->schema, *value != '\0' ? value : NULL);
		if (target->schema != NULL)
			return true;
		break;
	case SSLMODE:
		if (strcmp(value, "no-verify") == 0)    /* node-postgres's word */
			replace(&value, xstrdup("require"));
		if (is_one_of(value, sslmodes, COUNT(sslmodes))) {
			put(target, "sslmode", value);
			return true;
		}
		rule = "sslmode is none of disable, allow, prefer, require, verify-ca, verify-full";
		break;
	case SSL:       /* JDBC's; libpq knows this one value */
		if (strcmp(value, "true") == 0 && given(target, "sslmode") == NULL)
			put(target, "sslmode", xstrdup("require"));
		break;
	case SSLACCEPT: /* Prisma takes unknown words as strict, too */
		p->strict = strcmp(value, "accept_invalid_certs") != 0;
		break;
	case SECONDS:
		if (is_seconds(value)) {
			put(target, "connect_timeout", value);
			return true;
		}
		rule = "connect_timeout is not a number of seconds";
		break;
	case POOLED:
		target->pooled = strcmp(value, "true") == 0;
		if (!target->pooled && strcmp(value, "false") != 0)
			rule = "pgbouncer is neither true nor false";
		break;
	case APPLICATION:
		put(target, "fallback_application_name", value);
		return true;
	case PKCS12:
		rule = "sslidentity, a PKCS#12 file, is not understood by libpq";
		hint = "Take certificate and key out (openssl pkcs12), for sslcert and sslkey.";
		break;
	case LIBPQ:
		put(target, parameter->name, value);
		return true;
	case PASSWORD:
	case OTHER_SECRET:      /* never get here: their values are not copied */
	case OURS:
		ignore(target, parameter->name);
		break;
	}
	free(value);
	return rule == NULL || fail(p, at, rule, hint);
}

/* Of the things that are refused before the value is even copied. */
static bool
check_secret_parameter(struct parse *p, const struct parameter *parameter, size_t at)
{
	if (parameter->kind == OTHER_SECRET)
		return fail(p, at, "a secret other than the password, which could not be guarded",
		    "Use a key file that needs no password, and that only its owner may read.");
	if (parameter->kind == PASSWORD && p->target->is_url)
		return fail(p, at,
		    "the password is a parameter: libpq would take it, Prisma would not",
		    "Write it before the host: " SHAPE);
	return true;
}

/* What several parameters mean together. */
static void
finish_tls(struct parse *p)
{
	struct target *target = p->target;
	struct target_parameter *sslmode = given(target, "sslmode");
	struct target_parameter *sslcert = given(target, "sslcert");

	/* Prisma's sslcert is the CA.  With a key beside it, it is meant as libpq has it. */
	if (target->is_url && sslcert != NULL && given(target, "sslkey") == NULL &&
	    given(target, "sslrootcert") == NULL)
		replace(&sslcert->keyword, xstrdup("sslrootcert"));

	if (!p->strict || (sslmode != NULL && strcmp(sslmode->value, "disable") == 0))
		return;
	put(target, "sslmode", xstrdup("verify-full"));
	if (given(target, "sslrootcert") == NULL)
		put(target, "sslrootcert", xstrdup("system"));
}

/* --- URLs --- */

/* Known at the first look: strings that are meant well, but are not for us. */
static bool
check_other_forms(struct parse *p)
{
	static const struct {
		const char *prefix, *rule, *hint;
	} forms[] = {
		{ "prisma://", "a URL of Prisma Accelerate, which takes no migrations",
		    "Use the direct URL of the database: " SHAPE },
		{ "prisma+postgres://", "a URL of Prisma's own proxy, which takes no migrations",
		    "Use the direct URL of the database: " SHAPE },
		{ "jdbc:", "a JDBC URL", "Write it as " SHAPE },
		{ "psql ", "the command psql before the connection string",
		    "Leave the command out." },
		{ "export ", "a line of shell, not its value",
		    "Leave out what stands before postgresql://" },
		{ "\"", "the value is in quotes, and they are part of it",
		    "Leave the quotes out: docker --env-file and the like keep them." },
		{ "'", "the value is in quotes, and they are part of it",
		    "Leave the quotes out: docker --env-file and the like keep them." },
		{ "$", REFERENCE_RULE, REFERENCE_HINT },
		{ "{{", REFERENCE_RULE, REFERENCE_HINT }
	};
	size_t i;

	for (i = 0; i < COUNT(forms); i++)
		if (begins(p->text, p->start, p->end, forms[i].prefix))
			return fail(p, p->start, forms[i].rule, forms[i].hint);
	return true;
}

/* What an editor, a chat or a web page puts around a string without showing it. */
static bool
check_invisible(struct parse *p)
{
	static const struct {
		const char *bytes, *rule;
	} marks[] = {
		{ "\xEF\xBB\xBF", "U+FEFF, a byte order mark, which is not shown" },
		{ "\xE2\x80\x8B", "U+200B, a space without width, which is not shown" },
		{ "\xE2\x80\x8C", "U+200C, a joiner without width, which is not shown" },
		{ "\xE2\x80\x8D", "U+200D, a joiner without width, which is not shown" },
		{ "\xE2\x81\xA0", "U+2060, a joiner without width, which is not shown" },
		{ "\xC2\xA0", "U+00A0, a space that is not broken, which is not trimmed" },
		{ "\xC2\xAD", "U+00AD, a soft hyphen, which is not shown" },
		{ "\xE2\x80\x9C", "U+201C, a typographic quote, around the value" },
		{ "\xE2\x80\x9D", "U+201D, a typographic quote, around the value" },
		{ "\xE2\x80\x9E", "U+201E, a typographic quote, around the value" },
		{ "\xE2\x80\x98", "U+2018, a typographic quote, around the value" },
		{ "\xE2\x80\x99", "U+2019, a typographic quote, around the value" },
		{ "\xE2\x80\x9A", "U+201A, a typographic quote, around the value" }
	};
	static const char hint[] =
	    "Remove it: retype the first and the last character, or in a file:  LC_ALL=C sed -i 's/[^ -~]//g' FILE";
	size_t i;

	for (i = 0; i < COUNT(marks); i++) {
		size_t len = strlen(marks[i].bytes);

		if (begins(p->text, p->start, p->end, marks[i].bytes))
			return fail(p, p->start, marks[i].rule, hint);
		if (p->end - p->start >= len && begins(p->text, p->end - len, p->end, marks[i].bytes))
			return fail(p, p->end - len, marks[i].rule, hint);
	}
	return true;
}

/* The offset behind "scheme:", or start where the text does not begin like that. */
static size_t
find_scheme_end(const struct parse *p)
{
	size_t at = p->start;

	while (at < p->end && (is_letter(p->text[at]) || (at > p->start &&
	    (is_digit(p->text[at]) || strchr("+.-", p->text[at]) != NULL))))
		at++;
	return at > p->start && at < p->end && p->text[at] == ':' ? at + 1 : p->start;
}

static bool
fail_scheme(struct parse *p, size_t scheme_end)
{
	size_t len = scheme_end - p->start;

	if (begins(p->text, p->start, p->end, "postgres") &&
	    (len == sizeof "postgres:" - 1 || begins(p->text, p->start, p->end, "postgresql:")))
		return fail(p, scheme_end, "two slashes are missing behind the colon",
		    "Write it as " SHAPE);
	if (begins(p->text, p->start, p->end, "postgres") &&
	    find(p->text, p->start, scheme_end, "+") < scheme_end)
		return fail(p, find(p->text, p->start, scheme_end, "+"),
		    "a driver's name in the scheme", "Write postgresql:// alone.");
	if (begins(p->text, scheme_end, p->end, "//"))
		return fail(p, p->start,
		    "the URL begins neither with postgresql:// nor postgres://",
		    "Only PostgreSQL is deployed to; the scheme is written in lower case.");
	return fail(p, p->start, "neither a URL nor a keyword string", "Write it as " SHAPE);
}

/*
 * A raw / ? or # in a password ends the authority early; then an @ is left behind it, and what
 * stands before would be taken for a host and go to a name server.
 */
static bool
check_authority(struct parse *p, size_t start, size_t end)
{
	size_t late = find(p->text, end, p->end, "@");

	if (late == p->end)
		return true;
	if (find(p->text, start, end, "@") < end)
		return fail(p, late, "an @ behind the host",
		    "Write @ as %40, and in a password also / as %2F, ? as %3F, # as %23.");
	switch (p->text[end]) {
	case '/':
		return fail(p, end, "an unencoded / in the password",
		    "In a password write / as %2F.");
	case '?':
		return fail(p, end, "an unencoded ? in the password",
		    "In a password write ? as %3F.");
	default:
		return fail(p, end, "an unencoded # in the password",
		    "In a password write # as %23.");
	}
}

static bool
parse_userinfo(struct parse *p, size_t start, size_t end)
{
	size_t colon = find(p->text, start, end, ":");

	if (!check_no_reference(p, start, colon) || !check_user(p, start, colon))
		return false;
	if (colon > start && (p->target->user = decoded(p, start, colon)) == NULL)
		return false;
	if (colon == end)
		return true;
	p->password->given = true;
	p->password->start = colon + 1;
	p->password->end = end;
	p->password->encoded = find(p->text, colon + 1, end, "%") < end;
	return check_password(p, colon + 1, end);
}

static bool
parse_port(struct parse *p, size_t start, size_t end, struct bytes *ports)
{
	long port = 0;
	size_t i;

	for (i = start; i < end; i++) {
		if (!is_digit(p->text[i]) || (port = port * 10 + (p->text[i] - '0')) > 65535)
			return fail(p, start, "the port is not a number from 1 to 65535",
			    "With a password the form is " SHAPE);
	}
	if (start < end && port == 0)
		return fail(p, start, "the port is not a number from 1 to 65535", NULL);
	bytes_format(ports, "%ld", start < end ? port : 5432L);
	return true;
}

/* [2001:db8::1], with the brackets; libpq wants it without. */
static bool
parse_ipv6(struct parse *p, size_t start, size_t *end, struct bytes *hosts)
{
	size_t close = find(p->text, start, *end, "]"), i;

	if (close == *end)
		return fail(p, start, "a [ without its ] around an IPv6 address", NULL);
	for (i = start + 1; i < close; i++)
		if (hex_value(p->text[i]) < 0 && strchr(":.", p->text[i]) == NULL)
			break;
	/* behind a % stands a zone: [fe80::1%eth0] */
	if (close == start + 1 || (i < close && p->text[i] != '%') ||
	    find(p->text, i, close, " /\\;&?=") < close)
		return fail(p, start, "no IPv6 address between the brackets", NULL);
	bytes_add(hosts, p->text + start + 1, i - start - 1);
	/* the % before a zone is written as such or, as RFC 6874 has it, as %25 */
	if (i < close)
		bytes_format(hosts, "%%%.*s", (int)(close - i - (begins(p->text, i, close, "%25") ? 3 : 1)),
		    p->text + i + (begins(p->text, i, close, "%25") ? 3 : 1));
	*end = close + 1;
	return true;
}

/* A name, an IPv4 address, or a socket's directory as libpq has it: %2Frun%2Fpostgresql */
static bool
parse_host_name(struct parse *p, size_t start, size_t end, struct bytes *hosts)
{
	char *host;
	size_t i, percent = start;
	bool ok;

	for (i = start; i < end; i++)
		if ((unsigned char)p->text[i] < 0x80 && !is_letter(p->text[i]) && !is_digit(p->text[i]) &&
		    strchr(".-_%", p->text[i]) == NULL)
			return fail(p, i, "a character that no host name has",
			    "In a user name or password encode special characters, e.g. [ as %5B; parameters stand behind a ?.");
	if (!check_slot(p, start, end, ""))
		return false;
	while ((percent = find(p->text, percent, end, "%")) < end)
		if (escape_value(p->text, percent++, end) < 0)
			return fail(p, percent - 1, "a % without two hex digits in the host", NULL);
	if ((host = decoded(p, start, end)) == NULL)
		return false;
	for (i = 0; host[i] != '\0'; i++)
		if (is_control(host[i]) ||
		    (host[0] == '/' || host[0] == '@' ? strchr(";&?=", host[i]) != NULL
			: (unsigned char)host[i] < 0x80 && !is_letter(host[i]) && !is_digit(host[i]) &&
			    strchr(".-_", host[i]) == NULL))
			break;
	if ((ok = host[i] == '\0'))
		bytes_str(hosts, host);
	else
		(void)fail(p, start, "an encoded character that no host name has", NULL);
	free(host);
	return ok;
}

static bool
parse_host(struct parse *p, size_t start, size_t end, struct bytes *hosts, struct bytes *ports)
{
	size_t name_end = end;

	if (start < end && p->text[start] == '[') {
		if (!parse_ipv6(p, start, &name_end, hosts))
			return false;
	} else {
		name_end = find(p->text, start, end, ":");
		if (name_end < end && find(p->text, name_end + 1, end, ":") < end)
			return fail(p, start, "more than one colon in a host and its port",
			    "An IPv6 address stands in brackets: [2001:db8::1]:5432");
		if (name_end == start)
			return fail(p, start, "a host is missing in the list", NULL);
		if (!parse_host_name(p, start, name_end, hosts))
			return false;
	}
	if (name_end < end && p->text[name_end] != ':')
		return fail(p, name_end,
		    "something between the ] of an IPv6 address and the port", NULL);
	return parse_port(p, name_end < end ? name_end + 1 : end, end, ports);
}

/* h1:5432,h2,[::1]:6432 becomes the two lists of libpq. */
static bool
parse_hosts(struct parse *p, size_t start, size_t end)
{
	struct bytes hosts = { 0 }, ports = { 0 };
	bool ok = true;

	for (;;) {
		size_t next = find(p->text, start, end, ",");

		if (!(ok = parse_host(p, start, next, &hosts, &ports)) || next == end)
			break;
		bytes_char(&hosts, ',');
		bytes_char(&ports, ',');
		start = next + 1;
	}
	if (ok) {
		p->target->host = hosts.data;
		p->target->port = ports.data;
	} else {
		bytes_free(&hosts);
		bytes_free(&ports);
	}
	return ok;
}

static bool
parse_authority(struct parse *p, size_t start, size_t end)
{
	size_t at = find_last(p->text, start, end, '@');
	size_t host = at < end ? at + 1 : start;

	if (at < end && !parse_userinfo(p, start, at))
		return false;
	if (!check_no_reference(p, host, end))
		return false;
	p->host_at = host;
	/* Nothing at all: a socket of libpq's choice, or ?host=.  But `:@:` is what variables leave
	 * that resolve to nothing, and no host is ever guessed from that. */
	p->host_needed = start < end && (host == end || (p->text[host] == ':' && host + 1 == end));
	if (start == end || p->host_needed)
		return true;
	if (p->text[host] == ':' && find(p->text, host + 1, end, ":,") == end) {
		struct bytes port = { 0 };

		p->host_needed = true;
		if (!parse_port(p, host + 1, end, &port)) {
			bytes_free(&port);
			return false;
		}
		p->target->port = port.data;
		return true;
	}
	return parse_hosts(p, host, end);
}

/* The first segment, which Prisma does not decode; rather it has other characters encoded. */
static bool
parse_path(struct parse *p, size_t start, size_t end)
{
	size_t segment = find(p->text, start, end, "/"), i;
	struct bytes name = { 0 };

	if (!check_no_reference(p, start, end) || !check_slot(p, start, end, "&;"))
		return false;
	if (p->target->host != NULL && segment == start && segment + 1 < end)
		return fail(p, start, "two slashes before the database", "Write it as " SHAPE);
	if (p->target->host == NULL && !p->host_needed && segment + 1 < end)
		return fail(p, start, "three slashes, so that the host is taken for the database",
		    "Write it as " SHAPE);
	for (i = start; i < segment; i++) {
		unsigned char c = (unsigned char)p->text[i];

		if (c <= ' ' || c > '~' || strchr("\"<>`{}^", c) != NULL)
			bytes_format(&name, "%%%02X", c);
		else
			bytes_char(&name, (char)c);
	}
	p->target->database = name.data;
	return true;
}

/* Whether a parameter's name is how other drivers call the password. */
static bool
is_password_name(const char *name)
{
	static const char *const words[] = { "password", "passwd", "passphrase", "pwd", "pass" };
	char lower[16];
	size_t i;

	if (strlen(name) >= sizeof lower)
		return false;
	for (i = 0; name[i] != '\0'; i++)
		lower[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] - 'A' + 'a') : name[i];
	lower[i] = '\0';
	return is_one_of(lower, words, COUNT(words));
}

/* The name of a parameter that is not known is shown with -v, so it has to look like one. */
static bool
check_parameter_name(struct parse *p, const char *name, size_t at)
{
	size_t i;

	if (strncmp(name, "amp;", 4) == 0)
		return fail(p, at, "&amp; where & is meant: the string was copied out of HTML", "Write & alone.");
	if (is_password_name(name))
		return check_secret_parameter(p, parameter_find("password", 8), at);
	for (i = 0; name[i] != '\0'; i++)
		if (!is_letter(name[i]) && !is_digit(name[i]) && strchr("_.-", name[i]) == NULL)
			return fail(p, at, "a parameter whose name has other characters than letters, digits, _ . and -",
			    SLOT_HINT);
	return true;
}

/* What may not stand in a value unless it is encoded: of a schema, whatever looks glued to it. */
static const char *
raw_refused(const struct parameter *parameter)
{
	return parameter != NULL && parameter->kind == SCHEMA ? "?;/\"'" : "?;";
}

static bool
parse_query(struct parse *p, size_t start, size_t end)
{
	while (start < end) {
		size_t next = find(p->text, start, end, "&");
		size_t equals = find(p->text, start, next, "=");
		size_t value_at = equals < next ? equals + 1 : next;
		const struct parameter *parameter;
		char *name, *value;
		bool ok;

		if ((name = decoded_query(p, start, equals)) == NULL)
			return false;
		parameter = parameter_find(name, strlen(name));
		ok = check_parameter_name(p, name, start) &&
		    (parameter == NULL || check_secret_parameter(p, parameter, start)) &&
		    check_slot(p, value_at, next, raw_refused(parameter)) &&
		    (parameter == NULL || parameter->kind != USER || check_user(p, value_at, next));
		if (ok && parameter == NULL && *name != '\0')
			ignore(p->target, name);
		free(name);
		if (!ok)
			return false;
		if (parameter != NULL) {
			if ((value = decoded_query(p, value_at, next)) == NULL ||
			    !parameter_set(p, parameter, value, start))
				return false;
		}
		start = next + 1;
	}
	return true;
}

/* Of a URL that says them neither in its authority nor in its query. */
static bool
finish_url(struct parse *p, bool path)
{
	struct target *target = p->target;
	const struct target_parameter *address = given(target, "hostaddr");

	if (p->host_parameter && p->port_at != 0)
		return fail(p, p->port_at, "host= and port= beside another port in the URL",
		    "Prisma takes the URL's port, libpq the parameter's: write the one that is meant in both places.");
	if (p->host_needed && target->host == NULL && (address == NULL || *address->value == '\0'))
		return fail(p, p->host_at, "the host is empty",
		    "Did a variable resolve to nothing? For a socket add ?host=/its/directory.");
	if (target->host != NULL && target->port == NULL)
		target->port = xstrdup("5432");
	/* Without a path Prisma takes `postgres`; with an empty one the server, the user's name. */
	if (target->database == NULL && !path)
		target->database = xstrdup("postgres");
	else if (target->database == NULL && target->user != NULL)
		target->database = xstrdup(target->user);
	return true;
}

static bool
parse_url(struct parse *p, size_t start)
{
	size_t authority_end = find(p->text, start, p->end, "/?#");
	size_t fragment = find(p->text, authority_end, p->end, "#");
	size_t query = find(p->text, authority_end, fragment, "?");
	bool path = authority_end < query;
	size_t i;

	p->target->is_url = true;
	for (i = start; i < p->end; i++)
		if (is_control(p->text[i]))
			return fail(p, i, "a line break, a tab or another control character", NULL);
	if (!check_authority(p, start, authority_end) || !parse_authority(p, start, authority_end))
		return false;
	if (path && !parse_path(p, authority_end + 1, query))
		return false;
	if (query < fragment && !parse_query(p, query + 1, fragment))
		return false;
	return finish_url(p, path);
}

/* --- keyword strings: host=db.example.com password='it''s' --- */

static size_t
skip_blanks(const struct parse *p, size_t at)
{
	while (at < p->end && is_blank(p->text[at]))
		at++;
	return at;
}

struct span {
	size_t start, end;
	bool escaped;   /* has backslashes */
	bool quoted;
};

/* Reads a value from *at on, which is then behind it. */
static bool
parse_value(struct parse *p, size_t *at, struct span *value)
{
	bool quoted = *at < p->end && p->text[*at] == '\'';
	size_t i = *at + quoted;

	*value = (struct span){ .start = i, .quoted = quoted };
	while (i < p->end && !(quoted ? p->text[i] == '\'' : is_blank(p->text[i]))) {
		if (p->text[i] == '\\') {
			value->escaped = true;
			i++;
		}
		if (i < p->end)
			i++;
	}
	if (quoted && i == p->end)
		return fail(p, *at, "a quote that is not closed",
		    "In a quoted value write ' as \\' and \\ as \\\\.");
	value->end = i;
	*at = i + quoted;
	return true;
}

static size_t
unescape(const char *text, size_t start, size_t end, char *out)
{
	size_t len = 0;

	for (; start < end; start++) {
		if (text[start] == '\\' && ++start == end)
			break;
		out[len++] = text[start];
	}
	out[len] = '\0';
	return len;
}

/* DATABASE_URL=postgresql://...: a line of an .env file was given, not its value. */
static bool
fail_keyword(struct parse *p, size_t start, size_t end, size_t value)
{
	size_t i;

	for (i = start; i < end; i++)
		if (is_letter(p->text[i]) && (p->text[i] >= 'a' && p->text[i] <= 'z'))
			break;
	if (i == end &&
	    (begins(p->text, value, p->end, "postgres") ||
		begins(p->text, value, p->end, "\"postgres") ||
		begins(p->text, value, p->end, "'postgres")))
		return fail(p, start, "the name of a variable before its value",
		    "Leave out the name and the =.");
	return fail(p, start, "a word before = that is no parameter of libpq",
	    "A value with blanks stands in quotes: password='two words'");
}

static bool
keyword_set(struct parse *p, const struct parameter *parameter, struct span value, size_t at)
{
	char *text;

	if (!check_secret_parameter(p, parameter, at))
		return false;
	if (parameter->kind != PASSWORD && (!check_slot(p, value.start, value.end,
	    value.quoted ? "" : parameter->kind == SCHEMA ? ";&?\"/" : ";&?") ||
	    (parameter->kind == USER && !check_user(p, value.start, value.end))))
		return false;
	if (parameter->kind == PASSWORD) {
		if (p->password->given)
			return fail(p, at, "a second password", NULL);
		*p->password =
		    (struct target_password){ value.start, value.end, true, false, value.escaped };
		return check_password(p, value.start, value.end);
	}
	if ((parameter->kind == HOST || parameter->kind == USER || parameter->kind == DATABASE) &&
	    !check_no_reference(p, value.start, value.end))
		return false;
	text = xmalloc(value.end - value.start + 1);
	unescape(p->text, value.start, value.end, text);
	return parameter_set(p, parameter, text, at);
}

static bool
parse_keywords(struct parse *p)
{
	size_t at = p->start;

	while (at < p->end) {
		size_t start = at, name_end = find(p->text, at, p->end, "= \t\n\v\f\r");
		const struct parameter *parameter =
		    parameter_find(p->text + start, name_end - start);
		struct span value;

		at = skip_blanks(p, name_end);
		if (at == p->end || p->text[at] != '=')
			return fail(p, start, "a word without =",
			    "A value with blanks stands in quotes: password='two words'");
		at = skip_blanks(p, at + 1);
		if (parameter == NULL)
			return fail_keyword(p, start, name_end, at);
		if (!parse_value(p, &at, &value) || !keyword_set(p, parameter, value, start))
			return false;
		at = skip_blanks(p, at);
	}
	return true;
}

/* --- which of them it is --- */

/* As psql -d shop: letters, digits and the like, and not longer than a name can be. */
static bool
is_name(const struct parse *p)
{
	size_t i;

	for (i = p->start; i < p->end; i++)
		if (!is_letter(p->text[i]) && p->text[i] != '_' &&
		    (unsigned char)p->text[i] < 0x80 &&
		    (i == p->start || (!is_digit(p->text[i]) && strchr("-$.", p->text[i]) == NULL)))
			return false;
	return p->end - p->start <= 63 &&
	    utf8_check(p->text + p->start, p->end - p->start) == p->end - p->start;
}

static bool
parse_any(struct parse *p)
{
	size_t scheme_end = find_scheme_end(p), zero;

	if (p->start == p->end)
		return fail(p, p->start, "the connection string is empty", NULL);
	for (zero = p->start; zero < p->end; zero++)
		if (p->text[zero] == '\0')
			return fail(p, zero, "a zero byte", NULL);
	if (!check_invisible(p))
		return false;
	if (begins(p->text, p->start, p->end, "postgresql://") ||
	    begins(p->text, p->start, p->end, "postgres://"))
		return parse_url(p, scheme_end + 2);
	if (!check_other_forms(p))
		return false;
	if (scheme_end > p->start)
		return fail_scheme(p, scheme_end);
	if (find(p->text, p->start, p->end, "=") < p->end)
		return parse_keywords(p);
	if (!is_name(p))
		return fail(p, p->start, "neither a URL nor a keyword string",
		    "Write it as " SHAPE);
	p->target->database = xstrndup(p->text + p->start, p->end - p->start);
	p->target->is_name = true;
	return true;
}

bool
target_parse(const char *text, size_t len, struct target *target, struct target_password *password,
    struct target_error *error)
{
	struct parse p = {
		.text = text, .end = len, .target = target, .password = password, .error = error
	};

	*target = (struct target){ 0 };
	*password = (struct target_password){ 0 };
	*error = (struct target_error){ 0 };
	while (p.start < p.end && text[p.start] != '\0' &&
	    (is_blank(text[p.start]) || is_control(text[p.start])))
		p.start++;
	while (p.end > p.start && text[p.end - 1] != '\0' &&
	    (is_blank(text[p.end - 1]) || is_control(text[p.end - 1])))
		p.end--;
	if (!parse_any(&p)) {
		target_free(target);
		*password = (struct target_password){ 0 };
		return false;
	}
	finish_tls(&p);
	if (target->host != NULL)
		target->first_host = xstrndup(target->host, strcspn(target->host, ","));
	else if (given(target, "hostaddr") != NULL)
		target->first_host = xstrdup(given(target, "hostaddr")->value);
	return true;
}

void
target_free(struct target *target)
{
	size_t i;

	for (i = 0; i < target->count; i++) {
		free(target->parameters[i].keyword);
		free(target->parameters[i].value);
	}
	for (i = 0; i < target->ignored_count; i++)
		free(target->ignored[i]);
	free(target->parameters);
	free(target->ignored);
	free(target->host);
	free(target->port);
	free(target->user);
	free(target->database);
	free(target->schema);
	free(target->first_host);
	*target = (struct target){ 0 };
}

size_t
target_decode(const char *text, const struct target_password *password, char *out)
{
	size_t len = password->end - password->start, i;

	if (password->quoted)
		return unescape(text, password->start, password->end, out);
	if (password->encoded) {
		size_t decoded_len = percent_decode(text, password->start, password->end, out);

		if (utf8_check(out, decoded_len) == decoded_len)
			return decoded_len;
	}
	for (i = 0; i < len; i++)
		out[i] = text[password->start + i];
	out[len] = '\0';
	return len;
}

const char *
target_first_host(const struct target *target)
{
	return target->first_host;
}

int
target_first_port(const struct target *target)
{
	return target->port != NULL ? atoi(target->port) : 0;
}

/* Where value has one of ; & ? =, plainly or percent-encoded, or its length. */
static size_t
find_separator(const char *value)
{
	size_t end = strlen(value), at;

	for (at = 0; at < end; at++) {
		size_t next = at;

		if (strchr(";&?=", resolved_char(value, &next, end)) != NULL)
			break;
	}
	return at;
}

static void
cut_value(struct bytes *text, const char *value)
{
	struct bytes out = { 0 };
	const char *from, *at;
	size_t head;

	if (value == NULL || value[head = find_separator(value)] == '\0' || strstr(bytes_text(text), value) == NULL)
		return;
	for (from = bytes_text(text); (at = strstr(from, value)) != NULL; from = at + strlen(value)) {
		bytes_add(&out, from, (size_t)(at - from) + head);
		bytes_str(&out, "...");
	}
	bytes_str(&out, from);
	bytes_free(text);
	*text = out;
}

void
target_cut_values(const struct target *target, struct bytes *text)
{
	const struct target_parameter *service = given(target, "service");

	cut_value(text, target->host);
	cut_value(text, target->user);
	cut_value(text, target->database);
	cut_value(text, target->schema);
	cut_value(text, service != NULL ? service->value : NULL);
}
