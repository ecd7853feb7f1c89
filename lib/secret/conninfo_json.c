/*
 * What secret managers print: {"username":"app","password":"...","host":"db.example.com","port":5432,"dbname":"shop"}.
 * Keys of other things are passed over; their values may be anything.
 */
#include "secret/conninfo_internal.h"

#include <string.h>

#include "base/bytes.h"

#define JSON_RULE "not valid JSON"

enum { DEPTH = 32 };

/* The names that managed databases and secret managers have for the parts. */
static const struct {
	const char *key, *parameter;
} keys[] = {
	{ "username", "user" }, { "user", "user" },
	{ "password", "password" },
	{ "host", "host" }, { "hostname", "host" },
	{ "port", "port" },
	{ "dbname", "dbname" }, { "database", "dbname" }, { "dbName", "dbname" },
	{ "schema", "schema" }, { "sslmode", "sslmode" }, { "sslrootcert", "sslrootcert" }, { "options", "options" },
};

static size_t
skip_blanks(const struct parse *p, size_t at)
{
	while (at < p->end && (p->text[at] == ' ' || p->text[at] == '\t' || p->text[at] == '\n' || p->text[at] == '\r'))
		at++;
	return at;
}

static bool
has_hex(const struct parse *p, size_t at)
{
	size_t i;

	for (i = 0; i < 4; i++)
		if (at + i >= p->end || conninfo_hex_value(p->text[at + i]) < 0)
			return false;
	return true;
}

/* A string at *at, which is then behind it; its text is from *start to *end. */
static bool
read_string(struct parse *p, size_t *at, size_t *start, size_t *end)
{
	size_t i = *at + 1;

	if (*at >= p->end || p->text[*at] != '"')
		return conninfo_fail(p, *at, JSON_RULE, NULL);
	for (*start = i; i < p->end && p->text[i] != '"'; i++) {
		if (conninfo_is_control(p->text[i]) && p->text[i] != 0x7F)
			return conninfo_fail(p, i, JSON_RULE, NULL);
		if (p->text[i] != '\\')
			continue;
		if (++i >= p->end || strchr("\"\\/bfnrtu", p->text[i]) == NULL || (p->text[i] == 'u' && !has_hex(p, i + 1)))
			return conninfo_fail(p, i - 1, JSON_RULE, NULL);
		if (conninfo_begins_with(p->text, i, p->end, "u0000"))
			return conninfo_fail(p, i - 1, "a NUL byte", NULL);
	}
	if (i >= p->end)
		return conninfo_fail(p, *at, "a quote that is not closed", NULL);
	*end = i;
	*at = i + 1;
	return true;
}

/* Passes over an array or an object: strings and brackets are all that matters. */
static bool
skip_nested(struct parse *p, size_t *at)
{
	size_t depth = 0, start, end;

	do {
		char c = *at < p->end ? p->text[*at] : '\0';

		if (c == '"') {
			if (!read_string(p, at, &start, &end))
				return false;
			continue;
		}
		depth += c == '{' || c == '[';
		depth -= c == '}' || c == ']';
		if (c == '\0' || depth > DEPTH)
			return conninfo_fail(p, *at, JSON_RULE, NULL);
		(*at)++;
	} while (depth > 0);
	return true;
}

/* A value: its text, or nothing (*start == *end) for null, true, false and what is nested. */
static bool
read_value(struct parse *p, size_t *at, size_t *start, size_t *end)
{
	static const char *const words[] = { "null", "true", "false" };
	size_t i;

	if (*at < p->end && p->text[*at] == '"')
		return read_string(p, at, start, end);
	*start = *end = *at;
	if (*at < p->end && (p->text[*at] == '{' || p->text[*at] == '['))
		return skip_nested(p, at);
	for (i = 0; i < COUNT(words); i++)
		if (conninfo_begins_with(p->text, *at, p->end, words[i])) {
			*at += strlen(words[i]);
			return true;
		}
	while (*at < p->end && (conninfo_is_digit(p->text[*at]) || strchr("+-.eE", p->text[*at]) != NULL))
		(*at)++;
	*end = *at;
	return *end > *start ? true : conninfo_fail(p, *at, JSON_RULE, NULL);
}

