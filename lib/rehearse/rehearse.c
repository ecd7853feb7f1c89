#include "rehearse/rehearse.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/null.h"
#include "migrations/history.h"
#include "records/json.h"
#include "records/record.h"
#include "records/words.h"
#include "rehearse/downs.h"
#include "rehearse/measure.h"
#include "scratch/replay.h"
#include "scratch/replay_folder.h"
#include "scratch/scratch.h"
#include "scratch/template.h"

/* --- what is run --- */

struct runs {
	struct step *applied, *pending;
	struct template_step *names;      /* of the applied */
	size_t applied_count, pending_count;
	const char **missing;             /* applied, and without a script */
	size_t missing_count;
};

static bool
has_script(const struct migration_status *s)
{
	return s->script != NULL && s->script->sql != NULL;
}

static void
add_step(struct step *steps, size_t *count, const struct migration *m)
{
	steps[*count] = (struct step){ .step = (long long)*count + 1, .migration = m->migration, .checksum = m->checksum, .sql = m->sql };
	++*count;
}

/* In the order of the folder, in which the applied were written to run: a squashed one is first, whenever it was recorded. */
static struct runs
runs_of(const struct status *status)
{
	size_t room = status->count + 1, i;
	struct runs r = { .applied = xcalloc(room, sizeof *r.applied),
		.pending = xcalloc(room, sizeof *r.pending),
		.names = xcalloc(room, sizeof *r.names),
		.missing = xcalloc(room, sizeof *r.missing) };

	for (i = 0; i < status->count; i++) {
		const struct migration_status *s = &status->list[i];
		bool is_applied = s->state == STATE_APPLIED || s->state == STATE_EDITED || s->state == STATE_MISSING;

		if (is_applied && has_script(s)) {
			r.names[r.applied_count] = (struct template_step){ s->script->migration, s->script->checksum };
			add_step(r.applied, &r.applied_count, s->script);
		} else if (is_applied) {
			r.missing[r.missing_count++] = s->migration;
		} else if (has_script(s)) {
			add_step(r.pending, &r.pending_count, s->script);
		}
	}
	return r;
}

static void
runs_free(struct runs *r)
{
	free(r->applied);
	free(r->pending);
	free(r->names);
	free(r->missing);
}

/* --- what exists on one side only --- */

static const char *
list_text(struct rehearsed *out, const char *const items[], size_t count)
{
	struct bytes json = { 0 };
	const char *text;

	json_add_list(&json, items, count);
	text = arena_text(&out->texts, json.data, json.len);
	bytes_free(&json);
	return text;
}

/* Relations that people made; in order. */
static const char names_sql[] =
    "SELECT n.nspname, n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') "
    "AND n.nspname !~ '^pg_(toast_)?temp_' AND c.relname <> '" HISTORY_TABLE "' AND NOT EXISTS (SELECT FROM pg_depend d "
    "WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e') ORDER BY (n.nspname || '.' || c.relname) COLLATE \"C\"";

/* Those of one side that the other has not; in schemas that the replay has something in. */
static const char *
only_in(struct rehearsed *out, const struct answer *here, const struct answer *there, const struct answer *replay, const char *schema)
{
	const char **names = xcalloc(answer_rows(here) + 1, sizeof *names), *text;
	size_t i, k = 0, n = 0;

	for (i = 0; i < answer_rows(here); i++) {
		const char *name = answer_word(here, i, 1), *in = answer_word(here, i, 0);

		while (k < answer_rows(there) && strcmp(answer_word(there, k, 1), name) < 0)
			k++;
		if ((k == answer_rows(there) || strcmp(answer_word(there, k, 1), name) != 0) &&
		    (strcmp(in, schema) == 0 || answer_finds(replay, 0, in)))
			names[n++] = name;
	}
	text = list_text(out, names, n);
	free(names);
	return text;
}

