#include "records/json_value.h"

#include <string.h>

#include "records/jansson_internal.h"

/* A whole number that no long long holds is read as another number. */
static json_t *
load(const char *text)
{
	const size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
	json_t *json = jansson_read(text, strlen(text), flags, NULL);

	return json != NULL ? json : jansson_read(text, strlen(text), flags | JSON_DECODE_INT_AS_REAL, NULL);
}

bool
json_is_valid(const char *text)
{
	json_t *json = load(text);

	json_decref(json);
	return json != NULL;
}

bool
json_is_same(const char *a, const char *b)
{
	json_t *x = load(a), *y = load(b);
	bool same = x == NULL || y == NULL || json_equal(x, y);

	json_decref(x);
	json_decref(y);
	return same;
}
