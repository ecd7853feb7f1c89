/* URLs, as Prisma reads them. */
#include "secret/conninfo_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

/*
 * A raw / ? or # in a password ends the authority early; then an @ is left behind it, and what
 * stands before would be taken for a host and go to a name server.
 */
static bool
check_authority(struct parse *p, size_t start, size_t end)
{
	size_t late = conninfo_find(p->text, end, p->end, "@");

	if (late == p->end)
		return true;
	if (conninfo_find(p->text, start, end, "@") < end)
		return conninfo_fail(p, late, "an @ after the host",
		    "Write @ as %40, and in a password also / as %2F, ? as %3F, # as %23.");
	switch (p->text[end]) {
	case '/':
		return conninfo_fail(p, end, "an unencoded / in the password",
		    "In a password write / as %2F.");
	case '?':
		return conninfo_fail(p, end, "an unencoded ? in the password",
		    "In a password write ? as %3F.");
	default:
		return conninfo_fail(p, end, "an unencoded # in the password",
		    "In a password write # as %23.");
	}
}

static bool
parse_userinfo(struct parse *p, size_t start, size_t end)
{
	size_t colon = conninfo_find(p->text, start, end, ":");

	if (!conninfo_check_no_reference(p, start, colon) || !conninfo_check_user(p, start, colon))
		return false;
	if (colon > start && (p->target->user = conninfo_decode_part(p, start, colon)) == NULL)
		return false;
	if (colon == end)
		return true;
	p->password->given = true;
	p->password->start = colon + 1;
	p->password->end = end;
	p->password->encoded = conninfo_find(p->text, colon + 1, end, "%") < end;
	return conninfo_check_password(p, colon + 1, end);
}

static bool
parse_port(struct parse *p, size_t start, size_t end, struct bytes *ports)
{
	long port = 0;
	size_t i;

	for (i = start; i < end; i++) {
		if (!conninfo_is_digit(p->text[i]) || (port = port * 10 + (p->text[i] - '0')) > 65535)
			return conninfo_fail(p, start, "the port is not a number from 1 to 65535",
			    "With a password the form is " SHAPE);
	}
	if (start < end && port == 0)
		return conninfo_fail(p, start, "the port is not a number from 1 to 65535", NULL);
	bytes_format(ports, "%ld", start < end ? port : 5432L);
	return true;
}

/* [2001:db8::1], with the brackets; libpq wants it without. */
static bool
parse_ipv6(struct parse *p, size_t start, size_t *end, struct bytes *hosts)
{
	size_t close = conninfo_find(p->text, start, *end, "]"), i;

	if (close == *end)
		return conninfo_fail(p, start, "a [ without its ] around an IPv6 address", NULL);
	for (i = start + 1; i < close; i++)
		if (conninfo_hex_value(p->text[i]) < 0 && strchr(":.", p->text[i]) == NULL)
			break;
	/* behind a % stands a zone: [fe80::1%eth0] */
	if (close == start + 1 || (i < close && p->text[i] != '%') ||
	    conninfo_find(p->text, i, close, " /\\;&?=") < close)
		return conninfo_fail(p, start, "not an IPv6 address between the brackets", NULL);
	bytes_add(hosts, p->text + start + 1, i - start - 1);
	/* the % before a zone is written as such or, as RFC 6874 has it, as %25 */
	if (i < close)
		bytes_format(hosts, "%%%.*s", (int)(close - i - (conninfo_begins_with(p->text, i, close, "%25") ? 3 : 1)),
		    p->text + i + (conninfo_begins_with(p->text, i, close, "%25") ? 3 : 1));
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
		if ((unsigned char)p->text[i] < 0x80 && !conninfo_is_letter(p->text[i]) && !conninfo_is_digit(p->text[i]) &&
		    strchr(".-_%", p->text[i]) == NULL)
			return conninfo_fail(p, i, "a character that is not valid in a host name",
			    "In a user name or password encode special characters, e.g. [ as %5B; parameters follow a ?.");
	if (!conninfo_check_slot(p, start, end, ""))
		return false;
	while ((percent = conninfo_find(p->text, percent, end, "%")) < end)
		if (conninfo_escape_value(p->text, percent++, end) < 0)
			return conninfo_fail(p, percent - 1, "a % without two hex digits in the host", NULL);
	if ((host = conninfo_decode_part(p, start, end)) == NULL)
		return false;
	for (i = 0; host[i] != '\0'; i++)
		if (conninfo_is_control(host[i]) ||
		    (host[0] == '/' || host[0] == '@' ? strchr(";&?=", host[i]) != NULL
			: (unsigned char)host[i] < 0x80 && !conninfo_is_letter(host[i]) && !conninfo_is_digit(host[i]) &&
			    strchr(".-_", host[i]) == NULL))
			break;
	if ((ok = host[i] == '\0'))
		bytes_str(hosts, host);
	else
		(void)conninfo_fail(p, start, "an encoded character that is not valid in a host name", NULL);
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
		name_end = conninfo_find(p->text, start, end, ":");
		if (name_end < end && conninfo_find(p->text, name_end + 1, end, ":") < end)
			return conninfo_fail(p, start, "more than one colon in a host and its port",
			    "Write an IPv6 address in brackets: [2001:db8::1]:5432");
		if (name_end == start)
			return conninfo_fail(p, start, "a host is missing in the list", NULL);
		if (!parse_host_name(p, start, name_end, hosts))
			return false;
	}
	if (name_end < end && p->text[name_end] != ':')
		return conninfo_fail(p, name_end,
		    "unexpected text between the ] of an IPv6 address and the port", NULL);
	return parse_port(p, name_end < end ? name_end + 1 : end, end, ports);
}

