/*
 * From top to bottom: guarded memory, what was taken from the environment, the scrubbing of copies,
 * the sources, and the pages that say what is missing.
 *
 * A secret is only ever in memory from guarded(), and moves there byte by byte: memcpy() would
 * leave it in vector registers, which the next signal or lazily bound call puts on the stack.
 * (Programs are linked with -z now for the same reason.)
 */
#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <sodium.h>

#include "bytes.h"
#include "message.h"
#include "mig.h"

extern char **environ;

enum {
	LINE_SIZE = 16384,      /* no connection string is longer */
	SCRUB_SHORTEST = 4,     /* below this a scrub would hit anything */
	SCRUB_ANYWHERE = 12,    /* from this length on a match is no accident */
	FREED = 16,             /* so many bytes of a freed block does glibc overwrite */
	OTHERS_SHOWN = 3        /* variables that may be meant */
};

/* --- guarded memory --- */

struct secret {
	char *text;     /* guarded, a NUL behind it */
	size_t len;
	char *raw;      /* guarded: as it stood in the URL, where that is different; else NULL */
	size_t raw_len;
	int users;      /* how many have it open */
};

static void *
guarded(size_t size)
{
	void *memory = sodium_malloc(size);

	if (memory == NULL) {
		(void)message_error(MIG_BUSY, "out of memory");
		exit(MIG_BUSY);
	}
	return memory;
}

static void
move(char *to, const char *from, size_t len)
{
	volatile char *out = to;

	while (len-- > 0)
		*out++ = *from++;
}

static char *
guarded_copy(const char *text, size_t len)
{
	char *copy = guarded(len + 1);

	move(copy, text, len);
	copy[len] = '\0';
	return copy;
}

/* Takes over text, which is guarded, and raw, which may be NULL. */
static struct secret *
secret_new(char *text, size_t len, char *raw, size_t raw_len)
{
	struct secret *secret = xcalloc(1, sizeof *secret);

	*secret = (struct secret){ .text = text, .len = len, .raw = raw, .raw_len = raw_len };
	sodium_mprotect_noaccess(text);
	if (raw != NULL)
		sodium_mprotect_noaccess(raw);
	return secret;
}

static void
secret_show(struct secret *secret)
{
	if (secret->users++ > 0)
		return;
	sodium_mprotect_readonly(secret->text);
	if (secret->raw != NULL)
		sodium_mprotect_readonly(secret->raw);
}

static void
secret_hide(struct secret *secret)
{
	if (--secret->users > 0)
		return;
	sodium_mprotect_noaccess(secret->text);
	if (secret->raw != NULL)
		sodium_mprotect_noaccess(secret->raw);
}

void *
secret_use(struct secret *secret, void *(*use)(const char *text, void *context), void *context)
{
	void *result;

	if (secret == NULL)
		return use(NULL, context);
	secret_show(secret);
	result = use(secret->text, context);
	secret_hide(secret);
	return result;
}

void
secret_free(struct secret *secret)
{
	if (secret == NULL)
		return;
	sodium_free(secret->text);
	sodium_free(secret->raw);
	free(secret);
}

/* --- what was taken from the environment --- */

/* The environment is one for the whole process, and so is this. */
static struct taken {
	struct taken *next;
	char *name;
	char *value;    /* guarded, no access */
	size_t len;
} *vault;

static struct taken **
vault_find(const char *name)
{
	struct taken **link = &vault;

	while (*link != NULL && strcmp((*link)->name, name) != 0)
		link = &(*link)->next;
	return link;
}

static void
vault_drop(const char *name)
{
	struct taken **link = vault_find(name), *gone = *link;

	if (gone == NULL)
		return;
	*link = gone->next;
	sodium_free(gone->value);
	free(gone->name);
	free(gone);
}

