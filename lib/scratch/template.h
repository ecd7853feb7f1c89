/*
 * Keeps clusters to start from: new ones, and ones in which the first N migrations have been run.
 *
 * A cluster's name is a digest of everything that determines its content: server version, locale, time zone,
 * schema, names and checksums of the migrations in order.  It is copied under a temporary name and renamed, so it
 * is never incomplete.  The three used last are kept, and two new ones; and the files of a run that ended, which the next
 * one writes over.
 */
#ifndef MIG_SCRATCH_TEMPLATE_H
#define MIG_SCRATCH_TEMPLATE_H

#include <stddef.h>

#include "scratch/place.h"

/* A migration, as far as the digest needs it. */
struct template_step {
	const char *migration, *checksum;
};

/* The path of the new cluster; the caller frees it. */
char *template_base(const struct server_place *place, const char *version, const char *locale);

/*
 * The paths of the clusters after the first 0, 1, ... count steps: an array of count + 1; free it with
 * template_paths_free().
 */
char **template_paths(const struct server_place *place, const char *version, const char *locale, const char *schema,
    const struct template_step steps[], size_t count);
void template_paths_free(char **paths, size_t count);

/* The number of steps in the longest kept cluster; 0: none is kept. */
size_t template_longest(char *const paths[], size_t count);

/* Copies a kept cluster to `data`, which does not exist.  Returns 0, or an errno; `data` then does not exist. */
int template_copy(const struct server_place *place, const char *path, const char *data);

/*
 * Keep a cluster whose server has stopped: as a copy, or by moving it.  A failure is ignored, because kept
 * clusters only save time.
 */
void template_keep_copy(const struct server_place *place, const char *data, const char *path);
void template_keep(const struct server_place *place, const char *data, const char *path);

/* The files of a server that has stopped, which are of no use but to be written over; very large ones stay where they are. */
void template_spare(const struct server_place *place, const char *data);

void template_remove(const struct server_place *place, const char *path);

#endif
