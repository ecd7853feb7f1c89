#include "secret/host_hint.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "check.h"

#define NO_NAME "could not translate host name \"x\" to address: Name or service not known"
#define REFUSED "Connection refused"
#define DENIED "password authentication failed for user \"x\""

/* A string, what fails, and a part of what is said of it; NULL: nothing is. */
static const struct {
	const char *string;
	enum host_trouble trouble;
	const char *message, *hint;
} rows[] = {
	{ "postgresql://u@db.abcdef.supabase.co/d", HOST_NOT_REACHED, NO_NAME, "has only an IPv6 address" },
	{ "postgresql://u@db.abcdef.supabase.co/d", HOST_NOT_REACHED, "Network is unreachable", "*.pooler.supabase.com, with port 5432" },
	{ "postgresql://u@db.abcdef.supabase.co/d", HOST_NOT_REACHED, "no answer in time", "IPv6" },
	{ "postgresql://u@DB.ABCDEF.SUPABASE.CO/d", HOST_NOT_REACHED, NO_NAME, "IPv6" },
	{ "postgresql://u@db.abcdef.supabase.co/d", HOST_NOT_REACHED, REFUSED, NULL },
	{ "postgresql://u@db.abcdef.supabase.co/d", HOST_NOT_LOGGED_IN, DENIED, NULL },
	{ "postgresql://u@db.abcdef.supabase.co.example.com/d", HOST_NOT_REACHED, NO_NAME, NULL },
	{ "postgresql://u@mydb.supabase.com/d", HOST_NOT_REACHED, NO_NAME, NULL },
	{ "postgresql://u@aws-0-eu.pooler.supabase.com:6543/d", HOST_POOLED, "", "port 5432 of the same host" },
	{ "postgresql://u@aws-0-eu.pooler.supabase.com:5432/d", HOST_POOLED, "", NULL },
	{ "postgresql://u@aws-0-eu.pooler.supabase.com:6543/d", HOST_NOT_REACHED, NO_NAME, NULL },
	{ "postgresql://u@ep-cool-1-pooler.eu-central-1.aws.neon.tech/d", HOST_POOLED, "", "is ep-cool-1.eu-central-1.aws.neon.tech." },
	{ "postgresql://u@ep-cool-1.eu-central-1.aws.neon.tech/d", HOST_POOLED, "", NULL },
	{ "postgresql://u@ep-cool-1-pooler.eu-central-1.aws.neon.tech/d", HOST_NOT_REACHED, NO_NAME, NULL },
	{ "postgresql://u@my-pooler.example.com/d", HOST_POOLED, "", NULL },
	{ "postgresql://u@shop.proxy-abc.eu-west-1.rds.amazonaws.com/d", HOST_POOLED, "", "RDS Proxy" },
	{ "postgresql://u@shop.abc.eu-west-1.rds.amazonaws.com/d", HOST_POOLED, "", NULL },
	{ "postgresql://u@postgres.railway.internal/d", HOST_NOT_REACHED, NO_NAME, "-d env:DATABASE_PUBLIC_URL" },
	{ "postgresql://u@postgres.railway.internal/d", HOST_NOT_REACHED, REFUSED, NULL },
	{ "postgresql://u@x.proxy.rlwy.net:1234/d", HOST_NOT_REACHED, NO_NAME, NULL },
	{ "postgresql://u%40shop@shop.postgres.database.azure.com/d", HOST_NOT_LOGGED_IN, DENIED, "without @SERVER" },
	{ "postgresql://u@shop.postgres.database.azure.com/d", HOST_NOT_LOGGED_IN, DENIED, NULL },
	{ "postgresql://u@shop.postgres.database.azure.com/d", HOST_NOT_LOGGED_IN,
	    "Invalid Username specified. The Username should be in <username@hostname> format.", "NAME@SERVER" },
	{ "postgresql://u%40shop@shop.postgres.database.azure.com/d", HOST_NOT_REACHED, NO_NAME, NULL },
	{ "postgresql://u@db.example.com/d", HOST_NOT_REACHED, NO_NAME, NULL },
	{ "host=/tmp dbname=d", HOST_NOT_REACHED, NO_NAME, NULL },
	{ "dbname=d", HOST_NOT_REACHED, NO_NAME, NULL },
};

int
main(void)
{
	size_t i;

	for (i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct conninfo target;
		struct conninfo_password password;
		struct conninfo_error error;
		struct bytes hint = { 0 };
		bool found;

		check(rows[i].string, conninfo_parse(rows[i].string, strlen(rows[i].string), &target, &password, &error));
		found = host_hint(&hint, &target, rows[i].trouble, rows[i].message);
		check(rows[i].string, found == (rows[i].hint != NULL));
		check(bytes_text(&hint), rows[i].hint != NULL ? strstr(bytes_text(&hint), rows[i].hint) != NULL : hint.len == 0);
		bytes_free(&hint);
		conninfo_free(&target);
	}
	return checks_failed();
}
