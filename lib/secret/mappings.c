#define _GNU_SOURCE /* dl_iterate_phdr, mincore, sbrk */
#include "secret/mappings.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef __linux__
#include <link.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#endif

struct view {
	void (*see)(char *low, char *high, void *context);
	void *context;
};

/* "55d0c8a00000-55d0c8a21000 rw-p ...": guarded memory is r--p or ---p. */
static void
see_line(const struct view *view, const char *line)
{
	char *rest;
	uintptr_t low = (uintptr_t)strtoull(line, &rest, 16);
	uintptr_t high = (uintptr_t)strtoull(rest + 1, &rest, 16);

	if (strncmp(rest, " rw-p", 5) == 0)
		view->see((char *)low, (char *)high, view->context);
}

static void
see_map(const struct view *view, int fd)
{
	static char map[8192];
	size_t len = 0;
	ssize_t got;

	while ((got = read(fd, map + len, sizeof map - 1 - len)) > 0) {
		char *line = map, *end;

		len += (size_t)got;
		map[len] = '\0';
		for (; (end = strchr(line, '\n')) != NULL; line = end + 1)
			see_line(view, line);
		len -= (size_t)(line - map);
		memmove(map, line, len);
		if (len == sizeof map - 1)
			len = 0; /* no line is that long */
	}
}

#ifdef __linux__
extern char _end[]; /* the linker's: of the program's own data */

static int
see_segments(struct dl_phdr_info *info, size_t size, void *context)
{
	const struct view *view = context;
	size_t i;

	(void)size;
	for (i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		char *low = (char *)(uintptr_t)(info->dlpi_addr + segment->p_vaddr);

		if (segment->p_type == PT_LOAD && (segment->p_flags & PF_W) != 0)
			view->see(low, low + segment->p_memsz, view->context);
	}
	return 0;
}

/* From the page of `at` downwards as far as it is mapped, but not below limit. */
static char *
lowest_mapped(const char *at, const char *limit)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), low = (uintptr_t)at / page * page;
	unsigned char resident;

	while (low >= (uintptr_t)limit + page && mincore((void *)(low - page), page, &resident) == 0)
		low -= page;
	return (char *)low;
}

static void
see_without_proc(const struct view *view)
{
	char here, *top = sbrk(0);
	const char *name = (const char *)(uintptr_t)getauxval(AT_EXECFN); /* the last string above the stack */

	(void)dl_iterate_phdr(see_segments, (void *)(uintptr_t)view);
	if (top != (char *)-1) /* below it may be the program's data, which was shown, and then its text */
		view->see(lowest_mapped(top - 1, top > _end ? _end : NULL), top, view->context);
	if (name > &here)
		view->see(lowest_mapped(&here, NULL), (char *)(uintptr_t)name + strlen(name), view->context);
}
#endif

void
mappings_writable(void (*see)(char *low, char *high, void *context), void *context)
{
	struct view view = { see, context };
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		see_map(&view, fd);
		(void)close(fd);
		return;
	}
#ifdef __linux__
	see_without_proc(&view);
#endif
}
