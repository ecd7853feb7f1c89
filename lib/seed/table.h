/*
 * The tables that data files are for, as the database has them: columns, keys, and which table points at which.
 */
#ifndef MIG_SEED_TABLE_H
#define MIG_SEED_TABLE_H

#include <stdbool.h>

#include "postgres/connection.h"
#include "seed/file.h"
#include "seed/upsert.h"

struct seed_table {
	struct seed_file *file;
	struct upsert_table sql;
	const char *oid;
	const char *key_name;      /* of the index behind the key */
	size_t unit;               /* tables of one unit point at each other, in a circle */
	long long read, inserted, updated, unchanged, deleted,
	    only; /* only: rows of the table that the file has not */
	long long took_ms;
};

struct seed_tables {
	struct seed_table *tables; /* what others point at comes first */
	size_t count;
	struct answer *answers[4]; /* own the texts */
};

/*
 * Looks up the tables of all data files.  *code is an exit code, said, where one of them cannot be had as the
 * file wants it.
 */
enum db_outcome seed_tables_find(struct db *db, struct seed_file *files, size_t count,
    struct seed_tables *tables,
    int *code);
void seed_tables_free(struct seed_tables *tables);

/* The same for tables without a file: all their columns are wanted.  `file` has name and settings. */
enum db_outcome seed_tables_export(struct db *db, struct seed_file *files, size_t count,
    struct seed_tables *tables,
    int *code);

/*
 * Which columns the lines of a JSON file have: from the answer to upsert_json_keys().  0, or an exit code,
 * said.
 */
int seed_table_keys(struct db *db, struct seed_table *table, const struct answer *keys);

/* The place of a staged row: "FILE:LINE: " is said by seed_refuse(); 0 where it cannot be told. */
unsigned long seed_table_line(struct db *db, const struct seed_table *table, const char *ctid, bool json);

#endif
