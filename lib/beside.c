#include "beside.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bytes.h"

bool
beside_open(struct beside *b, const char *path)
{
	mode_t mask;
	int fd, error;

	*b = (struct beside){ NULL, realpath(path, NULL), NULL }; /* a symbolic link stays one */
	if (b->path == NULL)
		b->path = xstrdup(path);
	b->beside = xformat("%s.XXXXXX", b->path);
	fd = mkstemp(b->beside);
	if (fd >= 0) {
		umask(mask = umask(0));
		fchmod(fd, 0666 & ~mask);
		b->file = fdopen(fd, "w");
	}
	if (b->file != NULL)
		return true;
	error = errno;
	free(b->path);
	free(b->beside);
	errno = error;
	return false;
}

static bool
equal(const char *one, const char *other)
{
	FILE *a = fopen(one, "re"), *b = fopen(other, "re");
	bool same = a != NULL && b != NULL;
	int c = 0, d;

	while (same && c != EOF) {
		c = getc(a);
		d = getc(b);
		same = c == d;
	}
	if (a != NULL)
		fclose(a);
	if (b != NULL)
		fclose(b);
	return same;
}

bool
beside_close(struct beside *b, bool keep)
{
	int error = 0;

	if (fflush(b->file) != 0 || (keep && fsync(fileno(b->file)) != 0))
		error = errno;
	if (fclose(b->file) != 0 && error == 0)
		error = errno;
	if (!keep || error != 0 || equal(b->beside, b->path))
		unlink(b->beside);
	else if (rename(b->beside, b->path) != 0) {
		error = errno;
		unlink(b->beside);
	}
	free(b->path);
	free(b->beside);
	errno = error;
	return error == 0;
}
