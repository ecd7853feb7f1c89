/*
 * Compares JSON texts by value, for defaults of JSON columns.
 */
#ifndef MIG_RECORDS_JSON_VALUE_H
#define MIG_RECORDS_JSON_VALUE_H

#include <stdbool.h>

bool json_is_valid(const char *text);

/* Whether two texts are the same value.  Also true if either of them is not JSON. */
bool json_is_same(const char *a, const char *b);

#endif
