#include "plan/psql_script.h"

#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/message.h"
#include "base/mig.h"
#include "base/page.h"
#include "base/shell_quote.h"
#include "migrations/folder.h"
#include "migrations/history.h"
#include "migrations/script_path.h"
#include "records/words.h"
#include "sql/segments.h"
#include "sql/session_effects.h"
#include "sql/sql.h"

struct psql {
	struct bytes *out;
	const struct scan *scan;
	const struct planned *planned;
	const char *command;   /* words that make this plan again; NULL: not known */
	const char *schema;
	bool own_role;  /* a script may have changed the role: rows are written as ourselves */
};

/* --- scripts that cannot go through psql --- */

static int
refuse(const struct psql *p, const struct step *step, size_t at, const char *why)
{
	struct sql_place place = sql_place(step->sql, strlen(step->sql), at);
	struct shell_words words = { 0 };
	struct bytes text = { 0 };
	char *line;

	script_path(&text, p->scan->folder, step->migration);
	(void)message_error(MIG_DATA, "%s:%lu:%lu: %s", text.data, place.line, place.column, why);
	shell_append(&words, p->command);
	plan_apply_words(&words, p->command);
	line = shell_sentence("  mig-apply takes it as it is", &words, "the same commands again, into mig-apply");
	message_line("%s", line);
	free(line);
	bytes_free(&text);
	return MIG_DATA;
}

/* ALTER TYPE ... ADD VALUE 'x', and 'x' again later: 55P04 where both are in one transaction. */
static bool
uses_new_value(const struct step *step, const struct sql_script *script, size_t at)
{
	const struct sql_statement *s = &script->statements[at];
	struct sql_token token = { .end = s->start };
	struct bytes value = { 0 };
	bool used = false;

	if (!sql_is(step->sql, sql_token(step->sql, s->end, s->start), "ALTER") ||
	    !sql_mentions(step->sql + s->start, s->end - s->start, "value"))
		return false;
	do
		token = sql_token(step->sql, s->end, token.end);
	while (token.kind != SQL_STRING && token.kind != SQL_END);
	if (token.kind == SQL_STRING) {
		bytes_add(&value, step->sql + token.start, token.end - token.start);
		used = strstr(step->sql + s->end, value.data) != NULL;
	}
	bytes_free(&value);
	return used;
}

static int
check_script(const struct psql *p, const struct step *step, const struct sql_script *script)
{
	size_t len = strlen(step->sql), at = sql_psql_would_alter(step->sql, len), i;

	if (at < len)
		return refuse(p, step, at, "psql would change this on its way to the server");
	if (script->count > 0 && script->statements[script->count - 1].broken)
		return refuse(p, step, script->statements[script->count - 1].start,
		    "the file ends inside this statement: psql would take what follows for a part of it");
	for (i = 0; i < script->count; i++) {
		const struct sql_statement *s = &script->statements[i];
		struct sql_token first = sql_token(step->sql, s->end, s->start);
		bool calls = sql_is(step->sql, first, "CALL");
		bool does = sql_is(step->sql, first, "DO");

		if (calls || (does && (sql_mentions(step->sql + s->start, s->end - s->start, "commit") ||
		                          sql_mentions(step->sql + s->start, s->end - s->start, "rollback"))))
			return refuse(p, step, s->start, "it may commit by itself, which only the server can tell");
		if (uses_new_value(step, script, i))
			return refuse(p, step, s->start, "the new value is used in the same script, which one transaction does not allow");
	}
	return 0;
}

/* --- pieces --- */

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

