#include "base/page.h"

#include <stdio.h>
#include <string.h>

void
face_pad(struct bytes *out, const char *text, size_t width)
{
	size_t n = utf8_count(text, strlen(text));

	/* a line break in a name must not make a line of the page */
	for (; *text != '\0'; text++)
		bytes_char(out, (unsigned char)*text < 0x20 ? '?' : *text);
	do
		bytes_char(out, ' ');
	while (++n < width);
}

void
face_count(struct bytes *out, size_t count, const char *singular)
{
	bytes_format(out, "%zu %s%s", count, singular, count == 1 ? "" : "s");
}

void
face_place(struct bytes *out, const char *database, const char *host, long long port, const char *schema)
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
face_holder(struct bytes *out, long long pid, const char *application, const char *user, const char *client)
{
	bytes_format(out, "pid %lld", pid);
	if (application != NULL && *application != '\0')
		bytes_format(out, ", %s", application);
	if (user != NULL)
		bytes_format(out, ", %s", user);
	if (client != NULL)
		bytes_format(out, " from %s", client);
}

/* --- mig-apply --- */

enum { CARET_WIDTH = 90 };

void
face_caret(struct bytes *out, const char *text, size_t line, size_t column)
{
	size_t len, characters, first = 0, last, from, i;
	char head[32];

	for (i = 1; i < line && *text != '\0'; i++) {
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	len = strcspn(text, "\r\n");
	last = characters = utf8_count(text, len);
	if (characters > CARET_WIDTH) {
		first = column > CARET_WIDTH / 2 ? column - CARET_WIDTH / 2 : 0;
		last = first + CARET_WIDTH < characters ? first + CARET_WIDTH : characters;
	}
	snprintf(head, sizeof head, "%5zu", line);
	from = utf8_offset(text, len, first);
	bytes_format(out, "%s | %s%.*s\n", head, first > 0 ? "… " : "",
	    (int)(utf8_offset(text, len, last) - from), text + from);
	bytes_format(out, "%*s | %*s%s^\n", (int)strlen(head), "", first > 0 ? 2 : 0, "", "");
	/* tabs stay tabs, so that the caret stands below its character whatever their width */
	out->len -= 2;
	for (i = first; i + 1 < column; i++)
		bytes_char(out, text[utf8_offset(text, len, i)] == '\t' ? '\t' : ' ');
	bytes_str(out, "^\n");
}
