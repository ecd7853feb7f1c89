/* What is written of each step in the end. */
#include "deploy/deploy_internal.h"

#include <string.h>

#include "base/bytes.h"
#include "base/null.h"
#include "database/inspect.h"
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

/* Writes all results at the end, after the lock is released: a slow reader must not delay the deploy. */
void
deploy_write_results(const struct run_state *s, struct output *out)
{
	const struct plan *plan = &s->plan->plan;
	const struct database *d = &s->inspection.database;
	struct run run = { .plan_digest = s->plan->digest,
		.system_identifier = d->system_identifier != NULL ? d->system_identifier : plan->system_identifier,
		.database = plan->database,
		.schema = plan->schema,
		.host = s->db != NULL ? d->host : plan->host,
		.port = s->db != NULL ? d->port : plan->port,
		.user = d->user,
		.role = s->deploy->role,
		.dry_run = s->deploy->dry_run,
		.started_at = s->started_at,
		.steps_digest = s->plan->steps_digest };
	size_t i;

	out->complete = true;
	if (out->writer == NULL)
		return;
	writer_put(out->writer, &run_form, &run);
	for (i = 0; i < s->plan->step_count; i++)
		writer_put(out->writer, &result_form, &s->results[i]);
}
