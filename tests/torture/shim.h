/* What the parts of the shim share; see shim.c. */
#ifndef TORTURE_SHIM_H
#define TORTURE_SHIM_H

#include <string.h>

enum { KIND_NEAR, KIND_LIBC, KIND_FAR, KIND_MAP, KIND_PQ, KIND_CURL, KIND_MEMORY, KINDS };

/* Counts a call, and says whether it is the one that has to fail. */
int torture(int kind, const char *what, const void *caller);

/* The library's own function.  The library is loaded after us, and is not in our own search list. */
void *torture_next(const char *library, const char *name);

/* Defines a function of a library that fails once, with this value. */
#define TORTURE_FAILS(kind, library, type, name, parameters, arguments, failure) \
	type name parameters \
	{ \
		static type(*real) parameters; \
		void *found; \
\
		if (real == NULL) { \
			found = torture_next(library, #name); \
			memcpy(&real, &found, sizeof real); \
		} \
		return torture(kind, #name, __builtin_return_address(0)) ? (failure) : real arguments; \
	}

#endif
