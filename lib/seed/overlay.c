#include "seed/overlay.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mig.h"
#include "records/json.h"
#include "seed/copy_source.h"
#include "seed/members.h"
#include "seed/overlay_row.h"
#include "seed/rows.h"
#include "seed/table_internal.h"
#include "seed/text.h"

/* --- two files as one --- */

static void
add_members(struct seed_file *joined, const struct seed_names *names, const size_t *rows, size_t all)
{
	size_t i, k;

	for (i = 0; i < names->count; i++) {
		for (k = 0; k < joined->members.count && strcmp(joined->members.names[k], names->names[i]) != 0; k++)
			;
		if (k == joined->members.count) {
			seed_names_add(&joined->members, xstrdup(names->names[i]));
			joined->member_rows = xrealloc(joined->member_rows, joined->members.count * sizeof *joined->member_rows);
			joined->member_rows[k] = 0;
		}
		joined->member_rows[k] += rows != NULL ? rows[i] : all;
	}
}

static int
count_rows(struct seed_file *file)
{
	struct row_reader reader;
	int code = rows_open(&reader, file);

	for (file->rows = 0; code == 0 && rows_next(&reader);)
		file->rows++;
	code = code != 0 ? code : reader.code;
	rows_close(&reader);
	return code;
}

int
overlay_join(struct seed_file *joined, struct seed_file *base, struct seed_file *overlay)
{
	struct seed_file *const both[] = { base, overlay };
	size_t i;
	int code = 0;

	*joined = (struct seed_file){ .kind = SEED_NDJSON,
		.path = xformat("%s + %s", base->path, overlay->path),
		.title = xformat("%s + %s", base->name, overlay->name),
		.schema = base->schema != NULL ? xstrdup(base->schema) : NULL,
		.table = xstrdup(base->table),
		.base = xmalloc(sizeof *base),
		.overlay = xmalloc(sizeof *overlay) };
	joined->name = joined->title;
	joined->settings = overlay->settings; /* they were read of both folders for either */
	overlay->settings = (struct seed_settings){ .kept = false };
	for (i = 0; code == 0 && i < 2; i++) {
		bool csv = seed_is_csv(both[i]);

		code = count_rows(both[i]);
		add_members(joined, csv ? &both[i]->header : &both[i]->members, csv ? NULL : both[i]->member_rows, both[i]->rows);
		joined->rows += both[i]->rows;
	}
	*joined->base = *base;
	*joined->overlay = *overlay;
	return code;
}

/* --- by key --- */

/* A row of the overlay. */
struct entry {
	char *key;
	unsigned long line;
	struct row_value *values;
	size_t count;
	bool used;                 /* over a row of the base */
};

struct merge {
	struct seed_table *table;
	struct seed_file *file;
	struct seed_names key;     /* as the files name its columns */
	struct entry *entries;     /* sorted by key */
	size_t count, cap;
	size_t origin_cap;
};

/* The columns of the key; of a reference, those that stand for it. */
static void
name_key(struct merge *m)
{
	const struct upsert_table *t = &m->table->sql;
	size_t i, k;

	for (i = 0; i < t->count; i++) {
		const struct upsert_column *c = &t->columns[i];

		if (c->key && c->reference == NULL)
			seed_names_add(&m->key, xstrdup(c->name));
		for (k = 0; c->key && c->reference != NULL && k < c->reference->part_count; k++)
			if (!seed_names_have(&m->key, c->reference->parts[k].header))
				seed_names_add(&m->key, xstrdup(c->reference->parts[k].header));
	}
}

/* "slug=pro": also how a row is named on pages.  NULL: the row lacks a column of it. */
static char *
key_of(const struct merge *m, const struct row_reader *reader)
{
	struct bytes text = { 0 };
	size_t i;

	for (i = 0; i < m->key.count; i++) {
		const struct row_value *value = rows_value(reader, m->key.names[i]);

		if (value == NULL || value->null) {
			bytes_free(&text);
			return NULL;
		}
		bytes_format(&text, "%s%s=", i > 0 ? " " : "", m->key.names[i]);
		rows_add_text(&text, reader->file, value);
	}
	return text.data;
}

static int
by_key(const void *a, const void *b)
{
	const struct entry *one = a, *other = b;
	int order = strcmp(one->key, other->key);

	return order != 0 ? order : one->line < other->line ? -1 : 1;
}

