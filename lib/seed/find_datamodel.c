#include "seed/find_datamodel.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"

static bool
has_prisma_file(const char *folder)
{
	static const char ending[] = ".prisma";
	DIR *entries = open_listing(folder);
	const struct dirent *entry;
	bool found = false;

	while (entries != NULL && !found && (entry = readdir(entries)) != NULL) {
		size_t len = strlen(entry->d_name);

		found = len > strlen(ending) && strcmp(entry->d_name + len - strlen(ending), ending) == 0;
	}
	if (entries != NULL)
		closedir(entries);
	return found;
}

/* In one folder; "" is the current one. */
static char *
find_in(const char *folder)
{
	static const char *const names[] = { "schema.prisma", "schema", "prisma/schema.prisma", "prisma/schema" };
	struct stat what;
	size_t i;

	for (i = 0; i < sizeof names / sizeof *names; i++) {
		char *path = xformat("%s%s%s", folder, *folder != '\0' ? "/" : "", names[i]);

		if (stat(path, &what) == 0 && (S_ISREG(what.st_mode) || (S_ISDIR(what.st_mode) && has_prisma_file(path))))
			return path;
		free(path);
	}
	return NULL;
}

/* The folder above, by its name where that shows it: prisma/schema.prisma reads better than prisma/seed/../schema.prisma. */
static char *
above(const char *folder)
{
	const char *slash = strrchr(folder, '/'), *last = slash != NULL ? slash + 1 : folder;

	if (*folder == '\0' || strcmp(last, "..") == 0 || strcmp(last, ".") == 0)
		return xformat("%s%s..", folder, *folder != '\0' ? "/" : "");
	return slash == NULL ? xstrdup("") : slash == folder ? xstrdup("/") : xstrndup(folder, (size_t)(slash - folder));
}

/* Of a file, or of a folder itself. */
static char *
folder_of(const char *path)
{
	struct stat what;
	size_t len = strlen(path);
	char *folder, *up;

	while (len > 1 && path[len - 1] == '/')
		len--;
	folder = xstrndup(path, len);
	if (stat(folder, &what) == 0 && S_ISDIR(what.st_mode))
		return folder;
	up = above(folder);
	free(folder);
	return up;
}

char *
find_datamodel(char *const *paths, size_t count)
{
	enum { ABOVE = 2 };
	char *found = NULL;
	size_t i, up;

	for (i = 0; found == NULL && i < count; i++) {
		char *folder;

		if (strcmp(paths[i], "-") == 0)
			continue;
		folder = folder_of(paths[i]);
		for (up = 0; found == NULL && up <= ABOVE; up++) {
			char *next = above(folder);

			found = find_in(folder);
			free(folder);
			folder = next;
		}
		free(folder);
	}
	return found != NULL ? found : find_in("");
}
