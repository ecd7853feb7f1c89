/*
 * A scratch database on a named server: CREATE DATABASE next to the one in the connection string, and DROP
 * DATABASE.
 *
 * Its name identifies its owner: the process and the start time of the session that created it and will drop it.
 * If that session no longer exists, the database is a leftover.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/signals.h"
#include "migrations/history.h"
#include "postgres/sqlstate.h"
#include "scratch/scratch_internal.h"
#include "secret/secret.h"

#define PREFIX "mig_scratch_"

static const struct db_patience no_patience = { 10000, 2000 };

/* --- which server is it --- */

struct identity {
	char *system;      /* NULL: the role may not ask */
	char *started;     /* when the server was started, to the microsecond */
	char *database;
};

static void
identity_free(struct identity *identity)
{
	free(identity->system);
	free(identity->started);
	free(identity->database);
}

static int
identity_ask(struct db *db, struct identity *identity)
{
	static const char sql[] = "SELECT extract(epoch FROM pg_postmaster_start_time())::text, current_database()";
	struct answer *answer;
	enum db_outcome outcome = db_query_ours(db, &answer, sql, 0, NULL);

	*identity = (struct identity){ 0 };
	if (outcome != DB_OK)
		return db_say(db, outcome, "identify the server");
	identity->started = xstrdup(answer_word(answer, 0, 0));
	identity->database = xstrdup(answer_word(answer, 0, 1));
	answer_free(answer);
	outcome = db_query_ours(db, &answer, history_system_sql, 0, NULL);
	if (outcome == DB_OK && answer_text(answer, 0, 0) != NULL)
		identity->system = xstrdup(answer_text(answer, 0, 0));
	answer_free(answer);
	return outcome == DB_OK || outcome == DB_ERROR ? 0 : db_say(db, outcome, "identify the server");
}

static bool
same_server(const struct identity *a, const struct identity *b)
{
	if (a->system != NULL && b->system != NULL)
		return strcmp(a->system, b->system) == 0;
	return strcmp(a->started, b->started) == 0;
}

static int
refuse_production(struct db *db)
{
	struct bytes place = { 0 };
	int code;

	db_place(db, &place);
	code = message_error(MIG_CONFIG, "%s is the production database: migrations are never tried there", place.data);
	message_line("  The connection string (-d, MIG_DATABASE or DATABASE_URL) names the same server and database.");
	message_line("  Name another server, or another database of that server together with --same-server.");
	bytes_free(&place);
	return code;
}

static int
refuse_same_server(struct db *db)
{
	struct bytes place = { 0 };
	int code;

	db_place(db, &place);
	code = message_error(MIG_CONFIG, "%s is on the production server: a scratch database there would use its memory and disk",
	    place.data);
	message_line("  Name another server, or allow this one:  --same-server");
	bytes_free(&place);
	return code;
}

/* role: the one on whose server nobody says who it is, as far as it is known. */
static int
refuse_unknown(struct db *db, const char *role)
{
	struct bytes place = { 0 }, name = { 0 };
	int code;

	db_place(db, &place);
	code = message_error(MIG_CONFIG, "whether %s is on production's server cannot be told: one of them does not say who it is",
	    place.data);
	bytes_sql_name(&name, role != NULL ? role : db_user(db));
	message_line("  To let it say that, there:  GRANT EXECUTE ON FUNCTION pg_control_system() TO %s;", name.data);
	message_line("  Or say that it may be production's server, with another database:  --same-server");
	bytes_free(&name);
	bytes_free(&place);
	return code;
}

/* What a scan says of production, which may be out of reach. */
static int
check_scanned(struct scratch *s, const struct scratch_order *order)
{
	const struct database *scanned = order->scanned;
	struct identity here = { 0 };
	const char *role;
	bool known, same;
	int code = identity_ask(s->admin, &here);

	role = here.system == NULL ? db_user(s->admin) : scanned->user;
	known = here.system != NULL && scanned->system_identifier != NULL;
	same = known && strcmp(here.system, scanned->system_identifier) == 0;
	if (code == 0 && (same || !known) && strcmp(here.database, scanned->database) == 0)
		code = same ? refuse_production(s->admin) : refuse_unknown(s->admin, role);
	else if (code == 0 && same && !order->same_server)
		code = refuse_same_server(s->admin);
	else if (code == 0 && !known && !order->same_server)
		code = refuse_unknown(s->admin, role);
	identity_free(&here);
	return code;
}

