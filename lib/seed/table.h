/*
 * The tables of the data files, as they are in the database: columns, keys, and references between tables.
 */
#ifndef MIG_SEED_TABLE_H
#define MIG_SEED_TABLE_H

#include <stdbool.h>

#include "datamodel/client.h"
#include "postgres/connection.h"
#include "seed/file.h"
#include "seed/upsert.h"

struct seed_table {
	struct seed_file *file;
	struct upsert_table sql;
	const char *oid;
	const char *key_name;      /* of the index behind the key */
	bool triggers;             /* the users' own, also of partitions */
	size_t unit;               /* tables of one unit reference each other in a cycle */
	long long read, inserted, updated, unchanged, deleted,
	    only; /* only: rows that are in the table but not in the file */
	struct seed_made *made;    /* the columns whose values mig-seed makes, in the table's order */
	size_t made_count;
	char *secret_names;        /* of its secret columns, as a JSON list; NULL: it has none */
	long long took_ms;
};

struct seed_made {
	enum client_function function;
	int length;
	char *text;                /* "cuid()" */
};

struct seed_tables {
	struct seed_table *tables; /* referenced tables come first */
	size_t count;
	struct answer *answers[6]; /* own the texts */
};

/*
 * Reads the tables of all data files from the catalog.  `client` may be NULL.  *code is an exit code, with the error
 * reported, if one of them does not match its file.
 */
enum db_outcome seed_tables_find(struct db *db, struct seed_file *files, size_t count,
    const struct client_model *client, struct seed_tables *tables, int *code);
void seed_tables_free(struct seed_tables *tables);

/* Has all values of sequences drawn before rows are written, so that a dry run can predict them. */
void seed_tables_draw(struct seed_tables *tables);

/*
 * The same for tables whose files are yet to be written, with the columns to write.  `file` has name and settings, and the
 * columns that are named as its header.  natural: where none are, natural keys in place of ids.
 */
enum db_outcome seed_tables_export(struct db *db, struct seed_file *files, size_t count,
    const struct client_model *client, bool with_hidden, bool natural, struct seed_tables *tables, int *code);

/*
 * Sets the columns that the lines of a JSON file have, from the answer to upsert_json_keys().  Returns 0, or an
 * exit code with the error reported.
 */
int seed_table_keys(struct db *db, struct seed_table *table, const struct answer *keys);

/* The line of a staged row in its file, for seed_refuse(); 0 if unknown. */
unsigned long seed_table_line(struct db *db, const struct seed_table *table, const char *ctid, bool json);

#endif
