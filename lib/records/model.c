#include "records/model.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mig.h"
#include "base/null.h"
#include "records/form.h"
#include "records/json.h"

static const struct field database_fields[] = {
	TEXT_OR_NULL(database, system_identifier),
	TEXT(database, database),
	TEXT(database, schema),
	TEXT_OR_NULL(database, host),
	NUMBER_OR_NULL(database, port),
	TEXT(database, user),
	TEXT(database, server_version),
	NUMBER(database, server_version_num),
	FLAG(database, in_recovery),
	TEXT_OR_NULL(database, tls),
	FLAG(database, has_history),
	FLAG(database, schema_empty),
	TEXT_OR_NULL(database, other_history_schema),
	NUMBER_OR_NULL(database, other_history_count),
	NUMBER_OR_NULL(database, deployer_pid),
	TEXT_OR_NULL(database, deployer_user),
	TEXT_OR_NULL(database, deployer_application),
	TEXT_OR_NULL(database, deployer_client),
	TEXT_OR_NULL(database, deployer_since),
	TEXT_OR_NULL(database, time_zone),
	LAST,
};
const struct record_form database_form = { "database", database_fields };

struct page_session
database_deployer(const struct database *d)
{
	return (struct page_session){ .pid = d->deployer_pid,
		.application = d->deployer_application,
		.user = d->deployer_user,
		.client = d->deployer_client,
		.age_ms = NUMBER_UNKNOWN };
}

static const struct field history_fields[] = {
	TEXT(history_row, migration),
	TEXT(history_row, id),
	TEXT_OR_NULL(history_row, checksum),
	TEXT_OR_NULL(history_row, started_at),
	TEXT_OR_NULL(history_row, finished_at),
	TEXT_OR_NULL(history_row, rolled_back_at),
	NUMBER_OR_NULL(history_row, applied_steps_count),
	TEXT_OR_NULL(history_row, logs),
	LAST,
};
const struct record_form history_form = { "history", history_fields };

static const struct field migration_fields[] = {
	TEXT(migration, migration),
	TEXT_OR_NULL(migration, path),
	TEXT_OR_NULL(migration, checksum),
	NUMBER_OR_NULL(migration, size_bytes),
	WORD_OR_NULL(migration, flaw, flaw_words),
	TEXT_OR_NULL(migration, sql),
	TEXT_OR_NULL(migration, down_checksum),
	TEXT_OR_NULL(migration, down_sql),
	LAST,
};
const struct record_form migration_form = { "migration", migration_fields };

static const struct field plan_fields[] = {
	TEXT_OR_NULL(plan, system_identifier),
	TEXT_OR_NULL(plan, database),
	TEXT_OR_NULL(plan, schema),
	TEXT_OR_NULL(plan, host),
	NUMBER_OR_NULL(plan, port),
	TEXT_OR_NULL(plan, history_digest),
	TEXT_OR_NULL(plan, history_sha256),
	NUMBER(plan, history_rows),
	TEXT_OR_NULL(plan, last_applied),
	TEXT_OR_NULL(plan, steps_digest),
	WORD_OR_NULL(plan, phase, phase_words),
	TEXT_LIST_OR_NULL(plan, left),
	LAST,
};
const struct record_form plan_form = { "plan", plan_fields };

static const struct field finding_fields[] = {
	TEXT(finding, rule),
	WORD(finding, severity, severity_words),
	TEXT_OR_NULL(finding, migration),
	NUMBER_OR_NULL(finding, line),
	NUMBER_OR_NULL(finding, column),
	TEXT(finding, message),
	TEXT_OR_NULL(finding, remedy),
	LAST,
};
const struct record_form finding_form = { "finding", finding_fields };

