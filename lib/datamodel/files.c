#include "datamodel/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"
#include "datamodel/datamodel.h"

enum { DEPTH_MAX = 32 };         /* of folders: a link to a folder above would never end */
static const long long size_max = 64LL << 20;

static int
cannot_read(const char *path)
{
	return message_error(errno == EACCES || errno == EPERM ? MIG_DENIED : MIG_DATA, "cannot read %s: %s", path, file_why(errno));
}

static int
read_file(struct source_files *files, const char *path)
{
	struct bytes text = { 0 };
	int fd = open_regular(AT_FDCWD, path, size_max), error;

	if (fd < 0)
		return cannot_read(path);
	error = bytes_read_fd(&text, fd);
	close(fd);
	if (error != 0) {
		bytes_free(&text);
		errno = error;
		return cannot_read(path);
	}
	bytes_room(&text, 0);
	text.data[text.len] = '\0';
	ARRAY_ROOM(files->items, files->count, files->cap);
	files->items[files->count++] = (struct source_file){ xstrdup(path), text.data, text.len };
	return 0;
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The entries of a folder, sorted; NULL with errno set. */
static char **
list_folder(const char *path, size_t *count)
{
	DIR *dir = open_listing(path);
	char **names = NULL;
	struct dirent *entry;
	size_t cap = 0;

	*count = 0;
	if (dir == NULL)
		return NULL;
	names = xcalloc(1, sizeof *names);
	while ((entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		ARRAY_ROOM(names, *count, cap);
		names[(*count)++] = xstrdup(entry->d_name);
	}
	closedir(dir);
	if (*count > 1)
		qsort(names, *count, sizeof *names, compare_names);
	return names;
}

static int read_any(struct source_files *files, const char *path, const char *name, int depth);

static int
read_folder(struct source_files *files, const char *path, int depth)
{
	size_t count, i;
	char **names;
	int code = 0;

	if (depth == DEPTH_MAX)
		return message_error(MIG_DATA, "%s: folders are nested more than %d deep", path, DEPTH_MAX);
	if ((names = list_folder(path, &count)) == NULL)
		return cannot_read(path);
	for (i = 0; i < count; i++) {
		char *inner = xformat("%s/%s", path, names[i]);

		if (code == 0)
			code = read_any(files, inner, names[i], depth + 1);
		free(inner);
		free(names[i]);
	}
	free(names);
	return code;
}

/* name: of an entry of a folder; NULL: what was asked for, which is read whatever its name is. */
static int
read_any(struct source_files *files, const char *path, const char *name, int depth)
{
	size_t len = name != NULL ? strlen(name) : 0;
	struct stat st;

	if (stat(path, &st) != 0)
		return name == NULL ? cannot_read(path) : 0; /* a link that leads nowhere */
	if (S_ISDIR(st.st_mode))
		return read_folder(files, path, depth);
	if (name != NULL && (len < strlen(".prisma") || strcmp(name + len - strlen(".prisma"), ".prisma") != 0))
		return 0;
	return read_file(files, path);
}

int
source_files_read(struct source_files *files, const char *path)
{
	char *trimmed = xstrdup(path);
	size_t len = strlen(trimmed);
	int code;

	while (len > 1 && trimmed[len - 1] == '/')
		trimmed[--len] = '\0';
	code = read_any(files, trimmed, NULL, 0);
	if (code == 0 && files->count == 0)
		code = message_error(MIG_DATA, "%s has no file whose name ends in .prisma", path);
	free(trimmed);
	return code;
}

void
source_files_free(struct source_files *files)
{
	size_t i;

	for (i = 0; i < files->count; i++) {
		free((void *)(uintptr_t)files->items[i].path);
		free((void *)(uintptr_t)files->items[i].text);
	}
	free(files->items);
	*files = (struct source_files){ 0 };
}

/* --- the datamodel --- */

static int
say_datamodel_errors(const struct datamodel_errors *errors)
{
	size_t i;

	for (i = 0; i < errors->count; i++) {
		const struct datamodel_error *e = &errors->items[i];

		(void)message_error(MIG_DATA, "%s:%zu:%zu: %s", e->path, e->line, e->column, e->text);
	}
	if (errors->more > 0)
		message_line("  and %zu more", errors->more);
	message_line("  Prisma would refuse this datamodel. Nothing was read.");
	return MIG_DATA;
}

int
datamodel_open(const char *path, struct catalog *catalog)
{
	struct source_files files = { 0 };
	struct datamodel_errors errors = { 0 };
	int code = source_files_read(&files, path);

	if (code == 0 && !datamodel_read(files.items, files.count, path, catalog, &errors))
		code = say_datamodel_errors(&errors);
	arena_free(&errors.arena);
	source_files_free(&files);
	return code;
}

int
client_model_open(const char *path, struct client_model *client)
{
	struct source_files files = { 0 };
	struct datamodel_errors errors = { 0 };
	int code = source_files_read(&files, path);

	*client = (struct client_model){ 0 };
	if (code == 0 && !client_model_read(files.items, files.count, client, &errors))
		code = say_datamodel_errors(&errors);
	arena_free(&errors.arena);
	source_files_free(&files);
	return code;
}
