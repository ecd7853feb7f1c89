/*
 * tool_proxy [OPTION]... HOST:PORT | SOCKET: a network between a client and PostgreSQL that is slow, or breaks
 * at a moment that a test can name.
 *
 * Listens on 127.0.0.1 at a free port, prints the port, and prints nothing else.  Many connections at a time.
 *
 *	--delay MS              each way; what is on its way does not hold up what follows
 *	--cut-on TEXT           when the client sends a message that contains TEXT, both sides are cut off
 *	--hang-on TEXT          likewise, but nothing is closed: from then on nothing passes, either way
 *	--nth N                 not the first message with TEXT, but the Nth
 *	--forward               the message itself still gets through, and what belongs to it up to its Sync
 *	--cut-after-messages N  that many messages pass, both ways counted together; 0: not even the first
 *	--refuse                after the first cut or hang nobody can connect any more
 *	--always                every connection is cut; else the first one that gives cause, and no other
 *
 * Ends on SIGTERM, or when the process that started it is gone; exits with 0 if it did what was asked of it, and
 * with 1 if no connection gave cause.
 *
 * A connection is two flows.  A flow is a queue of bytes, each with the time at which it is due, and of events
 * (the cut, the end) that happen when all before them has been written.  Where messages matter they are put
 * together first; else bytes pass as they come.  TLS is not looked into: use sslmode=disable.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"

enum { CHUNK = 65536,
	QUEUE_MAX = 64 << 20 };
enum { UNLIMITED = -1 };

/* What was asked for. */
static struct {
	const char *target;
	long long delay_us;
	const char *text; /* of --cut-on or --hang-on */
	long long nth;
	bool hang, forward, refuse, always;
	long long messages; /* UNLIMITED: not asked for */
} want = { .nth = 1, .messages = UNLIMITED };

static int listener = -1;
static bool fired;
static long long seen; /* messages with the text */
static volatile sig_atomic_t exit_code;

/* --- queues --- */

enum event { DATA,
	END,
	CUT,
	HANG };

struct chunk {
	struct chunk *next;
	enum event event;
	long long due_us;
	size_t len, at; /* at: what of it is written */
	char data[];
};

struct flow {
	int from, to;
	bool to_server;
	struct chunk *first, **last;
	size_t queued;
	bool ended;        /* from is at its end, or nothing of it is wanted any more */
	bool closed;       /* to has been told so */
	struct bytes part; /* of a message that is not whole yet */
	bool raw;          /* not to be understood any more */
};

struct link {
	int client, server;
	struct flow up, down;
	bool started; /* the startup message has passed: every message has a type now */
	int bare;     /* answers of one byte that the server owes */
	bool at_sync; /* the text was seen: act after the next Sync */
	bool hung, dead;
	bool drain;                /* cut: only waits for the server to close */
	long long messages;        /* that have passed */
};

static struct link **links;
static size_t link_count, link_cap;

static long long
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void
push(struct flow *f, enum event event, const char *data, size_t len)
{
	struct chunk *c = xmalloc(sizeof *c + len);

	*c = (struct chunk){ .event = event, .due_us = now_us() + want.delay_us, .len = len };
	if (len > 0)
		memcpy(c->data, data, len);
	*f->last = c;
	f->last = &c->next;
	f->queued += len;
}

static void
pop(struct flow *f)
{
	struct chunk *c = f->first;

	f->queued -= c->len;
	if ((f->first = c->next) == NULL)
		f->last = &f->first;
	free(c);
}

static void
flow_begin(struct flow *f, int from, int to, bool to_server)
{
	*f = (struct flow){ .from = from, .to = to, .to_server = to_server };
	f->last = &f->first;
	f->raw = want.text == NULL && want.messages == UNLIMITED;
}

static void
flow_empty(struct flow *f)
{
	while (f->first != NULL)
		pop(f);
	bytes_free(&f->part);
}

/* --- what has happened --- */

static void
happened(void)
{
	fired = true;
	exit_code = 0;
	if (want.refuse && listener >= 0) {
		close(listener);
		listener = -1;
	}
}

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/*
 * The client finds its connection closed at once.  The server does as well, but is read from until it closes: what it
 * was sent it gets, where a plain close with unread answers would make it lose some.
 */
