/*
 * A table that is to be as a file says: the SQL that stages, compares, writes and exports it.
 *
 * A file is staged in a temporary table, pg_temp.mig_seed_N, whose columns are those of the table that the
 * file has, of the same types; its physical order is that of the file.  `s` is a staged row, `t` the row of
 * the table with its key.
 *
 * What is "the same" is decided by the bytes that PostgreSQL stores (record_image_ne(), the operator *<> of
 * records), where the type's own equality would let a difference pass: 1.0 and 1.00, citext, an interval of
 * 30 days.
 *
 * Pure: no file, no socket, no clock.  All names are quoted, here and by bytes_sql_name() alone.
 */
#ifndef MIG_SEED_UPSERT_H
#define MIG_SEED_UPSERT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

struct upsert_column {
	const char *name;
	bool in_file;          /* at least one row has it */
	bool sometimes;        /* not every row has it: a row of NDJSON may leave it out */
	bool key;
	bool insert_only;      /* never overwritten */
	bool hidden;           /* its values are not shown to people */
	bool exact;            /* its type's = finds every difference */
	bool bare;             /* a number or a boolean: shown without quotes */
	bool large_number;     /* a number that JSON readers may round */
	bool collatable;
	bool always;           /* GENERATED ALWAYS AS IDENTITY: given values need OVERRIDING SYSTEM VALUE */
	bool boolean, json;    /* its type */
	bool required;         /* NOT NULL */
	const char *equals;    /* of a key: the operator of its index, OPERATOR(schema.=) */
	const char *absent;    /* the expression of its default, of its type; "NULL" where it has none */
	const char *sequence;  /* of a number, behind its default; quoted and qualified; or NULL */
};

struct upsert_table {
	size_t number;         /* N of mig_seed_N, from 1 */
	const char *schema, *table;
	struct upsert_column *columns;
	size_t count;
	bool json;             /* staged from JSON: has the row's keys beside its columns */
	bool stream;           /* its deletes are named (mig_seed_N_gone), not what the file lacks */
	/* how much there is to do, once upsert_count() was asked */
	bool empty;            /* the table has no row */
	bool inserts, updates, deletes;
};

/* Rows of a staged table from one to another (ctid as text), for finding the row that is refused; NULL: all. */
struct upsert_slice {
	const struct upsert_table *table;
	const char *from, *to;
};

/* "schema"."table" */
void upsert_name(struct bytes *out, const struct upsert_table *t);

/* CREATE TEMPORARY TABLE ...; one or more statements. */
void upsert_stage(struct bytes *out, const struct upsert_table *t);

/* COPY ... FROM STDIN: CSV with a delimiter and the columns of its header; or lines of JSON (header NULL). */
void upsert_copy(struct bytes *out, const struct upsert_table *t, char *const *header, size_t count,
    char delimiter);
void upsert_copy_gone(struct bytes *out, const struct upsert_table *t);

/* JSON to columns: from the lines that were copied. */
void upsert_fill(struct bytes *out, const struct upsert_table *t);
/* Only tries, for lines from one ctid to another, and for one column (NULL: all). */
void upsert_try_fill(struct bytes *out, const struct upsert_table *t, const char *from, const char *to,
    const char *column);
void upsert_fill_gone(struct bytes *out, const struct upsert_table *t);
/*
 * One row for each key that the lines have: key, in how many lines; and how many lines there are.  Keys come
 * in the order of names.
 */
void upsert_json_keys(struct bytes *out, const struct upsert_table *t);
/* ctid of the first line with a key, or of the first with a key twice (key NULL), or nothing. */
void upsert_json_line(struct bytes *out, const struct upsert_table *t, const char *key);

/*
 * One row: staged; of these new, different, the same, without a key; rows of the table; rows to be deleted if that is
 * wanted: of a stream those that it names, else NULL, and they are all that are not staged.
 */
enum { UPSERT_READ, UPSERT_NEW, UPSERT_DIFFERENT, UPSERT_UNCHANGED, UPSERT_KEYLESS, UPSERT_TOTAL, UPSERT_GONE };
void upsert_count(struct bytes *out, const struct upsert_table *t);

/*
 * The same question for rows that are no table but the parameter $1, a list of JSON objects: how many there
 * are; how many rows of the table are as they say; how many rows the table has.  Writes nothing at all, not
 * even a catalog.
 */
enum { UPSERT_GIVEN, UPSERT_SAME, UPSERT_ROWS };
void upsert_same(struct bytes *out, const struct upsert_table *t);

/* FROM and WHERE of the staged rows that are new, or differ from theirs in the table. */
void upsert_written(struct bytes *out, const struct upsert_table *t);

/*
 * ctid of the first row that would put NULL into a column that is NOT NULL, and the name of that; or nothing.  False where
 * there is no such column.
 */
bool upsert_null(struct bytes *out, const struct upsert_table *t);

/* ctid of the first row with NULL in its key; or nothing. */
void upsert_keyless(struct bytes *out, const struct upsert_table *t);

/*
 * ctid of the second of the rows that have the same values in some columns, and that of the first; or
 * nothing.
 */
void upsert_duplicate(struct bytes *out, const struct upsert_table *t, const char *const *columns,
    size_t count);
/*
 * ctid of the first row with the values of another row of the table (which has another key), and that key; or
 * nothing.
 */
void upsert_conflict(struct bytes *out, const struct upsert_table *t, const char *const *columns, const char *const *equals,
    size_t count);

/*
 * A row for each change, in the order of the file: what, key and values for people, then key, old and new as
 * JSON or NULL.
 */
enum { UPSERT_CHANGE, UPSERT_SHOWN_KEY, UPSERT_SHOWN, UPSERT_KEY, UPSERT_OLD, UPSERT_NEW_VALUES };
void upsert_changes(struct bytes *out, const struct upsert_table *t);
void upsert_deletes(struct bytes *out, const struct upsert_table *t);

/*
 * One statement that does all that is to be done to some tables, deletes first, in reverse order, then for
 * each table updates and inserts.  PostgreSQL looks at foreign keys when a statement ends: tables that point
 * at each other belong into one.  One row: inserted, updated, deleted of the first table, of the second, ...
 */
void upsert_write(struct bytes *out, const struct upsert_table *const tables[], size_t count,
    const struct upsert_slice *slice);

/* Moves the sequences behind the columns past what was inserted; nothing where there is none. */
void upsert_sequences(struct bytes *out, const struct upsert_table *t);

/* The text of a staged row's columns, for an error: "a=1, b='x'".  Hidden ones are not shown. */
void upsert_row_text(struct bytes *out, const struct upsert_table *t, const char *const *columns, size_t count,
    const char *ctid);

/* COPY ... TO STDOUT in the order of the key: CSV with a delimiter; 0: a query of JSON lines. */
void upsert_export(struct bytes *out, const struct upsert_table *t, char delimiter);

#endif
