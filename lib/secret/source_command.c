/* What a command prints: cmd:COMMAND. */
#include "secret/source_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/signals.h"
#include "secret/secret.h"

extern char **environ;

enum { LIMIT_MS = 10000, LIMIT_AT_TERMINAL_MS = 60000, MOST_MS = 3600000 };

struct command {
	pid_t pid;
	int out;            /* what it prints */
	bool grouped;       /* it leads a process group, which is ended as one */
	long long limit_ms;
	long long until;
};

bool
source_has_shell(void)
{
	return access("/bin/sh", X_OK) == 0;
}

static bool
has_terminal(void)
{
	int terminal = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (terminal >= 0)
		(void)close(terminal);
	return terminal >= 0;
}

/* Returns 0 with *limit_ms set, or the exit code of what was reported. */
static int
find_limit(bool terminal, long long *limit_ms)
{
	const char *said = getenv("MIG_SOURCE_TIMEOUT");

	*limit_ms = terminal ? LIMIT_AT_TERMINAL_MS : LIMIT_MS;
	if (said == NULL || *said == '\0')
		return 0;
	if (clock_parse(said, limit_ms) && *limit_ms > 0 && *limit_ms <= MOST_MS)
		return 0;
	return message_error(MIG_CONFIG, "MIG_SOURCE_TIMEOUT is not a time from 1ms to 1h, like 10s or 2min");
}

/*
 * Starts it with nothing on its standard input: ours may carry records, which it must not eat.  Nothing is a pipe at
 * its end, since an empty container has no /dev/null.  A process that reads the terminal must be of the terminal's
 * foreground group, so only without one has it a group of its own.  Returns an errno.
 */
static int
start(struct command *c, const char *command)
{
	/* not copied: it may have a secret in it, and posix_spawn() changes nothing */
	char shell[] = "sh", from_text[] = "-c", *argv[] = { shell, from_text, (char *)command, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	int nothing[2], out[2], why;
	sigset_t usual;

	if (pipe(nothing) != 0 || pipe(out) != 0)
		return errno; /* there are no descriptors left, so nothing that follows would work */
	(void)close(nothing[1]);
	(void)fcntl(out[0], F_SETFD, FD_CLOEXEC);
	(void)posix_spawn_file_actions_init(&files);
	(void)posix_spawn_file_actions_adddup2(&files, nothing[0], STDIN_FILENO);
	(void)posix_spawn_file_actions_adddup2(&files, out[1], STDOUT_FILENO);
	if (nothing[0] > STDERR_FILENO)
		(void)posix_spawn_file_actions_addclose(&files, nothing[0]);
	if (out[1] > STDERR_FILENO)
		(void)posix_spawn_file_actions_addclose(&files, out[1]);
	(void)posix_spawnattr_init(&attributes);
	(void)sigemptyset(&usual);
	(void)sigaddset(&usual, SIGPIPE);
	(void)sigaddset(&usual, SIGXFSZ);
	(void)posix_spawnattr_setsigdefault(&attributes, &usual);
	(void)posix_spawnattr_setpgroup(&attributes, 0);
	(void)posix_spawnattr_setflags(&attributes, (short)(POSIX_SPAWN_SETSIGDEF | (c->grouped ? POSIX_SPAWN_SETPGROUP : 0)));
	why = posix_spawn(&c->pid, "/bin/sh", &files, &attributes, argv, environ);
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&files);
	(void)close(nothing[0]);
	(void)close(out[1]);
	c->out = out[0];
	if (why != 0)
		(void)close(out[0]);
	return why;
}

/*
 * Waits for its end.  Returns false if that does not come in time, or if a signal came.  Who ignores SIGCHLD gets no
 * status; then the line alone has to do.
 */
static bool
await_end(const struct command *c, int *status)
{
	long long pause = 1;
	pid_t ended;

	*status = 0;
	while ((ended = waitpid(c->pid, status, WNOHANG)) == 0 && clock_now_ms() < c->until && signals_caught() == 0) {
		clock_sleep_ms(pause);
		pause = pause < 50 ? pause * 2 : 50;
	}
	return ended != 0;
}

