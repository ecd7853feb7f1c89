#include "base/message.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mig.h"
#include "base/page.h"
#include "base/paint.h"
#include "base/spoken.h"
#include "base/terminal.h"
#include "base/width.h"

/* The program's name and how much it says: one of each in a process, and needed everywhere. */
static const char *tool = "mig";
int message_verbosity;

static char *cause;     /* the first error's text */
static int cause_code;
static int end_code;    /* 0: that of the family */
static const char *about; /* what no message has named yet */
enum { LIVE_MS = 250 };
enum { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER };
static int colour_when; /* --color */
static bool live_shown; /* a live line stands on the terminal */

void
message_begin(const char *name)
{
	tool = name;
	/* A crash must not lose messages, and several programs share the terminal: write whole lines. */
	setvbuf(stderr, NULL, _IOLBF, 0);
}

const char *
message_tool(void)
{
	return tool;
}

/*
 * Text from servers, files and records may hold anything: escape sequences would let it rewrite
 * the terminal, and bytes that are no UTF-8 would be marks of colour.  Newlines and tabs stay.
 */
static void
wash(char *text)
{
	size_t control;

	for (; *text != '\0'; text += control > 0 ? control : 1) {
		if ((control = terminal_control(text)) == 0 && (unsigned char)*text >= (unsigned char)PAGE_RED[0])
			control = 1;
		if (control > 0)
			memset(text, '?', control);
	}
}

void
message_quote_to(struct bytes *out, const char *text)
{
	size_t len;

	for (; *(text += (len = strcspn(text, "\n"))) != '\0'; text++) {
		bytes_add(out, text - len, len);
		bytes_str(out, "\n    | ");
	}
	bytes_add(out, text - len, len);
}

static void show(const char *prefix, const char *label, char *text);

static void
show_subject(void)
{
	char *text = about != NULL ? xstrdup(about) : NULL;

	about = NULL;
	if (text != NULL)
		show(tool, "", text);
	free(text);
}

static void
show(const char *prefix, const char *label, char *text)
{
	struct bytes line = { 0 }, wrapped = { 0 }, painted = { 0 };
	char *typed;

	show_subject();
	wash(text);
	typed = spoken(text);
	message_live_clear();
	if (prefix != NULL) {
		bytes_format(&line, "%s: %s", prefix, label);
		message_quote_to(&line, typed);
		bytes_char(&line, '\n');
	} else {
		bytes_format(&line, "%s\n", typed);
	}
	free(typed);
	fflush(stdout);
	terminal_wrap(&wrapped, line.data, terminal_width(STDERR_FILENO));
	paint_message(&painted, wrapped.data);
	wrapped.len = 0;
	paint_show(&wrapped, painted.data, message_colour(STDERR_FILENO));
	fwrite(wrapped.data, 1, wrapped.len, stderr);
	bytes_free(&line);
	bytes_free(&wrapped);
	bytes_free(&painted);
}

#define FORMAT_TEXT(text, format)                                                                 \
	do {                                                                                      \
		struct bytes formatted = { 0 };                                                   \
		va_list args;                                                                     \
                                                                                                  \
		va_start(args, format);                                                           \
		bytes_vformat(&formatted, format, args);                                          \
		va_end(args);                                                                     \
		(text) = formatted.data;                                                          \
	} while (0)

int
message_error(int code, const char *format, ...)
{
	char *text;

	FORMAT_TEXT(text, format);
	show(tool, "error: ", text);
	if (cause == NULL) {
		cause = text;
		cause_code = code;
	} else {
		free(text);
	}
	return code;
}

void
message_warning(const char *format, ...)
{
	char *text;

	FORMAT_TEXT(text, format);
	show(tool, "warning: ", text);
	free(text);
}

void
message_info(const char *format, ...)
{
	char *text;

	if (message_verbosity < 0)
		return;
	FORMAT_TEXT(text, format);
	show(tool, "", text);
	free(text);
}

void
message_verbose(const char *format, ...)
{
	char *text;

	if (message_verbosity < 1)
		return;
	FORMAT_TEXT(text, format);
	show(tool, "", text);
	free(text);
}

void
message_line(const char *format, ...)
{
	char *text;

	FORMAT_TEXT(text, format);
	show(NULL, NULL, text);
	free(text);
}

void
message_end_with(int code)
{
	end_code = code;
}

int
message_end_code(int code)
{
	return end_code != 0 ? end_code : code;
}

void
message_quote(const char *label, const char *text)
{
	struct bytes line = { 0 };

	bytes_str(&line, label);
	message_quote_to(&line, text);
	message_line("%s", line.data);
	bytes_free(&line);
}

void
message_bug(const char *file, int line, const char *format, ...)
{
	char *text;

	FORMAT_TEXT(text, format);
	fprintf(stderr, "%s: bug: %s:%d: %s; please report this\n", tool, file, line, text);
	exit(message_end_code(MIG_BUG));
}

void
message_about(const char *subject)
{
	about = subject;
	free(cause);
	cause = NULL;
	cause_code = 0;
}

const char *
message_cause(void)
{
	return cause;
}

int
message_code(void)
{
	return cause_code;
}

bool
message_is_live(void)
{
	const char *term = getenv("TERM");

	return message_verbosity >= 0 && isatty(STDERR_FILENO) && term != NULL &&
	    strcmp(term, "dumb") != 0;
}

void
message_live(const char *format, ...)
{
	static long long shown_ms;
	struct bytes line = { 0 }, painted = { 0 };
	size_t columns, len;
	char *text;

	if (!message_is_live() || (shown_ms != 0 && clock_now_ms() - shown_ms < LIVE_MS))
		return;
	shown_ms = clock_now_ms();
	FORMAT_TEXT(text, format);
	wash(text);
	/* the last column stays empty, otherwise the terminal would wrap to a line that is never cleared */
	columns = terminal_width(STDERR_FILENO) - 1;
	len = strcspn(text, "\n");
	if (text[len] == '\0' && width_columns(text, len) <= columns)
		bytes_str(&line, text);
	else
		bytes_format(&line, "%.*s..", (int)width_fit(text, len, columns - 2), text);
	paint_message(&painted, bytes_text(&line));
	line.len = 0;
	paint_show(&line, bytes_text(&painted), message_colour(STDERR_FILENO));
	fprintf(stderr, "\r\033[K%s", line.data);
	fflush(stderr);
	bytes_free(&line);
	bytes_free(&painted);
	free(text);
	live_shown = true;
}

void
message_live_clear(void)
{
	if (!live_shown)
		return;
	fputs("\r\033[K", stderr);
	fflush(stderr);
	live_shown = false;
}

bool
message_colour_by(const char *when)
{
	static const char *const words[] = { "auto", "always", "never" };
	int i;

	for (i = 0; i < 3; i++)
		if (strcmp(when, words[i]) == 0) {
			colour_when = i;
			return true;
		}
	return false;
}

bool
message_colour(int fd)
{
	const char *force = getenv("CLICOLOR_FORCE"), *no = getenv("NO_COLOR"), *term = getenv("TERM");

	if (colour_when != COLOUR_AUTO)
		return colour_when == COLOUR_ALWAYS;
	if (no != NULL && *no != '\0')
		return false;
	if (force != NULL && *force != '\0' && strcmp(force, "0") != 0)
		return true;
	return isatty(fd) && term != NULL && *term != '\0' && strcmp(term, "dumb") != 0;
}
