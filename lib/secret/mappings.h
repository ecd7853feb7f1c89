/*
 * The memory of this process that can be written: where copies of a secret may be.
 */
#ifndef MIG_SECRET_MAPPINGS_H
#define MIG_SECRET_MAPPINGS_H

/*
 * Shows it part by part, [low, high).  Neither stdio nor malloc() are used, so that nothing moves meanwhile.
 *
 * By /proc/self/maps, which has all of it.  Where /proc is not mounted (an empty container, some sandboxes): the data of
 * the program and its libraries, the heap as far down as it is mapped, and the stack; not what malloc() or others had
 * mapped apart from these, which are blocks above 128 KB and the heaps of other threads.
 */
void mappings_writable(void (*see)(char *low, char *high, void *context), void *context);

#endif
