/*
 * Guarded memory, reading, variables taken from the environment, scrubbing of copies, the prompt; in this order.
 *
 * A secret is copied byte by byte: see secret_room() in secret/secret.h.  (Programs are linked with -z now for the
 * same reason.)
 */
#include "secret/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <termios.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <sodium.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/message.h"
#include "base/mig.h"
#include "secret/mappings.h"

extern char **environ;

enum {
	LINE_SIZE = 16384,   /* no connection string is longer */
	SCRUB_SHORTEST = 4,  /* below this a scrub would hit anything */
	SCRUB_ANYWHERE = 12, /* from this length on a match is not a coincidence */
	FREED = 16           /* the number of bytes that glibc overwrites in a freed block */
};

/* --- guarded memory --- */

struct secret {
	char *text; /* guarded: len bytes, NUL, raw_len bytes, NUL */
	size_t len, raw_len;
};

char *
secret_room(size_t size)
{
	char *room = sodium_malloc(size);

	if (room == NULL)
		bytes_out_of_memory();
	return room;
}

/* To change how a page may be used the kernel may need memory. */
static void
allow_reading(struct secret *secret)
{
	if (sodium_mprotect_readonly(secret->text) != 0)
		bytes_out_of_memory();
}

static void
forbid_reading(char *room)
{
	if (sodium_mprotect_noaccess(room) != 0)
		bytes_out_of_memory();
}

/*
 * sodium_free() wipes pages without a look whether it was allowed to write to them.  Where the kernel has no memory to change
 * that, they stay unreadable until the program ends.
 */
static void
room_free(char *room)
{
	if (sodium_mprotect_readwrite(room) == 0)
		sodium_free(room);
}

struct secret *
secret_seal(char *room, size_t len, size_t raw_len)
{
	struct secret *secret = xcalloc(1, sizeof *secret);

	*secret = (struct secret){ room, len, raw_len };
	room[len] = '\0';
	forbid_reading(room);
	return secret;
}

static struct secret *
copy(const char *text, size_t len)
{
	char *room = secret_room(len + 1);
	size_t i;

	for (i = 0; i < len; i++)
		((volatile char *)room)[i] = text[i];
	return secret_seal(room, len, 0);
}

void
secret_free(struct secret *secret)
{
	if (secret == NULL)
		return;
	room_free(secret->text);
	free(secret);
}

size_t
secret_length(const struct secret *secret)
{
	return secret != NULL ? secret->len : 0;
}

void *
secret_use(struct secret *secret, void *(*use)(const char *text, void *context), void *context)
{
	void *result;

	if (secret == NULL)
		return use(NULL, context);
	allow_reading(secret);
	result = use(secret->text, context);
	forbid_reading(secret->text);
	return result;
}

/* --- reading --- */

/* Waits for something to read, or for the end.  Otherwise false, with errno set. */
static bool
is_readable(int fd, long long until)
{
	long long left = until - clock_now_ms();
	struct pollfd one = { .fd = fd, .events = POLLIN };
	int ready = left > 0 ? poll(&one, 1, (int)left) : 0;

	if (ready == 0)
		errno = ETIMEDOUT;
	return ready > 0;
}

struct secret *
secret_read(int fd, int how, long long until)
{
	char *text = secret_room(LINE_SIZE + 1), *end = NULL;
	bool object = (how & SECRET_WHOLE) != 0;
	size_t len = 0;
	ssize_t got = 1;

	while (got > 0 && len < LINE_SIZE && (end == NULL || (how & SECRET_TO_THE_END) != 0)) {
		got = until == 0 || is_readable(fd, until) ? read(fd, text + len, LINE_SIZE - len) : -1;
		object = object || (len == 0 && got > 0 && (how & SECRET_OBJECT) != 0 && *text == '{');
		if (got > 0 && end == NULL) {
			end = object ? NULL : memchr(text + len, '\n', (size_t)got);
			len = end != NULL ? (size_t)(end - text) : len + (size_t)got;
		}
	}
	if (got < 0 || len == LINE_SIZE) {
		int why = got < 0 ? errno : EFBIG;

		room_free(text);
		errno = why;
		return NULL;
	}
	while (len > 0 && (text[len - 1] == '\r' || (object && text[len - 1] == '\n')))
		len--;
	sodium_memzero(text + len, LINE_SIZE + 1 - len);
	return secret_seal(text, len, 0);
}

