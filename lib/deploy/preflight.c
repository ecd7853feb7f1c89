#include "deploy/preflight.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"
#include "database/rights.h"
#include "migrations/script_path.h"
#include "sql/sql.h"
#include "sql/targets.h"
#include "sql/words.h"

/* Where in the plan something stands. */
struct spot {
	const struct step *step;
	size_t at;              /* byte offset in its SQL */
};

/* What the plan needs, gathered statement by statement. */
struct needs {
	const struct preflight *asked;
	struct sql_target *targets; /* one for each different question; these own their names */
	char **roles;               /* of each: as written; NULL: the session's */
	struct spot *spots;         /* where it is asked for first */
	size_t count, target_cap, role_cap, spot_cap;
	char **made;                /* last parts of the names that the plan makes so far */
	size_t made_count, made_cap;
	size_t own;                 /* names that were passed over, since the plan makes them */
	size_t unplaced;            /* and since the search path is another by then */
	size_t regranted;           /* and since the plan itself may have changed rights by then */
	bool grants;                /* it may have */
	size_t unknown;             /* statements that only the server can judge, */
	struct spot first_unknown;  /* and the first of them */
	char *role;                 /* in force; NULL: the session's */
	bool local;                 /* until the transaction ends */
	bool path_changed;
};

static char *
last_part(const char *name)
{
	char *schema, *last = sql_name_parts(name, &schema);

	free(schema);
	return last;
}

static bool
is_made(const struct needs *n, const char *name)
{
	char *last = last_part(name);
	bool found = false;
	size_t i;

	for (i = 0; i < n->made_count && !found; i++)
		found = strcmp(n->made[i], last) == 0;
	free(last);
	return found;
}

static bool
same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static void
set_role(struct needs *n, char *role, bool local)
{
	free(n->role);
	n->role = role;
	n->local = local;
}

/* A question, unless it is asked already; takes the name over. */
static void
ask(struct needs *n, struct sql_target *target, const struct step *step)
{
	bool unplaced = n->path_changed && (target->name == NULL || strchr(target->name, '.') == NULL);
	size_t i;

	if (target->name != NULL && is_made(n, target->name)) {
		n->own++;
		return;
	}
	if (unplaced) {
		n->unplaced++;
		return;
	}
	if (n->grants) {
		n->regranted++;
		return;
	}
	for (i = 0; i < n->count; i++)
		if (n->targets[i].kind == target->kind && same(n->targets[i].right, target->right) &&
		    same(n->targets[i].name, target->name) && same(n->roles[i], n->role))
			return;
	ARRAY_ROOM(n->targets, n->count, n->target_cap);
	ARRAY_ROOM(n->roles, n->count, n->role_cap);
	ARRAY_ROOM(n->spots, n->count, n->spot_cap);
	n->targets[n->count] = *target;
	n->roles[n->count] = n->role != NULL ? xstrdup(n->role) : NULL;
	n->spots[n->count++] = (struct spot){ step, target->at };
	target->name = NULL;
}

static char *
as_written(const char *name)
{
	struct bytes quoted = { 0 };

	bytes_sql_name(&quoted, name);
	return quoted.data;
}

/* Whoever may do that may give a right, or take it, that the statements behind it need. */
static bool
changes_rights(const char *sql, const struct sql_statement *s)
{
	struct words words = words_of(sql, s);
	struct sql_token token;

	if (sql_match(sql, s->end, s->start, "GRANT|REVOKE|REASSIGN") != 0)
		return true;
	do {
		token = words_next(&words);
		if (sql_is(sql, token, "OWNER") && words_take(&words, "TO"))
			return true;
	} while (token.kind != SQL_END);
	return false;
}

static void
take_target(struct needs *n, struct sql_target *target, const struct step *step)
{
	switch (target->kind) {
	case TARGET_ROLE:
		if (target->name == NULL && n->asked->login != NULL)
			target->name = as_written(n->asked->login);
		set_role(n, target->name, target->right != NULL);
		target->name = NULL;
		return;
	case TARGET_PATH:
		n->path_changed = true;
		return;
	case TARGET_MADE:
		ARRAY_ROOM(n->made, n->made_count, n->made_cap);
		n->made[n->made_count++] = last_part(target->name);
		return;
	case TARGET_RELATION:
	case TARGET_TYPE:
	case TARGET_SCHEMA:
		ask(n, target, step);
		return;
	}
}

