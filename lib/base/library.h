/*
 * Shared libraries that are loaded on the first call of one of their functions.  libpq and libcurl pull in some
 * two dozen more libraries each, and loading those takes longer than everything else in a run that finds nothing
 * to do.
 *
 * A library that is loaded this way is not in the program's NEEDED entries.  LIBRARY_NOTE() tells packagers and
 * image builders about it: it puts a note into section .note.dlopen (ELF dlopen metadata specification) of every
 * program that links the file it stands in; `readelf -n` shows it.
 *
 * With -DMIG_LINK (`make LINK=1`, `make static`) the libraries are linked as usual, and nothing in this file is
 * used.
 */
#ifndef MIG_BASE_LIBRARY_H
#define MIG_BASE_LIBRARY_H

#include <stddef.h>
#include <stdint.h>

/* The file name of a library: LIBRARY_FILE("libpq", "5"). */
#ifdef __APPLE__
#define LIBRARY_FILE(name, number) name "." number ".dylib"
#else
#define LIBRARY_FILE(name, number) name ".so." number
#endif

struct library {
	const char *file;    /* flags for dlopen() */
	const char *package; /* libpq.so.5 */
	int mode;            /* Debian's: libpq5 */
};

struct library_function {
	const char *name;
	void *place; /* points to the function pointer to set */
};

/*
 * Loads the library and resolves all functions at once, so that a missing one is found before any work begins.
 * Returns 0, or MIG_CONFIG with the error reported.
 */
int library_load(const struct library *library, const struct library_function functions[], size_t count);

/* LIBRARY_NOTE("libpq.so.5", "postgresql", "required"): priority is required, recommended or suggested. */
#define LIBRARY_NOTE(file, feature, priority) \
	LIBRARY_NOTE_JSON("[{\"feature\":\"" feature "\",\"priority\":\"" priority "\",\"soname\":[\"" file "\"]}]")
#ifdef __ELF__
#define LIBRARY_NOTE_JSON(json)                                                                   \
	static const struct {                                                                     \
		uint32_t owner_size, size, type;                                                  \
		char owner[4];                                                                    \
		_Alignas(uint32_t) char text[sizeof(json)];                                       \
	} library_note __attribute__((used, aligned(4), section(".note.dlopen"))) = { 4, sizeof(json), 0x407c0c0a, "FDO", json }
#else
#define LIBRARY_NOTE_JSON(json) extern int library_note
#endif

#endif
