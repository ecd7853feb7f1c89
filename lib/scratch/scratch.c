#include "scratch/scratch.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"
#include "scratch/scratch_internal.h"

#define SHADOW "SHADOW_DATABASE_URL"

/* The three ways, typed out. */
static int
say_none(const char *why)
{
	int code = message_error(MIG_CONFIG, "no scratch server: %s, and neither --scratch nor " SHADOW " names one", why);

	message_line("  Migrations are tried in a temporary database, never in production. One of these provides it:");
	message_line("    apt-get install postgresql                     server programs, started only for the run");
	message_line("    docker run -d -e POSTGRES_PASSWORD=x -p 127.0.0.1:5433:5432 postgres:17     which needs a while: --wait=1min");
	message_line("    export " SHADOW "=postgresql://postgres:x@127.0.0.1:5433/postgres");
	message_line("    --scratch env:BRANCH_DATABASE_URL              a branch or another server of your hosting provider");
	return code;
}

static int
open_named(struct scratch *s, const struct scratch_order *order, const char *word)
{
	int code = source_open_option(&s->source, word, "--scratch");

	if (code != 0)
		return code;
	if (order->schema == NULL && s->source.target.schema != NULL) {
		free(s->schema);
		s->schema = xstrdup(s->source.target.schema);
	}
	free(s->source.target.schema); /* in the database that it names there may be none of that name */
	s->source.target.schema = NULL;
	return named_database_open(s, order);
}

static int
open_own(struct scratch *s, const struct scratch_order *order)
{
	struct bytes why = { 0 };
	int code;

	if (server_find(&s->server, order->scanned != NULL ? (int)order->scanned->server_version_num / 10000 : 0, &why))
		code = own_database_open(s, order);
	else
		code = say_none(why.data);
	bytes_free(&why);
	return code;
}

struct scratch *
scratch_open(const struct scratch_order *order, int *code)
{
	struct scratch *s = xcalloc(1, sizeof *s);

	s->server.place.lock = s->server.place.server_lock = -1;
	s->schema = xstrdup(order->schema != NULL ? order->schema : "public");
	s->renewed = order->renewed;
	s->named = order->source != NULL || source_is_set(SHADOW);
	if (s->named)
		*code = open_named(s, order, order->source != NULL ? order->source : "env:" SHADOW);
	else
		*code = open_own(s, order);
	if (*code == 0)
		return s;
	scratch_close(s);
	return NULL;
}

static void
close_sessions(struct scratch *s)
{
	size_t i;

	for (i = 0; i < SCRATCH_WATCHERS; i++) {
		db_close(s->watchers[i]);
		s->watchers[i] = NULL;
	}
}

struct scratch *
scratch_renew(struct scratch *s, const struct scratch_order *order, int *code)
{
	if (!s->named) {
		scratch_close(s);
		return scratch_open(order, code);
	}
	close_sessions(s);
	if ((*code = named_database_renew(s, order)) == 0)
		return s;
	scratch_close(s);
	return NULL;
}

size_t
scratch_ready(const struct scratch *s)
{
	return s->ready;
}

struct db *
scratch_db(const struct scratch *s)
{
	return s->db;
}

bool
scratch_is_own(const struct scratch *s)
{
	return !s->named;
}

const char *
scratch_schema(const struct scratch *s)
{
	return s->schema;
}

struct db *
scratch_admin(struct scratch *s)
{
	return s->named ? NULL : own_database_admin(s);
}

void
scratch_place(const struct scratch *s, struct bytes *out)
{
	if (s->named)
		bytes_format(out, "the scratch server %s:%lld", db_host(s->db) != NULL ? db_host(s->db) : "of the local socket", db_port(s->db));
	else
		bytes_format(out, "PostgreSQL %s, started for this run", s->server.programs.version);
}

void
scratch_keep(struct scratch *s, size_t count)
{
	s->keep = count;
}

int
scratch_set_time_zone(struct db *db, const char *database, const char *time_zone)
{
	struct bytes sql = { 0 };
	enum db_outcome outcome;

	if (time_zone == NULL)
		return 0;
	bytes_str(&sql, "ALTER DATABASE ");
	bytes_sql_name(&sql, database);
	bytes_str(&sql, " SET timezone = ");
	bytes_sql_text(&sql, time_zone);
	outcome = db_tell(db, sql.data);
	bytes_free(&sql);
	return outcome == DB_OK ? 0 : db_say(db, outcome, "set the time zone of the scratch database");
}

int
scratch_settle(struct scratch *s, size_t count, const char *time_zone)
{
	return s->named ? named_database_settle(s, time_zone) : own_database_settle(s, count, time_zone);
}

struct db *
scratch_watcher(const struct scratch *s, size_t i)
{
	return s->watchers[i];
}

void
scratch_close(struct scratch *s)
{
	if (s == NULL)
		return;
	close_sessions(s);
	if (s->named)
		named_database_close(s);
	else
		own_database_close(s);
	source_free(&s->source);
	free(s->database);
	free(s->schema);
	free(s);
}
