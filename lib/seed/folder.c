/* The files of a folder: all of them, or those of a base with those of an environment over them. */
#include "seed/inputs_internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"
#include "seed/environment.h"
#include "seed/overlay.h"
#include "seed/settings.h"

static const char *
last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int
not_hidden(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int
by_last_part(const void *a, const void *b)
{
	const struct seed_file *one = a, *other = b;

	return strcmp(last_part(one->path), last_part(other->path));
}

/* What is none of ours is named, since a slip in an ending would drop a table. */
static void
say_skipped(const struct seed_request_files *request, const char *folder, const char *name)
{
	char *path;
	struct stat what;
	bool is_folder;

	if (strcmp(name, SEED_CONF) == 0 || strncmp(name, "README", 6) == 0)
		return;
	path = xformat("%s/%s", folder, name);
	is_folder = stat(path, &what) == 0 && S_ISDIR(what.st_mode);
	if (!is_folder || strcmp(folder, request->in->folder) != 0)
		message_warning("skipping %s: not a seed file", path);
	else if (request->environment == NULL)
		message_warning("skipping the folder %s: to use it, name the environment with --env=%s", path, name);
	free(path);
}

/* A file with the same name, or for the same table, among those of the base: files [from, to); `to` if there is none. */
static size_t
find_base(const struct seed_input *input, size_t from, size_t to, const struct seed_file *file)
{
	for (; from < to; from++) {
		const struct seed_file *base = &input->files[from];

		if ((base->kind == SEED_SQL) != (file->kind == SEED_SQL) || base->overlay != NULL)
			continue;
		if (file->kind == SEED_SQL ? strcmp(last_part(base->path), last_part(file->path)) == 0
		                           : seed_same_name(base->table, file->table) && seed_same_name(base->schema, file->schema))
			break;
	}
	return from;
}

/* The last file is of the environment: it is put over that of the base, or in the place of it. */
static int
put_over(struct seed_input *input, size_t from, size_t to)
{
	struct seed_file *last = &input->files[input->count - 1], joined;
	size_t at = find_base(input, from, to, last);
	struct seed_file *base = &input->files[at];
	int code;

	if (at == to) {
		bytes_format(&input->overridden, "  %s  only there\n", last->name);
		return 0;
	}
	if (last->kind == SEED_SQL) {
		bytes_format(&input->overridden, "  %s  instead of %s\n", last->name, base->name);
		seed_file_free(base);
		*base = *last;
		input->count--;
		return 0;
	}
	code = overlay_join(&joined, base, last);
	*base = joined;
	input->count--;
	return code;
}

/* from: where the files of the base begin, if these are those of the environment. */
static int
take_entries(struct seed_input *input, const struct seed_request_files *request, const char *folder, const size_t *from)
{
	struct dirent **entries;
	size_t to = input->count, stem;
	enum seed_kind kind;
	int count = scandir(folder, &entries, not_hidden, by_name), i, code = 0;

	if (count < 0)
		return seed_cannot_read(folder, errno);
	for (i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;

		if (code == 0 && seed_file_kind(name, &kind, &stem)) {
			code = inputs_take_file(input, request, xformat("%s/%s", folder, name));
			if (code == 0 && from != NULL)
				code = put_over(input, *from, to);
		} else if (code == 0) {
			say_skipped(request, folder, name);
		}
		free(entries[i]);
	}
	free(entries);
	return code;
}

static void
note_settings(struct seed_input *input, const struct environment *e)
{
	char *base = xformat("%s/" SEED_CONF, e->base), *overlay = xformat("%s/" SEED_CONF, e->overlay);
	size_t len = strlen(e->folder) + 1;
	struct stat what;

	if (stat(overlay, &what) == 0 && stat(base, &what) == 0)
		bytes_format(&input->overridden, "  %s  over %s\n", overlay + len, base + len);
	free(base);
	free(overlay);
}

int
inputs_take_folder(struct seed_input *input, const struct seed_request_files *request, const char *folder)
{
	struct seed_request_files within = *request;
	struct environment e;
	size_t before = input->count;
	int code = environment_find(&e, folder, request->environment);

	within.in = &e;
	if (code == 0)
		code = take_entries(input, &within, e.base, NULL);
	if (code == 0 && e.overlay != NULL) {
		note_settings(input, &e);
		code = take_entries(input, &within, e.overlay, &before);
		if (input->count > before)
			qsort(input->files + before, input->count - before, sizeof *input->files, by_last_part);
	}
	if (code == 0 && input->count == before)
		code = message_error(MIG_DATA, "%s has no seed file: the name must end in .sql, .csv, .tsv, .ndjson, .jsonl or .json",
		    e.folder);
	environment_free(&e);
	return code;
}
