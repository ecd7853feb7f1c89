#include "base/bytes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/atomic_file.h"
#include "base/message.h"
#include "base/mig.h"

/* The message needs memory too, and so does what exit() calls of other libraries, which may end the program with a code of its own. */
static MIG_NORETURN void
end_for_want_of(const char *what)
{
	static int depth;
	static const char text[] = ": error: out of memory\n";

	if (depth++ == 0)
		(void)message_error(MIG_FAILED, "%s", what);
	else if (write(STDERR_FILENO, message_tool(), strlen(message_tool())) < 0 || write(STDERR_FILENO, text, sizeof text - 1) < 0)
		_exit(message_end_code(MIG_FAILED));
	if (depth > 2)
		_exit(message_end_code(MIG_FAILED));
	(void)fflush(NULL);
	atomic_file_abandon();
	_exit(message_end_code(MIG_FAILED));
}

void
bytes_out_of_memory(void)
{
	end_for_want_of("out of memory");
}

static void *
checked(void *memory)
{
	if (memory == NULL)
		bytes_out_of_memory();
	return memory;
}

void *
xmalloc(size_t size)
{
	return checked(malloc(size > 0 ? size : 1));
}

void *
xcalloc(size_t count, size_t size)
{
	return checked(calloc(count > 0 ? count : 1, size > 0 ? size : 1));
}

void *
xrealloc(void *old, size_t size)
{
	return checked(realloc(old, size > 0 ? size : 1));
}

