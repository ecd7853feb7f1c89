#include "deploy/restore_point.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/null.h"

#define LSN "pg_catalog.pg_current_wal_lsn()"

static const char time_sql[] = "SELECT pg_catalog.to_char(pg_catalog.clock_timestamp() AT TIME ZONE 'UTC', "
                               "'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')";
static const char lsn_sql[] = "SELECT " LSN;
/* not that of the last checkpoint, which after a promotion may still be the old one */
static const char timeline_sql[] = "SELECT pg_catalog.substr(pg_catalog.pg_walfile_name(" LSN "), 1, 8)";
static const char checkpoint_sql[] = "SELECT timeline_id FROM pg_catalog.pg_control_checkpoint()";
static const char rights_sql[] =
    "SELECT pg_catalog.has_function_privilege(pg_catalog.to_regprocedure('pg_catalog.pg_create_restore_point(pg_catalog.text)')::pg_catalog.oid, 'EXECUTE') "
    "AND pg_catalog.current_setting('wal_level') OPERATOR(pg_catalog.<>) 'minimal' AND NOT pg_catalog.pg_is_in_recovery(), "
    "pg_catalog.has_language_privilege('plpgsql', 'USAGE')";

static void
make_asks(struct restore_point *point)
{
	static const char *const sql[RESTORE_ASKS] = { time_sql, lsn_sql, timeline_sql, rights_sql };
	size_t i;

	restore_point_free(point);
	for (i = 0; i < RESTORE_ASKS; i++)
		point->asks[i] = (struct db_ask){ .sql = sql[i], .ends_unit = true };
}

void
restore_point_ask(struct restore_point *point, struct db *db)
{
	make_asks(point);
	db_send_along(db, point->asks, RESTORE_ASKS, DB_ALONG_AFTER);
}

void
restore_point_take(struct restore_point *point, struct db *db, bool again)
{
	const struct db_ask *asks = point->asks;
	const char *hex;

	if (again) {
		make_asks(point);
		(void)db_query_batch(db, point->asks, RESTORE_ASKS);
	}
	if (answer_text(asks[RESTORE_TIMELINE].answer, 0, 0) == NULL) {
		struct db_ask *timeline = &point->asks[RESTORE_TIMELINE];

		answer_free(timeline->answer);
		*timeline = (struct db_ask){ .sql = checkpoint_sql, .ends_unit = true };
		(void)db_query_batch(db, timeline, 1);
		point->timeline = answer_number(timeline->answer, 0, 0);
	} else {
		hex = answer_text(asks[RESTORE_TIMELINE].answer, 0, 0);
		point->timeline = strtoll(hex, NULL, 16);
	}
	point->server_time = answer_text(asks[RESTORE_TIME].answer, 0, 0);
	point->lsn = answer_text(asks[RESTORE_LSN].answer, 0, 0);
	point->may_name = answer_flag(asks[RESTORE_RIGHTS].answer, 0, 0);
	point->may_log = answer_flag(asks[RESTORE_RIGHTS].answer, 0, 1);
}

void
restore_point_name(const struct restore_point *point, const char *plan_digest, char out[RESTORE_NAME])
{
	char now[CLOCK_INSTANT];
	const char *from = point->server_time;
	size_t n = 0;

	if (from == NULL) {
		clock_now_utc(now);
		from = now;
	}
	n += (size_t)snprintf(out, RESTORE_NAME, "mig-");
	for (; *from != '\0' && *from != '.' && n < RESTORE_NAME - 16; from++)
		if (isdigit((unsigned char)*from) || *from == 'T')
			out[n++] = *from;
	snprintf(out + n, RESTORE_NAME - n, "Z-%.8s", plan_digest);
}

void
restore_point_text(struct bytes *out, const char *server_time, const char *lsn)
{
	enum { DATE = 10, TO_MILLISECONDS = 12, WHOLE = 24 };

	/* cut, and not rounded: never later than the first change */
	if (server_time != NULL && strlen(server_time) >= WHOLE)
		bytes_format(out, "%.*s %.*s+00", DATE, server_time, TO_MILLISECONDS, server_time + DATE + 1);
	if (lsn != NULL)
		bytes_format(out, "%sbefore lsn %s", out->len > 0 ? ", " : "the state ", lsn);
}

void
restore_point_free(struct restore_point *point)
{
	size_t i;

	for (i = 0; i < RESTORE_ASKS; i++)
		answer_free(point->asks[i].answer);
	*point = (struct restore_point){ .timeline = NUMBER_UNKNOWN };
}
