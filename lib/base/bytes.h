/*
 * Text in memory: a growing buffer, allocation that does not fail, UTF-8, whole files.
 * Knows nothing of records, SQL or databases.
 */
#ifndef MIG_BASE_BYTES_H
#define MIG_BASE_BYTES_H

#include <dirent.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#if defined(__GNUC__)
#define MIG_PRINTF(text, first) __attribute__((format(printf, text, first)))
#define MIG_NORETURN __attribute__((noreturn))
#else
#define MIG_PRINTF(text, first)
#define MIG_NORETURN
#endif

/*
 * Allocation.  None of these returns NULL: when memory runs out, the program reports it and exits with MIG_FAILED,
 * because a retry would hardly help.  The caller frees the result with free().
 */
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t size);
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t len);
char *xformat(const char *format, ...) MIG_PRINTF(1, 2);

/* Ends the program in the same way, where somebody else found no memory. */
void bytes_out_of_memory(void) MIG_NORETURN;

/* A growing array: makes room for one more element after the existing `count`. */
#define ARRAY_ROOM(array, count, cap)                                                             \
	do {                                                                                      \
		if ((count) == (cap)) {                                                           \
			(cap) = (cap) > 0 ? (cap) * 2 : 16;                                       \
			(array) = xrealloc((array), (cap) * sizeof *(array));                     \
		}                                                                                 \
	} while (0)

/* A growing buffer.  {0} is empty.  data is NULL or NUL-terminated; len does not count the NUL. */
struct bytes {
	char *data;
	size_t len;
	size_t cap;
};

void bytes_add(struct bytes *b, const void *data, size_t len);
void bytes_str(struct bytes *b, const char *text);
void bytes_char(struct bytes *b, char c);
void bytes_format(struct bytes *b, const char *format, ...) MIG_PRINTF(2, 3);
void bytes_vformat(struct bytes *b, const char *format, va_list args) MIG_PRINTF(2, 0);
void bytes_room(struct bytes *b, size_t more);  /* room for `more` bytes and a NUL after len */
void bytes_free(struct bytes *b);               /* frees it; empty again */
const char *bytes_text(const struct bytes *b);  /* "" if data is NULL */

/*
 * Returns the offset of the first byte that is not valid UTF-8 by the Unicode standard (which excludes surrogates
 * and overlong forms), or len if all of it is valid.
 */
size_t utf8_check(const char *text, size_t len);

/*
 * Appends text with each maximal invalid part replaced by U+FFFD, like the WHATWG decoder and therefore Node.js.
 */
void utf8_repair(struct bytes *out, const char *text, size_t len);

/* Whether valid UTF-8 contains a control character: C0 (line breaks included), DEL or C1. */
bool utf8_has_control(const char *text);

/* Writes a code point up to U+10FFFF to out, which has room for four bytes and gets no NUL; returns how many. */
size_t utf8_write(unsigned long code, char *out);
/* Appends it. */
void bytes_utf8(struct bytes *b, unsigned long code);

/* The number of characters (code points) in the valid UTF-8 text[0..len), and the byte offset of the n-th. */
size_t utf8_count(const char *text, size_t len);
size_t utf8_offset(const char *text, size_t len, size_t n);

/*
 * Append a name and a value as SQL: "name" with quotes doubled; 'value' likewise, with a leading E if it contains
 * a backslash, so that it means the same under every server setting.
 */
void bytes_sql_name(struct bytes *b, const char *name);
void bytes_sql_text(struct bytes *b, const char *value);

/* Copies text into out, truncated to size - 1 bytes; always NUL-terminated. */
void bytes_copy(char *out, size_t size, const char *text);

/*
 * Opens a regular file for reading, by a path relative to the folder `at` (or AT_FDCWD).  Follows links.  Never
 * blocks on a FIFO without a writer and never reads from a device.  `most` is the largest size allowed in bytes;
 * 0: any.  Returns the descriptor, which the caller closes, or -1 with errno set; file_why() explains that errno.
 */
int open_regular(int at, const char *path, long long most);

/*
 * The same for a path that a user gives: a path to an open descriptor (the shell's <(...), /dev/fd/3, /dev/stdin)
 * may be a pipe or a terminal.
 */
int open_given(const char *path);

/*
 * opendir(), and getline() as long as there is a line: out of memory, or of file descriptors, ends the program, and is not
 * taken for an empty one.
 */
DIR *open_listing(const char *path);
bool file_next_line(FILE *file, char **line, size_t *room);

/*
 * strerror(), plus the refusals of open_regular(): "it is no regular file", "it is larger than ...".  Out of memory, which is
 * nobody's file's fault, ends the program.
 */
const char *file_why(int error);

/*
 * Reads the rest of a file that is open for reading.  Returns 0, or an errno.  What was read is in `out`, also on
 * failure.
 */
int bytes_read_fd(struct bytes *out, int fd);

#endif
