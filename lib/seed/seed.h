/*
 * Reference data: makes tables be what files say, all in one transaction.
 *
 * First what costs time and nobody else notices: files are staged in temporary tables and compared.  Then
 * what differs is written, so that rows are locked as shortly as may be.  Where nothing differs nothing is
 * written.
 */
#ifndef MIG_SEED_SEED_H
#define MIG_SEED_SEED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "postgres/connection.h"
#include "seed/file.h"
#include "seed/inputs.h"
#include "seed/table.h"

struct seed_job {
	bool dry_run;
	bool prune;
	bool row_security;   /* rows that a policy hides from the role are left out; else they are refused */
	long long max_stall_ms, wait_ms;
	/*
	 * What differs, a row of upsert_changes() at a time: of a dry run once nothing can go wrong any more; of
	 * another run, where that is wanted (tell), before it is written, and `again` says that all this is void.
	 */
	bool tell;
	void (*change)(void *context, const struct seed_table *table, const struct answer *row);
	void (*again)(void *context);
	void *context;
};

/*
 * Does it, or only looks (dry_run: nothing is written, no row is locked, no sequence is moved).  Where a
 * table is busy (55P03, 40P01), or another session wrote the same rows meanwhile, all is rolled back and tried
 * again until wait_ms are over.  Returns 0 with what was done in *tables, or an exit code, said; then nothing
 * of it is in the database. *tables is the caller's in any case.
 */
int seed_run(struct db *db, struct seed_input *input, const struct seed_job *job, struct seed_tables *tables);

/*
 * What is to be exported: names of tables for paths, as their files would be named, with the settings of the folder's
 * seed.conf.  0, or an exit code, said.
 */
int seed_export_names(struct seed_input *input, const struct seed_request_files *files, enum seed_kind kind, const char *folder);

/*
 * Writes tables as files [SCHEMA.]TABLE.csv (or .tsv, .ndjson) into a folder, as they all were at one moment;
 * a file that would not change is left alone.  `files` have names and settings; of the job only row_security
 * counts.  Returns 0 or an exit code, said.
 */
int seed_export(struct db *db, struct seed_file *files, size_t count, const struct seed_job *job, const char *folder,
    struct seed_tables *tables);

/* Appends settings, SET LOCAL, under which values are read and written alike everywhere, and all rows are seen or none. */
void seed_session_sql(struct bytes *out, const struct seed_job *job);

#endif
