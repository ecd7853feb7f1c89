#include "seed/up_to_date.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "records/json.h"
#include "seed/copy_source.h"
#include "seed/file.h"
#include "seed/text.h"
#include "seed/upsert.h"

enum { LARGE_BYTES = 1 << 20 }; /* of all files together */

/* What a file is made into: a list of objects, for json_populate_record(). */
struct listing {
	const struct seed_file *file;
	struct upsert_table table;  /* with which columns the rows have */
	struct bytes list;
};

static struct upsert_column *
column_named(struct upsert_table *t, const char *name)
{
	size_t i;

	for (i = 0; i < t->count; i++)
		if (strcmp(t->columns[i].name, name) == 0)
			return &t->columns[i];
	return NULL;
}

/* JSON's null, which CSV can contain in addition to SQL's NULL; JSON members only give SQL's NULL. */
static bool
is_null(const char *json)
{
	return strncmp(json + strspn(json, " \t\r\n"), "null", 4) == 0;
}

/* One record of CSV: text as the types' input functions want it; JSON stands for itself. */
static bool
add_record(struct listing *g, const char **at, const char *end)
{
	struct bytes field = { 0 };
	const struct seed_names *header = &g->file->header;
	size_t i = 0;
	bool more = true, quotes, good = true;

	for (; good && more; i++) {
		more = seed_csv_field(at, end, seed_delimiter(g->file), &field, &quotes);
		good = i < header->count && (i + 1 < header->count) == more;
		if (!good)
			break;
		bytes_str(&g->list, i == 0 ? "{" : ",");
		json_add_text(&g->list, header->names[i]);
		bytes_char(&g->list, ':');
		if (field.len == 0 && !quotes)
			bytes_str(&g->list, "null");
		else if (!column_named(&g->table, header->names[i])->json)
			json_add_text(&g->list, field.data);
		else if ((good = !is_null(field.data)))
			bytes_str(&g->list, field.data);
	}
	bytes_char(&g->list, '}');
	bytes_free(&field);
	/* a line ends in \n or \r\n; what else may end one is COPY's to know */
	if (*at < end && **at == '\r')
		++*at;
	if (*at < end && **at != '\n')
		return false;
	*at += *at < end;
	return good;
}

static bool
list_csv(struct listing *g, const char *text, size_t len)
{
	const char *at = text, *end = text + len;
	size_t lines = 0;

	for (; at < end; lines++) {
		if (*at == '\\' || *at == '\n' || *at == '\r')
			return false; /* the end of the data, for some servers; a line of nothing */
		if (lines == 0) {
			struct bytes field = { 0 };

			while (seed_csv_field(&at, end, seed_delimiter(g->file), &field, NULL))
				;
			bytes_free(&field);
			at += at < end && *at == '\r';
			at += at < end;
			continue;
		}
		bytes_str(&g->list, lines > 1 ? "," : "");
		if (!add_record(g, &at, end))
			return false;
	}
	return true;
}

/* An object with columns that the table has, each once, and nothing behind it. */
static bool
add_object(struct listing *g, const char *line, size_t len)
{
	const char *at = line, *end = line + len;
	struct seed_span key, value;
	struct seed_names seen = { 0 };
	bool good = true;

	while (good && seed_json_member(&at, end, &key, &value)) {
		char *name = seed_json_text(key);
		struct upsert_column *c = name != NULL ? column_named(&g->table, name) : NULL;

		good = c != NULL && !seed_names_have(&seen, name);
		if (good)
			c->in_file = c->sometimes = true;
		if (name != NULL)
			seed_names_add(&seen, name);
	}
	seed_names_free(&seen);
	bytes_add(&g->list, line, len);
	return good && at < end && *at == '}' && seed_json_blanks(at + 1, end) == end;
}

static bool
list_json(struct listing *g, const char *text, size_t len)
{
	const char *at = text, *end = text + len;
	size_t line, lines = 0;

	for (; at < end; at += line + 1) {
		line = strcspn(at, "\n");
		if (seed_json_blanks(at, at + line) == at + line)
			continue;
		bytes_str(&g->list, lines++ > 0 ? ",\n" : "");
		if (!add_object(g, at, line))
			return false;
	}
	return true;
}

/* A file as a list; false where it is not to be had so.  *left: how many bytes may still be read. */
static bool
list_file(struct listing *g, size_t *left, int *code)
{
	struct copy_source feed;
	struct bytes text = { 0 };
	const char *data;
	size_t len;
	bool good = copy_source_open(&feed, g->file, false) == 0;

	bytes_str(&text, "");
	while (good && (len = copy_source_look(&feed, &data)) > 0) {
		bytes_add(&text, data, len);
		good = len <= *left;
		*left -= good ? len : 0;
	}
	*code = feed.code;
	copy_source_close(&feed);
	good = good && *code == 0 && utf8_check(text.data, text.len) == text.len && memchr(text.data, '\0', text.len) == NULL;
	bytes_str(&g->list, "[");
	if (good)
		good = g->table.json ? list_json(g, text.data, text.len) : list_csv(g, text.data, text.len);
	bytes_str(&g->list, "]");
	bytes_free(&text);
	return good;
}

static bool
has_key(const struct upsert_table *t)
{
	size_t i;

	for (i = 0; i < t->count; i++)
		if (t->columns[i].key && !t->columns[i].in_file)
			return false;
	return true;
}

/* What the file has there is not the value. */
static bool
has_secret(const struct upsert_table *t)
{
	size_t i;

	for (i = 0; i < t->count; i++)
		if (t->columns[i].secret > 0)
			return true;
	return false;
}

/* Asks for one table; the answer is good only where every row has its like. */
static bool
ask_table(struct db *db, struct listing *g, struct seed_table *t, bool prune)
{
	struct bytes sql = { 0 };
	const char *list = g->list.data;
	struct answer *a = NULL;
	long long given, rows;
	bool same = false;

	upsert_same(&sql, &g->table);
	if (db_query(db, &a, sql.data, 1, &list) == DB_OK && answer_has(a, UPSERT_ROWS + 1)) {
		given = answer_number(a, 0, UPSERT_GIVEN);
		rows = answer_number(a, 0, UPSERT_ROWS);
		same = given == answer_number(a, 0, UPSERT_SAME) &&
		    (!prune || t->file->settings.kept || t->sql.stream || given == rows);
		t->read = t->unchanged = given;
		t->inserted = t->updated = t->deleted = 0;
		t->only = rows - given;
	}
	answer_free(a);
	bytes_free(&sql);
	return same;
}

bool
up_to_date_check(struct db *db, struct seed_tables *tables, bool prune, int *code)
{
	size_t left = LARGE_BYTES, i;
	bool same = true;

	for (i = 0; same && i < tables->count; i++) {
		struct seed_table *t = &tables->tables[i];
		struct listing g = { .file = t->file, .table = t->sql };
		long long began = clock_now_ms();

		g.table.columns = xcalloc(t->sql.count + 1, sizeof *g.table.columns);
		memcpy(g.table.columns, t->sql.columns, t->sql.count * sizeof *g.table.columns);
		same = t->file->kind != SEED_ROWS && t->sql.reference_count == 0 && !has_secret(&t->sql) && list_file(&g, &left, code) && has_key(&g.table) &&
		    ask_table(db, &g, t, prune);
		t->took_ms = clock_now_ms() - began;
		free(g.table.columns);
		bytes_free(&g.list);
	}
	return same;
}
