/*
 * floor FOLDER: the least that a program in C can do to deploy: reads the folder, connects once, looks up what is applied, sends
 * each migration with its row as one message, and waits for the disk once, at the end.  No records, no plan, no lock, no
 * look at whom it holds up, no word about what is wrong.  What mig costs beyond that is said by tests/bench/run.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include "base/bytes.h"
#include "migrations/folder.h"

static PGconn *conn;

static void
fail(const char *what)
{
	fprintf(stderr, "floor: %s: %s", what, conn != NULL ? PQerrorMessage(conn) : "\n");
	exit(1);
}

static void
run(const char *what, const char *sql)
{
	PGresult *result = PQexec(conn, sql);

	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		fail(what);
	PQclear(result);
}

static int
is_migration(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && strcmp(entry->d_name, "migration_lock.toml") != 0;
}

static void
read_script(struct bytes *text, const char *folder, const char *name)
{
	char path[4096];
	FILE *file;
	size_t got;

	snprintf(path, sizeof path, "%s/%s/migration.sql", folder, name);
	if ((file = fopen(path, "r")) == NULL)
		fail(path);
	text->len = 0;
	do {
		bytes_room(text, 1 << 16);
		text->len += got = fread(text->data + text->len, 1, 1 << 16, file);
	} while (got > 0);
	text->data[text->len] = '\0';
	fclose(file);
}

/* Whether it is among the rows, which are in the order of their names, as the folder's are. */
static bool
is_applied(const PGresult *history, const char *name)
{
	static int at;

	while (at < PQntuples(history) && strcmp(PQgetvalue(history, at, 0), name) < 0)
		at++;
	return at < PQntuples(history) && strcmp(PQgetvalue(history, at, 0), name) == 0;
}

static void
apply(const char *name, const struct bytes *script, bool last, int number)
{
	struct bytes message = { 0 };
	char checksum[MIGRATION_CHECKSUM];

	migration_checksum(script->data, script->len, checksum);
	bytes_format(&message, "BEGIN; SET LOCAL synchronous_commit = %s; %s; INSERT INTO _prisma_migrations "
	    "(id, checksum, migration_name, finished_at, applied_steps_count) VALUES "
	    "('%08x-0000-4000-8000-000000000000', '%s', '%s', clock_timestamp(), 1); COMMIT",
	    last ? "on" : "off", script->data, number, checksum, name);
	run(name, message.data);
	bytes_free(&message);
}

static PGresult *
read_history(void)
{
	PGresult *history = PQexec(conn, "SELECT migration_name FROM _prisma_migrations ORDER BY migration_name COLLATE \"C\"");

	if (PQresultStatus(history) != PGRES_TUPLES_OK)
		run("the history", "SET synchronous_commit = off; CREATE TABLE _prisma_migrations (id VARCHAR(36) PRIMARY KEY NOT NULL, "
		    "checksum VARCHAR(64) NOT NULL, finished_at TIMESTAMPTZ, migration_name VARCHAR(255) NOT NULL, logs TEXT, "
		    "rolled_back_at TIMESTAMPTZ, started_at TIMESTAMPTZ NOT NULL DEFAULT now(), "
		    "applied_steps_count INTEGER NOT NULL DEFAULT 0)");
	return history;
}

int
main(int argc, char *argv[])
{
	struct bytes script = { 0 };
	struct dirent **entries;
	PGresult *history;
	int count, i;

	if (argc != 2 || (count = scandir(argv[1], &entries, is_migration, alphasort)) < 0)
		fail("usage: floor FOLDER");
	conn = PQconnectdb(getenv("DATABASE_URL"));
	if (PQstatus(conn) != CONNECTION_OK)
		fail("connect");
	history = read_history();
	for (i = 0; i < count; i++) {
		read_script(&script, argv[1], entries[i]->d_name);
		if (!is_applied(history, entries[i]->d_name))
			apply(entries[i]->d_name, &script, i + 1 == count, i);
		free(entries[i]);
	}
	free(entries);
	PQclear(history);
	PQfinish(conn);
	bytes_free(&script);
	return 0;
}