static void
cut(struct link *l)
{
	happened();
	flow_empty(&l->up);
	flow_empty(&l->down);
	close_fd(&l->client);
	l->drain = true;
	if (shutdown(l->server, SHUT_WR) != 0)
		l->dead = true;
}

static void
hang(struct link *l)
{
	happened();
	l->hung = true;
}

/* --- messages --- */

/* PostgreSQL's lengths count themselves, and not the type before them. */
static size_t
length_at(const char *data)
{
	const unsigned char *u = (const unsigned char *)data;

	return (size_t)u[0] << 24 | (size_t)u[1] << 16 | (size_t)u[2] << 8 | u[3];
}

static bool
contains(const char *data, size_t len, const char *text)
{
	size_t n = strlen(text);
	const char *at = data, *end = data + len;

	while ((size_t)(end - at) >= n && (at = memchr(at, *text, (size_t)(end - at) - n + 1)) != NULL) {
		if (memcmp(at, text, n) == 0)
			return true;
		at++;
	}
	return n == 0;
}

/* The length of the message that data begins with; 0: it is not whole yet, or the flow is raw from now on. */
static size_t
message_length(struct link *l, struct flow *f, const char *data, size_t have)
{
	size_t type = f->to_server && !l->started ? 0 : 1, len;

	if (!f->to_server && l->bare > 0 && have > 0) {
		l->bare--;
		if (*data == 'S' || *data == 'G')
			l->up.raw = f->raw = true;
		return f->raw ? 0 : 1;
	}
	if (f->raw || have < type + 4)
		return 0;
	len = length_at(data + type);
	if (len < 4 || len > 0x40000000)
		f->raw = true;
	return f->raw || have < type + len ? 0 : type + len;
}

/* The messages that come before any session: a request for TLS or GSSAPI, a cancel, or the start itself. */
static void
look_at_start(struct link *l, const char *data, size_t len)
{
	unsigned long code = len >= 8 ? length_at(data + 4) : 0;

	if (code == 80877103 || code == 80877104)
		l->bare++;
	else
		l->started = true;
}

/* Queues one message, and the cut where it is its turn; false: what follows does not get through. */
static bool
pass_message(struct link *l, struct flow *f, const char *data, size_t len)
{
	enum event event = want.hang ? HANG : CUT;
	bool armed = !fired || want.always, starting = f->to_server && !l->started, act = false;

	if (armed && want.messages != UNLIMITED && l->messages >= want.messages) {
		push(f, event, NULL, 0);
		return false;
	}
	l->messages++;
	if (starting)
		look_at_start(l, data, len);
	if (f->to_server && armed && want.text != NULL) {
		act = l->at_sync ? *data == 'S' : contains(data, len, want.text) && ++seen == want.nth;
		if (act && want.forward && !l->at_sync && !starting && *data != 'Q') {
			l->at_sync = true;
			act = false;
		}
	}
	if (!act || want.forward)
		push(f, DATA, data, len);
	if (act)
		push(f, event, NULL, 0);
	return !act;
}

static void
pass_messages(struct link *l, struct flow *f)
{
	struct bytes *part = &f->part;
	size_t at = 0, len;

	while (!f->ended && (len = message_length(l, f, part->data + at, part->len - at)) > 0) {
		f->ended = !pass_message(l, f, part->data + at, len);
		at += len;
	}
	if (f->raw && !f->ended && at < part->len) {
		push(f, DATA, part->data + at, part->len - at);
		at = part->len;
	}
	part->len -= at;
	if (at > 0)
		memmove(part->data, part->data + at, part->len);
}

/* --- reading and writing --- */

static void
take(struct link *l, struct flow *f, const char *data, size_t len)
{
	if (f->raw) {
		push(f, DATA, data, len);
	} else {
		bytes_add(&f->part, data, len);
		pass_messages(l, f);
	}
}

static void
read_from(struct link *l, struct flow *f)
{
	static char data[CHUNK];
	ssize_t got = read(f->from, data, sizeof data);

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (l->drain) {
		l->dead |= got <= 0;
		return;
	}
	if (got > 0) {
		take(l, f, data, (size_t)got);
		return;
	}
	if (f->part.len > 0)
		push(f, DATA, f->part.data, f->part.len);
	push(f, END, NULL, 0);
	f->ended = true;
}

