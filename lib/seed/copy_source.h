/*
 * Reads the data of a seed file line by line, for COPY.
 */
#ifndef MIG_SEED_COPY_SOURCE_H
#define MIG_SEED_COPY_SOURCE_H

#include <stdbool.h>

#include "base/bytes.h"
#include "seed/file.h"
#include "seed/text.h"

/* {0} is closed. */
struct copy_source {
	const struct seed_file *file;
	bool gone;                 /* for ROWS: reads the keys of the rows to delete, not the rows to keep */
	int fd;
	struct bytes block;        /* whole lines, and the beginning of an incomplete one */
	size_t used;               /* bytes of the block that were delivered */
	size_t checked;            /* bytes of the block that were validated as text and CSV, and the lines
	                            * before them */
	unsigned long checked_lines;
	struct seed_csv_scan csv;
	struct bytes out;
	unsigned long line;        /* number of lines used */
	unsigned long row;         /* number of rows delivered */
	bool ended;
	int code;                  /* exit code of the reported error, if the data is bad */
};
int copy_source_open(struct copy_source *feed, const struct seed_file *file, bool gone);
size_t copy_source_next(void *feed, const char **data); /* a db_feed */
size_t copy_source_look(struct copy_source *feed, const char **data); /* the file as is; returns 0 at its end */
void copy_source_close(struct copy_source *feed);

/*
 * The line (from 1) on which the n-th row of a file begins (from 1; the header does not count), or 0 if unknown.
 */
unsigned long copy_source_line_of_row(const struct seed_file *file, unsigned long row);

/* The parts of a `row` record that mig-seed reads, as spans of its line. */
struct seed_row {
	struct seed_span schema, table, change, key, new, secret;
};

/* Splits a line of a stream, which must be valid JSON; returns false if it is another record. */
bool seed_row_of(const char *line, size_t len, struct seed_row *row);
bool seed_row_is_gone(const struct seed_row *row);

/* Reads the next whole line, without its newline; returns false at the end. */
bool copy_source_line(struct copy_source *feed, const char **line, size_t *len);

#endif
