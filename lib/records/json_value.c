#include "records/json_value.h"

#include <jansson.h>
#include <string.h>

static json_t *
load(const char *text)
{
	return json_loadb(text, strlen(text), JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
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
