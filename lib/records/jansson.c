#include "records/jansson_internal.h"

#include <stdlib.h>

#include "base/bytes.h"

json_t *
jansson_read(const char *text, size_t len, size_t flags, json_error_t *why)
{
	json_set_alloc_funcs(xmalloc, free);
	return json_loadb(text, len, flags, why);
}