static void
write_to(struct link *l, struct flow *f)
{
	while (f->first != NULL && f->first->due_us <= now_us()) {
		struct chunk *c = f->first;
		ssize_t put;

		switch (c->event) {
		case CUT:
			cut(l);
			return;
		case HANG:
			hang(l);
			return;
		case END:
			shutdown(f->to, SHUT_WR);
			f->closed = true;
			pop(f);
			break;
		case DATA:
			put = write(f->to, c->data + c->at, c->len - c->at);
			if (put < 0 && (errno == EAGAIN || errno == EINTR))
				return;
			if (put < 0) {
				l->dead = true;
				return;
			}
			if ((c->at += (size_t)put) == c->len)
				pop(f);
			break;
		}
	}
}

/* --- connections --- */

static int
connect_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (strlen(path) >= sizeof address.sun_path) {
		close(fd);
		return -1;
	}
	strcpy(address.sun_path, path);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	close(fd);
	return -1;
}

static int
connect_host(const char *target)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL, *a;
	const char *colon = strrchr(target, ':');
	char *host = xstrndup(target, (size_t)(colon - target));
	int fd = -1;

	if (getaddrinfo(host, colon + 1, &hints, &found) == 0) {
		for (a = found; a != NULL && fd < 0; a = a->ai_next) {
			fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
			if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) != 0)
				close_fd(&fd);
		}
		freeaddrinfo(found);
	}
	free(host);
	return fd;
}

/* Small messages go at once. */
static void
make_ready(int fd)
{
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	fcntl(fd, F_SETFL, O_NONBLOCK);
}

static void
accept_client(void)
{
	int client = accept(listener, NULL, NULL), server;
	struct link *l;

	if (client < 0)
		return;
	server = *want.target == '/' ? connect_socket(want.target) : connect_host(want.target);
	if (server < 0) {
		close(client);
		return;
	}
	make_ready(client);
	make_ready(server);
	l = xcalloc(1, sizeof *l);
	l->client = client;
	l->server = server;
	flow_begin(&l->up, client, server, true);
	flow_begin(&l->down, server, client, false);
	if (link_count == link_cap)
		links = xrealloc(links, (link_cap = link_cap * 2 + 8) * sizeof *links);
	links[link_count++] = l;
}

static bool
is_over(const struct link *l)
{
	return l->dead || (!l->hung && !l->drain && l->up.closed && l->down.closed);
}

static void
forget_those_over(void)
{
	size_t i, kept = 0;

	for (i = 0; i < link_count; i++) {
		struct link *l = links[i];

		if (!is_over(l)) {
			links[kept++] = l;
			continue;
		}
		flow_empty(&l->up);
		flow_empty(&l->down);
		close_fd(&l->client);
		close_fd(&l->server);
		free(l);
	}
	link_count = kept;
}

/* --- the loop --- */

static bool
is_due(const struct flow *f, long long now, long long *next)
{
	if (f->first == NULL)
		return false;
	if (f->first->due_us > now && f->first->due_us < *next)
		*next = f->first->due_us;
	return f->first->due_us <= now;
}

static short
events_of(const struct flow *reads, const struct flow *writes, long long now, long long *next)
{
	short events = 0;

	if (!reads->ended && reads->queued < QUEUE_MAX)
		events |= POLLIN;
	if (is_due(writes, now, next))
		events |= POLLOUT;
	return events;
}

/* What poll() is to look at: the listener, and two places for each connection.  A place of -1 is passed over. */
static struct pollfd *
places(long long now, long long *next)
{
	static struct pollfd *polls;
	size_t i;

	polls = xrealloc(polls, (1 + 2 * link_count) * sizeof *polls);
	polls[0] = (struct pollfd){ .fd = listener, .events = POLLIN };
	for (i = 0; i < link_count; i++) {
		struct link *l = links[i];
		struct pollfd *client = &polls[1 + 2 * i], *server = &polls[2 + 2 * i];

		*client = (struct pollfd){ .fd = -1 };
		*server = (struct pollfd){ .fd = -1 };
		if (l->hung)
			continue;
		*server = (struct pollfd){ .fd = l->server, .events = POLLIN };
		if (l->drain)
			continue;
		server->events = events_of(&l->down, &l->up, now, next);
		*client = (struct pollfd){ .fd = l->client, .events = events_of(&l->up, &l->down, now, next) };
		/* with nothing to read or write poll() would still report a closed peer, again and again */
		if (server->events == 0)
			server->fd = -1;
		if (client->events == 0)
			client->fd = -1;
	}
	return polls;
}

