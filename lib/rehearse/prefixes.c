#include "rehearse/prefixes.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/null.h"
#include "base/signals.h"
#include "catalog/catalog.h"
#include "catalog/read.h"
#include "diff/diff.h"
#include "migrations/history.h"
#include "records/json.h"
#include "rehearse/quiet.h"

/* Where no prefix has the names of the database: the last ones of the nearest are read as a whole.  Differences that are told. */
enum { READ_MOST = 40, TOLD = 20 };

struct search {
	const struct prefixes_wish *wish;
	struct scratch *scratch;
	struct quiet quiet;
	struct answer *names;          /* of production */
	size_t *distance;              /* behind each step: how many names are on one side only */
	size_t ran;                    /* steps that ran */
	struct prefixes *found;
	struct arena *texts;
};

/* --- names, which are quickly compared --- */

static const char names_sql[] =
    "SELECT n.nspname, x.name FROM pg_namespace n CROSS JOIN LATERAL (SELECT c.relname || '.' || a.attname AS name FROM pg_class c "
    "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f') "
    "AND c.relname <> '" HISTORY_TABLE "' UNION ALL SELECT 'index ' || c.relname FROM pg_class c WHERE c.relnamespace = n.oid AND c.relkind IN ('i', 'I') "
    "AND c.relname <> '" HISTORY_TABLE "_pkey' UNION ALL SELECT 'constraint ' || k.conname FROM pg_constraint k WHERE k.connamespace = n.oid AND k.contype NOT IN ('n', 'p') "
    "UNION ALL SELECT 'enum ' || t.typname || '.' || e.enumlabel FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid WHERE t.typnamespace = n.oid "
    "UNION ALL SELECT 'function ' || p.proname FROM pg_proc p WHERE p.pronamespace = n.oid AND NOT EXISTS (SELECT FROM pg_depend d "
    "WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e') "
    "UNION ALL SELECT 'trigger ' || g.tgname FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid WHERE c.relnamespace = n.oid AND NOT g.tgisinternal) x "
    "WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY n.nspname COLLATE \"C\", x.name COLLATE \"C\"";

static int
take_names(struct db *db, struct answer **names)
{
	enum db_outcome outcome = db_query_ours(db, names, names_sql, 0, NULL);

	return outcome == DB_OK ? 0 : db_say(db, outcome, "read the names of the schema");
}

static int
compare_rows(const struct answer *a, size_t i, const struct answer *b, size_t k)
{
	int c = strcmp(answer_word(a, i, 0), answer_word(b, k, 0));

	return c != 0 ? c : strcmp(answer_word(a, i, 1), answer_word(b, k, 1));
}

/* Names on one side only; in a schema that the migrations have nothing in they do not count. */
static size_t
distance_of(const struct search *s, const struct answer *here)
{
	size_t i = 0, k = 0, n = 0;

	while (i < answer_rows(s->names) || k < answer_rows(here)) {
		int c = i == answer_rows(s->names) ? 1 : k == answer_rows(here) ? -1 : compare_rows(s->names, i, here, k);

		n += c > 0 || (c < 0 && (strcmp(answer_word(s->names, i, 0), s->wish->schema) == 0 || answer_finds(here, 0, answer_word(s->names, i, 0))));
		i += c <= 0;
		k += c >= 0;
	}
	return n;
}

/* --- the whole schema --- */

static bool
has_namespace(const struct catalog *catalog, const char *name)
{
	size_t i;

	for (i = 0; i < catalog->namespace_count; i++)
		if (name != NULL && strcmp(catalog->namespaces[i].name, name) == 0)
			return true;
	return false;
}

/* FROM is what the migrations make, TO the database. */
static bool
counts(const struct difference *d, const struct catalog *made)
{
	if (d->change != CHANGE_ADDED)
		return true;
	if (d->object == OBJECT_EXTENSION)
		return false;
	return has_namespace(made, d->object == OBJECT_NAMESPACE ? d->name : d->schema);
}

static const char *
difference_text(struct search *s, const struct difference *d)
{
	struct bytes text = { 0 };
	const char *kept;
	size_t i;

	difference_object(d, &text);
	if (d->change == CHANGE_ADDED)
		bytes_str(&text, " is only in the database");
	else if (d->change == CHANGE_REMOVED)
		bytes_str(&text, " is missing in the database");
	else
		bytes_format(&text, " is %s in the database, and %s by the migrations", d->to != NULL ? d->to : "another", d->from != NULL ? d->from : "another");
	for (i = 0; i < text.len; i++)
		if ((unsigned char)text.data[i] < ' ')
			text.data[i] = ' ';
	kept = arena_copy(s->texts, text.data);
	bytes_free(&text);
	return kept;
}

static void
add_prefix(struct search *s, size_t at, const struct diff *diff, const struct catalog *made)
{
	const char *told[TOLD];
	struct prefix p = { .migration = s->wish->steps[at].migration };
	struct bytes json = { 0 };
	size_t n = 0, i;

	for (i = 0; i < diff->difference_count; i++) {
		if (!counts(&diff->differences[i], made))
			continue;
		if (n < TOLD)
			told[n] = difference_text(s, &diff->differences[i]);
		n++;
	}
	p.equal = n == 0;
	p.difference_count = (long long)n;
	json_add_list(&json, told, n < TOLD ? n : TOLD);
	p.differences = arena_text(s->texts, json.data, json.len);
	bytes_free(&json);
	ARRAY_ROOM(s->found->list, s->found->count, s->found->cap);
	s->found->list[s->found->count++] = p;
}

