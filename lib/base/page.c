#include "base/page.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/null.h"
#include "base/width.h"

void
page_pad(struct bytes *out, const char *text, size_t width)
{
	size_t n = width_columns(text, strlen(text));

	/* a line break in a name must not make a line of the page */
	for (; *text != '\0'; text++)
		bytes_char(out, (unsigned char)*text < 0x20 ? '?' : *text);
	do
		bytes_char(out, ' ');
	while (++n < width);
}

void
page_pad_cut(struct bytes *out, const char *text, size_t cut, size_t width)
{
	size_t len = strlen(text), columns = cut - 2, tail = columns / 3;
	struct bytes part = { 0 };

	if (cut > 0 && width_columns(text, len) > cut) {
		bytes_add(&part, text, width_fit(text, len, columns - tail));
		bytes_str(&part, ".."); /* an ellipsis is two columns on some terminals */
		bytes_str(&part, text + width_skip(text, len, tail));
		text = part.data;
	}
	page_pad(out, text, width);
	bytes_free(&part);
}

size_t
page_name_width(size_t longest, size_t columns, size_t others)
{
	enum { LEAST = 20 };
	size_t left = columns > others + LEAST ? columns - others : LEAST;

	return columns == 0 || longest < left ? longest : left;
}

void
page_comma_count(struct bytes *out, size_t count, const char *word)
{
	bytes_format(out, "%s%zu %s", out->len > 0 ? ", " : "", count, word);
}

void
page_count(struct bytes *out, size_t count, const char *singular)
{
	bytes_format(out, "%zu %s%s", count, singular, count == 1 ? "" : "s");
}

void
page_large(struct bytes *out, long long n, const char *const units[])
{
	enum { BASE = 1000 };
	size_t i = 0;
	long long unit = 1;

	for (; units[i + 1] != NULL && n / unit >= BASE; i++)
		unit *= BASE;
	if (i == 0)
		bytes_format(out, "%lld%s", n, units[0]);
	else if (n < unit * 10)
		bytes_format(out, "%lld.%lld%s", n / unit, n % unit * 10 / unit, units[i]);
	else
		bytes_format(out, "%lld%s", n / unit, units[i]);
}

void
page_bytes(struct bytes *out, long long n)
{
	static const char *const sizes[] = { " bytes", " kB", " MB", " GB", " TB", NULL };

	page_large(out, n, sizes);
}

void
page_place(struct bytes *out, const char *database, const char *host, long long port, const char *schema)
{
	bytes_format(out, "%s at ", database);
	if (host == NULL)
		bytes_str(out, "the local socket");
	else if (*host == '/')
		bytes_str(out, host);
	else
		bytes_format(out, "%s:%lld", host, port);
	if (schema != NULL)
		bytes_format(out, ", schema %s", schema);
}

void
page_session(struct bytes *out, const struct page_session *s)
{
	const char *name = s->application != NULL && *s->application != '\0' ? s->application : s->kind;
	char age[CLOCK_SPAN];

	if (s->pid == 0)
		bytes_str(out, "a prepared transaction");
	else
		bytes_format(out, "pid %lld", s->pid);
	if (name != NULL)
		bytes_format(out, ", %s", name);
	if (s->user != NULL)
		bytes_format(out, ", %s", s->user);
	if (s->client != NULL)
		bytes_format(out, " from %s", s->client);
	if (s->state != NULL)
		bytes_format(out, ", %s", s->state);
	if (s->age_ms != NUMBER_UNKNOWN)
		bytes_format(out, " for %s", clock_age(s->age_ms, age));
	if (s->word != NULL)
		bytes_format(out, ", last %s", s->word);
}

/* --- mig-apply --- */

enum { CARET_WIDTH = 90, CARET_LEAST = 20, CARET_HEAD = 12 /* columns before the line, and the marks of its cuts */ };

void
page_caret(struct bytes *out, const char *text, size_t line, size_t column, size_t columns)
{
	size_t most = columns == 0 || columns > CARET_WIDTH + CARET_HEAD ? CARET_WIDTH
	    : columns < CARET_LEAST + CARET_HEAD                          ? CARET_LEAST
	                                                                  : columns - CARET_HEAD;
	size_t len, characters, first = 0, last, from, i;
	char head[32];

	for (i = 1; i < line && *text != '\0'; i++) {
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	len = strcspn(text, "\r\n");
	last = characters = utf8_count(text, len);
	if (characters > most) {
		first = column > most / 2 ? column - most / 2 : 0;
		last = first + most < characters ? first + most : characters;
	}
	snprintf(head, sizeof head, "%5zu", line);
	from = utf8_offset(text, len, first);
	bytes_format(out, "%s | %s%.*s\n", head, first > 0 ? "… " : "",
	    (int)(utf8_offset(text, len, last) - from), text + from);
	bytes_format(out, "%*s | %*s%s^\n", (int)strlen(head), "", first > 0 ? 2 : 0, "", "");
	/* tabs stay tabs, so that the caret stands below its character whatever their width */
	out->len -= 2;
	for (i = first; i + 1 < column; i++) {
		size_t at = utf8_offset(text, len, i), width = width_columns(text + at, utf8_offset(text, len, i + 1) - at);

		if (text[at] == '\t')
			bytes_char(out, '\t');
		else
			bytes_format(out, "%*s", (int)width, "");
	}
	bytes_str(out, "^\n");
}
