/* The records of a rehearsal, in a scan and in a plan. */
#include "records/model.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/null.h"
#include "base/page.h"
#include "records/form.h"
#include "records/record.h"
#include "records/words.h"

static const struct field rehearsal_fields[] = {
	TEXT(rehearsal, server_version),
	NUMBER(rehearsal, server_version_num),
	TEXT(rehearsal, time_zone),
	NUMBER(rehearsal, replayed),
	NUMBER(rehearsal, pending),
	NUMBER(rehearsal, rehearsed),
	TEXT(rehearsal, base_digest),
	TEXT_LIST(rehearsal, not_replayed),
	TEXT_LIST_OR_NULL(rehearsal, only_database),
	TEXT_LIST_OR_NULL(rehearsal, only_replay),
	NUMBER_OR_NULL(rehearsal, statements),
	NUMBER_OR_NULL(rehearsal, untried),
	LAST,
};
const struct record_form rehearsal_form = { "rehearsal", rehearsal_fields };

static const struct field live_fields[] = {
	FLAG(live, sees_all),
	NUMBER(live, frozen_age),
	NUMBER(live, freeze_max_age),
	TEXT_LIST(live, extensions),
	LAST,
};
const struct record_form live_form = { "live", live_fields };

static const struct field activity_fields[] = {
	WORD(activity, activity, activity_words),
	NUMBER_OR_NULL(activity, pid),
	TEXT_OR_NULL(activity, application),
	TEXT_OR_NULL(activity, user),
	TEXT_OR_NULL(activity, client),
	TEXT_OR_NULL(activity, state),
	NUMBER_OR_NULL(activity, age_ms),
	TEXT_OR_NULL(activity, command),
	TEXT_OR_NULL(activity, gid),
	TEXT_OR_NULL(activity, schema),
	TEXT_OR_NULL(activity, relation),
	WORD_OR_NULL(activity, mode, lock_mode_words),
	FLAG_OR_NULL(activity, waiting),
	FLAG(activity, wraparound),
	NUMBER_OR_NULL(activity, lag_ms),
	NUMBER_OR_NULL(activity, lag_bytes),
	LAST,
};
const struct record_form activity_form = { "activity", activity_fields };

struct page_session
activity_session(const struct activity *a)
{
	return (struct page_session){ .pid = a->pid != NUMBER_UNKNOWN ? a->pid : 0,
		.application = a->application != NULL && *a->application != '\0' ? a->application : NULL,
		.kind = a->activity == ACTIVITY_AUTOVACUUM ? "autovacuum" : NULL,
		.user = a->user,
		.client = a->client,
		.state = a->state,
		.age_ms = a->age_ms,
		.word = a->command };
}

void
activity_line(struct bytes *out, const struct activity *a)
{
	struct page_session session = activity_session(a);

	page_session(out, &session);
	if (a->gid != NULL) {
		bytes_char(out, ' ');
		bytes_sql_text(out, a->gid);
	}
	if (a->wraparound)
		bytes_str(out, " to prevent wraparound");
	if (a->relation != NULL)
		bytes_format(out, ", %s %s%s%s (%.*s)", a->waiting ? "waits for" : "holds", strcmp(a->schema, "public") == 0 ? "" : a->schema,
		    strcmp(a->schema, "public") == 0 ? "" : ".", a->relation, (int)(strlen(lock_mode_words[a->mode]) - strlen("Lock")),
		    lock_mode_words[a->mode]);
}

static const struct field publication_fields[] = {
	TEXT(publication, publication),
	FLAG(publication, all_tables),
	TEXT_LIST(publication, schemas),
	FLAG(publication, changes),
	LAST,
};
const struct record_form publication_form = { "publication", publication_fields };

static const struct field published_fields[] = {
	TEXT(published, schema),
	TEXT(published, relation),
	TEXT(published, publication),
	FLAG(published, changes),
	WORD_OR_NULL(published, identity, identity_words),
	TEXT_OR_NULL(published, identity_index),
	TEXT_LIST_OR_NULL(published, columns),
	LAST,
};
const struct record_form published_form = { "published", published_fields };

static const struct field slot_fields[] = {
	TEXT(slot, slot),
	TEXT_OR_NULL(slot, database),
	FLAG(slot, active),
	TEXT_OR_NULL(slot, status),
	NUMBER_OR_NULL(slot, retained_bytes),
	NUMBER(slot, max_wal_bytes),
	LAST,
};
const struct record_form slot_form = { "slot", slot_fields };

