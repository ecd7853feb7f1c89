/*
 * A file that is written beside its place and renamed: whoever reads meanwhile has the old one, whole.  One
 * that would not change is left alone, so that make and git see no news.
 */
#ifndef MIG_BASE_ATOMIC_FILE_H
#define MIG_BASE_ATOMIC_FILE_H

#include <stdbool.h>

struct beside {
	int fd;         /* to be written to */
	char *path;
	char *beside;   /* NULL: a device, a FIFO, or an open file by another name, which is written as it is */
};

/* False: errno says why, and nothing is to be closed. */
bool beside_open(struct beside *b, const char *path);

/*
 * Puts it into its place where error is 0, else removes it, and closes.  Returns error, or the errno of what
 * failed.
 */
int beside_close(struct beside *b, int error);

#endif