/* Production is asked who it is; where it does not answer, nothing is tried. */
static int
check_production(struct scratch *s, const struct scratch_order *order)
{
	const struct db_patience patience = { order->wait_ms, order->wait_ms };
	struct identity here = { 0 }, production = { 0 };
	struct db *db;
	int code;

	if (order->scanned != NULL)
		return check_scanned(s, order);
	if (order->production == NULL)
		return 0;
	db = db_open(order->production, SCRATCH_APPLICATION, &patience, &code);
	if (db == NULL) {
		message_line("  Without it mig cannot tell whether the scratch server is production; nothing was run.");
		return code;
	}
	if ((code = identity_ask(s->admin, &here)) == 0)
		code = identity_ask(db, &production);
	if (code == 0 && same_server(&here, &production)) {
		if (strcmp(here.database, production.database) == 0)
			code = refuse_production(s->admin);
		else if (!order->same_server)
			code = refuse_same_server(s->admin);
	}
	db_close(db);
	identity_free(&here);
	identity_free(&production);
	return code;
}

/* --- databases --- */

static bool
drop(struct db *db, const char *name)
{
	struct bytes sql = { 0 };
	bool dropped;

	bytes_str(&sql, "DROP DATABASE IF EXISTS ");
	bytes_sql_name(&sql, name);
	if (db_server_version_num(db) >= 130000)
		bytes_str(&sql, " WITH (FORCE)");
	dropped = db_run_best_effort(db, sql.data);
	bytes_free(&sql);
	return dropped;
}

/* What killed runs left: ours by its name and owner, and the session that made it is gone. */
static enum db_outcome
sweep(struct scratch *s)
{
	static const char sql[] = "SELECT d.datname FROM pg_database d WHERE d.datname ~ '^" PREFIX "[0-9]{1,9}_[0-9]{1,18}$'"
		" AND pg_has_role(d.datdba, 'USAGE') AND NOT EXISTS (SELECT FROM pg_stat_activity a"
		" WHERE a.pid = split_part(d.datname, '_', 3)::int4 AND (a.backend_start IS NULL"
		" OR (extract(epoch FROM a.backend_start) * 1000000)::int8 = split_part(d.datname, '_', 4)::int8)) ORDER BY 1";
	struct bytes place = { 0 };
	struct answer *answer;
	enum db_outcome outcome = db_query_ours(s->admin, &answer, sql, 0, NULL);
	size_t i;

	if (outcome != DB_OK)
		return outcome;
	db_place(s->admin, &place);
	for (i = 0; i < answer_rows(answer); i++)
		if (drop(s->admin, answer_word(answer, i, 0)))
			message_info("removed the database %s next to %s, left by an interrupted run", answer_word(answer, i, 0), place.data);
	answer_free(answer);
	bytes_free(&place);
	return DB_OK;
}

static int
name_database(struct scratch *s, char **name)
{
	static const char sql[] = "SELECT pid::text || '_' || (extract(epoch FROM backend_start) * 1000000)::int8::text"
		" FROM pg_stat_activity WHERE pid = pg_backend_pid()";
	struct answer *answer;
	enum db_outcome outcome = db_query_ours(s->admin, &answer, sql, 0, NULL);

	if (outcome == DB_OK && answer_text(answer, 0, 0) == NULL)
		outcome = db_give_up(s->admin);
	if (outcome != DB_OK)
		return db_say(s->admin, outcome, "name the scratch database");
	*name = xformat(PREFIX "%s", answer_text(answer, 0, 0));
	answer_free(answer);
	return 0;
}

static int
say_cannot_create(struct scratch *s, enum db_outcome outcome)
{
	bool denied = outcome == DB_ERROR && strcmp(db_error(s->admin)->sqlstate, SQLSTATE_INSUFFICIENT_PRIVILEGE) == 0;
	int code = db_say(s->admin, outcome, "create a scratch database");
	struct bytes role = { 0 };

	if (!denied)
		return code;
	bytes_sql_name(&role, db_user(s->admin));
	message_line("  To grant the right:  ALTER ROLE %s CREATEDB;", role.data);
	bytes_free(&role);
	return MIG_DENIED;
}

