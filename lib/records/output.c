#include "records/output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/options.h"
#include "base/paint.h"
#include "base/spoken.h"
#include "base/terminal.h"

static bool
is_one_of(const char *value, const char *words)
{
	size_t len;

	for (; *words != '\0'; words += len + (words[len] == '|')) {
		len = strcspn(words, "|");
		if (strlen(value) == len && strncmp(words, value, len) == 0)
			return true;
	}
	return false;
}

void
output_begin(struct output *out, const struct program *program, int argc, char *const argv[])
{
	const char *format = options_find(program, argc, argv, 'F'), *path = options_find(program, argc, argv, 'o');

	if (path != NULL && *path != '\0')
		out->path = path;
	if (format != NULL && is_one_of(format, out->formats))
		out->format = format;
}

int
output_option(struct output *out, int letter, const char *value)
{
	if (letter == 'F' && !is_one_of(value, out->formats))
		return options_wrong("--format=%s: must be one of %s", value, out->formats);
	if (letter == 'o' && *value == '\0')
		return options_wrong("-o needs the name of a file");
	*(letter == 'o' ? &out->path : &out->format) = value;
	return 0;
}

static bool
wants_records(const struct output *out)
{
	return out->format != NULL ? strcmp(out->format, "records") == 0 : out->path == NULL && !isatty(STDOUT_FILENO);
}

int
output_open(struct output *out)
{
	bool records = wants_records(out);

	out->page = !records;
	out->opened = true;
	if (out->path == NULL && !records)
		return 0;
	out->writer = out->path != NULL && out->replaces ? writer_replace(out->path, out->kind)
	                                                 : writer_open(out->path, out->kind);
	return out->writer != NULL ? 0 : message_code();
}

void
output_page(const struct bytes *page)
{
	struct bytes wrapped = { 0 }, painted = { 0 }, shown = { 0 };
	char *typed = spoken(bytes_text(page));
	const char *c;
	size_t control;

	message_live_clear();
	terminal_wrap(&wrapped, typed, terminal_width(STDOUT_FILENO));
	paint_page(&painted, bytes_text(&wrapped));
	for (c = bytes_text(&painted); *c != '\0'; c += control > 0 ? control : 1)
		bytes_char(&shown, (control = terminal_control(c)) > 0 ? '?' : *c);
	painted.len = 0;
	paint_show(&painted, bytes_text(&shown), message_colour(STDOUT_FILENO));
	fwrite(bytes_text(&painted), 1, painted.len, stdout);
	bytes_free(&wrapped);
	bytes_free(&painted);
	bytes_free(&shown);
	free(typed);
}

int
output_end(struct output *out, int code)
{
	struct failure own = { message_tool(), code, message_cause() };

	if (!out->opened && code != 0 && (out->path != NULL || wants_records(out)))
		/* wrong usage: the reader must learn of it all the same */
		out->writer = writer_open(out->path, out->kind);
	if (own.message == NULL)
		own.message = "it was killed";
	if (out->complete)
		code = writer_end(out->writer, code);
	else if (out->upstream != NULL)
		code = writer_fail(out->writer, out->upstream);
	else
		code = writer_fail(out->writer, &own);
	out->writer = NULL;
	return code;
}

int
output_close(struct output *out, int code)
{
	code = output_end(out, code);
	if ((fflush(stdout) != 0 || ferror(stdout)) && code == 0)
		code = message_error(MIG_OUTPUT, "cannot write standard output: %s", strerror(errno));
	/* who reads it goes on at once: a process with libpq in it takes a millisecond to end */
	(void)close(STDOUT_FILENO);
	return code;
}
