#include "deploy/kept_session.h"

#include <stddef.h>

#include "base/signals.h"

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
kept_session_take(struct kept_session *k, struct source *source, struct db **db)
{
	int code = k->code;

	if (!k->opened)
		code = source_open(source, k->database, k->schema);
	if (k->db != NULL && db_has_news(k->db)) { /* nothing was asked: it says why it goes */
		db_close(k->db);
		k->db = NULL;
	}
	if (k->opened) {
		*source = k->source;
		*db = k->db;
	}
	*k = (struct kept_session){ .db = NULL };
	return code;
}

void
kept_session_free(struct kept_session *k)
{
	db_close(k->db);
	if (k->opened)
		source_free(&k->source);
	*k = (struct kept_session){ .db = NULL };
}
