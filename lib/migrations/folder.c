#define _DEFAULT_SOURCE /* d_type, which POSIX does not have */
#include "migrations/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/message.h"
#include "base/mig.h"
#include "base/null.h"
#include "records/words.h"

static int
compare_names(const void *a, const void *b)
{
	return migration_compare(*(char *const *)a, *(char *const *)b);
}

/* --- folder --- */

static int
cannot(const char *what, const char *path)
{
	return message_error(errno == EACCES || errno == EPERM ? MIG_DENIED : MIG_DATA, "cannot %s %s: %s",
	    what, path, file_why(errno));
}

enum { LOCK_FILE_MOST = 1 << 20 };

/*
 * Prisma reads the lock file line by line, not as TOML: the first line that begins with "provider" counts;
 * without its `provider = ` and double quotes it must be "postgresql".  No lock file: no check.
 */
static int
check_lock_file(const struct folder *folder)
{
	static const char prefix[] = "provider = ";
	struct bytes text = { 0 }, provider = { 0 };
	int fd = open_regular(folder->fd, "migration_lock.toml", LOCK_FILE_MOST), code = 0;
	const char *line, *c;
	size_t len;

	if (fd < 0)
		return errno == ENOENT ? 0 : cannot("open", "migration_lock.toml");
	(void)bytes_read_fd(&text, fd);
	close(fd);
	for (line = bytes_text(&text); *line != '\0'; line += len + (line[len] == '\n')) {
		len = strcspn(line, "\n");
		if (strncmp(line, "provider", strlen("provider")) != 0)
			continue;
		c = strncmp(line, prefix, strlen(prefix)) == 0 ? line + strlen(prefix) : line;
		for (; c < line + len - (len > 0 && line[len - 1] == '\r'); c++)
			if (*c != '"')
				bytes_char(&provider, *c);
		break;
	}
	if (strcmp(bytes_text(&provider), "postgresql") != 0) {
		code = message_error(MIG_DATA, "%s/migration_lock.toml is for another provider: \"%s\" (P3019)",
		    folder->path, bytes_text(&provider));
		message_line("  Prisma would refuse it as well. It must have the line:  provider = \"postgresql\"");
	}
	bytes_free(&text);
	bytes_free(&provider);
	return code;
}

static int
refuse_name(const struct folder *folder, const char *name, const char *why, const char *consequence)
{
	struct bytes shown = { 0 };
	int code;
	size_t i;

	utf8_repair(&shown, name, strlen(name));
	for (i = 0; i < shown.len; i++)
		if ((unsigned char)shown.data[i] < 0x20)
			shown.data[i] = '?';
	code = message_error(MIG_DATA, "the name of %s/%s %s", folder->path, shown.data, why);
	message_line("  %s", consequence);
	bytes_free(&shown);
	return code;
}

/* Most file systems say with the name that it is a folder, so that it need not be looked up. */
static bool
is_known_folder(const struct dirent *entry)
{
#ifdef DT_DIR
	return entry->d_type == DT_DIR;
#else
	(void)entry;
	return false;
#endif
}

