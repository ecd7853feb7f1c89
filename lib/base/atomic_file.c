#include "base/atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"

/* Whether a path leads to what is not to be replaced: a device, a FIFO, or an open file by another name. */
static bool
is_special(const char *path)
{
	struct stat there;

	return strncmp(path, "/dev/", 5) == 0 || strncmp(path, "/proc/", 6) == 0 ||
	    (stat(path, &there) == 0 && !S_ISREG(there.st_mode));
}

static void
forget(struct beside *b)
{
	int error = errno;

	free(b->path);
	free(b->beside);
	*b = (struct beside){ .fd = -1 };
	errno = error;
}

bool
beside_open(struct beside *b, const char *path)
{
	mode_t mask;

	*b = (struct beside){ .fd = -1 };
	if (is_special(path)) {
		b->path = xstrdup(path);
		b->fd = open(path, O_WRONLY | O_CLOEXEC);
	} else {
		/* a symbolic link stays one: the file that it leads to is replaced */
		b->path = realpath(path, NULL);
		if (b->path == NULL)
			b->path = xstrdup(path);
		b->beside = xformat("%s.XXXXXX", b->path);
		if ((b->fd = mkstemp(b->beside)) >= 0) {
			umask(mask = umask(0));
			fchmod(b->fd, 0666 & ~mask);
		}
	}
	if (b->fd >= 0)
		return true;
	forget(b);
	return false;
}

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

int
beside_close(struct beside *b, int error)
{
	bool same = b->beside != NULL && error == 0 && files_equal(b->beside, b->path);

	if (b->beside != NULL && !same && error == 0 && (fsync(b->fd) < 0 || rename(b->beside, b->path) < 0))
		error = errno;
	if (b->beside != NULL && (same || error != 0))
		unlink(b->beside);
	if (close(b->fd) < 0 && error == 0)
		error = errno;
	forget(b);
	return error;
}
