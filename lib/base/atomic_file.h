/*
 * Writes a file next to its place and renames it: a reader has the old one, whole, until the new one is.  One
 * that would not change is left alone, so that make and git see no change.
 *
 * Mode, owner and group of a file that exists are kept; the umask decides for a new one.  A symbolic link stays, and
 * the file that it leads to is replaced; but a link that another user put into a folder where everybody may write
 * (/tmp) is not followed.  Only regular files are replaced: a device, a FIFO, /dev/stdout is written as it is.
 */
#ifndef MIG_BASE_ATOMIC_FILE_H
#define MIG_BASE_ATOMIC_FILE_H

#include <stdbool.h>
#include <stddef.h>

struct atomic_file {
	int fd;         /* to be written to */
	char *path;     /* links followed */
	char *beside;   /* NULL: not replaced, but written as it is */
	bool copied;    /* its owner could not be kept by a new file: in the end its content is replaced, as > does */
	struct atomic_file *next;    /* of those that are open */
	const char *last_words;
	size_t last_words_len;
};

/* False: errno says why, and nothing is to be closed.  b must stay where it is until atomic_file_close(). */
bool atomic_file_open(struct atomic_file *b, const char *path);

/*
 * Puts it into its place where error is 0, else removes it, and closes.  Returns error, or the errno of what
 * failed.
 */
int atomic_file_close(struct atomic_file *b, int error);

/* What stands in its place if atomic_file_abandon() ends the program's work: kept, not copied.  Else the old file does. */
void atomic_file_last_words(struct atomic_file *b, const char *text, size_t len);

/*
 * For a signal that ends the program, and for exit() in the middle: no file that is open stays next to its place.  May
 * be called from a signal handler.
 */
void atomic_file_abandon(void);

#endif
