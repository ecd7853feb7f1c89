/* Parameters: the query of a URL, the words of a keyword string. */
#include "secret/conninfo_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

static const struct parameter known[] = {
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

const struct parameter *
conninfo_parameter_find(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < COUNT(known); i++)
		if (strlen(known[i].name) == len && memcmp(known[i].name, name, len) == 0)
			return &known[i];
	return NULL;
}

struct conninfo_parameter *
conninfo_given(const struct conninfo *target, const char *keyword)
{
	size_t i;

	for (i = 0; i < target->count; i++)
		if (strcmp(target->parameters[i].keyword, keyword) == 0)
			return &target->parameters[i];
	return NULL;
}

/* The last one counts, in Prisma as in libpq.  Takes the value over. */
static void
put(struct conninfo *target, const char *keyword, char *value)
{
	struct conninfo_parameter *old = conninfo_given(target, keyword);

	if (old != NULL) {
		conninfo_replace(&old->value, value);
		return;
	}
	target->parameters =
	    xrealloc(target->parameters, (target->count + 1) * sizeof *target->parameters);
	target->parameters[target->count++] = (struct conninfo_parameter){ xstrdup(keyword), value };
}

void
conninfo_ignore(struct conninfo *target, const char *name)
{
	size_t i;

	for (i = 0; i < target->ignored_count; i++)
		if (strcmp(target->ignored[i], name) == 0)
			return;
	target->ignored =
	    xrealloc(target->ignored, (target->ignored_count + 1) * sizeof *target->ignored);
	target->ignored[target->ignored_count++] = xstrdup(name);
}

bool
conninfo_is_one_of(const char *value, const char *const words[], size_t count)
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
		else if (!conninfo_is_digit(*value) || (port = port * 10 + (*value - '0')) > 65535)
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
		conninfo_ignore(p->target, name);
		free(value);
		return;
	}
	conninfo_replace(field, *value != '\0' ? value : NULL);
	if (*field == NULL)
		free(value);
}

/*
 * A setter for each kind.  Each takes the value over, and gives false once the error is noted.  `at` is where the
 * parameter stands, for errors.
 */
typedef bool setter(struct parse *p, const struct parameter *parameter, char *value, size_t at);

static bool
refuse(struct parse *p, char *value, size_t at, const char *rule, const char *hint)
{
	free(value);
	return conninfo_fail(p, at, rule, hint);
}

/* This one overrides the authority, in Prisma and in libpq. */
static bool
set_host(struct parse *p, const struct parameter *parameter, char *value, size_t at)
{
	bool right = conninfo_check_host(p, value, at);

	(void)parameter;
	if (!right || *value == '\0') {
		free(value);
		return right;
	}
	p->host_parameter = true;
	conninfo_replace(&p->target->host, value);
	return true;
}

static bool
set_port(struct parse *p, const struct parameter *parameter, char *value, size_t at)
{
	struct conninfo *target = p->target;

	if (!is_ports(value))
		return refuse(p, value, at, "the port is not a number from 1 to 65535", NULL);
	if (target->port != NULL && strcmp(target->port, value) != 0 && target->is_url)
		p->port_at = at;
	set_or_ignore(p, &target->port, parameter->name, value);
	return true;
}

static bool
set_user(struct parse *p, const struct parameter *parameter, char *value, size_t at)
{
	(void)at;
	set_or_ignore(p, &p->target->user, parameter->name, value);
	return true;
}

static bool
set_database(struct parse *p, const struct parameter *parameter, char *value, size_t at)
{
	if (strstr(value, "://") != NULL)
		return refuse(p, value, at, "a URL as the value of dbname", "Use the URL alone.");
	set_or_ignore(p, &p->target->database, parameter->name, value);
	return true;
}

static bool
set_schema(struct parse *p, const struct parameter *parameter, char *value, size_t at)
{
	bool right = conninfo_check_schema(p, value, at);

	(void)parameter;
	if (right)
		conninfo_replace(&p->target->schema, *value != '\0' ? value : NULL);
	if (!right || p->target->schema == NULL)
		free(value);
	return right;
}

static bool
set_sslmode(struct parse *p, const struct parameter *parameter, char *value, size_t at)
{
	static const char *const sslmodes[] = { "disable", "allow", "prefer", "require", "verify-ca", "verify-full" };

	if (strcmp(value, "no-verify") == 0)    /* node-postgres's word */
		conninfo_replace(&value, xstrdup("require"));
	if (!conninfo_is_one_of(value, sslmodes, COUNT(sslmodes)))
		return refuse(p, value, at, "invalid sslmode; must be one of disable, allow, prefer, require, verify-ca, verify-full", NULL);
	put(p->target, parameter->name, value);
	return true;
}

/* JDBC's; libpq knows this one value. */
static bool
set_ssl(struct parse *p, const struct parameter *parameter, char *value, size_t at)
{
	(void)parameter;
	(void)at;
	if (strcmp(value, "true") == 0 && conninfo_given(p->target, "sslmode") == NULL)
		put(p->target, "sslmode", xstrdup("require"));
	free(value);
	return true;
}

