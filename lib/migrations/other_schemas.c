#include "migrations/other_schemas.h"

#include <string.h>

/* As a parameter of a URL has it. */
static void
add_parameter(struct bytes *out, const char *schema)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";

	bytes_str(out, "schema=");
	for (; *schema != '\0'; schema++)
		bytes_format(out, strchr(plain, *schema) != NULL ? "%c" : "%%%02X", (unsigned char)*schema);
}

bool
other_schemas(struct bytes *out, const struct database *d)
{
	if (d->has_history || d->other_history_schema == NULL)
		return false;
	if (d->other_history_count > 1)
		bytes_format(out, "there are histories in %lld other schemas, one of them %s: name yours in the connection string, as in ",
		    d->other_history_count, d->other_history_schema);
	else
		bytes_format(out, "there is a history in schema %s: add ", d->other_history_schema);
	add_parameter(out, d->other_history_schema);
	if (d->other_history_count <= 1)
		bytes_str(out, " to the connection string");
	return true;
}