/* Names can hold anything, and a comment ends with its line. */
static void
add_comment(const struct psql *p, const char *text)
{
	for (; *text != '\0'; text++)
		bytes_char(p->out, (unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text);
}

/* What a step is of: the file, where one is run. */
static void
add_script(const struct psql *p, const struct step *step)
{
	struct bytes path = { 0 };

	if (step->sql != NULL)
		script_path(&path, p->scan->folder, step->migration);
	add_comment(p, step->sql != NULL ? path.data : step->migration);
	bytes_free(&path);
}

/* A block, quoted by dollars that are not in it: names can hold anything.  Frees the body. */
static void
write_block(const struct psql *p, struct bytes *body)
{
	struct bytes tag = { 0 };
	size_t n = 0;

	bytes_str(&tag, "$mig$");
	while (strstr(body->data, tag.data) != NULL) {
		tag.len = 0;
		bytes_format(&tag, "$mig%zu$", ++n);
	}
	bytes_format(p->out, "DO %s BEGIN ", tag.data);
	bytes_add(p->out, body->data, body->len);
	bytes_format(p->out, " END %s;\n", tag.data);
	bytes_free(&tag);
	bytes_free(body);
}

/* A check that ends the script with a message when `condition` is true. */
static void
stop_if(const struct psql *p, const char *condition, const char *message)
{
	struct bytes body = { 0 };

	bytes_format(&body, "IF %s THEN\n  RAISE EXCEPTION USING MESSAGE = ", condition);
	bytes_sql_text(&body, message);
	bytes_str(&body, ";\nEND IF;");
	write_block(p, &body);
}

/* How psql reads what follows, and the server what it is sent: as the plan has read it. */
static void
set_readings(const struct psql *p)
{
	bytes_str(p->out, "SET standard_conforming_strings = on;\nSET client_encoding = 'UTF8';\n");
}

/* What row level security would hide from us is an error. */
static const char show_all_rows[] = "SET row_security = off;\n";

static void
take_lock(const struct psql *p)
{
	stop_if(p, "NOT pg_catalog.pg_try_advisory_lock(" HISTORY_LOCK_KEY ")",
	    "another deployer holds the lock; nothing was touched");
}

static void
check_target(const struct psql *p)
{
	const struct database *d = &p->scan->database;
	struct bytes condition = { 0 };

	bytes_str(&condition, "pg_catalog.current_database() OPERATOR(pg_catalog.<>) ");
	bytes_sql_text(&condition, d->database);
	if (d->system_identifier != NULL) {
		bytes_str(&condition, " OR (SELECT system_identifier::pg_catalog.text FROM pg_catalog.pg_control_system()) OPERATOR(pg_catalog.<>) ");
		bytes_sql_text(&condition, d->system_identifier);
	}
	stop_if(p, condition.data, "this script is for another database; nothing was touched");
	bytes_free(&condition);
}

static int
compare_ids(const void *a, const void *b)
{
	const struct history_row *x = *(const struct history_row *const *)a;
	const struct history_row *y = *(const struct history_row *const *)b;

	return strcmp(x->id, y->id);
}

/* SHA-256 over a line for each row, in the order of ids: made here, and by the server from what it has then. */
static void
history_sum(const struct scan *scan, char hex[MIGRATION_CHECKSUM])
{
	struct history_index index = history_index(scan->history, scan->history_count);
	struct bytes text = { 0 };
	size_t i;

	qsort(index.rows, index.count, sizeof *index.rows, compare_ids);
	for (i = 0; i < index.count; i++) {
		const struct history_row *r = index.rows[i];

		bytes_format(&text, "%s\t%s\t%s\t%d\t%d\n", r->id, r->migration, r->checksum != NULL ? r->checksum : "", r->finished_at != NULL,
		    r->rolled_back_at != NULL);
	}
	migration_checksum(bytes_text(&text), text.len, hex);
	bytes_free(&text);
	history_index_free(&index);
}

static void
check_history(const struct psql *p)
{
	static const char changed[] = "the history has changed since this plan was made; nothing was touched";
	struct bytes condition = { 0 };
	char sum[MIGRATION_CHECKSUM];

	if (!p->scan->database.has_history) {
		bytes_str(&condition, "EXISTS (SELECT FROM pg_catalog.pg_tables WHERE tablename OPERATOR(pg_catalog.=) '" HISTORY_TABLE
		                      "' AND schemaname OPERATOR(pg_catalog.=) ");
		bytes_sql_text(&condition, p->schema);
		bytes_char(&condition, ')');
	} else {
		history_sum(p->scan, sum);
		bytes_str(&condition, "(SELECT pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(coalesce(pg_catalog.string_agg("
		                      "pg_catalog.concat(id, E'\\t', migration_name, E'\\t', checksum, E'\\t', (finished_at IS NOT NULL)::int, "
		                      "E'\\t', (rolled_back_at IS NOT NULL)::int, E'\\n'), '' ORDER BY id COLLATE pg_catalog.\"C\"), ''), "
		                      "'UTF8')), 'hex')\n  FROM ");
		bytes_sql_name(&condition, p->schema);
		bytes_format(&condition, ".\"" HISTORY_TABLE "\") OPERATOR(pg_catalog.<>) '%s'", sum);
	}
	stop_if(p, condition.data, changed);
	bytes_free(&condition);
}

static void
make_history(const struct psql *p)
{
	struct bytes schema = { 0 }, body = { 0 };

	if (p->scan->database.has_history)
		return;
	bytes_sql_name(&schema, p->schema);
	bytes_str(&body, "IF pg_catalog.to_regnamespace(");
	bytes_sql_text(&body, schema.data);
	bytes_format(&body, ") IS NULL THEN CREATE SCHEMA %s; END IF;", schema.data);
	write_block(p, &body);
	history_create_sql(p->out, p->schema, false);
	bytes_str(p->out, ";\n");
	bytes_free(&schema);
}

/* The session's own search path stays where it leads to the schema already, as it does with mig-apply. */
static void
enter_schema(const struct psql *p)
{
	struct bytes body = { 0 };

	bytes_str(&body, "IF (pg_catalog.current_schema() OPERATOR(pg_catalog.=) ");
	bytes_sql_text(&body, p->schema);
	bytes_str(&body, ") IS NOT TRUE THEN PERFORM pg_catalog.set_config('search_path', pg_catalog.quote_ident(");
	bytes_sql_text(&body, p->schema);
	bytes_str(&body, "::pg_catalog.text), false); END IF;");
	write_block(p, &body);
}

/* For the journals; RESET ALL takes it away, and then nothing is noted. */
#define ROLE_AT_START "pg_catalog.current_setting('mig.role_at_start', true)"

static void
keep_role(const struct psql *p)
{
	struct bytes body = { 0 };

	bytes_str(&body, "PERFORM pg_catalog.set_config('mig.role_at_start', current_user::pg_catalog.text, false);");
	write_block(p, &body);
}

/* --- steps --- */

/* One step while it is written: which row, whether it is there by now. */
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
		.own_role = w->p->own_role,
		.all_rows = session_may_set(w->step->sql, w->script, "row_security"),
		.in_psql = true,
		.alone = alone };

	if (session_changes(w->step->sql, w->script))
		set_readings(w->p);
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
			set_readings(w->p);
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
		take_lock(p);
	if (session_may_set(step->sql, script, "row_security"))
		bytes_str(p->out, show_all_rows);
	if (!session_may_set(step->sql, script, "search_path"))
		return;
	history_resolves_sql(&resolves, p->schema);
	bytes_format(&body, "IF NOT (%s) THEN RESET search_path; END IF;", resolves.data);
	write_block(p, &body);
	enter_schema(p);
	bytes_free(&resolves);
}

