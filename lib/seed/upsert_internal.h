/*
 * Shared by the files that write the SQL of a seeded table (seed/upsert.h); nobody else includes it.
 */
#ifndef MIG_SEED_UPSERT_INTERNAL_H
#define MIG_SEED_UPSERT_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "seed/upsert.h"

/* Every operator is qualified: these statements are parsed with the search path of the session. */
#define IS    " OPERATOR(pg_catalog.=) "
#define LEAST " OPERATOR(pg_catalog.>=) "
#define MOST  " OPERATOR(pg_catalog.<=) "
#define OVER  " OPERATOR(pg_catalog.>) "
#define CAT   " OPERATOR(pg_catalog.||) "
#define KEYS_COLUMN "keys of the row" /* beside the columns of a table that is staged from JSON */

enum part { PART_KEY, PART_OLD, PART_NEW, PART_SHOWN_KEY, PART_SHOWN };

/* --- upsert.c --- */

void upsert_add_column(struct bytes *out, const char *row, const char *name);
void upsert_add_staged(struct bytes *out, const struct upsert_table *t);
/* What goes between the parts of a list: nothing before the first. */
void upsert_add_between(struct bytes *out, bool *begun, const char *between);
bool upsert_is_staged(const struct upsert_table *t, const struct upsert_column *c);
/* row.a, row.b: the columns that are staged, in the table's order; row NULL: bare names. */
void upsert_add_staged_columns(struct bytes *out, const struct upsert_table *t, const char *row);
/* t.k = s.k AND ... */
void upsert_add_match(struct bytes *out, const struct upsert_table *t, const char *one, const char *other);
/* The columns of the key, with something behind each. */
void upsert_add_key(struct bytes *out, const struct upsert_table *t, const char *row, const char *behind,
    const char *between);
/* Whether the row has a column that not every row has. */
void upsert_add_present(struct bytes *out, const struct upsert_column *c);
bool upsert_is_compared(const struct upsert_column *c);
void upsert_add_column_differs(struct bytes *out, const struct upsert_column *c);
/* Whether s and t differ in what the file may overwrite. */
void upsert_add_differs(struct bytes *out, const struct upsert_table *t);
/* Whether a row of the table is to go: not in the file, or named by the stream. */
void upsert_add_gone(struct bytes *out, const struct upsert_table *t);
void upsert_add_slice(struct bytes *out, const struct upsert_table *t, const struct upsert_slice *slice);
void upsert_add_join(struct bytes *out, const struct upsert_table *t, const char *kind);
void upsert_add_key_order(struct bytes *out, const struct upsert_table *t);

/* --- upsert_changes.c --- */

/*
 * A value as JSON on one line.  A number that readers keep as a double would come back as another one: it is
 * written as a text.
 */
void upsert_add_json(struct bytes *out, const char *row, const struct upsert_column *c, bool exact);
/* The member's name, as JSON, and a colon: a literal. */
void upsert_add_json_name(struct bytes *out, const char *name);
void upsert_add_part_of_column(struct bytes *out, const struct upsert_column *c, const char *row, enum part part);

#endif
