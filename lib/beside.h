/*
 * A file that is written beside its place and renamed: whoever reads meanwhile has the old one, whole.  One that would
 * not change is left alone, so that make and git see no news.
 */
#ifndef MIG_BESIDE_H
#define MIG_BESIDE_H

#include <stdbool.h>
#include <stdio.h>

struct beside {
	FILE *file;
	char *path;
	char *beside;
};

/* False: errno says why. */
bool beside_open(struct beside *b, const char *path);

/* Puts it into its place (keep), or removes it.  False: errno says why; then nothing is left beside. */
bool beside_close(struct beside *b, bool keep);

#endif
