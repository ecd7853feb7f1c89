/*
 * Writes commands that people type: each word reads as that one word in a POSIX shell, whatever is in it.
 *
 * The words of a command, or of several with a pipe between them, are kept in one text: a word a line, and a line `|`
 * for the pipe.  A word that cannot be written so (control characters, bytes that are not UTF-8, a lone `|`) makes them
 * unknown: nothing may then be printed as the command.
 */
#ifndef MIG_BASE_SHELL_QUOTE_H
#define MIG_BASE_SHELL_QUOTE_H

#include <stdbool.h>

#include "base/bytes.h"

/* Writes one word, in '…' where it needs quotes; of --name=VALUE only the value is quoted. */
void shell_word(struct bytes *out, const char *word);

/* The same for an operand that is a path: ./ before a leading dash, so that it is no option. */
void shell_path_word(struct bytes *out, const char *path);

struct shell_words {
	struct bytes text;
	bool unknown;    /* also set by who knows that a word may not be shown */
};

void shell_program(struct shell_words *words, const char *program);     /* behind a pipe where one is there already */
void shell_pipe(struct shell_words *words);
void shell_option(struct shell_words *words, const char *option, const char *value);  /* "--to"; NULL: without value */
void shell_path(struct shell_words *words, const char *path);           /* an operand; ./ before a leading dash */
void shell_arguments(struct shell_words *words, const char *program, int argc, char *argv[]);  /* as it was called */
void shell_append(struct shell_words *words, const char *text);         /* words that were kept; NULL: unknown */
const char *shell_words(const struct shell_words *words);             /* the text; NULL: unknown */
void shell_words_free(struct shell_words *words);

/* Writes kept words as they are typed. */
void shell_command(struct bytes *out, const char *words);

/*
 * "TEXT:  COMMAND"; where the words are unknown "TEXT: INSTEAD", or the text alone where that is NULL.  The result is the
 * caller's; the words are freed.
 */
char *shell_sentence(const char *text, struct shell_words *words, const char *instead);

#endif
