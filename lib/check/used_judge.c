/* Whether something is still used, by all that a look has found. */
#include "check/used_internal.h"

#include <stdarg.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/null.h"
#include "postgres/sqlstate.h"
#include "sql/literals.h"

enum { SHOWN = 5, SHOWN_BYTES = 160 };

#define METRIC(name, key, family, unit, help) \
	static const struct metric name##_metric = { key, key, "mig_used_" family, NULL, help, unit, false }
METRIC(statements, "statements", "statements", METRIC_COUNT, "Statements that use it.");
METRIC(calls, "calls", "calls", METRIC_COUNT, "Calls of these, since the statistics were reset.");
METRIC(perhaps, "perhaps", "perhaps", METRIC_COUNT, "Statements and functions that perhaps use it.");
METRIC(dependents, "dependents", "dependents", METRIC_COUNT, "Objects of the database that depend on it.");
static const struct metric covers_metric = { "covers_s", "covers", "mig_used_covers_seconds", NULL,
	"How long it is known not to have been used.", METRIC_SECONDS, true };

/* What was found of one certainty. */
struct tally {
	size_t statements;
	long long calls, new_calls;
};

struct verdict {
	struct check_job *job;
	struct check_outcome *outcome;
	struct used_job *u;
	struct tally surely, perhaps;
	long long quiet_ms;          /* so long no look has found a use; 0 after a single look */
	long long needed_ms;
	bool over;                   /* that is long enough: what was called before no longer counts */
	struct bytes by;             /* "2 statements with 1204 calls", ... */
	struct bytes maybe;          /* what depends on it, and may be unused itself */
	size_t perhaps_count;
};

static struct tally
tally(const struct used_job *u, enum uses uses)
{
	struct tally t = { 0 };
	size_t i;

	for (i = 0; i < u->statement_count; i++) {
		const struct used_statement *s = &u->statements[i];

		if (s->uses != uses || s->calls == 0)
			continue;
		t.statements++;
		t.calls += s->calls;
		t.new_calls += s->calls - s->first_calls;
	}
	return t;
}

/* "2026-11-14 09:12:00Z", so long ago. */
static void
when(char out[CLOCK_INSTANT], long long ago_ms)
{
	char then[CLOCK_INSTANT];

	clock_utc(clock_wall_ms() - ago_ms, then);
	(void)clock_readable(then, out);
}

static void
add(struct bytes *out, const char *format, ...) MIG_PRINTF(2, 3);
static void
add(struct bytes *out, const char *format, ...)
{
	va_list args;

	bytes_str(out, out->len > 0 ? ", " : "");
	va_start(args, format);
	bytes_vformat(out, format, args);
	va_end(args);
}

static void
add_statements(struct bytes *out, const struct tally *t)
{
	if (t->statements > 0)
		add(out, "%zu statement%s with %lld call%s", t->statements, t->statements == 1 ? "" : "s", t->calls, t->calls == 1 ? "" : "s");
}

/* --- lines --- */

static void
statement_lines(const struct verdict *v)
{
	size_t shown = 0, i;

	for (i = 0; i < v->u->statement_count; i++) {
		const struct used_statement *s = &v->u->statements[i];
		struct bytes replaced = { 0 }, text = { 0 };

		if (s->calls == 0 || (v->over && s->calls == s->first_calls) || shown++ >= SHOWN)
			continue;
		if (literals_replace(&replaced, s->text))
			literals_hide(&text, replaced.data, SHOWN_BYTES);
		check_detail(v->outcome, s->uses == USES_PERHAPS ? "perhaps" : "statement", "%lld call%s%s%s: %s", s->calls, s->calls == 1 ? "" : "s",
		    s->through != NULL ? ", by the " : "", s->through != NULL ? s->through : "",
		    text.len > 0 ? text.data : "a text that is not shown, since it may contain values");
		bytes_free(&replaced);
		bytes_free(&text);
	}
	if (shown > SHOWN)
		check_detail(v->outcome, "", "and %zu more", shown - SHOWN);
}

/* Views and functions are used when a statement names them; others whenever the table is. */
static void
judge_dependents(struct verdict *v)
{
	size_t always = 0, i;

	for (i = 0; i < v->u->dependent_count; i++) {
		const struct used_dependent *d = &v->u->dependents[i];

		always += d->how == USED_ALWAYS;
		if (d->how != USED_ALWAYS && v->perhaps_count++ < 2)
			add(&v->maybe, "the %s", d->what);
		if (d->how == USED_ALWAYS)
			check_detail(v->outcome, "depends", "%s", d->what);
		else
			check_detail(v->outcome, d->how == USED_BY_TEXT ? "perhaps" : "depends", "%s%s%s", d->what, d->how == USED_BY_TEXT ? ", by the text of its body" : "",
			    d->seen ? ", which statements name" : ", which no statement names");
		if (d->how == USED_ALWAYS && always == 1)
			add(&v->by, "%s", d->what);
	}
	if (always > 1)
		bytes_format(&v->by, " and %zu more", always - 1);
	if (v->perhaps_count > 2)
		bytes_format(&v->maybe, " and %zu more", v->perhaps_count - 2);
}

