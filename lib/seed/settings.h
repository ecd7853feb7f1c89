/*
 * The settings of a table: from seed.conf, which is kept with the data, and from words of the command line,
 * which override it.
 */
#ifndef MIG_SEED_SETTINGS_H
#define MIG_SEED_SETTINGS_H

#include <stdbool.h>

#include "seed/file.h"

#define SEED_CONF "seed.conf"

/* A setting of the command line: --key, --insert-only. */
struct seed_word {
	const char *option;        /* "key", "insert-only" */
	const char *value;         /* "[SCHEMA.]TABLE:COLUMN,..." or "COLUMN,...", for every table */
	bool used;                 /* some table was meant by it */
};

/*
 * What seed.conf in `folder` ("" is the current one) and the words say of a table.  A section without a data
 * file beside it is refused, unless the files are yet to be written (exporting).  Returns 0 or an exit code,
 * said; *settings is the caller's in any case.
 */
int seed_settings_find(struct seed_settings *settings, const char *folder, bool exporting, const char *schema,
    const char *table, struct seed_word *words, size_t word_count);

/* What the words alone say. */
int seed_settings_words(struct seed_settings *settings, const char *schema, const char *table,
    struct seed_word *words, size_t count);

/* Once all tables are known: a word for none of them is a slip.  0, or MIG_USAGE, said. */
int seed_settings_unused(const struct seed_word *words, size_t count);

void seed_settings_free(struct seed_settings *settings);

#endif
