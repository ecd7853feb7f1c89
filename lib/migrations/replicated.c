#include "migrations/replicated.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/null.h"
#include "base/page.h"
#include "migrations/history.h"
#include "records/json.h"
#include "records/words.h"
#include "sql/replica.h"
#include "sql/targets.h"

/* A script being looked at. */
struct view {
	const struct replicated_plan *plan;
	const struct rehearsal_records *records;  /* of the plan, as the schema */
	const char *schema;
	struct replicated found;
};

/* A table that a statement names, and what is known of it. */
struct table {
	char *schema, *name;
	struct bytes sql;           /* as people write it */
	struct bytes publications;  /* that have it: "a, b" */
	const struct published *first;
	bool changes;               /* one of them publishes UPDATE or DELETE */
};

/* Takes message and remedy over. */
static void
add(struct replicated *found, const char *rule, size_t statement, char *message, char *remedy)
{
	ARRAY_ROOM(found->list, found->count, found->cap);
	found->list[found->count++] = (struct replicated_finding){ rule, statement, message, remedy };
}

static bool
list_has(const char *list, const char *name)
{
	struct bytes item = { 0 };
	bool has = false, null;

	while (!has && list != NULL && json_list_next(&list, &item, &null))
		has = strcmp(bytes_text(&item), name) == 0;
	bytes_free(&item);
	return has;
}

static void
add_name(struct bytes *names, const char *name)
{
	bytes_str(names, names->len > 0 ? ", " : "");
	bytes_sql_name(names, name);
}

/* `column`: only publications that have it count; NULL: all. */
static struct table
table_of(const struct view *v, const char *written, const char *column)
{
	struct table t = { 0 };
	size_t i;

	t.name = sql_name_parts(written, &t.schema);
	if (t.schema == NULL)
		t.schema = xstrdup(v->schema);
	if (strcmp(t.schema, v->schema) != 0) {
		bytes_sql_name(&t.sql, t.schema);
		bytes_char(&t.sql, '.');
	}
	bytes_sql_name(&t.sql, t.name);
	for (i = 0; i < v->records->published_count; i++) {
		const struct published *p = &v->records->published[i];

		if (strcmp(p->relation, t.name) != 0 || strcmp(p->schema, t.schema) != 0 ||
		    (column != NULL && p->columns != NULL && !list_has(p->columns, column)))
			continue;
		add_name(&t.publications, p->publication);
		t.first = t.first != NULL ? t.first : p;
		t.changes |= p->changes;
	}
	return t;
}

static void
table_free(struct table *t)
{
	free(t->schema);
	free(t->name);
	bytes_free(&t->sql);
	bytes_free(&t->publications);
}

/* The publications that a new table is in by itself. */
static void
publications_of_new(const struct view *v, struct table *t)
{
	size_t i;

	for (i = 0; i < v->records->publication_count; i++) {
		const struct publication *p = &v->records->publications[i];

		if (!p->all_tables && !list_has(p->schemas, t->schema))
			continue;
		add_name(&t->publications, p->publication);
		t->changes |= p->changes;
	}
}

static void
created(struct view *v, const struct replica_step *s)
{
	struct table t = table_of(v, s->table, NULL);

	if (t.first != NULL) { /* it is there already: IF NOT EXISTS */
		table_free(&t);
		return;
	}
	publications_of_new(v, &t);
	if (t.publications.len > 0)
		add(&v->found, REPLICATED_SUBSCRIBERS, s->statement,
		    xformat("the new table %s is published by %s: a subscriber that lacks it stops at its first row", t.sql.data, t.publications.data),
		    xstrdup("first on subscribers: create it there before the deploy, and behind it:  ALTER SUBSCRIPTION ... REFRESH PUBLICATION;"));
	if (t.changes && s->change == REPLICA_CREATE_KEYLESS)
		add(&v->found, REPLICATED_NO_IDENTITY, s->statement,
		    xformat("the new table %s is published by %s and has no replica identity: UPDATE and DELETE of it fail [55000]", t.sql.data,
		        t.publications.data),
		    xformat("add a primary key, or write behind it:  ALTER TABLE %s REPLICA IDENTITY FULL;", t.sql.data));
	table_free(&t);
}

