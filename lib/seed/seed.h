/*
 * Reference data: makes tables equal to files, in one transaction.
 *
 * The slow part comes first, without disturbing other sessions: files are staged in temporary tables and compared.
 * Then only the differences are written, so that row locks are held for a short time.  If nothing differs, nothing
 * is written.
 */
#ifndef MIG_SEED_SEED_H
#define MIG_SEED_SEED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "datamodel/client.h"
#include "postgres/connection.h"
#include "seed/file.h"
#include "seed/inputs.h"
#include "seed/table.h"

struct seed_job {
	const struct client_model *client; /* of schema.prisma; NULL: none */
	bool dry_run;
	bool full;           /* a dry run that writes everything, and rolls it back */
	bool prune;
	const char *role;    /* --role: SET ROLE for files and tables; NULL: none.  role_check() has passed */
	bool with_hidden;    /* an export writes the columns that are hidden, too */
	bool natural;        /* an export has natural keys in place of ids */
	bool row_security;   /* omit rows that a policy hides from the role; otherwise refuse */
	long long max_stall_ms, wait_ms;
	/*
	 * Receives the differences, one row of upsert_changes() at a time.  In a dry run: when nothing can fail
	 * any more.  In a real run, if `tell` is set: before they are written; `again` then revokes them.
	 */
	bool tell;
	void (*change)(void *context, const struct seed_table *table, const struct answer *row);
	void (*again)(void *context);
	void *context;
};

/* Whether the job writes nothing, not even to roll it back. */
bool seed_only_compares(const struct seed_job *job);

/*
 * Runs the job, or only compares (dry_run: writes nothing, locks no row, moves no sequence).  If a table is busy
 * (55P03, 40P01), or another session wrote the same rows, rolls everything back and retries until wait_ms have
 * passed.  Returns 0 with the result in *tables, or an exit code with the error reported; then nothing was changed
 * in the database.  The caller frees *tables in every case.
 */
int seed_run(struct db *db, struct seed_input *input, const struct seed_job *job, struct seed_tables *tables);

/*
 * Prepares an export: paths are names of tables, as their files would be named, with the settings of the folder's
 * seed.conf.  Returns 0, or an exit code with the error reported.
 */
int seed_export_names(struct seed_input *input, const struct seed_request_files *files, enum seed_kind kind, const char *folder);

/*
 * Writes tables as files [SCHEMA.]TABLE.csv (or .tsv, .ndjson) into a folder, all from one snapshot; leaves a file
 * alone that would not change.  `files` has names and settings; only row_security of the job is used.  Returns 0,
 * or an exit code with the error reported.
 */
int seed_export(struct db *db, struct seed_file *files, size_t count, const struct seed_job *job, const char *folder,
    struct seed_tables *tables);

/*
 * Appends SET LOCAL statements that make values read and written independently of the session's settings, and that
 * let us see either all rows or an error.
 */
void seed_session_sql(struct bytes *out, const struct seed_job *job);

#endif