static int
by_line(const void *a, const void *b)
{
	const struct entry *one = a, *other = b;

	return one->line < other->line ? -1 : one->line > other->line;
}

static int
find_key(const void *key, const void *entry)
{
	return strcmp(key, ((const struct entry *)entry)->key);
}

static void
free_values(struct row_value *values, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		free(values[i].name);
		bytes_free(&values[i].text);
	}
	free(values);
}

static int
refuse_keyless(const struct merge *m, const struct row_reader *reader)
{
	struct bytes list = { 0 };
	size_t i;

	for (i = 0; i < m->key.count; i++)
		bytes_format(&list, "%s%s", i > 0 ? ", " : "", m->key.names[i]);
	(void)seed_refuse(reader->file, reader->line, "the row has no %s, by which it is matched with a row of %s", list.data, m->file->base->path);
	bytes_free(&list);
	return MIG_DATA;
}

/* Takes the values of the row. */
static int
take_row(struct merge *m, struct row_reader *reader)
{
	char *key = key_of(m, reader);

	if (key == NULL)
		return refuse_keyless(m, reader);
	ARRAY_ROOM(m->entries, m->count, m->cap);
	m->entries[m->count++] = (struct entry){ key, reader->line, reader->values, reader->count, false };
	reader->values = NULL;
	reader->cap = reader->count = 0;
	return 0;
}

static int
read_overlay(struct merge *m)
{
	struct row_reader reader;
	int code = rows_open(&reader, m->file->overlay);
	size_t i;

	while (code == 0 && rows_next(&reader))
		code = take_row(m, &reader);
	code = code != 0 ? code : reader.code;
	rows_close(&reader);
	if (m->count > 0)
		qsort(m->entries, m->count, sizeof *m->entries, by_key);
	for (i = 1; code == 0 && i < m->count; i++)
		if (strcmp(m->entries[i].key, m->entries[i - 1].key) == 0)
			code = seed_refuse(m->file->overlay, m->entries[i].line, "%s appears already on line %lu", m->entries[i].key,
			    m->entries[i - 1].line);
	return code;
}

/* --- the merged rows --- */

/* A value as JSON.  CSV's null of a jsonb is JSON's, which an object cannot give to a column. */
static int
add_value(struct merge *m, const struct seed_file *file, unsigned long line, const struct row_value *value, bool first)
{
	const struct upsert_column *c = table_column_named(m->table, value->name);
	struct bytes *out = &m->file->merged;
	const char *at;

	bytes_char(out, first ? '{' : ',');
	json_add_text(out, value->name);
	bytes_char(out, ':');
	if (value->null) {
		bytes_str(out, "null");
	} else if (!seed_is_csv(file)) {
		bytes_str(out, value->text.data);
	} else if (c == NULL || !c->json || c->secret) {
		json_add_text(out, value->text.data);
	} else {
		at = value->text.data + strspn(value->text.data, " \t\r\n");
		if (strncmp(at, "null", 4) == 0)
			return seed_refuse(file, line, "column \"%s\": JSON's null cannot be written to a table that has an overlay", c->name);
		for (at = value->text.data; *at != '\0'; at++)
			bytes_char(out, strchr("\r\n", *at) != NULL ? ' ' : *at);
	}
	return 0;
}

static void
end_row(struct merge *m, unsigned long base, unsigned long overlay)
{
	struct seed_file *file = m->file;

	bytes_str(&file->merged, "}\n");
	ARRAY_ROOM(file->origins, file->origin_count, m->origin_cap);
	file->origins[file->origin_count++] = (struct seed_origin){ base, overlay };
}

/* A value on one line, and not all of a long one. */
static void
add_shown(struct merge *m, struct bytes *out, const struct seed_file *file, const struct row_value *value)
{
	enum { SHOWN = 60 };
	const struct upsert_column *c = table_column_named(m->table, value->name);
	struct bytes text = { 0 };
	const char *at;

	rows_add_text(&text, file, value);
	if (c != NULL && c->hidden && !c->secret)
		bytes_str(out, "(not shown)");
	else if (value->null)
		bytes_str(out, "null");
	else
		for (at = text.data; at < text.data + utf8_offset(text.data, text.len, SHOWN); at++)
			bytes_char(out, *at == '\n' || *at == '\r' ? ' ' : *at);
	bytes_free(&text);
}

