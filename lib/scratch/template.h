/*
 * Clusters that are kept to start from: a new one, and ones in which the first so many migrations have been run.
 *
 * A cluster's name is a digest of all that makes it what it is: the server's version, its locale and time zone, the schema, the names and
 * checksums of the migrations in their order.  Each is written beside its place and renamed, so there is never a half one.
 * The three that were used last are kept, and two new ones.
 */
#ifndef MIG_SCRATCH_TEMPLATE_H
#define MIG_SCRATCH_TEMPLATE_H

#include <stddef.h>

#include "scratch/place.h"

/* One migration, as far as a digest sees it. */
struct template_step {
	const char *migration, *checksum;
};

/* The path of the new cluster.  The caller frees it. */
char *template_base(const struct server_place *place, const char *version, const char *locale);

/* The paths of the clusters after the first 0, 1, ... count steps: an array of count + 1, for template_paths_free(). */
char **template_paths(const struct server_place *place, const char *version, const char *locale, const char *schema,
    const struct template_step steps[], size_t count);
void template_paths_free(char **paths, size_t count);

/* How many of the steps the longest kept cluster has; 0: none is kept. */
size_t template_longest(char *const paths[], size_t count);

/* Copies a kept cluster to `data`.  0, or an errno; then nothing is there. */
int template_copy(const struct server_place *place, const char *path, const char *data);

/* Keeps a cluster whose server has ended: as a copy; or itself, and it is not in its old place any more.  What cannot be kept is left
 * out: it would only have saved time. */
void template_keep_copy(const struct server_place *place, const char *data, const char *path);
void template_keep(const struct server_place *place, const char *data, const char *path);

void template_remove(const struct server_place *place, const char *path);

#endif
