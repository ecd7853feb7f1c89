/*
 * Writes a file under a temporary name in the same folder and renames it, so that a reader sees either the whole
 * old file or the whole new one.  A file whose content would not change is not touched, so that make and git see
 * no change.
 *
 * An existing file keeps its mode, owner and group; the umask decides for a new one.  A symbolic link is kept and
 * its target is replaced, except for a link that another user made in a world-writable folder (/tmp): it is not
 * followed.  Only regular files are replaced.  A device, a FIFO or /dev/stdout is written to directly.
 */
#ifndef MIG_BASE_ATOMIC_FILE_H
#define MIG_BASE_ATOMIC_FILE_H

#include <stdbool.h>
#include <stddef.h>

struct atomic_file {
	int fd;         /* write here */
	char *path;     /* the path, with links resolved */
	char *beside;   /* the temporary file; NULL: path is written to directly */
	bool copied;    /* a new file cannot keep the owner: atomic_file_close() copies the content into the old
	                 * file, as > does */
	struct atomic_file *next;    /* list of the open files */
	const char *last_words;
	size_t last_words_len;
};

/*
 * Returns false with errno set on failure; then there is nothing to close.  b must not move until
 * atomic_file_close().
 */
bool atomic_file_open(struct atomic_file *b, const char *path);

/*
 * Renames the file into place if error is 0, else removes it; closes it in both cases.  Returns error, or the
 * errno of the step that failed.
 */
int atomic_file_close(struct atomic_file *b, int error);

/*
 * Text that atomic_file_abandon() leaves in the file's place; without it the old file stays.  Kept, not copied.
 */
void atomic_file_last_words(struct atomic_file *b, const char *text, size_t len);

/*
 * Removes the temporary files of all open ones.  For exit() before the end and for a signal that ends the program;
 * async-signal-safe.
 */
void atomic_file_abandon(void);

#endif
