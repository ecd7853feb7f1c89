/*
 * Secret values: a column that seed.conf names in `secret` has env:NAME or file:PATH in its file, and the table gets what
 * is there.  Each value is in guarded memory, goes to the server by COPY, whose data no server logs, and is shown to nobody.
 */
#ifndef MIG_SEED_SECRETS_H
#define MIG_SEED_SECRETS_H

#include <stddef.h>

#include "base/bytes.h"
#include "postgres/connection.h"
#include "secret/secret.h"
#include "seed/file.h"

struct seed_secret {
	char *source;              /* "env:ADMIN_HASH" */
	struct secret *value;      /* plain, and as COPY has it */
};

struct seed_secrets {
	struct seed_secret *items;
	size_t count, cap;
};

/*
 * Reads what a file has in its secret columns.  Returns 0, or an exit code with the error reported: a cell is neither env:NAME nor
 * file:PATH, or there is no such variable or file.
 */
int secrets_collect(struct seed_secrets *secrets, const struct seed_file *file);
/* The same for one cell. */
int secrets_take(struct seed_secrets *secrets, const struct seed_file *file, unsigned long line, const char *column, const char *source);
void secrets_free(struct seed_secrets *secrets);

/* Appends text in COPY's form. */
void secrets_add_copy(struct bytes *out, const char *text);

/* The value of a source, or NULL. */
struct secret *secrets_find(const struct seed_secrets *secrets, const char *source);

/* Replaces each text of an error that contains a value. */
void secrets_hide(const struct seed_secrets *secrets, struct db_error *e);

#endif
