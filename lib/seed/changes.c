#include "seed/changes.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "records/model.h"
#include "records/record.h"
#include "seed/page.h"
#include "seed/upsert.h"

/* A change, for records and for people.  Where it is kept, it owns its texts. */
struct change {
	struct row_change row;
	const char *shown_key, *shown;
};

static void
tell(struct changes *changes, const struct change *change)
{
	struct bytes line = { 0 };

	if (changes->out->writer != NULL)
		writer_put(changes->out->writer, &row_form, &change->row);
	if (changes->out->page) {
		bytes_str(&line, changes->any ? "" : "\n");
		seed_face_change(&line, change->row.change, change->row.table, change->shown_key, change->shown);
		output_page(&line);
	}
	changes->any = true;
	bytes_free(&line);
}

/* Each text of a change: to be copied, or freed. */
static void
each_text(struct change *change, bool copy)
{
	const char **texts[] = { &change->row.schema, &change->row.table, &change->row.change, &change->row.key,
		&change->row.old, &change->row.new, &change->row.secret, &change->shown_key, &change->shown };
	size_t i;

	for (i = 0; i < sizeof texts / sizeof *texts; i++) {
		if (copy)
			*texts[i] = *texts[i] != NULL ? xstrdup(*texts[i]) : NULL;
		else
			free((char *)(uintptr_t)*texts[i]);
	}
}

void
changes_take(void *context, const struct seed_table *table, const struct answer *row)
{
	struct changes *changes = context;
	struct change change = { { .schema = table->sql.schema,
		                     .table = table->sql.table,
		                     .change = answer_word(row, 0, UPSERT_CHANGE),
		                     .key = answer_word(row, 0, UPSERT_KEY),
		                     .old = answer_text(row, 0, UPSERT_OLD),
		                     .new = answer_text(row, 0, UPSERT_NEW_VALUES),
		                     .secret = answer_text(row, 0, UPSERT_NEW_VALUES) != NULL ? table->secret_names : NULL },
		answer_word(row, 0, UPSERT_SHOWN_KEY), answer_word(row, 0, UPSERT_SHOWN) };

	if (!changes->keep) {
		tell(changes, &change);
		return;
	}
	each_text(&change, true);
	ARRAY_ROOM(changes->kept, changes->count, changes->cap);
	changes->kept[changes->count++] = change;
}

void
changes_forget(void *context)
{
	struct changes *changes = context;

	while (changes->count > 0)
		each_text(&changes->kept[--changes->count], false);
}

void
changes_tell_kept(struct changes *changes)
{
	size_t i;

	for (i = 0; i < changes->count; i++)
		tell(changes, &changes->kept[i]);
}

void
changes_free(struct changes *changes)
{
	changes_forget(changes);
	free(changes->kept);
	*changes = (struct changes){ 0 };
}
