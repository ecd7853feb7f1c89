/*
 * Shared libraries that are loaded when the first of their functions is called: libpq and libcurl bring some two
 * dozen others with them each, and loading those takes longer than all else that a program does that finds nothing to do.
 *
 * What is loaded so is in no NEEDED entry of a program.  LIBRARY_NOTE() says it to packagers and image builders: it
 * puts a note into .note.dlopen, by the ELF dlopen metadata specification, of every program that holds the file
 * in which it stands (`readelf -n`).
 *
 * With -DMIG_LINK (`make LINK=1`, `make static`) the libraries are linked as usual, and nothing of this is used.
 */
#ifndef MIG_BASE_LIBRARY_H
#define MIG_BASE_LIBRARY_H

#include <stddef.h>
#include <stdint.h>

/* What a library is called here: LIBRARY_FILE("libpq", "5"). */
#ifdef __APPLE__
#define LIBRARY_FILE(name, number) name "." number ".dylib"
#else
#define LIBRARY_FILE(name, number) name ".so." number
#endif

struct library {
	const char *file;    /* libpq.so.5 */
	const char *package; /* of Debian: libpq5 */
	int mode;            /* of dlopen() */
};

struct library_function {
	const char *name;
	void *place; /* of a pointer to a function, which gets its address */
};

/*
 * Loads the library and finds all functions at once, so that what is missing is found out before anything is done.
 * Returns 0, or MIG_CONFIG once it has been said.
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
