/*
 * Shared by the files that place errors (seed/error_row.h) and the one that finds them before (seed/preflight.h); nobody else includes it.
 */
#ifndef MIG_SEED_ERROR_ROW_INTERNAL_H
#define MIG_SEED_ERROR_ROW_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "postgres/connection.h"
#include "seed/error_row.h"
#include "seed/table.h"
#include "seed/upsert.h"

/* --- looking for the row --- */

/* What is tried with some rows of a table: to write them, or to make columns of their JSON. */
struct trial {
	struct db *db;
	const struct db_error *e;
	const struct seed_table *table;
	const struct upsert_table **unit; /* the statement is for these; NULL: JSON */
	size_t count;
	size_t rows;
};

/* --- error_row.c --- */

extern const char error_row_rolled_back[];
const struct upsert_column *error_row_column_named(const struct seed_table *t, const char *name, size_t len);
/*
 * The error with its place.  The server's detail is left out where it has a row, or values that we show
 * ourselves: what is not to be shown may be among them.
 */
int error_row_say(const struct db_error *e, const struct seed_table *t, unsigned long line, const char *column,
    const char *values,
    const char *other);
/* One answer of at least one row, or NULL. */
struct answer *error_row_ask_by(enum db_outcome (*query)(struct db *, struct answer **, const char *, int, const char *const *), struct db *db,
    struct bytes *sql);
struct answer *error_row_ask(struct db *db, struct bytes *sql);

/* --- error_trial.c --- */

/* Whether a statement fails as the whole did; whatever it does is undone. */
bool error_row_fails(const struct trial *trial, const char *sql);
/* ctid of the first row that fails by itself, by halves; or NULL. */
struct answer *error_row_find_row(const struct trial *trial);

/* --- error_constraint.c --- */

struct answer *error_row_constraint_columns(struct db *db, const struct seed_table *t, const char *constraint);
bool error_row_in_file(const struct seed_table *t, const struct answer *columns);
const char **error_row_names_of(const struct answer *columns);
/*
 * The first staged row that is to be written and points at nothing, neither in the parent nor in what is to be put there;
 * where --prune leaves of the parent only what is staged, that alone counts.
 */
struct answer *error_row_find_orphan(struct db *db, const struct seed_tables *tables, const struct seed_table *t,
    const struct answer *columns);
/* The row that has what another row has: of the file, or of the table. */
struct answer *error_row_find_twin(struct db *db, const struct seed_table *t, const struct answer *columns, struct bytes *other);
struct answer *error_row_values(struct db *db, const struct seed_table *t, const char *ctid, const char *const *names, size_t count);

#endif
