/*
 * JSON texts as values: what a default of a JSON column is.
 */
#ifndef MIG_RECORDS_JSON_VALUE_H
#define MIG_RECORDS_JSON_VALUE_H

#include <stdbool.h>

bool json_is_valid(const char *text);

/* Whether two texts are the same value; true where either of them is no JSON. */
bool json_is_same(const char *a, const char *b);

#endif
