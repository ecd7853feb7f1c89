#include "rehearse/quiet.h"

#include <string.h>

#include "base/clock.h"
#include "postgres/connection.h"
#include "scratch/replay.h"
#include "sql/segments.h"

static void
tick(void *context, long long ms)
{
	struct quiet *q = context;

	if (ms < q->limit_ms || q->too_long)
		return;
	q->too_long = true;
	db_cancel(scratch_db(q->scratch));
}

static void
begins(void *context, const struct step *step, const struct sql_script *script)
{
	struct quiet *q = context;

	q->step = step;
	q->script = script;
}

static enum db_outcome
send(void *context, size_t first, size_t count, enum replay_wrap wrap, const char *locals, size_t *done)
{
	struct quiet *q = context;
	struct db_hooks hooks = { tick, NULL, q };
	struct db *db = scratch_db(q->scratch);
	struct bytes text = { 0 };
	size_t start, end;
	enum db_outcome outcome = DB_OK;

	q->too_long = false;
	bytes_str(&text, "BEGIN;");
	bytes_str(&text, locals);
	if (wrap != REPLAY_NONE)
		outcome = db_run(db, text.data, NULL);
	text.len = 0;
	segment_bytes(q->script, first, count, &start, &end);
	bytes_add(&text, q->step->sql + start, end - start);
	db_hooks(db, &hooks);
	if (outcome == DB_OK)
		outcome = db_run(db, text.data, done);
	if (outcome == DB_OK && wrap == REPLAY_BOTH)
		outcome = db_run(db, "COMMIT", NULL);
	db_hooks(db, NULL);
	bytes_free(&text);
	return outcome;
}

static void
fails(void *context, size_t at, size_t offset, const char *sqlstate, const char *message)
{
	struct quiet *q = context;
	size_t len = strlen(q->step->sql);
	char limit[CLOCK_SPAN];

	q->failed = true;
	q->statement = at < q->script->count ? at + 1 : q->script->count;
	q->place = sql_place(q->step->sql, len, offset < len || q->statement == 0 ? offset : q->script->statements[q->statement - 1].start);
	if (q->too_long)
		bytes_format(&q->why, "it had not ended after %s, and was cancelled", clock_age(q->limit_ms, limit));
	else
		bytes_format(&q->why, "%s %s", sqlstate, message);
}

int
quiet_run(struct quiet *q, struct scratch *scratch, const struct step *steps, size_t count)
{
	const struct replay_watcher watcher = { q, begins, send, fails };
	size_t ran = 0;

	q->scratch = scratch;
	q->failed = false;
	q->why.len = 0;
	return replay_watched(scratch, q->folder, steps, count, &watcher, &ran);
}
