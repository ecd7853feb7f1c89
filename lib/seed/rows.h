/*
 * Reads a data file row by row, with its values as the file has them: for what must be known of values before the
 * server has them.  CSV is read into memory.
 */
#ifndef MIG_SEED_ROWS_H
#define MIG_SEED_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "seed/copy_source.h"
#include "seed/file.h"

struct row_value {
	char *name;                /* of the column */
	struct bytes text;         /* of CSV: the value; of an object: its JSON, quotes included */
	bool null;
};

/* {0} is closed. */
struct row_reader {
	const struct seed_file *file;
	struct copy_source feed;
	struct bytes text;         /* of CSV: the whole file, */
	const char *at;            /* and how far it is read */
	unsigned long next;        /* the line there */
	unsigned long line;        /* on which the row begins */
	struct row_value *values;  /* of the row */
	size_t count, cap;
	int code;                  /* exit code of the reported error, or 0 */
};

/* Returns 0, or an exit code with the error reported.  Close it in every case. */
int rows_open(struct row_reader *reader, const struct seed_file *file);
/* The next row; false at the end, or if reader->code says so. */
bool rows_next(struct row_reader *reader);
void rows_close(struct row_reader *reader);

/* The value of a column in the row, or NULL. */
const struct row_value *rows_value(const struct row_reader *reader, const char *name);
/*
 * Appends the text of a value of a file: of an object, a string without its quotes (unless it has escapes other than \" and \\), and
 * anything else as it stands.
 */
void rows_add_text(struct bytes *out, const struct seed_file *file, const struct row_value *value);

#endif
