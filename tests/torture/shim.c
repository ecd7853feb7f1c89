/*
 * Put in front of a program (LD_PRELOAD), this makes one call fail: the TORTURE_N-th of those that TORTURE_KIND names.
 *
 *   near     allocations of the program, of jansson, libsodium and nettle
 *   libc     allocations of the C library, made for whoever called it
 *   far      those of all other libraries: libpq, libcurl, TLS
 *   memory   any of these three
 *   map      memory mapped or locked by libsodium
 *   pq       functions of libpq, each with what its manual says of a failure (calls_libpq.c)
 *   curl     the same of libcurl (calls_libcurl.c)
 *
 * With TORTURE_ON=1 every call from the N-th on fails.  TORTURE_PROGRAM: only the program of this name; the others run as they
 * are.  TORTURE_MARK: a file that is created at the failure, with the name of what failed, and who called.  Where it is there,
 * nothing fails: so in a family of processes one call does.  TORTURE_COUNT: a file to which each process appends
 * "KIND NUMBER" at its end, for all kinds.
 */
#define _GNU_SOURCE
#include "shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *const kind_words[KINDS] = { "near", "libc", "far", "map", "pq", "curl", "memory" };

static atomic_long calls[KINDS];
static int kind = -1;
static long fail_at;
static int fail_on; /* 1: all further ones, too */
static const char *mark, *count;
static int ready, marked;

/* --- who calls --- */

struct range {
	uintptr_t low, high;
	int kind;
};

static struct range ranges[128];
static int range_count;
static unsigned long long ranges_of; /* how many objects had been loaded when they were read */

static int
kind_of_object(const char *path)
{
	const char *name = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;

	if (*name == '\0' || strncmp(name, "libjansson", 10) == 0 || strncmp(name, "libsodium", 9) == 0 || strncmp(name, "libnettle", 9) == 0)
		return KIND_NEAR;
	if (strncmp(name, "libc.so", 7) == 0 || strncmp(name, "libm.so", 7) == 0)
		return KIND_LIBC;
	return KIND_FAR;
}

static int
add_object(struct dl_phdr_info *info, size_t size, void *unused)
{
	int i;

	(void)size, (void)unused;
	ranges_of = info->dlpi_adds;
	for (i = 0; i < info->dlpi_phnum && range_count < 128; i++)
		if (info->dlpi_phdr[i].p_type == PT_LOAD && (info->dlpi_phdr[i].p_flags & PF_X)) {
			uintptr_t low = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;

			ranges[range_count++] = (struct range){ low, low + info->dlpi_phdr[i].p_memsz, kind_of_object(info->dlpi_name) };
		}
	return 0;
}

static int
kind_of_caller(const void *caller)
{
	int again, i;

	for (again = 0; again < 2; again++) {
		for (i = 0; i < range_count; i++)
			if ((uintptr_t)caller >= ranges[i].low && (uintptr_t)caller < ranges[i].high)
				return ranges[i].kind;
		range_count = 0;
		(void)dl_iterate_phdr(add_object, NULL);
	}
	return KIND_FAR;
}

/* --- whether this one fails --- */

/* No stdio here: it allocates. */
static int
make_mark(const char *what, const void *caller)
{
	char line[256];
	Dl_info info = { 0 };
	int fd, len;

	if (marked)
		return 1;
	if (mark == NULL)
		return marked = 1;
	if ((fd = open(mark, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)) < 0)
		return 0;
	marked = 1;
	(void)dladdr(caller, &info);
	len = snprintf(line, sizeof line, "%s %s+0x%lx\n", what, info.dli_fname != NULL ? info.dli_fname : "?",
	    (unsigned long)((uintptr_t)caller - (uintptr_t)info.dli_fbase));
	if (write(fd, line, (size_t)len) < 0)
		abort();
	(void)close(fd);
	return 1;
}

int
torture(int which, const char *what, const void *caller)
{
	static __thread int inside;
	long n, of_all;
	int fails = 0;

	if (!ready || inside || (which >= KIND_PQ && kind_of_caller(caller) != KIND_NEAR))
		return 0;
	inside = 1;
	n = atomic_fetch_add(&calls[which], 1) + 1;
	of_all = which <= KIND_FAR ? atomic_fetch_add(&calls[KIND_MEMORY], 1) + 1 : 0;
	if (kind == KIND_MEMORY)
		n = of_all;
	if ((which == kind || (kind == KIND_MEMORY && of_all > 0)) && (n == fail_at || (fail_on && n > fail_at && marked)))
		fails = make_mark(what, caller);
	inside = 0;
	return fails;
}

