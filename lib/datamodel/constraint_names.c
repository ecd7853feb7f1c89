/* Names that Prisma makes for keys, indexes and references. */
#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
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

const char *
make_reference_name(struct datamodel *d, const struct field *f)
{
	const struct relation_end *r = f->relation;
	const char **columns = arena_alloc(d->arena, (r->field_count + 1) * sizeof *columns);
	size_t i;

	if (r->map != NULL)
		return r->map;
	for (i = 0; i < r->field_count; i++)
		columns[i] = r->fields[i]->column;
	return make_index_name(d, f->model->table, columns, r->field_count, "_fkey");
}

size_t
first_characters(const char *text, size_t count)
{
	size_t len = strlen(text);

	return utf8_count(text, len) > count ? utf8_offset(text, len, count) : len;
}

const char *
make_join_name(struct datamodel *d, const struct field *a)
{
	const char *full = arena_format(d->arena, "_%s", a->relation->called);

	return arena_text(d->arena, full, first_characters(full, NAME_BYTES));
}

bool
join_name_is_cut(const char *name)
{
	return strlen(name) > JOIN_BYTES && ((unsigned char)name[JOIN_BYTES] & 0xC0) == 0x80;
}