/* --- what was taken from the environment --- */

/* The environment is one for the whole process, and so is this. */
static struct taken {
	struct taken *next;
	char *name;
	struct secret *value;
} * vault;

static struct taken **
vault_find(const char *name)
{
	struct taken **link = &vault;

	while (*link != NULL && strcmp((*link)->name, name) != 0)
		link = &(*link)->next;
	return link;
}

/* All occurrences are overwritten; the first is the one that counts, as for getenv(). */
static void
take(const char *name)
{
	size_t name_len = strlen(name), i;

	for (i = 0; environ != NULL && environ[i] != NULL; i++) {
		char *value = environ[i] + name_len + 1;
		size_t len, end;

		if (strncmp(environ[i], name, name_len) != 0 || environ[i][name_len] != '=')
			continue;
		len = end = strlen(value);
		while (len > 0 && (value[len - 1] == '\n' || value[len - 1] == '\r'))
			len--;
		if (*vault_find(name) == NULL) {
			struct taken *new = xcalloc(1, sizeof *new);

			*new = (struct taken){ vault, xstrdup(name), copy(value, len) };
			vault = new;
		}
		sodium_memzero(value, end);
	}
	while (getenv(name) != NULL && unsetenv(name) == 0)
		continue;
}

struct secret *
secret_take(const char *name)
{
	struct secret *value = NULL;
	struct taken **link, *gone;

	take(name);
	link = vault_find(name);
	if ((gone = *link) != NULL) {
		*link = gone->next;
		value = gone->value;
		free(gone->name);
		free(gone);
	}
	return value;
}

bool
secret_is_taken(const char *name)
{
	take(name);
	return *vault_find(name) != NULL && secret_length((*vault_find(name))->value) > 0;
}

bool
secret_is_reserved(const char *name)
{
	return *vault_find(name) != NULL;
}

void
secret_drop_taken(void)
{
	while (vault != NULL)
		secret_free(secret_take(vault->name));
}

/* `env:NAME`, also at the end of -denv:NAME, --database=env:NAME, token=env:NAME and header='X-Key: env:NAME'. */
static void
take_named(const char *word)
{
	const char *at = word;

	for (; (at = strstr(at, "env:")) != NULL; at += 4)
		if (at[4] != '\0' && (at == word || at[-1] == '=' || at[-1] == ' ' || *word == '-'))
			take(at + 4);
}

