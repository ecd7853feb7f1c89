#include "scratch/template.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "base/bytes.h"
#include "base/message.h"
#include "scratch/child.h"
#include "scratch/files.h"
#include "scratch/server.h"

#ifdef __APPLE__
#define st_mtim st_mtimespec
#endif

#define NEW ".new"
#define APPLIED ".applied"
#define LAYOUT "2" /* version of what a cluster contains besides the migrations: scratch/own_database.c */

enum { KEEP_APPLIED = 3, KEEP_NEW = 2, DIGEST = 16, SPARE_BYTES = 256 << 20 };

/* --- names --- */

/* A text and where it ends, so that no two lists of texts read alike. */
static void
add(crypto_generichash_state *state, const char *text)
{
	crypto_generichash_update(state, (const unsigned char *)text, strlen(text) + 1);
}

static void
begin(crypto_generichash_state *state, const char *version, const char *locale)
{
	crypto_generichash_init(state, NULL, 0, DIGEST);
	add(state, LAYOUT);
	add(state, version);
	add(state, locale);
	add(state, SERVER_TIME_ZONE);
}

static char *
path_of(const struct server_place *place, const crypto_generichash_state *so_far, const char *end)
{
	crypto_generichash_state state = *so_far;
	unsigned char digest[DIGEST];
	char hex[2 * DIGEST + 1];

	crypto_generichash_final(&state, digest, sizeof digest);
	sodium_bin2hex(hex, sizeof hex, digest, sizeof digest);
	return xformat("%s/cache/%s%s", place->base, hex, end);
}

char *
template_base(const struct server_place *place, const char *version, const char *locale)
{
	crypto_generichash_state state;

	begin(&state, version, locale);
	return path_of(place, &state, NEW);
}

char **
template_paths(const struct server_place *place, const char *version, const char *locale, const char *schema,
    const struct template_step steps[], size_t count)
{
	char **paths = xcalloc(count + 1, sizeof *paths);
	crypto_generichash_state state;
	size_t i;

	begin(&state, version, locale);
	add(&state, schema);
	for (i = 0;; i++) {
		paths[i] = path_of(place, &state, APPLIED);
		if (i == count)
			return paths;
		add(&state, steps[i].migration);
		add(&state, steps[i].checksum);
	}
}

void
template_paths_free(char **paths, size_t count)
{
	size_t i;

	for (i = 0; paths != NULL && i <= count; i++)
		free(paths[i]);
	free(paths);
}

size_t
template_longest(char *const paths[], size_t count)
{
	struct stat found;

	while (count > 0 && (lstat(paths[count], &found) != 0 || !S_ISDIR(found.st_mode)))
		count--;
	return count;
}

/* --- files --- */

struct move {
	const char *from, *to;
	const char *spare;  /* what an ended run left to be written over */
};

/*
 * Onto the spare files where they are there: a cluster is thousands of small files, and to create one costs up to a millisecond (an
 * ext4 without a journal, which does not use the numbers of files again that were removed a minute ago).
 */
static int
copy(void *context)
{
	const struct move *m = context;
	bool spare = rename(m->spare, m->to) == 0;
	int error = files_copy(m->from, m->to);

	if (error != 0 && spare && files_remove(m->to) == 0)
		error = files_copy(m->from, m->to);
	if (error == 0)
		(void)utimensat(AT_FDCWD, m->from, NULL, 0); /* it was used */
	else
		(void)files_remove(m->to);
	return error;
}

static int
move(void *context)
{
	const struct move *m = context;

	if (rename(m->from, m->to) != 0) {
		int error = errno;

		(void)files_remove(m->from);
		return error;
	}
	(void)utimensat(AT_FDCWD, m->to, NULL, 0);
	return 0;
}

static int
remove_it(void *context)
{
	return files_remove(context);
}

static int
keep_spare(void *context)
{
	const struct move *m = context;
	long long size = files_size(m->from);

	return size < 0 || size > SPARE_BYTES || rename(m->from, m->to) != 0;
}

static char *
spare_path(const struct server_place *place)
{
	return xformat("%s/cache/spare", place->base);
}

int
template_copy(const struct server_place *place, const char *path, const char *data)
{
	char *spare = spare_path(place);
	struct move m = { path, data, spare };
	int error = child_do(place->user, copy, &m);

	free(spare);
	return error;
}

void
template_spare(const struct server_place *place, const char *data)
{
	char *spare = spare_path(place);
	struct move m = { data, spare, NULL };

	(void)child_do(place->user, keep_spare, &m); /* else the folder of the run is removed with it */
	free(spare);
}

void
template_remove(const struct server_place *place, const char *path)
{
	(void)child_do(place->user, remove_it, (void *)path);
}

/* --- what is kept --- */

struct kept {
	char *name;
	struct timespec used;
};

static int
later_first(const void *a, const void *b)
{
	const struct kept *one = a, *other = b;

	if (one->used.tv_sec != other->used.tv_sec)
		return one->used.tv_sec > other->used.tv_sec ? -1 : 1;
	return one->used.tv_nsec > other->used.tv_nsec ? -1 : one->used.tv_nsec < other->used.tv_nsec;
}

static bool
ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), tail = strlen(end);

	return len >= tail && strcmp(text + len - tail, end) == 0;
}

/* In the child: removes all but the `keep` that were used last of those whose names end so. */
static void
prune(const char *folder, const char *end, size_t keep)
{
	DIR *list = open_listing(folder);
	struct dirent *entry;
	struct kept *all = NULL;
	size_t count = 0, cap = 0, i;
	struct stat found;

	while (list != NULL && (entry = readdir(list)) != NULL) {
		if (!ends_with(entry->d_name, end) || fstatat(dirfd(list), entry->d_name, &found, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		ARRAY_ROOM(all, count, cap);
		all[count++] = (struct kept){ xstrdup(entry->d_name), found.st_mtim };
	}
	if (list != NULL)
		(void)closedir(list);
	if (count > 0)
		qsort(all, count, sizeof *all, later_first);
	for (i = 0; i < count; i++) {
		char *path = xformat("%s/%s", folder, all[i].name);

		if (i >= keep)
			(void)files_remove(path);
		free(path);
		free(all[i].name);
	}
	free(all);
}

static int
prune_both(void *context)
{
	prune(context, APPLIED, KEEP_APPLIED);
	prune(context, NEW, KEEP_NEW);
	return 0;
}

void
template_keep(const struct server_place *place, const char *data, const char *path)
{
	char *folder = xformat("%s/cache", place->base);
	struct move m = { data, path, NULL };
	int error = child_do(place->user, move, &m);

	if (error != 0 && error != EEXIST && error != ENOTEMPTY) /* another run was first */
		message_verbose("could not keep the cluster for the next run: %s", strerror(error));
	(void)child_do(place->user, prune_both, folder);
	free(folder);
}

void
template_keep_copy(const struct server_place *place, const char *data, const char *path)
{
	char *beside = xformat("%s/kept", place->run); /* a killed run's is removed with its folder */

	if (template_copy(place, data, beside) == 0)
		template_keep(place, beside, path);
	free(beside);
}
