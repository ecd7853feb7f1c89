/*
 * Locates an error of the server in the seed data: file, line, column, value.
 *
 * The transaction has failed at that point.  These functions query after a ROLLBACK TO the savepoint before the
 * failed statement, so that the staged rows still exist.  Each reports the error, and returns an exit code unless
 * it gets one.  If the row cannot be found, the message has what is known.  `e` is the error, taken from db
 * because more queries follow.
 */
#ifndef MIG_SEED_ERROR_ROW_H
#define MIG_SEED_ERROR_ROW_H

#include "postgres/connection.h"
#include "seed/file.h"
#include "seed/table.h"

#define SEED_SAVEPOINT "mig_seed"

/* A statement of an SQL file, after `done` statements that succeeded. */
void error_row_sql(const struct db_error *e, const struct seed_file *file, size_t done, int code);

/* COPY of a file.  Needs no savepoint: the server names the line. */
int error_row_copy(const struct db_error *e, const struct seed_table *table);

/* JSON that does not fit a column. */
int error_row_fill(struct db *db, const struct db_error *e, const struct seed_table *table);

/*
 * The statement for tables[first ... first + count), after all earlier tables were written.  Also for deferred
 * constraints: count is 0 if all statements succeeded.
 */
int error_row_write(struct db *db, const struct db_error *e, const struct seed_tables *tables, size_t first,
    size_t count);

/*
 * Call it after the rollback, for a denied query.  If row level security hides rows of a table that the error
 * names, reports which roles see all rows, and how to run without them.
 */
void error_row_say_policies(struct db *db, const struct db_error *e);

#endif
