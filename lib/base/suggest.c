#include "base/suggest.h"

#include <stdbool.h>
#include <string.h>

/* a name may have this many bytes: those of folders, relations and columns have fewer */
#define LONGEST 255
/* and a part of a name that stands for it has at least so many */
#define PART 3

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Damerau and Levenshtein's distance, with swaps of neighbours only; both are LONGEST bytes at most. */
static size_t
distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t rows[3][LONGEST + 1], i, j;
	size_t *before = rows[0], *last = rows[1], *now = rows[2], *spare;

	for (j = 0; j <= b_len; j++)
		before[j] = last[j] = j;
	for (i = 1; i <= a_len; i++) {
		now[0] = i;
		for (j = 1; j <= b_len; j++) {
			size_t same = lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1;

			now[j] = least(least(last[j], now[j - 1]) + 1, last[j - 1] + same);
			if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
				now[j] = least(now[j], before[j - 2] + 1);
		}
		spare = before;
		before = last;
		last = now;
		now = spare;
	}
	return last[b_len];
}

static bool
contains(const char *name, const char *part, size_t len)
{
	size_t i;

	for (; *name != '\0'; name++) {
		for (i = 0; i < len && lower(name[i]) == lower(part[i]);)
			i++;
		if (i == len)
			return true;
	}
	return false;
}

/* The only name with this part; NULL if several or none have it. */
static const char *
containing(const char *part, size_t len, const char *const names[], size_t count)
{
	const char *found = NULL;
	size_t i;

	for (i = 0; i < count && len >= PART; i++) {
		if (!contains(names[i], part, len))
			continue;
		if (found != NULL)
			return NULL;
		found = names[i];
	}
	return found;
}

const char *
suggest_nearest(const char *typed, size_t len, const char *const names[], size_t count)
{
	const char *nearest = NULL;
	size_t best = least(3, len / 3) + 1, i;

	if (len > LONGEST)
		return NULL;
	for (i = 0; i < count; i++) {
		size_t name_len = strlen(names[i]), apart;

		/* so many letters are missing or added in any case */
		if (name_len > LONGEST || (name_len > len ? name_len - len : len - name_len) >= best)
			continue;
		apart = distance(typed, len, names[i], name_len);
		if (apart < best) {
			best = apart;
			nearest = names[i];
		}
	}
	return nearest != NULL ? nearest : containing(typed, len, names, count);
}
