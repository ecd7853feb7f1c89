/* Names that Prisma makes for keys, indexes and references. */
#include <string.h>

#include "datamodel/datamodel_internal.h"

enum { NAME_BYTES = 63 };

/* Where text is cut to at most `bytes`: before a character, not inside. */
static size_t
cut(const char *text, size_t bytes)
{
	if (strlen(text) < bytes)
		return strlen(text);
	while (bytes > 0 && ((unsigned char)text[bytes] & 0xC0) == 0x80)
		bytes--;
	return bytes;
}

const char *
make_key_name(struct datamodel *d, const char *table)
{
	return arena_format(d->arena, "%.*s_pkey", (int)cut(table, NAME_BYTES - strlen("_pkey")), table);
}

const char *
make_index_name(struct datamodel *d, const char *table, const char *const columns[], size_t count, const char *suffix)
{
	struct bytes name = { 0 };
	const char *made;
	size_t i;

	bytes_str(&name, table);
	for (i = 0; i < count; i++)
		bytes_format(&name, "_%s", columns[i]);
	made = arena_format(d->arena, "%.*s%s", (int)cut(bytes_text(&name), NAME_BYTES - strlen(suffix)), bytes_text(&name),
	    suffix);
	bytes_free(&name);
	return made;
}
