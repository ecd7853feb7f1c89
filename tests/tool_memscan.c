/*
 * tool_memscan PID < PATTERNS: where byte strings stand in a running process.
 *
 * Patterns come on standard input, `label<TAB>text` a line.  Of each pattern of 24 bytes or more
 * the part without its first 16 bytes is looked for as well (`label~tail`): glibc's free()
 * overwrites only so many, so that a freed copy shows there alone.  What belongs to a whole copy is
 * not counted.
 *
 * Prints, a pattern a line, how often it stands in readable mappings, in mappings without access
 * (root sees those), in the environment block, and in the command line.
 *
 * Exit: 0 in none of them but mappings without access; 1 found; 2 wrong usage; 3 no access.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/bytes.h"

enum { CHUNK = 1 << 20, PAGE = 4096, FREED = 16, TAIL_FROM = 24, PLACES = 4 };

enum place { READABLE, NO_ACCESS, ENVIRON, CMDLINE };

struct pattern {
	char *label;
	const char *text;
	size_t len;
	bool tail;              /* of the pattern before it */
	size_t found[PLACES];
};

struct patterns {
	struct pattern *list;
	size_t count, cap;
	size_t longest;
};

static void
patterns_add(struct patterns *p, char *label, const char *text, size_t len, bool tail)
{
	ARRAY_ROOM(p->list, p->count, p->cap);
	p->list[p->count++] =
	    (struct pattern){ .label = label, .text = text, .len = len, .tail = tail };
	if (len > p->longest)
		p->longest = len;
}

/* Points into `in`. */
static bool
patterns_read(struct patterns *p, struct bytes *in)
{
	char *line, *end;

	if (bytes_read_fd(in, STDIN_FILENO) != 0)
		return false;
	for (line = in->data; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		char *tab = memchr(line, '\t', (size_t)(end - line));
		size_t len;

		if (tab == NULL || tab + 1 == end)
			return false;
		len = (size_t)(end - tab - 1);
		patterns_add(p, xstrndup(line, (size_t)(tab - line)), tab + 1, len, false);
		if (len >= TAIL_FROM)
			patterns_add(p, xformat("%.*s~tail", (int)(tab - line), line),
			    tab + 1 + FREED, len - FREED, true);
	}
	return p->count > 0 && *line == '\0';
}

/* How often a pattern begins in data[0..begins) and lies in data[0..len). */
static size_t
count(const char *data, size_t begins, size_t len, const struct pattern *pattern)
{
	const char *at = data;
	size_t n = 0;

	while ((size_t)(at - data) < begins &&
	    (at = memchr(at, pattern->text[0], begins - (size_t)(at - data))) != NULL) {
		if (len - (size_t)(at - data) >= pattern->len &&
		    memcmp(at, pattern->text, pattern->len) == 0)
			n++;
		at++;
	}
	return n;
}

static void
scan(struct patterns *p, enum place place, const char *data, size_t begins, size_t len)
{
	size_t i;

	for (i = 0; i < p->count; i++)
		p->list[i].found[place] += count(data, begins, len, &p->list[i]);
}

/* In pieces that overlap by the longest pattern.  Pages that cannot be read are passed over. */
static size_t
scan_mapping(struct patterns *p, int mem, off_t low, off_t high, enum place place)
{
	static char data[CHUNK];
	size_t bytes = 0;
	off_t at = low;

	while (at < high) {
		size_t want = high - at < CHUNK ? (size_t)(high - at) : CHUNK, begins;
		ssize_t got = pread(mem, data, want, at);

		if (got <= 0) {
			at = (at / PAGE + 1) * PAGE;
			continue;
		}
		begins = (size_t)got;
		if (at + got < high && begins > p->longest)
			begins -= p->longest;   /* the rest begins the next piece */
		scan(p, place, data, begins, (size_t)got);
		bytes += begins;
		at += (off_t)begins;
	}
	return bytes;
}

static int
open_of(const char *pid, const char *what)
{
	char *path = xformat("/proc/%s/%s", pid, what);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		fprintf(stderr, "tool_memscan: cannot open %s: %s\n", path, strerror(errno));
	free(path);
	return fd;
}

static bool
scan_file(struct patterns *p, const char *pid, const char *what, enum place place)
{
	struct bytes data = { 0 };
	int fd = open_of(pid, what);
	bool ok = fd >= 0 && bytes_read_fd(&data, fd) == 0;

	if (ok)
		scan(p, place, bytes_text(&data), data.len, data.len);
	if (fd >= 0)
		(void)close(fd);
	bytes_free(&data);
	return ok;
}

static bool
scan_memory(struct patterns *p, const char *pid)
{
	struct bytes maps = { 0 };
	int list = open_of(pid, "maps"), mem = open_of(pid, "mem");
	size_t readable = 0;
	char *line, *end;

	if (list < 0 || mem < 0 || bytes_read_fd(&maps, list) != 0)
		return false;
	for (line = maps.data; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		unsigned long low, high;
		char rights[5];

		*end = '\0';
		if (sscanf(line, "%lx-%lx %4s", &low, &high, rights) != 3 ||
		    strstr(line, "[v") != NULL)
			continue; /* [vvar] and [vsyscall] are the kernel's */
		if (rights[0] == 'r')
			readable += scan_mapping(p, mem, (off_t)low, (off_t)high, READABLE);
		else
			(void)scan_mapping(p, mem, (off_t)low, (off_t)high, NO_ACCESS);
	}
	(void)close(list);
	(void)close(mem);
	bytes_free(&maps);
	return readable > 0;
}

static int
report(struct patterns *p)
{
	bool found = false;
	size_t i, place;

	for (i = 0; i < p->count; i++) {
		struct pattern *pattern = &p->list[i];

		for (place = 0; place < PLACES && pattern->tail; place++)
			pattern->found[place] -= pattern[-1].found[place] < pattern->found[place] ?
			    pattern[-1].found[place] : pattern->found[place];
		printf("%s readable=%zu noaccess=%zu environ=%zu cmdline=%zu\n", pattern->label,
		    pattern->found[READABLE], pattern->found[NO_ACCESS], pattern->found[ENVIRON],
		    pattern->found[CMDLINE]);
		found |= pattern->found[READABLE] > 0 || pattern->found[ENVIRON] > 0 ||
		    pattern->found[CMDLINE] > 0;
	}
	return found ? 1 : 0;
}

int
main(int argc, char *argv[])
{
	struct patterns p = { 0 };
	struct bytes in = { 0 };
	size_t i;
	int code;

	if (argc != 2 || argv[1][strspn(argv[1], "0123456789")] != '\0' ||
	    !patterns_read(&p, &in)) {
		fputs("usage: tool_memscan PID < lines of label<TAB>text\n", stderr);
		code = 2;
	} else if (!scan_memory(&p, argv[1]) || !scan_file(&p, argv[1], "environ", ENVIRON) ||
	    !scan_file(&p, argv[1], "cmdline", CMDLINE)) {
		fprintf(stderr, "tool_memscan: process %s cannot be looked into\n", argv[1]);
		code = 3;
	} else {
		code = report(&p);
	}
	for (i = 0; i < p.count; i++)
		free(p.list[i].label);
	free(p.list);
	bytes_free(&in);
	return code;
}
