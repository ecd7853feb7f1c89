/*
 * A seed file: its name, its table, and its settings.
 *
 * A data file is CSV, TSV or NDJSON and is named [SCHEMA.]TABLE.csv.  The names are written without quotes and are
 * case-sensitive.  The server interprets the values; this code only finds line ends, header names, and the members
 * of objects in a `rows` stream.
 */
#ifndef MIG_SEED_FILE_H
#define MIG_SEED_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "datamodel/client.h"

enum seed_kind {
	SEED_SQL,
	SEED_CSV,
	SEED_TSV,    /* CSV with tabs instead of commas */
	SEED_NDJSON, /* one object per line */
	SEED_ROWS    /* `row` records of one table, from a stream on standard input */
};

struct seed_names {
	char **names;
	size_t count;
};
bool seed_names_have(const struct seed_names *names, const char *name);
void seed_names_add(struct seed_names *names, char *name); /* takes ownership of name */
void seed_names_free(struct seed_names *names);

struct seed_default {
	char *column;
	enum client_function function;
	int length;
};

/* Settings from seed.conf or the command line. */
struct seed_settings {
	struct seed_names key;         /* columns that identify a row; none: the primary key */
	struct seed_names insert_only; /* columns that are never overwritten */
	struct seed_names hide;        /* columns whose values are not shown */
	struct seed_names secret;      /* columns whose values in the file are env:NAME or file:PATH */
	struct seed_default *defaults; /* default.COLUMN = FUNCTION: what new rows get */
	size_t default_count;
	struct seed_names updated_at;  /* columns that are set to now() in new rows, and in rows that change */
	struct seed_names columns;     /* of an export: those it writes, or, with a - before each, does not; none: all */
	char *where;                   /* of an export: a condition in SQL; NULL: all rows */
	bool kept;                     /* prune = no: --prune deletes nothing from this table */
};

/* A row of a file that has an overlay: on which line of either it begins; 0: it is not there. */
struct seed_origin {
	unsigned long base, overlay;
};

struct seed_file {
	enum seed_kind kind;
	char *path;
	const char *name;          /* for pages and records: as given, relative to a folder that was given */
	bool array;                /* for NDJSON: the file is an array of objects */
	char delimiter;            /* of a header, if it is not that of the kind; else 0 */
	bool standard;             /* standard input, stored so that it can be read more than once */
	char *schema;              /* NULL: resolved by the search path */
	char *table;               /* NULL: SQL */
	struct bytes text;         /* for SQL */
	struct seed_names header;  /* for CSV and TSV: the columns, in the order of the file */
	struct seed_names members; /* for NDJSON and ROWS: the names in its objects, as they come first */
	size_t *member_rows;       /* how many objects have each */
	size_t rows;               /* how many objects there are */
	bool gone;                 /* for ROWS: there are rows to delete */
	struct seed_settings settings;
	/*
	 * A table that has a file in the base and one in the environment: its rows are those of both, merged by key into
	 * `merged` (NDJSON, seed/overlay.h), and this struct is of no file.
	 */
	struct seed_file *base, *overlay;
	char *title;               /* its name */
	struct bytes merged;
	struct seed_origin *origins; /* of its lines */
	size_t origin_count;
	struct bytes overridden;   /* for pages: a line for each row that the overlay changes or adds */
	long long took_ms;
};
void seed_file_free(struct seed_file *file);

/*
 * What a name's ending says, capitals or not: .sql, .csv, .tsv, .ndjson, .jsonl, .json.  *stem: how many bytes are before it.
 * Returns false for another name.
 */
bool seed_file_kind(const char *name, enum seed_kind *kind, size_t *stem);

bool seed_is_csv(const struct seed_file *file);     /* with commas or tabs */
char seed_delimiter(const struct seed_file *file);  /* the comma or tab */
unsigned long seed_header_line(const struct seed_file *file); /* where its columns are named; 0: nowhere, or in an option */

/* Splits "schema.Table"; *schema is NULL if there is none.  The caller frees both. */
void seed_table_name(const char *text, size_t len, char **schema, char **table);

/*
 * The same for --key and seed.conf, where a part may be in double quotes, with "" for a quote.  The second
 * function returns the colon after the table in "table:columns", outside quotes; or NULL.
 */
void seed_table_read(const char *text, size_t len, char **schema, char **table);
const char *seed_table_colon(const char *text);

/* Write what seed_table_read() and a list of columns accept, quoted if necessary.  schema may be NULL. */
void seed_table_write(struct bytes *out, const char *schema, const char *table);
void seed_column_write(struct bytes *out, const char *column);

/* Whether both are NULL, or the same text. */
bool seed_same_name(const char *a, const char *b);

#define SEED_BOM "\xEF\xBB\xBF" /* a byte order mark, which spreadsheets write */

/*
 * Checks that a part of a file, starting at line `line`, is UTF-8 without NUL bytes.  Returns 0, or MIG_DATA with
 * the error and its line reported.
 */
int seed_check_text(const struct seed_file *file, const char *text, size_t len, unsigned long line);

/* Reports that a file cannot be read, for an errno; returns the exit code. */
int seed_cannot_read(const char *path, int error);

/* Appends "FILE:LINE" (0: "FILE"); of merged rows, the file and line that the row is from. */
void seed_place(struct bytes *out, const struct seed_file *file, unsigned long line);
/* After a message with that place: reports the other line that a merged row is from. */
void seed_say_other_place(const struct seed_file *file, unsigned long line);

/* Reports an error in a line of a file (0: in the file); returns MIG_DATA. */
int seed_refuse(const struct seed_file *file, unsigned long line, const char *format, ...) MIG_PRINTF(3, 4);

#endif
