#include "seed/text.h"

#include <string.h>

bool
seed_csv_field(const char **at, const char *end, char delimiter, struct bytes *field, bool *had_quotes)
{
	const char *c = *at;
	bool quoted = false, quotes = false, more;

	field->len = 0;
	bytes_str(field, "");
	for (; c < end && (quoted || (*c != delimiter && *c != '\n' && *c != '\r')); c++) {
		if (*c != '"')
			bytes_char(field, *c);
		else if (quoted && c + 1 < end && c[1] == '"')
			bytes_char(field, *c++);
		else
			quotes = true, quoted = !quoted;
	}
	more = c < end && *c == delimiter;
	*at = c + more;
	if (had_quotes != NULL)
		*had_quotes = quotes;
	return more;
}

char
seed_csv_separator(const char *line, size_t len, char delimiter)
{
	bool quoted = false;
	char found = '\0';
	size_t i;

	for (i = 0; i < len; i++) {
		quoted ^= line[i] == '"';
		if (quoted)
			continue;
		if (line[i] == delimiter)
			return '\0';
		if (found == '\0' && strchr(";|\t,", line[i]) != NULL)
			found = line[i];
	}
	return found;
}

static bool
scan_fault(struct seed_csv_scan *scan, const char *fault)
{
	scan->fault = fault;
	return false;
}

/* A line has ended, within a value (quoted) or with its row; all rows end alike. */
static bool
scan_line(struct seed_csv_scan *scan, const char *ending)
{
	scan->line++;
	if (scan->where == CSV_QUOTED)
		return true;
	if (scan->ending != NULL && strcmp(scan->ending, ending) != 0) {
		scan->other = ending;
		return false;
	}
	scan->ending = ending;
	scan->where = CSV_BEGIN;
	scan->row = scan->line;
	return true;
}

static bool
scan_char(struct seed_csv_scan *scan, char c)
{
	bool quote = c == '"';

	switch (scan->where) {
	case CSV_BEGIN:
		scan->where = quote ? CSV_QUOTED : c == scan->delimiter ? CSV_BEGIN : CSV_PLAIN;
		return true;
	case CSV_PLAIN:
		if (quote)
			return scan_fault(scan, "a quote inside an unquoted value");
		if (c == scan->delimiter)
			scan->where = CSV_BEGIN;
		return true;
	case CSV_QUOTED:
		if (quote)
			scan->where = CSV_CLOSED;
		return true;
	case CSV_CLOSED:
		if (!quote && c != scan->delimiter)
			return scan_fault(scan, "text after the closing quote of a value");
		scan->where = quote ? CSV_QUOTED : CSV_BEGIN;
		return true;
	}
	return true;
}

bool
seed_csv_scan(struct seed_csv_scan *scan, const char *text, size_t len)
{
	const char *end = text + len;

	for (; text < end; text++) {
		bool cr = scan->cr;

		scan->cr = *text == '\r';
		if (cr && *text != '\n' && !scan_line(scan, "CR"))
			return false;
		if (*text == '\n' && !scan_line(scan, cr ? "CRLF" : "LF"))
			return false;
		if (!scan->cr && *text != '\n' && !scan_char(scan, *text))
			return false;
	}
	return true;
}

/* Behind a value. */
static const char *
json_skip(const char *at, const char *end)
{
	size_t depth = 0;

	for (; at < end; at++) {
		if (*at == '"') {
			for (at++; at < end && *at != '"'; at++)
				at += *at == '\\';
		} else if (*at == '{' || *at == '[') {
			depth++;
		} else if (*at == '}' || *at == ']') {
			if (depth == 0)
				return at;
			depth--;
		} else if (*at == ',' && depth == 0) {
			return at;
		}
	}
	return at;
}

const char *
seed_json_blanks(const char *at, const char *end)
{
	while (at < end && *at != '\0' && strchr(" \t\r\n", *at) != NULL)
		at++;
	return at;
}

bool
seed_json_member(const char **at, const char *end, struct seed_span *key, struct seed_span *value)
{
	const char *c = seed_json_blanks(*at, end);

	if (c >= end || *c == '}' || *c == '\0')
		return false;
	c = seed_json_blanks(c + 1, end); /* behind { or , */
	if (c >= end || *c != '"')
		return false;
	key->text = c;
	for (c++; c < end && *c != '"'; c++)
		c += *c == '\\';
	key->len = (size_t)(++c - key->text);
	c = seed_json_blanks(c, end);
	value->text = seed_json_blanks(c + 1, end);
	c = json_skip(value->text, end);
	value->len = (size_t)(c - value->text);
	while (value->len > 0 && strchr(" \t\r", value->text[value->len - 1]) != NULL)
		value->len--;
	*at = c;
	return true;
}

bool
seed_span_is(struct seed_span span, const char *text)
{
	return span.len == strlen(text) && strncmp(span.text, text, span.len) == 0;
}

char *
seed_json_text(struct seed_span span)
{
	struct bytes out = { 0 };
	size_t i;

	if (span.len < 2 || *span.text != '"')
		return NULL;
	bytes_str(&out, "");
	for (i = 1; i + 1 < span.len; i++) {
		if (span.text[i] == '\\' && strchr("\"\\/", span.text[++i]) == NULL) {
			bytes_free(&out);
			return NULL;
		}
		bytes_char(&out, span.text[i]);
	}
	return out.data;
}
