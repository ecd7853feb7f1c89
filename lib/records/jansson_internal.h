/*
 * jansson's reader; private to the files of this folder that use jansson.
 */
#ifndef MIG_RECORDS_JANSSON_INTERNAL_H
#define MIG_RECORDS_JANSSON_INTERNAL_H

#include <jansson.h>
#include <stddef.h>

/*
 * json_loadb(), with memory of base/bytes.h: jansson says NULL of what is not JSON and of what there is no memory for, and the
 * one must not be taken for the other.
 */
json_t *jansson_read(const char *text, size_t len, size_t flags, json_error_t *why);

#endif