/* Prisma takes unknown words as strict, too. */
static bool
set_sslaccept(struct parse *p, const struct parameter *parameter, char *value, size_t at)
{
	(void)parameter;
	(void)at;
	p->strict = strcmp(value, "accept_invalid_certs") != 0;
	free(value);
	return true;
}

static bool
set_seconds(struct parse *p, const struct parameter *parameter, char *value, size_t at)
{
	if (!is_seconds(value))
		return refuse(p, value, at, "connect_timeout is not a number of seconds", NULL);
	put(p->target, parameter->name, value);
	return true;
}

static bool
set_pooled(struct parse *p, const struct parameter *parameter, char *value, size_t at)
{
	(void)parameter;
	p->target->pooled = strcmp(value, "true") == 0;
	if (!p->target->pooled && strcmp(value, "false") != 0)
		return refuse(p, value, at, "pgbouncer must be true or false", NULL);
	free(value);
	return true;
}

static bool
set_application(struct parse *p, const struct parameter *parameter, char *value, size_t at)
{
	(void)parameter;
	(void)at;
	put(p->target, "fallback_application_name", value);
	return true;
}

static bool
refuse_pkcs12(struct parse *p, const struct parameter *parameter, char *value, size_t at)
{
	(void)parameter;
	return refuse(p, value, at, "libpq does not support sslidentity, a PKCS#12 file",
	    "Extract certificate and key (openssl pkcs12) for sslcert and sslkey.");
}

static bool
set_as_it_is(struct parse *p, const struct parameter *parameter, char *value, size_t at)
{
	if (!conninfo_check_form(p, parameter->name, value, at)) {
		free(value);
		return false;
	}
	put(p->target, parameter->name, value);
	return true;
}

static bool
ignore(struct parse *p, const struct parameter *parameter, char *value, size_t at)
{
	(void)at;
	conninfo_ignore(p->target, parameter->name);
	free(value);
	return true;
}

bool
conninfo_parameter_set(struct parse *p, const struct parameter *parameter, char *value, size_t at)
{
	static setter *const setters[] = {
		[HOST] = set_host,
		[PORT] = set_port,
		[USER] = set_user,
		[DATABASE] = set_database,
		[SCHEMA] = set_schema,
		[SSLMODE] = set_sslmode,
		[SSL] = set_ssl,
		[SSLACCEPT] = set_sslaccept,
		[SECONDS] = set_seconds,
		[POOLED] = set_pooled,
		[APPLICATION] = set_application,
		[PKCS12] = refuse_pkcs12,
		[LIBPQ] = set_as_it_is,
		[PASSWORD] = ignore,     /* these two never get here: their values are not copied */
		[OTHER_SECRET] = ignore,
		[OURS] = ignore,
	};

	return setters[parameter->kind](p, parameter, value, at);
}

/* Of the things that are refused before the value is even copied. */
bool
conninfo_check_secret_parameter(struct parse *p, const struct parameter *parameter, size_t at)
{
	if (parameter->kind == OTHER_SECRET)
		return conninfo_fail(p, at, "a secret other than the password, which mig cannot protect",
		    "Use a key file without a password that only its owner can read.");
	if (parameter->kind == PASSWORD && p->target->is_url)
		return conninfo_fail(p, at,
		    "the password is a parameter: libpq accepts that, Prisma does not",
		    "Write it before the host: " SHAPE);
	return true;
}

/* What several parameters mean together. */
bool
conninfo_finish_tls(struct parse *p)
{
	struct conninfo *target = p->target;
	struct conninfo_parameter *sslmode = conninfo_given(target, "sslmode");
	struct conninfo_parameter *sslcert = conninfo_given(target, "sslcert"), *root;

	/* Prisma's sslcert is the CA.  Together with a key, it has libpq's meaning. */
	if (target->is_url && sslcert != NULL && conninfo_given(target, "sslkey") == NULL &&
	    conninfo_given(target, "sslrootcert") == NULL)
		conninfo_replace(&sslcert->keyword, xstrdup("sslrootcert"));

	if (p->strict && (sslmode == NULL || strcmp(sslmode->value, "disable") != 0)) {
		put(target, "sslmode", xstrdup("verify-full"));
		if (conninfo_given(target, "sslrootcert") == NULL)
			put(target, "sslrootcert", xstrdup("system"));
	}

	/* as libpq 16 has it, with whichever there is */
	root = conninfo_given(target, "sslrootcert");
	if (root == NULL || strcmp(root->value, "system") != 0)
		return true;
	if (conninfo_given(target, "sslmode") == NULL)
		put(target, "sslmode", xstrdup("verify-full"));
	return strcmp(conninfo_given(target, "sslmode")->value, "verify-full") == 0 ||
	    conninfo_fail(p, p->start, "sslrootcert=system with an sslmode that does not verify the host name",
	        "Anybody can get a certificate from a public authority; use sslmode=verify-full");
}