/* All occurrences are overwritten; the first is the one that counts, as for getenv(). */
static void
take(const char *name)
{
	size_t name_len = strlen(name), i;

	for (i = 0; environ != NULL && environ[i] != NULL; i++) {
		char *value = environ[i] + name_len + 1;
		size_t len;

		if (strncmp(environ[i], name, name_len) != 0 || environ[i][name_len] != '=')
			continue;
		len = strlen(value);
		if (*vault_find(name) == NULL) {
			struct taken *new = xcalloc(1, sizeof *new);

			*new =
			    (struct taken){ vault, xstrdup(name), guarded_copy(value, len), len };
			sodium_mprotect_noaccess(new->value);
			vault = new;
		}
		sodium_memzero(value, len);
	}
	while (getenv(name) != NULL && unsetenv(name) == 0)
		continue;
}

static bool
is_variable_name(const char *text)
{
	size_t len =
	    strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

	return len > 0 && text[len] == '\0' && !(*text >= '0' && *text <= '9');
}

/* `env:NAME`, also at the end of -denv:NAME, --database=env:NAME and token=env:NAME. */
static void
take_named(const char *word)
{
	const char *at = word;

	for (; (at = strstr(at, "env:")) != NULL; at += 4)
		if ((at == word || at[-1] == '=' || *word == '-') && is_variable_name(at + 4))
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
		MESSAGE_BUG("libsodium does not start");
	close_to_others();
	take("DATABASE_URL");
	take("PGPASSWORD");
	if (getenv("MIG_DATABASE") != NULL)
		take_named(getenv("MIG_DATABASE"));
	take("MIG_DATABASE");   /* it holds no password, if it is as it should be */
	for (i = 1; i < argc; i++)
		take_named(argv[i]);
}

static ssize_t
read_some(int fd, char *out, size_t size)
{
	ssize_t got;

	do
		got = read(fd, out, size);
	while (got < 0 && errno == EINTR);
	return got;
}

/* --- scrubbing --- */

/* What people see of the targets that were opened, a NUL behind each: no scrub may destroy it. */
static struct bytes shown;

static void
shown_add(const char *text)
{
	if (text != NULL && *text != '\0')
		bytes_add(&shown, text, strlen(text) + 1);
}

static void
shown_add_target(const struct target *target)
{
	static const char *const defaults[] = { "PGUSER", "PGDATABASE", "PGHOST", "PGPORT",
		"PGSERVICE" };
	char *hosts = xstrdup(target->host != NULL ? target->host : ""), *host;
	size_t i;

	for (host = strtok(hosts, ","); host != NULL; host = strtok(NULL, ","))
		shown_add(host);
	free(hosts);
	shown_add(target->host);
	shown_add(target->port);
	shown_add(target->user);
	shown_add(target->database);
	shown_add(target->schema);
	for (i = 0; i < target->count; i++)
		shown_add(target->parameters[i].value);
	for (i = 0; i < sizeof defaults / sizeof *defaults; i++)
		shown_add(getenv(defaults[i]));
}

struct needle {
	const char *text;
	size_t len;
	bool whole;     /* only where it is a whole string: see is_whole() */
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
#define SCRUB_WORKS 0   /* their shadow is one mapping of terabytes */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
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

static const char *
parse_address(const char *text, uintptr_t *address)
{
	static const char digits[] = "0123456789abcdef";
	const char *digit;

	for (*address = 0; *text != '\0' && (digit = strchr(digits, *text)) != NULL; text++)
		*address = *address * 16 + (uintptr_t)(digit - digits);
	return text;
}

/* "55d0c8a00000-55d0c8a21000 rw-p ...": our own guarded copies are r--p meanwhile. */
static void
wipe_mapping(const char *line, const struct needle needles[], size_t count)
{
	uintptr_t low, high;
	size_t i;

	line = parse_address(line, &low);
	if (*line != '-')
		return;
	line = parse_address(line + 1, &high);
	if (strncmp(line, " rw-p", 5) != 0)
		return;
	for (i = 0; i < count; i++)
		wipe_range((char *)low, (char *)high, &needles[i]);
}

/* Neither stdio nor malloc(), so that the map does not change while it is read. */
static void
wipe_everywhere(const struct needle needles[], size_t count)
{
	static char map[8192];
	size_t len = 0;
	ssize_t got;
	int fd;

	if (!SCRUB_WORKS || count == 0 || (fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC)) < 0)
		return;
	while ((got = read_some(fd, map + len, sizeof map - 1 - len)) > 0) {
		char *line = map, *end;

		len += (size_t)got;
		map[len] = '\0';
		for (; (end = strchr(line, '\n')) != NULL; line = end + 1)
			wipe_mapping(line, needles, count);
		len -= (size_t)(line - map);
		memmove(map, line, len);
		if (len == sizeof map - 1)
			len = 0;        /* no line is that long */
	}
	(void)close(fd);
}

