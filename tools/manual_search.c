#include "manual_search.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"

static size_t
line_length(const char *line)
{
	return strcspn(line, "\n");
}

static const char *
next_line(const char *line)
{
	line += line_length(line);
	return line + (*line == '\n');
}

static bool
is_blank(const char *line)
{
	return line[strspn(line, " ")] == '\n' || line[strspn(line, " ")] == '\0';
}

static size_t
indent_of(const char *line)
{
	return strspn(line, " ");
}

/*
 * The length of the tag that a line begins with, its indentation included; 0: it is none.  The text stands on the same line behind two
 * blanks, which behind a full stop only part sentences, or on the next one, further to the right.
 */
static size_t
tag_length(const char *line)
{
	size_t len = line_length(line), indent = indent_of(line), at;
	const char *below = next_line(line);

	if (indent == 0 || is_blank(line))
		return 0;
	for (at = indent + 1; at + 1 < len; at++)
		if (line[at] == ' ' && line[at + 1] == ' ')
			return strchr(".:?!", line[at - 1]) == NULL ? at : 0;
	return !is_blank(below) && indent_of(below) > indent ? len : 0;
}

/*
 * The same of a paragraph of DIAGNOSTICS, whose tag is a message and may have several lines, and whose text follows it.  *end: behind
 * the paragraph.
 */
static size_t
message_length(const char *text, const char **end)
{
	const char *line;
	size_t tag = 0, at;

	for (line = text; !is_blank(line); line = next_line(line))
		;
	*end = line;
	for (at = indent_of(text) + 1; text + at + 1 < line && tag == 0; at++)
		if (text[at] == ' ' && text[at + 1] == ' ' && strchr(" .:?!\n", text[at - 1]) == NULL)
			tag = at;
	return tag > 0 ? tag : (size_t)(line - text);
}

/* A paragraph all of whose lines begin alike. */
static bool
is_message(const char *section, const char *line, bool first)
{
	const char *below = next_line(line);

	return first && strncmp(section, "DIAGNOSTICS", 11) == 0 && indent_of(line) > 0 && !is_blank(line) &&
	    (is_blank(below) || indent_of(below) == indent_of(line));
}

static bool
is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static bool
has_word(const char *tag, size_t len, const char *word)
{
	size_t size = strlen(word), at;

	for (at = 0; size > 0 && at + size <= len; at++)
		if (strncasecmp(tag + at, word, size) == 0 && (at == 0 || !is_word(tag[at - 1]) || !is_word(*word)) &&
		    (at + size == len || !is_word(tag[at + size])))
			return true;
	return false;
}

/* The line behind an item: the first that is as far to the left as its tag. */
static const char *
item_end(const char *item)
{
	size_t indent = indent_of(item);
	const char *end = next_line(item), *line;

	for (line = end; *line != '\0' && (is_blank(line) || indent_of(line) > indent); line = next_line(line))
		if (!is_blank(line))
			end = next_line(line);
	return end;
}

bool
manual_search(struct bytes *out, const char *page, const char *text, const char *topic)
{
	const char *line = text, *section = "", *shown = NULL, *end;
	bool found = false, first = false;

	while (*line != '\0') {
		size_t len = tag_length(line);

		if (indent_of(line) == 0 && !is_blank(line))
			section = line;
		end = next_line(line);
		if (is_message(section, line, first))
			len = message_length(line, &end);
		else if (len > 0 && has_word(line, len, topic))
			end = item_end(line);
		first = is_blank(line) || line == section;
		if (strncmp(section, "SYNOPSIS", 8) == 0 || !has_word(line, len, topic)) {
			line = end;
			continue;
		}
		if (section != shown)
			bytes_format(out, "%s%s, %.*s:\n", out->len > 0 ? "\n" : "", page, (int)line_length(section), section);
		bytes_add(out, line, (size_t)(end - line));
		shown = section;
		found = first = true;
		line = end;
	}
	return found;
}
