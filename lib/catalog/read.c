#include "catalog/read.h"

#include <stdlib.h>
#include <string.h>

#include "catalog/read_internal.h"

enum { PARTS_MOST = 32, LIMIT_MS = 60000 };

static const char begin_sql[] = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY";

/* The session's own search path, for what is to be as it has it; and the default schema. */
static const char look_sql[] = "SELECT pg_catalog.set_config('mig.search_path', pg_catalog.quote_ident("
	"COALESCE($1, pg_catalog.current_schema(), 'public')), true), COALESCE($1, pg_catalog.current_schema(), 'public'),"
	" pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true)";
static const char empty_path_sql[] = "SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true)";

struct asking {
	struct db_ask asks[PARTS_MOST + 4];
	const struct read_part *parts[PARTS_MOST + 4];  /* of asks[i]; NULL: one of ours */
	size_t count;
};

static struct db_ask *
ask(struct asking *a, const char *sql, const struct read_part *part)
{
	a->parts[a->count] = part;
	a->asks[a->count] = (struct db_ask){ .sql = sql };
	return &a->asks[a->count++];
}

static void
ask_all(struct asking *a, const struct catalog_wish *wish)
{
	static const struct read_part *const first[] = { &read_part_namespaces, &read_part_extensions, &read_part_enums, &read_part_relations };
	static const struct read_part *const then[] = { &read_part_columns, &read_part_indexes, &read_part_references };
	struct db_ask *look;
	size_t i;

	ask(a, begin_sql, NULL)->kind = DB_ASK_BEGINS;
	look = ask(a, look_sql, NULL);
	look->parameter = &wish->default_schema;
	for (i = 0; i < sizeof first / sizeof *first; i++)
		(void)ask(a, first[i]->sql, first[i]);
	(void)ask(a, read_part_defaults.sql, &read_part_defaults);
	(void)ask(a, empty_path_sql, NULL);
	for (i = 0; i < sizeof then / sizeof *then; i++)
		(void)ask(a, then[i]->sql, then[i]);
	for (i = 0; read_part_definitions[i].sql != NULL; i++)
		(void)ask(a, read_part_definitions[i].sql, &read_part_definitions[i]);
	if (wish->grants)
		(void)ask(a, read_part_grants.sql, &read_part_grants);
	ask(a, "COMMIT", NULL);
	a->asks[a->count - 1].kind = DB_ASK_ENDS;
	a->asks[a->count - 1].ends_unit = true;
}

static void
take_all(struct asking *a, struct catalog *catalog)
{
	struct reading_state state = { .catalog = catalog };
	size_t i;

	catalog->default_schema = catalog_text(catalog, answer_word(a->asks[1].answer, 0, 1));
	for (i = 0; i < a->count; i++) {
		if (a->parts[i] == NULL)
			continue;
		if (a->parts[i] == &read_part_defaults)
			state.defaults = a->asks[i].answer;
		else if (a->parts[i]->take != NULL)
			a->parts[i]->take(&state, a->asks[i].answer);
		else
			read_take_definitions(&state, a->asks[i].answer, a->parts[i]->kind);
		catalog->covers[a->parts[i]->kind] = true;
	}
	catalog->covers[OBJECT_KEY] = true; /* comes with the indexes */
}

int
catalog_of_database(struct db *db, const struct catalog_wish *wish, struct catalog *catalog)
{
	struct asking a = { .count = 0 };
	enum db_outcome outcome;
	size_t i;
	int code = 0;

	*catalog = (struct catalog){ .source = wish->source };
	catalog->origin = catalog_text(catalog, wish->origin);
	catalog->server_version = catalog_text(catalog, db_server_version(db));
	ask_all(&a, wish);
	db_limit(db, LIMIT_MS);
	outcome = db_query_batch(db, a.asks, a.count);
	db_limit(db, -1);
	for (i = 0; i < a.count && outcome == DB_OK; i++)
		outcome = a.asks[i].outcome;
	if (outcome == DB_OK && !answer_has(a.asks[1].answer, 2))
		outcome = db_give_up(db);
	if (outcome == DB_OK) {
		take_all(&a, catalog);
		catalog_order(catalog);
	} else {
		code = db_say(db, outcome, "read the catalog");
		(void)db_rollback(db);
	}
	for (i = 0; i < a.count; i++)
		answer_free(a.asks[i].answer);
	return code;
}