/* --- what cannot be told --- */

static void
unknown(const struct verdict *v, const char *why)
{
	check_raise(v->outcome, CHECK_UNKNOWN);
	check_unseen(v->outcome, "%s", why);
}

static void
judge_statistics(const struct verdict *v)
{
	const struct used_job *u = v->u;

	if (u->extension == NULL) {
		unknown(v, "statements: the database has no extension pg_stat_statements");
		check_detail(v->outcome, "next", "CREATE EXTENSION pg_stat_statements;  as a superuser, where shared_preload_libraries has it");
		v->outcome->final = true;
	} else if (!u->sees_all) {
		unknown(v, "statements of other roles: the role lacks pg_read_all_stats");
		check_detail(v->outcome, "next", "GRANT pg_read_all_stats TO %s;", u->role);
	} else if (u->unread != NULL) {
		check_raise(v->outcome, CHECK_UNKNOWN);
		check_unseen(v->outcome, "statements [%s]", u->unread);
		if (strcmp(u->unread, SQLSTATE_OBJECT_NOT_IN_PREREQUISITE_STATE) == 0)
			check_detail(v->outcome, "next", "load pg_stat_statements: shared_preload_libraries, then restart the server");
		else if (strcmp(u->unread, SQLSTATE_INSUFFICIENT_PRIVILEGE) == 0)
			check_detail(v->outcome, "next", "GRANT USAGE ON SCHEMA %s TO %s;", u->extension, u->role);
	} else if (u->tracks_none) {
		unknown(v, "statements: pg_stat_statements.track is none");
	}
	if (u->many)
		unknown(v, "statements: more than 5000 name it");
	if (u->evicted == NUMBER_UNKNOWN && u->extension != NULL && u->unread == NULL)
		check_unseen(v->outcome, "whether statements were evicted, which PostgreSQL 13 does not count");
	else if (u->evicted > u->first_evicted)
		unknown(v, "statements evicted in the meantime: raise pg_stat_statements.max");
	else if (u->evicted > 0 && !v->over)
		unknown(v, "statements evicted before: watch it with --watch, or raise pg_stat_statements.max");
}

static void
judge_elsewhere(const struct verdict *v)
{
	struct used_job *u = v->u;

	if (u->extension != NULL && !u->tracks_all && !u->tracks_none)
		check_unseen(v->outcome, "statements that functions run (pg_stat_statements.track = top)");
	if (u->in_recovery)
		check_unseen(v->outcome, "the primary and other standbys: this is one standby");
	if (u->standby_count > 0 && v->job->settings[USED_STANDBYS].number == 0)
		check_raise(v->outcome, CHECK_UNKNOWN);
	if (u->standby_count > 0)
		check_unseen(v->outcome, "what is read on %s", u->standbys.data);
}

/* --- counters --- */

static long long
grown(const struct used_counter *c)
{
	return c->first == NUMBER_UNKNOWN || c->last == NUMBER_UNKNOWN ? NUMBER_UNKNOWN : c->last - c->first;
}

/* What nobody's statement explains: functions, a session of another kind, a dump. */
static void
judge_counters(struct verdict *v)
{
	struct used_job *u = v->u;
	long long reads = grown(&u->reads), writes = grown(&u->writes), index_reads = grown(&u->index_reads);
	char span[CLOCK_SPAN];

	if (u->reads.last != NUMBER_UNKNOWN)
		check_detail(v->outcome, "counters", "the table: %lld scan%s and %lld row%s written, %lld and %lld of them while this looked",
		    u->reads.last, u->reads.last == 1 ? "" : "s", u->writes.last, u->writes.last == 1 ? "" : "s", reads, writes);
	if (u->index_reads.last != NUMBER_UNKNOWN)
		check_detail(v->outcome, "counters", "indexes with the column: %lld scan%s, %lld while this looked", u->index_reads.last,
		    u->index_reads.last == 1 ? "" : "s", index_reads);
	if (v->surely.new_calls > 0)
		return;
	if (u->target.column == NULL && (reads > 0 || writes > 0)) {
		v->perhaps_count++;
		add(&v->by, "scans or writes of the table that no statement explains");
	} else if (u->target.column == NULL && v->surely.statements == 0 && u->since_read_ms != NUMBER_UNKNOWN && u->since_read_ms < v->needed_ms) {
		v->perhaps_count++;
		add(&v->by, "a scan of the table %s ago that no statement explains", clock_age(u->since_read_ms, span));
	} else if (u->target.column != NULL && index_reads > 0) {
		v->perhaps_count++;
		add(&v->by, "scans of an index with it that no statement explains");
	}
}

/* --- the verdict --- */

static const char *
name_of(const struct verdict *v)
{
	return v->job->value;
}

static void
say_used(struct verdict *v, bool surely)
{
	struct bytes since = { 0 };
	char instant[CLOCK_INSTANT];

	if (v->surely.statements + v->perhaps.statements > 0 && v->u->reset_ms != NUMBER_UNKNOWN && !v->over) {
		when(instant, v->u->reset_ms);
		bytes_format(&since, " since %s", instant);
	}
	check_say(v->outcome, surely ? CHECK_CRITICAL : CHECK_WARNING, "%s is %s: by %s%s", name_of(v), surely ? "used" : "perhaps used",
	    bytes_text(&v->by), bytes_text(&since));
	bytes_free(&since);
}

