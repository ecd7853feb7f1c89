#include "base/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static volatile sig_atomic_t caught;
static int wake[2] = { -1, -1 }; /* a byte here wakes a poll() that the signal came just before */
static const int ending[] = { SIGINT, SIGTERM, SIGHUP };
static const int ending_at_once[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };
static void (*before_end)(void);
static bool (*meanwhile)(void *context);
static void *meanwhile_context;

static void
note(int number)
{
	int saved = errno;

	if (caught == 0)
		caught = number;
	if (write(wake[1], "", 1) < 0) {
		/* full: then a byte to wake up by is there already */
	}
	errno = saved;
}

static void
handle(const int *numbers, size_t count, void (*handler)(int number))
{
	struct sigaction action = { .sa_handler = handler };
	struct sigaction old;
	size_t i;

	sigemptyset(&action.sa_mask);
	for (i = 0; i < count; i++)
		/* under nohup a hang-up is meant to be ignored */
		if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(numbers[i], &action, NULL);
}

void
signals_begin(void)
{
	struct sigaction action = { .sa_handler = SIG_IGN };
	size_t i;

	if (pipe(wake) == 0) {
		for (i = 0; i < 2; i++) {
			fcntl(wake[i], F_SETFL, O_NONBLOCK);
			fcntl(wake[i], F_SETFD, FD_CLOEXEC);
		}
	}
	handle(ending, sizeof ending / sizeof *ending, note);
	sigemptyset(&action.sa_mask);
	sigaction(SIGPIPE, &action, NULL);
	sigaction(SIGXFSZ, &action, NULL);
}

static void
end_now(int number)
{
	before_end();
	signal(number, SIG_DFL);
	raise(number);
}

void
signals_end_after(void (*last)(void))
{
	before_end = last;
	handle(ending_at_once, sizeof ending_at_once / sizeof *ending_at_once, end_now);
	signal(SIGXFSZ, SIG_IGN);
}

int
signals_caught(void)
{
	return caught;
}

void
signals_meanwhile(bool (*work)(void *context), void *context)
{
	meanwhile = work;
	meanwhile_context = context;
}

/* As poll(), but with a piece of work as often as it would wait. */
static int
poll_meanwhile(struct pollfd *polls, nfds_t count, int ms)
{
	while (meanwhile != NULL && ms != 0) {
		int found = poll(polls, count, 0);

		if (found != 0)
			return found;
		if (!meanwhile(meanwhile_context))
			meanwhile = NULL;
	}
	return poll(polls, count, ms);
}

int
signals_wait(int fd, int want, long long ms)
{
	struct pollfd polls[2] = { { .fd = fd }, { .fd = wake[0], .events = POLLIN } };
	bool listen = caught == 0; /* once caught, the byte stays: look at fd alone */
	int found;

	if (!listen && fd < 0)
		return 0;
	if (want & SIGNALS_READ)
		polls[0].events |= POLLIN;
	if (want & SIGNALS_WRITE)
		polls[0].events |= POLLOUT;
	found = poll_meanwhile(polls, listen ? 2 : 1, ms < 0 ? -1 : ms > INT_MAX ? INT_MAX : (int)ms);
	if (found <= 0 || polls[0].revents == 0)
		return 0;
	return ((polls[0].revents & ~POLLOUT) != 0 ? SIGNALS_READ : 0) |
	    ((polls[0].revents & ~POLLIN) != 0 ? SIGNALS_WRITE : 0);
}

void
signals_reraise(void)
{
	if (caught == 0)
		return;
	signal(caught, SIG_DFL);
	raise(caught);
}
