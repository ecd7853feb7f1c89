/*
 * A scratch database on a server of our own: its role, its schema, and the cluster kept for later runs.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/signals.h"
#include "migrations/history.h"
#include "scratch/programs.h"
#include "scratch/scratch_internal.h"

/*
 * Scripts name the role that owns everything, and usually call it postgres.  Here it is not a superuser, as on
 * hosted platforms, so that an untrusted script cannot reach outside the database.
 */
#define OWNER "postgres"
#define DATABASE "mig_scratch"

static const struct db_patience no_patience = { 10000, 2000 };

static struct source
source_of(const struct scratch *s, const char *user, const char *database)
{
	return (struct source){ .target = { .host = xstrdup(s->server.place.run),
		.port = xstrdup("5432"),
		.user = xstrdup(user),
		.database = xstrdup(database),
		.is_url = true } };
}

static struct db *
connect_as(const struct scratch *s, const char *user, const char *database, int *code)
{
	struct source source = source_of(s, user, database);
	struct db *db = db_open(&source, SCRATCH_APPLICATION, &no_patience, code);

	source_free(&source);
	return db;
}

/*
 * Runs texts one after another, up to a NULL, and closes the session.  Returns 0, or an exit code with the error
 * reported.
 */
static int
run_all(struct db *db, const char *const texts[])
{
	enum db_outcome outcome = DB_OK;
	size_t done, i;
	int code;

	for (i = 0; outcome == DB_OK && texts[i] != NULL; i++)
		outcome = db_run(db, texts[i], &done);
	code = outcome != DB_OK ? db_say(db, outcome, "create the scratch database") : 0;
	db_close(db);
	return code;
}

#define DROP_TEMPLATE(name) "ALTER DATABASE " name " IS_TEMPLATE false", "DROP DATABASE " name

/*
 * In a new cluster: the role, and the database, which is there under another name.  The templates go: nothing is made of them,
 * and the cluster is copied each time.
 */
static int
make_database(struct scratch *s)
{
	int code;
	struct db *db = connect_as(s, SERVER_ADMIN, "template1", &code);
	/* the last: seeds in migrations set it; it cannot do harm outside */
	const char *texts[] = { "CREATE ROLE " OWNER " LOGIN; ALTER DATABASE postgres RENAME TO " DATABASE "; ALTER DATABASE " DATABASE
	    " OWNER TO " OWNER, DROP_TEMPLATE("template0"), "GRANT SET ON PARAMETER session_replication_role TO " OWNER, NULL };

	if (db == NULL)
		return code;
	if (db_server_version_num(db) < 150000)
		texts[3] = NULL;
	return run_all(db, texts);
}

/* What a deploy finds, or makes, before its first script: the schema and the history, which scripts may name. */
static int
make_schema(struct scratch *s)
{
	int code;
	struct db *db = connect_as(s, SERVER_ADMIN, DATABASE, &code);
	struct bytes sql = { 0 };
	const char *texts[] = { DROP_TEMPLATE("template1"), NULL, NULL };

	if (db == NULL)
		return code;
	bytes_str(&sql, "ALTER SCHEMA public OWNER TO ");
	bytes_str(&sql, db_server_version_num(db) >= 140000 ? "pg_database_owner" : OWNER);
	bytes_str(&sql, "; SET ROLE " OWNER "; ");
	history_create_sql(&sql, s->schema, strcmp(s->schema, "public") != 0);
	texts[2] = sql.data;
	code = run_all(db, texts);
	bytes_free(&sql);
	return code;
}

/* As long as a kept cluster is there and starts, the longest one; else a new one. */
static int
start(struct scratch *s)
{
	int code = -ENOENT;

	while (code == -ENOENT && (s->ready = template_longest(s->paths, s->ready)) > 0)
		if ((code = server_start(&s->server, s->paths[s->ready])) == -ENOENT)
			s->ready--;
	if (code != -ENOENT)
		return code;
	code = server_start(&s->server, NULL);
	if (code == 0)
		code = make_database(s);
	return code == 0 ? make_schema(s) : code;
}

/* Production's major where it makes a difference: there are several releases here, and production answers at once. */
static void
choose_release(struct scratch *s, const struct scratch_order *order)
{
	struct programs nearest;
	struct db *db;

	if (!s->server.programs.several || order->scanned != NULL || order->production == NULL ||
	    (db = db_try_open(order->production, SCRATCH_APPLICATION, 3000, NULL)) == NULL)
		return;
	if (programs_find(&nearest, db_server_version_num(db) / 10000)) {
		programs_free(&s->server.programs);
		s->server.programs = nearest;
	}
	db_close(db);
}

int
own_database_open(struct scratch *s, const struct scratch_order *order)
{
	int code;

	choose_release(s, order);
	code = server_open(&s->server);
	if (code != 0)
		return code;
	s->paths = template_paths(&s->server.place, s->server.programs.version, s->server.locale, s->schema, order->steps,
	    order->count);
	s->ready = s->keep = s->count = order->count;
	code = start(s);
	s->keep = s->ready;
	if (code != 0)
		return code;
	s->source = source_of(s, OWNER, DATABASE);
	s->source.target.schema = xstrdup(s->schema);
	s->db = db_open(&s->source, SCRATCH_APPLICATION, &no_patience, &code);
	return code;
}

struct db *
own_database_admin(struct scratch *s)
{
	int code;

	if (s->admin == NULL)
		s->admin = connect_as(s, SERVER_ADMIN, DATABASE, &code);
	return s->admin;
}

/* What comes now is not to be kept, so what is kept is copied before; the server starts again from the same files. */
static int
keep_now(struct scratch *s, size_t count)
{
	s->keep = s->ready;
	if (count == s->ready)
		return 0;
	db_close(s->admin);
	s->admin = NULL;
	if (server_stop(&s->server, true))
		template_keep_copy(&s->server.place, s->server.data, s->paths[count]);
	return server_resume(&s->server);
}

int
own_database_settle(struct scratch *s, size_t count, const char *time_zone)
{
	size_t i;
	int code;

	db_close(s->db);
	s->db = NULL;
	if ((code = keep_now(s, count)) != 0)
		return code;
	if (own_database_admin(s) == NULL)
		return message_code();
	if ((code = scratch_set_time_zone(s->admin, DATABASE, time_zone)) != 0)
		return code;
	for (i = 0; i < SCRATCH_WATCHERS; i++)
		if ((s->watchers[i] = connect_as(s, SERVER_ADMIN, DATABASE, &code)) == NULL)
			return code;
	s->db = db_open(&s->source, SCRATCH_APPLICATION, &no_patience, &code);
	return s->db != NULL ? 0 : code;
}

void
own_database_close(struct scratch *s)
{
	bool keep = s->keep > s->ready && s->server.pid != 0 && signals_caught() == 0;

	db_close(s->db);
	db_close(s->admin);
	if (keep && server_stop(&s->server, true))
		template_keep(&s->server.place, s->server.data, s->paths[s->keep]);
	server_close(&s->server);
	template_paths_free(s->paths, s->count);
}
