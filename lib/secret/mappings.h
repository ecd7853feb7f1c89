/*
 * Enumerates the writable memory of this process, where copies of a secret may be.
 */
#ifndef MIG_SECRET_MAPPINGS_H
#define MIG_SECRET_MAPPINGS_H

/*
 * Calls `see` for each part, [low, high).  Uses neither stdio nor malloc(), so that nothing moves during the walk.
 *
 * Reads /proc/self/maps, which lists everything.  If /proc is not mounted (an empty container, some sandboxes),
 * covers the data of the program and its libraries, the heap as far down as it is mapped, and the stack.  It then
 * misses separate mappings: malloc() blocks above 128 KB and the heaps of other threads.
 */
void mappings_writable(void (*see)(char *low, char *high, void *context), void *context);

#endif
