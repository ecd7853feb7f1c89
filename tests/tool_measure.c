/*
 * tool_measure: runs a pipeline and prints what it cost, for tests/bench/run.
 *
 *	tool_measure OUT ERR COMMAND [ARGUMENT]... [ '|' COMMAND [ARGUMENT]... ]...
 *
 * The first command reads /dev/null, the last one writes to the file OUT, and all complain to the file ERR.  Prints one
 * line: the microseconds from the first fork until all have ended, the processor time in microseconds of all and of
 * each (in user and kernel mode, with the children that each waited for), the greatest memory in KiB of each, and the
 * exit code of each; those of several commands with a comma between them.
 *
 * It is small so that it does not show in what it measures: the memory of a child counts from the fork on.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { COMMANDS_MAX = 16 };

struct command {
	char **argv;
	pid_t pid;
	int status;
	struct rusage use;
};

/* Not in POSIX, and in every system there is. */
pid_t wait4(pid_t pid, int *status, int options, struct rusage *use);

static struct command commands[COMMANDS_MAX];
static size_t count;

static void
fail(const char *what)
{
	fprintf(stderr, "tool_measure: %s: %s\n", what, strerror(errno));
	exit(69);
}

static int
open_file(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0666);

	if (fd < 0)
		fail(path);
	return fd;
}

static long long
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static long long
cpu_us(const struct rusage *use)
{
	return (long long)(use->ru_utime.tv_sec + use->ru_stime.tv_sec) * 1000000 + use->ru_utime.tv_usec +
	    use->ru_stime.tv_usec;
}

static void
start(struct command *c, int in, int out, int err)
{
	if ((c->pid = fork()) < 0)
		fail("fork");
	if (c->pid > 0)
		return;
	if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0)
		_exit(126);
	execvp(*c->argv, c->argv);
	_exit(127);
}

static void
start_all(int in, int out, int err)
{
	size_t i;

	for (i = 0; i < count; i++) {
		int ends[2] = { -1, out };

		if (i + 1 < count && pipe(ends) != 0)
			fail("pipe");
		if (ends[0] >= 0) {
			fcntl(ends[0], F_SETFD, FD_CLOEXEC);
			fcntl(ends[1], F_SETFD, FD_CLOEXEC);
		}
		start(&commands[i], in, ends[1], err);
		close(in);
		close(ends[1]);
		in = ends[0];
	}
}

static void
wait_for_all(void)
{
	size_t i;

	for (i = 0; i < count; i++) {
		struct command *c = &commands[i];

		while (wait4(c->pid, &c->status, 0, &c->use) < 0)
			if (errno != EINTR)
				fail("wait4");
	}
}

static int
exit_code(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void
print_all(long long wall)
{
	long long cpu = 0;
	size_t i;

	for (i = 0; i < count; i++)
		cpu += cpu_us(&commands[i].use);
	printf("%lld %lld", wall, cpu);
	for (i = 0; i < count; i++)
		printf("%c%lld", i == 0 ? ' ' : ',', cpu_us(&commands[i].use));
	for (i = 0; i < count; i++)
		printf("%c%ld", i == 0 ? ' ' : ',', commands[i].use.ru_maxrss);
	for (i = 0; i < count; i++)
		printf("%c%d", i == 0 ? ' ' : ',', exit_code(commands[i].status));
	putchar('\n');
}

int
main(int argc, char *argv[])
{
	long long began;
	int i, in, out, err;

	if (argc < 4) {
		fputs("usage: tool_measure OUT ERR COMMAND... ['|' COMMAND...]    (see the head of tests/tool_measure.c)\n", stderr);
		return 64;
	}
	commands[count++].argv = argv + 3;
	for (i = 4; i < argc; i++) {
		if (strcmp(argv[i], "|") != 0)
			continue;
		if (count == COMMANDS_MAX || i + 1 == argc)
			return 64;
		argv[i] = NULL;
		commands[count++].argv = argv + i + 1;
	}
	in = open_file("/dev/null", O_RDONLY);
	out = open_file(argv[1], O_WRONLY | O_CREAT | O_TRUNC);
	err = open_file(argv[2], O_WRONLY | O_CREAT | O_TRUNC);
	began = now_us();
	start_all(in, out, err);
	wait_for_all();
	print_all(now_us() - began);
	return 0;
}
