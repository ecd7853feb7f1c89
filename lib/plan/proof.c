/* Whether something that a step drops is still used, by the proofs of --proof. */
#include "plan/plan_internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/shell_quote.h"
#include "records/model.h"

static bool
same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* The newest about it. */
static const struct plan_proof *
proof_of(const struct plan_maker *m, const struct plan_dropped *d)
{
	const struct plan_options *o = m->options;
	const char *schema = d->schema != NULL ? d->schema : m->scan->database.schema;
	const struct plan_proof *found = NULL;
	size_t i;

	for (i = 0; i < o->proof_count; i++) {
		const struct used *u = &o->proofs[i].used;

		if (same(u->relation, d->relation) && same(u->column, d->column) && (schema == NULL || same(u->schema, schema)) &&
		    (found == NULL || o->proofs[i].age_ms < found->age_ms))
			found = &o->proofs[i];
	}
	return found;
}

/* Why it is no proof here; NULL: it is one. */
static char *
unfit(const struct plan_maker *m, const struct plan_proof *p)
{
	const struct plan *plan = &m->out->plan;
	char span[CLOCK_SPAN];

	if (plan->database == NULL)
		return xstrdup("this plan is for no database");
	if (plan->system_identifier == NULL || p->used.system_identifier == NULL)
		return xstrdup("the role cannot read which server it is of");
	if (!same(plan->system_identifier, p->used.system_identifier) || !same(plan->database, p->used.database))
		return xformat("it is of another database, %s", p->used.database);
	if (p->age_ms < 0 || p->age_ms > m->options->proof_age_ms)
		return xformat("it is older than %s (--proof-age)", clock_age(m->options->proof_age_ms, span));
	if (strcmp(p->used.status, "ok") != 0 && strcmp(p->used.status, "critical") != 0)
		return xformat("its verdict is %s", p->used.status);
	return NULL;
}

/* A part of a name as mig-check takes it. */
static void
part(struct bytes *out, const char *name)
{
	if (strpbrk(name, ".\"") == NULL)
		bytes_str(out, name);
	else
		bytes_sql_name(out, name);
}

static void
spelled(struct bytes *out, const struct plan_dropped *d)
{
	if (d->schema != NULL && strcmp(d->schema, "public") != 0) {
		part(out, d->schema);
		bytes_char(out, '.');
	}
	part(out, d->relation);
	if (d->column != NULL) {
		bytes_char(out, '.');
		part(out, d->column);
	}
}

/* The command that tells it. */
static void
add_command(const struct plan_maker *m, const struct plan_dropped *d, struct bytes *remedy)
{
	struct shell_words words = { 0 };
	struct bytes check = { 0 };

	bytes_str(&check, "used=");
	spelled(&check, d);
	plan_words(&words, "mig-check", m->scan->command);
	shell_option(&words, check.data, NULL);
	shell_option(&words, "-o", "proof.rec");
	bytes_str(remedy, remedy->len > 0 ? "\n" : "");
	if (shell_words(&words) != NULL) {
		shell_command(remedy, shell_words(&words));
	} else {
		bytes_str(remedy, "mig-check ");
		shell_word(remedy, check.data);
		bytes_str(remedy, " -o proof.rec");
	}
	bytes_str(remedy, "    (still used? see --proof)");
	shell_words_free(&words);
	bytes_free(&check);
}

bool
plan_is_unused(struct plan_maker *m, const struct plan_dropped *d, struct bytes *message, struct bytes *remedy)
{
	const struct plan_proof *p = proof_of(m, d);
	char *why = p != NULL ? unfit(m, p) : NULL, since[CLOCK_INSTANT], span[CLOCK_SPAN];

	if (p != NULL && why == NULL && strcmp(p->used.status, "ok") == 0) {
		bytes_format(message, "; not used for %s before %s, when it was checked", clock_age(p->used.covers_ms, span),
		    clock_readable(p->used.checked_at, since));
		return true;
	}
	if (why != NULL)
		bytes_format(message, "; the proof about it is not taken: %s", why);
	if (p == NULL || why != NULL)
		add_command(m, d, remedy);
	free(why);
	return false;
}

bool
plan_is_used(struct plan_maker *m, const struct plan_dropped *d, struct bytes *message)
{
	const struct plan_proof *p = proof_of(m, d);
	char *why = p != NULL ? unfit(m, p) : NULL, when[CLOCK_INSTANT];
	bool used = p != NULL && why == NULL && strcmp(p->used.status, "critical") == 0;

	free(why);
	if (!used)
		return false;
	spelled(message, d);
	bytes_format(message, " is dropped, and it is still used, as was checked at %s", clock_readable(p->used.checked_at, when));
	return true;
}

struct plan_dropped
plan_dropped_words(struct bytes *names, const char *object, bool column)
{
	const char *parts[3] = { NULL, NULL, NULL };
	size_t starts[3] = { 0 }, count = 1, i;
	bool quoted = false;

	for (; *object != '\0'; object++) {
		if (*object == '"' && quoted && object[1] == '"') {
			bytes_char(names, *object++);
		} else if (*object == '"') {
			quoted = !quoted;
		} else if (*object == '.' && !quoted && count < 3) {
			bytes_char(names, '\0');
			starts[count++] = names->len;
		} else {
			bytes_char(names, quoted ? *object : (char)tolower((unsigned char)*object));
		}
	}
	for (i = 0; i < count; i++)
		parts[i] = bytes_text(names) + starts[i];
	if (column)
		return (struct plan_dropped){ count == 3 ? parts[0] : NULL, count > 1 ? parts[count - 2] : NULL, parts[count - 1] };
	return (struct plan_dropped){ count > 1 ? parts[count - 2] : NULL, parts[count - 1], NULL };
}
