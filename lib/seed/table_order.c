/* Which table comes first: what others point at; a circle is one unit. */
#include "seed/table_internal.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

static size_t
index_of(const struct seed_tables *tables, const char *oid)
{
	size_t i;

	for (i = 0; i < tables->count && strcmp(tables->tables[i].oid, oid) != 0; i++)
		;
	return i;
}

/* points[i * n + j]: whether i points at j, by any way. */
static bool *
find_links(const struct seed_tables *tables)
{
	const struct answer *a = tables->answers[3];
	size_t n = tables->count, rows = answer_rows(a), i, j, k;
	bool *points = xcalloc(n * n + 1, sizeof *points);

	for (i = 0; i < rows; i++)
		points[index_of(tables, answer_word(a, i, 0)) * n + index_of(tables, answer_word(a, i, 1))] =
		    true;
	for (k = 0; k < n; k++)
		for (i = 0; i < n; i++)
			for (j = 0; points[i * n + k] && j < n; j++)
				points[i * n + j] |= points[k * n + j];
	return points;
}

/* What a table points at comes before it; tables that point at each other come together, and are one unit. */
void
table_order(struct seed_tables *tables)
{
	size_t n = tables->count, placed = 0, unit = 0, i, j;
	bool *points = find_links(tables), *done = xcalloc(n + 1, sizeof *done);
	struct seed_table *ordered = xcalloc(n + 1, sizeof *ordered);

	while (placed < n) {
		for (i = 0; i < n; i++) {
			bool ready = !done[i];

			for (j = 0; ready && j < n; j++)
				ready = !points[i * n + j] || done[j] || points[j * n + i];
			if (ready)
				break;
		}
		unit++;
		for (j = 0; j < n; j++) {
			if (j != i && !(points[i * n + j] && points[j * n + i]))
				continue;
			ordered[placed] = tables->tables[j];
			ordered[placed++].unit = unit;
			done[j] = true;
		}
	}
	free(tables->tables);
	tables->tables = ordered;
	free(points);
	free(done);
}
