#include "records/json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "records/jansson_internal.h"
#include "records/json_internal.h"

/* A text from SMALL on has memory of its own, so that it can be forgotten; a line from RECORD_LARGE on is kept for it
 * rather than copied. */
enum { SMALL = 256 };

struct entry {
	const char *key;
	struct value value;
	char *own; /* memory of this text alone, or NULL */
};

struct record {
	size_t count;
	struct entry entries[]; /* and behind them keys and small texts */
};

/* --- records --- */

static struct record *
record_new(size_t count, size_t texts, char **room)
{
	struct record *record = xmalloc(sizeof *record + count * sizeof *record->entries + texts);

	record->count = count;
	*room = (char *)&record->entries[count];
	return record;
}

static const char *
put_text(char **room, const char *text, size_t len)
{
	char *at = *room;

	memcpy(at, text, len);
	at[len] = '\0';
	*room += len + 1;
	return at;
}

static bool
has_text(const struct value *value)
{
	return value->type == VALUE_TEXT || value->type == VALUE_LIST;
}

static void
put_value(struct entry *entry, const struct json_span *text, char **room, char *line, bool *kept)
{
	if (text->len < SMALL) {
		entry->value.text = put_text(room, text->at, text->len);
	} else if (line != NULL && text->len >= RECORD_LARGE && !*kept) {
		*kept = true;
		entry->own = line;
		entry->value.text = text->at;
	} else {
		entry->own = xstrndup(text->at, text->len);
		entry->value.text = entry->own;
	}
}

/* `line`: contains the texts and may be kept; NULL: the texts belong to the caller. */
static struct record *
record_make(struct json_pair *pairs, size_t count, char *line, bool *kept)
{
	struct record *record;
	size_t texts = 0, i;
	char *room;

	for (i = 0; i < count; i++) {
		texts += pairs[i].key.len + 1;
		if (has_text(&pairs[i].value))
			texts += pairs[i].text.len < SMALL ? pairs[i].text.len + 1 : 0;
	}
	record = record_new(count, texts, &room);
	for (i = 0; i < count; i++) {
		struct entry *entry = &record->entries[i];

		*entry = (struct entry){ put_text(&room, pairs[i].key.at, pairs[i].key.len), pairs[i].value, NULL };
		if (has_text(&entry->value))
			put_value(entry, &pairs[i].text, &room, line, kept);
	}
	return record;
}

/* --- all of JSON --- */

static bool
is_text_list(const json_t *list)
{
	size_t i;

	for (i = 0; i < json_array_size(list); i++)
		if (!json_is_string(json_array_get(list, i)) && !json_is_null(json_array_get(list, i)))
			return false;
	return true;
}

static void
pair_of(const char *key, const json_t *value, struct json_pair *pair)
{
	*pair = (struct json_pair){ .key = { (char *)(uintptr_t)key, strlen(key), false } };
	switch (json_typeof(value)) {
	case JSON_STRING:
		pair->value.type = VALUE_TEXT;
		pair->text.at = (char *)(uintptr_t)json_string_value(value);
		pair->text.len = json_string_length(value);
		break;
	case JSON_INTEGER:
		pair->value.type = VALUE_NUMBER;
		pair->value.number = json_integer_value(value);
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		pair->value.type = VALUE_FLAG;
		pair->value.number = json_is_true(value);
		break;
	case JSON_NULL:
		break;
	case JSON_ARRAY:
		pair->value.type = is_text_list(value) ? VALUE_LIST : VALUE_OTHER;
		if (pair->value.type == VALUE_LIST) {
			pair->own = json_dumps(value, JSON_COMPACT);
			pair->text.at = pair->own;
			pair->text.len = strlen(pair->own);
		}
		break;
	default:
		pair->value.type = VALUE_OTHER;
	}
}

static struct record *
read_any(const char *line, size_t len, struct json_flaw *flaw)
{
	json_error_t why;
	json_t *json = jansson_read(line, len, JSON_REJECT_DUPLICATES, &why), *value;
	struct record *record = NULL;
	struct json_pair *pairs;
	bool kept = true;
	const char *key;
	size_t n = 0;

	*flaw = (struct json_flaw){ 0 };
	if (json == NULL) {
		flaw->column = why.column;
		bytes_copy(flaw->text, sizeof flaw->text, why.text);
	} else if (json_is_object(json)) {
		pairs = xcalloc(json_object_size(json) + 1, sizeof *pairs);
		json_object_foreach(json, key, value)
			pair_of(key, value, &pairs[n++]);
		record = record_make(pairs, n, NULL, &kept);
		while (n > 0)
			free(pairs[--n].own);
		free(pairs);
	}
	json_decref(json);
	return record;
}

struct record *
record_parse(char *line, size_t len, bool *kept, struct json_flaw *flaw)
{
	struct json_pair pairs[VALUES_MAX];
	size_t count, i;

	*kept = false;
	if (!json_line_scan(line, len, pairs, &count))
		return read_any(line, len, flaw);
	for (i = 0; i < count; i++)
		if (has_text(&pairs[i].value))
			json_line_decode(&pairs[i].text);
	return record_make(pairs, count, line, kept);
}

void
record_free(struct record *record)
{
	size_t i;

	for (i = 0; record != NULL && i < record->count; i++)
		free(record->entries[i].own);
	free(record);
}

static size_t
find(const struct record *record, const char *key, size_t from)
{
	size_t i;

	for (i = 0; i < record->count; i++) {
		size_t at = (from + i) % record->count;

		if (record->entries[at].key != NULL && strcmp(record->entries[at].key, key) == 0)
			return at;
	}
	return record->count;
}

const struct value *
record_get(const struct record *record, const char *key, size_t *next)
{
	size_t at = find(record, key, next != NULL ? *next : 0);

	if (at == record->count)
		return NULL;
	if (next != NULL)
		*next = at + 1;
	return &record->entries[at].value;
}

void
record_forget(struct record *record, const char *key)
{
	size_t at = find(record, key, 0);

	if (at < record->count) {
		free(record->entries[at].own);
		record->entries[at] = (struct entry){ 0 };
	}
}

bool
json_list_next(const char **at, struct bytes *item, bool *null)
{
	const char *p = *at + 1; /* behind the bracket, or the comma */
	const char *end = p;

	if (**at == ']' || *p == ']')
		return false;
	item->len = 0;
	*null = *p == 'n';
	if (*null) {
		*at = p + strlen("null");
		return true;
	}
	for (end = ++p; *end != '"'; end++)
		end += *end == '\\';
	while (p < end) {
		size_t run = (size_t)(end - p);
		const char *json_escape = memchr(p, '\\', run);

		bytes_add(item, p, json_escape != NULL ? (size_t)(json_escape - p) : run);
		if (json_escape == NULL)
			break;
		bytes_char(item, json_unescaped(json_escape));
		p = json_escape + (json_escape[1] == 'u' ? 6 : 2);
	}
	bytes_room(item, 0);
	item->data[item->len] = '\0';
	*at = end + 1;
	return true;
}
