#include "scratch/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"

enum { PIECE = 256 * 1024 };

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

/* Calls `act` for each entry of a folder, named in another one, until that fails. */
static int
each(int above, const char *folder, int (*act)(int folder, const char *name, void *context), void *context)
{
	int fd = openat(above, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), error = 0;
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (list == NULL) {
		error = errno;
		if (fd >= 0)
			(void)close(fd);
		return error;
	}
	while (error == 0 && (errno = 0, entry = readdir(list)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			error = act(dirfd(list), entry->d_name, context);
	if (error == 0)
		error = errno;
	(void)closedir(list);
	return error;
}

/* --- remove --- */

static int
remove_entry(int folder, const char *name, void *context)
{
	int error;

	if (unlinkat(folder, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM) /* EPERM: what POSIX says of a folder */
		return errno;
	error = each(folder, name, remove_entry, context);
	return error != 0 ? error : unlinkat(folder, name, AT_REMOVEDIR) != 0 && errno != ENOENT ? errno : 0;
}

int
files_remove(const char *path)
{
	return remove_entry(AT_FDCWD, path, NULL);
}

/* --- copy --- */

struct copying {
	int from, to;              /* the folders */
	char *piece, *there;       /* PIECE bytes each: of the file, and of what has its name already */
};

static ssize_t
read_piece(int fd, char *piece)
{
	ssize_t got;

	while ((got = read(fd, piece, PIECE)) < 0 && errno == EINTR)
		;
	return got;
}

static int
write_at(int fd, const char *piece, size_t len, off_t at)
{
	ssize_t put;
	size_t done;

	for (done = 0; done < len; done += (size_t)put)
		if ((put = pwrite(fd, piece + done, len - done, at + (off_t)done)) < 0) {
			if (errno != EINTR)
				return errno;
			put = 0;
		}
	return 0;
}

/* Makes one file's content equal to another's; `had`: its length so far.  Most of a cluster is equal already: nothing is written then. */
static int
copy_bytes(const struct copying *c, int in, int out, off_t had)
{
	off_t at = 0;
	ssize_t got;
	int error;

	for (; (got = read_piece(in, c->piece)) > 0; at += got) {
		if (at < had && read_piece(out, c->there) == got && memcmp(c->piece, c->there, (size_t)got) == 0)
			continue;
		if ((error = write_at(out, c->piece, (size_t)got, at)) != 0)
			return error;
		if (lseek(out, at + got, SEEK_SET) < 0)
			return errno;
	}
	return got < 0 || (had > at && ftruncate(out, at) != 0) ? errno : 0;
}

static int
copy_file(const struct copying *c, const char *name, mode_t mode)
{
	int in = openat(c->from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int out = in < 0 ? -1 : openat(c->to, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, mode);
	struct stat there;
	int error = in < 0 || out < 0 || fstat(out, &there) != 0 ? errno : copy_bytes(c, in, out, there.st_size);

	if (in >= 0)
		(void)close(in);
	if (out >= 0 && close(out) != 0 && error == 0)
		error = errno;
	return error;
}

static int copy_folder(const struct copying *above, const char *from, const char *to);

static int
copy_entry(int folder, const char *name, void *context)
{
	struct copying *c = context;
	struct stat found;

	c->from = folder;
	if (fstatat(folder, name, &found, AT_SYMLINK_NOFOLLOW) != 0)
		return errno;
	if (S_ISDIR(found.st_mode))
		return copy_folder(c, name, name);
	return S_ISREG(found.st_mode) ? copy_file(c, name, found.st_mode & 0700) : 0;
}

/* What the copied folder does not have. */
static int
remove_surplus(int folder, const char *name, void *context)
{
	const struct copying *c = context;
	struct stat found;

	if (fstatat(c->from, name, &found, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	return errno == ENOENT ? remove_entry(folder, name, NULL) : errno;
}

static int
copy_folder(const struct copying *above, const char *from, const char *to)
{
	struct copying c = *above;
	bool made = mkdirat(above->to, to, 0700) == 0;
	int error;

	if (!made && errno != EEXIST)
		return errno;
	if ((c.to = openat(above->to, to, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0)
		return errno;
	error = each(above->from, from, copy_entry, &c);
	if (error == 0 && !made) {
		if ((c.from = openat(above->from, from, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0)
			error = errno;
		else {
			error = each(above->to, to, remove_surplus, &c);
			(void)close(c.from);
		}
	}
	(void)close(c.to);
	return error;
}

int
files_copy(const char *from, const char *to)
{
	struct copying c = { AT_FDCWD, AT_FDCWD, xmalloc(PIECE), xmalloc(PIECE) };
	int error = copy_folder(&c, from, to);

	free(c.piece);
	free(c.there);
	return error;
}

/* --- measure --- */

static int
add_size(int folder, const char *name, void *context)
{
	long long *sum = context;
	struct stat found;

	if (fstatat(folder, name, &found, AT_SYMLINK_NOFOLLOW) != 0)
		return errno;
	*sum += (long long)found.st_blocks * 512;
	return S_ISDIR(found.st_mode) ? each(folder, name, add_size, sum) : 0;
}

long long
files_size(const char *path)
{
	long long sum = 0;

	return add_size(AT_FDCWD, path, &sum) == 0 ? sum : -1;
}
