/* A table as a file. */
#include "seed/upsert_internal.h"

#include <string.h>

void
upsert_export(struct bytes *out, const struct upsert_table *t, char delimiter)
{
	bool begun = false;
	size_t i;

	bytes_str(out, delimiter != 0 ? "COPY (SELECT " : "SELECT '{'" CAT "pg_catalog.concat_ws(','");
	for (i = 0; i < t->count; i++) {
		const struct upsert_column *c = &t->columns[i];

		if (delimiter == 0) {
			bytes_str(out, ", ");
			upsert_add_json_name(out, c->name);
			upsert_add_json(out, "t", c, true);
			continue;
		}
		upsert_add_between(out, &begun, ", ");
		upsert_add_column(out, "t", c->name);
		if (c->boolean) {
			bytes_str(out, "::pg_catalog.text AS ");
			bytes_sql_name(out, c->name);
		}
	}
	bytes_str(out, delimiter != 0 ? " FROM " : ")" CAT "'}' FROM ");
	upsert_name(out, t);
	bytes_str(out, " t");
	upsert_add_key_order(out, t);
	if (delimiter != 0)
		bytes_format(out, ") TO STDOUT (FORMAT csv, HEADER true, DELIMITER E'\\x%02x')",
		    (unsigned)delimiter);
}
