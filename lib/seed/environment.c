#include "seed/environment.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/suggest.h"
#include "seed/settings.h"

static bool
is_folder(const char *folder, const char *name)
{
	char *path = xformat("%s/%s", folder, name);
	struct stat what;
	bool is = stat(path, &what) == 0 && S_ISDIR(what.st_mode);

	free(path);
	return is;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What is in the folder: environments, a base, seed files. */
static int
look(struct environment *e, bool *base, bool *files)
{
	DIR *entries = open_listing(e->folder);
	const struct dirent *entry;
	enum seed_kind kind;
	size_t stem;

	if (entries == NULL)
		return seed_cannot_read(e->folder, errno);
	while ((entry = readdir(entries)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if (!is_folder(e->folder, entry->d_name))
			*files |= strcmp(entry->d_name, SEED_CONF) == 0 || seed_file_kind(entry->d_name, &kind, &stem);
		else if (strcmp(entry->d_name, SEED_BASE) == 0)
			*base = true;
		else
			seed_names_add(&e->names, xstrdup(entry->d_name));
	}
	closedir(entries);
	if (e->names.count > 0)
		qsort(e->names.names, e->names.count, sizeof *e->names.names, by_name);
	return 0;
}

static void
list_names(const struct environment *e, bool base)
{
	struct bytes list = { 0 };
	size_t i;

	for (i = 0; i < e->names.count; i++)
		bytes_format(&list, "%s%s", i > 0 ? ", " : "", e->names.names[i]);
	if (base)
		bytes_format(&list, "%s" SEED_BASE, list.len > 0 ? ", and " : "");
	if (list.len > 0)
		message_line("  It has: %s", list.data);
	else
		message_line("  It has none: an environment is a folder in it, such as %s/production", e->folder);
	bytes_free(&list);
}

static int
say_unknown(const struct environment *e, const char *name, bool base)
{
	const char **names = xcalloc(e->names.count + 2, sizeof *names), *nearest;
	size_t i;

	for (i = 0; i < e->names.count; i++)
		names[i] = e->names.names[i];
	if (base)
		names[i++] = SEED_BASE;
	nearest = suggest_nearest(name, strlen(name), names, i);
	if (nearest != NULL)
		(void)message_error(MIG_USAGE, "--env=%s: %s has no such environment; did you mean %s?", name, e->folder, nearest);
	else
		(void)message_error(MIG_USAGE, "--env=%s: %s has no such environment", name, e->folder);
	list_names(e, base);
	message_line("  Nothing was seeded.");
	free(names);
	return MIG_USAGE;
}

int
environment_find(struct environment *e, const char *folder, const char *name)
{
	size_t len = strlen(folder);
	bool base = false, files = false;
	int code;

	while (len > 1 && folder[len - 1] == '/')
		len--;
	*e = (struct environment){ .folder = xstrndup(folder, len) };
	if ((code = look(e, &base, &files)) != 0)
		return code;
	e->base = base ? xformat("%s/" SEED_BASE, e->folder) : xstrdup(e->folder);
	if (base && files) {
		(void)message_error(MIG_DATA, "%s has seed files, and a folder " SEED_BASE " next to them: the base must be in one place", e->folder);
		message_line("  Nothing was seeded. Move them into %s.", e->base);
		return MIG_DATA;
	}
	if (name == NULL && base) {
		(void)message_error(MIG_USAGE, "%s has environments: name one, as in --env=%s", e->folder,
		    e->names.count > 0 ? e->names.names[0] : SEED_BASE);
		list_names(e, base);
		return MIG_USAGE;
	}
	if (name == NULL || (base && strcmp(name, SEED_BASE) == 0))
		return 0;
	if (!seed_names_have(&e->names, name))
		return say_unknown(e, name, base);
	e->overlay = xformat("%s/%s", e->folder, name);
	return 0;
}

void
environment_free(struct environment *e)
{
	free(e->folder);
	free(e->base);
	free(e->overlay);
	seed_names_free(&e->names);
	*e = (struct environment){ 0 };
}
