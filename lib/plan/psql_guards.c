/* What stands before the steps: the deploy lock, target and history are checked, the history is made. */
#include "plan/psql_script_internal.h"

#include <stdbool.h>
#include <string.h>

#include "migrations/history.h"
#include "plan/do_block.h"

void
psql_write_block(const struct psql *p, struct bytes *body)
{
	do_block(p->out, body);
	bytes_str(p->out, ";\n");
}

/* A check that ends the script with a message when `condition` is true. */
static void
stop_if(const struct psql *p, const char *condition, const char *message)
{
	struct bytes body = { 0 };

	bytes_format(&body, "IF %s THEN\n  RAISE EXCEPTION USING MESSAGE = ", condition);
	bytes_sql_text(&body, message);
	bytes_str(&body, ";\nEND IF;");
	psql_write_block(p, &body);
}

void
psql_set_readings(const struct psql *p)
{
	bytes_str(p->out, "SET standard_conforming_strings = on;\nSET client_encoding = 'UTF8';\n");
}

const char psql_show_all_rows[] = "SET row_security = off;\n";

void
psql_take_lock(const struct psql *p)
{
	stop_if(p, "NOT pg_catalog.pg_try_advisory_lock(" HISTORY_LOCK_KEY ")",
	    "another deployer holds the lock; nothing was touched");
}

void
psql_check_target(const struct psql *p)
{
	const struct plan *d = &p->planned->plan;
	struct bytes condition = { 0 };

	bytes_str(&condition, "pg_catalog.current_database() OPERATOR(pg_catalog.<>) ");
	bytes_sql_text(&condition, d->database);
	if (d->system_identifier != NULL) {
		bytes_str(&condition, " OR (SELECT system_identifier::pg_catalog.text FROM pg_catalog.pg_control_system()) OPERATOR(pg_catalog.<>) ");
		bytes_sql_text(&condition, d->system_identifier);
	}
	stop_if(p, condition.data, "this script is for another database; nothing was touched");
	bytes_free(&condition);
}

void
psql_check_history(const struct psql *p)
{
	static const char changed[] = "the history has changed since this plan was made; nothing was touched";
	struct bytes condition = { 0 };

	if (p->planned->plan.history_sha256 == NULL) {
		bytes_str(&condition, "EXISTS (SELECT FROM pg_catalog.pg_tables WHERE tablename OPERATOR(pg_catalog.=) '" HISTORY_TABLE
		                      "' AND schemaname OPERATOR(pg_catalog.=) ");
		bytes_sql_text(&condition, p->schema);
		bytes_char(&condition, ')');
	} else {
		bytes_str(&condition, "(SELECT pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(coalesce(pg_catalog.string_agg("
		                      "pg_catalog.concat(id, E'\\t', migration_name, E'\\t', checksum, E'\\t', (finished_at IS NOT NULL)::int, "
		                      "E'\\t', (rolled_back_at IS NOT NULL)::int, E'\\n'), '' ORDER BY id COLLATE pg_catalog.\"C\"), ''), "
		                      "'UTF8')), 'hex')\n  FROM ");
		bytes_sql_name(&condition, p->schema);
		bytes_format(&condition, ".\"" HISTORY_TABLE "\") OPERATOR(pg_catalog.<>) '%s'", p->planned->plan.history_sha256);
	}
	stop_if(p, condition.data, changed);
	bytes_free(&condition);
}

void
psql_make_history(const struct psql *p)
{
	struct bytes schema = { 0 }, body = { 0 };

	if (p->planned->plan.history_sha256 != NULL)
		return;
	bytes_sql_name(&schema, p->schema);
	bytes_str(&body, "IF pg_catalog.to_regnamespace(");
	bytes_sql_text(&body, schema.data);
	bytes_format(&body, ") IS NULL THEN CREATE SCHEMA %s; END IF;", schema.data);
	psql_write_block(p, &body);
	history_create_sql(p->out, p->schema, false);
	bytes_str(p->out, ";\n");
	bytes_free(&schema);
}

void
psql_enter_schema(const struct psql *p)
{
	struct bytes body = { 0 };

	bytes_str(&body, "IF (pg_catalog.current_schema() OPERATOR(pg_catalog.=) ");
	bytes_sql_text(&body, p->schema);
	bytes_str(&body, ") IS NOT TRUE THEN PERFORM pg_catalog.set_config('search_path', pg_catalog.quote_ident(");
	bytes_sql_text(&body, p->schema);
	bytes_str(&body, "::pg_catalog.text), false); END IF;");
	psql_write_block(p, &body);
}

void
psql_keep_role(const struct psql *p)
{
	struct bytes body = { 0 };

	bytes_str(&body, "PERFORM pg_catalog.set_config('mig.role_at_start', current_user::pg_catalog.text, false);");
	psql_write_block(p, &body);
}