static void
say_counts(void)
{
	char text[256];
	int i, len = 0, fd;

	if (count == NULL || (fd = open(count, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666)) < 0)
		return;
	for (i = 0; i < KINDS; i++)
		len += snprintf(text + len, sizeof text - (size_t)len, "%s %ld\n", kind_words[i], atomic_load(&calls[i]));
	if (write(fd, text, (size_t)len) < 0)
		abort();
	(void)close(fd);
}

__attribute__((constructor)) static void
begin(void)
{
	const char *program = getenv("TORTURE_PROGRAM"), *word = getenv("TORTURE_KIND"), *n = getenv("TORTURE_N");
	int i;

	if (program != NULL && strcmp(program, program_invocation_short_name) != 0)
		return;
	for (i = 0; i < KINDS; i++)
		if (word != NULL && strcmp(word, kind_words[i]) == 0)
			kind = i;
	fail_at = n != NULL ? atol(n) : 0;
	fail_on = getenv("TORTURE_ON") != NULL;
	mark = getenv("TORTURE_MARK");
	count = getenv("TORTURE_COUNT");
	/* what the program does with its environment is its own affair */
	mark = mark != NULL ? strdup(mark) : NULL;
	count = count != NULL ? strdup(count) : NULL;
	ready = 1;
}

__attribute__((destructor)) static void
end(void)
{
	if (ready)
		say_counts();
}

/* --- libraries that are loaded when they are needed --- */

void *
torture_next(const char *library, const char *name)
{
	void *opened = dlopen(library, RTLD_LAZY | RTLD_NOLOAD), *found = opened != NULL ? dlsym(opened, name) : NULL;

	if (found == NULL)
		abort();
	(void)dlclose(opened);
	return found;
}

/* --- memory --- */

#define REAL(name, type) \
	static __typeof__(type) real; \
	if (real == NULL) { \
		void *found = dlsym(RTLD_NEXT, name); \
		memcpy(&real, &found, sizeof real); \
	}
#define CALLER __builtin_return_address(0)

static int
no_memory(const char *what, const void *caller)
{
	if (!ready || !torture(kind_of_caller(caller), what, caller))
		return 0;
	errno = ENOMEM;
	return 1;
}

/* dlsym() itself allocates, once, before malloc is known. */
static char early[4096];
static size_t early_used;

static void *
early_room(size_t size)
{
	void *room = early + early_used;

	early_used += (size + 15) & ~(size_t)15;
	if (early_used > sizeof early)
		abort();
	return room;
}

void *
malloc(size_t size)
{
	static __thread int looking;
	static void *(*real)(size_t);

	if (real == NULL) {
		void *found;

		if (looking)
			return early_room(size);
		looking = 1;
		found = dlsym(RTLD_NEXT, "malloc");
		memcpy(&real, &found, sizeof real);
		looking = 0;
	}
	return no_memory("malloc", CALLER) ? NULL : real(size);
}

void *
calloc(size_t n, size_t size)
{
	static __thread int looking;
	static void *(*real)(size_t, size_t);

	if (real == NULL) {
		void *found;

		if (looking)
			return early_room(n * size);
		looking = 1;
		found = dlsym(RTLD_NEXT, "calloc");
		memcpy(&real, &found, sizeof real);
		looking = 0;
	}
	return no_memory("calloc", CALLER) ? NULL : real(n, size);
}

void *
realloc(void *old, size_t size)
{
	REAL("realloc", void *(*)(void *, size_t))
	return no_memory("realloc", CALLER) ? NULL : real(old, size);
}

int
posix_memalign(void **place, size_t alignment, size_t size)
{
	REAL("posix_memalign", int (*)(void **, size_t, size_t))
	return no_memory("posix_memalign", CALLER) ? ENOMEM : real(place, alignment, size);
}

void
free(void *old)
{
	REAL("free", void (*)(void *))
	if ((char *)old < early || (char *)old >= early + sizeof early)
		real(old);
}

void *
mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	REAL("mmap", void *(*)(void *, size_t, int, int, int, off_t))
	if (ready && kind_of_caller(CALLER) == KIND_NEAR && torture(KIND_MAP, "mmap", CALLER)) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	return real(at, size, protection, flags, fd, offset);
}

int
mlock(const void *at, size_t size)
{
	REAL("mlock", int (*)(const void *, size_t))
	if (torture(KIND_MAP, "mlock", CALLER)) {
		errno = ENOMEM;
		return -1;
	}
	return real(at, size);
}

int
mprotect(void *at, size_t size, int protection)
{
	REAL("mprotect", int (*)(void *, size_t, int))
	if (ready && kind_of_caller(CALLER) == KIND_NEAR && torture(KIND_MAP, "mprotect", CALLER)) {
		errno = ENOMEM;
		return -1;
	}
	return real(at, size, protection);
}
