#define _GNU_SOURCE /* strcasestr */
#include "secret/host_hint.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

static bool
ends_with(const char *host, const char *end)
{
	size_t len = strlen(host), end_len = strlen(end);

	return len > end_len && strcasecmp(host + len - end_len, end) == 0;
}

/*
 * A name that is not known here, or an address without a way to it: not a server that refuses, which the network reaches.  libpq's
 * and the system's words, which are not translated.
 */
static bool
has_no_way(const char *message)
{
	static const char *const words[] = { "could not translate host name", "Network is unreachable", "No route to host",
		"Cannot assign requested address", "Address family not supported", "no answer in time", "timeout expired",
		"Connection timed out" };
	size_t i;

	for (i = 0; i < sizeof words / sizeof *words; i++)
		if (strcasestr(message, words[i]) != NULL)
			return true;
	return false;
}

static bool
not_reached(struct bytes *out, const char *host)
{
	if (strncasecmp(host, "db.", 3) == 0 && ends_with(host, ".supabase.co"))
		bytes_str(out, "This host of Supabase has only an IPv6 address. From a network without IPv6 use the session pooler: "
		               "a host *.pooler.supabase.com, with port 5432; 6543 is transaction mode.");
	else if (ends_with(host, ".railway.internal"))
		bytes_str(out, "This name exists only in Railway's private network. From elsewhere use the public address:  "
		               "-d env:DATABASE_PUBLIC_URL");
	return out->len > 0;
}

static bool
not_logged_in(struct bytes *out, const char *host, const char *user, const char *message)
{
	if (!ends_with(host, ".postgres.database.azure.com") || user == NULL)
		return false;
	if (strchr(user, '@') != NULL)
		bytes_str(out, "A flexible server of Azure takes the user's name without @SERVER.");
	else if (strcasestr(message, "username@hostname") != NULL)
		bytes_str(out, "A single server of Azure takes the user as NAME@SERVER; in a URL the @ is written %40.");
	return out->len > 0;
}

static bool
pooled(struct bytes *out, const char *host, const char *port)
{
	const char *pooler = strstr(host, "-pooler.");

	if (ends_with(host, ".pooler.supabase.com") && port != NULL && strcmp(port, "6543") == 0)
		bytes_str(out, "Port 6543 is Supabase's pooler in transaction mode; port 5432 of the same host has sessions.");
	else if (ends_with(host, ".neon.tech") && pooler != NULL)
		bytes_format(out, "This is Neon's pooler; the server itself is %.*s%s.", (int)(pooler - host), host, pooler + strlen("-pooler"));
	else if (ends_with(host, ".rds.amazonaws.com") && strstr(host, ".proxy-") != NULL)
		bytes_str(out, "This is an RDS Proxy, which shares sessions; use the endpoint of the instance or the cluster.");
	return out->len > 0;
}

bool
host_hint(struct bytes *out, const struct conninfo *target, enum host_trouble trouble, const char *message)
{
	const char *host = conninfo_first_host(target);
	struct bytes hint = { 0 };
	bool found;

	if (host == NULL || message == NULL)
		return false;
	found = trouble == HOST_POOLED      ? pooled(&hint, host, target->port)
	    : trouble == HOST_NOT_LOGGED_IN ? not_logged_in(&hint, host, target->user, message)
	                                    : has_no_way(message) && not_reached(&hint, host);
	bytes_str(out, bytes_text(&hint));
	bytes_free(&hint);
	return found;
}
