/* A step: its statements, and its row. */
#include "plan/psql_script_internal.h"

#include <sodium.h>
#include <stdbool.h>
#include <string.h>

#include "migrations/folder.h"
#include "migrations/history.h"
#include "records/words.h"
#include "sql/segments.h"
#include "sql/session_effects.h"
#include "sql/sql.h"

/* Ids are made from what the plan starts from: the same plan gives the same script. */
static void
row_id(const struct psql *p, const struct step *step, char id[HISTORY_ID])
{
	unsigned char b[16];
	crypto_generichash_state state;
	const char *const parts[] = { p->planned->history_digest, step->migration, step->checksum };
	size_t i;

	crypto_generichash_init(&state, NULL, 0, sizeof b);
	for (i = 0; i < sizeof parts / sizeof *parts; i++)
		crypto_generichash_update(&state, (const unsigned char *)parts[i], strlen(parts[i]) + 1);
	crypto_generichash_final(&state, b, sizeof b);
	history_format_id(b, id);
}

/* For the journals; RESET ALL takes it away, and then nothing is noted. */
#define ROLE_AT_START "pg_catalog.current_setting('mig.role_at_start', true)"

/* A step while it is written: its row, and whether the row exists at this point. */
struct writing {
	const struct psql *p;
	const struct step *step;
	const struct sql_script *script;
	char id[HISTORY_ID];
	bool rowed;
	struct bytes names;           /* settings that the script names (session_names_sql()) */
	struct session_behind behind; /* what the done part of a script that is resumed has set */
};

static void
write_row(struct writing *w, enum history_progress progress, size_t done, bool alone)
{
	struct history_entry entry = { .id = w->id,
		.migration = w->step->migration,
		.checksum = w->step->checksum,
		.progress = progress,
		.done = done,
		.count = w->script->count,
		.behind = done > 0 ? w->script->statements[done - 1].end : 0,
		.text = w->step->sql,
		.exists = w->rowed,
		.reverts = w->step->action == ACTION_REVERT,
		.own_role = w->p->own_role,
		.all_rows = session_may_set(w->step->sql, w->script, "row_security"),
		.in_psql = true,
		.alone = alone };

	if (session_changes(w->step->sql, w->script))
		psql_set_readings(w->p);
	if (progress != HISTORY_FINISHED)
		entry.names = bytes_text(&w->names);
	entry.role_sql = ROLE_AT_START;
	entry.makes_temporary = session_makes_objects(w->step->sql, w->script);
	(void)history_entry_sql(w->p->out, w->p->schema, &entry);
	bytes_str(w->p->out, ";\n");
	w->rowed = true;
}

static bool
is_plain(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (text[i] == '\\' || (unsigned char)text[i] >= 0x80)
			return false;
	return true;
}

/*
 * psql reads a line as the session has it by then, and what a statement calls may have changed that.  So the readings
 * are set again before each statement whose meaning depends on them.
 */
static void
write_statements(struct writing *w, size_t first, size_t count)
{
	const char *sql = w->step->sql;
	size_t start, end, i;

	for (i = first; i < first + count; i++) {
		segment_bytes(w->script, i, 1, &start, &end);
		if (i > 0 && !is_plain(sql + start, end - start))
			psql_set_readings(w->p);
		/* from behind the one before, so that comments and layout stay */
		if (i == 0)
			start = 0;
		else if (i > first)
			start = w->script->statements[i - 1].next;
		bytes_add(w->p->out, sql + start, end - start);
		bytes_str(w->p->out, i + 1 < first + count ? ";" : "\n;\n");
		if (i + 1 < first + count && !is_plain(sql + w->script->statements[i + 1].start,
		        w->script->statements[i + 1].end - w->script->statements[i + 1].start))
			bytes_char(w->p->out, '\n');
	}
}