static int
compare_sides(struct db *production, struct scratch *scratch, struct rehearsed *out)
{
	struct answer *has = NULL, *made = NULL;
	enum db_outcome outcome = db_query_ours(production, &has, names_sql, 0, NULL);
	int code = outcome != DB_OK ? db_say(production, outcome, "ask which tables there are") : 0;

	if (code == 0 && (outcome = db_query_ours(scratch_watcher(scratch, 0), &made, names_sql, 0, NULL)) != DB_OK)
		code = db_say(scratch_watcher(scratch, 0), outcome, "look at the scratch database");
	if (code == 0) {
		out->rehearsal.only_database = only_in(out, has, made, made, scratch_schema(scratch));
		out->rehearsal.only_replay = only_in(out, made, has, made, scratch_schema(scratch));
	}
	answer_free(has);
	answer_free(made);
	return code;
}

/* --- the whole --- */

static const char *
base_digest(struct rehearsed *out, const struct runs *r)
{
	enum { DIGEST = 16 };
	crypto_generichash_state state;
	unsigned char digest[DIGEST];
	char hex[2 * DIGEST + 1];
	size_t i;

	crypto_generichash_init(&state, NULL, 0, DIGEST);
	for (i = 0; i < r->applied_count; i++) {
		crypto_generichash_update(&state, (const unsigned char *)r->names[i].migration, strlen(r->names[i].migration) + 1);
		crypto_generichash_update(&state, (const unsigned char *)r->names[i].checksum, strlen(r->names[i].checksum) + 1);
	}
	crypto_generichash_final(&state, digest, sizeof digest);
	sodium_bin2hex(hex, sizeof hex, digest, sizeof digest);
	return arena_copy(&out->texts, hex);
}

static void
fill_head(struct scratch *scratch, const struct runs *r, struct rehearsed *out)
{
	struct db *db = scratch_db(scratch);
	const char *zone = db_time_zone(db);

	out->rehearsal = (struct rehearsal){ .server_version = arena_copy(&out->texts, db_server_version(db)),
		.server_version_num = db_server_version_num(db),
		.time_zone = arena_copy(&out->texts, zone != NULL ? zone : ""),
		.replayed = (long long)r->applied_count,
		.pending = (long long)r->pending_count,
		.base_digest = base_digest(out, r),
		.not_replayed = list_text(out, r->missing, r->missing_count),
		.statements = NUMBER_UNKNOWN,
		.untried = NUMBER_UNKNOWN };
}

static int
say_lost(struct scratch *scratch, enum db_outcome outcome)
{
	return db_say(scratch_watcher(scratch, 0), outcome, "look at the scratch database");
}

static int
run_pending(struct scratch *scratch, const struct rehearse_wish *wish, const struct runs *r, struct rehearsed *out)
{
	struct measure measure;
	struct replay_watcher watcher;
	enum db_outcome outcome;
	size_t ran = 0;
	int code = 0;

	outcome = measure_begin(&measure, scratch, wish->limit_ms, wish->statements, &out->effects, &out->texts);
	if (outcome == DB_OK) {
		watcher = measure_watcher(&measure);
		code = replay_watched(scratch, wish->folder, r->pending, r->pending_count, &watcher, &ran);
		out->rehearsal.rehearsed = (long long)ran;
		outcome = measure_end(&measure);
		if (wish->statements != NULL) {
			out->rehearsal.untried = (long long)wish->statements->untried;
			out->rehearsal.statements = (long long)(wish->statements->count - wish->statements->untried);
		}
	} else {
		(void)measure_end(&measure);
	}
	return code != 0 ? code : outcome != DB_OK ? say_lost(scratch, outcome) : 0;
}

/* --- where the database is in the folder's history --- */

/* Whether it is to be found out: asked for, or there are tables, and nothing of the folder is recorded as applied. */
static bool
wants_prefixes(const struct rehearse_wish *wish)
{
	const struct status *s = wish->status;

	return wish->production != NULL &&
	    (wish->to != NULL || (!wish->scan->database.schema_empty && s->of[STATE_APPLIED] + s->of[STATE_EDITED] + s->of[STATE_FAILED] + s->of[STATE_RUNNING] == 0));
}

