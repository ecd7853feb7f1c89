/*
 * What mig-seed reads: files and folders, named after their tables; and what seed.conf says of these.
 *
 * A data file is CSV, TSV or NDJSON and is named [SCHEMA.]TABLE.csv, names as they are, without quotes and in their
 * own case.  Its values are the server's business: here is only seen where lines end, what the header names, and
 * which members an object of a `rows` stream has.
 */
#ifndef MIG_SEED_FILE_H
#define MIG_SEED_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "bytes.h"
#include "record.h"

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

struct seed_input {
	struct seed_file *files;   /* SQL first, then data */
	size_t count, cap;
	size_t sql_count;
	struct reader *reader;     /* of the stream on standard input, whose failure is passed on; else NULL */
	const struct failure *failure;
};

/* A setting of the command line: --key, --insert-only. */
struct seed_word {
	const char *option;        /* "key", "insert-only" */
	const char *value;         /* "[SCHEMA.]TABLE:COLUMN,..." or "COLUMN,...", for every table */
};

struct seed_request_files {
	char *const *paths;        /* files, folders, "-" */
	size_t count;
	const char *table;         /* of the NDJSON on standard input; NULL: it is a stream, or SQL */
	const struct seed_word *words;
	size_t word_count;
};

/*
 * Finds and checks all that is to be put in, before anybody connects.  Returns 0, or an exit code, said; input->failure is
 * set where the tool before gave up.
 */
int seed_gather(struct seed_input *input, const struct seed_request_files *request);
void seed_input_free(struct seed_input *input);

/* The settings of a table that has no file yet (for an export), from seed.conf in `folder` and the words. */
int seed_settings_find(struct seed_settings *settings, const char *folder, const char *schema, const char *table,
    const struct seed_word *words, size_t word_count);
void seed_settings_free(struct seed_settings *settings);

/* "schema.Table" to its two parts, *schema NULL where it has none; the caller frees both. */
void seed_table_name(const char *text, size_t len, char **schema, char **table);

/* The data of a file as COPY wants it.  {0} is closed. */
struct seed_feed {
	const struct seed_file *file;
	bool gone;                 /* of ROWS: the keys of the rows that are to go, not those that are to stay */
	int fd;
	struct bytes block;        /* whole lines, and the begin of one that is not read to its end */
	size_t used;               /* bytes of the block that were given */
	struct bytes out;
	unsigned long line;        /* of the file: how many are used */
	unsigned long row;         /* how many rows are given */
	bool ended;
	int code;                  /* what was said, where the data is bad */
};
int seed_feed_open(struct seed_feed *feed, const struct seed_file *file, bool gone);
size_t seed_feed_next(void *feed, const char **data); /* a db_feed */
size_t seed_feed_look(struct seed_feed *feed, const char **data); /* the file as it is; 0: its end */
void seed_feed_close(struct seed_feed *feed);

/* The line on which the n-th row of a file begins (from 1; a header is no row), or 0. */
unsigned long seed_line_of_row(const struct seed_file *file, unsigned long row);

/* Says a complaint about a line of a file (0: about the file); returns MIG_DATA. */
int seed_refuse(const struct seed_file *file, unsigned long line, const char *format, ...) MIG_PRINTF(3, 4);

#endif
