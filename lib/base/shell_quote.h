/*
 * Writes commands for users to paste: a POSIX shell reads each word back unchanged, whatever it contains.
 *
 * A command, or several joined by pipes, is kept as one text: one word per line, and the line `|` for a pipe.  A
 * word that cannot be kept like that (control characters, bytes that are not UTF-8, a lone `|`) makes the whole
 * command unknown; it must then not be printed.
 */
#ifndef MIG_BASE_SHELL_QUOTE_H
#define MIG_BASE_SHELL_QUOTE_H

#include <stdbool.h>

#include "base/bytes.h"

/* Appends one word, in '…' if it needs quotes.  In --name=VALUE only the value is quoted. */
void shell_word(struct bytes *out, const char *word);

/* The same for a path operand: ./ before a leading dash, so that it is not taken for an option. */
void shell_path_word(struct bytes *out, const char *path);

struct shell_words {
	struct bytes text;
	bool unknown;    /* callers also set it if a word must not be shown */
};

void shell_program(struct shell_words *words, const char *program);     /* after a pipe, if there already is a
                                                                         * program */
void shell_pipe(struct shell_words *words);
void shell_option(struct shell_words *words, const char *option, const char *value);  /* "--to"; NULL: no value */
void shell_path(struct shell_words *words, const char *path);           /* an operand; ./ before a leading dash */
void shell_arguments(struct shell_words *words, const char *program, int argc, char *argv[]);  /* as given */
void shell_append(struct shell_words *words, const char *text);         /* words kept earlier; NULL: makes the
                                                                         * command unknown */
const char *shell_words(const struct shell_words *words);             /* the text, owned by words; NULL: unknown */
void shell_words_free(struct shell_words *words);

/* Appends kept words as the user types them. */
void shell_command(struct bytes *out, const char *words);

/*
 * Returns "TEXT:  COMMAND"; if the words are unknown "TEXT: INSTEAD", or just the text if INSTEAD is NULL.  The
 * caller frees the result.  Frees the words.
 */
char *shell_sentence(const char *text, struct shell_words *words, const char *instead);

#endif
