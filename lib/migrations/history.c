#include "migrations/history.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "migrations/folder.h"
#include "migrations/history_internal.h"
#include "records/record.h"

void
history_new_id(char id[HISTORY_ID])
{
	/* asking the system for each costs more than the rest of a small migration */
	static unsigned char random[64][16];
	static size_t left;

	if (left == 0) {
		randombytes_buf(random, sizeof random);
		left = sizeof random / sizeof *random;
	}
	history_format_id(random[--left], id);
}

void
history_format_id(unsigned char b[16], char id[HISTORY_ID])
{
	b[6] = (unsigned char)((b[6] & 0x0F) | 0x40); /* version 4 */
	b[8] = (unsigned char)((b[8] & 0x3F) | 0x80); /* RFC 4122 */
	snprintf(id, HISTORY_ID, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
	    b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

bool
history_row_counts(const struct history_row *row)
{
	return row->rolled_back_at == NULL;
}

bool
history_row_unfinished(const struct history_row *row)
{
	return row->rolled_back_at == NULL && row->finished_at == NULL;
}

/* By name; rows of one name stay as they are ordered, by time. */
static int
compare_rows(const void *a, const void *b)
{
	const struct history_row *x = *(const struct history_row *const *)a;
	const struct history_row *y = *(const struct history_row *const *)b;
	int order = strcmp(x->migration, y->migration);

	return order != 0 ? order : x < y ? -1 : x > y;
}

struct history_index
history_index(const struct history_row *rows, size_t count)
{
	struct history_index index = { xcalloc(count, sizeof *index.rows), count };
	size_t i;

	for (i = 0; i < count; i++)
		index.rows[i] = &rows[i];
	qsort(index.rows, count, sizeof *index.rows, compare_rows);
	return index;
}

void
history_index_free(struct history_index *index)
{
	free(index->rows);
	*index = (struct history_index){ 0 };
}

/* The first row of a name or behind it. */
static size_t
lower_bound(const struct history_index *index, const char *migration)
{
	size_t low = 0, high = index->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(index->rows[middle]->migration, migration) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct history_row *
history_find(const struct history_index *index, const char *migration, size_t *runs)
{
	const struct history_row *found = NULL, *row;
	size_t first = lower_bound(index, migration), i;

	for (i = first; i < index->count; i++) {
		row = index->rows[i];
		if (strcmp(row->migration, migration) != 0)
			break;
		if (history_row_counts(row) &&
		    (found == NULL || !history_row_unfinished(found) || history_row_unfinished(row)))
			found = row;
	}
	if (runs != NULL)
		*runs = i - first;
	return found;
}

void
history_digest(const struct history_row *rows, size_t count,
    bool (*leave_out)(const struct history_row *, const void *), const void *context,
    char hex[RECORD_DIGEST_HEX])
{
	struct writer *writer = writer_digest_only(NULL);
	size_t i;

	for (i = 0; i < count; i++)
		if (!history_row_unfinished(&rows[i]) && (leave_out == NULL || !leave_out(&rows[i], context)))
			writer_put(writer, &history_form, &rows[i]);
	writer_digest(writer, hex);
	writer_end(writer, 0);
}

static int
compare_ids(const void *a, const void *b)
{
	const struct history_row *x = *(const struct history_row *const *)a;
	const struct history_row *y = *(const struct history_row *const *)b;

	return strcmp(x->id, y->id);
}

void
history_sha256(const struct history_row *rows, size_t count, char hex[HISTORY_SHA256])
{
	struct history_index index = history_index(rows, count);
	struct bytes text = { 0 };
	size_t i;

	if (index.count > 0)
		qsort(index.rows, index.count, sizeof *index.rows, compare_ids);
	for (i = 0; i < index.count; i++) {
		const struct history_row *r = index.rows[i];

		bytes_format(&text, "%s\t%s\t%s\t%d\t%d\n", r->id, r->migration, r->checksum != NULL ? r->checksum : "", r->finished_at != NULL,
		    r->rolled_back_at != NULL);
	}
	migration_checksum(bytes_text(&text), text.len, hex);
	bytes_free(&text);
	history_index_free(&index);
}
