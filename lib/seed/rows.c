#include "seed/rows.h"

#include <stdlib.h>
#include <string.h>

#include "seed/text.h"

int
rows_open(struct row_reader *reader, const struct seed_file *file)
{
	const char *data;
	size_t len;

	*reader = (struct row_reader){ .file = file, .next = 1 };
	if ((reader->code = copy_source_open(&reader->feed, file, false)) != 0 || !seed_is_csv(file))
		return reader->code;
	bytes_str(&reader->text, "");
	while ((len = copy_source_look(&reader->feed, &data)) > 0)
		bytes_add(&reader->text, data, len);
	reader->code = reader->feed.code;
	reader->at = reader->text.data;
	return reader->code;
}

void
rows_close(struct row_reader *reader)
{
	size_t i;

	for (i = 0; i < reader->cap; i++) {
		free(reader->values[i].name);
		bytes_free(&reader->values[i].text);
	}
	free(reader->values);
	bytes_free(&reader->text);
	copy_source_close(&reader->feed);
	*reader = (struct row_reader){ 0 };
}

/* The next value of the row, empty.  Takes ownership of name. */
static struct row_value *
add_value(struct row_reader *reader, char *name)
{
	size_t cap = reader->cap;
	struct row_value *value;

	ARRAY_ROOM(reader->values, reader->count, reader->cap);
	if (reader->cap > cap)
		memset(reader->values + cap, 0, (reader->cap - cap) * sizeof *reader->values);
	value = &reader->values[reader->count++];
	free(value->name);
	value->name = name;
	value->null = false;
	value->text.len = 0;
	bytes_str(&value->text, "");
	return value;
}

/* --- CSV --- */

static void
skip_line_end(struct row_reader *reader, const char *end)
{
	reader->at += reader->at < end && *reader->at == '\r';
	if (reader->at < end && *reader->at == '\n') {
		reader->at++;
		reader->next++;
	}
}

/* Fields of one record; returns how many there are, also beyond those of the header. */
static size_t
read_record(struct row_reader *reader, const char *end)
{
	const struct seed_names *header = &reader->file->header;
	const char *from = reader->at;
	struct bytes beyond = { 0 };
	bool more = true, quotes;
	size_t i;

	for (i = 0; more; i++) {
		struct row_value *value = i < header->count ? add_value(reader, xstrdup(header->names[i])) : NULL;
		struct bytes *text = value != NULL ? &value->text : &beyond;

		more = seed_csv_field(&reader->at, end, seed_delimiter(reader->file), text, &quotes);
		if (value != NULL)
			value->null = text->len == 0 && !quotes;
	}
	for (; (from = memchr(from, '\n', (size_t)(reader->at - from))) != NULL; from++)
		reader->next++;
	bytes_free(&beyond);
	return i;
}

static bool
next_record(struct row_reader *reader)
{
	const char *end = reader->text.data + reader->text.len;
	size_t wanted = reader->file->header.count, got;

	if (reader->at == reader->text.data) {
		(void)read_record(reader, end); /* the header */
		skip_line_end(reader, end);
		reader->count = 0;
	}
	if (reader->at + strspn(reader->at, "\r\n") == end)
		return false;
	reader->line = reader->next;
	got = read_record(reader, end);
	skip_line_end(reader, end);
	if (got != wanted)
		reader->code = seed_refuse(reader->file, reader->line, "the row has %zu value%s, and the first line names %zu column%s", got,
		    got == 1 ? "" : "s", wanted, wanted == 1 ? "" : "s");
	return reader->code == 0;
}

/* --- JSON --- */

static bool
read_object(struct row_reader *reader, const char *at, const char *end)
{
	struct seed_span key, value;
	const char *inside = seed_json_blanks(at + 1, end);

	if (*at == '{' && inside < end && *inside == '}')
		at = inside; /* without members */
	while ((*at == '{' || *at == ',') && seed_json_member(&at, end, &key, &value)) {
		char *name = seed_json_text(key);
		struct row_value *v;

		if (name == NULL)
			name = xstrndup(key.text, key.len); /* no column of ours has such a name: the server says so */
		if (rows_value(reader, name) != NULL) {
			reader->code = seed_refuse(reader->file, reader->line, "the key \"%s\" appears twice", name);
			free(name);
			return false;
		}
		v = add_value(reader, name);
		bytes_add(&v->text, value.text, value.len);
		v->null = seed_span_is(value, "null");
	}
	if (at < end && *at == '}' && seed_json_blanks(at + 1, end) == end)
		return true;
	reader->code = seed_refuse(reader->file, reader->line, "this is not a JSON object: NDJSON has one per line");
	return false;
}

static bool
next_object(struct row_reader *reader)
{
	const char *line, *from;
	size_t len;

	while (copy_source_line(&reader->feed, &line, &len)) {
		from = seed_json_blanks(line, line + len);
		reader->line = reader->feed.line;
		if (from < line + len)
			return read_object(reader, from, line + len);
	}
	reader->code = reader->feed.code;
	return false;
}

bool
rows_next(struct row_reader *reader)
{
	reader->count = 0;
	if (reader->code != 0)
		return false;
	return seed_is_csv(reader->file) ? next_record(reader) : next_object(reader);
}

const struct row_value *
rows_value(const struct row_reader *reader, const char *name)
{
	size_t i;

	for (i = 0; i < reader->count; i++)
		if (strcmp(reader->values[i].name, name) == 0)
			return &reader->values[i];
	return NULL;
}

void
rows_add_text(struct bytes *out, const struct seed_file *file, const struct row_value *value)
{
	char *text = seed_is_csv(file) ? NULL : seed_json_text((struct seed_span){ value->text.data, value->text.len });

	bytes_str(out, text != NULL ? text : value->text.data);
	free(text);
}
