/*
 * Builds the SQL that stages, compares, writes and exports the table of a seed file.
 *
 * A file is staged in a temporary table, pg_temp.mig_seed_N.  It has those columns of the table that are in the
 * file, with the same types, and its physical order is that of the file.  `s` is a staged row, `t` the row of the
 * table with the same key.
 *
 * If the type's own equality would miss a difference (1.0 and 1.00, citext, an interval of 30 days), the stored
 * bytes are compared (record_image_ne(), the operator *<> of records).
 *
 * Pure: no file, no socket, no clock.  Every name is quoted with bytes_sql_name().
 */
#ifndef MIG_SEED_UPSERT_H
#define MIG_SEED_UPSERT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

/* A table on the way of a reference: the first one is referenced by the seed table, each other one by its parent. */
struct upsert_node {
	size_t parent;
	const char *oid, *schema, *table;
	const struct upsert_table *staged; /* a file of this run is for it; NULL: none is */
	bool whole;            /* that file is staged before */
	size_t count;          /* pairs of columns: `from` of the table before it are equal to `to` */
	const char **from, **to;
};

/* A column "role.slug" of a file. */
struct upsert_part {
	const char *header;
	size_t node;           /* the table that has the column */
	const char *column;
	bool hidden;           /* users are not shown its values */
};

/* All columns of a file that begin with the same name, as "team.name" and "team.org.slug": together they name one row. */
struct upsert_reference {
	char *name;            /* "team" */
	struct upsert_node *nodes;
	size_t node_count;
	struct upsert_part *parts;
	size_t part_count;
};

struct upsert_column {
	const char *name;
	bool in_file;          /* at least one row has it */
	bool sometimes;        /* some rows lack it: a row of NDJSON may omit it */
	bool key;
	bool insert_only;      /* never overwritten */
	bool hidden;           /* users are not shown its values */
	bool exact;            /* the = of its type finds every difference */
	bool bare;             /* a number or a boolean: shown without quotes */
	bool large_number;     /* a number that JSON readers may round */
	bool collatable;
	bool left_out;         /* of an export, since it is hidden and nobody named it */
	bool always;           /* GENERATED ALWAYS AS IDENTITY: given values need OVERRIDING SYSTEM VALUE */
	bool boolean, json, json_list, text, uuid; /* its type; text: any of letters */
	bool required;         /* NOT NULL */
	const char *equals;    /* for a key: the operator of its index, OPERATOR(schema.=) */
	const char *absent;    /* expression of its default, cast to its type; "NULL" if there is none */
	const char *made;      /* "cuid()": mig-seed makes the values that the file lacks; or NULL */
	size_t secret;         /* the file has env:NAME or file:PATH for its values, kept in "source of column N"; 0: it has not */
	bool drawn;            /* made by the database's default, before the row is written: others reference it */
	const struct upsert_reference *reference; /* this names the row that the column references; or NULL */
	size_t reference_column;                  /* which column of the referenced key it has */
	bool given;            /* a made column that some rows of the file have */
	bool filled;           /* new rows get `absent`, though it is not the database's default */
	bool touched;          /* rows that change otherwise get `absent`, too */
	const char *sequence;  /* the sequence behind a numeric default; quoted and qualified; or NULL */
};

struct upsert_table {
	size_t number;         /* N of mig_seed_N, from 1 */
	const char *schema, *table;
	struct upsert_column *columns;
	size_t count;
	bool json;             /* staged from JSON: has an extra column with the row's keys */
	bool derived;          /* the file goes to mig_seed_N_raw, and from there, with what is made, to mig_seed_N */
	struct upsert_reference *references;
	size_t reference_count;
	bool stream;           /* its deletes are listed (mig_seed_N_gone), not derived from the file */
	/* Set by upsert_count(): */
	bool empty;            /* the table has no rows */
	bool inserts, updates, deletes;
};

/* A range of staged rows (ctid as text), for locating a rejected row; NULL: all. */
struct upsert_slice {
	const struct upsert_table *table;
	const char *from, *to;
};

/* "schema"."table" */
void upsert_name(struct bytes *out, const struct upsert_table *t);

/* CREATE TEMPORARY TABLE ...; one or more statements. */
void upsert_stage(struct bytes *out, const struct upsert_table *t);

/*
 * COPY ... FROM STDIN of made values: the number of a row (from 1, in the order of the file), then each made column.
 * upsert_derive() joins them with the rows; upsert_raw_count() returns how many rows there are.
 */
void upsert_copy_made(struct bytes *out, const struct upsert_table *t);
void upsert_raw_count(struct bytes *out, const struct upsert_table *t);
void upsert_derive(struct bytes *out, const struct upsert_table *t);
/*
 * COPY ... FROM STDIN of a source, such as env:NAME, and its value, for a column that is secret; and the sources that the
 * file has there, with the number of the first row of each.  The values are in mig_seed_N_secret_M.
 */
void upsert_copy_secret(struct bytes *out, const struct upsert_table *t, const struct upsert_column *c);
void upsert_secret_sources(struct bytes *out, const struct upsert_table *t, const struct upsert_column *c);
/* The first staged row that has such a source as the value itself: its ctid, and the source. */
void upsert_source_of_none(struct bytes *out, const struct upsert_table *t, const struct upsert_column *c);
/*
 * Draws values of defaults for rows that are new.  `predict`: sequences are not moved; the values are those that they would
 * return next.
 */
