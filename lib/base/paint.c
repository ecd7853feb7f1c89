#include "base/paint.h"

#include <stddef.h>
#include <string.h>

#include "base/page.h"
#include "base/terminal.h"

/* len bytes between a mark and PAGE_PLAIN */
static void
marked(struct bytes *out, const char *mark, const char *text, size_t len)
{
	bytes_str(out, mark);
	bytes_add(out, text, len);
	bytes_str(out, PAGE_PLAIN);
}

/* --- the next command --- */

/* Behind "next:" what stands there, or alone on the line below it. */
struct commands {
	bool awaited; /* the line before had none */
};

static bool
begins_with(const char *line, size_t len, const char *word)
{
	return len >= strlen(word) && strncmp(line, word, strlen(word)) == 0;
}

/* Appends the line if it has such a command. */
static bool
mark_command(struct bytes *out, struct commands *c, const char *line, size_t len)
{
	bool next = begins_with(line, len, "next:") || begins_with(line, len, "      then");
	bool may_have = next || (c->awaited && *line == ' ');
	size_t end = len, at = may_have ? terminal_command(line, len, &end) : len;

	c->awaited = may_have && at == len;
	if (at == len)
		return false;
	bytes_add(out, line, at);
	marked(out, PAGE_BOLD, line + at, end - at);
	bytes_add(out, line + end, len - end);
	return true;
}

/* --- labels, carets, states --- */

/* "PLACE: error: ...": a label behind a word without blanks, or behind a place that may have some. */
static bool
mark_label(struct bytes *out, const char *line, size_t len)
{
	static const struct {
		const char *label, *mark;
	} labels[] = { { ": error: ", PAGE_RED }, { ": warning: ", PAGE_YELLOW } };
	size_t i, at;

	for (at = 0; at < len && *line != ' '; at++)
		for (i = 0; i < sizeof labels / sizeof *labels; i++) {
			if (!begins_with(line + at, len - at, labels[i].label))
				continue;
			bytes_add(out, line, at + 2);
			at += 2;
			marked(out, labels[i].mark, line + at, strlen(labels[i].label) - 3);
			at += strlen(labels[i].label) - 3;
			bytes_add(out, line + at, len - at);
			return true;
		}
	return false;
}

/* "      |         ^" */
static bool
mark_caret(struct bytes *out, const char *line, size_t len)
{
	size_t bar = strspn(line, " "), at = bar + 1;

	if (bar == 0 || bar + 2 >= len || line[bar] != '|' || line[len - 1] != '^')
		return false;
	while (at < len - 1 && (line[at] == ' ' || line[at] == '\t'))
		at++;
	if (at != len - 1)
		return false;
	bytes_add(out, line, len - 1);
	marked(out, PAGE_RED, "^", 1);
	return true;
}

static const struct {
	const char *word, *mark;
} states[] = {
	{ "applied", PAGE_GREEN },
	{ "marked", PAGE_GREEN },
	{ "failed", PAGE_RED },
	{ "waiting", PAGE_YELLOW },
	{ "deferred", PAGE_YELLOW },
	{ "running", PAGE_BOLD },
};

/* Where " 2/4  " of a step ends; 0: it is no such line. */
static size_t
step_number(const char *line)
{
	static const char digits[] = "0123456789";
	size_t at = strspn(line, " "), len = strspn(line + at, digits);

	if (at == 0 || len == 0 || line[at + len] != '/')
		return 0;
	at += len + 1;
	len = strspn(line + at, digits);
	return len > 0 && strncmp(line + at + len, "  ", 2) == 0 ? at + len : 0;
}

static bool
mark_state(struct bytes *out, const char *line, size_t len)
{
	size_t at = step_number(line), i;

	if (at == 0)
		return false;
	/* behind the name */
	for (at += 2; at + 2 < len && (line[at] != ' ' || line[at + 1] != ' '); at++)
		;
	at += strspn(line + at, " ");
	for (i = 0; i < sizeof states / sizeof *states; i++) {
		size_t size = strlen(states[i].word);

		if (!begins_with(line + at, len - at, states[i].word) || (at + size < len && line[at + size] != ' '))
			continue;
		bytes_add(out, line, at);
		marked(out, states[i].mark, line + at, size);
		bytes_add(out, line + at + size, len - at - size);
		return true;
	}
	return false;
}

/* "applied 4 of 4 in 0.04 s" */
static bool
mark_sum(struct bytes *out, const char *line, size_t len)
{
	size_t i;

	for (i = 0; i < 2; i++) {
		size_t size = strlen(states[i].word);

		if (len <= size + 1 || !begins_with(line, len, states[i].word) || line[size] != ' ' || line[size + 1] < '0' ||
		    line[size + 1] > '9')
			continue;
		marked(out, states[i].mark, line, size);
		bytes_add(out, line + size, len - size);
		return true;
	}
	return false;
}

/* --- lines --- */

static void
paint(struct bytes *out, const char *lines, bool message)
{
	struct commands commands = { .awaited = false };
	bool first = true, done;

	for (;; first = false) {
		size_t len = strcspn(lines, "\n");

		done = mark_command(out, &commands, lines, len);
		if (!done && message)
			done = (first && mark_label(out, lines, len)) || mark_caret(out, lines, len) ||
			    mark_state(out, lines, len) || mark_sum(out, lines, len);
		if (!done)
			bytes_add(out, lines, len);
		if (lines[len] == '\0')
			return;
		bytes_char(out, '\n');
		lines += len + 1;
	}
}

void
paint_message(struct bytes *out, const char *lines)
{
	paint(out, lines, true);
}

void
paint_page(struct bytes *out, const char *lines)
{
	paint(out, lines, false);
}

void
paint_show(struct bytes *out, const char *text, bool colour)
{
	static const char *const sequences[] = { "\033[1;31m", "\033[33m", "\033[32m", "\033[0m", "\033[1m", "\033[2m" };
	const unsigned char first = (unsigned char)PAGE_RED[0], last = (unsigned char)PAGE_DIM[0];

	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < first || c > last)
			bytes_char(out, *text);
		else if (colour)
			bytes_str(out, sequences[c - first]);
	}
}