bool
slot_is_behind(const struct slot *s)
{
	if (s->status != NULL && (strcmp(s->status, "lost") == 0 || strcmp(s->status, "unreserved") == 0))
		return true;
	return s->retained_bytes != NUMBER_UNKNOWN && s->retained_bytes > s->max_wal_bytes;
}

static const struct field load_fields[] = {
	TEXT(load, schema),
	TEXT(load, relation),
	NUMBER_OR_NULL(load, rows),
	NUMBER(load, main_bytes),
	NUMBER(load, toast_bytes),
	NUMBER(load, index_bytes),
	NUMBER_OR_NULL(load, reads_per_s),
	NUMBER_OR_NULL(load, writes_per_s),
	NUMBER_OR_NULL(load, counted_ms),
	NUMBER_OR_NULL(load, frozen_age),
	LAST,
};
const struct record_form load_form = { "load", load_fields };

static const struct field effect_fields[] = {
	TEXT(effect, migration),
	NUMBER(effect, statement),
	NUMBER(effect, line),
	WORD(effect, effect, effect_words),
	TEXT_OR_NULL(effect, schema),
	TEXT_OR_NULL(effect, relation),
	WORD_OR_NULL(effect, mode, lock_mode_words),
	TEXT_OR_NULL(effect, detail),
	NUMBER_OR_NULL(effect, column),
	TEXT_OR_NULL(effect, made_by),
	NUMBER_OR_NULL(effect, calls),
	NUMBER_OR_NULL(effect, counted_ms),
	LAST,
};
const struct record_form effect_form = { "effect", effect_fields };

static const struct field loss_fields[] = {
	TEXT(loss, migration),
	WORD(loss, by, loss_words),
	TEXT(loss, schema),
	TEXT(loss, relation),
	TEXT_OR_NULL(loss, column),
	TEXT_OR_NULL(loss, type),
	TEXT_OR_NULL(loss, probe),
	LAST,
};
const struct record_form loss_form = { "loss", loss_fields };

static const struct field draft_fields[] = {
	TEXT(draft, migration),
	TEXT(draft, detail),
	TEXT_OR_NULL(draft, sql),
	TEXT_LIST(draft, not_back),
	TEXT_LIST(draft, gone),
	LAST,
};
const struct record_form draft_form = { "draft", draft_fields };

static const struct field prefix_fields[] = {
	TEXT(prefix, migration),
	FLAG(prefix, equal),
	NUMBER(prefix, difference_count),
	TEXT_LIST(prefix, differences),
	LAST,
};
const struct record_form prefix_form = { "prefix", prefix_fields };

/* --- reading --- */

/* Those that follow each other: a kind may come as long as none of a later one has. */
static bool
comes_in_order(const struct rehearsal_records *r, const struct record *record)
{
	const struct {
		const struct record_form *form;
		size_t count;
	} order[] = { { &live_form, r->live_known }, { &activity_form, r->activity_count },
		{ &publication_form, r->publication_count }, { &published_form, r->published_count }, { &slot_form, r->slot_count },
		{ &load_form, r->load_count }, { &effect_form, r->count } };
	enum { LIVE, KINDS = sizeof order / sizeof *order };
	size_t i, at = 0;

	while (at < KINDS && !record_is(record, order[at].form))
		at++;
	for (i = at; i < KINDS; i++)
		if (order[i].count > 0 && (i > at || at == LIVE))
			return false;
	return at < KINDS;
}

bool
rehearsal_belongs(const struct rehearsal_records *r, const struct record *record)
{
	if (!r->known)
		return record_is(record, &rehearsal_form);
	if (record_is(record, &prefix_form))
		return true;
	if (r->prefix_count > 0)
		return false;
	if (record_is(record, &draft_form))
		return true;
	if (r->draft_count > 0)
		return false;
	if (record_is(record, &loss_form))
		return true;
	if (r->loss_count > 0)
		return false;
	return comes_in_order(r, record);
}

/* Every effect but an error, a refusal and the verdict of a down.sql is one on a relation, and only locks and work on rows have nothing more to say. */
static bool
effect_fill(struct reader *reader, const struct record *record, struct effect *e)
{
	bool brief, placed;

	if (record_fill(reader, record, &effect_form, e) != 0)
		return false;
	placed = e->effect != EFFECT_ERROR && e->effect != EFFECT_REFUSE && e->effect != EFFECT_DOWN;
	brief = e->effect == EFFECT_LOCK || e->effect == EFFECT_SCAN || e->effect == EFFECT_REWRITE || e->effect == EFFECT_MOVE ||
	    e->effect == EFFECT_EMPTY;
	if (e->statement < 1)
		(void)reader_refuse(reader, "the statement of an effect is not from 1");
	else if (placed && (e->schema == NULL || e->relation == NULL))
		(void)reader_refuse(reader, "an effect of this kind is on a relation, and there is no \"%s\"", e->schema == NULL ? "schema" : "relation");
	else if (!brief && e->detail == NULL)
		(void)reader_refuse(reader, "an effect of this kind has a \"detail\"");
	else
		return true;
	return false;
}

