/* What the parts of the shim share; see shim.c. */
#ifndef TORTURE_SHIM_H
#define TORTURE_SHIM_H

enum { KIND_NEAR, KIND_LIBC, KIND_FAR, KIND_MAP, KIND_PQ, KIND_MEMORY, KINDS };

/* Counts a call, and says whether it is the one that has to fail. */
int torture(int kind, const char *what, const void *caller);

#endif