static int
write_apply(struct psql *p, const struct step *step)
{
	struct sql_script script = sql_split(step->sql, strlen(step->sql));
	struct segments segments = segments_of(step->sql, &script);
	struct writing w = { .p = p, .step = step, .script = &script, .rowed = step->row_id != NULL };
	size_t done = step->row_id != NULL ? (size_t)step->resume_at - 1 : 0, i;
	int code = check_script(p, step, &script);

	if (code == 0 && step->resume_begun)
		code = refuse(p, step, script.statements[done].start, "what an earlier run left of this must be looked at");
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
	if (code == 0 && (segments.count == 0 || (step->row_id != NULL && step->resume_at == (long long)script.count + 1)))
		write_row(&w, HISTORY_FINISHED, script.count, true);
	if (code == 0)
		restore_session(p, step, &script);
	session_behind_free(&w.behind);
	bytes_free(&w.names);
	segments_free(&segments);
	sql_script_free(&script);
	return code;
}

static void
write_mark(struct psql *p, const struct step *step)
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

int
psql_script(struct bytes *out, const struct scan *scan, const struct planned *planned, const char *digest,
    const char *command)
{
	struct psql p = { .out = out, .scan = scan, .planned = planned, .command = command, .schema = scan->database.schema };
	const struct database *d = &scan->database;
	struct bytes place = { 0 };
	int code = 0;
	size_t i;

	if (!scan->has_database || planned->plan.history_digest == NULL) {
		(void)message_error(MIG_DATA, "a script for psql needs the database side: from which history does it start?");
		message_line("next: make the plan from a scan that has the database, without --from-empty");
		return MIG_DATA;
	}
	bytes_format(out, "-- plan %.16s for ", digest);
	page_place(&place, d->database, d->host, d->port, d->schema);
	add_comment(&p, place.data);
	bytes_free(&place);
	bytes_str(out, "\n-- Run it with:  psql -X -f FILE\n"
	               "\\set ON_ERROR_STOP on\n\\set AUTOCOMMIT on\n\\set ON_ERROR_ROLLBACK off\n");
	if (planned->step_count == 0) {
		bytes_str(out, "-- nothing to do\n");
		return 0;
	}
	set_readings(&p);
	bytes_str(out, show_all_rows);
	take_lock(&p);
	check_target(&p);
	check_history(&p);
	make_history(&p);
	enter_schema(&p);
	keep_role(&p);
	for (i = 0; code == 0 && i < planned->step_count; i++) {
		const struct step *step = &planned->steps[i];

		bytes_format(out, "\n-- step %lld of %zu: ", step->step, planned->step_count);
		add_script(&p, step);
		bytes_format(out, "\n\\echo %lld/%zu applying\n", step->step, planned->step_count);
		if (i > 0)
			set_readings(&p);
		if (step->sql != NULL)
			code = write_apply(&p, step);
		else
			write_mark(&p, step);
	}
	if (code == 0)
		bytes_format(out, "\n\\echo applied %zu of %zu\n", planned->step_count, planned->step_count);
	return code;
}
