/*
 * libFuzzer (make fuzzers): build/fuzz/fuzz_answers -max_total_time=300 -max_len=16384 CORPUS
 *
 * What a server answers.  The first byte says what is asked of it, and whether the rest begins with the answer to the login;
 * the rest is all that it ever sends.  Whatever that is, every question ends, what is not an answer is none, and the rows that were
 * taken are as many as the server has counted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/signals.h"
#include "catalog/read.h"
#include "database/inspect.h"
#include "postgres/connection.h"
#include "fuzz.h"

#define LOGIN \
	"R\0\0\0\x08\0\0\0\0" \
	"S\0\0\0\x19" "server_version\0" "15.18\0" \
	"S\0\0\0\x19" "client_encoding\0" "UTF8\0" \
	"S\0\0\0\x11" "TimeZone\0" "UTC\0" \
	"K\0\0\0\x0c\0\0\0\x07\0\0\0\x07" \
	"Z\0\0\0\x05I"

enum { MOST = 128 * 1024 /* what a socket holds without a reader */ };

static char folder[] = "/tmp/mig-fuzz.XXXXXX";
static int listener = -1;

static void
forget(void)
{
	char *path = xformat("%s/.s.PGSQL.5432", folder);

	(void)unlink(path);
	(void)rmdir(folder);
	free(path);
}

static void
begin(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	check(mkdtemp(folder) != NULL);
	snprintf(at.sun_path, sizeof at.sun_path, "%s/.s.PGSQL.5432", folder);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	check(listener >= 0 && bind(listener, (struct sockaddr *)&at, sizeof at) == 0 && listen(listener, 8) == 0);
	(void)atexit(forget);
	/* what the rooms say of each answer; libFuzzer and the sanitizers have their own */
	check((stderr = fopen("/dev/null", "w")) != NULL);
	signals_begin();
}

static void
send_all(int fd, const char *data, size_t len)
{
	check(send(fd, data, len, MSG_NOSIGNAL) == (ssize_t)len);
}

/* Its session, once the server has said all; NULL: the login failed. */
static struct db *
log_in(const char *data, size_t len, bool canned, int *server)
{
	struct source source = { .target = { .host = xstrdup(folder), .port = xstrdup("5432"), .user = xstrdup("a"), .database = xstrdup("b"),
	    .is_url = true } };
	struct db *db = db_connect_start(&source, "fuzz", 5000);
	enum db_outcome outcome = DB_LOST;
	struct bytes why = { 0 };
	long long until;
	int fd, want;

	*server = accept(listener, NULL, NULL);
	check(*server >= 0);
	if (canned)
		send_all(*server, LOGIN, sizeof LOGIN - 1);
	send_all(*server, data, len);
	(void)shutdown(*server, SHUT_WR);
	while (!db_connect_poll(db, &fd, &want, &until, &outcome))
		(void)signals_wait(fd, want, 100);
	if (outcome != DB_OK) {
		check(db_unreachable(db, &source, &why) != 0);
		bytes_free(&why);
		db_close(db);
		db = NULL;
	}
	source_free(&source);
	return db;
}

/* --- what is asked --- */

struct counted {
	size_t rows;
};

static void
count_row(void *context, const struct answer *row)
{
	check(answer_rows(row) == 1);
	(void)answer_text(row, 0, 0);
	(void)answer_number(row, 0, 1);
	((struct counted *)context)->rows++;
}

static bool
count_line(void *context, const char *data, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		((struct counted *)context)->rows += data[i] == '\n';
	return true;
}

/* The count at the end of "COPY 3"; of none: 0. */
static size_t
count_of_tag(const struct db *db)
{
	const char *tag = db_tag(db), *blank = strrchr(tag, ' ');

	return blank != NULL ? strtoul(blank + 1, NULL, 10) : 0;
}

static size_t
feed(void *context, const char **data)
{
	size_t *left = context;

	*data = "1\tone\n";
	return (*left)-- > 0 ? strlen(*data) : 0;
}

static const char *
next_statement(void *context, size_t unit, size_t statement)
{
	static const char *const statements[] = { "BEGIN", "SELECT 1", "COMMIT", NULL };

	(void)context;
	(void)unit;
	return statements[statement];
}

static void
unit_ended(void *context, size_t unit)
{
	struct counted *counted = context;

	check(unit == counted->rows);
	counted->rows++;
}

