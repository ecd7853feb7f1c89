#include "plan/undo.h"

#include <stddef.h>
#include <string.h>

#include "plan/effects_text.h"
#include "records/model.h"
#include "records/words.h"
#include "sql/sql.h"

/* Objects that are named before the rest is counted. */
enum { NAMED = 5 };

/* "the column city of users, with its values, the table old, with its rows and 3 more". */
struct names {
	struct bytes text;
	size_t count;
};

static void
add_name(struct names *names, const char *text)
{
	if (names->count++ < NAMED)
		bytes_format(&names->text, "%s%s", names->count > 1 ? ", " : "", text);
}

/* What was measured of a relation. */
static void
add_effect(struct names *lost, struct names *narrowed, const struct effect *e)
{
	bool column = e->detail != NULL && strncmp(e->detail, "column ", 7) == 0;
	bool rows = e->effect == EFFECT_EMPTY || (e->effect == EFFECT_DROP && strcmp(e->detail, "table") == 0);
	struct bytes text = { 0 };

	if (rows)
		bytes_str(&text, "the rows of ");
	else if (e->effect == EFFECT_DROP && column)
		bytes_format(&text, "the values of %s of ", e->detail);
	else if (e->effect == EFFECT_RETYPE)
		bytes_format(&text, "%.*s of ", (int)strcspn(e->detail, ":"), e->detail);
	if (text.len > 0) {
		effects_name(&text, e);
		add_name(e->effect == EFFECT_RETYPE ? narrowed : lost, text.data);
	}
	bytes_free(&text);
}

/* Without a rehearsal: what the words tell. */
static void
add_losses(struct names *lost, const struct effects_view *view)
{
	struct sql_losses losses = sql_losses(view->sql, &view->script);
	size_t i;

	for (i = 0; i < losses.count; i++) {
		struct bytes text = { 0 };

		bytes_format(&text, "what %s %s takes away", losses.losses[i].what, losses.losses[i].object);
		add_name(lost, text.data);
		bytes_free(&text);
	}
	sql_losses_free(&losses);
}

static bool
begins(const struct effects_view *view, const char *synopsis)
{
	size_t i;

	for (i = 0; i < view->script.count; i++) {
		const struct sql_statement *s = &view->script.statements[i];

		if (sql_match(view->sql, s->end, s->start, synopsis) != 0)
			return true;
	}
	return false;
}

/* "; what its UPDATE and DELETE change is not kept". */
static void
changed_rows(struct bytes *out, const struct effects_view *view)
{
	static const char *const words[] = { "UPDATE", "DELETE", "MERGE" };
	size_t n = 0, i;

	for (i = 0; i < sizeof words / sizeof *words; i++)
		if (begins(view, words[i]))
			bytes_format(out, "%s%s", n++ == 0 ? "; what its " : " and ", words[i]);
	if (n > 0)
		bytes_format(out, " change%s is not kept", n == 1 ? "s" : "");
}

static void
names_words(struct bytes *out, const struct names *names)
{
	bytes_str(out, names->text.data);
	if (names->count > NAMED)
		bytes_format(out, " and %zu more", names->count - NAMED);
}

void
undo_losses(struct bytes *out, const struct rehearsal_records *rehearsed, const char *migration, enum loss_by by)
{
	struct names lost = { 0 };
	size_t i;

	for (i = 0; i < rehearsed->loss_count; i++) {
		const struct loss *l = &rehearsed->losses[i];
		struct bytes text = { 0 };

		if (l->by != by || strcmp(l->migration, migration) != 0)
			continue;
		if (l->type != NULL)
			bytes_format(&text, "what %s does not hold of column %s of ", l->type, l->column);
		else if (l->column != NULL)
			bytes_format(&text, "the values of column %s of ", l->column);
		else
			bytes_str(&text, "the rows of ");
		bytes_format(&text, "%s%s%s", strcmp(l->schema, "public") == 0 ? "" : l->schema, strcmp(l->schema, "public") == 0 ? "" : ".", l->relation);
		add_name(&lost, text.data);
		bytes_free(&text);
	}
	if (lost.count > 0)
		names_words(out, &lost);
	bytes_free(&lost.text);
}

/* There is a down.sql, and it was tried. */
static void
tried_text(struct bytes *out, const struct effects_view *view)
{
	struct bytes up = { 0 }, down = { 0 };

	if (strcmp(view->down->detail, "verified") != 0) {
		bytes_format(out, "down.sql does not take it back: %s", view->down->detail);
		return;
	}
	undo_losses(&up, view->rehearsed, view->down->migration, LOSS_BY_UP);
	undo_losses(&down, view->rehearsed, view->down->migration, LOSS_BY_DOWN);
	bytes_str(out, up.len > 0 ? "down.sql takes the schema back, as tried out; but only a backup has " : "down.sql takes it back, as tried out");
	bytes_str(out, bytes_text(&up));
	changed_rows(out, view);
	if (down.len > 0)
		bytes_format(out, "; by then lost: %s", down.data);
	bytes_free(&up);
	bytes_free(&down);
}

/* Rows that a DELETE takes away are not counted, and of what UPDATE changes nobody knows whether it was worth something. */
void
undo_gone(struct bytes *out, const struct effects_view *view, bool measured)
{
	struct names lost = { 0 }, narrowed = { 0 };
	size_t i;

	if (view->down != NULL)
		undo_losses(out, view->rehearsed, view->down->migration, LOSS_BY_UP);
	for (i = 0; view->down == NULL && measured && i < view->count; i++)
		if (view->list[i].made_by == NULL)
			add_effect(&lost, &narrowed, &view->list[i]);
	if (view->down == NULL && !measured)
		add_losses(&lost, view);
	if (lost.count > 0)
		names_words(out, &lost);
	if (begins(view, "DELETE"))
		bytes_format(out, "%swhat its DELETE takes away", out->len > 0 ? ", " : "");
	bytes_free(&lost.text);
	bytes_free(&narrowed.text);
}

void
undo_again(struct bytes *out, const struct effects_view *view)
{
	bytes_str(out, view->down != NULL && strcmp(view->down->detail, "verified") == 0
	        ? "an ordinary deploy applies it again, as tried out; rows that go now do not come back"
	        : "an ordinary deploy applies it again; that was not tried out");
}

void
undo_text(struct bytes *out, const struct effects_view *view, bool measured)
{
	static const char by[] = "a new migration takes it back";
	struct names lost = { 0 }, narrowed = { 0 };
	struct bytes but = { 0 };
	size_t i;

	if (view->down != NULL) {
		tried_text(out, view);
		return;
	}
	for (i = 0; measured && i < view->count; i++)
		add_effect(&lost, &narrowed, &view->list[i]);
	if (!measured)
		add_losses(&lost, view);
	if (lost.count > 0) {
		bytes_str(&but, ", but only a backup has ");
		names_words(&but, &lost);
	}
	if (narrowed.count > 0) {
		bytes_str(&but, "; ");
		names_words(&but, &narrowed);
		bytes_str(&but, " if every value fits the old type again");
	}
	changed_rows(&but, view);
	if (begins(view, "ALTER TYPE name ADD VALUE"))
		bytes_str(&but, "; a value that is added to an enum stays");
	if (begins(view, "DO|CALL"))
		bytes_str(&but, "; what its DO or CALL does to rows is not known");
	bytes_format(out, "%s%s", by, but.len > 0 ? but.data : "; nothing that is there now is lost");
	bytes_free(&lost.text);
	bytes_free(&narrowed.text);
	bytes_free(&but);
}