/* The form itself, and what is left of it in a block that was freed. */
static size_t
needles_add(struct needle needles[], size_t count, const char *text, size_t len)
{
	if (text == NULL)
		return count;
	count += needle_make(&needles[count], text, len);
	if (len > FREED)
		count += needle_make(&needles[count], text + FREED, len - FREED);
	return count;
}

void
secret_scrub(struct secret *secret)
{
	struct needle needles[4];
	size_t count;

	if (secret == NULL)
		return;
	secret_show(secret);
	count = needles_add(needles, 0, secret->text, secret->len);
	count = needles_add(needles, count, secret->raw, secret->raw_len);
	wipe_everywhere(needles, count);
	secret_hide(secret);
}

void
secret_scrub_text(char *text)
{
	struct secret *secret;
	size_t len;

	if (text == NULL || *text == '\0')
		return;
	len = strlen(text);
	secret = secret_new(guarded_copy(text, len), len, NULL, 0);
	sodium_memzero(text, len);
	secret_scrub(secret);
	secret_free(secret);
}

/* --- sources: the first line of a variable, a file, or a command's output --- */

/* What a source gave, and how to speak of it. */
struct input {
	char *text;             /* guarded and readable; NULL: it failed, and that was said */
	size_t len;
	struct bytes label;     /* "DATABASE_URL", "the file \"...\"", "the command's output" */
	int code;
};

static void
input_free(struct input *in)
{
	sodium_free(in->text);
	bytes_free(&in->label);
	*in = (struct input){ 0 };
}

/* Straight from the descriptor into guarded memory, without the end of the line.  NULL and errno,
 * or NULL and EFBIG where the line is longer than any connection string. */
static char *
read_line(int fd, size_t *len)
{
	char *text = guarded(LINE_SIZE + 1), *end = NULL;
	ssize_t got = 0;

	*len = 0;
	while (end == NULL && *len < LINE_SIZE &&
	    (got = read_some(fd, text + *len, LINE_SIZE - *len)) > 0) {
		end = memchr(text + *len, '\n', (size_t)got);
		*len += (size_t)got;
	}
	if (got < 0 || (end == NULL && *len == LINE_SIZE)) {
		int why = got < 0 ? errno : EFBIG;

		sodium_free(text);
		errno = why;
		return NULL;
	}
	if (end != NULL)
		*len = (size_t)(end - text);
	while (*len > 0 && text[*len - 1] == '\r')
		--*len;
	sodium_memzero(text + *len, LINE_SIZE + 1 - *len);
	return text;
}

/* Of a path that may be no path: what looks like a connection string is not repeated. */
static void
label_file(struct bytes *label, const char *path, const char *variable)
{
	if (strpbrk(path, "@=") == NULL && strstr(path, "://") == NULL)
		bytes_format(label, "the file \"%s\"%s%s%s", path, variable != NULL ? " (" : "",
		    variable != NULL ? variable : "", variable != NULL ? ")" : "");
	else if (variable != NULL)
		bytes_format(label, "the file that %s names", variable);
	else
		bytes_str(label, "the file after \"file:\"");
}

/* The mount of a container's secrets is read-only, and there the modes say little. */
static bool
is_open_to_others(int fd, const struct stat *file)
{
	struct statvfs mount;

	if (!S_ISREG(file->st_mode) || (file->st_mode & (S_IRGRP | S_IROTH)) == 0)
		return false;
	return fstatvfs(fd, &mount) != 0 || (mount.f_flag & ST_RDONLY) == 0;
}

static int
fail_file(struct input *in, int why)
{
	in->code = message_error(why == EACCES || why == EPERM ? MIG_DENIED : MIG_CONFIG,
	    "cannot read %s: %s", in->label.data,
	    why == EFBIG ? "its first line is too long" : strerror(why));
	return -1;
}