static void
changed_column(struct view *v, const struct replica_step *s)
{
	char *schema, *column = sql_name_parts(s->object, &schema);
	struct table t = table_of(v, s->table, column);
	const char *by = bytes_text(&t.publications);
	bool listed = t.first != NULL && t.first->columns != NULL;

	if (t.first != NULL && s->change == REPLICA_ADD)
		add(&v->found, REPLICATED_SUBSCRIBERS, s->statement,
		    xformat("column %s of %s is published by %s: a subscriber that lacks it stops at the next row", s->object, t.sql.data, by),
		    xstrdup("first on subscribers: add it there before the deploy"));
	else if (t.first != NULL && s->change == REPLICA_DROP && listed)
		add(&v->found, REPLICATED_SUBSCRIBERS, s->statement,
		    xformat("column %s of %s is in the column list of %s: DROP COLUMN fails [2BP01]", s->object, t.sql.data, by),
		    xstrdup("first take it out of the list, with ALTER PUBLICATION ... SET TABLE; last on subscribers"));
	else if (t.first != NULL && s->change == REPLICA_DROP)
		add(&v->found, REPLICATED_SUBSCRIBERS, s->statement,
		    xformat("column %s of %s is published by %s: a subscriber that drops it first, or has it NOT NULL, stops at the next row",
		        s->object, t.sql.data, by),
		    xstrdup("last on subscribers: DROP NOT NULL there before the deploy, and drop the column after it"));
	else if (t.first != NULL && s->change == REPLICA_RETYPE)
		add(&v->found, REPLICATED_SUBSCRIBERS, s->statement,
		    xformat("column %s of %s is published by %s: a subscriber whose type does not take a new value stops at it", s->object, t.sql.data,
		        by),
		    xstrdup("first on subscribers: to a type that takes the old values and the new ones"));
	else if (t.first != NULL)
		add(&v->found, REPLICATED_SUBSCRIBERS, s->statement,
		    xformat("column %s of %s is published by %s under its name: subscribers stop at the next row", s->object, t.sql.data, by),
		    xstrdup("add a column with the new name instead, first on subscribers; drop the old one in a later release, last on subscribers"));
	table_free(&t);
	free(schema);
	free(column);
}

static void
renamed(struct view *v, const struct replica_step *s)
{
	struct table t = table_of(v, s->table, NULL);

	if (t.first != NULL)
		add(&v->found, REPLICATED_SUBSCRIBERS, s->statement,
		    xformat("%s is published by %s under its name: subscribers stop at the next row", t.sql.data, t.publications.data),
		    xstrdup("rename it on subscribers as well, while they are off:  ALTER SUBSCRIPTION ... DISABLE;  and afterwards  ENABLE"));
	table_free(&t);
}

static void
lost_identity(struct view *v, const struct table *t, const struct replica_step *s)
{
	if (t->first == NULL || !t->changes || t->first->identity == IDENTITY_NONE || t->first->identity == IDENTITY_NULL)
		return;
	add(&v->found, REPLICATED_NO_IDENTITY, s->statement,
	    xformat("%s is published by %s and loses its replica identity: UPDATE and DELETE of it fail [55000]", t->sql.data,
	        t->publications.data),
	    xformat("give it another one in the same script:  ALTER TABLE %s REPLICA IDENTITY FULL;", t->sql.data));
}

/* A constraint of a table, or an index of whatever table it is. */
static void
dropped_index(struct view *v, const struct replica_step *s)
{
	char *schema, *name = sql_name_parts(s->object, &schema);
	size_t i;

	for (i = 0; i < v->records->published_count; i++) {
		const struct published *p = &v->records->published[i];
		struct bytes written = { 0 };
		struct table t;

		if (p->identity_index == NULL || strcmp(p->identity_index, name) != 0 ||
		    (s->table == NULL && strcmp(p->schema, schema != NULL ? schema : v->schema) != 0))
			continue;
		bytes_sql_name(&written, p->schema);
		bytes_char(&written, '.');
		bytes_sql_name(&written, p->relation);
		t = table_of(v, s->table != NULL ? s->table : written.data, NULL);
		if (strcmp(t.name, p->relation) == 0 && strcmp(t.schema, p->schema) == 0 && t.first == p)
			lost_identity(v, &t, s);
		table_free(&t);
		bytes_free(&written);
	}
	free(schema);
	free(name);
}

