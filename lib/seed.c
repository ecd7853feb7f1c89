#include "seed.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "face.h"
#include "message.h"
#include "mig.h"
#include "patience.h"
#include "signals.h"
#include "sql.h"

static int
refuse_statement(const struct seed_file *file, const struct sql_statement *statement, const char *why)
{
	struct sql_place place = sql_place(file->text.data, file->text.len, statement->start);
	char words[48];

	sql_words(file->text.data, statement, words, sizeof words);
	(void)message_error(MIG_DATA, "%s:%lu:%lu: %s %s", file->path, place.line, place.column, words, why);
	message_line("  Nothing was seeded.");
	return MIG_DATA;
}

/* All files are one transaction, so none may end it. */
static int
check_statements(const struct seed_file *file)
{
	struct sql_script script = sql_split(file->text.data, file->text.len);
	int code = 0;
	size_t i;

	for (i = 0; code == 0 && i < script.count; i++) {
		const struct sql_statement *s = &script.statements[i];

		if (s->kind == SQL_BEGIN || s->kind == SQL_COMMIT || s->kind == SQL_ROLLBACK)
			code = refuse_statement(file, s, "has no place here: all files run in one transaction");
		else if (s->kind == SQL_ALONE)
			code = refuse_statement(file, s, "cannot run in a transaction: make it a migration");
		else if (s->kind == SQL_COPY_CLIENT)
			code = refuse_statement(file, s, "wants rows from the client: write them as INSERT");
	}
	sql_script_free(&script);
	return code;
}

static int
cannot_read(const char *path, int error)
{
	return message_error(error == EACCES ? MIG_DENIED : MIG_DATA, "cannot read %s: %s", path, strerror(error));
}

int
seed_read(struct seed_file *file, const char *path)
{
	int fd = STDIN_FILENO, error;
	struct stat what;
	size_t bad;

	*file = (struct seed_file){ .path = path };
	if (strcmp(path, "-") == 0)
		file->path = "standard input";
	else if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return cannot_read(path, errno);
	if (fstat(fd, &what) == 0 && S_ISDIR(what.st_mode))
		error = EISDIR;
	else
		error = bytes_read_fd(&file->text, fd);
	if (fd != STDIN_FILENO)
		close(fd);
	if (error != 0)
		return cannot_read(file->path, error);
	bad = utf8_check(file->text.data, file->text.len);
	if (bad != file->text.len || memchr(file->text.data, '\0', file->text.len) != NULL)
		return message_error(MIG_DATA, "%s is no text in UTF-8", file->path);
	return check_statements(file);
}

/* The error of one file, with its place. */
static int
say_error(const struct db *db, const struct seed_file *file, size_t done)
{
	const struct db_error *e = db_error(db);
	struct sql_script script = sql_split(file->text.data, file->text.len);
	struct sql_place place = { 0 };
	struct bytes caret = { 0 };
	int code = db_exit_code(e);

	if (e->position > 0)
		place = sql_place(file->text.data, file->text.len,
		    utf8_offset(file->text.data, file->text.len, e->position - 1));
	else if (done < script.count)
		place = sql_place(file->text.data, file->text.len, script.statements[done].start);
	if (place.line > 0) {
		(void)message_error(code, "%s:%lu:%lu: %s [%s]", file->path, place.line, place.column, e->message,
		    e->sqlstate);
		face_caret(&caret, file->text.data, place.line, place.column);
		caret.data[--caret.len] = '\0';
		message_line("%s", caret.data);
	} else {
		(void)message_error(code, "%s: %s [%s]", file->path, e->message, e->sqlstate);
	}
	if (e->detail != NULL)
		message_line("  detail: %s", e->detail);
	if (e->hint != NULL)
		message_line("  hint: %s", e->hint);
	if (strcmp(e->sqlstate, "42P01") == 0)
		message_line("  Migrations come first:  mig-scan | mig-plan | mig-apply");
	message_line("  Nothing was seeded: all was rolled back.");
	bytes_free(&caret);
	sql_script_free(&script);
	return code;
}

struct running {
	const struct seed_file *file;
};

static void
on_notice(void *context, const struct db_message *message)
{
	const struct running *running = context;

	if (running->file != NULL)
		message_info("%s: %s: %s", running->file->path, message->severity,
		    message->text);
}

/* One attempt at all files.  *at and *done tell where it ended. */
static enum db_outcome
attempt(struct db *db, struct seed_file *files, size_t count, long long lock_timeout_ms, size_t *at,
    size_t *done)
{
	struct running running = { NULL };
	struct db_hooks hooks = { NULL, on_notice, &running };
	struct bytes begin = { 0 };
	enum db_outcome outcome;

	*at = count;
	bytes_format(&begin, "BEGIN; SET LOCAL lock_timeout = %lld", lock_timeout_ms);
	outcome = db_run(db, begin.data, NULL);
	bytes_free(&begin);
	db_hooks(db, &hooks);
	for (*at = 0; outcome == DB_OK && *at < count; ++*at) {
		long long began = clock_now_ms();

		running.file = &files[*at];
		outcome = db_run(db, files[*at].text.data, done);
		files[*at].took_ms = clock_now_ms() - began;
		if (outcome != DB_OK)
			break;
	}
	db_hooks(db, NULL);
	return outcome == DB_OK ? db_run(db, "COMMIT", NULL) : outcome;
}

static int
say_stopped(void)
{
	return message_error(128 + signals_caught(), "stopped by a signal. Nothing was seeded: all was rolled back.");
}

int
seed_run(struct db *db, struct seed_file *files, size_t count, long long max_stall_ms, long long wait_ms)
{
	long long deadline = clock_now_ms() + wait_ms, pause;
	unsigned tries = 0;
	size_t at, done;

	for (;;) {
		enum db_outcome outcome =
		    attempt(db, files, count, patience_lock_timeout(++tries, max_stall_ms), &at, &done);

		if (outcome == DB_OK)
			return 0;
		if (outcome != DB_LOST)
			db_rollback(db);
		if (outcome == DB_STOPPED)
			return say_stopped();
		if (outcome != DB_ERROR || at == count)
			return db_say(db, outcome, "seed");
		pause = patience_pause(tries, randombytes_random());
		if (!db_is_busy(db_error(db)) || clock_now_ms() + pause > deadline)
			return say_error(db, &files[at], done);
		message_verbose("%s: %s; trying again", files[at].path, db_error(db)->message);
		clock_sleep_ms(pause);
		if (signals_caught() != 0)
			return say_stopped();
	}
}
