#include "seed/overlay_row.h"

#include <string.h>

/* The value of a column, or NULL. */
static const struct row_value *
value_of(const struct row_value *values, size_t count, const char *name)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (strcmp(values[i].name, name) == 0)
			return &values[i];
	return NULL;
}

size_t
overlay_row(const struct row_value *base, size_t base_count, const struct row_value *over, size_t over_count,
    const struct seed_names *key, struct overlay_value *out)
{
	size_t count = 0, i;

	for (i = 0; i < base_count; i++)
		out[count++] = (struct overlay_value){ &base[i],
			seed_names_have(key, base[i].name) ? NULL : value_of(over, over_count, base[i].name) };
	for (i = 0; i < over_count; i++)
		if (value_of(base, base_count, over[i].name) == NULL)
			out[count++] = (struct overlay_value){ NULL, &over[i] };
	return count;
}