static int
create(struct scratch *s)
{
	struct bytes sql = { 0 };
	enum db_outcome outcome;
	char *name = NULL;
	size_t done;
	int code = name_database(s, &name);

	if (code != 0)
		return code;
	bytes_str(&sql, "CREATE DATABASE ");
	bytes_sql_name(&sql, name);
	bytes_str(&sql, " TEMPLATE template0 ENCODING 'UTF8'");
	s->database = name; /* also where a signal comes while it is made */
	outcome = db_run(s->admin, sql.data, &done);
	bytes_free(&sql);
	if (outcome == DB_OK)
		return 0;
	return outcome == DB_STOPPED ? 128 + signals_caught() : say_cannot_create(s, outcome);
}

/* As for a deploy: the schema and the history are there. */
static int
make_schema(struct scratch *s)
{
	struct bytes sql = { 0 };
	enum db_outcome outcome;
	size_t done;

	history_create_sql(&sql, s->schema, strcmp(s->schema, "public") != 0);
	outcome = db_run(s->db, sql.data, &done);
	bytes_free(&sql);
	return outcome == DB_OK ? 0 : outcome == DB_STOPPED ? 128 + signals_caught() : db_say(s->db, outcome, "create the scratch database");
}

/* Connected: it is not needed again. */
static void
forget_password(struct scratch *s)
{
	if (s->renewed)
		return;
	secret_free(s->source.password);
	s->source.password = NULL;
}

/* Creates the database and connects to it. */
static int
make_database(struct scratch *s, const struct scratch_order *order)
{
	const struct db_patience patience = { order->wait_ms, order->wait_ms };
	int code = create(s);

	if (code != 0)
		return code;
	free(s->source.target.database);
	s->source.target.database = xstrdup(s->database);
	free(s->source.target.schema);
	s->source.target.schema = xstrdup(s->schema);
	if ((s->db = db_open(&s->source, SCRATCH_APPLICATION, &patience, &code)) == NULL)
		return code;
	if (!order->watched)
		forget_password(s);
	return make_schema(s);
}

int
named_database_renew(struct scratch *s, const struct scratch_order *order)
{
	db_close(s->db);
	s->db = NULL;
	if (!drop(s->admin, s->database))
		return db_say(s->admin, DB_ERROR, "drop the scratch database");
	free(s->database);
	s->database = NULL;
	return make_database(s, order);
}

int
named_database_open(struct scratch *s, const struct scratch_order *order)
{
	const struct db_patience patience = { order->wait_ms, order->wait_ms };
	enum db_outcome outcome;
	int code;

	if ((s->admin = db_open(&s->source, SCRATCH_APPLICATION, &patience, &code)) == NULL)
		return code;
	if ((code = check_production(s, order)) != 0)
		return code;
	if ((outcome = sweep(s)) != DB_OK)
		return db_say(s->admin, outcome, "find leftovers of interrupted runs");
	return make_database(s, order);
}

int
named_database_settle(struct scratch *s, const char *time_zone)
{
	size_t i;
	int code = scratch_set_time_zone(s->admin, s->database, time_zone);

	db_close(s->db);
	s->db = NULL;
	for (i = 0; code == 0 && i < SCRATCH_WATCHERS; i++)
		s->watchers[i] = db_open(&s->source, SCRATCH_APPLICATION, &no_patience, &code);
	if (code == 0)
		s->db = db_open(&s->source, SCRATCH_APPLICATION, &no_patience, &code);
	forget_password(s);
	return code;
}

/* Once more it is looked for left-overs: of a run that was killed just before this one, the session was still ending then. */
void
named_database_close(struct scratch *s)
{
	db_close(s->db);
	if (s->database != NULL && s->admin != NULL) {
		if (!drop(s->admin, s->database))
			message_warning("the scratch database %s could not be dropped; the next run does it", s->database);
		else if (signals_caught() == 0)
			(void)sweep(s);
	}
	db_close(s->admin);
}
