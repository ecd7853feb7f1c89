#include "deploy/kept_session.h"

#include <stddef.h>

#include "base/message.h"
#include "base/signals.h"
#include "database/session_restore.h"

/* Whether a string is named at all: without one, the error is for later. */
static bool
has_string(const struct kept_session *k)
{
	return k->database != NULL || source_is_set("MIG_DATABASE") || source_is_set("DATABASE_URL");
}

bool
kept_session_connect(void *context)
{
	enum { ATTEMPT_MS = 3000 };
	struct kept_session *k = context;

	signals_meanwhile(NULL, NULL); /* connecting waits, too */
	if (k->opened || !has_string(k))
		return false;
	k->opened = true;
	k->code = source_open(&k->source, k->database, k->schema);
	if (k->code == 0)
		k->db = db_try_open(&k->source, "mig-apply", ATTEMPT_MS, NULL);
	if (k->db != NULL)
		db_limit(k->db, -1);
	return false;
}

int
kept_session_take(struct kept_session *k, bool locks, struct source *source, struct db **db, bool *locked)
{
	bool usable;
	int code = k->code;

	*db = NULL;
	*locked = false;
	if (k->failed != 0)
		return message_error(k->failed, "nothing was touched, as an earlier plan got no connection, or not the deploy lock");
	if (k->opened)
		*source = k->source;
	else
		code = source_open(source, k->database, k->schema);
	if (k->used && k->schema != NULL)
		source_use_schema(source, k->schema);
	/* nothing was asked: it says why it goes */
	usable = k->db != NULL && !db_has_news(k->db) && (!k->used || restore_as_new(k->db, &source->target, locks, locked));
	if (usable)
		*db = k->db;
	else
		db_close(k->db);
	k->db = NULL;
	k->opened = k->used = false;
	k->lent = true;
	return code;
}

/* Between two transactions, and with nothing that has still to be sent. */
static bool
is_at_rest(const struct db *db)
{
	return db != NULL && db_transaction(db) == DB_IDLE && !db_has_along(db);
}

void
kept_session_give(struct kept_session *k, struct source *source, struct db *db)
{
	if (!k->lent)
		return;
	k->lent = false;
	if (k->keeps && is_at_rest(db)) {
		db_hooks(db, NULL);
		db_on_silence(db, NULL, NULL);
		db_limit(db, -1);
		k->db = db;
	} else {
		db_close(db);
	}
	k->source = *source;
	k->opened = k->used = true;
}

void
kept_session_free(struct kept_session *k)
{
	db_close(k->db);
	if (k->opened)
		source_free(&k->source);
	*k = (struct kept_session){ .db = NULL };
}
