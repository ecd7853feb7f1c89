#include "check/check.h"

#include <stdbool.h>

#include "base/bytes.h"
#include "base/null.h"
#include "base/page.h"
#include "records/json.h"
#include "records/model.h"
#include "records/record.h"

struct tally {
	long long rows, inserts, updates, deletes;
	size_t tables, files;
	bool dry_run;
};

static void
add_count(struct bytes *out, const char *between, long long count, const char *what)
{
	if (count > 0)
		bytes_format(out, "%s%lld to %s", out->len > 0 ? between : "", count, what);
}

static void
add_differences(struct bytes *out, long long inserts, long long updates, long long deletes)
{
	struct bytes list = { 0 };

	add_count(&list, ", ", inserts, "insert");
	add_count(&list, ", ", updates, "update");
	add_count(&list, ", ", deletes, "delete");
	bytes_str(out, bytes_text(&list));
	bytes_free(&list);
}

/* Evaluates one file; reports what differs from it. */
static void
weigh(struct check_outcome *outcome, struct tally *tally, const struct seeded *s)
{
	tally->files++;
	tally->dry_run &= s->dry_run;
	if (s->table == NULL || s->rows_inserted == NUMBER_UNKNOWN)
		return;
	tally->tables++;
	tally->rows += s->rows_read;
	tally->inserts += s->rows_inserted;
	tally->updates += s->rows_updated;
	tally->deletes += s->rows_deleted;
	if (s->rows_inserted + s->rows_updated + s->rows_deleted == 0)
		return;
	check_raise(outcome, CHECK_WARNING);
	bytes_format(&outcome->details, "%s  ", s->file);
	add_differences(&outcome->details, s->rows_inserted, s->rows_updated, s->rows_deleted);
	bytes_char(&outcome->details, '\n');
}

static enum reading
read_rows(struct check_outcome *outcome, struct reader *reader, struct tally *tally)
{
	struct record *record;
	enum reading got;
	int code = 0;

	while (code == 0 && (got = reader_next(reader, &record)) == READING_RECORD) {
		struct seeded seeded;

		if (record_is(record, &seeded_form)) {
			code = record_fill(reader, record, &seeded_form, &seeded);
			if (code == 0)
				weigh(outcome, tally, &seeded);
		} else if (!record_is(record, &row_form)) {
			code = reader_refuse(reader, "unexpected \"%s\" record",
			    record_name(record));
		}
		record_free(record);
	}
	return code == 0 ? got : READING_BAD;
}

static void
judge(struct check_outcome *outcome, const struct tally *tally)
{
	long long differ = tally->inserts + tally->updates + tally->deletes;
	size_t sql = tally->files - tally->tables;

	if (!tally->dry_run) {
		outcome->state = CHECK_UNKNOWN;
		bytes_str(&outcome->message, "it was not a dry run: only mig-seed --dry-run shows what a seed would change");
	} else if (tally->tables == 0) {
		outcome->state = CHECK_UNKNOWN;
		bytes_str(&outcome->message, "there is no data file to compare");
	} else if (differ > 0) {
		bytes_format(&outcome->message, "%lld row%s: ", differ, differ == 1 ? " differs" : "s differ");
		add_differences(&outcome->message, tally->inserts, tally->updates, tally->deletes);
		bytes_str(&outcome->details, "next  mig-seed --dry-run shows every change and the command\n");
	} else {
		bytes_format(&outcome->message, "%lld row%s in ", tally->rows, tally->rows == 1 ? "" : "s");
		page_count(&outcome->message, tally->tables, "table");
		bytes_str(&outcome->message, " are as the files say");
	}
	if (tally->dry_run && tally->tables > 0 && sql > 0) {
		bytes_str(&outcome->message, "; not judged: ");
		page_count(&outcome->message, sql, "file");
		bytes_str(&outcome->message, " of SQL");
	}
}

static void
read_seeds(struct check_job *job, struct reader *reader)
{
	struct check_outcome *outcome = &job->outcome;
	static const char *const kinds[] = { "rows", NULL };
	struct tally tally = { .dry_run = true };
	enum reading got = reader_begin(reader, kinds);

	if (got == READING_RECORD)
		got = read_rows(outcome, reader, &tally);
	if (got == READING_FAILED) {
		check_failed_upstream(outcome, reader_failure(reader));
	} else if (got == READING_BAD) {
		outcome->state = CHECK_UNKNOWN;
		bytes_str(&outcome->message, "the rows on standard input are incomplete or invalid");
	} else {
		judge(outcome, &tally);
	}
}

const struct check_kind check_seeds_kind = {
	.name = "seeds",
	.help = "of a dry run of mig-seed: are tables as the files say?\nOn standard input.",
	.pipeline = "mig-seed\n--dry-run\nprisma/seed",
	.read = read_seeds,
};
