#include "deploy/notify.h"

#include <stddef.h>

#include "base/signals.h"

enum { LINE, PAYLOAD };
enum { POINT = 1 }; /* the question that creates the restore point */

/* the right is that of the login, whoever owns the objects */
static const char login_sql[] = "SELECT pg_catalog.set_config('role', 'none', true)";
static const char point_sql[] = "SELECT pg_catalog.pg_create_restore_point($1)";
/* the text is a setting of the transaction, so that the statement is always the same one; the client does not get the line, too */
#define LINE_SETTINGS "pg_catalog.set_config('client_min_messages', 'error', true), pg_catalog.set_config('mig.line', "
static const char line_sql[] = "SELECT " LINE_SETTINGS "$1, true)";
static const char log_sql[] = "DO $$BEGIN RAISE LOG USING MESSAGE = pg_catalog.current_setting('mig.line'); END$$";
/* no lock is waited for, nor the disk: of a server that crashes the notification is lost with its listeners */
static const char settings_sql[] =
    "SELECT pg_catalog.set_config('lock_timeout', '200', true), pg_catalog.set_config('synchronous_commit', 'off', true)";
static const char notify_sql[] = "SELECT pg_catalog.pg_notify('mig', $1)";

static void
add(struct notify *n, const char *sql, const char *const *parameter, bool ends_unit)
{
	n->asks[n->count++] = (struct db_ask){ .sql = sql, .parameter = parameter, .ends_unit = ends_unit };
}

static void
forget_asks(struct notify *n)
{
	for (; n->count > 0; n->count--)
		answer_free(n->asks[n->count - 1].answer);
}

static void
add_payload(struct notify *n, const struct announce *announce)
{
	n->payload.len = 0;
	announce_payload(&n->payload, announce);
	n->texts[PAYLOAD] = n->payload.data;
	add(n, settings_sql, NULL, false);
	add(n, notify_sql, &n->texts[PAYLOAD], true);
}

void
notify_begin(struct notify *n, struct db *db, const struct announce *announce)
{
	if (n->begun)
		return;
	n->begun = true;
	n->restore_point = announce->run->restore_point;
	if (n->restore_point != NULL) {
		add(n, login_sql, NULL, false);
		add(n, point_sql, &n->restore_point, true);
	}
	add_payload(n, announce);
	db_send_along(db, n->asks, n->count, DB_ALONG_BEFORE);
}

bool
notify_has_restore_point(const struct notify *n)
{
	return n->restore_point != NULL && n->asks[POINT].outcome == DB_OK;
}

/* In one message, which is sent although a signal has arrived. */
static void
send_stopped(struct notify *n, struct db *db)
{
	struct bytes sql = { 0 };

	bytes_str(&sql, settings_sql);
	if (n->line.len > 0) {
		bytes_str(&sql, "; SELECT " LINE_SETTINGS);
		bytes_sql_text(&sql, n->texts[LINE]);
		bytes_format(&sql, ", true); %s", log_sql);
	}
	bytes_str(&sql, "; SELECT pg_catalog.pg_notify('mig', ");
	bytes_sql_text(&sql, n->texts[PAYLOAD]);
	bytes_str(&sql, ")");
	(void)db_run_best_effort(db, sql.data);
	bytes_free(&sql);
}

void
notify_end(struct notify *n, struct db *db, const struct announce *announce, bool logs)
{
	if (!n->begun || db_has_along(db) || db_transaction(db) != DB_IDLE)
		return;
	n->restore_point = NULL;
	forget_asks(n);
	if (logs) {
		announce_line(&n->line, announce);
		n->texts[LINE] = n->line.data;
		add(n, line_sql, &n->texts[LINE], false);
		add(n, log_sql, NULL, true);
	}
	add_payload(n, announce);
	if (signals_caught() != 0)
		send_stopped(n, db);
	else
		(void)db_query_batch(db, n->asks, n->count);
}

void
notify_free(struct notify *n)
{
	forget_asks(n);
	bytes_free(&n->line);
	bytes_free(&n->payload);
	*n = (struct notify){ .count = 0 };
}