static const struct field step_fields[] = {
	NUMBER(step, step),
	WORD(step, action, step_action_words),
	TEXT(step, migration),
	TEXT_OR_NULL(step, checksum),
	WORD_OR_NULL(step, transaction, step_transaction_words),
	NUMBER_OR_NULL(step, statement_count),
	NUMBER_OR_NULL(step, size_bytes),
	TEXT_OR_NULL(step, row_id),
	NUMBER_OR_NULL(step, resume_at),
	FLAG_OR_NULL(step, resume_begun),
	FLAG_OR_NULL(step, resume_told),
	TEXT_OR_NULL(step, begun_sql),
	TEXT_OR_NULL(step, guard_sql),
	TEXT_OR_NULL(step, sql),
	LAST,
};
const struct record_form step_form = { "step", step_fields };

bool
step_resumes(const struct step *step)
{
	return step->row_id != NULL && step->resume_at != NUMBER_UNKNOWN;
}

const char *
step_file(const struct step *step)
{
	return step->action == ACTION_REVERT ? "down.sql" : "migration.sql";
}

void
steps_digest(const struct step *steps, size_t count, char hex[RECORD_DIGEST_HEX])
{
	struct writer *writer = writer_digest_only(NULL);
	size_t i;

	for (i = 0; i < count; i++) {
		struct step step = steps[i];

		step.row_id = NULL;
		writer_put(writer, &step_form, &step);
	}
	writer_digest(writer, hex);
	writer_end(writer, 0);
}

static const struct field run_fields[] = {
	TEXT(run, plan_digest),
	TEXT_OR_NULL(run, system_identifier),
	TEXT_OR_NULL(run, database),
	TEXT_OR_NULL(run, schema),
	TEXT_OR_NULL(run, host),
	NUMBER_OR_NULL(run, port),
	TEXT_OR_NULL(run, user),
	TEXT_OR_NULL(run, role),
	FLAG(run, dry_run),
	TEXT(run, started_at),
	TEXT_OR_NULL(run, steps_digest),
	TEXT_OR_NULL(run, server_time),
	TEXT_OR_NULL(run, lsn),
	NUMBER_OR_NULL(run, timeline),
	TEXT_OR_NULL(run, restore_point),
	TEXT_OR_NULL(run, deployer),
	TEXT_OR_NULL(run, deployer_host),
	TEXT_OR_NULL(run, job),
	TEXT_OR_NULL(run, note),
	LAST,
};
const struct record_form run_form = { "run", run_fields };

static const struct field result_fields[] = {
	NUMBER(result, step),
	TEXT(result, migration),
	WORD(result, status, result_status_words),
	NUMBER_OR_NULL(result, statement_count),
	NUMBER(result, statements_done),
	NUMBER(result, attempts),
	NUMBER(result, waited_ms),
	NUMBER(result, took_ms),
	NUMBER_OR_NULL(result, worst_stall_ms),
	TEXT_OR_NULL(result, waited_for),
	TEXT_OR_NULL(result, waited_session),
	TEXT_OR_NULL(result, sqlstate),
	TEXT_OR_NULL(result, message),
	TEXT_OR_NULL(result, detail),
	TEXT_OR_NULL(result, hint),
	NUMBER_OR_NULL(result, line),
	NUMBER_OR_NULL(result, column),
	LAST,
};
const struct record_form result_form = { "result", result_fields };

static const struct field check_fields[] = {
	TEXT(check, check),
	TEXT_OR_NULL(check, target),
	TEXT(check, status),
	NUMBER(check, code),
	TEXT(check, message),
	OBJECT_OR_NULL(check, measures),
	OBJECT_OR_NULL(check, limits),
	NUMBER(check, took_ms),
	LAST,
};
const struct record_form check_form = { "check", check_fields };

static const struct field used_fields[] = {
	TEXT_OR_NULL(used, system_identifier),
	TEXT(used, database),
	TEXT(used, schema),
	TEXT(used, relation),
	TEXT_OR_NULL(used, column),
	TEXT(used, status),
	TEXT(used, checked_at),
	NUMBER(used, covers_ms),
	LAST,
};
const struct record_form used_form = { "used", used_fields };