/* h1:5432,h2,[::1]:6432 becomes the two lists of libpq. */
static bool
parse_hosts(struct parse *p, size_t start, size_t end)
{
	struct bytes hosts = { 0 }, ports = { 0 };
	bool ok = true;

	for (;;) {
		size_t next = conninfo_find(p->text, start, end, ",");

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
	size_t at = conninfo_find_last(p->text, start, end, '@');
	size_t host = at < end ? at + 1 : start;

	if (at < end && !parse_userinfo(p, start, at))
		return false;
	if (!conninfo_check_no_reference(p, host, end))
		return false;
	p->host_at = host;
	/* Nothing at all: a socket of libpq's choice, or ?host=.  But `:@:` is what variables leave
	 * that resolve to nothing, and no host is ever guessed from that. */
	p->host_needed = start < end && (host == end || (p->text[host] == ':' && host + 1 == end));
	if (start == end || p->host_needed)
		return true;
	if (p->text[host] == ':' && conninfo_find(p->text, host + 1, end, ":,") == end) {
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
	size_t segment = conninfo_find(p->text, start, end, "/"), i;
	struct bytes name = { 0 };

	if (!conninfo_check_no_reference(p, start, end) || !conninfo_check_slot(p, start, end, "&:;"))
		return false;
	if (p->target->host != NULL && segment == start && segment + 1 < end)
		return conninfo_fail(p, start, "two slashes before the database", "Write it as " SHAPE);
	if (p->target->host == NULL && !p->host_needed && segment + 1 < end)
		return conninfo_fail(p, start, "three slashes: the host would be read as the database",
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
	return conninfo_is_one_of(lower, words, COUNT(words));
}

/* The name of a parameter that is not known is shown with -v, so it has to look like one. */
static bool
check_parameter_name(struct parse *p, const char *name, size_t at)
{
	size_t i;

	if (strncmp(name, "amp;", 4) == 0)
		return conninfo_fail(p, at, "&amp; instead of &: the string was copied from HTML", "Write & instead.");
	if (is_password_name(name))
		return conninfo_check_secret_parameter(p, conninfo_parameter_find("password", 8), at);
	for (i = 0; name[i] != '\0'; i++)
		if (!conninfo_is_letter(name[i]) && !conninfo_is_digit(name[i]) && strchr("_.-", name[i]) == NULL)
			return conninfo_fail(p, at, "a parameter name with characters other than letters, digits, _ . and -",
			    SLOT_HINT);
	return true;
}

/* What may not stand in a value unless it is encoded: of a schema, whatever looks glued to it, or like u:secret. */
static const char *
raw_refused(const struct parameter *parameter)
{
	return parameter != NULL && parameter->kind == SCHEMA ? "?:;/\"'" : "?;";
}

static bool
parse_query(struct parse *p, size_t start, size_t end)
{
	while (start < end) {
		size_t next = conninfo_find(p->text, start, end, "&");
		size_t equals = conninfo_find(p->text, start, next, "=");
		size_t value_at = equals < next ? equals + 1 : next;
		const struct parameter *parameter;
		char *name, *value;
		bool ok;

		if ((name = conninfo_decode_query(p, start, equals)) == NULL)
			return false;
		parameter = conninfo_parameter_find(name, strlen(name));
		ok = check_parameter_name(p, name, start) &&
		    (parameter == NULL || conninfo_check_secret_parameter(p, parameter, start)) &&
		    conninfo_check_slot(p, value_at, next, raw_refused(parameter)) &&
		    (parameter == NULL || parameter->kind != USER || conninfo_check_user(p, value_at, next));
		if (ok && parameter == NULL && *name != '\0')
			conninfo_ignore(p->target, name);
		free(name);
		if (!ok)
			return false;
		if (parameter != NULL) {
			if ((value = conninfo_decode_query(p, value_at, next)) == NULL ||
			    !conninfo_parameter_set(p, parameter, value, start))
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
	struct conninfo *target = p->target;
	const struct conninfo_parameter *address = conninfo_given(target, "hostaddr");

	if (p->host_parameter && p->port_at != 0)
		return conninfo_fail(p, p->port_at, "host= and port= differ from the port in the URL",
		    "Prisma uses the URL's port, libpq the parameter: write the same port in both places.");
	if (p->host_needed && target->host == NULL && (address == NULL || *address->value == '\0'))
		return conninfo_fail(p, p->host_at, "the host is empty",
		    "Is a variable empty? For a socket add ?host=/its/directory.");
	if (target->host != NULL && target->port == NULL)
		target->port = xstrdup("5432");
	/* Without a path Prisma takes `postgres`; with an empty one the server, the user's name. */
	if (target->database == NULL && !path)
		target->database = xstrdup("postgres");
	else if (target->database == NULL && target->user != NULL)
		target->database = xstrdup(target->user);
	return true;
}

bool
conninfo_parse_url(struct parse *p, size_t start)
{
	size_t authority_end = conninfo_find(p->text, start, p->end, "/?#");
	size_t fragment = conninfo_find(p->text, authority_end, p->end, "#");
	size_t query = conninfo_find(p->text, authority_end, fragment, "?");
	bool path = authority_end < query;
	size_t i;

	p->target->is_url = true;
	for (i = start; i < p->end; i++)
		if (conninfo_is_control(p->text[i]))
			return conninfo_fail(p, i, "a line break, a tab or another control character", NULL);
	if (!check_authority(p, start, authority_end) || !parse_authority(p, start, authority_end))
		return false;
	if (path && !parse_path(p, authority_end + 1, query))
		return false;
	if (query < fragment && !parse_query(p, query + 1, fragment))
		return false;
	return finish_url(p, path);
}