/* Said before anything is run. */
static int
check_to(const struct rehearse_wish *wish)
{
	const char **names = xcalloc(wish->status->count + 1, sizeof *names);
	bool there = wish->to == NULL;
	size_t n = 0, i;

	for (i = 0; i < wish->status->count; i++) {
		if (!has_script(&wish->status->list[i]))
			continue;
		names[n++] = wish->status->list[i].migration;
		there |= wish->to != NULL && strcmp(wish->to, names[n - 1]) == 0;
	}
	if (!there)
		(void)replay_refuse_name("to", wish->to, wish->folder, names, n);
	free(names);
	return there ? 0 : MIG_DATA;
}

static void
say_prefix(const struct prefixes *found)
{
	const struct prefix *last = found->count > 0 ? &found->list[found->count - 1] : NULL;

	if (last == NULL)
		message_info("no migration was compared with the database");
	else if (last->equal)
		message_info("the database has the schema that the migrations up to %s make", last->migration);
	else
		message_info("the database does not have the schema that the migrations up to %s make: %lld difference%s", last->migration,
		    last->difference_count, last->difference_count == 1 ? "" : "s");
}

static int
find_prefixes(const struct rehearse_wish *wish, struct scratch **scratch, struct rehearsed *out)
{
	struct step *steps = xcalloc(wish->status->count + 1, sizeof *steps);
	struct prefixes_wish prefixes = { .folder = wish->folder,
		.steps = steps,
		.to = wish->to,
		.production = wish->production,
		.schema = wish->scan->database.schema,
		.limit_ms = wish->limit_ms,
		.order = wish->order };
	size_t i;
	int code;

	for (i = 0; i < wish->status->count; i++)
		if (has_script(&wish->status->list[i]))
			add_step(steps, &prefixes.count, wish->status->list[i].script);
	prefixes.order.renewed = true;
	code = prefixes_find(&prefixes, scratch, &out->prefixes, &out->texts);
	if (code == 0)
		say_prefix(&out->prefixes);
	free(steps);
	return code;
}

static void
say_done(struct scratch *scratch, const struct rehearsed *out, long long ms)
{
	const struct rehearsal *r = &out->rehearsal;
	struct bytes place = { 0 };
	char span[CLOCK_SPAN];

	scratch_place(scratch, &place);
	if (r->pending == 0)
		message_info("there is nothing pending to rehearse (%s)", place.data);
	else if (r->rehearsed == r->pending)
		message_info("%lld pending migration%s rehearsed in %s (%s)", r->pending, r->pending == 1 ? " was" : "s were",
		    clock_span(ms, span), place.data);
	else
		message_warning("%lld of %lld pending migrations ran, and the next one fails (%s)", r->rehearsed, r->pending, place.data);
	bytes_free(&place);
}

/* What there is to take back, in an array that the caller frees. */
static struct downs_step *
downs_of(const struct rehearse_wish *wish, const struct runs *r, struct downs_wish *downs)
{
	struct downs_step *steps = xcalloc(r->applied_count + r->pending_count + 1, sizeof *steps);
	size_t i, k = 0;

	*downs = (struct downs_wish){ .folder = wish->folder,
		.steps = steps,
		.count = r->applied_count + r->pending_count,
		.applied = r->applied_count,
		.draft_of = wish->drafts ? DOWNS_DRAFT_PENDING : DOWNS_DRAFT_NONE,
		.time_zone = wish->scan->database.time_zone,
		.limit_ms = wish->limit_ms,
		.order = wish->order };
	for (i = 0; i < downs->count; i++) {
		const struct migration *m;

		steps[i].up = i < r->applied_count ? r->applied[i] : r->pending[i - r->applied_count];
		for (; strcmp(wish->scan->migrations[k % wish->scan->migration_count].migration, steps[i].up.migration) != 0; k++)
			;
		m = &wish->scan->migrations[k % wish->scan->migration_count];
		steps[i].down = (struct step){ .step = 1, .action = ACTION_REVERT, .migration = m->migration, .checksum = m->down_checksum, .sql = m->down_sql };
	}
	return steps;
}

