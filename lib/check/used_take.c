/* What the answers to the check "used" say. */
#include "check/used_internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/null.h"
#include "check/relation_name.h"
#include "sql/literals.h"

static const char *
keep(struct used_job *u, const struct answer *a, size_t row, int column)
{
	return arena_copy(&u->arena, answer_text(a, row, column));
}

/* --- what is meant --- */

static void
take_server(struct used_job *u, const struct answer *a)
{
	const char *track = answer_text(a, 0, 6);

	u->extension = keep(u, a, 0, 0);
	u->has_info = answer_flag(a, 0, 1);
	u->sees_all = answer_flag(a, 0, 2);
	u->role = keep(u, a, 0, 3);
	u->database = keep(u, a, 0, 4);
	u->in_recovery = answer_flag(a, 0, 5);
	u->tracks_all = track != NULL && strcmp(track, "all") == 0;
	u->tracks_none = track != NULL && strcmp(track, "none") == 0;
}

bool
used_take_target(struct check_job *job, struct used_job *u, struct db_ask *asks)
{
	const struct answer *a = asks[FIND_TARGET].answer;

	if (a == NULL || asks[FIND_NAMES].answer == NULL || asks[FIND_SERVER].answer == NULL) {
		check_say(&job->outcome, CHECK_UNKNOWN, "the catalog cannot be read [%s]",
		    asks[FIND_TARGET].sqlstate[0] != '\0' ? asks[FIND_TARGET].sqlstate : asks[FIND_SERVER].sqlstate);
		return false;
	}
	if (answer_rows(a) == 0) {
		relation_say_missing(job, u->parts_text, u->part_count, asks[FIND_NAMES].answer);
		job->outcome.state = CHECK_UNKNOWN;
		return false;
	}
	take_server(u, asks[FIND_SERVER].answer);
	u->system_identifier = keep(u, asks[FIND_SYSTEM].answer, 0, 0);
	u->oid = keep(u, a, 0, 0);
	u->target.schema = keep(u, a, 0, 1);
	u->target.table = keep(u, a, 0, 2);
	u->target.plain = answer_flag(a, 0, 5);
	u->column_number = "0";
	if (answer_flag(a, 0, 6)) {
		u->column_number = keep(u, a, 0, 3);
		u->target.column = keep(u, a, 0, 4);
	}
	u->parameters[0] = u->oid;
	u->parameters[1] = u->column_number;
	u->parameters[2] = u->target.table;
	u->parameters[3] = u->target.column;
	return true;
}

/* --- what depends on it, and how it is used besides statements --- */

static void
take_others(struct used_job *u, const struct answer *a)
{
	size_t i;

	u->others = xcalloc(answer_rows(a) + 1, sizeof *u->others);
	for (i = 0; i < answer_rows(a); i++)
		u->others[i] = (struct uses_relation){ keep(u, a, i, 0), keep(u, a, i, 1) };
	u->target.others = u->others;
	u->target.other_count = answer_rows(a);
}

static void
take_dependents(struct used_job *u, const struct answer *depend, const struct answer *functions)
{
	size_t i;

	u->dependents = xcalloc(answer_rows(depend) + answer_rows(functions) + 1, sizeof *u->dependents);
	for (i = 0; i < answer_rows(depend); i++) {
		const char *kind = answer_text(depend, i, 0);
		struct used_dependent *d = &u->dependents[u->dependent_count];

		if (kind == NULL)
			continue;
		if (strcmp(kind, "goes") == 0) {
			u->goes++;
			continue;
		}
		*d = (struct used_dependent){ .how = strcmp(kind, "view") == 0 ? USED_VIEW : strcmp(kind, "function") == 0 ? USED_CALLED : USED_ALWAYS,
			.what = keep(u, depend, i, 3),
			.schema = keep(u, depend, i, 1),
			.name = keep(u, depend, i, 2) };
		u->dependent_count++;
	}
	for (i = 0; i < answer_rows(functions); i++)
		u->dependents[u->dependent_count++] = (struct used_dependent){ .how = USED_BY_TEXT,
			.what = keep(u, functions, i, 2),
			.schema = keep(u, functions, i, 0),
			.name = keep(u, functions, i, 1) };
}

static void
add_name(struct used_job *u, const char *name)
{
	const char *c;

	if (u->names.len > 0)
		bytes_char(&u->names, '\x1f');
	for (c = name; *c != '\0'; c++) {
		bytes_char(&u->names, (char)tolower((unsigned char)*c));
		if (*c == '"')
			bytes_char(&u->names, '"');
	}
}

static void
take_names(struct used_job *u)
{
	size_t i;

	add_name(u, u->target.table);
	for (i = 0; i < u->dependent_count; i++)
		if (u->dependents[i].name != NULL)
			add_name(u, u->dependents[i].name);
	u->names_text = bytes_text(&u->names);
}