static const struct field seeded_fields[] = {
	TEXT(seeded, file),
	TEXT_OR_NULL(seeded, schema),
	TEXT_OR_NULL(seeded, table),
	FLAG(seeded, dry_run),
	NUMBER_OR_NULL(seeded, rows_read),
	NUMBER_OR_NULL(seeded, rows_inserted),
	NUMBER_OR_NULL(seeded, rows_updated),
	NUMBER_OR_NULL(seeded, rows_unchanged),
	NUMBER_OR_NULL(seeded, rows_deleted),
	NUMBER_OR_NULL(seeded, rows_only_in_table),
	NUMBER(seeded, took_ms),
	LAST,
};
const struct record_form seeded_form = { "seeded", seeded_fields };

static const struct field row_fields[] = {
	TEXT(row_change, schema),
	TEXT(row_change, table),
	TEXT(row_change, change),
	OBJECT_OR_NULL(row_change, key),
	OBJECT_OR_NULL(row_change, old),
	OBJECT_OR_NULL(row_change, new),
	TEXT_LIST_OR_NULL(row_change, secret),
	LAST,
};
const struct record_form row_form = { "row", row_fields };

/* Keeps a record for as long as the stream's structs point into it. */
static void
retain(struct record ***records, size_t *count, struct record *record)
{
	if ((*count & (*count - 1)) == 0) /* the array is full at 0 and at each power of two */
		*records = xrealloc(*records, (*count > 0 ? *count * 2 : 1) * sizeof **records);
	(*records)[(*count)++] = record;
}

#define APPEND(array, count)                                                                      \
	(((count) & ((count) - 1)) == 0                                                           \
	        ? (void)((array) = xrealloc((array), ((count) > 0 ? (count) * 2 : 1) * sizeof *(array)))  \
	        : (void)0,                                                                        \
	    (array) + (count)++)

static enum reading
misplaced(struct reader *reader, struct record *record)
{
	(void)reader_refuse(reader, "unexpected \"%s\" record", record_name(record));
	record_free(record);
	return READING_BAD;
}

/* --- scan --- */

int
migration_fill(struct reader *reader, const struct record *record, struct migration *m)
{
	bool sendable;

	if (record_fill(reader, record, &migration_form, m) != 0)
		return MIG_DATA;
	if (utf8_has_control(m->migration))
		return reader_refuse(reader, "the name of a migration has a control character in it");
	sendable = m->flaw == FLAW_NONE || m->flaw == FLAW_NOT_UTF8;
	if (sendable && (m->sql == NULL || m->checksum == NULL))
		return reader_refuse(reader, "the migration record has no \"%s\" and no \"flaw\" that explains it",
		    m->sql == NULL ? "sql" : "checksum");
	return 0;
}

static bool
fill(struct reader *reader, struct scan *scan, struct record *record, const struct record_form *form, void *out)
{
	retain(&scan->records, &scan->record_count, record);
	return record_fill(reader, record, form, out) == 0;
}

/*
 * One record of a scan.  The order is database, history..., migration..., rehearsal, live, activity..., load..., effect...,
 * loss..., draft..., prefix...; all may be absent.
 */
static enum reading
scan_take(struct reader *reader, struct scan *scan, struct record *record)
{
	if (rehearsal_belongs(&scan->rehearsed, record))
		return (retain(&scan->records, &scan->record_count, record), rehearsal_fill(reader, record, &scan->rehearsed)) ? READING_RECORD : READING_BAD;
	if (record_is(record, &migration_form) && !scan->rehearsed.known) {
		struct migration *m = APPEND(scan->migrations, scan->migration_count);

		*m = (struct migration){ .record = record };
		return migration_fill(reader, record, m) == 0 ? READING_RECORD : READING_BAD;
	}
	if (record_is(record, &database_form) && !scan->has_database && scan->migration_count == 0 && !scan->rehearsed.known) {
		scan->has_database = true;
		return fill(reader, scan, record, &database_form, &scan->database) ? READING_RECORD : READING_BAD;
	}
	if (record_is(record, &history_form) && scan->has_database && scan->migration_count == 0 && !scan->rehearsed.known)
		return fill(reader, scan, record, &history_form, APPEND(scan->history, scan->history_count)) ? READING_RECORD
		                                                                                             : READING_BAD;
	return misplaced(reader, record);
}

