/*
 * What there is in a database, as lines of text that are equal for equal schemas: objects by their names, with all that a script can
 * change of them.  No OID, no place of a column and no row is in it, so a column that went and came back is the same.
 *
 * For comparing a scratch database with itself: definitions are the server's own texts, in its version.
 */
#ifndef MIG_REHEARSE_FINGERPRINT_H
#define MIG_REHEARSE_FINGERPRINT_H

#include <stdbool.h>

#include "base/bytes.h"
#include "postgres/connection.h"

/* The rows of its answer, by object; those behind FINGERPRINT_HOW are of tables and columns alone, else NULL. */
enum { FINGERPRINT_OBJECT, FINGERPRINT_HOW, FINGERPRINT_SCHEMA, FINGERPRINT_RELATION, FINGERPRINT_COLUMN, FINGERPRINT_ID, FINGERPRINT_NUMBER,
	FINGERPRINT_TYPE, FINGERPRINT_CONSTANT /* the default, where it is one */ };

enum db_outcome fingerprint_take(struct db *db, struct answer **fingerprint);

/*
 * Whether the second is as the first; if not, appends how it is not: "left over index a; missing column b of t; column c of t is
 * integer, was bigint".  The first few, and how many more.
 */
bool fingerprint_equal(const struct answer *was, const struct answer *is, struct bytes *out);

/*
 * The row of the same table or column, whatever its name is there; -1: it is gone.  Only for rows with FINGERPRINT_RELATION.
 */
int fingerprint_same(const struct answer *here, size_t row, const struct answer *there);

#endif
