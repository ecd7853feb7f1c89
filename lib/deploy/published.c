#include "deploy/published.h"

#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/message.h"
#include "database/publications.h"
#include "migrations/replicated.h"
#include "migrations/script_path.h"
#include "records/words.h"
#include "sql/sql.h"

static bool
ask(struct db *db, struct rehearsal_records *records, struct arena *texts)
{
	struct publications_sql sql = { 0 };
	struct db_ask asks[PUBLICATIONS_ASKS] = { 0 };
	const struct answer *answers[PUBLICATIONS_ASKS];
	enum db_outcome outcome;
	bool answered = true;
	size_t i;

	publications_sql(&sql, db_server_version_num(db), NULL, 0);
	for (i = 0; i < PUBLICATIONS_ASKS; i++)
		asks[i] = (struct db_ask){ .sql = sql.text[i].data, .ours = true, .ends_unit = true };
	outcome = db_query_batch(db, asks, PUBLICATIONS_ASKS);
	for (i = 0; i < PUBLICATIONS_ASKS; i++) {
		answers[i] = asks[i].answer;
		answered &= asks[i].outcome == DB_OK;
	}
	if (outcome == DB_OK)
		publications_take(answers, records, texts);
	for (i = 0; i < PUBLICATIONS_ASKS; i++)
		answer_free(asks[i].answer);
	publications_sql_free(&sql);
	return outcome == DB_OK && answered;
}

static void
say_step(const struct plan_stream *plan, size_t at, const struct rehearsal_records *records)
{
	const struct step *step = &plan->steps[at];
	const struct replicated_plan before = { records, plan->plan.schema, plan->steps, at, false };
	struct sql_script script = sql_split(step->sql, strlen(step->sql));
	struct replicated found = replicated_by_script(&before, step->sql, &script);
	size_t i;

	for (i = 0; i < found.count; i++) {
		struct sql_place place = sql_place(step->sql, strlen(step->sql), script.statements[found.list[i].statement].start);
		struct bytes path = { 0 };

		script_path_of(&path, plan->folder, step->migration, step_file(step));
		message_info("%s:%lu:%lu: %s [%s]", path.data, place.line, place.column, found.list[i].message, found.list[i].rule);
		message_line("  %s", found.list[i].remedy);
		bytes_free(&path);
	}
	replicated_free(&found);
	sql_script_free(&script);
}

void
published_say(struct db *db, const struct plan_stream *plan, bool makes_history)
{
	struct rehearsal_records records = { 0 };
	struct replicated before = { 0 };
	struct arena texts = { 0 };
	size_t i;

	if (!ask(db, &records, &texts))
		message_warning("it is not known which tables are published: %s", db_error(db)->message);
	for (i = 0; i < plan->step_count; i++)
		if (plan->steps[i].sql != NULL)
			say_step(plan, i, &records);
	before = replicated_before(&(struct replicated_plan){ &records, plan->plan.schema, plan->steps, plan->step_count,
	    makes_history });
	for (i = 0; i < before.count; i++) {
		message_info("%s [%s]", before.list[i].message, before.list[i].rule);
		message_line("  %s", before.list[i].remedy);
	}
	replicated_free(&before);
	rehearsal_records_free(&records);
	arena_free(&texts);
}