static void
look_at(struct link *l, const struct pollfd *client, const struct pollfd *server)
{
	if ((server->revents & (POLLIN | POLLHUP | POLLERR)) && (server->events & POLLIN))
		read_from(l, &l->down);
	if ((client->revents & (POLLIN | POLLHUP | POLLERR)) && (client->events & POLLIN))
		read_from(l, &l->up);
	if (!l->drain && !l->hung && !l->dead)
		write_to(l, &l->up);
	if (!l->drain && !l->hung && !l->dead)
		write_to(l, &l->down);
}

/* poll() counts in milliseconds: the rest of one is slept away. */
static int
poll_until(struct pollfd *polls, size_t count, long long next)
{
	long long left = next - now_us();

	if (left > 0 && left < 1000) {
		nanosleep(&(struct timespec){ .tv_nsec = (long)left * 1000 }, NULL);
		left = 0;
	}
	return poll(polls, (nfds_t)count, left <= 0 ? 0 : (int)(left / 1000));
}

static void
serve(void)
{
	pid_t parent = getppid();

	while (getppid() == parent) {
		long long now = now_us(), next = now + 1000000;
		size_t count = link_count, i;
		struct pollfd *polls = places(now, &next);

		if (poll_until(polls, 1 + 2 * count, next) < 0 && errno != EINTR)
			return;
		for (i = 0; i < count; i++)
			look_at(links[i], &polls[1 + 2 * i], &polls[2 + 2 * i]);
		forget_those_over();
		if (listener >= 0 && (polls[0].revents & POLLIN))
			accept_client();
	}
}

static int
listen_on_loopback(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof address;

	listener = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&address, len) != 0 || listen(listener, 128) != 0 ||
	    getsockname(listener, (struct sockaddr *)&address, &len) != 0)
		return -1;
	fcntl(listener, F_SETFL, O_NONBLOCK);
	return ntohs(address.sin_port);
}

static void
end(int number)
{
	(void)number;
	_exit(exit_code);
}

static long long
number(const char *text)
{
	char *rest;
	long long n = text != NULL ? strtoll(text, &rest, 10) : -1;

	if (n < 0 || *rest != '\0') {
		fprintf(stderr, "tool_proxy: not a number: %s\n", text != NULL ? text : "(none)");
		exit(64);
	}
	return n;
}

static bool
read_command_line(char *argv[])
{
	for (; *argv != NULL; argv++) {
		const char *o = *argv;

		if (*o != '-')
			want.target = o;
		else if (strcmp(o, "--forward") == 0)
			want.forward = true;
		else if (strcmp(o, "--refuse") == 0)
			want.refuse = true;
		else if (strcmp(o, "--always") == 0)
			want.always = true;
		else if (*++argv == NULL)
			return false;
		else if (strcmp(o, "--delay") == 0)
			want.delay_us = number(*argv) * 1000;
		else if (strcmp(o, "--cut-on") == 0)
			want.text = *argv;
		else if (strcmp(o, "--hang-on") == 0)
			want.text = *argv, want.hang = true;
		else if (strcmp(o, "--nth") == 0)
			want.nth = number(*argv);
		else if (strcmp(o, "--cut-after-messages") == 0)
			want.messages = number(*argv);
		else
			return false;
	}
	return want.target != NULL && (*want.target == '/' || strchr(want.target, ':') != NULL);
}

int
main(int argc, char *argv[])
{
	int port;

	(void)argc;
	if (!read_command_line(argv + 1)) {
		fputs("usage: tool_proxy [OPTION]... HOST:PORT | SOCKET    (see the head of tests/tool_proxy.c)\n", stderr);
		return 64;
	}
	if ((port = listen_on_loopback()) < 0) {
		perror("tool_proxy: cannot listen");
		return 69;
	}
	exit_code = want.text != NULL || want.messages != UNLIMITED;
	sigaction(SIGTERM, &(struct sigaction){ .sa_handler = end }, NULL);
	sigaction(SIGPIPE, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL);
	printf("%d\n", port);
	fclose(stdout);
	serve();
	return exit_code;
}