static void
gather_step(struct needs *n, const struct step *step)
{
	struct sql_script script = sql_split(step->sql, strlen(step->sql));
	size_t i = step->resume_at > 0 ? (size_t)step->resume_at - 1 : 0, j;

	n->path_changed = false; /* mig-apply sets it back behind each script, */
	if (n->asked->login != NULL)
		set_role(n, NULL, false); /* and the role of --role, too */
	for (; i < script.count; i++) {
		const struct sql_statement *s = &script.statements[i];
		struct sql_targets targets = { 0 };

		if (!sql_targets_add(&targets, step->sql, s) && n->unknown++ == 0)
			n->first_unknown = (struct spot){ step, s->start };
		for (j = 0; j < targets.count; j++)
			take_target(n, &targets.list[j], step);
		sql_targets_free(&targets);
		n->grants |= n->asked->login != NULL && changes_rights(step->sql, s);
		if (n->local && (s->kind == SQL_COMMIT || s->kind == SQL_ROLLBACK))
			set_role(n, NULL, false);
	}
	if (n->local)
		set_role(n, NULL, false);
	sql_script_free(&script);
}

static void
free_needs(struct needs *n)
{
	size_t i;

	for (i = 0; i < n->count; i++) {
		free(n->targets[i].name);
		free(n->roles[i]);
	}
	for (i = 0; i < n->made_count; i++)
		free(n->made[i]);
	free(n->targets);
	free(n->roles);
	free(n->spots);
	free(n->made);
	free(n->role);
}

/* "prisma/migrations/2_orders/migration.sql:3:1" */
static void
place_of(struct bytes *out, const char *folder, const struct spot *spot)
{
	struct sql_place place = sql_place(spot->step->sql, strlen(spot->step->sql), spot->at);

	script_path_of(out, folder, spot->step->migration, step_file(spot->step));
	bytes_format(out, ":%lu:%lu", place.line, place.column);
}

static void
say_lacked(const struct right_lacked *l, const struct preflight *asked, const struct spot *spot)
{
	struct bytes place = { 0 }, remedy = { 0 };

	place_of(&place, asked->folder, spot);
	if (asked->login != NULL)
		right_remedy_of_role(&remedy, l);
	else
		right_remedy(&remedy, l);
	if (strcmp(l->right, TARGET_OWNER) == 0)
		(void)message_error(MIG_DENIED, "the role %s is not the owner of %s, which %s needs: that is %s", l->role,
		    l->object, place.data, l->owner);
	else
		(void)message_error(MIG_DENIED, "the role %s lacks a right: %s on %s, for %s", l->role, l->right, l->object,
		    place.data);
	message_line("  %s    (nothing was touched)", remedy.data);
	bytes_free(&remedy);
	bytes_free(&place);
}

static void
say_unchecked(const struct needs *n)
{
	struct bytes text = { 0 };

	bytes_str(&text, "not checked: rights to read and to call functions");
	if (n->own > 0)
		bytes_format(&text, "; %zu name%s that the plan itself creates or renames", n->own, n->own == 1 ? "" : "s");
	if (n->unplaced > 0)
		bytes_format(&text, "; %zu name%s after a change of search_path", n->unplaced, n->unplaced == 1 ? "" : "s");
	if (n->regranted > 0)
		bytes_format(&text, "; %zu name%s after a statement that may change rights", n->regranted, n->regranted == 1 ? "" : "s");
	if (n->unknown > 0) {
		bytes_format(&text, "; %zu statement%s that only the server can judge, the first at ", n->unknown,
		    n->unknown == 1 ? "" : "s");
		place_of(&text, n->asked->folder, &n->first_unknown);
	}
	message_info("%s", text.data);
	bytes_free(&text);
}

static int
ask_server(struct db *db, const struct needs *n)
{
	struct right_asked *asked = xcalloc(n->count + 1, sizeof *asked);
	struct answer *answer = NULL;
	enum db_outcome outcome;
	int code = 0;
	size_t i;

	for (i = 0; i < n->count; i++)
		asked[i] = (struct right_asked){ &n->targets[i], n->roles[i] };
	outcome = rights_lacked(db, asked, n->count, &answer);
	if (outcome != DB_OK)
		code = db_say(db, outcome, "check the rights that the plan needs");
	for (i = 0; outcome == DB_OK && i < answer_rows(answer); i++) {
		struct right_lacked lacked = right_lacked_row(answer, i);

		say_lacked(&lacked, n->asked, &n->spots[lacked.asked]);
		code = MIG_DENIED;
	}
	answer_free(answer);
	free(asked);
	return code;
}

int
preflight_rights(struct db *db, const struct preflight *preflight, const struct step steps[], size_t count)
{
	struct needs needs = { .asked = preflight };
	int code;
	size_t i;

	for (i = 0; i < count; i++)
		if (steps[i].sql != NULL)
			gather_step(&needs, &steps[i]);
	code = ask_server(db, &needs);
	if (code == 0 && !preflight->quiet) {
		message_info("checked: owners and rights of the %zu objects that the plan names", needs.count);
		say_unchecked(&needs);
	}
	free_needs(&needs);
	return code;
}
