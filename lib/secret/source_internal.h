/*
 * Shared by the files that read sources (secret/source.h); private to them.
 */
#ifndef MIG_SECRET_SOURCE_INTERNAL_H
#define MIG_SECRET_SOURCE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "secret/source.h"

struct source_input {
	struct secret *secret; /* NULL: failed, with the error reported */
	struct bytes label;    /* "DATABASE_URL", "the file \"...\"", "the command's output" */
	int code;
	bool string;           /* a connection string is wanted, which may be a JSON object of several lines */
};

/* --- source_input.c --- */

void source_input_free(struct source_input *in);
bool source_is_variable_name(const char *text);
/* A path may be a connection string in the wrong place: whether it can be shown. */
bool source_path_is_shown(const char *path);
/* Fills `in`, of which `string` is set, from env:, file: or cmd:.  Returns false if word is none of these. */
bool source_read(struct source_input *in, const char *word, const char *what, int wrong);

/* Whether a file that is open, and keeps a secret, can be read by other users. */
bool source_is_open_to_others(int fd, const struct stat *file);

/* --- source_command.c --- */

/*
 * Fills `in` from the first line that a command prints.  Its standard input is empty, its standard error is ours, so that it can
 * ask for a login and say why it failed; of the environment it has what is left.  It has the time of MIG_SOURCE_TIMEOUT: by
 * default 10 s, and a minute where a terminal is there to answer from.  Without a terminal it is ended with all that it started.
 */
void source_command(struct source_input *in, const char *command, const char *what);
/* The same for one more connection: a failure is only a warning. */
bool source_command_again(struct source_input *in, const char *command);
/* Whether there is a shell to run commands; an empty container has none. */
bool source_has_shell(void);

/* --- source_help.c --- */

void source_say_ways(void);
int source_say_missing(const char *name, bool empty, const char *what);

#endif