/* A relation has a schema, and is named for the lock on it. */
static bool
activity_fill(struct reader *reader, const struct record *record, struct activity *a)
{
	if (record_fill(reader, record, &activity_form, a) != 0)
		return false;
	if ((a->relation == NULL) == (a->schema == NULL) && (a->relation == NULL) == (a->mode == LOCK_NULL))
		return true;
	(void)reader_refuse(reader, "an activity has \"schema\", \"relation\" and \"mode\", or none of them");
	return false;
}

#define APPEND(array, count)                                                                      \
	(((count) & ((count) - 1)) == 0                                                           \
	        ? (void)((array) = xrealloc((array), ((count) > 0 ? (count) * 2 : 1) * sizeof *(array)))  \
	        : (void)0,                                                                        \
	    (array) + (count)++)

bool
rehearsal_fill(struct reader *reader, const struct record *record, struct rehearsal_records *r)
{
	if (record_is(record, &prefix_form))
		return record_fill(reader, record, &prefix_form, APPEND(r->prefixes, r->prefix_count)) == 0;
	if (record_is(record, &draft_form))
		return record_fill(reader, record, &draft_form, APPEND(r->drafts, r->draft_count)) == 0;
	if (record_is(record, &loss_form))
		return record_fill(reader, record, &loss_form, APPEND(r->losses, r->loss_count)) == 0;
	if (record_is(record, &load_form))
		return record_fill(reader, record, &load_form, APPEND(r->loads, r->load_count)) == 0;
	if (record_is(record, &publication_form))
		return record_fill(reader, record, &publication_form, APPEND(r->publications, r->publication_count)) == 0;
	if (record_is(record, &published_form))
		return record_fill(reader, record, &published_form, APPEND(r->published, r->published_count)) == 0;
	if (record_is(record, &slot_form))
		return record_fill(reader, record, &slot_form, APPEND(r->slots, r->slot_count)) == 0;
	if (record_is(record, &activity_form))
		return activity_fill(reader, record, APPEND(r->activities, r->activity_count));
	if (record_is(record, &live_form)) {
		r->live_known = true;
		return record_fill(reader, record, &live_form, &r->live) == 0;
	}
	if (r->known)
		return effect_fill(reader, record, APPEND(r->effects, r->count));
	r->known = true;
	return record_fill(reader, record, &rehearsal_form, &r->head) == 0;
}

void
rehearsal_records_free(struct rehearsal_records *r)
{
	free(r->activities);
	free(r->publications);
	free(r->published);
	free(r->slots);
	free(r->loads);
	free(r->effects);
	free(r->losses);
	free(r->drafts);
	free(r->prefixes);
	*r = (struct rehearsal_records){ 0 };
}

/* --- writing --- */

void
rehearsal_put(struct writer *writer, const struct rehearsal_records *r)
{
	size_t i;

	if (!r->known)
		return;
	writer_put(writer, &rehearsal_form, &r->head);
	if (r->live_known)
		writer_put(writer, &live_form, &r->live);
	for (i = 0; i < r->activity_count; i++)
		writer_put(writer, &activity_form, &r->activities[i]);
	for (i = 0; i < r->publication_count; i++)
		writer_put(writer, &publication_form, &r->publications[i]);
	for (i = 0; i < r->published_count; i++)
		writer_put(writer, &published_form, &r->published[i]);
	for (i = 0; i < r->slot_count; i++)
		writer_put(writer, &slot_form, &r->slots[i]);
	for (i = 0; i < r->load_count; i++)
		writer_put(writer, &load_form, &r->loads[i]);
	for (i = 0; i < r->count; i++)
		writer_put(writer, &effect_form, &r->effects[i]);
	for (i = 0; i < r->loss_count; i++)
		writer_put(writer, &loss_form, &r->losses[i]);
	for (i = 0; i < r->draft_count; i++)
		writer_put(writer, &draft_form, &r->drafts[i]);
	for (i = 0; i < r->prefix_count; i++)
		writer_put(writer, &prefix_form, &r->prefixes[i]);
}
