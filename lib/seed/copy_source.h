/*
 * The data of a seed file, line by line, as COPY wants it.
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
	bool gone;                 /* of ROWS: the keys of the rows that are to go, not those that are to stay */
	int fd;
	struct bytes block;        /* whole lines, and the begin of one that is not read to its end */
	size_t used;               /* bytes of the block that were given */
	size_t checked;            /* bytes of the block that are text, and CSV; and the lines before them */
	unsigned long checked_lines;
	struct seed_csv_scan csv;
	struct bytes out;
	unsigned long line;        /* of the file: how many are used */
	unsigned long row;         /* how many rows are given */
	bool ended;
	int code;                  /* what was said, where the data is bad */
};
int copy_source_open(struct copy_source *feed, const struct seed_file *file, bool gone);
size_t copy_source_next(void *feed, const char **data); /* a db_feed */
size_t copy_source_look(struct copy_source *feed, const char **data); /* the file as it is; 0: its end */
void copy_source_close(struct copy_source *feed);

/* The line on which the n-th row of a file begins (from 1; a header is no row), or 0. */
unsigned long copy_source_line_of_row(const struct seed_file *file, unsigned long row);

/* What mig-seed looks at in a `row` record; spans of its line. */
struct seed_row {
	struct seed_span schema, table, change, key, new;
};

/* Takes a line of a stream apart, which is known to be JSON; false where it is another record. */
bool seed_row_of(const char *line, size_t len, struct seed_row *row);
bool seed_row_is_gone(const struct seed_row *row);

/* The next whole line of a feed, without its newline; false at the end. */
bool copy_source_line(struct copy_source *feed, const char **line, size_t *len);

#endif
