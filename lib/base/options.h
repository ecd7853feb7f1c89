/*
 * The command line: one table a tool gives both the parser and --help, so they cannot drift apart.
 *
 * -h, -V, -q and -v are everyone's and are handled here.  Options may stand anywhere before `--`, may
 * be abbreviated, and are refused by name where they are unknown, lack a value, or come twice.
 */
#ifndef MIG_BASE_OPTIONS_H
#define MIG_BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

struct option_spec {
	int letter;            /* what options_next() returns; printable ones are also -X */
	const char *name;      /* --name */
	const char *argument;  /* what --help calls its value; NULL: none */
	const char *help;      /* one or more lines, \n between them */
	bool repeatable;
};

struct program {
	const char *name;
	const char *about;         /* one line */
	const char *const *usage;  /* synopsis lines without "usage:", ending with NULL */
	const struct option_spec *options; /* ends with a NULL name */
	const char *more;          /* what --help shows below the options: examples, exit codes */
};

struct options {
	const struct program *program;
	int argc;
	char *const *argv;
	const char *value;         /* of the option last returned */
	int first;                 /* after OPTIONS_DONE: argv[first ... argc) are the operands */
	bool seen[256];            /* letters that came already */
};

enum {
	OPTIONS_DONE = -1, /* all options read */
	OPTIONS_WRONG = -2 /* said; exit MIG_USAGE */
};

/* Those that every program has, handled in options_next(); ends with a NULL name. */
extern const struct option_spec options_common[];

/* Whether -X stands for it as well. */
bool options_has_letter(const struct option_spec *spec);

/* Prints a table of options as --help shows it. */
void options_help(const struct option_spec *spec);

void options_begin(struct options *options, const struct program *program, int argc, char *const argv[]);

/* The next option's letter, or one of the two above.  --help and --version are answered here, and end the program. */
int options_next(struct options *options);

/*
 * The value of an option wherever it stands, also on a command line that is going to be refused; NULL: it is not there.
 * Not between options_begin() and OPTIONS_DONE.
 */
const char *options_find(const struct program *program, int argc, char *const argv[], int letter);

/* Complain about usage, with a pointer to --help.  Return MIG_USAGE. */
int options_wrong(const char *format, ...) MIG_PRINTF(1, 2);

/* A TIME value; says what is wrong with it and returns MIG_USAGE, or 0. */
int options_time(const char *name, const char *value, long long *ms);

/* At most one operand: *operand is set to it, or left alone.  Returns 0 or MIG_USAGE, said. */
int options_one_operand(const struct options *options, const char **operand);

/* Options that several tools share, so that their texts are alike. */
#define OPTION_DATABASE                                                                           \
	{ 'd', "database", "SOURCE",                                                              \
	    "where the connection string is: env:NAME, file:PATH, cmd:COMMAND, or a string\n"     \
	    "without a password (default: MIG_DATABASE, else env:DATABASE_URL)", false }
#define OPTION_OUTPUT                                                                             \
	{ 'o', "output", "FILE", "write the records to FILE; standard output shows the page", false }
#define OPTION_FORMAT(words)                                                                      \
	{ 'F', "format", words, "what standard output gets (default: a page on a terminal, else\nrecords)", false }
#define OPTION_LAST { 0, NULL, NULL, NULL, false }

#endif