/* Production is read anew each time, since a comparison settles names in both. */
static int
compare(struct search *s, size_t at)
{
	struct catalog made = { 0 }, has = { 0 };
	struct diff diff = { 0 };
	int code = catalog_of_database(scratch_db(s->scratch), &(struct catalog_wish){ SOURCE_REPLAY, s->wish->folder, scratch_schema(s->scratch), false }, &made);

	if (code == 0)
		code = catalog_of_database(s->wish->production, &(struct catalog_wish){ SOURCE_CATALOG, db_database(s->wish->production), s->wish->schema, false }, &has);
	if (code == 0) {
		diff_drift(&made, &has, &diff);
		add_prefix(s, at, &diff, &made);
		diff_free(&diff);
	}
	catalog_free(&made);
	catalog_free(&has);
	return code;
}

/* --- one after another --- */

static int
begin(struct search *s)
{
	struct scratch_order order = s->wish->order;
	int code;

	order.steps = NULL;
	order.count = 0;
	order.watched = true;
	s->scratch = scratch_renew(s->scratch, &order, &code);
	if (s->scratch != NULL)
		code = scratch_settle(s->scratch, 0, NULL);
	return code;
}

/* Runs them, and calls `look` behind each. */
static int
go_through(struct search *s, size_t end, int (*look)(struct search *s, size_t at))
{
	int code = begin(s);
	size_t i;

	for (i = 0; code == 0 && i < end; i++) {
		if (signals_caught() != 0)
			return message_error(128 + signals_caught(), "stopped by a signal while the migrations were compared with the database");
		code = quiet_run(&s->quiet, s->scratch, &s->wish->steps[i], 1);
		if (code != 0 || s->quiet.failed)
			break;
		s->ran = i + 1;
		code = look(s, i);
	}
	return code;
}

static int
look_at_all(struct search *s, size_t at)
{
	return s->distance[at] == 0 ? compare(s, at) : 0;
}

/* Where the names are those of the database nothing else is to be done, and there is no second look. */
static int
look_at_names(struct search *s, size_t at)
{
	struct answer *here = NULL;
	int code = take_names(scratch_watcher(s->scratch, 0), &here);

	if (code == 0)
		s->distance[at] = distance_of(s, here);
	answer_free(here);
	return code == 0 ? look_at_all(s, at) : code;
}

/* Distance 0 is from here on: to be read.  Returns the end of those. */
static size_t
choose(struct search *s)
{
	size_t least = s->ran > 0 ? s->distance[0] : 0, n = 0, end = 0, i;

	for (i = 0; i < s->ran; i++)
		least = s->distance[i] < least ? s->distance[i] : least;
	for (i = s->ran; i-- > 0;) {
		s->distance[i] = s->distance[i] == least && n++ < READ_MOST ? 0 : 1;
		if (end == 0 && s->distance[i] == 0)
			end = i + 1;
	}
	return end;
}

/* All equal ones; else the nearest, the last of them. */
static void
keep(struct prefixes *found)
{
	size_t kept = 0, best = 0, i;

	for (i = 0; i < found->count; i++)
		if (found->list[i].equal)
			found->list[kept++] = found->list[i];
	for (i = 0; kept == 0 && i < found->count; i++)
		if (found->list[i].difference_count <= found->list[best].difference_count)
			best = i;
	if (kept == 0 && found->count > 0)
		found->list[kept++] = found->list[best];
	found->count = kept;
}

static size_t
step_named(const struct prefixes_wish *wish, const char *name)
{
	size_t i;

	for (i = 0; i < wish->count && strcmp(wish->steps[i].migration, name) != 0; i++)
		;
	return i;
}

static void
say_failed(const struct search *s)
{
	if (s->quiet.failed && s->quiet.step != NULL)
		message_warning("%s does not run in the scratch database (%s), so what is behind it was not compared", s->quiet.step->migration,
		    s->quiet.why.data);
}

int
prefixes_find(const struct prefixes_wish *wish, struct scratch **scratch, struct prefixes *found, struct arena *texts)
{
	struct search s = { .wish = wish, .scratch = *scratch, .quiet = { .folder = wish->folder, .limit_ms = wish->limit_ms }, .found = found, .texts = texts };
	size_t end = wish->to != NULL ? step_named(wish, wish->to) + 1 : wish->count, i;
	int code = 0;

	s.distance = xcalloc(wish->count + 1, sizeof *s.distance);
	if (wish->to == NULL) {
		code = take_names(wish->production, &s.names);
		if (code == 0)
			code = go_through(&s, end, look_at_names);
		if (code == 0) {
			say_failed(&s);
			end = found->count > 0 ? 0 : choose(&s);
		}
	} else {
		for (i = 0; i + 1 < end; i++)
			s.distance[i] = 1;
	}
	if (code == 0 && end > 0)
		code = go_through(&s, end, look_at_all);
	if (code == 0 && wish->to != NULL)
		say_failed(&s);
	if (code == 0 && wish->to == NULL)
		keep(found);
	*scratch = s.scratch;
	answer_free(s.names);
	free(s.distance);
	bytes_free(&s.quiet.why);
	return code;
}
