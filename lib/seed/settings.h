/*
 * The settings of a table: from seed.conf, which is next to the data, and from the command line, which takes
 * precedence.
 */
#ifndef MIG_SEED_SETTINGS_H
#define MIG_SEED_SETTINGS_H

#include <stdbool.h>

#include "seed/file.h"

#define SEED_CONF "seed.conf"

/* A setting on the command line: --key, --insert-only. */
struct seed_word {
	const char *option;        /* "key", "insert-only" */
	const char *value;         /* "[SCHEMA.]TABLE:COLUMN,..." or "COLUMN,...", for every table */
	bool used;                 /* it applied to a table */
};

/*
 * Reads the settings of a table from seed.conf in `folder` ("" is the current one) and from the command line.
 * Refuses a section without a data file next to seed.conf, unless the files are yet to be written (exporting).
 * Returns 0, or an exit code with the error reported.  The caller frees *settings in every case.
 */
int seed_settings_find(struct seed_settings *settings, const char *folder, bool exporting, const char *schema,
    const char *table, struct seed_word *words, size_t word_count);

/* The settings from the command line only. */
int seed_settings_words(struct seed_settings *settings, const char *schema, const char *table,
    struct seed_word *words, size_t count);

/*
 * Call it when all tables are known: a setting that applies to none of them is a mistake.  Returns 0, or MIG_USAGE
 * with the error reported.
 */
int seed_settings_unused(const struct seed_word *words, size_t count);

void seed_settings_free(struct seed_settings *settings);

#endif
