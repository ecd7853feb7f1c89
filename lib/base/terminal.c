#include "base/terminal.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/message.h"
#include "base/width.h"

enum { USUAL = 80, NARROWEST = 20 };

size_t
terminal_width(int fd)
{
	struct winsize size;
	const char *columns;
	size_t width = 0;

	if (!isatty(fd))
		return 0;
	if (ioctl(fd, TIOCGWINSZ, &size) == 0)
		width = size.ws_col;
	if (width == 0 && (columns = getenv("COLUMNS")) != NULL && strlen(columns) < 6)
		width = (size_t)strtoul(columns, NULL, 10);
	if (width == 0)
		return USUAL;
	return width > NARROWEST ? width : NARROWEST;
}

size_t
terminal_page_width(int fd)
{
	return message_verbosity > 0 ? 0 : terminal_width(fd);
}

/* --- control characters --- */

size_t
terminal_control(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;

	if ((*c < 0x20 && *c != '\0' && *c != '\n' && *c != '\t') || *c == 0x7F)
		return 1;
	if ((*c == 0xC2 && c[1] >= 0x80 && c[1] <= 0x9F) || (*c == 0xD8 && c[1] == 0x9C))
		return 2;
	if (*c == 0xE2 && c[1] == 0x80 && (c[2] == 0x8E || c[2] == 0x8F || (c[2] >= 0xA8 && c[2] <= 0xAE)))
		return 3;
	return *c == 0xE2 && c[1] == 0x81 && c[2] >= 0xA6 && c[2] <= 0xA9 ? 3 : 0;
}

/* --- breaking lines --- */

/* "    5 | ALTER TABLE ...", or the caret below it. */
static bool
is_script_row(const char *line, size_t len)
{
	size_t at = 0;

	while (at < len && (line[at] == ' ' || (line[at] >= '0' && line[at] <= '9')))
		at++;
	return at > 0 && at < len && line[at] == '|';
}

static bool
is_command(const char *word, size_t len)
{
	static const char *const first[] = { "mig-", "mig ", "git ", "psql ", "sed ", "select ", "SELECT ", "GRANT ", "ALTER ",
		"DROP ", "CREATE ", "REVOKE ", "SET " };
	size_t i;

	for (i = 0; i < sizeof first / sizeof *first; i++)
		if (len > strlen(first[i]) && strncmp(word, first[i], strlen(first[i])) == 0)
			return true;
	return false;
}

size_t
terminal_command(const char *line, size_t len, size_t *end)
{
	size_t lead = strspn(line, " "), at;

	for (at = lead; at < len; at++) {
		bool after_two = at >= 2 && line[at - 1] == ' ' && line[at - 2] == ' ';
		bool after_colon = at >= 2 && line[at - 1] == ' ' && line[at - 2] == ':';
		bool behind_colon = after_two && at >= 3 && line[at - 3] == ':';

		if (!behind_colon && !((at == lead || after_two || after_colon) && is_command(line + at, len - at)))
			continue;
		for (*end = at; *end < len && strncmp(line + *end, "    ", 4) != 0; ++*end)
			;
		return at;
	}
	*end = len;
	return len;
}

/* The column at which a wrapped line continues: the column of the text after its first word or label. */
static size_t
hang_of(const char *line, size_t len, size_t columns)
{
	size_t lead = strspn(line, " "), at;

	for (at = lead; at + 2 < len; at++) {
		if (line[at] != ' ' || line[at + 1] != ' ')
			continue;
		at += strspn(line + at, " ");
		at = width_columns(line, at);
		if (at <= columns / 2)
			return at;
		break;
	}
	return lead + 2 <= columns / 2 ? lead + 2 : 2;
}

static void
blanks(struct bytes *out, size_t count)
{
	while (count-- > 0)
		bytes_char(out, ' ');
}

static void
wrap_line(struct bytes *out, const char *line, size_t len, size_t columns)
{
	size_t command, command_end, hang, at = 0, column = 0;

	if (width_columns(line, len) <= columns || is_script_row(line, len)) {
		bytes_add(out, line, len);
		return;
	}
	command = terminal_command(line, len, &command_end);
	hang = hang_of(line, len, columns);
	while (at < len) {
		size_t gap = strspn(line + at, " "), from, end, width;

		if (at + gap >= len)
			break;
		from = at + gap;
		for (end = from; end < len && (line[end] != ' ' || (end > command && end < command_end)); end++)
			;
		width = width_columns(line + from, end - from);
		if (column > 0 && column + gap + width > columns) {
			bytes_char(out, '\n');
			gap = hang + width <= columns ? hang : width + 4 <= columns ? 4 : 0;
			column = 0;
		}
		blanks(out, gap);
		bytes_add(out, line + from, end - from);
		column += gap + width;
		at = end;
	}
}

void
terminal_wrap(struct bytes *out, const char *text, size_t columns)
{
	size_t len;

	if (columns == 0) {
		bytes_str(out, text);
		return;
	}
	for (;; text += len + 1) {
		len = strcspn(text, "\n");
		wrap_line(out, text, len, columns);
		if (text[len] == '\0')
			return;
		bytes_char(out, '\n');
	}
}
