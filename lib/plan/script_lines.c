#include "plan/script_lines.h"

#include <stdlib.h>
#include <string.h>

#include "base/null.h"
#include "base/width.h"
#include "plan/effects_text.h"

/* Lines of a script; of each statement with a warning beyond them. */
enum { FOLD = 20, WARNED_LEAST = 4 };

static size_t
count_lines(const char *from, const char *to)
{
	size_t n = 1;

	while ((from = memchr(from, '\n', (size_t)(to - from))) != NULL) {
		n++;
		from++;
	}
	return n;
}

struct script_lines
script_lines(const char *sql, const struct sql_script *script, size_t first)
{
	struct script_lines lines = { .sql = sql, .script = script, .count = script->count, .first = first };
	struct sql_place place = { 1, 1 };
	size_t at = 0, i;

	lines.list = xcalloc(script->count + 1, sizeof *lines.list);
	for (i = 0; i < script->count; i++) {
		const struct sql_statement *s = &script->statements[i];

		for (; at < s->start; at++) {
			if (sql[at] == '\n')
				place = (struct sql_place){ place.line + 1, 1 };
			else
				place.column += ((unsigned char)sql[at] & 0xC0) != 0x80;
		}
		lines.list[i].place = place;
		lines.list[i].lines = count_lines(sql + s->start, sql + s->end);
	}
	return lines;
}

void
script_lines_free(struct script_lines *lines)
{
	free(lines->list);
	*lines = (struct script_lines){ 0 };
}

static bool
is_behind(const struct sql_place *place, long long line, long long column)
{
	return (long long)place->line > line || ((long long)place->line == line && (long long)place->column > column);
}

size_t
script_lines_statement(const struct script_lines *lines, long long line, long long column)
{
	size_t from = 0, to = lines->count;

	while (to - from > 1) {
		size_t middle = from + (to - from) / 2;

		if (is_behind(&lines->list[middle].place, line, column))
			to = middle;
		else
			from = middle;
	}
	return from;
}

bool
script_lines_is_inside(const struct script_lines *lines, size_t statement, long long line, long long column)
{
	const struct sql_place *place = &lines->list[statement].place;

	return (long long)place->line != line || ((long long)place->column != column && column > 1);
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Shows those of one kind, as far as the lines suffice. */
static size_t
choose(struct script_lines *lines, bool warned, bool does, size_t left)
{
	size_t i;

	for (i = lines->first; i < lines->count; i++) {
		struct script_lines_of *s = &lines->list[i];

		if (s->warned != warned || (!warned && s->does != does))
			continue;
		s->shown = least(s->lines, warned && left < WARNED_LEAST ? WARNED_LEAST : left);
		left -= least(left, s->shown);
	}
	return left;
}

void
script_lines_choose(struct script_lines *lines, bool all)
{
	size_t total = 0, i;

	for (i = lines->first; i < lines->count; i++)
		total += lines->list[i].lines;
	if (!all && total > FOLD + 1) { /* the line that says so would take as much */
		choose(lines, false, false, choose(lines, false, true, choose(lines, true, false, FOLD)));
		return;
	}
	for (i = lines->first; i < lines->count; i++)
		lines->list[i].shown = lines->list[i].lines;
}

/* A line of the file as a line of the page: nothing in it moves the cursor. */
static void
write_line(struct bytes *out, const char *line, size_t len, size_t columns)
{
	struct bytes text = { 0 };
	size_t i;

	for (i = 0; i < len; i++) {
		if (line[i] == '\t')
			bytes_str(&text, "    ");
		else if (line[i] != '\r' || i + 1 < len)
			bytes_char(&text, line[i]);
	}
	if (columns > EFFECTS_INDENT + 1 && width_columns(bytes_text(&text), text.len) > columns - EFFECTS_INDENT) {
		bytes_add(out, text.data, width_fit(text.data, text.len, columns - EFFECTS_INDENT - 2));
		bytes_str(out, "…");
	} else {
		bytes_add(out, bytes_text(&text), text.len);
	}
	bytes_char(out, '\n');
	bytes_free(&text);
}

void
script_lines_write(struct bytes *out, const struct script_lines *lines, size_t statement, size_t columns)
{
	const struct sql_statement *s = &lines->script->statements[statement];
	unsigned long number = lines->list[statement].place.line;
	const char *at = lines->sql + s->start, *end = lines->sql + s->end;
	size_t shown;

	for (shown = lines->list[statement].shown; shown > 0; shown--) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));

		bytes_format(out, "%*lu | ", EFFECTS_NUMBER, number++);
		write_line(out, at, (size_t)((stop != NULL ? stop : end) - at), columns);
		at = stop != NULL ? stop + 1 : end;
	}
}

void
script_lines_hidden(struct bytes *out, size_t count)
{
	if (count > 0)
		bytes_format(out, "%*s… %zu more line%s (-v shows all)\n", EFFECTS_INDENT, "", count, count == 1 ? "" : "s");
}
