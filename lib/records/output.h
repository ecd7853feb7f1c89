/*
 * A tool's standard output: records in a pipe or file, a page on a terminal.  And the last step of every main: end
 * the stream and make sure that everything was written.
 */
#ifndef MIG_RECORDS_OUTPUT_H
#define MIG_RECORDS_OUTPUT_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/options.h"
#include "records/record.h"

struct output {
	const char *kind;        /* of the stream */
	const char *formats;     /* the values of --format, with bars between: "text|records" */
	const char *path;        /* -o, or NULL */
	const char *format;      /* --format; NULL: depends on whether standard output is a terminal */
	bool page;               /* standard output gets a page */
	bool replaces;           /* the program changes a database: -o's file must not keep an earlier run's result */
	bool opened;             /* output_open() was called, or must not be called any more */
	struct writer *writer;   /* NULL: no records are written */
	bool complete;           /* every record is written: the stream may end with `end` */
	const struct failure *upstream; /* set if the previous tool failed: its cause is passed on */
};

/* Call it before parsing the command line: finds -o and --format on it, in case it is refused. */
void output_begin(struct output *output, const struct program *program, int argc, char *const argv[]);

/* Handles the options -o ('o') and --format ('F').  Returns 0, or MIG_USAGE with the error reported. */
int output_option(struct output *output, int letter, const char *value);

/*
 * Decides what goes where and begins the stream.  Call it once, before anything is changed, so that a file that
 * cannot be written is found early.  Returns 0, or an exit code with the error reported.
 */
int output_open(struct output *output);

/* Prints a page (plan/pages.h) to standard output, with colour and wrapping if that is a terminal. */
void output_page(const struct bytes *page);

/*
 * Ends the stream: with `end` if it is complete, else with `failed` and the first error reported, or upstream's
 * cause.  With -o, FILE gets this however the program ends.  Returns the program's exit code: `code`, or
 * upstream's; MIG_OUTPUT if output was lost and nothing worse happened.  Standard output is closed then.
 */
int output_close(struct output *output, int code);

/* The stream alone, with a standard output that goes on: for a program that writes several, each to a file of its own. */
int output_end(struct output *output, int code);

#endif
