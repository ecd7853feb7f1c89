/*
 * What a tool's standard output gets: records in a pipe or file, a page on a terminal.
 * And the last act of every main: the stream ends, and what was written has really left.
 */
#ifndef MIG_RECORDS_OUTPUT_H
#define MIG_RECORDS_OUTPUT_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/options.h"
#include "records/record.h"

struct output {
	const char *kind;        /* of the stream */
	const char *formats;     /* what --format may be, with bars between: "text|records" */
	const char *path;        /* -o, or NULL */
	const char *format;      /* --format, or NULL: as the place wants it */
	bool page;               /* a page is wanted on standard output */
	bool replaces;           /* the program changes a database: what an earlier run said is not left in -o's file */
	bool opened;             /* output_open() was called, or nothing is to be opened any more */
	struct writer *writer;   /* NULL: no records are wanted */
	bool complete;           /* every record is written: the stream may end with `end` */
	const struct failure *upstream; /* the tool before failed: its cause is passed on */
};

/*
 * Before the command line is read: finds -o and --format on it, for the case that it is refused.
 */
void output_begin(struct output *output, const struct program *program, int argc, char *const argv[]);

/* Takes the options -o ('o') and --format ('F') of a command line.  Returns 0, or MIG_USAGE, said. */
int output_option(struct output *output, int letter, const char *value);

/*
 * Decides and begins; 0, or an exit code, said.  Once only, and before anything is touched: so that a file that
 * cannot be written is found then.
 */
int output_open(struct output *output);

/* Prints a page (plan/pages.h) to standard output, with colour where that is wanted, and broken to fit a terminal. */
void output_page(const struct bytes *page);

/*
 * Ends the stream: `end` where it is complete, else `failed` with the first error that was said, or with
 * upstream's cause; with -o that is in FILE, whatever ended the program.  Returns the exit code of the program: `code`, upstream's, or MIG_OUTPUT where
 * output was lost and nothing worse had happened.
 */
int output_close(struct output *output, int code);

#endif
