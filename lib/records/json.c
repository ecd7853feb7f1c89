#include "records/json.h"

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

/* A text from SMALL on has memory of its own, so that it can be forgotten; a line from LARGE on is kept for it rather
 * than copied. */
enum { VALUES_MAX = 64, SMALL = 256 };

struct entry {
	const char *key;
	struct value value;
	char *own; /* memory of this text alone, or NULL */
};

struct record {
	size_t count;
	struct entry entries[]; /* and behind them keys and small texts */
};

/* Bytes that stand in a JSON text as they are. */
static const unsigned char plain[256] = {
#define ROW1 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1
	[0x20] = 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	[0x30] = ROW1, ROW1,
	[0x50] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1,
	[0x60] = ROW1, ROW1, ROW1, ROW1, ROW1, ROW1, ROW1, ROW1, ROW1, ROW1,
#undef ROW1
};

/* --- our own shape --- */

/* A text as it stands in the line, and what it decodes to once that is known to be right. */
struct span {
	char *at;
	size_t len;
	bool escaped;
};

struct pair {
	struct span key;
	struct span text;
	struct value value;
	char *own; /* what a list was written to; else NULL */
};

/* What an escape of one letter stands for; 0: it is none. */
static const char escapes[256] = { ['"'] = '"', ['\\'] = '\\', ['/'] = '/', ['b'] = '\b', ['f'] = '\f',
	['n'] = '\n', ['r'] = '\r', ['t'] = '\t' };

static bool
is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

/* The length of the escape at p if it is one that our writers use: of a letter, or of a control character. */
static size_t
escape_length(const char *p)
{
	if (escapes[(unsigned char)p[1]] != 0)
		return 2;
	if (p[1] == 'u' && p[2] == '0' && p[3] == '0' && (p[4] == '0' || p[4] == '1') && is_hex(p[5]) &&
	    (p[4] != '0' || p[5] != '0'))
		return 6;
	return 0;
}

/* A text, whose first quote is at *p; leaves *p behind its last one. */
static bool
scan_text(char **p, struct span *span)
{
	const unsigned char *c = (const unsigned char *)*p;
	unsigned char high = 0;

	if (*c != '"')
		return false;
	span->at = *p + 1;
	span->escaped = false;
	for (c++; *c != '"';) {
		size_t escape;

		while (plain[*c])
			high |= *c++;
		if (*c == '"')
			break;
		if (*c != '\\' || (escape = escape_length((const char *)c)) == 0)
			return false;
		span->escaped = true;
		c += escape;
	}
	span->len = (size_t)((const char *)c - span->at);
	*p = span->at + span->len + 1;
	return (high & 0x80) == 0 || utf8_check(span->at, span->len) == span->len;
}

static bool
scan_word(char **p, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(*p, word, len) != 0)
		return false;
	*p += len;
	return true;
}

/* A whole number of up to 18 digits: fits. */
static bool
scan_number(char **p, long long *number)
{
	const char *digits;
	bool negative = **p == '-';
	long long n = 0;

	*p += negative;
	for (digits = *p; **p >= '0' && **p <= '9'; (*p)++) {
		if (*p - digits == 18)
			return false;
		n = n * 10 + (**p - '0');
	}
	*number = negative ? -n : n;
	return *p > digits && (*digits != '0' || *p == digits + 1) && strchr(".eE", **p) == NULL;
}

/* A list of texts and nulls, whose bracket is at *p: it is kept as it stands. */
static bool
scan_list(char **p, struct span *list)
{
	struct span item;

	*list = (struct span){ *p, 0, false };
	if (*++*p == ']') {
		++*p;
	} else {
		do {
			if (!scan_text(p, &item) && !scan_word(p, "null"))
				return false;
		} while (*(*p)++ == ',');
	}
	list->len = (size_t)(*p - list->at);
	return (*p)[-1] == ']';
}

static bool
scan_value(char **p, struct pair *pair)
{
	struct value *v = &pair->value;

	*v = (struct value){ VALUE_NULL, NULL, 0 };
	switch (**p) {
	case '[':
		v->type = VALUE_LIST;
		return scan_list(p, &pair->text);
	case '"':
		v->type = VALUE_TEXT;
		return scan_text(p, &pair->text);
	case 'n':
		return scan_word(p, "null");
	case 't':
	case 'f':
		v->type = VALUE_FLAG;
		v->number = **p == 't';
		return scan_word(p, v->number ? "true" : "false");
	}
	v->type = VALUE_NUMBER;
	return scan_number(p, &v->number) && (**p == ',' || **p == '}');
}

static bool
is_double(const struct pair *pairs, size_t count)
{
	const struct span *last = &pairs[count].key;
	size_t i;

	for (i = 0; i < count; i++)
		if (pairs[i].key.len == last->len && memcmp(pairs[i].key.at, last->at, last->len) == 0)
			return true;
	return false;
}

