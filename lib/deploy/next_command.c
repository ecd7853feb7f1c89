#include "deploy/next_command.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/message.h"
#include "base/shell_quote.h"

static struct {
	const char *plan, *apply, *file;
} called;

void
next_command_begin(const char *plan, const char *apply, const char *file)
{
	called.plan = plan;
	called.apply = apply;
	called.file = file;
}

/* Consumes the words. */
static void
say(const char *text, struct shell_words *words)
{
	char *line = shell_sentence(text, words, "the same commands again, starting with the scan");

	message_line("%s", line);
	free(line);
}

void
next_command_plan(const char *text)
{
	struct shell_words words = { 0 };

	shell_append(&words, called.plan);
	say(text, &words);
}

void
next_command_ask(const char *format, ...)
{
	struct bytes remark = { 0 }, command = { 0 };
	va_list args;

	va_start(args, format);
	bytes_vformat(&remark, format, args);
	va_end(args);
	if (called.plan != NULL) {
		shell_command(&command, called.plan);
		message_line("next: %s    (%s)", command.data, remark.data);
	} else {
		message_line("next: the same scan and plan again (%s)", remark.data);
	}
	bytes_free(&remark);
	bytes_free(&command);
}

static void
add_apply(struct shell_words *words)
{
	if (words->text.len > 0)
		shell_pipe(words);
	shell_append(words, called.apply);
}

/* The plan is made again, or read from its file. */
static void MIG_PRINTF(2, 0)
say_deploy(const char *file, const char *format, va_list args)
{
	struct shell_words words = { 0 };
	struct bytes text = { 0 };

	bytes_vformat(&text, format, args);
	if (file == NULL)
		shell_append(&words, called.plan);
	add_apply(&words);
	if (file != NULL)
		shell_path(&words, file);
	say(text.data, &words);
	bytes_free(&text);
}

void
next_command_deploy(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say_deploy(NULL, format, args);
	va_end(args);
}

void
next_command_with(const char *text, const char *option, const char *value)
{
	struct shell_words words = { 0 };

	shell_append(&words, called.plan);
	shell_option(&words, option, value);
	add_apply(&words);
	say(text, &words);
}

void
next_command_retry(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say_deploy(called.file, format, args);
	va_end(args);
}

void
next_command_without_marks(const char *text)
{
	struct shell_words words = { 0 };
	const char *plan = called.plan != NULL ? strstr(called.plan, "\n|\n") : NULL;
	char *scan = plan != NULL ? xstrndup(called.plan, (size_t)(plan - called.plan)) : NULL;

	shell_append(&words, scan);
	shell_program(&words, "mig-plan");
	add_apply(&words);
	say(text, &words);
	free(scan);
}
