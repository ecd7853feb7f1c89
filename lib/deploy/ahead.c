#include "deploy/ahead.h"

#include <stddef.h>

#include "base/signals.h"

/* Whether a string is named at all: without one, the error is for later. */
static bool
has_string(const struct ahead *a)
{
	return a->database != NULL || source_is_set("MIG_DATABASE") || source_is_set("DATABASE_URL");
}

bool
ahead_connect(void *context)
{
	enum { ATTEMPT_MS = 3000 };
	struct ahead *a = context;

	signals_meanwhile(NULL, NULL); /* connecting waits, too */
	if (a->opened || !has_string(a))
		return false;
	a->opened = true;
	a->code = source_open(&a->source, a->database, a->schema);
	if (a->code == 0)
		a->db = db_try_open(&a->source, "mig-apply", ATTEMPT_MS, NULL);
	if (a->db != NULL)
		db_limit(a->db, -1);
	return false;
}

int
ahead_take(struct ahead *a, struct source *source, struct db **db)
{
	int code = a->code;

	if (!a->opened)
		code = source_open(source, a->database, a->schema);
	if (a->db != NULL && db_has_news(a->db)) { /* nothing was asked: it says why it goes */
		db_close(a->db);
		a->db = NULL;
	}
	if (a->opened) {
		*source = a->source;
		*db = a->db;
	}
	*a = (struct ahead){ .db = NULL };
	return code;
}

void
ahead_free(struct ahead *a)
{
	db_close(a->db);
	if (a->opened)
		source_free(&a->source);
	*a = (struct ahead){ .db = NULL };
}