static int
file_open(struct input *in, const char *path)
{
	struct stat file;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), why = 0;

	if (fd < 0 || fstat(fd, &file) != 0)
		why = errno;
	else if (S_ISDIR(file.st_mode))
		why = EISDIR;
	if (why == 0 && !is_open_to_others(fd, &file))
		return fd;
	if (why != 0) {
		(void)fail_file(in, why);
		if (strstr(path, "://") != NULL)
			message_line("  It looks like a connection string; a path belongs there.");
	} else {
		in->code =
		    message_error(MIG_CONFIG, "%s can be read by other users", in->label.data);
		message_line("  Make it yours alone:  chmod 600 '%s'", path);
	}
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

static void
read_file(struct input *in, const char *path, const char *variable, const char *what)
{
	int fd;

	label_file(&in->label, path, variable);
	if ((fd = file_open(in, path)) < 0)
		return;
	if ((in->text = read_line(fd, &in->len)) == NULL)
		(void)fail_file(in, errno);
	(void)close(fd);
	if (in->text != NULL && in->len == 0) {
		in->code = message_error(
		    MIG_CONFIG, "no %s: the first line of %s is empty", what, in->label.data);
		sodium_free(in->text);
		in->text = NULL;
	}
}

/* Below 3 are the descriptors that the child replaces. */
static int
above_standard(int fd)
{
	int higher = fcntl(fd, F_DUPFD_CLOEXEC, 3), why = errno;

	(void)close(fd);
	errno = why;
	return higher;
}

static bool
pipe_make(int ends[2])
{
	if (pipe(ends) != 0)
		return false;
	ends[0] = above_standard(ends[0]);
	ends[1] = above_standard(ends[1]);
	return ends[0] >= 0 && ends[1] >= 0;
}

/*
 * Its standard input is empty: ours may carry records, which it must not eat.  Its standard error
 * is ours, so that it can ask for a login and say why it failed.  Of the environment it has what is
 * left.
 */
