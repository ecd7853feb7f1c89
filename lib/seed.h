/*
 * Reference data: SQL files, put in as they are, all in one transaction.
 */
#ifndef MIG_SEED_H
#define MIG_SEED_H

#include <stddef.h>

#include "bytes.h"
#include "database.h"
#include "model.h"

struct seed_file {
	const char *path;       /* as given; "-" is standard input */
	struct bytes text;
	long long took_ms;
};

/* Reads a file and checks that it can run inside one transaction.  Returns 0, or MIG_DATA, MIG_DENIED, said. */
int seed_read(struct seed_file *file, const char *path);

/*
 * Runs all files in one transaction.  Where a table is busy (55P03, 40P01) all is rolled back and tried again until
 * wait_ms are over.  Returns 0, or an exit code, said; then nothing of it is in the database.
 */
int seed_run(struct db *db, struct seed_file *files, size_t count, long long max_stall_ms,
    long long wait_ms);

#endif
