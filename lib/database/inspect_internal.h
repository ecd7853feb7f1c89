/*
 * Shared by the files that inspect a database (database/inspect.h); private to them.
 */
#ifndef MIG_DATABASE_INSPECT_INTERNAL_H
#define MIG_DATABASE_INSPECT_INTERNAL_H

#include <stdbool.h>

#include "database/inspect.h"
#include "postgres/connection.h"
#include "secret/conninfo.h"

/*
 * inspect_take() for the usual case: returns true with its code.  Returns false with nothing said where more has to be asked;
 * inspection->locked then says whether the lock was taken all the same.
 */
bool inspect_quickly(struct db *db, const struct conninfo *target, bool lock, struct inspection *inspection, int *code);

/* What libpq knows of the connection. */
void inspect_connection(struct db *db, struct inspection *inspection);

/* The rows from their answer, sorted.  Returns 0, or MIG_DATA, said. */
int inspect_rows(struct inspection *inspection);

#endif
