/*
 * Shared by the files that write the SQL of a seed table (seed/upsert.h); private to them.
 */
#ifndef MIG_SEED_UPSERT_INTERNAL_H
#define MIG_SEED_UPSERT_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "seed/upsert.h"

/* Operators are qualified: these statements are parsed with the session's search path. */
#define IS    " OPERATOR(pg_catalog.=) "
#define LEAST " OPERATOR(pg_catalog.>=) "
#define MOST  " OPERATOR(pg_catalog.<=) "
#define OVER  " OPERATOR(pg_catalog.>) "
#define CAT   " OPERATOR(pg_catalog.||) "
#define ROW_NUMBER  "number of the row" /* a column of mig_seed_N_made */
#define KEYS_COLUMN "keys of the row" /* an extra column of a table that is staged from JSON */

enum part { PART_KEY, PART_OLD, PART_NEW, PART_SHOWN_KEY, PART_SHOWN };

/* --- upsert.c --- */

void upsert_add_column(struct bytes *out, const char *row, const char *name);
/* The rest of a CASE: " THEN ROW.name ELSE OTHER.name END". */
void upsert_add_choice(struct bytes *out, const char *row, const char *other, const char *name);
void upsert_add_staged(struct bytes *out, const struct upsert_table *t);
/* The table that the rows of the file go to. */
void upsert_add_raw(struct bytes *out, const struct upsert_table *t);
/* Appends the separator of a list, except before the first element. */
void upsert_add_between(struct bytes *out, bool *begun, const char *between);
bool upsert_is_staged(const struct upsert_table *t, const struct upsert_column *c);
/* row.a, row.b: the columns that are staged, in the table's order; row NULL: bare names. */
void upsert_add_staged_columns(struct bytes *out, const struct upsert_table *t, const char *row);
/* t.k = s.k AND ... */
void upsert_add_match(struct bytes *out, const struct upsert_table *t, const char *one, const char *other);
/* The key columns, each followed by some text. */
void upsert_add_key(struct bytes *out, const struct upsert_table *t, const char *row, const char *behind,
    const char *between);
/* A condition: the row has the column, which not every row has. */
void upsert_add_present(struct bytes *out, const struct upsert_column *c);
bool upsert_is_compared(const struct upsert_column *c);
void upsert_add_column_differs(struct bytes *out, const struct upsert_column *c);
/* A condition: s and t differ in a column that the file may overwrite. */
void upsert_add_differs(struct bytes *out, const struct upsert_table *t);
/* A condition: a row of the table must be deleted: not in the file, or listed by the stream. */
void upsert_add_gone(struct bytes *out, const struct upsert_table *t);
void upsert_add_slice(struct bytes *out, const struct upsert_table *t, const struct upsert_slice *slice);
void upsert_add_join(struct bytes *out, const struct upsert_table *t, const char *kind);
void upsert_add_key_order(struct bytes *out, const struct upsert_table *t);

/* --- upsert_derive.c --- */

/* CREATE TEMPORARY TABLE for what goes before mig_seed_N. */
void upsert_stage_derived(struct bytes *out, const struct upsert_table *t);
/* , NULL::type AS "role.slug" ... */
void upsert_add_part_columns(struct bytes *out, const struct upsert_table *t);
/* , NULL::text AS "source of column 1" ... */
void upsert_add_source_columns(struct bytes *out, const struct upsert_table *t);
/* row."source of column N" */
void upsert_add_source(struct bytes *out, const char *row, const struct upsert_column *c);
/* A subquery: the rows of the file with what is made and, if `resolved`, with what they reference. */
void upsert_add_rows(struct bytes *out, const struct upsert_table *t, bool resolved);

/* --- upsert_lookup.c --- */

/* LEFT JOIN ... lN: the row that reference N of s names; "v 0" ... are its key, `found` is 1 if there is one row. */
void upsert_add_lookup_join(struct bytes *out, const struct upsert_table *t, size_t number);

/* --- upsert_changes.c --- */

/* A value as one line of JSON.  A number that JSON readers would round is written as a string. */
void upsert_add_json(struct bytes *out, const char *row, const struct upsert_column *c, bool exact);
/* The member's name as JSON with a colon, as an SQL literal. */
void upsert_add_json_name(struct bytes *out, const char *name);
void upsert_add_part_of_column(struct bytes *out, const struct upsert_column *c, const char *row, enum part part);

#endif
