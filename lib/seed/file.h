/*
 * A seed file: what it is called, which table it is for, and what is to be minded with it.
 *
 * A data file is CSV, TSV or NDJSON and is named [SCHEMA.]TABLE.csv, names as they are, without quotes and in
 * their own case.  Its values are the server's business: we see where lines end, what the header names, and
 * which members an object of a `rows` stream has.
 */
#ifndef MIG_SEED_FILE_H
#define MIG_SEED_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

enum seed_kind {
	SEED_SQL,
	SEED_CSV,
	SEED_TSV,    /* CSV with tabs for commas */
	SEED_NDJSON, /* an object a line */
	SEED_ROWS    /* `row` records of one table, out of a stream on standard input */
};

struct seed_names {
	char **names;
	size_t count;
};
bool seed_names_have(const struct seed_names *names, const char *name);
void seed_names_add(struct seed_names *names, char *name); /* owns it */
void seed_names_free(struct seed_names *names);

/* What is kept with the data, or said on the command line. */
struct seed_settings {
	struct seed_names key;         /* the columns that tell rows apart; none: the primary key */
	struct seed_names insert_only; /* columns that are never overwritten */
	struct seed_names hide;        /* columns whose values are not shown */
	bool kept;                     /* prune = no: --prune takes nothing out of this table */
};

struct seed_file {
	enum seed_kind kind;
	char *path;
	const char *name;          /* for pages and records: as given; within a folder that was given, without that */
	bool standard;             /* it is standard input, which was made to be read more than once */
	char *schema;              /* NULL: the table is where the search path finds it */
	char *table;               /* NULL: SQL */
	struct bytes text;         /* of SQL */
	struct seed_names header;  /* of CSV and TSV: the columns, in the order of the file */
	bool gone;                 /* of ROWS: there are rows to be taken out */
	struct seed_settings settings;
	long long took_ms;
};

bool seed_is_csv(const struct seed_file *file);     /* with commas or with tabs, */
char seed_delimiter(const struct seed_file *file);  /* which is this one */

/* "schema.Table" to its two parts, *schema NULL where it has none; the caller frees both. */
void seed_table_name(const char *text, size_t len, char **schema, char **table);

/*
 * The same where people write it, in --key and seed.conf: there a part may stand in double quotes, "" for one in it.
 * The colon behind a table, outside quotes, in "table:columns"; or NULL.
 */
void seed_table_read(const char *text, size_t len, char **schema, char **table);
const char *seed_table_colon(const char *text);

/* Write what seed_table_read() and a list of columns take, in quotes where they are needed.  schema may be NULL. */
void seed_table_write(struct bytes *out, const char *schema, const char *table);
void seed_column_write(struct bytes *out, const char *column);

/* Both NULL, or the same text. */
bool seed_same_name(const char *a, const char *b);

#define SEED_BOM "\xEF\xBB\xBF" /* a byte order mark, as spreadsheets write it */

/* Whether a part of a file, from line `line` on, is UTF-8 without NUL bytes: 0, or MIG_DATA, said with the line. */
int seed_check_text(const struct seed_file *file, const char *text, size_t len, unsigned long line);

/* Says that a file cannot be read, for an errno; returns the exit code. */
int seed_cannot_read(const char *path, int error);

/* Says a complaint about a line of a file (0: about the file); returns MIG_DATA. */
int seed_refuse(const struct seed_file *file, unsigned long line, const char *format, ...) MIG_PRINTF(3, 4);

#endif
