#include "seed/page.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/null.h"
#include "base/page.h"
#include "base/width.h"

void
seed_face_change(struct bytes *out, const char *change, const char *table, const char *key, const char *values)
{
	struct bytes name = { 0 };

	bytes_str(out, *change == 'd' ? PAGE_RED : *change == 'i' ? PAGE_GREEN : PAGE_YELLOW);
	page_pad(out, change, 8);
	bytes_str(out, PAGE_PLAIN);
	bytes_sql_name(&name, table);
	page_pad(out, name.data, 15);
	page_pad(out, key, *values != '\0' ? 24 : 0);
	bytes_str(out, values);
	while (out->data[out->len - 1] == ' ')
		out->data[--out->len] = '\0';
	bytes_char(out, '\n');
	bytes_free(&name);
}

/* "2,114" to the right of a column; "-" where it is not known. */
static void
add_number(struct bytes *out, long long number, size_t width)
{
	char text[48], plain[32];
	size_t len, i, n = 0;

	snprintf(plain, sizeof plain, "%lld", number);
	len = number == NUMBER_UNKNOWN ? 0 : strlen(plain);
	for (i = 0; i < len; i++) {
		text[n++] = plain[i];
		if ((len - i) % 3 == 1 && i + 1 < len)
			text[n++] = ',';
	}
	if (len == 0)
		text[n++] = '-';
	text[n] = '\0';
	bytes_format(out, "%*s", (int)width, text);
}

static size_t
name_width(const struct seeded *seeded, size_t count, size_t columns)
{
	enum { OTHERS = 1 + 9 + 4 * 10 + 10 }; /* the columns next to the names */
	size_t width = 20, i;

	for (i = 0; i < count; i++)
		if (width_columns(seeded[i].file, strlen(seeded[i].file)) > width)
			width = width_columns(seeded[i].file, strlen(seeded[i].file));
	return page_name_width(width, columns, OTHERS);
}

void
seed_face_files(struct bytes *out, const struct seeded *seeded, size_t count, bool pruned, bool full,
    size_t columns)
{
	size_t width = name_width(seeded, count, columns), i;

	page_pad(out, "file", width + 1);
	bytes_format(out, "%9s%10s%10s%s%10s   only in the table\n", "rows", "insert", "update",
	    pruned ? "    delete" : "", "same");
	for (i = 0; i < count; i++) {
		const struct seeded *s = &seeded[i];

		page_pad_cut(out, s->file, width, width + 1);
		add_number(out, s->rows_read, 9);
		add_number(out, s->rows_inserted, 10);
		add_number(out, s->rows_updated, 10);
		if (pruned)
			add_number(out, s->rows_deleted, 10);
		add_number(out, s->rows_unchanged, 10);
		if (s->table == NULL) {
			bytes_str(out, s->dry_run && !full ? "   SQL: not run in a dry run, effect unknown" : "   SQL");
		} else {
			bytes_str(out, "   ");
			add_number(out, s->rows_only_in_table, 1);
			bytes_str(out, s->rows_only_in_table > 0 ? "   stays" : "");
		}
		bytes_char(out, '\n');
	}
}

struct sums {
	long long inserted, updated, deleted, same;
};

static struct sums
add_up(const struct seeded *seeded, size_t count)
{
	struct sums sums = { 0 };
	size_t i;

	for (i = 0; i < count; i++) {
		if (seeded[i].table == NULL)
			continue;
		sums.inserted += seeded[i].rows_inserted;
		sums.updated += seeded[i].rows_updated;
		sums.deleted += seeded[i].rows_deleted;
		sums.same += seeded[i].rows_unchanged;
	}
	return sums;
}

static void
add_sum(struct bytes *out, long long number, const char *word)
{
	add_number(out, number, 1);
	bytes_format(out, " %s%s, ", word, number == 1 ? "" : "s");
}

void
seed_face_sum(struct bytes *out, const struct seeded *seeded, size_t count)
{
	struct sums sums = add_up(seeded, count);

	add_sum(out, sums.inserted, "insert");
	add_sum(out, sums.updated, "update");
	if (sums.deleted > 0)
		add_sum(out, sums.deleted, "delete");
	add_number(out, sums.same, 1);
	bytes_format(out, " row%s unchanged.", sums.same == 1 ? "" : "s");
}

long long
seed_face_changes(const struct seeded *seeded, size_t count)
{
	struct sums sums = add_up(seeded, count);

	return sums.inserted + sums.updated + sums.deleted;
}