char *
xstrndup(const char *text, size_t len)
{
	char *copy = xmalloc(len + 1);

	memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

char *
xstrdup(const char *text)
{
	return xstrndup(text, strlen(text));
}

char *
xformat(const char *format, ...)
{
	struct bytes b = { 0 };
	va_list args;

	va_start(args, format);
	bytes_vformat(&b, format, args);
	va_end(args);
	return b.data;
}

void
bytes_room(struct bytes *b, size_t more)
{
	size_t need;

	if (more > SIZE_MAX / 2 - b->len)
		bytes_out_of_memory();
	need = b->len + more + 1;
	if (need <= b->cap)
		return;
	b->cap += b->cap / 2 + 256;
	if (b->cap < need)
		b->cap = need;
	b->data = xrealloc(b->data, b->cap);
}

void
bytes_add(struct bytes *b, const void *data, size_t len)
{
	bytes_room(b, len);
	if (len > 0)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void
bytes_str(struct bytes *b, const char *text)
{
	bytes_add(b, text, strlen(text));
}

void
bytes_char(struct bytes *b, char c)
{
	bytes_add(b, &c, 1);
}

void
bytes_vformat(struct bytes *b, const char *format, va_list args)
{
	va_list again;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (len < 0)
		MESSAGE_BUG("the format \"%s\" does not match its values", format);
	bytes_room(b, (size_t)len);
	vsnprintf(b->data + b->len, (size_t)len + 1, format, args);
	b->len += (size_t)len;
}

void
bytes_format(struct bytes *b, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	bytes_vformat(b, format, args);
	va_end(args);
}

void
bytes_free(struct bytes *b)
{
	free(b->data);
	*b = (struct bytes){ 0 };
}

const char *
bytes_text(const struct bytes *b)
{
	return b->data != NULL ? b->data : "";
}

/*
 * One step of the WHATWG UTF-8 decoder: the length of the sequence at text[0..len), len > 0.
 * *valid is false where it is not one; the length is then that of the part that one U+FFFD stands for.
 */
static size_t
utf8_step(const unsigned char *text, size_t len, bool *valid)
{
	unsigned char low = 0x80, high = 0xBF;
	size_t more, i;

	*valid = true;
	if (text[0] < 0x80)
		return 1;
	if (text[0] >= 0xC2 && text[0] <= 0xDF) {
		more = 1;
	} else if (text[0] >= 0xE0 && text[0] <= 0xEF) {
		more = 2;
		if (text[0] == 0xE0)
			low = 0xA0;     /* overlong below */
		else if (text[0] == 0xED)
			high = 0x9F;    /* surrogates above */
	} else if (text[0] >= 0xF0 && text[0] <= 0xF4) {
		more = 3;
		if (text[0] == 0xF0)
			low = 0x90;
		else if (text[0] == 0xF4)
			high = 0x8F;    /* behind U+10FFFF above */
	} else {
		*valid = false;
		return 1;
	}
	for (i = 1; i <= more; i++) {
		if (i >= len || text[i] < low || text[i] > high) {
			*valid = false;
			return i;
		}
		low = 0x80;
		high = 0xBF;
	}
	return more + 1;
}

/* How much of text is ASCII at least, in whole words: most text is nothing else. */
static size_t
ascii_length(const char *text, size_t len)
{
	size_t at;
	uint64_t word;

	for (at = 0; at + sizeof word <= len; at += sizeof word) {
		memcpy(&word, text + at, sizeof word);
		if ((word & 0x8080808080808080) != 0)
			break;
	}
	return at;
}

size_t
utf8_check(const char *text, size_t len)
{
	size_t at = 0;
	bool valid;

	while (at < len) {
		size_t step = ascii_length(text + at, len - at);

		if (step == 0)
			step = utf8_step((const unsigned char *)text + at, len - at, &valid);
		else
			valid = true;
		if (!valid)
			return at;
		at += step;
	}
	return len;
}

void
utf8_repair(struct bytes *out, const char *text, size_t len)
{
	size_t at = 0;
	bool valid;

	while (at < len) {
		size_t good = utf8_check(text + at, len - at);

		bytes_add(out, text + at, good);
		at += good;
		if (at < len) {
			at += utf8_step((const unsigned char *)text + at, len - at, &valid);
			bytes_str(out, "\xEF\xBF\xBD");
		}
	}
}

static bool
utf8_begins(char c)
{
	return ((unsigned char)c & 0xC0) != 0x80;
}

bool
utf8_has_control(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;

	for (; *c != '\0'; c++)
		if (*c < 0x20 || *c == 0x7F || (*c == 0xC2 && c[1] >= 0x80 && c[1] <= 0x9F))
			return true;
	return false;
}

size_t
utf8_write(unsigned long code, char *out)
{
	size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4, i;
	static const unsigned char first[] = { 0, 0, 0xC0, 0xE0, 0xF0 };

	for (i = len; i-- > 1; code >>= 6)
		out[i] = (char)(0x80 | (code & 0x3F));
	out[0] = (char)(first[len] | code);
	return len;
}

void
bytes_utf8(struct bytes *b, unsigned long code)
{
	char out[4];

	bytes_add(b, out, utf8_write(code, out));
}

size_t
utf8_count(const char *text, size_t len)
{
	size_t n = 0, i;

	for (i = 0; i < len; i++)
		n += utf8_begins(text[i]);
	return n;
}

size_t
utf8_offset(const char *text, size_t len, size_t n)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (utf8_begins(text[i]) && n-- == 0)
			return i;
	return len;
}

void
bytes_sql_name(struct bytes *b, const char *name)
{
	bytes_char(b, '"');
	for (; *name != '\0'; name++) {
		if (*name == '"')
			bytes_char(b, '"');
		bytes_char(b, *name);
	}
	bytes_char(b, '"');
}

void
bytes_sql_text(struct bytes *b, const char *value)
{
	if (strchr(value, '\\') != NULL)
		bytes_char(b, 'E');
	bytes_char(b, '\'');
	for (; *value != '\0'; value++) {
		if (*value == '\'' || *value == '\\')
			bytes_char(b, *value);
		bytes_char(b, *value);
	}
	bytes_char(b, '\'');
}

void
bytes_copy(char *out, size_t size, const char *text)
{
	size_t len = strlen(text);

	if (len >= size)
		len = size - 1;
	memcpy(out, text, len);
	out[len] = '\0';
}

int
open_regular(int at, const char *path, long long most)
{
	int fd = openat(at, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), why = 0;
	struct stat file;

	if (fd < 0)
		return -1;
	if (fstat(fd, &file) != 0)
		why = errno;
	else if (S_ISDIR(file.st_mode))
		why = EISDIR;
	else if (!S_ISREG(file.st_mode))
		why = ENXIO;
	else if (most > 0 && file.st_size > most)
		why = EFBIG;
	if (why == 0)
		return fd;
	(void)close(fd);
	errno = why;
	return -1;
}

int
open_given(const char *path)
{
	static const char *const descriptors[] = { "/dev/fd/", "/proc/self/fd/", "/dev/stdin" };
	int fd = open_regular(AT_FDCWD, path, 0);
	size_t i;

	if (fd >= 0 || errno != ENXIO)
		return fd;
	for (i = 0; i < sizeof descriptors / sizeof *descriptors; i++)
		if (strncmp(path, descriptors[i], strlen(descriptors[i])) == 0)
			break;
	if (i == sizeof descriptors / sizeof *descriptors)
		return -1;
	/* this open() does not block; later reads may */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd >= 0)
		(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	return fd;
}

DIR *
open_listing(const char *path)
{
	DIR *folder = opendir(path);

	if (folder == NULL && errno == ENOMEM)
		bytes_out_of_memory();
	if (folder == NULL && (errno == EMFILE || errno == ENFILE))
		end_for_want_of("too many files are open");
	return folder;
}

bool
file_next_line(FILE *file, char **line, size_t *room)
{
	errno = 0;
	if (getline(line, room, file) > 0)
		return true;
	if (errno == ENOMEM)
		bytes_out_of_memory();
	return false;
}

const char *
file_why(int error)
{
	switch (error) {
	case ENOMEM:
		bytes_out_of_memory();
	case ENXIO:
		return "it is not a regular file, but a FIFO, a socket or a device";
	case EFBIG:
		return "it is too large";
	default:
		return strerror(error);
	}
}

int
bytes_read_fd(struct bytes *out, int fd)
{
	ssize_t got;

	do {
		/* who knows a file's size has made room for it: then the end is found without growing */
		if (out->cap - out->len < 2)
			bytes_room(out, 65536);
		got = read(fd, out->data + out->len, out->cap - out->len - 1);
		if (got > 0)
			out->len += (size_t)got;
	} while (got > 0 || (got < 0 && errno == EINTR));
	out->data[out->len] = '\0';
	return got < 0 ? errno : 0;
}