/* What one entry of the folder is. */
static int
take_entry(struct folder *folder, size_t *cap, const struct dirent *dirent)
{
	const char *name = dirent->d_name;
	struct stat entry = { .st_mode = S_IFDIR };

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return 0;
	if (!is_known_folder(dirent) && fstatat(folder->fd, name, &entry, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : cannot("read", name);
	if (S_ISLNK(entry.st_mode)) {
		if (fstatat(folder->fd, name, &entry, 0) == 0 && S_ISDIR(entry.st_mode))
			message_warning("%s/%s is a symbolic link, so it is not a migration: Prisma skips it too",
			    folder->path, name);
		return 0;
	}
	if (!S_ISDIR(entry.st_mode))
		return 0;
	if (utf8_check(name, strlen(name)) != strlen(name))
		return refuse_name(folder, name, "is not UTF-8", "It cannot be recorded under its own name; rename it.");
	if (utf8_has_control(name))
		return refuse_name(folder, name, "has a control character in it",
		    "A name with a line break or an escape sequence cannot be shown or recorded as it is; rename it.");
	ARRAY_ROOM(folder->names, folder->count, *cap);
	folder->names[folder->count++] = xstrdup(name);
	return 0;
}

static int
list_folder(struct folder *folder)
{
	int copy = dup(folder->fd), code = 0;
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	const struct dirent *entry;
	size_t cap = 0;

	if (dir == NULL)
		return cannot("list", folder->path);
	while (code == 0 && (errno = 0, entry = readdir(dir)) != NULL)
		code = take_entry(folder, &cap, entry);
	if (code == 0 && errno != 0)
		code = cannot("list", folder->path);
	closedir(dir);
	if (folder->count > 0)
		qsort(folder->names, folder->count, sizeof *folder->names, compare_names);
	return code;
}

/* A folder that was named, and is the one above the migrations or one of them. */
static int
check_depth(const struct folder *folder)
{
	struct stat st;

	if (fstatat(folder->fd, "migration.sql", &st, 0) == 0) {
		(void)message_error(MIG_DATA, "%s is a single migration: it has a migration.sql itself", folder->path);
		message_line("  Name the folder that contains all migrations, one level up.");
		return MIG_DATA;
	}
	if (fstatat(folder->fd, "migration_lock.toml", &st, 0) != 0 && fstatat(folder->fd, "migrations", &st, 0) == 0 &&
	    S_ISDIR(st.st_mode)) {
		(void)message_error(MIG_DATA, "%s is not a migrations folder; did you mean %s%smigrations?", folder->path,
		    folder->path, folder->path[strlen(folder->path) - 1] == '/' ? "" : "/");
		return MIG_DATA;
	}
	return 0;
}

static int
open_folder(struct folder *folder, const char *path)
{
	static const char *const usual[] = { "prisma/migrations", "migrations" };
	size_t i;

	if (path != NULL) {
		folder->path = path;
		folder->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		return folder->fd >= 0 ? check_depth(folder) : cannot("open the migrations folder", path);
	}
	for (i = 0; i < 2; i++) {
		folder->path = usual[i];
		if ((folder->fd = open(usual[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC)) >= 0)
			return 0;
		if (errno != ENOENT && errno != ENOTDIR)
			return cannot("open the migrations folder", usual[i]);
	}
	(void)message_error(MIG_DATA, "no migrations folder here: neither prisma/migrations nor migrations");
	message_line("  Run it in the project's folder, or pass the folder as an argument.");
	return MIG_DATA;
}

int
folder_open(struct folder *folder, const char *path)
{
	int code;

	*folder = (struct folder){ .fd = -1 };
	code = open_folder(folder, path);
	if (code == 0)
		code = list_folder(folder);
	if (code == 0)
		code = check_lock_file(folder);
	if (code != 0)
		folder_close(folder);
	return code;
}

void
folder_close(struct folder *folder)
{
	size_t i;

	for (i = 0; i < folder->count; i++)
		free(folder->names[i]);
	free(folder->names);
	for (i = 0; i < folder->ahead_count; i++)
		script_free(&folder->ahead[i]);
	free(folder->ahead);
	if (folder->fd >= 0)
		close(folder->fd);
	*folder = (struct folder){ .fd = -1 };
}

/* --- scripts --- */

/* The bytes that Prisma would hash and send: invalid UTF-8 is replaced. */
static void
repair_script(struct script *script)
{
	struct bytes mended = { 0 };

	utf8_repair(&mended, script->text.data, script->text.len);
	bytes_free(&script->text);
	script->text = mended;
	script->migration.flaw = FLAW_NOT_UTF8;
}

static void
script_fill(struct script *script)
{
	if (utf8_check(script->text.data, script->text.len) != script->text.len)
		repair_script(script);
	migration_checksum(script->text.data, script->text.len, script->checksum);
	if (memchr(script->text.data, '\0', script->text.len) != NULL)
		script->migration.flaw = FLAW_NUL;
}

/* Its parts may have moved. */
static void
script_point(struct script *script)
{
	struct migration *m = &script->migration;

	if (m->flaw == FLAW_NO_SCRIPT)
		return;
	m->path = script->path;
	m->checksum = script->checksum;
	m->size_bytes = (long long)script->text.len;
	m->sql = m->flaw != FLAW_NUL ? script->text.data : NULL;
	if (script->down_checksum[0] == '\0')
		return;
	m->down_checksum = script->down_checksum;
	if (utf8_check(script->down.data, script->down.len) == script->down.len && memchr(script->down.data, '\0', script->down.len) == NULL)
		m->down_sql = script->down.data;
}

/* An ordinary file of the folder, as far as it is not larger than `most`.  Returns 0, or an errno: ENOENT also for what is no file. */
static int
read_file(const struct folder *folder, const char *path, size_t most, struct bytes *text)
{
	struct stat file;
	int fd = openat(folder->fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), error = EFBIG;

	if (fd < 0)
		return errno == ELOOP ? ENOENT : errno;
	if (fstat(fd, &file) == 0 && !S_ISREG(file.st_mode)) {
		error = ENOENT;
	} else if ((size_t)file.st_size <= most) {
		bytes_room(text, (size_t)file.st_size + 1);
		error = bytes_read_fd(text, fd);
	}
	close(fd);
	return error;
}

/* What undoes it, if there is such a file.  Returns 0, or an errno. */
static int
read_down(const struct folder *folder, size_t i, size_t most, struct script *script)
{
	int error;

	snprintf(script->path, sizeof script->path, "%s/down.sql", folder->names[i]);
	error = read_file(folder, script->path, most, &script->down);
	if (error == 0)
		migration_checksum(bytes_text(&script->down), script->down.len, script->down_checksum);
	return error == ENOENT ? 0 : error;
}

/* Returns NULL, or with errno set what could not be done to the file at script->path; EFBIG if it is larger than `most`. */
static const char *
read_script(const struct folder *folder, size_t i, size_t most, struct script *script)
{
	struct migration *m = &script->migration;
	int error;

	*m = (struct migration){ .migration = folder->names[i], .size_bytes = NUMBER_UNKNOWN };
	script->text.len = script->down.len = 0;
	script->down_checksum[0] = '\0';
	error = read_down(folder, i, most, script);
	if (error == 0) {
		snprintf(script->path, sizeof script->path, "%s/migration.sql", folder->names[i]);
		error = read_file(folder, script->path, most, &script->text);
	}
	if (error == ENOENT) {
		m->flaw = FLAW_NO_SCRIPT;
		return NULL;
	}
	if (error == 0)
		script_fill(script);
	errno = error;
	return error == 0 ? NULL : "read";
}

int
folder_read(struct folder *folder, size_t i, struct script *script)
{
	const char *failed = NULL;

	if (i < folder->ahead_count) {
		script_free(script);
		*script = folder->ahead[i];
		folder->ahead[i] = (struct script){ 0 };
	} else {
		failed = read_script(folder, i, SIZE_MAX, script);
	}
	script_point(script);
	return failed == NULL ? 0 : cannot(failed, script->path);
}

bool
folder_read_ahead(void *context)
{
	enum { AHEAD_BYTES = 2000000 };
	struct folder *folder = context;
	struct script script = { 0 };

	if (folder->ahead_count == folder->count || folder->ahead_bytes > AHEAD_BYTES)
		return false;
	if (read_script(folder, folder->ahead_count, AHEAD_BYTES - folder->ahead_bytes, &script) != NULL) {
		script_free(&script);
		return false;
	}
	folder->ahead_bytes += sizeof script + script.text.cap + script.down.cap;
	ARRAY_ROOM(folder->ahead, folder->ahead_count, folder->ahead_cap);
	folder->ahead[folder->ahead_count++] = script;
	return true;
}

void
script_free(struct script *script)
{
	bytes_free(&script->text);
	bytes_free(&script->down);
}
