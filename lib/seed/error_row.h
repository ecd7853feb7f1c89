/*
 * Where an error of the server comes from: file, line, column, value.
 *
 * The transaction has failed by then.  What is asked here is asked behind a ROLLBACK TO the savepoint before
 * what failed, where the staged rows are still there.  Each function says the error, and returns an exit code if none is given
 * to it; where the row cannot be found, it says what is known.  `e` is the error, taken from db since more is asked.
 */
#ifndef MIG_SEED_ERROR_ROW_H
#define MIG_SEED_ERROR_ROW_H

#include "postgres/connection.h"
#include "seed/file.h"
#include "seed/table.h"

#define SEED_SAVEPOINT "mig_seed"

/* A statement of an SQL file; `done` of them had ended well.  Says it with an exit code. */
void error_row_sql(const struct db_error *e, const struct seed_file *file, size_t done, int code);

/* COPY of a file.  There is no savepoint: the server names the line. */
int error_row_copy(const struct db_error *e, const struct seed_table *table);

/* JSON that does not fit its column. */
int error_row_fill(struct db *db, const struct db_error *e, const struct seed_table *table);

/*
 * The statement for tables[first ... first + count), after all before it.  Also deferred constraints: count
 * 0, where all statements had ended well.
 */
int error_row_write(struct db *db, const struct db_error *e, const struct seed_tables *tables, size_t first,
    size_t count);

/*
 * Behind the rollback of what the server denied: where that was because row level security hides rows of a table that
 * the error names, who sees them all, and how to go on without.
 */
void error_row_say_policies(struct db *db, const struct db_error *e);

#endif