static void
take_sessions(struct used_job *u, const struct answer *a)
{
	size_t i;

	u->sessions.len = u->session_count = u->session_perhaps = 0;
	for (i = 0; i < answer_rows(a); i++) {
		enum uses uses = uses_of(answer_word(a, i, 4), &u->target);
		const char *application = answer_text(a, i, 2);

		if (uses == USES_NOT)
			continue;
		u->session_count++;
		u->session_perhaps += uses == USES_PERHAPS;
		bytes_format(&u->sessions, "%spid %s, %s, %s", u->sessions.len > 0 ? "; " : "", answer_word(a, i, 0),
		    application != NULL && *application != '\0' ? application : "no application name", answer_word(a, i, 1));
	}
}

static void
count(struct used_counter *counter, const struct answer *a, int column, bool first)
{
	counter->last = answer_rows(a) > 0 ? answer_number(a, 0, column) : NUMBER_UNKNOWN;
	if (first)
		counter->first = counter->last;
}

void
used_take_look(struct used_job *u, struct db_ask *asks, bool first)
{
	const struct answer *standbys = asks[LOOK_STANDBYS].answer;
	size_t i;

	if (first) {
		take_others(u, asks[LOOK_OTHERS].answer);
		take_dependents(u, asks[LOOK_DEPENDENTS].answer, asks[LOOK_FUNCTIONS].answer);
		take_names(u);
	}
	take_sessions(u, asks[LOOK_SESSIONS].answer);
	count(&u->reads, asks[LOOK_TABLE].answer, 0, first);
	count(&u->writes, asks[LOOK_TABLE].answer, 1, first);
	count(&u->index_reads, asks[LOOK_INDEXES].answer, 0, first);
	u->since_read_ms = answer_rows(asks[LOOK_TABLE].answer) > 0 ? answer_number(asks[LOOK_TABLE].answer, 0, 2) : NUMBER_UNKNOWN;
	u->standbys.len = 0;
	u->standby_count = answer_rows(standbys);
	for (i = 0; i < u->standby_count; i++)
		bytes_format(&u->standbys, "%s%s", i > 0 ? ", " : "", answer_word(standbys, i, 0));
}

/* --- statements --- */

/* Whether it names a view, or calls a function, that depends on it. */
static enum uses
uses_dependent(struct used_job *u, const char *text, const char **through)
{
	enum uses most = USES_NOT;
	size_t i;

	for (i = 0; i < u->dependent_count; i++) {
		struct used_dependent *d = &u->dependents[i];
		const struct uses_target view = { d->schema, d->name, NULL, true, NULL, 0 };
		enum uses uses = d->how == USED_VIEW ? uses_of(text, &view)
		    : d->name != NULL && uses_calls(text, d->name) ? (d->how == USED_BY_TEXT ? USES_PERHAPS : USES_SURELY)
		                                                   : USES_NOT;

		d->seen |= uses != USES_NOT;
		if (uses > most) {
			most = uses;
			*through = d->what;
		}
	}
	return most;
}

static struct used_statement *
statement_of(struct used_job *u, const char *text)
{
	size_t i;

	for (i = 0; i < u->statement_count; i++)
		if (strcmp(u->statements[i].text, text) == 0)
			return &u->statements[i];
	return NULL;
}

/* Returns whether it was called since the last look. */
static bool
take_statement(struct used_job *u, const char *text, long long calls, bool first)
{
	struct used_statement *known = statement_of(u, text), new;
	bool called;

	if (known == NULL) {
		new = (struct used_statement){ .calls = first ? calls : 0, .first_calls = first ? calls : 0 };
		new.uses = uses_of(text, &u->target);
		if (new.uses != USES_SURELY) {
			const char *through = NULL;
			enum uses uses = uses_dependent(u, text, &through);

			if (uses > new.uses) {
				new.uses = uses;
				new.through = through;
			}
		}
		if (new.uses == USES_NOT)
			return false;
		new.text = arena_copy(&u->arena, text);
		ARRAY_ROOM(u->statements, u->statement_count, u->statement_cap);
		known = &u->statements[u->statement_count++];
		*known = new;
	}
	called = !first && known->calls != calls;
	known->calls = calls;
	return called;
}

void
used_take_statements(struct used_job *u, struct db_ask *statistics, struct db_ask *statements)
{
	bool first = u->stage != USED_AGAIN, called = false;
	const struct answer *a = statements->answer;
	size_t i;

	u->unread = a == NULL ? arena_copy(&u->arena, statements->sqlstate) : NULL;
	u->evicted = answer_rows(statistics->answer) > 0 ? answer_number(statistics->answer, 0, 0) : NUMBER_UNKNOWN;
	u->reset_ms = answer_rows(statistics->answer) > 0 ? answer_number(statistics->answer, 0, 1) : NUMBER_UNKNOWN;
	u->many = answer_rows(a) > 5000;
	for (i = 0; i < answer_rows(a); i++)
		called |= take_statement(u, answer_word(a, i, 0), answer_count(a, i, 1), first);
	u->last_look_ms = clock_now_ms();
	if (first) {
		u->first_evicted = u->evicted;
		u->first_look_ms = u->quiet_from_ms = u->last_look_ms;
	}
	if (called || u->session_count > 0)
		u->quiet_from_ms = u->last_look_ms;
}