/* For the page: what the overlay puts in the place of what. */
static void
note_change(struct merge *m, const struct row_value *old, const struct row_value *new, bool *any)
{
	struct bytes *out = &m->file->overridden;

	bytes_format(out, "%s%s: ", *any ? ", " : "  ", new->name);
	*any = true;
	if (old != NULL) {
		add_shown(m, out, m->file->base, old);
		bytes_str(out, " \xE2\x86\x92 ");
	}
	add_shown(m, out, m->file->overlay, new);
}

/* As far as the text tells; only for the page. */
static bool
is_same(const struct merge *m, const struct row_value *old, const struct row_value *new)
{
	struct bytes one = { 0 }, other = { 0 };
	bool same;

	rows_add_text(&one, m->file->base, old);
	rows_add_text(&other, m->file->overlay, new);
	same = old->null == new->null && strcmp(one.data, other.data) == 0;
	bytes_free(&one);
	bytes_free(&other);
	return same;
}

/* A row of both. */
static int
add_both(struct merge *m, const struct row_reader *reader, const struct entry *over)
{
	struct overlay_value *row = xcalloc(reader->count + over->count + 1, sizeof *row);
	size_t count = overlay_row(reader->values, reader->count, over->values, over->count, &m->key, row), i;
	bool any = false;
	int code = 0;

	bytes_format(&m->file->overridden, "  %s:%lu over :%lu  %s", m->file->overlay->name, over->line, reader->line, over->key);
	for (i = 0; code == 0 && i < count; i++) {
		if (row[i].over != NULL && (row[i].base == NULL || !is_same(m, row[i].base, row[i].over)))
			note_change(m, row[i].base, row[i].over, &any);
		code = row[i].over != NULL ? add_value(m, m->file->overlay, over->line, row[i].over, i == 0)
		                           : add_value(m, reader->file, reader->line, row[i].base, i == 0);
	}
	bytes_str(&m->file->overridden, any ? "\n" : "  the same\n");
	end_row(m, reader->line, over->line);
	free(row);
	return code;
}

static int
add_base(struct merge *m)
{
	struct row_reader reader;
	int code = rows_open(&reader, m->file->base);
	size_t i;

	while (code == 0 && rows_next(&reader)) {
		char *key = key_of(m, &reader);
		struct entry *over = key != NULL && m->count > 0 ? bsearch(key, m->entries, m->count, sizeof *m->entries, find_key) : NULL;

		free(key);
		if (over != NULL && over->used) {
			code = seed_refuse(reader.file, reader.line, "%s appears twice", over->key);
		} else if (over != NULL) {
			over->used = true;
			code = add_both(m, &reader, over);
		} else {
			for (i = 0; code == 0 && i < reader.count; i++)
				code = add_value(m, reader.file, reader.line, &reader.values[i], i == 0);
			bytes_str(&m->file->merged, reader.count == 0 ? "{" : "");
			end_row(m, reader.line, 0);
		}
	}
	code = code != 0 ? code : reader.code;
	rows_close(&reader);
	return code;
}

/* Those that the base does not have, in the order of their file. */
static int
add_rest(struct merge *m)
{
	size_t i, k;
	int code = 0;

	if (m->count > 0)
		qsort(m->entries, m->count, sizeof *m->entries, by_line);
	for (i = 0; code == 0 && i < m->count; i++) {
		const struct entry *entry = &m->entries[i];

		if (entry->used)
			continue;
		bytes_format(&m->file->overridden, "  %s:%lu  %s  added\n", m->file->overlay->name, entry->line, entry->key);
		for (k = 0; code == 0 && k < entry->count; k++)
			code = add_value(m, m->file->overlay, entry->line, &entry->values[k], k == 0);
		end_row(m, 0, entry->line);
	}
	return code;
}

int
overlay_merge(struct seed_table *t)
{
	struct merge m = { .table = t, .file = t->file };
	size_t i;
	int code;

	m.file->merged.len = m.file->overridden.len = m.file->origin_count = 0;
	free(m.file->origins);
	m.file->origins = NULL;
	bytes_str(&m.file->merged, "");
	name_key(&m);
	code = read_overlay(&m);
	if (code == 0)
		code = add_base(&m);
	if (code == 0)
		code = add_rest(&m);
	for (i = 0; i < m.count; i++) {
		free(m.entries[i].key);
		free_values(m.entries[i].values, m.entries[i].count);
	}
	free(m.entries);
	seed_names_free(&m.key);
	return code;
}
