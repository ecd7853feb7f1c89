/*
 * The settings of a table: from seed.conf, which is next to the data, and from the command line, which takes
 * precedence.
 */
#ifndef MIG_SEED_SETTINGS_H
#define MIG_SEED_SETTINGS_H

#include <stdbool.h>

#include "seed/file.h"

#define SEED_CONF "seed.conf"

/* A setting on the command line: --key, --insert-only, --secret. */
struct seed_word {
	const char *option;        /* "key", "insert-only", "secret" */
	const char *value;         /* "[SCHEMA.]TABLE:COLUMN,..." or "COLUMN,...", for every table */
	bool used;                 /* it applied to a table */
};

/*
 * The folders whose seed.conf counts ("" is the current one).  Of two, the second overrides: its key, prune and
 * default.COLUMN take the place of those of the first, and the lists of what it protects add to them.
 */
struct seed_levels {
	const char *folders[2];
	size_t count;
	const struct seed_names *environments; /* folders in `environments_of`, whose files may have a section in the first; or NULL */
	const char *environments_of;
	bool exporting;            /* the files are yet to be written: a section may be of a table without one */
};

/*
 * Reads the settings of a table from each seed.conf and from the command line.  Refuses a section without a data file
 * in one of the folders.  Returns 0, or an exit code with the error reported.  The caller frees *settings in every case.
 */
int seed_settings_find(struct seed_settings *settings, const struct seed_levels *levels, const char *schema,
    const char *table, struct seed_word *words, size_t word_count);

/* The settings from the command line only. */
int seed_settings_words(struct seed_settings *settings, const char *schema, const char *table,
    struct seed_word *words, size_t count);

/*
 * Call it when all tables are known: a setting that applies to none of them is a mistake.  Returns 0, or MIG_USAGE
 * with the error reported.
 */
int seed_settings_unused(const struct seed_word *words, size_t count, bool exporting);

void seed_settings_free(struct seed_settings *settings);

#endif
