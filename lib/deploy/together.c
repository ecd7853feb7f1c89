#include "deploy/together.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "sql/sql.h"

enum db_outcome
together_tell(struct db *db, const char *sql)
{
	struct sql_script script;
	struct db_ask *asks;
	struct arena texts = { 0 };
	enum db_outcome outcome;
	size_t i;

	if (!db_has_along(db))
		return db_tell(db, sql);
	script = sql_split(sql, strlen(sql));
	asks = xcalloc(script.count, sizeof *asks);
	for (i = 0; i < script.count; i++)
		asks[i].sql = arena_text(&texts, sql + script.statements[i].start, script.statements[i].end - script.statements[i].start);
	outcome = db_query_batch(db, asks, script.count);
	for (i = 0; i < script.count; i++) {
		if (outcome == DB_OK)
			outcome = asks[i].outcome;
		answer_free(asks[i].answer);
	}
	sql_script_free(&script);
	free(asks);
	arena_free(&texts);
	return outcome;
}
