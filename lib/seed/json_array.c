#include "seed/json_array.h"

#include <string.h>

struct array {
	const char *at, *end;
	unsigned long line;   /* of `at` */
	unsigned long written; /* lines of the output that have ended */
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void
skip_blanks(struct array *a)
{
	for (; a->at < a->end && is_blank(*a->at); a->at++)
		a->line += *a->at == '\n';
}

/* One object, to its closing brace; false: it has none. */
static bool
add_object(struct array *a, struct bytes *out)
{
	bool quoted = false;
	size_t depth = 0;

	for (; a->written + 1 < a->line; a->written++)
		bytes_char(out, '\n');
	for (; a->at < a->end; a->at++) {
		char c = *a->at;

		a->line += c == '\n';
		bytes_char(out, c == '\n' || c == '\r' ? ' ' : c);
		if (quoted && c == '\\' && a->at + 1 < a->end)
			bytes_char(out, *++a->at);
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '{' || c == '['))
			depth++;
		else if (!quoted && (c == '}' || c == ']') && --depth == 0)
			break;
	}
	if (a->at == a->end)
		return false;
	a->at++;
	bytes_char(out, '\n');
	a->written++;
	return true;
}

static const char *
add_objects(struct array *a, struct bytes *out)
{
	bool more = false; /* a comma was read */

	for (;;) {
		unsigned long begins;

		skip_blanks(a);
		if (a->at < a->end && *a->at == ']' && !more) {
			a->at++;
			skip_blanks(a);
			return a->at == a->end ? NULL : "there is text after the array";
		}
		if (a->at == a->end)
			return "the array does not end: a ] is missing";
		if (*a->at != '{')
			return "an element of the array is not an object";
		begins = a->line;
		if (!add_object(a, out)) {
			a->line = begins;
			return "the object that begins here does not end";
		}
		skip_blanks(a);
		more = a->at < a->end && *a->at == ',';
		a->at += more;
		if (!more && a->at < a->end && *a->at != ']')
			return "a comma is missing before this";
	}
}

const char *
json_array_lines(struct bytes *out, const char *text, size_t len, unsigned long *line)
{
	struct array a = { .at = text, .end = text + len, .line = 1 };
	const char *wrong;

	skip_blanks(&a);
	if (a.at == a.end || *a.at != '[') {
		wrong = "a .json file must be an array of objects; one object per line is .ndjson";
	} else {
		a.at++;
		wrong = add_objects(&a, out);
	}
	*line = a.line;
	return wrong;
}
