#include "chain.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "base/message.h"
#include "base/mig.h"
#include "secret/secret.h"

/* What the whole command line names is taken from the environment of each, also of those that do not use it. */
static int
run_part(const struct route *route, size_t i)
{
	const struct part *part = &route->parts[i];
	size_t p;

	for (p = 0; p < route->count; p++)
		secret_begin(route->parts[p].argc, route->parts[p].argv);
	return part->tool->main(part->argc, part->argv);
}

/* Whoever ends the program ends all of it. */
static void
end_with(pid_t parent)
{
#ifdef __linux__
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
#endif
	if (getppid() != parent)
		_exit(128 + SIGTERM);
}

static void
move_to(int from, int to)
{
	if (from == to)
		return;
	(void)dup2(from, to);
	(void)close(from);
}

/* Starts a part that writes to the next; *in is what it reads, then what the next one reads. */
static pid_t
start_part(const struct route *route, size_t i, int *in)
{
	pid_t parent = getpid(), pid;
	int ends[2];

	if (pipe(ends) != 0)
		return -1;
	if ((pid = fork()) == 0) {
		end_with(parent);
		(void)close(ends[0]);
		move_to(*in, STDIN_FILENO);
		move_to(ends[1], STDOUT_FILENO);
		exit(run_part(route, i));
	}
	(void)close(ends[1]);
	if (*in != STDIN_FILENO)
		(void)close(*in);
	*in = ends[0];
	return pid;
}

/* What became of one before the last, when that ended with `code`. */
static int
judge(const struct route *route, size_t i, int status, int code, bool stopped)
{
	int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	if (number != 0 && number != SIGPIPE && !(stopped && number == SIGTERM)) {
		message_line("mig: %s was ended by signal %d (%s)", route->parts[i].tool->name, number, strsignal(number));
		return code != 0 ? code : 128 + number;
	}
	if (code == 0 && number == 0 && WEXITSTATUS(status) != 0)
		return WEXITSTATUS(status);
	return code;
}

int
chain_run(const struct route *route)
{
	size_t last = route->count - 1, i;
	pid_t pids[PARTS] = { 0 };
	int in = STDIN_FILENO, code, status;

	for (i = 0; i < last; i++) {
		if ((pids[i] = start_part(route, i, &in)) >= 0)
			continue;
		code = message_error(MIG_BUSY, "cannot start %s: %s", route->parts[i].tool->name, strerror(errno));
		while (i-- > 0)
			(void)kill(pids[i], SIGTERM);
		return code;
	}
	move_to(in, STDIN_FILENO);
	code = run_part(route, last);

	/* a writer, or a tool that waits for a server, would do so for nothing */
	(void)close(STDIN_FILENO);
	for (i = 0; i < last && code != 0; i++)
		(void)kill(pids[i], SIGTERM);
	for (i = 0; i < last; i++)
		if (waitpid(pids[i], &status, 0) == pids[i])
			code = judge(route, i, status, code, code != 0);
	return code;
}
