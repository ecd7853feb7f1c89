/* The locks that a session has, or waits for, on relations. */
#ifndef MIG_REHEARSE_HELD_H
#define MIG_REHEARSE_HELD_H

#include <stdbool.h>
#include <stddef.h>

#include "postgres/connection.h"
#include "records/words.h"

struct held_lock {
	long long relation;
	enum lock_mode mode;
};

struct held {
	struct held_lock *list;    /* by relation, mode */
	size_t count, cap;
};

/* Adds what it does not have yet of those of the process, asked from another session.  *waits (may be NULL): it waits for a lock of whatever kind. */
enum db_outcome held_add(struct db *db, int pid, struct held *held, bool *waits);

/* Those on a relation, weakest first: *count of them. */
const struct held_lock *held_of(const struct held *held, long long relation, size_t *count);
bool held_has(const struct held *held, long long relation, enum lock_mode mode);
enum lock_mode held_strongest(const struct held *held, long long relation);   /* LOCK_NULL: none */
void held_copy(struct held *to, const struct held *from);                      /* overwrites */
void held_free(struct held *held);

#endif
