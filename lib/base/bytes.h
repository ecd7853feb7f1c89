/*
 * Text in memory: a growing buffer, allocation that does not fail, UTF-8, whole files.
 * Knows nothing of records, SQL or databases.
 */
#ifndef MIG_BASE_BYTES_H
#define MIG_BASE_BYTES_H

#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>

#if defined(__GNUC__)
#define MIG_PRINTF(text, first) __attribute__((format(printf, text, first)))
#define MIG_NORETURN __attribute__((noreturn))
#else
#define MIG_PRINTF(text, first)
#define MIG_NORETURN
#endif

/*
 * Allocation.  None of these returns NULL: when memory is out the program says so and exits with
 * MIG_FAILED: a person must see why, and the same command would hardly work later.  The caller frees what it gets with free().
 */
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t size);
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t len);
char *xformat(const char *format, ...) MIG_PRINTF(1, 2);

/* An array that grows: makes room for one more element behind the `count` that are there. */
#define ARRAY_ROOM(array, count, cap)                                                             \
	do {                                                                                      \
		if ((count) == (cap)) {                                                           \
			(cap) = (cap) > 0 ? (cap) * 2 : 16;                                       \
			(array) = xrealloc((array), (cap) * sizeof *(array));                     \
		}                                                                                 \
	} while (0)

/* A growing buffer.  {0} is empty.  data is NULL or ends in a NUL that len does not count. */
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
void bytes_room(struct bytes *b, size_t more);  /* at least `more` bytes and a NUL fit behind len */
void bytes_free(struct bytes *b);               /* empty again */
const char *bytes_text(const struct bytes *b);  /* "" where data is NULL */

/* The offset of the first byte that is no valid UTF-8 (as the Unicode standard has it: no
 * surrogates, no overlong forms), or len. */
size_t utf8_check(const char *text, size_t len);

/* Replaces each maximal invalid part by U+FFFD, as the WHATWG decoder and so Node.js does. */
void utf8_repair(struct bytes *out, const char *text, size_t len);

/* Whether valid UTF-8 has a control character: C0 (so also a line break), DEL, C1. */
bool utf8_has_control(const char *text);

/* How many characters (code points) the valid UTF-8 text[0..len) has; the offset of the n-th. */
size_t utf8_count(const char *text, size_t len);
size_t utf8_offset(const char *text, size_t len, size_t n);

/* The SQL forms of a name and of a value: "name" with quotes doubled; 'value' likewise, with a
 * leading E where it has a backslash, so that it reads alike under every server setting. */
void bytes_sql_name(struct bytes *b, const char *name);
void bytes_sql_text(struct bytes *b, const char *value);

/* Copies text into out, cut to size - 1 bytes. */
void bytes_copy(char *out, size_t size, const char *text);

/*
 * Opens a file for reading that is to be a regular one, by a path from the folder `at` (or AT_FDCWD): without waiting
 * for who would write a FIFO, and nothing is read of a device.  A link is followed.  `most`: the bytes that such a
 * file may have, or 0: any number.  Returns the descriptor, or -1 with errno; file_why() has the words for that.
 */
int open_regular(int at, const char *path, long long most);

/*
 * The same for a path that a person gives: that of a descriptor which is open already may be a pipe or a terminal, as the
 * shell's <(...), /dev/fd/3 and /dev/stdin.
 */
int open_given(const char *path);

/* strerror(), and what open_regular() says beside it: "it is no regular file", "it is larger than ...". */
const char *file_why(int error);

/*
 * Reads all of a file that is open for reading.  Returns 0, or errno.
 * Grows out by what was read, also on failure.
 */
int bytes_read_fd(struct bytes *out, int fd);

#endif