static int
try_downs(const struct downs_wish *downs, struct scratch **scratch, struct rehearsed *out)
{
	struct downs_found found = { .effects = &out->effects };
	int code = downs_verify(downs, scratch, &found, &out->texts);

	out->losses = found.losses;
	out->drafts = found.drafts;
	return code;
}

int
rehearse_run(const struct rehearse_wish *wish, struct rehearsed *out)
{
	struct runs r = runs_of(wish->status);
	struct scratch_order order = wish->order;
	struct downs_wish downs;
	struct downs_step *both = downs_of(wish, &r, &downs);
	struct scratch *scratch;
	long long began = 0;
	int code;

	*out = (struct rehearsed){ 0 };
	order.renewed = downs.order.renewed = downs_any(&downs) || wants_prefixes(wish);
	order.steps = r.names;
	order.count = r.applied_count;
	order.watched = true;
	code = check_to(wish);
	scratch = code == 0 ? scratch_open(&order, &code) : NULL;
	if (scratch != NULL && r.applied_count > 0)
		code = replay_run(scratch, wish->folder, r.applied, r.applied_count);
	if (code == 0)
		code = scratch_settle(scratch, r.applied_count, wish->scan->database.time_zone);
	if (code == 0) {
		began = clock_now_ms();
		fill_head(scratch, &r, out);
	}
	if (code == 0 && wish->production != NULL)
		code = compare_sides(wish->production, scratch, out);
	if (code == 0)
		code = run_pending(scratch, wish, &r, out);
	if (code == 0)
		say_done(scratch, out, clock_now_ms() - began);
	if (code == 0 && downs_any(&downs))
		code = try_downs(&downs, &scratch, out);
	if (code == 0 && wants_prefixes(wish))
		code = find_prefixes(wish, &scratch, out);
	scratch_close(scratch);
	free(both);
	runs_free(&r);
	return code;
}

/* Of all of the folder, in its order, whatever is applied. */
int
rehearse_draft(const struct rehearse_wish *wish, const char *migration, struct rehearsed *out)
{
	struct runs r = runs_of(wish->status);
	const char **names = xcalloc(r.pending_count + 1, sizeof *names);
	struct scratch_order order = wish->order;
	struct downs_wish downs;
	struct downs_step *both = downs_of(wish, &r, &downs);
	struct scratch *scratch;
	size_t i;
	int code = 0;

	*out = (struct rehearsed){ 0 };
	downs.draft_of = downs.count;
	for (i = 0; i < downs.count; i++) {
		names[i] = downs.steps[i].up.migration;
		if (strcmp(names[i], migration) == 0)
			downs.draft_of = i;
	}
	if (downs.draft_of == downs.count) {
		code = replay_refuse_name("draft", migration, wish->folder, names, downs.count);
	} else {
		order.renewed = downs.order.renewed = true;
		scratch = scratch_open(&order, &code);
		if (scratch != NULL)
			code = try_downs(&downs, &scratch, out);
		scratch_close(scratch);
	}
	free(names);
	free(both);
	runs_free(&r);
	return code;
}

struct rehearsal_records
rehearsed_records(struct rehearsed *out)
{
	struct rehearsal_records records = { .known = true,
		.head = out->rehearsal,
		.effects = out->effects.list,
		.count = out->effects.count,
		.losses = out->losses.list,
		.loss_count = out->losses.count,
		.drafts = out->drafts.list,
		.draft_count = out->drafts.count,
		.prefixes = out->prefixes.list,
		.prefix_count = out->prefixes.count };

	out->effects = (struct effects){ 0 };
	out->losses = (struct losses){ 0 };
	out->drafts = (struct drafts){ 0 };
	out->prefixes = (struct prefixes){ 0 };
	return records;
}

void
rehearsed_free(struct rehearsed *out)
{
	effects_free(&out->effects);
	free(out->losses.list);
	free(out->drafts.list);
	free(out->prefixes.list);
	arena_free(&out->texts);
	*out = (struct rehearsed){ 0 };
}
