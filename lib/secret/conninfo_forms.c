/*
 * The form of values that libpq or the server would judge.  They repeat what they do not understand, and that may be a
 * password that landed there; so it is judged here first, and an error shows only the place.
 */
#include "secret/conninfo_internal.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

/* Where the words are known, and which they are, up to libpq 18. */
static const struct closed {
	const char *name, *words, *rule;
} closed[] = {
	{ "channel_binding", "disable prefer require", "invalid channel_binding; must be one of disable, prefer, require" },
	{ "gssdelegation", "0 1", "invalid gssdelegation; must be 0 or 1" },
	{ "gssencmode", "disable prefer require", "invalid gssencmode; must be one of disable, prefer, require" },
	{ "load_balance_hosts", "disable random", "invalid load_balance_hosts; must be disable or random" },
	{ "max_protocol_version", "3.0 3.2 latest", "invalid max_protocol_version; must be one of 3.0, 3.2, latest" },
	{ "min_protocol_version", "3.0 3.2 latest", "invalid min_protocol_version; must be one of 3.0, 3.2, latest" },
	{ "ssl_max_protocol_version", "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3",
	    "invalid ssl_max_protocol_version; must be one of TLSv1, TLSv1.1, TLSv1.2, TLSv1.3" },
	{ "ssl_min_protocol_version", "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3",
	    "invalid ssl_min_protocol_version; must be one of TLSv1, TLSv1.1, TLSv1.2, TLSv1.3" },
	{ "sslcertmode", "disable allow require", "invalid sslcertmode; must be one of disable, allow, require" },
	{ "sslnegotiation", "postgres direct", "invalid sslnegotiation; must be postgres or direct" },
	{ "target_session_attrs", "any read-write read-only primary standby prefer-standby",
	    "invalid target_session_attrs; must be one of any, read-write, read-only, primary, standby, prefer-standby" }
};

static bool
is_in(const char *words, const char *value, size_t len)
{
	size_t n;

	for (; *words != '\0'; words += n + (words[n] == ' ')) {
		n = strcspn(words, " ");
		if (n == len && strncasecmp(words, value, len) == 0)
			return true;
	}
	return false;
}

/* "!password,!md5": methods, of which each may be excluded. */
static bool
is_methods(const char *value)
{
	size_t len;

	for (;; value += len + 1) {
		value += *value == '!';
		len = strcspn(value, ",");
		if (!is_in("password md5 gss sspi scram-sha-256 oauth none", value, len))
			return false;
		if (value[len] == '\0')
			return true;
	}
}

static bool
is_integer(const char *value)
{
	size_t digits;

	value += *value == '-' || *value == '+';
	digits = strspn(value, "0123456789");
	return digits > 0 && digits < 11 && value[digits] == '\0';
}

/* One address of the list; behind a % stands an interface. */
static bool
is_address(const char *value, size_t len)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;
	size_t n = strcspn(value, "%,");

	if (strspn(value, "0123456789.") == len)
		return true;
	if (n >= sizeof text)
		return false;
	memcpy(text, value, n);
	text[n] = '\0';
	return inet_pton(AF_INET6, text, &address) == 1 && strcspn(value, ":;&?=/\\ ") < len;
}

static bool
is_addresses(const char *value)
{
	size_t len;

	for (;; value += len + 1) {
		len = strcspn(value, ",");
		if (!is_address(value, len))
			return false;
		if (value[len] == '\0')
			return true;
	}
}

static bool
is_plain_name(const char *value)
{
	for (; *value != '\0'; value++)
		if ((unsigned char)*value < 0x80 && !conninfo_is_letter(*value) && !conninfo_is_digit(*value) &&
		    strchr("_-. $", *value) == NULL)
			return false;
	return true;
}

bool
conninfo_check_form(struct parse *p, const char *name, const char *value, size_t at)
{
	static const struct {
		const char *name;
		bool (*is_right)(const char *value);
		const char *rule;
	} open[] = {
		{ "hostaddr", is_addresses, "hostaddr is not an IP address" },
		{ "keepalives", is_integer, "keepalives is not a whole number" },
		{ "keepalives_count", is_integer, "keepalives_count is not a whole number" },
		{ "keepalives_idle", is_integer, "keepalives_idle is not a whole number" },
		{ "keepalives_interval", is_integer, "keepalives_interval is not a whole number" },
		{ "krbsrvname", is_plain_name, "a character that is not valid in krbsrvname" },
		{ "require_auth", is_methods,
		    "invalid require_auth; each must be one of password, md5, gss, sspi, scram-sha-256, oauth, none" },
		{ "requirepeer", is_plain_name, "a character that is not valid in requirepeer" },
		{ "service", is_plain_name, "a character that is not valid in the name of a service" },
		{ "tcp_user_timeout", is_integer, "tcp_user_timeout is not a whole number" }
	};
	size_t i;

	if (*value == '\0')
		return true;
	for (i = 0; i < COUNT(closed); i++)
		if (strcmp(closed[i].name, name) == 0 && !is_in(closed[i].words, value, strlen(value)))
			return conninfo_fail(p, at, closed[i].rule, NULL);
	for (i = 0; i < COUNT(open); i++)
		if (strcmp(open[i].name, name) == 0 && !open[i].is_right(value))
			return conninfo_fail(p, at, open[i].rule, NULL);
	return true;
}