/* Whether a script identifies the rows of this table, in the first `count` of its steps. */
static bool
identifies(const struct replica_steps *steps, size_t count, const char *default_schema, const char *in_schema, const char *name)
{
	bool found = false;
	size_t i;

	for (i = 0; i < count && !found; i++) {
		char *schema, *last;

		if (steps->list[i].change != REPLICA_IDENTIFIED)
			continue;
		last = sql_name_parts(steps->list[i].table, &schema);
		found = strcmp(last, name) == 0 && strcmp(schema != NULL ? schema : default_schema, in_schema) == 0;
		free(schema);
		free(last);
	}
	return found;
}

/* Whether one of the plan's steps does. */
static bool
plan_identifies(const struct replicated_plan *plan, const struct published *p)
{
	bool found = false;
	size_t i;

	for (i = 0; i < plan->count && !found; i++) {
		const char *sql = plan->steps[i].sql;
		struct sql_script script;
		struct replica_steps steps;

		if (sql == NULL)
			continue;
		script = sql_split(sql, strlen(sql));
		steps = replica_steps(sql, &script);
		found = identifies(&steps, steps.count, plan->schema, p->schema, p->relation);
		replica_steps_free(&steps);
		sql_script_free(&script);
	}
	return found;
}

/* Changes rows, at this step of its script. */
static void
written(struct view *v, const struct replica_steps *steps, size_t at)
{
	const struct replica_step *s = &steps->list[at];
	struct table t = table_of(v, s->table, NULL);

	if (t.first != NULL && t.changes && t.first->identity == IDENTITY_NONE &&
	    !identifies(steps, at, v->schema, t.schema, t.name) && !plan_identifies(v->plan, t.first))
		add(&v->found, REPLICATED_NO_IDENTITY, s->statement,
		    xformat("%s is published by %s and has no replica identity: this statement fails where it changes a row [55000]", t.sql.data,
		        t.publications.data),
		    xformat("write before it:  ALTER TABLE %s REPLICA IDENTITY FULL;", t.sql.data));
	table_free(&t);
}

static void
look(struct view *v, const struct replica_steps *steps, size_t at)
{
	const struct replica_step *s = &steps->list[at];
	struct table t;

	switch (s->change) {
	case REPLICA_CREATE:
	case REPLICA_CREATE_KEYLESS:
		created(v, s);
		return;
	case REPLICA_ADD:
	case REPLICA_DROP:
	case REPLICA_RETYPE:
	case REPLICA_RENAME_COLUMN:
		if (s->object != NULL)
			changed_column(v, s);
		return;
	case REPLICA_RENAME:
		renamed(v, s);
		return;
	case REPLICA_NO_IDENTITY:
		t = table_of(v, s->table, NULL);
		lost_identity(v, &t, s);
		table_free(&t);
		return;
	case REPLICA_DROP_INDEX:
		if (s->object != NULL)
			dropped_index(v, s);
		return;
	case REPLICA_WRITE:
		written(v, steps, at);
		return;
	case REPLICA_IDENTIFIED:
		return;
	}
}

struct replicated
replicated_by_script(const struct replicated_plan *plan, const char *sql, const struct sql_script *script)
{
	struct view v = { .plan = plan, .records = plan->records, .schema = plan->schema };
	struct replica_steps steps;
	size_t i;

	if (plan->records->published_count + plan->records->publication_count == 0)
		return v.found;
	steps = replica_steps(sql, script);
	for (i = 0; i < steps.count; i++)
		look(&v, &steps, i);
	replica_steps_free(&steps);
	return v.found;
}

/* --- what there is, whatever runs --- */