enum reading
scan_read(struct reader *reader, struct scan *scan, scan_look *look, void *context)
{
	struct record *record;
	enum reading got;

	while ((got = reader_next(reader, &record)) == READING_RECORD) {
		struct migration *last;

		if ((got = scan_take(reader, scan, record)) != READING_RECORD)
			return got;
		if (scan->migration_count == 0 || scan->rehearsed.known || look == NULL)
			continue;
		last = &scan->migrations[scan->migration_count - 1];
		if (!look(scan, last, context)) {
			record_forget(record, "sql");
			last->sql = NULL;
		}
	}
	return got;
}

static void
records_free(struct record **records, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		record_free(records[i]);
	free(records);
}

void
scan_free(struct scan *scan)
{
	size_t i;

	for (i = 0; i < scan->migration_count; i++)
		record_free(scan->migrations[i].record);
	records_free(scan->records, scan->record_count);
	free(scan->migrations);
	free(scan->history);
	rehearsal_records_free(&scan->rehearsed);
	*scan = (struct scan){ 0 };
}

/* --- plan --- */

static int
step_take(struct reader *reader, struct plan_stream *stream, struct record *record)
{
	struct step *step = APPEND(stream->steps, stream->step_count);

	step->record = record;
	if (record_fill(reader, record, &step_form, step) != 0)
		return MIG_DATA;
	if (step->step != (long long)stream->step_count)
		return reader_refuse(reader, "expected step %zu, got step %lld", stream->step_count,
		    step->step);
	return 0;
}

enum reading
plan_read(struct reader *reader, struct plan_stream *stream)
{
	struct record *record;
	enum reading got = reader_next(reader, &record);
	int code;

	if (got != READING_RECORD) {
		if (got == READING_END)
			(void)reader_refuse(reader, "the plan record is missing");
		return got == READING_END ? READING_BAD : got;
	}
	if (!record_is(record, &plan_form))
		return misplaced(reader, record);
	retain(&stream->records, &stream->record_count, record);
	if (record_fill(reader, record, &plan_form, &stream->plan) != 0)
		return READING_BAD;
	while ((got = reader_next(reader, &record)) == READING_RECORD) {
		if (stream->finding_count == 0 && stream->step_count == 0 && rehearsal_belongs(&stream->rehearsed, record)) {
			retain(&stream->records, &stream->record_count, record);
			if (!rehearsal_fill(reader, record, &stream->rehearsed))
				return READING_BAD;
			continue;
		}
		if (record_is(record, &finding_form) && stream->step_count == 0) {
			retain(&stream->records, &stream->record_count, record);
			code = record_fill(reader, record, &finding_form,
			    APPEND(stream->findings, stream->finding_count));
		} else if (record_is(record, &step_form)) {
			code = step_take(reader, stream, record);
		} else {
			return misplaced(reader, record);
		}
		if (code != 0)
			return READING_BAD;
	}
	stream->digest = reader_digest(reader);
	if (stream->plan.steps_digest == NULL) {
		steps_digest(stream->steps, stream->step_count, stream->older_steps);
		stream->plan.steps_digest = stream->older_steps;
	}
	stream->folder = reader_folder(reader);
	return got;
}

void
plan_stream_free(struct plan_stream *stream)
{
	size_t i;

	for (i = 0; i < stream->step_count; i++)
		record_free(stream->steps[i].record);
	records_free(stream->records, stream->record_count);
	rehearsal_records_free(&stream->rehearsed);
	free(stream->findings);
	free(stream->steps);
	*stream = (struct plan_stream){ 0 };
}
