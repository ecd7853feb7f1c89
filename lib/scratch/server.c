#include "scratch/server.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __APPLE__
#include <xlocale.h>
#endif

#include "base/bytes.h"
#include "base/clock.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/signals.h"
#include "scratch/template.h"

enum { START_MS = 60000, STOP_MS = 30000 };

bool
server_find(struct server *server, int major, struct bytes *why)
{
	locale_t utf8 = newlocale(LC_ALL_MASK, "C.UTF-8", (locale_t)0);

	*server = (struct server){ .locale = utf8 != (locale_t)0 ? "C.UTF-8" : "C", .place = { .lock = -1, .server_lock = -1 } };
	if (utf8 != (locale_t)0)
		freelocale(utf8);
	if (!programs_find(&server->programs, major)) {
		bytes_str(why, "there are no server programs (initdb, postgres) on this machine");
		return false;
	}
	if (!child_user_find(&server->user)) {
		bytes_str(why, "PostgreSQL does not run as root, and neither the user postgres nor the user nobody exists");
		return false;
	}
	return true;
}

int
server_open(struct server *server)
{
	int code = place_open(&server->place, &server->user);

	if (code != 0)
		return code;
	server->data = xformat("%s/data", server->place.run);
	server->log = xformat("%s/log", server->place.run);
	return 0;
}

/* --- its files --- */

static int
fail(struct server *server, const char *what)
{
	struct bytes words = { 0 };
	int code;

	child_last_words(&words, server->log);
	code = message_error(MIG_CONFIG, "the scratch server %s", what);
	if (words.len > 0)
		message_quote("  ", words.data);
	bytes_free(&words);
	return code;
}

static int
make_cluster(struct server *server)
{
	char *program = xformat("%s/initdb", server->programs.folder), *locale = xformat("--locale=%s", server->locale);
	const char *const argv[] = { program, "-D", server->data, "-U", SERVER_ADMIN, "-A", "trust", "-E", "UTF8", locale, "--no-sync",
		"--wal-segsize=1", "--lc-messages=C", NULL };
	pid_t pid = child_start(&server->user, argv, server->log, server->place.server_lock, false, SIGTERM);
	int status = 0;

	free(program);
	free(locale);
	if (pid < 0)
		return message_error(MIG_BUSY, "cannot start initdb: %s", strerror(errno));
	if (!child_wait(pid, -1, &status)) {
		(void)kill(pid, SIGTERM);
		(void)waitpid(pid, &status, 0);
		return 128 + signals_caught();
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : fail(server, "could not be created: initdb failed");
}

/* The cached new cluster, or NULL: the one that was made now, and kept. */
static int
new_cluster(struct server *server)
{
	char *base = template_base(&server->place, server->programs.version, server->locale);
	int code = 0;

	if (template_copy(&server->place, base, server->data) != 0) {
		code = make_cluster(server);
		if (code == 0)
			template_keep_copy(&server->place, server->data, base);
	}
	free(base);
	return code;
}

/* --- the process --- */

/* postmaster.pid has its state in the eighth line. */
static bool
is_ready(const struct server *server)
{
	char *path = xformat("%s/postmaster.pid", server->data), line[256];
	FILE *file = fopen(path, "r");
	bool ready = false;
	int i;

	for (i = 0; file != NULL && i < 8 && fgets(line, sizeof line, file) != NULL; i++)
		ready = i == 7 && strncmp(line, "ready", 5) == 0;
	if (file != NULL)
		(void)fclose(file);
	free(path);
	return ready;
}

/* A list setting's element: its folder may have blanks and commas. */
static char *
socket_setting(const char *folder)
{
	struct bytes out = { 0 };

	bytes_str(&out, "unix_socket_directories=");
	bytes_sql_name(&out, folder);
	return out.data;
}

static pid_t
launch(struct server *server)
{
	static const char *const settings[] = { "listen_addresses=", "port=5432", "unix_socket_permissions=0700", "fsync=off",
		"synchronous_commit=off", "full_page_writes=off", "autovacuum=off", "wal_level=minimal", "wal_recycle=off", "max_wal_senders=0",
		"max_connections=20", "shared_buffers=32MB", "max_locks_per_transaction=1024", ("timezone=" SERVER_TIME_ZONE),
		"log_timezone=UTC", "lc_messages=C", "jit=off", "logging_collector=off", "log_min_messages=fatal",
		"log_min_error_statement=panic", "max_worker_processes=4" };
	enum { COUNT = sizeof settings / sizeof *settings };
	char *program = xformat("%s/postgres", server->programs.folder), *socket = socket_setting(server->place.run);
	const char *argv[3 + 2 * (COUNT + 1) + 1], **at = argv;
	pid_t pid;
	size_t i;

	*at++ = program;
	*at++ = "-D";
	*at++ = server->data;
	for (i = 0; i < COUNT; i++) {
		*at++ = "-c";
		*at++ = settings[i];
	}
	*at++ = "-c";
	*at++ = socket;
	*at = NULL;
	pid = child_start(&server->user, argv, server->log, server->place.server_lock, true, SIGQUIT);
	free(program);
	free(socket);
	return pid;
}

static int
run_process(struct server *server)
{
	long long until = clock_now_ms() + START_MS;
	int status;

	if ((server->pid = launch(server)) < 0) {
		server->pid = 0;
		return message_error(MIG_BUSY, "cannot start the scratch server: %s", strerror(errno));
	}
	while (!is_ready(server)) {
		if (waitpid(server->pid, &status, WNOHANG) == server->pid) {
			server->pid = 0;
			return -ENOENT;
		}
		if (signals_caught() != 0)
			return 128 + signals_caught();
		if (clock_now_ms() > until)
			return fail(server, "did not become ready");
		(void)signals_wait(-1, 0, 3);
	}
	return 0;
}

int
server_start(struct server *server, const char *from)
{
	int code;

	if (from != NULL && template_copy(&server->place, from, server->data) != 0)
		return -ENOENT;
	if (from == NULL && (code = new_cluster(server)) != 0)
		return code;
	code = run_process(server);
	if (code != -ENOENT)
		return code;
	/* a copy that a machine which went down left half written */
	template_remove(&server->place, server->data);
	if (from != NULL) {
		template_remove(&server->place, from);
		return -ENOENT;
	}
	code = make_cluster(server);
	if (code == 0)
		code = run_process(server);
	return code == -ENOENT ? fail(server, "did not start") : code;
}

int
server_resume(struct server *server)
{
	int code = run_process(server);

	return code == -ENOENT ? fail(server, "does not start again") : code;
}

bool
server_stop(struct server *server, bool clean)
{
	long long until = clock_now_ms() + STOP_MS;
	int status = 0;
	bool ended = false;

	if (server->pid == 0)
		return true;
	(void)kill(server->pid, clean ? SIGINT : SIGQUIT);
	while (!ended && clock_now_ms() < until) {
		ended = waitpid(server->pid, &status, WNOHANG) == server->pid;
		if (!ended)
			clock_sleep_ms(2);
	}
	if (!ended) {
		(void)kill(server->pid, SIGKILL);
		(void)waitpid(server->pid, &status, 0);
	}
	server->pid = 0;
	return ended && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void
server_close(struct server *server)
{
	if (server->pid != 0 && server_stop(server, false))
		template_spare(&server->place, server->data);
	place_close(&server->place);
	programs_free(&server->programs);
	free(server->data);
	free(server->log);
	*server = (struct server){ .place = { .lock = -1, .server_lock = -1 } };
}