size_t
conninfo_json_decode(const char *text, size_t start, size_t end, char *out)
{
	static const char names[] = "bfnrt", values[] = "\b\f\n\r\t";
	size_t len = 0, k;

	for (; start < end; start++) {
		const char *name;
		unsigned long code = 0;

		if (text[start] != '\\') {
			out[len++] = text[start];
			continue;
		}
		if ((name = strchr(names, text[++start])) != NULL && text[start] != '\0') {
			out[len++] = values[name - names];
		} else if (text[start] != 'u') {
			out[len++] = text[start];
		} else {
			for (k = 1; k <= 4; k++)
				code = code * 16 + (unsigned long)conninfo_hex_value(text[start + k]);
			start += 4;
			if (code >= 0xD800 && code < 0xDC00 && start + 6 < end && text[start + 1] == '\\' && text[start + 2] == 'u') {
				unsigned long low = 0;

				for (k = 3; k <= 6; k++)
					low = low * 16 + (unsigned long)conninfo_hex_value(text[start + k]);
				if (low >= 0xDC00 && low < 0xE000) {
					code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
					start += 6;
				}
			}
			len += utf8_write(code, out + len);
		}
	}
	out[len] = '\0';
	return len;
}

static const struct parameter *
find_parameter(const struct parse *p, size_t start, size_t end)
{
	size_t i;

	for (i = 0; i < COUNT(keys); i++)
		if (strlen(keys[i].key) == end - start && memcmp(keys[i].key, p->text + start, end - start) == 0)
			return conninfo_parameter_find(keys[i].parameter, strlen(keys[i].parameter));
	return NULL;
}

static bool
take(struct parse *p, const struct parameter *parameter, size_t start, size_t end, size_t at)
{
	char *text;

	if (parameter == NULL || start == end)
		return true;
	if (parameter->kind == PASSWORD) {
		if (p->password->given)
			return conninfo_fail(p, at, "a second password", NULL);
		*p->password = (struct conninfo_password){ .start = start, .end = end, .given = true, .json = true };
		return conninfo_check_password(p, start, end);
	}
	if (!conninfo_check_slot(p, start, end, "") || (parameter->kind == USER && !conninfo_check_user(p, start, end)) ||
	    !conninfo_check_no_reference(p, start, end))
		return false;
	text = xmalloc(end - start + 1);
	conninfo_json_decode(p->text, start, end, text);
	return conninfo_parameter_set(p, parameter, text, at);
}

static bool
need(struct parse *p, const char *value, const char *rule)
{
	return value != NULL && *value != '\0' ? true : conninfo_fail(p, p->start, rule,
	    "Expected are username, password, host, port and dbname, as secret managers write them.");
}

bool
conninfo_parse_json(struct parse *p)
{
	size_t at = skip_blanks(p, p->start + 1), key, key_end, start, end, place;

	for (;;) {
		place = at;
		if (!read_string(p, &at, &key, &key_end))
			return false;
		at = skip_blanks(p, at);
		if (at >= p->end || p->text[at] != ':')
			return conninfo_fail(p, at, JSON_RULE, NULL);
		at = skip_blanks(p, at + 1);
		if (!read_value(p, &at, &start, &end) || !take(p, find_parameter(p, key, key_end), start, end, place))
			return false;
		at = skip_blanks(p, at);
		if (at < p->end && p->text[at] == '}')
			break;
		if (at >= p->end || p->text[at] != ',')
			return conninfo_fail(p, at, JSON_RULE, NULL);
		at = skip_blanks(p, at + 1);
	}
	if (at + 1 < p->end)
		return conninfo_fail(p, at + 1, "something behind the JSON object", NULL);
	return need(p, p->target->host, "JSON without a host") && need(p, p->target->user, "JSON without a username");
}
