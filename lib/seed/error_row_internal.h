/*
 * Shared by the files that locate errors (seed/error_row.h) and the one that predicts them (seed/preflight.h);
 * private to them.
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

/* --- finding the row --- */

/* What to try with a range of rows: write them, or convert their JSON to columns. */
struct trial {
	struct db *db;
	const struct db_error *e;
	const struct seed_table *table;
	const struct upsert_table **unit; /* the statement writes these; NULL: convert JSON */
	size_t count;
	size_t rows;
};

/* --- error_row.c --- */

extern const char error_row_rolled_back[];
const struct upsert_column *error_row_column_named(const struct seed_table *t, const char *name, size_t len);
/*
 * Reports the error with its place.  Omits the server's detail if it contains a row, or values that we show
 * ourselves: it may contain values that must not be shown.
 */
int error_row_say(const struct db_error *e, const struct seed_table *t, unsigned long line, const char *column,
    const char *values,
    const char *other);
/* An answer with at least one row, or NULL; the caller frees it. */
struct answer *error_row_ask_by(enum db_outcome (*query)(struct db *, struct answer **, const char *, int, const char *const *), struct db *db,
    struct bytes *sql);
struct answer *error_row_ask(struct db *db, struct bytes *sql);

/* --- error_trial.c --- */

/* Whether a statement fails in the same way; its effects are rolled back. */
bool error_row_fails(const struct trial *trial, const char *sql);
/* Returns the ctid of the first row that fails on its own, found by bisection; or NULL. */
struct answer *error_row_find_row(const struct trial *trial);

/* --- error_constraint.c --- */

struct answer *error_row_constraint_columns(struct db *db, const struct seed_table *t, const char *constraint);
bool error_row_in_file(const struct seed_table *t, const struct answer *columns);
const char **error_row_names_of(const struct answer *columns);
/*
 * The first staged row to be written that references nothing, neither in the parent table nor in the rows to be
 * written to it.  If --prune keeps only the staged rows of the parent, only these count.  written: all of them are in their tables
 * already, so these tell it.
 */
struct answer *error_row_find_orphan(struct db *db, const struct seed_tables *tables, const struct seed_table *t,
    const struct answer *columns, bool written);
/* The row that another row, in the file or in the table, conflicts with. */
struct answer *error_row_find_twin(struct db *db, const struct seed_table *t, const struct answer *columns, struct bytes *other);
struct answer *error_row_values(struct db *db, const struct seed_table *t, const char *ctid, const char *const *names, size_t count);

#endif
