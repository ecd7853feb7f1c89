/*
 * The command line.  One table per tool serves the parser and --help, so that they agree.
 *
 * -h, -V, -q, -v and --color belong to every tool and are handled here.  Options may stand anywhere before `--` and may be
 * abbreviated.  An option that is unknown, lacks its value or is given twice is refused by name.
 */
#ifndef MIG_BASE_OPTIONS_H
#define MIG_BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

struct option_spec {
	int letter;            /* what options_next() returns; a printable one is also -X */
	const char *name;      /* --name */
	const char *argument;  /* the name of its value in --help; NULL: it takes none */
	const char *help;      /* a line of at most 52 columns; behind \n what only --help=all shows; \n first: all of it */
	bool repeatable;
};

struct program {
	const char *name;
	const char *about;         /* one line */
	const char *const *usage;  /* synopsis lines without "usage:"; ends with NULL */
	const struct option_spec *options; /* ends with a NULL name */
	const char *more;          /* printed by --help below the options: examples, exit codes */
	const char *all;           /* printed below that by --help=all; may be NULL */
	bool (*topic)(struct bytes *out, const char *topic); /* --help=TOPIC: false: it has no such; may be NULL */
};

struct options {
	const struct program *program;
	int argc;
	char *const *argv;
	const char *value;         /* value of the option last returned */
	int first;                 /* after OPTIONS_DONE: argv[first ... argc) are the operands */
	bool seen[256];            /* letters seen so far */
};

enum {
	OPTIONS_DONE = -1, /* all options are read */
	OPTIONS_WRONG = -2 /* error reported; exit with MIG_USAGE */
};

/* The options that every program has, handled in options_next(); ends with a NULL name. */
extern const struct option_spec options_common[];

/* Whether the option also has the form -X. */
bool options_has_letter(const struct option_spec *spec);

/* Appends a table of options as --help shows it, or --help=all. */
void options_help(struct bytes *out, const struct option_spec *spec, bool all);

/*
 * Appends an item of --help: its head, and at `column` the first line of its text; with `all` each line, wrapped to 80 columns.
 * Adds a line break.
 */
void options_help_line(struct bytes *out, const char *head, size_t column, const char *text, bool all);

/* Prints text to standard output.  Returns 0, or MIG_OUTPUT with the error reported. */
int options_print(const struct bytes *text);

void options_begin(struct options *options, const struct program *program, int argc, char *const argv[]);

/* The next option's letter, or one of the two codes above.  Answers --help and --version itself and exits. */
int options_next(struct options *options);

/*
 * The value of an option, wherever it stands, even on a command line that will be refused; NULL if it is absent.
 * Do not call it between options_begin() and OPTIONS_DONE.
 */
const char *options_find(const struct program *program, int argc, char *const argv[], int letter);

/* Reports a usage error, with a pointer to --help.  Returns MIG_USAGE. */
int options_wrong(const char *format, ...) MIG_PRINTF(1, 2);

/* Parses a TIME value into *ms.  Returns 0, or MIG_USAGE with the error reported. */
int options_time(const char *name, const char *value, long long *ms);

/*
 * Accepts at most one operand: sets *operand to it, or leaves *operand alone.  Returns 0, or MIG_USAGE with the
 * error reported.
 */
int options_one_operand(const struct options *options, const char **operand);

/* Options shared by several tools, so that their texts agree. */
#define OPTION_DATABASE                                                                           \
	{ 'd', "database", "SOURCE",                                                              \
	    "where the connection string is\n"                                                 \
	    "env:NAME, file:PATH, cmd:COMMAND, or a string without a password (default: "      \
	    "MIG_DATABASE, else env:DATABASE_URL)", false }
#define OPTION_SCHEMA(letter)                                                                     \
	{ letter, "schema", "NAME", "the schema, whatever the connection string says", false }
#define OPTION_ROLE(letter)                                                                       \
	{ letter, "role", "NAME", "SET ROLE for what runs; log in as another\n"                      \
	    "the history as before; default: MIG_ROLE", false }
#define OPTION_OUTPUT                                                                             \
	{ 'o', "output", "FILE", "write the records to FILE, and show the page", false }
#define OPTION_FORMAT(words)                                                                      \
	{ 'F', "format", words, "for standard output\n(default: a page on a terminal, else records)", false }
#define OPTION_LAST { 0, NULL, NULL, NULL, false }

#endif
