#include "base/atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"

/* Those that are open: atomic_file_abandon() has no other way to them. */
static struct atomic_file *opened;

/* --- where a path leads --- */

enum { MOST_LINKS = 40 };

/* Whether a link is one that the kernel would not follow with fs.protected_symlinks: it may be another user's trap. */
static bool
is_trap(const char *folder, const struct stat *link)
{
	struct stat dir;

	return stat(*folder != '\0' ? folder : ".", &dir) == 0 && (dir.st_mode & S_ISVTX) != 0 &&
	    (dir.st_mode & S_IWOTH) != 0 && link->st_uid != geteuid() && link->st_uid != dir.st_uid;
}

/* What a link holds, with what follows it; NULL: errno says why. */
static char *
link_target(const char *path, const char *rest)
{
	char target[4096];
	ssize_t len = readlink(path, target, sizeof target);

	if (len < 0)
		return NULL;
	if ((size_t)len == sizeof target) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	return xformat("%.*s%s%s", (int)len, target, *rest != '\0' ? "/" : "", rest);
}

static bool
is_below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* Devices and open files; /dev/shm has ordinary ones. */
static bool
is_special(const char *path)
{
	return is_below(path, "/proc") || (is_below(path, "/dev") && strcmp(path, "/dev") != 0 && !is_below(path, "/dev/shm"));
}

/*
 * Follows the links of a path, one by one; the last part need not exist.  What leads to /dev or /proc is left as it
 * was given: an open file by another name.  NULL: errno says why.
 */
static char *
resolve(const char *path, bool *special)
{
	struct bytes done = { 0 };
	char *rest = xstrdup(path), *at = rest, *next;
	int links = 0, error = 0;

	bytes_str(&done, *at == '/' ? "/" : "");
	while (error == 0 && *(at += strspn(at, "/")) != '\0') {
		size_t len = strcspn(at, "/"), before = done.len;
		struct stat there;

		if (before > 0 && done.data[before - 1] != '/')
			bytes_char(&done, '/');
		bytes_add(&done, at, len);
		at += len;
		if ((*special = is_special(done.data)))
			break;
		if (lstat(done.data, &there) != 0 || !S_ISLNK(there.st_mode))
			continue;
		next = link_target(done.data, at + strspn(at, "/"));
		done.data[done.len = before] = '\0';
		error = next == NULL ? errno : ++links > MOST_LINKS ? ELOOP : is_trap(done.data, &there) ? EACCES : 0;
		if (next != NULL && *next == '/') {
			done.len = 0;
			bytes_char(&done, '/');
		}
		free(rest);
		at = rest = next;
	}
	free(rest);
	if (error == 0 && !*special)
		return done.data;
	bytes_free(&done);
	errno = error;
	return error == 0 ? xstrdup(path) : NULL;
}

/* --- opening --- */

static void
forget(struct atomic_file *b)
{
	struct atomic_file **at;
	int error = errno;

	for (at = &opened; *at != NULL; at = &(*at)->next) {
		if (*at == b) {
			*at = b->next;
			break;
		}
	}
	free(b->path);
	free(b->beside);
	*b = (struct atomic_file){ .fd = -1 };
	errno = error;
}

static int
open_new(char *pattern)
{
	int fd = mkstemp(pattern);

	if (fd >= 0)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
}

/* The new file gets mode and owner of the old one, or what the umask leaves. */
static bool
take_mode(struct atomic_file *b, const struct stat *old)
{
	struct stat new;
	mode_t mask;

	if (old == NULL) {
		umask(mask = umask(0));
		return fchmod(b->fd, 0666 & ~mask) == 0;
	}
	if (fstat(b->fd, &new) != 0)
		return false;
	if ((new.st_uid != old->st_uid || new.st_gid != old->st_gid) && fchown(b->fd, old->st_uid, old->st_gid) != 0) {
		if (access(b->path, W_OK) != 0)
			return false;
		b->copied = true;
		return true;
	}
	return fchmod(b->fd, old->st_mode & 07777) == 0;
}

