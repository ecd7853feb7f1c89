#include "base/shell_quote.h"

#include <stdlib.h>
#include <string.h>

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/* What no shell gives a meaning to, wherever it stands in an argument. */
static const char plain[] = LETTERS "0123456789_./:+@%-";

/* The length of a leading "--name=". */
static size_t
option_name(const char *word)
{
	size_t len = strncmp(word, "--", 2) == 0 ? 2 + strspn(word + 2, LETTERS "-") : 0;

	return len > 2 && word[len] == '=' ? len + 1 : 0;
}

void
shell_word(struct bytes *out, const char *word)
{
	size_t name = option_name(word);

	bytes_add(out, word, name);
	word += name;
	if ((name > 0 || *word != '\0') && word[strspn(word, plain)] == '\0') {
		bytes_str(out, word);
		return;
	}
	bytes_char(out, '\'');
	for (; *word != '\0'; word++) {
		if (*word == '\'')
			bytes_str(out, "'\\''");
		else
			bytes_char(out, *word);
	}
	bytes_char(out, '\'');
}

void
shell_path_word(struct bytes *out, const char *path)
{
	char *operand = xformat("%s%s", *path == '-' ? "./" : "", path);

	shell_word(out, operand);
	free(operand);
}

static void
add(struct shell_words *words, const char *before, const char *word)
{
	words->unknown |= utf8_has_control(word) || utf8_check(word, strlen(word)) != strlen(word) || strcmp(word, "|") == 0;
	if (words->text.len > 0)
		bytes_char(&words->text, '\n');
	bytes_str(&words->text, before);
	bytes_str(&words->text, word);
}

void
shell_pipe(struct shell_words *words)
{
	bytes_str(&words->text, "\n|");
}

void
shell_program(struct shell_words *words, const char *program)
{
	if (words->text.len > 0)
		shell_pipe(words);
	add(words, "", program);
}

void
shell_option(struct shell_words *words, const char *option, const char *value)
{
	char *word;

	if (value != NULL && strncmp(option, "--", 2) == 0) {
		word = xformat("%s=%s", option, value);
		add(words, "", word);
		free(word);
		return;
	}
	add(words, "", option);
	if (value != NULL)
		add(words, "", value);
}

void
shell_path(struct shell_words *words, const char *path)
{
	add(words, *path == '-' ? "./" : "", path);
}

void
shell_arguments(struct shell_words *words, const char *program, int argc, char *argv[])
{
	int i;

	shell_program(words, program);
	for (i = 1; i < argc; i++)
		add(words, "", argv[i]);
}

void
shell_append(struct shell_words *words, const char *text)
{
	words->unknown |= text == NULL;
	if (text == NULL)
		return;
	if (words->text.len > 0)
		bytes_char(&words->text, '\n');
	bytes_str(&words->text, text);
}

const char *
shell_words(const struct shell_words *words)
{
	return words->unknown ? NULL : bytes_text(&words->text);
}

void
shell_words_free(struct shell_words *words)
{
	bytes_free(&words->text);
	*words = (struct shell_words){ 0 };
}

void
shell_command(struct bytes *out, const char *words)
{
	const char *between = "";
	size_t len;

	for (; *words != '\0'; words += len + (words[len] == '\n')) {
		char *word = xstrndup(words, len = strcspn(words, "\n"));

		bytes_str(out, between);
		if (strcmp(word, "|") == 0)
			bytes_char(out, '|');
		else
			shell_word(out, word);
		between = " ";
		free(word);
	}
}

char *
shell_sentence(const char *text, struct shell_words *words, const char *instead)
{
	struct bytes out = { 0 };

	bytes_str(&out, text);
	if (shell_words(words) != NULL) {
		bytes_str(&out, ":  ");
		shell_command(&out, shell_words(words));
	} else if (instead != NULL) {
		bytes_format(&out, ": %s", instead);
	}
	shell_words_free(words);
	return out.data;
}