/* The pairs of a line in our own shape; changes nothing.  False: it is not, whatever else it may be. */
static bool
scan_line(char *line, size_t len, struct pair pairs[VALUES_MAX], size_t *count)
{
	char *p = line;

	*count = 0;
	if (*p != '{')
		return false;
	do {
		struct pair *pair = &pairs[*count];

		p++;
		if (*count == VALUES_MAX || !scan_text(&p, &pair->key) || pair->key.escaped || *p++ != ':' ||
		    is_double(pairs, *count) || !scan_value(&p, pair))
			return false;
		(*count)++;
	} while (*p == ',');
	return *p == '}' && p + 1 == line + len;
}

static char
unescaped(const char *p)
{
	if (p[1] == 'u') {
		char digits[3] = { p[4], p[5], '\0' };

		return (char)strtol(digits, NULL, 16);
	}
	return escapes[(unsigned char)p[1]];
}

/* Decodes a text where it stands: it becomes no longer.  A list, which is never `escaped`, only gets its end. */
static void
decode(struct span *span)
{
	char *from = span->at, *to = span->at, *end = span->at + span->len, *escape;

	while (span->escaped && (escape = memchr(from, '\\', (size_t)(end - from))) != NULL) {
		memmove(to, from, (size_t)(escape - from));
		to += escape - from;
		*to++ = unescaped(escape);
		from = escape + (escape[1] == 'u' ? 6 : 2);
	}
	if (span->escaped) {
		memmove(to, from, (size_t)(end - from));
		span->len = (size_t)(to + (end - from) - span->at);
	}
	span->at[span->len] = '\0';
}

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
put_value(struct entry *entry, const struct span *text, char **room, char *line, bool *kept)
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

/* `line`: where the texts are, which may be kept; NULL: they are somebody else's. */
static struct record *
record_make(struct pair *pairs, size_t count, char *line, bool *kept)
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
pair_of(const char *key, const json_t *value, struct pair *pair)
{
	*pair = (struct pair){ .key = { (char *)(uintptr_t)key, strlen(key), false } };
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
	json_t *json = json_loadb(line, len, JSON_REJECT_DUPLICATES, &why), *value;
	struct record *record = NULL;
	struct pair *pairs;
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
	struct pair pairs[VALUES_MAX];
	size_t count, i;

	*kept = false;
	if (!scan_line(line, len, pairs, &count))
		return read_any(line, len, flaw);
	for (i = 0; i < count; i++)
		if (has_text(&pairs[i].value))
			decode(&pairs[i].text);
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
		const char *escape = memchr(p, '\\', run);

		bytes_add(item, p, escape != NULL ? (size_t)(escape - p) : run);
		if (escape == NULL)
			break;
		bytes_char(item, unescaped(escape));
		p = escape + (escape[1] == 'u' ? 6 : 2);
	}
	bytes_room(item, 0);
	item->data[item->len] = '\0';
	*at = end + 1;
	return true;
}

/* --- writing --- */

enum { ESCAPE_MAX = 7 };

static size_t
escape(unsigned char c, char *out)
{
	static const char letters[256] = { ['"'] = '"', ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n',
		['\r'] = 'r', ['\t'] = 't' };

	if (letters[c] == 0)
		return (size_t)snprintf(out, ESCAPE_MAX, "\\u%04X", c);
	out[0] = '\\';
	out[1] = letters[c];
	return 2;
}

static void
write_valid(json_sink *sink, void *context, const char *text, size_t len)
{
	const unsigned char *c = (const unsigned char *)text, *end = c + len;
	char out[4096];
	size_t n = 0;

	out[n++] = '"';
	while (c < end) {
		/* as many as fit, whatever they are */
		size_t most = (sizeof out - n) / ESCAPE_MAX;
		const unsigned char *stop = (size_t)(end - c) < most ? end : c + most;

		while (c < stop) {
			if (plain[*c])
				out[n++] = (char)*c++;
			else
				n += escape(*c++, out + n);
		}
		if (sizeof out - n < ESCAPE_MAX) {
			sink(context, out, n);
			n = 0;
		}
	}
	sink(context, out, n);
	sink(context, "\"", 1);
}

void
json_write_text(json_sink *sink, void *context, const char *text)
{
	size_t len = strlen(text);
	struct bytes mended = { 0 };

	if (utf8_check(text, len) == len) {
		write_valid(sink, context, text, len);
		return;
	}
	utf8_repair(&mended, text, len);
	write_valid(sink, context, bytes_text(&mended), mended.len);
	bytes_free(&mended);
}

void
json_write_list(json_sink *sink, void *context, const char *const items[], size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		sink(context, i > 0 ? "," : "[", 1);
		if (items[i] != NULL)
			json_write_text(sink, context, items[i]);
		else
			sink(context, "null", strlen("null"));
	}
	sink(context, count > 0 ? "]" : "[]", count > 0 ? 1 : 2);
}
