#include "records/json_path.h"

#include <stdlib.h>
#include <string.h>

#include "records/jansson_internal.h"

/* One step down: a key of an object, or a number of an array. */
static const json_t *
step(const json_t *at, const char *name)
{
	if (json_is_array(at) && name[strspn(name, "0123456789")] == '\0' && strlen(name) < 10)
		return json_array_get(at, (size_t)strtoul(name, NULL, 10));
	return json_object_get(at, name);
}

static void
put(struct bytes *out, const json_t *value)
{
	char *text;

	if (json_is_string(value)) {
		bytes_add(out, json_string_value(value), json_string_length(value));
		return;
	}
	text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	bytes_str(out, text != NULL ? text : "");
	free(text);
}

const char *
jsonpath_flaw(const char *path)
{
	if (strpbrk(path, "[]") != NULL)
		return "write the number of a list element after a dot: .list.0.name";
	if (*path == '$')
		return "a path must begin with a dot or a name: .db.status";
	path += *path == '.';
	if (*path == '.' || strstr(path, "..") != NULL || (*path != '\0' && path[strlen(path) - 1] == '.'))
		return "a name is missing between two dots or after the last one";
	return NULL;
}

bool
jsonpath_get(const char *json, size_t len, const char *path, struct bytes *out, const char **why)
{
	static const char mark[] = "\xEF\xBB\xBF";
	size_t skip = len >= 3 && memcmp(json, mark, 3) == 0 ? 3 : 0;
	json_t *all = jansson_read(json + skip, len - skip, JSON_DECODE_ANY, NULL);
	const json_t *at = all;
	size_t part;

	*why = all == NULL ? "the body is not JSON" : "it is not there";
	for (path += *path == '.'; at != NULL && *path != '\0'; path += part + (path[part] == '.')) {
		char *name;

		part = strcspn(path, ".");
		name = xstrndup(path, part);
		at = step(at, name);
		free(name);
	}
	if (at != NULL)
		put(out, at);
	json_decref(all);
	return at != NULL;
}