static void
write_segment(struct writing *w, const struct segment *s, bool last)
{
	size_t behind = s->first + s->count;
	bool ends_itself = s->kind == SEGMENT_COMMIT;

	if (s->kind == SEGMENT_ALONE) {
		write_row(w, HISTORY_BEGINS_ALONE, s->first, true);
		write_statements(w, s->first, 1);
		write_row(w, last ? HISTORY_FINISHED : HISTORY_GOES_ON, behind, true);
		return;
	}
	bytes_str(w->p->out, "BEGIN;\nSET LOCAL lock_timeout = '1s';\n");
	bytes_add(w->p->out, bytes_text(&w->behind.locals), w->behind.locals.len);
	w->behind.locals.len = 0;
	if (w->step->guard_sql != NULL && s->first == 0)
		bytes_format(w->p->out, "%s;\n", w->step->guard_sql);
	write_statements(w, s->first, s->count - ends_itself);
	if (s->kind == SEGMENT_TOGETHER || ends_itself)
		write_row(w, last ? HISTORY_FINISHED : HISTORY_GOES_ON, behind, false);
	if (ends_itself)
		write_statements(w, behind - 1, 1);
	if (s->kind == SEGMENT_TOGETHER)
		bytes_str(w->p->out, "COMMIT;\n");
	else if (!ends_itself && last)
		write_row(w, HISTORY_FINISHED, behind, true);
	else if (s->kind == SEGMENT_PREPARE)
		write_row(w, HISTORY_GOES_ON, behind, true);
}

/* What a script may have changed of the session. */
static void
restore_session(const struct psql *p, const struct step *step, const struct sql_script *script)
{
	struct bytes resolves = { 0 }, body = { 0 };

	if (session_may_unlock(step->sql, script))
		psql_take_lock(p);
	if (session_may_set(step->sql, script, "row_security"))
		bytes_str(p->out, psql_show_all_rows);
	if (!session_may_set(step->sql, script, "search_path"))
		return;
	history_resolves_sql(&resolves, p->schema);
	bytes_format(&body, "IF NOT (%s) THEN RESET search_path; END IF;", resolves.data);
	psql_write_block(p, &body);
	psql_enter_schema(p);
	bytes_free(&resolves);
}

int
psql_write_apply(struct psql *p, const struct step *step)
{
	struct sql_script script = sql_split(step->sql, strlen(step->sql));
	struct segments segments = segments_of(step->sql, &script);
	struct writing w = { .p = p, .step = step, .script = &script, .rowed = step_resumes(step) };
	size_t done = step_resumes(step) ? (size_t)step->resume_at - 1 : 0, i;
	int code = psql_check_script(p, step, &script);

	if (code == 0 && step->resume_begun)
		code = psql_refuse(p, step, script.statements[done].start, "an earlier run left part of this; check it first");
	row_id(p, step, w.id);
	if (step->row_id != NULL)
		bytes_copy(w.id, sizeof w.id, step->row_id);
	p->own_role |= session_may_set(step->sql, &script, "role") ||
	    session_may_set(step->sql, &script, "session_authorization");
	session_names_sql(&w.names, step->sql, &script);
	w.behind = session_behind(step->sql, &script, done);
	bytes_add(p->out, bytes_text(&w.behind.settings), w.behind.settings.len);
	for (i = 0; code == 0 && i < segments.count; i++) {
		struct segment s = segments.list[i];

		if (s.first + s.count <= done)
			continue;
		if (s.first < done) {
			s.count -= done - s.first;
			s.first = done;
		}
		write_segment(&w, &s, i + 1 == segments.count);
		done = s.first + s.count;
	}
	if (code == 0 && (segments.count == 0 || (step_resumes(step) && step->resume_at == (long long)script.count + 1)))
		write_row(&w, HISTORY_FINISHED, script.count, true);
	if (code == 0)
		restore_session(p, step, &script);
	session_behind_free(&w.behind);
	bytes_free(&w.names);
	segments_free(&segments);
	sql_script_free(&script);
	return code;
}

void
psql_write_mark(struct psql *p, const struct step *step)
{
	char id[HISTORY_ID];

	bytes_str(p->out, "BEGIN;\n");
	if (step->action == ACTION_MARK_APPLIED) {
		row_id(p, step, id);
		history_mark_applied_sql(p->out, p->schema, id, step->migration, step->checksum);
	} else {
		history_mark_rolled_back_sql(p->out, p->schema, step->migration);
	}
	bytes_str(p->out, ";\nCOMMIT;\n");
}