static void
say_unused(struct verdict *v)
{
	char instant[CLOCK_INSTANT], span[CLOCK_SPAN], needed[CLOCK_SPAN];

	if (v->u->covers_ms == 0) {
		check_say(v->outcome, CHECK_UNKNOWN, "it cannot be told whether %s is used", name_of(v));
		return;
	}
	when(instant, v->u->covers_ms);
	check_say(v->outcome, CHECK_OK, "no use of %s since %s, for %s", name_of(v), instant, clock_age(v->u->covers_ms, span));
	if (v->u->covers_ms < v->needed_ms) {
		check_say(v->outcome, CHECK_UNKNOWN, "which is less than %s (used.since)", clock_age(v->needed_ms, needed));
		check_detail(v->outcome, "next", "look again later, or accept less with used.since");
	}
}

/* How long it is known not to be used: since the statistics were reset if they are whole, else since the first look. */
static long long
covered(const struct verdict *v)
{
	const struct used_job *u = v->u;
	bool whole = v->surely.calls == 0 && v->perhaps.calls == 0 && u->evicted == 0 && u->reset_ms != NUMBER_UNKNOWN;

	if (u->extension == NULL || !u->sees_all || u->unread != NULL || u->tracks_none)
		return 0;
	return whole ? u->reset_ms : v->quiet_ms;
}

static void
measures(const struct verdict *v)
{
	(void)check_measure(v->outcome, &statements_metric, (long long)v->surely.statements, NUMBER_UNKNOWN, NUMBER_UNKNOWN);
	(void)check_measure(v->outcome, &calls_metric, v->surely.calls, NUMBER_UNKNOWN, NUMBER_UNKNOWN);
	(void)check_measure(v->outcome, &perhaps_metric, (long long)(v->perhaps.statements + v->perhaps_count), NUMBER_UNKNOWN, NUMBER_UNKNOWN);
	(void)check_measure(v->outcome, &dependents_metric, (long long)v->u->dependent_count, NUMBER_UNKNOWN, NUMBER_UNKNOWN);
	(void)check_measure(v->outcome, &covers_metric, v->u->covers_ms / 1000, NUMBER_UNKNOWN, NUMBER_UNKNOWN);
}

/* Whether the verdict waits for the end of --watch: nothing was called so far while it looks. */
static bool
is_early(const struct verdict *v)
{
	return v->job->watches && !v->u->finished && v->u->session_count == 0 && v->surely.new_calls == 0 && v->perhaps.new_calls == 0 &&
	    !v->outcome->final;
}

void
used_judge(struct check_job *job, struct used_job *u)
{
	struct verdict v = { .job = job, .outcome = &job->outcome, .u = u, .surely = tally(u, USES_SURELY), .perhaps = tally(u, USES_PERHAPS) };
	const struct setting_value *since = &job->settings[USED_SINCE];
	bool surely;

	v.quiet_ms = (u->finished ? clock_now_ms() : u->last_look_ms) - u->quiet_from_ms;
	v.needed_ms = job->watches && !since->given ? 0 : since->number;
	v.over = v.quiet_ms > 0 && v.quiet_ms >= v.needed_ms;
	if (v.over)
		v.surely = v.perhaps = (struct tally){ 0 };
	judge_statistics(&v);
	if (is_early(&v)) {
		check_say(v.outcome, CHECK_OK, "no use of %s so far", name_of(&v));
		v.outcome->state = CHECK_OK;
		return;
	}
	add_statements(&v.by, &v.surely);
	if (u->session_count > u->session_perhaps)
		add(&v.by, "%s right now", u->sessions.data);
	judge_dependents(&v);
	surely = v.by.len > 0;
	add_statements(&v.by, &v.perhaps);
	judge_counters(&v);
	u->covers_ms = covered(&v);
	if (!surely && v.maybe.len > 0)
		add(&v.by, "%s", v.maybe.data);
	if (v.by.len == 0)
		say_unused(&v);
	else
		say_used(&v, surely);
	if (v.by.len > 0 && !surely && u->covers_ms < v.needed_ms)
		unknown(&v, "whether a statement uses it within used.since");
	/* what depends on it stays: to look again changes nothing */
	v.outcome->conclusive = v.outcome->state == CHECK_WARNING && v.perhaps.statements == 0 && v.maybe.len > 0;
	statement_lines(&v);
	if (u->session_count > 0)
		check_detail(v.outcome, "sessions", "%s", u->sessions.data);
	if (u->goes > 0)
		check_detail(v.outcome, "with it", "%zu index%s or constraint%s of its own would go", u->goes, u->goes == 1 ? "" : "es", u->goes == 1 ? "" : "s");
	judge_elsewhere(&v);
	measures(&v);
	v.outcome->final |= surely && job->watches;
	bytes_free(&v.by);
	bytes_free(&v.maybe);
}
