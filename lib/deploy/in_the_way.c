#include "deploy/in_the_way.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/message.h"
#include "database/activity.h"
#include "records/words.h"
#include "sql/sql.h"
#include "sql/targets.h"

/* What the plan wants. */
struct wants {
	struct activity_wanted *list;
	size_t count, cap;
	bool concurrently;      /* a statement waits for every older transaction */
	struct arena texts;
};

/* --- what the words of a plan tell --- */

static enum lock_mode
mode_of(const char *words, const char *right)
{
	if (strncmp(words, "CREATE INDEX", 12) == 0 || strncmp(words, "CREATE UNIQUE INDEX", 19) == 0)
		return strstr(words, "CONCURRENTLY") != NULL ? LOCK_SHARE_UPDATE_EXCLUSIVE : LOCK_SHARE;
	if (strcmp(right, "INSERT") == 0 || strcmp(right, "UPDATE") == 0 || strcmp(right, "DELETE") == 0)
		return LOCK_ROW_EXCLUSIVE;
	if (strcmp(right, "TRIGGER") == 0 || strcmp(right, "REFERENCES") == 0)
		return LOCK_SHARE_ROW_EXCLUSIVE;
	return strncmp(words, "COMMENT", 7) == 0 ? LOCK_SHARE_UPDATE_EXCLUSIVE : LOCK_ACCESS_EXCLUSIVE;
}

static void
add_target(struct wants *w, const struct sql_target *target, const char *words, const char *schema)
{
	char *in, *name = sql_name_parts(target->name, &in);

	ARRAY_ROOM(w->list, w->count, w->cap);
	w->list[w->count++] = (struct activity_wanted){ arena_copy(&w->texts, in != NULL ? in : schema),
		arena_copy(&w->texts, name), mode_of(words, target->right) };
	free(in);
	free(name);
}

static void
add_step(struct wants *w, const struct step *step, const char *schema, bool rehearsed)
{
	struct sql_script script = sql_split(step->sql, strlen(step->sql));
	size_t i, k;

	for (i = 0; i < script.count; i++) {
		const struct sql_statement *s = &script.statements[i];
		struct sql_targets targets = { 0 };
		char words[64];

		w->concurrently |= s->kind == SQL_ALONE && sql_mentions(step->sql + s->start, s->end - s->start, "concurrently");
		if (rehearsed)
			continue;
		sql_words(step->sql, s, words, sizeof words);
		(void)sql_targets_add(&targets, step->sql, s);
		for (k = 0; k < targets.count; k++)
			if (targets.list[k].kind == TARGET_RELATION)
				add_target(w, &targets.list[k], words, schema);
		sql_targets_free(&targets);
	}
	sql_script_free(&script);
}

static struct wants
wants_of(const struct plan_stream *plan)
{
	struct wants w = { 0 };
	size_t i;

	if (plan->rehearsed.known)
		w.list = activity_wanted_of(&plan->rehearsed, &w.count);
	for (i = 0; i < plan->step_count; i++)
		if (plan->steps[i].action == ACTION_APPLY && plan->steps[i].sql != NULL)
			add_step(&w, &plan->steps[i], plan->plan.schema, plan->rehearsed.known);
	if (!plan->rehearsed.known)
		w.count = activity_wanted_sort(w.list, w.count);
	return w;
}

/* --- what there is --- */

static void
say(const struct activity *a, bool concurrently)
{
	struct bytes line = { 0 };

	activity_line(&line, a);
	if (a->activity == ACTIVITY_AUTOVACUUM && !a->wraparound)
		bytes_str(&line, ", and gives way");
	if (a->relation != NULL)
		message_info("in the way now: %s", line.data);
	else if (a->activity == ACTIVITY_PREPARED || a->activity == ACTIVITY_TRANSACTION)
		message_info("%s: %s", concurrently ? "CONCURRENTLY waits for it now" : "open besides", line.data);
	bytes_free(&line);
}

static void
say_all(const struct wants *w, const struct activity list[], size_t count, bool rehearsed, long long wait_ms)
{
	size_t in_the_way = 0, prepared = 0, i;
	char wait[CLOCK_SPAN];

	for (i = 0; i < count; i++) {
		bool holds = list[i].relation != NULL || (w->concurrently && list[i].activity == ACTIVITY_TRANSACTION);

		say(&list[i], w->concurrently && list[i].activity == ACTIVITY_TRANSACTION);
		in_the_way += holds;
		prepared += holds && list[i].activity == ACTIVITY_PREPARED;
	}
	if (in_the_way == 0)
		message_info("nobody is in the way now%s", rehearsed ? "" : ", as far as the words of the plan tell (mig-scan --rehearse)");
	else
		message_info("mig-apply waits for %s to end, up to %s (--wait)%s", in_the_way == 1 ? "it" : "them", clock_age(wait_ms, wait),
		    prepared > 0 ? "; a prepared transaction ends only by COMMIT PREPARED or ROLLBACK PREPARED" : "");
}

void
in_the_way_say(struct db *db, const struct plan_stream *plan, long long wait_ms)
{
	struct wants w = wants_of(plan);
	struct bytes sql = { 0 };
	struct answer *answer = NULL;
	struct activity *list;
	size_t count;

	activity_sql(&sql, w.list, w.count);
	if (db_query_ours(db, &answer, sql.data, 0, NULL) != DB_OK) {
		message_warning("it is not known who is in the way now: %s", db_error(db)->message);
	} else {
		list = activity_take(answer, w.list, w.count, &w.texts, &count);
		say_all(&w, list, count, plan->rehearsed.known, wait_ms);
		free(list);
	}
	answer_free(answer);
	bytes_free(&sql);
	free(w.list);
	arena_free(&w.texts);
}