bool
atomic_file_open(struct atomic_file *b, const char *path)
{
	static bool at_exit;
	struct stat old;
	bool special = false, exists;

	if (!at_exit)
		at_exit = atexit(atomic_file_abandon) == 0;
	*b = (struct atomic_file){ .fd = -1, .path = resolve(path, &special) };
	if (b->path == NULL)
		return false;
	b->next = opened; /* now: a signal may come right behind mkstemp() */
	opened = b;
	exists = stat(b->path, &old) == 0;
	if (special || (exists && !S_ISREG(old.st_mode))) {
		b->fd = open(b->path, O_WRONLY | O_CLOEXEC);
	} else {
		b->beside = xformat("%s.XXXXXX", b->path);
		b->fd = open_new(b->beside);
		if (b->fd >= 0 && !take_mode(b, exists ? &old : NULL)) {
			int error = errno;

			unlink(b->beside);
			close(b->fd);
			b->fd = -1;
			errno = error;
		}
	}
	if (b->fd < 0) {
		forget(b);
		return false;
	}
	return true;
}

/* --- closing --- */

/* Whether two files hold the same bytes. */
static bool
files_equal(const char *one, const char *other)
{
	FILE *a = fopen(one, "re"), *b = fopen(other, "re");
	int c = 0, d = 0;
	bool equal = a != NULL && b != NULL;

	while (equal && c != EOF) {
		c = getc(a);
		d = getc(b);
		equal = c == d;
	}
	if (a != NULL)
		fclose(a);
	if (b != NULL)
		fclose(b);
	return equal;
}

static int
write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t wrote = write(fd, data, len);

		if (wrote < 0 && errno != EINTR)
			return errno;
		data += wrote > 0 ? wrote : 0;
		len -= wrote > 0 ? (size_t)wrote : 0;
	}
	return 0;
}

/* Writes what is in the new file over the old one, whose owner stays so. */
static int
copy_over(const struct atomic_file *b)
{
	char chunk[65536];
	ssize_t got = 0;
	int error = 0, to = open(b->path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	if (to < 0 || lseek(b->fd, 0, SEEK_SET) < 0)
		error = errno;
	while (error == 0 && ((got = read(b->fd, chunk, sizeof chunk)) > 0 || (got < 0 && errno == EINTR)))
		error = got > 0 ? write_all(to, chunk, (size_t)got) : 0;
	if (error == 0 && (got < 0 || fsync(to) < 0))
		error = errno;
	if (to >= 0 && close(to) < 0 && error == 0)
		error = errno;
	return error;
}

static int
replace(const struct atomic_file *b)
{
	if (b->copied)
		return copy_over(b);
	return fsync(b->fd) < 0 || rename(b->beside, b->path) < 0 ? errno : 0;
}

int
atomic_file_close(struct atomic_file *b, int error)
{
	bool same = b->beside != NULL && error == 0 && files_equal(b->beside, b->path);

	if (b->beside != NULL && !same && error == 0)
		error = replace(b);
	if (b->beside != NULL && (same || error != 0 || b->copied))
		unlink(b->beside);
	if (close(b->fd) < 0 && error == 0)
		error = errno;
	forget(b);
	return error;
}

/* --- the end of the program in the middle --- */

void
atomic_file_last_words(struct atomic_file *b, const char *text, size_t len)
{
	b->last_words = text;
	b->last_words_len = len;
}

/* Nothing but what a signal handler may call. */
static bool
speak(const struct atomic_file *b)
{
	return b->last_words != NULL && b->fd >= 0 && lseek(b->fd, 0, SEEK_SET) == 0 && ftruncate(b->fd, 0) == 0 &&
	    write_all(b->fd, b->last_words, b->last_words_len) == 0 &&
	    (b->copied ? copy_over(b) == 0 : rename(b->beside, b->path) == 0);
}

void
atomic_file_abandon(void)
{
	const struct atomic_file *b;

	for (b = opened; b != NULL; b = b->next)
		if (b->beside != NULL && (!speak(b) || b->copied))
			unlink(b->beside);
}
