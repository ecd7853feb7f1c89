#include "scratch/programs.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/shell_quote.h"

#define DEBIAN "/usr/lib/postgresql"

/* The first line that a program prints, without its end; NULL where it prints none.  `command` is for a shell. */
static char *
first_line(const char *command)
{
	FILE *out = popen(command, "r");
	char line[4096], *text = NULL;

	if (out == NULL)
		return NULL;
	if (fgets(line, sizeof line, out) != NULL && line[strcspn(line, "\n")] == '\n') {
		line[strcspn(line, "\n")] = '\0';
		text = xstrdup(line);
	}
	while (fgets(line, sizeof line, out) != NULL)
		continue;
	return pclose(out) == 0 ? text : (free(text), NULL);
}

static bool
has_program(const char *folder, const char *name)
{
	char *path = xformat("%s/%s", folder, name);
	bool has = access(path, X_OK) == 0;

	free(path);
	return has;
}

/* "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)" → 15.18 */
static char *
version_of(const char *folder)
{
	struct bytes command = { 0 };
	char *path = xformat("%s/postgres", folder), *line, *at, *version = NULL;

	shell_word(&command, path);
	bytes_str(&command, " --version 2>/dev/null");
	line = first_line(command.data);
	if (line != NULL && (at = strstr(line, "(PostgreSQL) ")) != NULL) {
		at += strlen("(PostgreSQL) ");
		version = xstrndup(at, strcspn(at, " "));
	}
	free(line);
	free(path);
	bytes_free(&command);
	return version;
}

/* Whether a major is nearer to the wanted one than another: itself, the next newer, then the newest older one. */
static bool
is_nearer(int major, int than, int wanted)
{
	if (than == 0 || wanted == 0)
		return major > than;
	if ((major >= wanted) != (than >= wanted))
		return major >= wanted;
	return major >= wanted ? major < than : major > than;
}

static void
consider(struct programs *best, const char *folder, int wanted)
{
	struct programs found = { 0 };

	if (best->folder != NULL && folder != NULL && strcmp(folder, best->folder) == 0)
		return;
	if (folder == NULL || *folder != '/' || !has_program(folder, "initdb") || !has_program(folder, "postgres"))
		return;
	if ((found.version = version_of(folder)) == NULL)
		return;
	found.folder = xstrdup(folder);
	found.major = atoi(found.version);
	found.several = best->several || (best->folder != NULL && best->major != found.major);
	if (found.major > 0 && is_nearer(found.major, best->major, wanted)) {
		programs_free(best);
		*best = found;
	} else {
		best->several = found.several;
		programs_free(&found);
	}
}

static void
consider_debian(struct programs *best, int wanted)
{
	DIR *list = open_listing(DEBIAN);
	struct dirent *entry;

	while (list != NULL && (entry = readdir(list)) != NULL) {
		char *folder = xformat(DEBIAN "/%s/bin", entry->d_name);

		if (*entry->d_name != '.')
			consider(best, folder, wanted);
		free(folder);
	}
	if (list != NULL)
		(void)closedir(list);
}

static void
consider_path(struct programs *best, int wanted)
{
	char *path = xstrdup(getenv("PATH") != NULL ? getenv("PATH") : ""), *at, *folder;

	for (at = path; (folder = strtok(at, ":")) != NULL; at = NULL)
		consider(best, folder, wanted);
	free(path);
}

bool
programs_find(struct programs *programs, int major)
{
	const char *only = getenv("MIG_PG_BIN");
	char *folder;

	*programs = (struct programs){ 0 };
	if (only != NULL && *only != '\0') {
		consider(programs, only, major);
		return programs->folder != NULL;
	}
	folder = first_line("pg_config --bindir 2>/dev/null");
	consider(programs, folder, major);
	free(folder);
	consider_debian(programs, major);
	consider_path(programs, major);
	return programs->folder != NULL;
}

void
programs_free(struct programs *programs)
{
	free(programs->folder);
	free(programs->version);
	*programs = (struct programs){ 0 };
}