static void
command_become(const char *command, int output)
{
	int empty = open("/dev/null", O_RDONLY);

	if (empty < 0 || dup2(empty, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0)
		_exit(127);
	(void)signal(SIGPIPE, SIG_DFL);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

/* Lets the command finish: with a closed pipe it might complain. */
static void
drain(int fd)
{
	char *rest = guarded(4096);

	while (read_some(fd, rest, 4096) > 0)
		continue;
	sodium_free(rest);
}

static void
check_command(struct input *in, int status, int why, const char *what)
{
	if (WIFSIGNALED(status))
		in->code = message_error(MIG_CONFIG,
		    "no %s: the command after \"cmd:\" was ended by signal %d", what,
		    WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		in->code = message_error(MIG_CONFIG,
		    "no %s: the command after \"cmd:\" failed with exit code %d", what,
		    WEXITSTATUS(status));
	else if (in->text == NULL)
		in->code = message_error(MIG_CONFIG,
		    "no %s: cannot read what the command after \"cmd:\" prints: %s", what,
		    why == EFBIG ? "its first line is too long" : strerror(why));
	else if (in->len == 0 || (in->len == 4 && is_same(in->text, "null", 4)))
		in->code = message_error(MIG_CONFIG, "no %s: the command after \"cmd:\" printed %s",
		    what, in->len == 0 ? "nothing" : "null");
	else
		return;
	if (in->text != NULL && in->len == 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		message_line("  Variables that hold connection strings are not passed on to it.");
	sodium_free(in->text);
	in->text = NULL;
}

static void
read_command(struct input *in, const char *command, const char *what)
{
	int ends[2] = { -1, -1 }, status = 0, why = 0;
	pid_t child = -1;

	bytes_str(&in->label, "the output of the command after \"cmd:\"");
	if (pipe_make(ends))
		child = fork();
	if (child == 0)
		command_become(command, ends[1]);
	why = errno;
	(void)close(ends[1]);
	if (child < 0) {
		in->code = message_error(
		    MIG_BUSY, "cannot start the command after \"cmd:\": %s", strerror(why));
		(void)close(ends[0]);
		return;
	}
	in->text = read_line(ends[0], &in->len);
	why = errno;
	drain(ends[0]);
	(void)close(ends[0]);
	/* Who ignores SIGCHLD gets no status; then the line alone has to do. */
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	check_command(in, status, why, what);
}

static int say_missing(const char *name, bool empty, const char *what);

static void
read_variable(struct input *in, const char *name, const char *what)
{
	char *twin = xformat("%s_FILE", name);
	const char *path = getenv(twin), *left = getenv(name);
	struct taken *taken = *vault_find(name);
	size_t len = taken != NULL ? taken->len : left != NULL ? strlen(left) : 0;
	bool is_set = taken != NULL || left != NULL;

	if (path != NULL && *path == '\0')
		path = NULL;
	if (len > 0 && path != NULL) {
		in->code = message_error(
		    MIG_CONFIG, "both %s and %s are set; which one counts?", name, twin);
		message_line("  Unset one of them:  unset %s", twin);
	} else if (path != NULL) {
		read_file(in, path, twin, what);
	} else if (len == 0) {
		in->code = say_missing(name, is_set, what);
	} else {
		if (taken != NULL)
			sodium_mprotect_readonly(taken->value);
		bytes_str(&in->label, name);
		in->text = guarded_copy(taken != NULL ? taken->value : left, len);
		in->len = len;
	}
	vault_drop(name);
	free(twin);
}

/* Fills `in` from env:, file: or cmd:.  Returns false where word is none of these. */
static bool
source_read(struct input *in, const char *word, const char *what, int wrong)
{
	*in = (struct input){ 0 };
	if (strncmp(word, "env:", 4) == 0) {
		if (is_variable_name(word + 4))
			read_variable(in, word + 4, what);
		else
			in->code =
			    message_error(wrong, "\"env:\" wants the name of a variable behind it");
	} else if (strncmp(word, "file:", 5) == 0) {
		if (word[5] != '\0')
			read_file(in, word + 5, NULL, what);
		else
			in->code = message_error(wrong, "\"file:\" wants a path behind it");
	} else if (strncmp(word, "cmd:", 4) == 0) {
		if (word[4] != '\0')
			read_command(in, word + 4, what);
		else
			in->code = message_error(wrong, "\"cmd:\" wants a command behind it");
	} else {
		return false;
	}
	return true;
}

struct secret *
secret_open(const char *word, const char *what, int *code)
{
	struct secret *secret = NULL;
	struct input in;

	*code = 0;
	if (!source_read(&in, word, what, MIG_USAGE)) {
		*code = message_error(MIG_USAGE,
		    "the %s is given as env:NAME, file:PATH or cmd:COMMAND, "
		    "since command lines can be seen by other users",
		    what);
		return NULL;
	}
	*code = in.code;
	if (in.text != NULL) {
		while (in.len > 0 && (in.text[in.len - 1] == '\n' || in.text[in.len - 1] == '\r'))
			in.len--;
		secret = secret_new(guarded_copy(in.text, in.len), in.len, NULL, 0);
	}
	input_free(&in);
	return secret;
}

/* --- the connection string --- */

static void
say_ways(void)
{
	message_line("    read -rs DATABASE_URL; export DATABASE_URL      "
		     "paste it; not echoed, not in the shell's history");
	message_line(
	    "    -d env:PROD_DATABASE_URL                        it is in another variable");
	message_line("    -d file:/run/secrets/database-url               "
	    "it is in a file (or set DATABASE_URL_FILE)");
	message_line("    -d 'cmd:railway variables --json | jq -r .DATABASE_URL'");
	message_line("    -d 'host=db.example.com dbname=shop'            "
	    "no password in it; .pgpass has it, as in psql");
}

/* The n-th variable that is set and may be meant instead of `name`. */
static char *
other_variable(const char *name, size_t n)
{
	static const char ending[] = "DATABASE_URL";
	const struct taken *taken = *vault_find(ending);
	const size_t tail = sizeof ending - 1;
	size_t i;

	if (taken != NULL && taken->len > 0 && strcmp(name, ending) != 0 && n-- == 0)
		return xstrdup(ending);
	for (i = 0; environ != NULL && environ[i] != NULL; i++) {
		size_t len = strcspn(environ[i], "=");
		char *other;

		if (len < tail || strncmp(environ[i] + len - tail, ending, tail) != 0 ||
		    environ[i][len] == '\0' || environ[i][len + 1] == '\0')
			continue;
		other = xstrndup(environ[i], len);
		if (strcmp(other, name) != 0 && is_variable_name(other) && n-- == 0)
			return other;
		free(other);
	}
	return NULL;
}

/* `NAME=… mig-scan | mig-plan | mig-apply`: the commonest slip of all. */
static bool
is_behind_pipe(void)
{
	struct stat in;

	return strcmp(message_tool(), "mig-scan") != 0 && fstat(STDIN_FILENO, &in) == 0 &&
	    S_ISFIFO(in.st_mode);
}

static void
say_slip(const char *name)
{
	const char *first = strcmp(message_tool(), "mig-seed") == 0 ? "COMMAND" : "mig-scan";
	char *other = other_variable(name, 0);

	message_line(
	    "  Before a pipe, `%s=… %s` sets it for %s alone. Export it, then run the pipe:", name,
	    first, first);
	if (other != NULL)
		message_line("    export %s=\"$%s\"", name, other);
	else
		message_line("    read -rs %s; export %s      paste it; not echoed", name, name);
	free(other);
}

static void
say_page(const char *name)
{
	char *other;
	size_t n;

	message_line(
	    "  No database is ever guessed. Say where the string is, in one of these ways:");
	say_ways();
	for (n = 0; n < OTHERS_SHOWN && (other = other_variable(name, n)) != NULL; n++) {
		message_line("  %s is set: -d env:%s", other, other);
		free(other);
	}
	message_line("  A .env file is not read.");
}

static int
say_missing(const char *name, bool empty, const char *what)
{
	int code = message_error(MIG_CONFIG, "no %s: %s is %s", what, name,
	    empty ? "set, but empty" : "not set");

	if (strcmp(what, "connection string") != 0) {
		message_line(
		    "  Set %s, or set %s_FILE to the path of a file that holds it.", name, name);
		return code;
	}
	if (empty)
		message_line(
		    "  A reference to another variable that resolves to nothing leaves this.");
	if (!empty && is_behind_pipe())
		say_slip(name);
	else
		say_page(name);
	return code;
}

static int
say_malformed(int code, const char *label, const struct target_error *error)
{
	if (error->position > 0)
		code = message_error(code,
		    "the connection string cannot be used (%s, character %zu): %s", label,
		    error->position, error->rule);
	else
		code = message_error(
		    code, "the connection string cannot be used (%s): %s", label, error->rule);
	if (error->hint != NULL)
		message_line("  %s", error->hint);
	return code;
}

static int
say_password_seen(int code, const char *spot)
{
	code = message_error(
	    code, "there is a password in %s; it says only where the string is", spot);
	if (strcmp(spot, "-d") == 0)
		message_line(
		    "  Other users see command lines, and histories and logs keep them. Instead:");
	else
		message_line(
		    "  A string with a password belongs into DATABASE_URL, or in one of these:");
	say_ways();
	return code;
}

static struct secret *
password_new(const char *text, const struct target_password *password)
{
	size_t raw_len = password->end - password->start, len;
	char *plain = guarded(raw_len + 1), *raw = NULL;

	len = target_decode(text, password, plain);
	if (password->encoded || password->quoted)
		raw = guarded_copy(text + password->start, raw_len);
	return secret_new(plain, len, raw, raw_len);
}

/* libpq would look there itself, had secret_begin() left it. */
static struct secret *
password_from_environment(void)
{
	struct taken *taken = *vault_find("PGPASSWORD");

	if (taken == NULL || taken->len == 0)
		return NULL;
	sodium_mprotect_readonly(taken->value);
	return secret_new(guarded_copy(taken->value, taken->len), taken->len, NULL, 0);
}

/* A string that was found: its parts into source, its password into guarded memory. */
static int
source_parse(struct source *source, const struct input *in)
{
	struct target_password password;
	struct target_error error;

	if (!target_parse(in->text, in->len, &source->target, &password, &error))
		return say_malformed(MIG_CONFIG, in->label.data, &error);
	if (source->target.is_name) {   /* it may well be a password: not shown, not tried */
		target_free(&source->target);
		return say_malformed(MIG_CONFIG, in->label.data,
		    &(struct target_error){ 1, "neither a URL nor a keyword string", NULL });
	}
	if (password.end > password.start)
		source->password = password_new(in->text, &password);
	return 0;
}

/* What was given to -d (or MIG_DATABASE) itself, as to psql. */
static int
source_parse_word(struct source *source, const char *word, const char *spot, int wrong)
{
	struct target_password password;
	struct target_error error;

	if (!target_parse(word, strlen(word), &source->target, &password, &error)) {
		if (error.hint != NULL && strstr(error.hint, "PASSWORD") != NULL)
			error.hint = NULL;      /* not here */
		(void)say_malformed(wrong, spot, &error);
		message_line(
		    "  %s takes env:NAME, file:PATH, cmd:COMMAND, or a string without a password.",
		    spot);
		return wrong;
	}
	if (password.end > password.start)
		return say_password_seen(wrong, spot);
	if (source->target.is_name && (getenv(word) != NULL || *vault_find(word) != NULL)) {
		(void)message_error(wrong, "%s %s: that is a variable, not a database", spot, word);
		message_line("  Its value is meant with:  -d env:%s", word);
		return wrong;
	}
	return 0;
}

static int
source_find(struct source *source, const char *word, const char *spot, int wrong)
{
	struct input in;
	int code;

	if (!source_read(&in, word, "connection string", wrong))
		return source_parse_word(source, word, spot, wrong);
	code = in.text != NULL ? source_parse(source, &in) : in.code;
	input_free(&in);
	return code;
}

int
source_open(struct source *source, const char *word)
{
	struct taken *by_default = *vault_find("MIG_DATABASE");
	int code;

	*source = (struct source){ 0 };
	if (word != NULL) {
		code = source_find(source, word, "-d", MIG_USAGE);
	} else if (by_default != NULL && by_default->len > 0) {
		sodium_mprotect_readonly(by_default->value);
		code = source_find(source, by_default->value, "MIG_DATABASE", MIG_CONFIG);
	} else {
		code = source_find(source, "env:DATABASE_URL", NULL, MIG_CONFIG);
	}
	if (code == 0 && source->password == NULL)
		source->password = password_from_environment();
	if (code == 0)
		shown_add_target(&source->target);
	else
		source_free(source);
	vault_drop("DATABASE_URL");
	vault_drop("PGPASSWORD");
	vault_drop("MIG_DATABASE");
	return code;
}

void
source_free(struct source *source)
{
	secret_free(source->password);
	target_free(&source->target);
	*source = (struct source){ 0 };
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

/* Reads a line from the terminal; the caller has turned the echo off. */
static char *
ask_line(int terminal, const char *prompt, size_t *len)
{
	char *text;

	if (write(terminal, prompt, strlen(prompt)) < 0)
		return NULL;
	text = guarded(LINE_SIZE + 1);
	*len = 0;
	while (*len < LINE_SIZE) {
		ssize_t got = read(terminal, text + *len, LINE_SIZE - *len);

		if (got <= 0)
			break;
		*len += (size_t)got;
		if (text[*len - 1] == '\n') {
			text[--*len] = '\0';
			break;
		}
	}
	(void)!write(terminal, "\n", 1);
	return text;
}

struct secret *
secret_ask(const char *prompt)
{
	struct sigaction note = { .sa_handler = note_signal }, before[ASKED_SIGNALS];
	struct termios old, quiet;
	struct secret *secret = NULL;
	char *text = NULL;
	size_t len = 0, i;
	int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

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
	if (tcsetattr(terminal, TCSAFLUSH, &quiet) == 0)
		text = ask_line(terminal, prompt, &len);
	(void)tcsetattr(terminal, TCSAFLUSH, &old);
	for (i = 0; i < ASKED_SIGNALS; i++)
		(void)sigaction(asked_signals[i], &before[i], NULL);
	(void)close(terminal);
	if (text != NULL && len > 0 && asked_signal == 0)
		secret = secret_new(guarded_copy(text, len), len, NULL, 0);
	sodium_free(text);
	if (asked_signal != 0)
		(void)raise(asked_signal);
	return secret;
}
