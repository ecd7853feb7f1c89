#define _DEFAULT_SOURCE /* setgroups() is not part of X/Open */
#include "scratch/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "base/clock.h"
#include "base/signals.h"

enum { LAST_WORDS = 1200 }; /* bytes */

extern char **environ;

bool
child_user_find(struct child_user *user)
{
	const struct passwd *entry;

	*user = (struct child_user){ geteuid(), getegid(), false };
	if (user->uid != 0)
		return true;
	if ((entry = getpwnam("postgres")) == NULL)
		entry = getpwnam("nobody");
	if (entry == NULL || entry->pw_uid == 0)
		return false;
	*user = (struct child_user){ entry->pw_uid, entry->pw_gid, true };
	return true;
}

static bool
become(const struct child_user *user)
{
	return !user->other || (setgroups(1, &user->gid) == 0 && setgid(user->gid) == 0 && setuid(user->uid) == 0);
}

/* Ends with its parent, where the system has that. */
static void
die_with(pid_t parent, int death)
{
#ifdef __linux__
	(void)prctl(PR_SET_PDEATHSIG, death, 0, 0, 0);
#else
	(void)death;
#endif
	if (getppid() != parent)
		_exit(127);
}

int
child_do(const struct child_user *user, int (*work)(void *context), void *context)
{
	pid_t parent = getpid(), pid;
	int status;

	if (!user->other)
		return work(context);
	if ((pid = fork()) < 0)
		return errno;
	if (pid == 0) {
		bool is = become(user);

		die_with(parent, SIGKILL);
		_exit(is ? work(context) : EPERM);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

/* A caught signal is caught no more behind execve(), but an ignored one stays ignored. */
static void
signals_as_new(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGXFSZ, SIGCHLD };
	size_t i;

	for (i = 0; i < sizeof numbers / sizeof *numbers; i++)
		(void)signal(numbers[i], SIG_DFL);
}

/* Its messages are for people who read English, and its time zone is the one that it is given. */
static void
own_environment(void)
{
	static const char *const names[] = { "LANGUAGE", "LC_MESSAGES", "PGDATA", "PGOPTIONS", "PGPORT", "PGHOST", "PGUSER",
		"PGDATABASE", "PGTZ", "TZ" };
	size_t i;

	for (i = 0; i < sizeof names / sizeof *names; i++)
		(void)unsetenv(names[i]);
	(void)setenv("LC_ALL", "C", 1);
}

pid_t
child_start(const struct child_user *user, const char *const argv[], const char *log, int keep, bool apart, int death)
{
	pid_t parent = getpid(), pid = fork();
	int in, out;

	if (pid != 0)
		return pid;
	signals_as_new();
	if (apart)
		(void)setsid();
	if (!become(user))
		_exit(126);
	die_with(parent, death);
	if ((in = open("/dev/null", O_RDONLY)) < 0 ||
	    (out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600)) < 0)
		_exit(126);
	if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0)
		_exit(126);
	if (keep >= 0 && fcntl(keep, F_SETFD, 0) != 0)
		_exit(126);
	if (in > STDERR_FILENO)
		(void)close(in);
	if (out > STDERR_FILENO)
		(void)close(out);
	own_environment();
	if (chdir("/") == 0)
		execve(argv[0], (char *const *)argv, environ);
	_exit(127);
}

bool
child_wait(pid_t pid, long long limit_ms, int *status)
{
	long long until = limit_ms < 0 ? -1 : clock_now_ms() + limit_ms;

	for (;;) {
		pid_t got = waitpid(pid, status, WNOHANG);

		if (got == pid)
			return true;
		if (got < 0 && errno != EINTR) {
			*status = 0;
			return true;
		}
		if (signals_caught() != 0 || (until >= 0 && clock_now_ms() >= until))
			return false;
		(void)signals_wait(-1, 0, 3);
	}
}

void
child_last_words(struct bytes *out, const char *log)
{
	struct bytes text = { 0 };
	int fd = open_regular(AT_FDCWD, log, 0);
	size_t from;

	if (fd >= 0) {
		(void)bytes_read_fd(&text, fd);
		(void)close(fd);
	}
	while (text.len > 0 && text.data[text.len - 1] == '\n')
		text.data[--text.len] = '\0';
	from = text.len > LAST_WORDS ? text.len - LAST_WORDS : 0;
	while (from > 0 && from < text.len && text.data[from - 1] != '\n')
		from++;
	utf8_repair(out, bytes_text(&text) + from, text.len - from);
	bytes_free(&text);
}