/* SIGKILL, since a shell that waits for its child puts other signals off. */
static void
end_it(const struct command *c)
{
	int status;

	(void)kill(c->grouped ? -c->pid : c->pid, SIGKILL);
	while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
		;
}

/* What jq -r prints of something that is not there. */
static void *
is_null(const char *text, void *yes)
{
	return text[0] == 'n' && text[1] == 'u' && text[2] == 'l' && text[3] == 'l' && text[4] == '\0' ? yes : NULL;
}

/* Returns what is wrong with what it printed and how it ended, or NULL. */
static char *
fault_of(struct secret *secret, int why, int status)
{
	if (WIFSIGNALED(status))
		return xformat("was ended by signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status) != 0)
		return xformat("failed with exit code %d", WEXITSTATUS(status));
	if (secret == NULL)
		return xformat("printed output that cannot be read: %s",
		    why == EFBIG ? "its first line is too long" : strerror(why));
	if (secret_length(secret) == 0)
		return xstrdup("printed nothing");
	return secret_use(secret, is_null, secret) != NULL ? xstrdup("printed null: the key does not exist") : NULL;
}

enum answer { TAKEN, FAULTY, EMPTY, LATE, STOPPED };

/* Takes its output and its end.  FAULTY, EMPTY and LATE: *fault, which the caller frees, is the predicate of a sentence about it. */
static enum answer
take(struct source_input *in, const struct command *c, char **fault)
{
	char span[CLOCK_SPAN];
	int why, status = 0;
	bool ended;

	in->secret = secret_read(c->out, SECRET_TO_THE_END | (in->string ? SECRET_OBJECT : 0), c->until);
	why = errno;
	(void)close(c->out);
	ended = (in->secret != NULL || (why != ETIMEDOUT && why != EINTR)) && await_end(c, &status);
	if (!ended)
		end_it(c);
	if (signals_caught() != 0 && !ended)
		return STOPPED;
	*fault = ended ? fault_of(in->secret, why, status)
	               : xformat("did not end within %s, and was ended", clock_age(c->limit_ms, span));
	if (*fault == NULL)
		return TAKEN;
	return !ended ? LATE : status == 0 && in->secret != NULL && secret_length(in->secret) == 0 ? EMPTY : FAULTY;
}

/* Begins it.  Returns 0, or an exit code with the error reported. */
static int
begin(struct command *c, const char *command, const char *what)
{
	bool terminal = has_terminal();
	int code, why;

	if (!source_has_shell())
		return message_error(MIG_CONFIG,
		    "no %s: the command after \"cmd:\" needs /bin/sh, which does not exist here; use file: or env:", what);
	if ((code = find_limit(terminal, &c->limit_ms)) != 0)
		return code;
	c->grouped = !terminal;
	c->until = clock_now_ms() + c->limit_ms;
	if ((why = start(c, command)) != 0)
		return message_error(MIG_BUSY, "cannot start the command after \"cmd:\": %s", strerror(why));
	return 0;
}

static void
drop(struct source_input *in)
{
	secret_free(in->secret);
	in->secret = NULL;
}

void
source_command(struct source_input *in, const char *command, const char *what)
{
	struct command c = { 0 };
	char *fault = NULL;
	enum answer answer;

	bytes_str(&in->label, "the output of the command after \"cmd:\"");
	if ((in->code = begin(&c, command, what)) != 0)
		return;
	if ((answer = take(in, &c, &fault)) == TAKEN)
		return;
	drop(in);
	in->code = answer == STOPPED ? 128 + signals_caught()
	                             : message_error(MIG_CONFIG, "no %s: the command after \"cmd:\" %s", what, fault);
	if (answer == EMPTY)
		message_line("  Variables that hold connection strings are not passed on to it.");
	else if (answer == LATE)
		message_line("  A command that needs longer gets it by MIG_SOURCE_TIMEOUT=2min in the environment.");
	free(fault);
}

bool
source_command_again(struct source_input *in, const char *command)
{
	struct command c = { 0 };
	char *fault = NULL;

	if (begin(&c, command, "new connection string") != 0)
		return false;
	if (take(in, &c, &fault) == TAKEN)
		return true;
	drop(in);
	if (fault != NULL)
		message_warning("the command after \"cmd:\", asked again for a new connection, %s; its last answer is used", fault);
	free(fault);
	return false;
}
