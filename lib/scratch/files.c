#include "scratch/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"

enum { PIECE = 256 * 1024, OPEN_FOLDERS = 16 };

int
files_private_folder(const char *path)
{
	char *above = xstrdup(path), *slash;
	struct stat found;
	int error = 0;

	for (slash = above + 1; error == 0 && (slash = strchr(slash, '/')) != NULL; *slash++ = '/') {
		*slash = '\0';
		if (mkdir(above, 0700) != 0 && errno != EEXIST)
			error = errno;
	}
	free(above);
	if (error == 0 && mkdir(path, 0700) != 0 && errno != EEXIST)
		error = errno;
	if (error == 0 && lstat(path, &found) != 0)
		error = errno;
	if (error == 0 && (!S_ISDIR(found.st_mode) || found.st_uid != geteuid()))
		error = EEXIST;
	if (error == 0 && (found.st_mode & 077) != 0 && chmod(path, 0700) != 0)
		error = errno;
	return error;
}

static int
copy_bytes(int in, int out, char *piece)
{
	ssize_t got, put, at;

	while ((got = read(in, piece, PIECE)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno;
		for (at = 0; at < got; at += put)
			if ((put = write(out, piece + at, (size_t)(got - at))) < 0) {
				if (errno != EINTR)
					return errno;
				put = 0;
			}
	}
	return 0;
}

static int
copy_file(int from, int to, const char *name, mode_t mode, char *piece)
{
	int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int out = in < 0 ? -1 : openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	int error = in < 0 || out < 0 ? errno : copy_bytes(in, out, piece);

	if (in >= 0)
		(void)close(in);
	if (out >= 0 && close(out) != 0 && error == 0)
		error = errno;
	return error;
}

static int copy_folder(int from, int to, const char *name, char *piece);

static int
copy_entry(int from, int to, const char *name, char *piece)
{
	struct stat found;

	if (fstatat(from, name, &found, AT_SYMLINK_NOFOLLOW) != 0)
		return errno;
	if (S_ISDIR(found.st_mode))
		return copy_folder(from, to, name, piece);
	return S_ISREG(found.st_mode) ? copy_file(from, to, name, found.st_mode & 0700, piece) : 0;
}

/* The folder `name` of one folder into a new one of the same name in another. */
static int
copy_folder(int from, int to, const char *name, char *piece)
{
	int in = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), out = -1, error = 0;
	DIR *list = NULL;
	struct dirent *entry;

	if (in < 0 || mkdirat(to, name, 0700) != 0 ||
	    (out = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0 || (list = fdopendir(in)) == NULL)
		error = errno;
	while (error == 0 && (errno = 0, entry = readdir(list)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			error = copy_entry(dirfd(list), out, entry->d_name, piece);
	if (error == 0)
		error = errno;
	if (list != NULL)
		(void)closedir(list);
	else if (in >= 0)
		(void)close(in);
	if (out >= 0)
		(void)close(out);
	return error;
}

/* copy_folder() keeps the name, so that a folder is copied into a new one and then given its own. */
int
files_copy(const char *from, const char *to)
{
	char *above = xstrdup(from), *into = xformat("%s.copy", to), *made, *piece = xmalloc(PIECE), *name;
	int error, in = -1, out = -1;

	name = strrchr(above, '/');
	*name++ = '\0';
	made = xformat("%s/%s", into, name);
	error = mkdir(into, 0700) == 0 ? 0 : errno;
	if (error == 0 && ((in = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0 ||
	    (out = open(into, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0))
		error = errno;
	if (error == 0)
		error = copy_folder(in, out, name, piece);
	if (error == 0 && rename(made, to) != 0)
		error = errno;
	(void)files_remove(into);
	if (in >= 0)
		(void)close(in);
	if (out >= 0)
		(void)close(out);
	free(above);
	free(into);
	free(made);
	free(piece);
	return error;
}

static int
remove_one(const char *path, const struct stat *found, int kind, struct FTW *place)
{
	(void)found;
	(void)place;
	return (kind == FTW_DP || kind == FTW_DNR ? rmdir(path) : unlink(path)) != 0 && errno != ENOENT ? errno : 0;
}

int
files_remove(const char *path)
{
	int error = nftw(path, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);

	if (error < 0)
		error = errno;
	return error == ENOENT ? 0 : error;
}
