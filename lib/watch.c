#include "watch.h"

#include <stdio.h>
#include <stdlib.h>

#include "bytes.h"
#include "message.h"
#include "record.h"

struct watch {
	struct db *db;
};

/* One row for each session that blocks $1, and what $1 wants.  Only the first word of what others do. */
static const char blockers_sql[] =
    "SELECT l.relation::regclass::text, "
    "regexp_replace(upper(regexp_replace(regexp_replace(l.mode, 'Lock$', ''), '([a-z])([A-Z])', '\\1 \\2', 'g')), "
    "' +', ' ', 'g'), b.pid, a.usename, host(a.client_addr), a.application_name, a.state, "
    "(extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, a.backend_start)) * 1000)::bigint, "
    "upper(substring(a.query FROM '^\\s*([A-Za-z]+)')), a.backend_type "
    "FROM (SELECT relation, mode FROM pg_catalog.pg_locks WHERE pid = $1 AND NOT granted LIMIT 1) l "
    "CROSS JOIN (SELECT DISTINCT unnest(pg_catalog.pg_blocking_pids($1))) b(pid) "
    "LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = b.pid ORDER BY 8 DESC NULLS LAST, b.pid";

struct watch *
watch_open(struct source *source)
{
	struct watch *watch;
	struct db *db;

	if ((db = db_open_quietly(source, "mig-apply watch")) == NULL) {
		message_verbose("a second connection, to see who is in the way, cannot be had");
		return NULL;
	}
	watch = xcalloc(1, sizeof *watch);
	watch->db = db;
	return watch;
}

void
watch_close(struct watch *watch)
{
	if (watch == NULL)
		return;
	db_close(watch->db);
	free(watch);
}

static void
fill_holder(const struct answer *a, size_t row, struct holder *h)
{
	*h = (struct holder){ .pid = answer_number(a, row, 2),
		.user = answer_text(a, row, 3),
		.client = answer_text(a, row, 4),
		.application = answer_text(a, row, 5),
		.state = answer_text(a, row, 6),
		.age_ms = answer_number(a, row, 7),
		.word = answer_text(a, row, 8),
		.kind = answer_text(a, row, 9) };
}

void
watch_look(struct watch *watch, int pid, struct waits *waits)
{
	struct answer *answer;
	char number[16];
	const char *const parameters[] = { number };
	size_t i;

	if (watch == NULL)
		return;
	snprintf(number, sizeof number, "%d", pid);
	if (db_query(watch->db, &answer, blockers_sql, 1, parameters) != DB_OK) {
		message_verbose("the watcher sees nothing: %s", db_error(watch->db)->message);
		return;
	}
	if (answer_rows(answer) == 0) {
		answer_free(answer);
		return;
	}
	waits_free(waits);
	waits->answer = answer;
	waits->relation = answer_text(answer, 0, 0);
	waits->mode = answer_text(answer, 0, 1);
	waits->count = answer_rows(answer);
	waits->holders = xcalloc(waits->count, sizeof *waits->holders);
	for (i = 0; i < waits->count; i++)
		fill_holder(answer, i, &waits->holders[i]);
}

void
waits_free(struct waits *waits)
{
	answer_free(waits->answer);
	free(waits->holders);
	*waits = (struct waits){ 0 };
}