static void
close_to_others(void)
{
	struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
#ifdef __linux__
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

void
secret_begin(int argc, char *const argv[])
{
	int i;

	if (sodium_init() < 0)
		MESSAGE_BUG("libsodium could not be initialized");
	close_to_others();
	take("DATABASE_URL");
	take("SHADOW_DATABASE_URL");
	take("PGPASSWORD");
	if (getenv("MIG_DATABASE") != NULL)
		take_named(getenv("MIG_DATABASE"));
	take("MIG_DATABASE"); /* it holds no password, if it is as it should be */
	for (i = 1; i < argc; i++)
		take_named(argv[i]);
}

/* --- scrubbing --- */

/* What people are shown, a NUL behind each: no scrub may destroy it. */
static struct bytes shown;

void
secret_spare(const char *text)
{
	if (text != NULL && *text != '\0')
		bytes_add(&shown, text, strlen(text) + 1);
}

struct needle {
	const char *text;
	size_t len;
	bool whole; /* only where it is a whole string: see is_whole() */
};

/* Compares without memcmp(), see above. */
static bool
is_same(const char *a, const char *b, size_t len)
{
	while (len > 0 && *a == *b) {
		a++;
		b++;
		len--;
	}
	return len == 0;
}

/* Whether it may be looked for at all, and if so how. */
static bool
needle_make(struct needle *needle, const char *text, size_t len)
{
	size_t at, field = 0;

	*needle = (struct needle){ text, len, len < SCRUB_ANYWHERE };
	if (len < SCRUB_SHORTEST)
		return false;
	for (at = 0; at + len < shown.len; at++) {
		if (is_same(shown.data + at, text, len)) {
			if (at == field && shown.data[at + len] == '\0')
				return false;
			needle->whole = true;
		}
		if (shown.data[at] == '\0')
			field = at + 1;
	}
	return true;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SCRUB_WORKS 0 /* their shadow is one mapping of terabytes */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define SCRUB_WORKS 0
#endif
#endif
#ifndef SCRUB_WORKS
#define SCRUB_WORKS 1
#endif

/*
 * As malloc() places a string, or as libpq sends a password in clear text ('p', the length in four
 * bytes, the password), which stays in its buffer until the next query.
 */
static bool
is_whole(const char *at, size_t len, const char *low, const char *high)
{
	if (at + len >= high || at[len] != '\0')
		return false;
	if ((uintptr_t)at % 16 == 0)
		return true;
	return at - low >= 5 && at[-5] == 'p' && at[-4] == '\0' && at[-3] == '\0' &&
	    ((size_t)(unsigned char)at[-2] << 8 | (unsigned char)at[-1]) == len + 5;
}

static void
wipe_range(char *low, char *high, const struct needle *needle)
{
	char *at = low;

	while ((size_t)(high - at) >= needle->len) {
		at = memchr(at, needle->text[0], (size_t)(high - at) - needle->len + 1);
		if (at == NULL)
			return;
		if (is_same(at, needle->text, needle->len) &&
		    (!needle->whole || is_whole(at, needle->len, low, high)))
			sodium_memzero(at, needle->len);
		at++;
	}
}

struct needles {
	struct needle list[4];
	size_t count;
};

static void
wipe_mapping(char *low, char *high, void *context)
{
	const struct needles *needles = context;
	size_t i;

	for (i = 0; i < needles->count; i++)
		wipe_range(low, high, &needles->list[i]);
}

void
secret_scrub(struct secret *secret)
{
	struct needles needles = { .count = 0 };
	const char *form;
	size_t len, i;

	if (secret == NULL)
		return;
	allow_reading(secret);
	for (i = 0; i < 2; i++) { /* each form itself, and what is left of it in a block that was freed */
		form = secret->text + (i == 0 ? 0 : secret->len + 1);
		len = i == 0 ? secret->len : secret->raw_len;
		needles.count += needle_make(&needles.list[needles.count], form, len);
		if (len > FREED)
			needles.count += needle_make(&needles.list[needles.count], form + FREED, len - FREED);
	}
	if (SCRUB_WORKS && needles.count > 0)
		mappings_writable(wipe_mapping, &needles);
	forbid_reading(secret->text);
}

void
secret_scrub_text(char *text)
{
	struct secret *secret;

	if (text == NULL || *text == '\0')
		return;
	secret = copy(text, strlen(text));
	sodium_memzero(text, strlen(text));
	secret_scrub(secret);
	secret_free(secret);
}

/* --- asking --- */

static volatile sig_atomic_t asked_signal;

static void
note_signal(int number)
{
	asked_signal = number;
}

static const int asked_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP };
enum { ASKED_SIGNALS = sizeof asked_signals / sizeof *asked_signals };

struct secret *
secret_ask(const char *prompt)
{
	struct sigaction note = { .sa_handler = note_signal }, before[ASKED_SIGNALS];
	struct termios old, quiet;
	struct secret *secret = NULL;
	int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	size_t i;

	if (terminal < 0 || tcgetattr(terminal, &old) != 0) {
		if (terminal >= 0)
			(void)close(terminal);
		return NULL;
	}
	asked_signal = 0;
	for (i = 0; i < ASKED_SIGNALS; i++)
		(void)sigaction(asked_signals[i], &note, &before[i]);
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	if (tcsetattr(terminal, TCSAFLUSH, &quiet) == 0 && write(terminal, prompt, strlen(prompt)) >= 0) {
		secret = secret_read(terminal, 0, 0);
		(void)!write(terminal, "\n", 1);
	}
	(void)tcsetattr(terminal, TCSAFLUSH, &old);
	for (i = 0; i < ASKED_SIGNALS; i++)
		(void)sigaction(asked_signals[i], &before[i], NULL);
	(void)close(terminal);
	if (secret_length(secret) == 0 || asked_signal != 0) {
		secret_free(secret);
		secret = NULL;
	}
	if (asked_signal != 0)
		(void)raise(asked_signal);
	return secret;
}
