/* What is recorded and told of a deploy: of its state before, its beginning, its end, and each step. */
#include "deploy/deploy_internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/message.h"
#include "base/null.h"
#include "database/inspect.h"
#include "deploy/announce.h"
#include "deploy/who.h"
#include "postgres/connection.h"
#include "records/record.h"
#include "records/words.h"

void
deploy_begin_results(struct run_state *s)
{
	size_t i;

	s->steps = xcalloc(s->plan->step_count, sizeof *s->steps);
	for (i = 0; i < s->plan->step_count; i++)
		s->steps[i] = s->plan->steps[i];
	s->results = xcalloc(s->plan->step_count, sizeof *s->results);
	for (i = 0; i < s->plan->step_count; i++)
		s->results[i] = (struct result){ .step = s->steps[i].step,
			.migration = s->steps[i].migration,
			.status = STATUS_NOT_STARTED,
			.statement_count = s->steps[i].statement_count,
			.worst_stall_ms = NUMBER_UNKNOWN,
			.line = NUMBER_UNKNOWN,
			.column = NUMBER_UNKNOWN };
}

/* --- the run --- */

/* Where and by whom; the state before is added when it is known. */
static void
fill_run(struct run_state *s)
{
	const struct plan *plan = &s->plan->plan;
	const struct database *d = &s->inspection.database;
	char host[256] = "";
	struct who who;

	if (s->run.plan_digest != NULL)
		return;
	if (gethostname(host, sizeof host - 1) != 0)
		*host = '\0';
	who = who_deploys(getenv, host, s->deploy->note, &s->texts);
	s->run = (struct run){ .plan_digest = s->plan->digest,
		.system_identifier = d->system_identifier != NULL ? d->system_identifier : plan->system_identifier,
		.database = plan->database,
		.schema = plan->schema,
		.host = s->db != NULL ? d->host : plan->host,
		.port = s->db != NULL ? d->port : plan->port,
		.user = d->user,
		.role = s->deploy->role,
		.dry_run = s->deploy->dry_run,
		.started_at = s->started_at,
		.steps_digest = plan->steps_digest,
		.timeline = NUMBER_UNKNOWN,
		.deployer = who.deployer,
		.deployer_host = who.host,
		.job = who.job,
		.note = who.note };
}

void
deploy_take_restore_point(struct run_state *s)
{
	restore_point_take(&s->restore, s->db, !s->inspection.calm);
	fill_run(s);
	s->run.server_time = s->restore.server_time;
	s->run.lsn = s->restore.lsn;
	s->run.timeline = s->restore.timeline;
	restore_point_name(&s->restore, s->plan->digest, s->restore_name);
	s->run.restore_point = s->restore.may_name ? s->restore_name : NULL;
}

void
deploy_announce_begin(struct run_state *s)
{
	struct announce announce = { .run = &s->run, .steps = s->steps, .count = s->plan->step_count, .ascii = !db_encodes_utf8(s->db) };
	struct bytes before = { 0 };

	if (s->notify.begun)
		return;
	restore_point_text(&before, s->run.server_time, s->run.lsn);
	if (before.len > 0)
		message_info("to get back: restore to %s", before.data);
	bytes_free(&before);
	notify_begin(&s->notify, s->db, &announce);
	writer_unfinished(s->out->writer, &run_form, &s->run);
}

void
deploy_announce_end(struct run_state *s, int code)
{
	struct announce announce = { .run = &s->run, .steps = s->steps, .count = s->plan->step_count, .ends = true, .exit_code = code };
	size_t i;

	if (!s->notify.begun)
		return;
	if (!notify_has_restore_point(&s->notify)) /* known only now: it was sent with the first step */
		s->run.restore_point = NULL;
	for (i = 0; i < s->plan->step_count; i++) {
		enum result_status status = s->results[i].status;
		bool done = status == STATUS_APPLIED || status == STATUS_MARKED || status == STATUS_REVERTED || status == STATUS_SKIPPED;

		announce.done += done;
		if (!done && announce.stopped_at == NULL)
			announce.stopped_at = s->results[i].migration;
	}
	announce.took_ms = clock_now_ms() - s->began_ms;
	announce.ascii = !db_encodes_utf8(s->db);
	notify_end(&s->notify, s->db, &announce, s->restore.may_log);
}

/* Writes all results at the end, after the lock is released: a slow reader must not delay the deploy. */
void
deploy_write_results(struct run_state *s)
{
	struct writer *writer = s->out->writer;
	size_t i;

	s->out->complete = true;
	if (writer == NULL)
		return;
	fill_run(s);
	if (!s->notify.begun) {
		s->run.server_time = s->run.lsn = s->run.restore_point = NULL;
		s->run.timeline = NUMBER_UNKNOWN;
	}
	writer_put(writer, &run_form, &s->run);
	for (i = 0; i < s->plan->step_count; i++)
		writer_put(writer, &result_form, &s->results[i]);
}
