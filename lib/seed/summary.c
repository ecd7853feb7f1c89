#include "seed/summary.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/message.h"
#include "base/null.h"
#include "base/terminal.h"
#include "records/model.h"
#include "records/record.h"
#include "seed/file.h"
#include "seed/inputs.h"
#include "seed/page.h"
#include "seed/table.h"

static struct seeded
of_sql(const struct seed_file *file, bool dry_run)
{
	return (struct seeded){ .file = file->name,
		.dry_run = dry_run,
		.rows_read = NUMBER_UNKNOWN,
		.rows_inserted = NUMBER_UNKNOWN,
		.rows_updated = NUMBER_UNKNOWN,
		.rows_unchanged = NUMBER_UNKNOWN,
		.rows_deleted = NUMBER_UNKNOWN,
		.rows_only_in_table = NUMBER_UNKNOWN,
		.took_ms = file->took_ms };
}

static struct seeded
of_table(const struct seed_table *t, const struct summary *summary)
{
	return (struct seeded){ .file = t->file->name,
		.schema = t->sql.schema,
		.table = t->sql.table,
		.dry_run = summary->job->dry_run,
		.rows_read = t->read,
		.rows_inserted = summary->export ? NUMBER_UNKNOWN : t->inserted,
		.rows_updated = summary->export ? NUMBER_UNKNOWN : t->updated,
		.rows_unchanged = summary->export ? NUMBER_UNKNOWN : t->unchanged,
		.rows_deleted = summary->export ? NUMBER_UNKNOWN : t->deleted,
		.rows_only_in_table = summary->export ? NUMBER_UNKNOWN : t->only,
		.took_ms = t->took_ms };
}

/* One line a file, where no page says it. */
static void
say_file(const struct seeded *s, const struct summary *summary)
{
	char span[CLOCK_SPAN];

	clock_span(s->took_ms, span);
	if (summary->export)
		message_info("%s  %lld row%s  %s", s->file, s->rows_read, s->rows_read == 1 ? "" : "s", span);
	else if (s->table == NULL)
		message_info("%s  %s  %s", s->file, s->dry_run && !summary->job->full ? "SQL, not run" : s->dry_run ? "SQL, rolled back" : "seeded", span);
	else if (s->rows_deleted > 0)
		message_info("%s  %lld inserted, %lld updated, %lld deleted, %lld the same  %s", s->file,
		    s->rows_inserted, s->rows_updated, s->rows_deleted, s->rows_unchanged, span);
	else
		message_info("%s  %lld inserted, %lld updated, %lld the same  %s", s->file,
		    s->rows_inserted, s->rows_updated, s->rows_unchanged, span);
}

/* What an environment puts over the base: files, then rows. */
static void
add_overridden(struct bytes *out, const struct seed_input *input, const struct seed_tables *tables)
{
	struct bytes list = { 0 };
	size_t i;

	bytes_str(&list, bytes_text(&input->overridden));
	for (i = 0; i < tables->count; i++)
		bytes_str(&list, bytes_text(&tables->tables[i].file->overridden));
	if (list.len > 0)
		bytes_format(out, "environment %s\n%s\n", input->environment, list.data);
	bytes_free(&list);
}

static void
show(const struct seeded *seeded, size_t count, const struct summary *summary, const struct seed_input *input,
    const struct seed_tables *tables, bool any)
{
	bool dry = summary->job->dry_run;
	struct bytes page = { 0 };

	bytes_str(&page, any ? "\n" : "");
	if (dry)
		add_overridden(&page, input, tables);
	seed_face_files(&page, seeded, count, summary->job->prune, summary->job->full, terminal_page_width(STDOUT_FILENO));
	bytes_char(&page, '\n');
	seed_face_sum(&page, seeded, count);
	bytes_str(&page, dry ? " Nothing has been changed.\n" : "\n");
	if (dry && seed_face_changes(seeded, count) > 0)
		bytes_format(&page, "to do it: %s\n", summary->command);
	output_page(&page);
	bytes_free(&page);
}

void
summary_tell(const struct summary *summary, const struct seed_input *input, const struct seed_tables *tables,
    struct output *out, bool any)
{
	size_t count = input->sql_count + tables->count, i;
	struct seeded *seeded = xcalloc(count + 1, sizeof *seeded);

	for (i = 0; i < input->sql_count; i++)
		seeded[i] = of_sql(&input->files[i], summary->job->dry_run);
	for (i = 0; i < tables->count; i++)
		seeded[input->sql_count + i] = of_table(&tables->tables[i], summary);
	for (i = 0; i < count; i++) {
		if (!out->page || summary->export)
			say_file(&seeded[i], summary);
		if (out->writer != NULL)
			writer_put(out->writer, &seeded_form, &seeded[i]);
	}
	if (out->page && !summary->export)
		show(seeded, count, summary, input, tables, any);
	out->complete = true;
	free(seeded);
}