static void
ask_batch(struct db *db)
{
	const char *const parameters[] = { "one", NULL };
	struct db_ask asks[] = { { .sql = "BEGIN", .kind = DB_ASK_BEGINS }, { .sql = "SELECT $1, $2", .parameter = parameters, .more = 1 },
		{ .sql = "SELECT 1", .ours = true }, { .sql = "COMMIT", .kind = DB_ASK_ENDS, .ends_unit = true }, { .sql = "SELECT 2", .ends_unit = true } };
	enum { COUNT = sizeof asks / sizeof *asks };
	enum db_outcome outcome = db_query_batch(db, asks, COUNT);
	size_t i, row;

	for (i = 0; i < COUNT; i++) {
		check(outcome != DB_OK || asks[i].outcome == DB_OK || asks[i].outcome == DB_ERROR);
		for (row = 0; row < answer_rows(asks[i].answer); row++)
			(void)answer_word(asks[i].answer, row, 3);
		answer_free(asks[i].answer);
	}
}

static void
ask_inspect(struct db *db)
{
	struct conninfo target = { .schema = (char *)(uintptr_t)"public" };
	struct inspection inspection = { 0 };

	(void)inspect_take(db, &target, true, &inspection);
	inspect_free(&inspection);
}

static void
ask_catalog(struct db *db)
{
	struct catalog_wish wish = { .source = SOURCE_CATALOG, .origin = "b", .grants = true };
	struct catalog catalog;

	(void)catalog_of_database(db, &wish, &catalog);
	catalog_free(&catalog);
}

static void
ask(struct db *db, int what)
{
	struct db_units units = { .count = 3, .next = next_statement, .ended = unit_ended };
	struct counted counted = { 0 };
	struct answer *answer = NULL;
	size_t finished = 0, failed = 0, left = 3;
	enum db_outcome outcome;

	switch (what) {
	case 0: ask_inspect(db); break;
	case 1: ask_catalog(db); break;
	case 2: ask_batch(db); break;
	case 3:
		outcome = db_query(db, &answer, "SELECT 1", 0, NULL);
		check((outcome == DB_OK) == (answer != NULL));
		(void)answer_has(answer, 2);
		answer_free(answer);
		break;
	case 4:
		outcome = db_run(db, "SELECT 1; SELECT 2", &finished);
		check(finished == db_answered(db));
		break;
	case 5:
		outcome = db_copy_out(db, "COPY a TO STDOUT", false, count_line, &counted);
		check(outcome != DB_OK || counted.rows == count_of_tag(db));
		break;
	case 6:
		outcome = db_each(db, "SELECT 1", count_row, &counted);
		check(outcome != DB_OK || counted.rows == count_of_tag(db));
		break;
	case 7: (void)db_copy_in(db, "COPY a FROM STDIN", feed, &left); break;
	case 8:
		units.context = &counted;
		outcome = db_send_ahead(db, &units, &finished, &failed);
		check(finished == counted.rows && finished <= units.count && failed <= 3);
		check(outcome != DB_OK || finished == units.count);
		break;
	case 9: (void)db_session_reset(db); break;
	default: (void)db_run_best_effort(db, "SELECT 1"); break;
	}
}

/* A message that is said to be long: libpq takes memory for it at once, which the sanitizers fill.  Nothing else is in it. */
static bool
is_long(const uint8_t *data, size_t size)
{
	size_t at = 0, len;

	while (size - at >= 5) {
		len = (size_t)data[at + 1] << 24 | (size_t)data[at + 2] << 16 | (size_t)data[at + 3] << 8 | data[at + 4];
		if (len > MOST)
			return true;
		if (len >= size - at)
			return false;
		at += 1 + len;
	}
	return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { QUESTIONS = 11 };
	struct db *db;
	int server;

	if (listener < 0)
		begin();
	if (size == 0 || size > MOST || is_long(data + 1, size - 1))
		return 0;
	db = log_in((const char *)data + 1, size - 1, (data[0] & 0x80) == 0, &server);
	if (db != NULL) {
		ask(db, (data[0] & 0x7f) % QUESTIONS);
		(void)db_rollback(db);
		(void)db_exit_code(db_error(db));
	}
	db_close(db);
	(void)close(server);
	return 0;
}