static void
without_identity(struct replicated *found, const struct replicated_plan *plan)
{
	const struct rehearsal_records *r = plan->records;
	enum { SHOWN = 5 };
	struct bytes names = { 0 }, one = { 0 };
	const struct published *last = NULL;
	size_t count = 0, i;

	for (i = 0; i < r->published_count; i++) {
		const struct published *p = &r->published[i];

		if (!p->changes || p->identity != IDENTITY_NONE ||
		    (last != NULL && strcmp(last->relation, p->relation) == 0 && strcmp(last->schema, p->schema) == 0))
			continue;
		last = p;
		if (plan_identifies(plan, p))
			continue;
		if (count++ >= SHOWN)
			continue;
		bytes_str(&names, names.len > 0 ? ", " : "");
		bytes_sql_name(&names, p->schema);
		bytes_char(&names, '.');
		bytes_sql_name(&names, p->relation);
		if (count == 1)
			bytes_add(&one, names.data, names.len);
	}
	if (count > SHOWN)
		bytes_format(&names, " and %zu more", count - SHOWN);
	if (count > 0)
		add(found, REPLICATED_NO_IDENTITY, 0,
		    xformat("%zu published table%s no replica identity: UPDATE and DELETE fail [55000]: %s", count, count == 1 ? " has" : "s have",
		        names.data),
		    xformat("a primary key for each, or:  ALTER TABLE %s REPLICA IDENTITY FULL;", one.data));
	bytes_free(&names);
	bytes_free(&one);
}

static void
behind(struct replicated *found, const struct slot *s)
{
	struct bytes message = { 0 }, remedy = { 0 };

	bytes_str(&message, "the replication slot ");
	bytes_sql_name(&message, s->slot);
	if (s->status != NULL && strcmp(s->status, "lost") == 0) {
		bytes_str(&message, " has lost WAL that its reader needs: what reads it must be made again");
	} else {
		bytes_str(&message, " holds back ");
		if (s->retained_bytes != NUMBER_UNKNOWN)
			page_bytes(&message, s->retained_bytes);
		bytes_str(&message, s->retained_bytes != NUMBER_UNKNOWN ? " of WAL" : "WAL");
		bytes_str(&message, s->active ? "; its reader is connected" : "; its reader is not connected");
		bytes_str(&message, ". A migration adds to it, until the disk is full");
	}
	bytes_str(&remedy, "let its reader catch up, or drop it in psql:  select pg_drop_replication_slot(");
	bytes_sql_text(&remedy, s->slot);
	bytes_str(&remedy, ");");
	add(found, REPLICATED_SLOTS, 0, message.data, remedy.data);
}

/* Prisma's table is published as any other. */
static void
new_history(struct replicated *found, const struct replicated_plan *plan)
{
	const struct view v = { .plan = plan, .records = plan->records, .schema = plan->schema };
	struct table t = { .schema = xstrdup(plan->schema) };

	publications_of_new(&v, &t);
	if (t.publications.len > 0)
		add(found, REPLICATED_SUBSCRIBERS, 0,
		    xformat("the history, %s." HISTORY_TABLE ", is made by this deploy and published by %s: a subscriber that lacks it stops at its "
		            "first row", plan->schema, t.publications.data),
		    xstrdup("first on subscribers: create it there before the deploy; its CREATE TABLE is in mig-plan --format=sql"));
	table_free(&t);
}

struct replicated
replicated_before(const struct replicated_plan *plan)
{
	struct replicated found = { 0 };
	size_t i;

	if (plan->makes_history)
		new_history(&found, plan);
	without_identity(&found, plan);
	for (i = 0; i < plan->records->slot_count; i++)
		if (slot_is_behind(&plan->records->slots[i]))
			behind(&found, &plan->records->slots[i]);
	return found;
}

void
replicated_free(struct replicated *r)
{
	size_t i;

	for (i = 0; i < r->count; i++) {
		free(r->list[i].message);
		free(r->list[i].remedy);
	}
	free(r->list);
	*r = (struct replicated){ 0 };
}