void upsert_draw(struct bytes *out, const struct upsert_table *t, bool predict);

/*
 * Returns the ctid of the first row whose reference names no row, or several, how many, and its natural key as text; or
 * no row.
 */
void upsert_unresolved(struct bytes *out, const struct upsert_table *t, const struct upsert_reference *r);
/* Returns "id=7" of each row that has the natural key of a staged one. */
void upsert_candidates(struct bytes *out, const struct upsert_table *t, const struct upsert_reference *r, const char *ctid);
/* A subquery: the natural keys that there are ("p 0", ...), each with the number of its rows (found). */
void upsert_add_lookup(struct bytes *out, const struct upsert_reference *r);

/* COPY ... FROM STDIN: CSV with a delimiter and the columns of its header; or lines of JSON (header NULL). */
void upsert_copy(struct bytes *out, const struct upsert_table *t, char *const *header, size_t count,
    char delimiter);
void upsert_copy_gone(struct bytes *out, const struct upsert_table *t);

/* Fills the columns from the copied JSON lines. */
void upsert_fill(struct bytes *out, const struct upsert_table *t);
/* The same without storing the result, for a range of ctids, and for one column (NULL: all). */
void upsert_try_fill(struct bytes *out, const struct upsert_table *t, const char *from, const char *to,
    const char *column);
void upsert_fill_gone(struct bytes *out, const struct upsert_table *t);
/*
 * Returns one row per key in the lines: the key, the number of lines with it, and the number of lines.  Sorted by
 * key.
 */
void upsert_json_keys(struct bytes *out, const struct upsert_table *t);
/*
 * Returns the ctid of the first line with a key or, if key is NULL, of the first with a duplicate key; or no row.
 */
void upsert_json_line(struct bytes *out, const struct upsert_table *t, const char *key);

/*
 * Returns one row of counts: staged rows; of these new, different, unchanged, without a key; rows of the table;
 * rows to delete if requested: for a stream those that it lists, else NULL, meaning all that are not staged.
 */
enum { UPSERT_READ, UPSERT_NEW, UPSERT_DIFFERENT, UPSERT_UNCHANGED, UPSERT_KEYLESS, UPSERT_TOTAL, UPSERT_GONE };
void upsert_count(struct bytes *out, const struct upsert_table *t);

/*
 * The same for rows in parameter $1, a list of JSON objects, instead of a staged table: the number given; the rows
 * of the table that equal them; the rows of the table.  Writes nothing, not even to the catalog.
 */
enum { UPSERT_GIVEN, UPSERT_SAME, UPSERT_ROWS };
void upsert_same(struct bytes *out, const struct upsert_table *t);

/* FROM and WHERE for the staged rows that are new or differ from their row in the table. */
void upsert_written(struct bytes *out, const struct upsert_table *t);

/*
 * Returns the ctid of the first row that would put NULL into a NOT NULL column, and the column's name; or no row.
 * Returns false if there is no such column.
 */
bool upsert_null(struct bytes *out, const struct upsert_table *t);

/* Returns the ctid of the first row with NULL in its key; or no row. */
void upsert_keyless(struct bytes *out, const struct upsert_table *t);

/*
 * Returns the ctid of the second of two rows with equal values in some columns, and the ctid of the first; or no
 * row.
 */
void upsert_duplicate(struct bytes *out, const struct upsert_table *t, const char *const *columns,
    size_t count);
/*
 * Returns the ctid of the first row with the values of another row of the table (with another key), and that key;
 * or no row.
 */
void upsert_conflict(struct bytes *out, const struct upsert_table *t, const char *const *columns, const char *const *equals,
    size_t count);

/*
 * Returns one row per change, in the order of the file: kind, key and values for users, then key, old and new as
 * JSON or NULL.
 */
enum { UPSERT_CHANGE, UPSERT_SHOWN_KEY, UPSERT_SHOWN, UPSERT_KEY, UPSERT_OLD, UPSERT_NEW_VALUES };
void upsert_changes(struct bytes *out, const struct upsert_table *t);
void upsert_deletes(struct bytes *out, const struct upsert_table *t);

/*
 * One statement that makes all changes to some tables: deletes first, in reverse order, then updates and inserts
 * for each table.  PostgreSQL checks foreign keys at the end of a statement, so tables that reference each other
 * belong in one.  Returns one row: inserted, updated, deleted of the first table, of the second, ...
 */
void upsert_write(struct bytes *out, const struct upsert_table *const tables[], size_t count,
    const struct upsert_slice *slice);

/* Moves the sequences behind the columns past the inserted values; appends nothing if there are none. */
void upsert_sequences(struct bytes *out, const struct upsert_table *t);

/* Returns the columns of a staged row as text for an error: "a=1, b='x'".  Omits the values of hidden columns. */
void upsert_row_text(struct bytes *out, const struct upsert_table *t, const char *const *columns, size_t count,
    const char *ctid);

/*
 * COPY ... TO STDOUT of the columns that are in the file, in the order of the key: CSV with a delimiter; 0: a query of JSON
 * lines.  where: a condition; or NULL.
 */
void upsert_export(struct bytes *out, const struct upsert_table *t, const char *where, char delimiter);

#endif
