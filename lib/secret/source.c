/*
 * From top to bottom: what a source gives (a variable, a file, a command's output), the pages that say
 * what is missing, and the connection string.
 */
#include "secret/source.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/signals.h"

extern char **environ;

enum { OTHERS_SHOWN = 3 }; /* variables that may be meant */

/* --- what a source gives: its first line --- */

struct input {
	struct secret *secret; /* NULL: it failed, and that was said */
	struct bytes label;    /* "DATABASE_URL", "the file \"...\"", "the command's output" */
	int code;
};

static void
input_free(struct input *in)
{
	secret_free(in->secret);
	bytes_free(&in->label);
	*in = (struct input){ 0 };
}

static void
input_refuse(struct input *in, int code)
{
	secret_free(in->secret);
	in->secret = NULL;
	in->code = code;
}

static bool
is_variable_name(const char *text)
{
	size_t len =
	    strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

	return len > 0 && text[len] == '\0' && !(*text >= '0' && *text <= '9');
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

static void
fail_file(struct input *in, int why)
{
	in->code = why == EINTR && signals_caught() != 0 ? 128 + signals_caught() : message_error(why == EACCES || why == EPERM ? MIG_DENIED : MIG_CONFIG, "cannot read %s: %s", in->label.data, why == EFBIG ? "its first line is too long" : strerror(why));
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
		fail_file(in, why);
		if (strstr(path, "://") != NULL)
			message_line("  It looks like a connection string; a path belongs there.");
	} else {
		in->code = message_error(MIG_CONFIG, "%s can be read by other users", in->label.data);
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
	if ((in->secret = secret_read(fd, false)) == NULL)
		fail_file(in, errno);
	else if (secret_length(in->secret) == 0)
		input_refuse(in, message_error(MIG_CONFIG, "no %s: the first line of %s is empty", what, in->label.data));
	(void)close(fd);
}

/* What jq -r prints of something that is not there. */
static void *
is_null(const char *text, void *yes)
{
	return text[0] == 'n' && text[1] == 'u' && text[2] == 'l' && text[3] == 'l' && text[4] == '\0' ? yes : NULL;
}

/* Returns what is wrong with what a command printed and how it ended, or NULL. */
static char *
command_fault(struct secret *secret, int why, int status)
{
	if (WIFSIGNALED(status))
		return xformat("was ended by signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status) != 0)
		return xformat("failed with exit code %d", WEXITSTATUS(status));
	if (secret == NULL)
		return xformat("printed what cannot be read: %s",
		    why == EFBIG ? "its first line is too long" : strerror(why));
	if (secret_length(secret) == 0)
		return xstrdup("printed nothing");
	return secret_use(secret, is_null, secret) != NULL ? xstrdup("printed null") : NULL;
}

/*
 * Its standard input is empty: ours may carry records, which it must not eat.  Its standard error is
 * ours, so that it can ask for a login and say why it failed.  Of the environment it has what is left.
 */
static void
read_command(struct input *in, const char *command, const char *what)
{
	char *script = xformat("exec </dev/null\n%s", command), *fault;
	void (*pipe_before)(int) = signal(SIGPIPE, SIG_DFL), (*limit_before)(int) = signal(SIGXFSZ, SIG_DFL);
	FILE *out = popen(script, "r");
	int why = errno, status;

	(void)signal(SIGPIPE, pipe_before);
	(void)signal(SIGXFSZ, limit_before);
	free(script);
	bytes_str(&in->label, "the output of the command after \"cmd:\"");
	if (out == NULL) {
		in->code = message_error(
		    MIG_BUSY, "cannot start the command after \"cmd:\": %s", strerror(why));
		return;
	}
	in->secret = secret_read(fileno(out), true);
	why = errno;
	if (in->secret == NULL && signals_caught() != 0) {
		in->code = 128 + signals_caught();
		return; /* and not pclose(), which would wait for it */
	}
	/* Who ignores SIGCHLD gets no status; then the line alone has to do. */
	if ((status = pclose(out)) == -1)
		status = 0;
	if ((fault = command_fault(in->secret, why, status)) == NULL)
		return;
	in->code = message_error(MIG_CONFIG, "no %s: the command after \"cmd:\" %s", what, fault);
	if (status == 0 && in->secret != NULL && secret_length(in->secret) == 0)
		message_line("  Variables that hold connection strings are not passed on to it.");
	input_refuse(in, in->code);
	free(fault);
}

static int say_missing(const char *name, bool empty, const char *what);

static void
read_variable(struct input *in, const char *name, const char *what)
{
	char *twin = xformat("%s_FILE", name);
	const char *path = getenv(twin);

	if (path != NULL && *path == '\0')
		path = NULL;
	in->secret = secret_take(name);
	bytes_str(&in->label, name);
	if (secret_length(in->secret) > 0 && path != NULL) {
		input_refuse(in, message_error(MIG_CONFIG, "both %s and %s are set; which one counts?", name, twin));
		message_line("  Unset one of them:  unset %s", twin);
	} else if (path != NULL) {
		input_free(in);
		read_file(in, path, twin, what);
	} else if (secret_length(in->secret) == 0) {
		input_refuse(in, say_missing(name, in->secret != NULL, what));
	}
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
			in->code = message_error(wrong, "\"env:\" wants the name of a variable behind it");
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
	struct secret *secret;
	struct input in;

	if (!source_read(&in, word, what, MIG_USAGE))
		in.code = message_error(MIG_USAGE,
		    "the %s is given as env:NAME, file:PATH or cmd:COMMAND, "
		    "since command lines can be seen by other users",
		    what);
	*code = in.code;
	secret = in.secret;
	in.secret = NULL;
	input_free(&in);
	return secret;
}

/* --- what is missing --- */

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

/* The variables that are set and may be meant instead of `name`; returns how many there are. */
static size_t
find_others(const char *name, char *others[OTHERS_SHOWN])
{
	static const char usual[] = "DATABASE_URL";
	struct secret *taken = secret_take(usual);
	size_t count = 0, tail = sizeof usual - 1, i;

	if (secret_length(taken) > 0 && strcmp(name, usual) != 0)
		others[count++] = xstrdup(usual);
	secret_free(taken);
	for (i = 0; environ != NULL && environ[i] != NULL && count < OTHERS_SHOWN; i++) {
		size_t len = strcspn(environ[i], "=");

		if (len < tail || strncmp(environ[i] + len - tail, usual, tail) != 0 ||
		    environ[i][len] == '\0' || environ[i][len + 1] == '\0')
			continue;
		others[count] = xstrndup(environ[i], len);
		if (is_variable_name(others[count]))
			count++;
		else
			free(others[count]);
	}
	return count;
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
say_slip(const char *name, const char *other)
{
	const char *first = strcmp(message_tool(), "mig-seed") == 0 ? "COMMAND" : "mig-scan";

	message_line("  Before a pipe, `%s=… %s` sets it for %s alone. Export it, then run the pipe:", name,
	    first, first);
	if (other != NULL)
		message_line("    export %s=\"$%s\"", name, other);
	else
		message_line("    read -rs %s; export %s      paste it; not echoed", name, name);
}

static int
say_missing(const char *name, bool empty, const char *what)
{
	int code = message_error(
	    MIG_CONFIG, "no %s: %s is %s", what, name, empty ? "set, but empty" : "not set");
	char *others[OTHERS_SHOWN];
	size_t count, i;

	if (strcmp(what, "connection string") != 0) {
		message_line("  Set %s, or set %s_FILE to the path of a file that holds it.", name, name);
		return code;
	}
	count = find_others(name, others);
	if (empty)
		message_line("  A reference to another variable that resolves to nothing leaves this.");
	if (!empty && is_behind_pipe()) {
		say_slip(name, count > 0 ? others[0] : NULL);
	} else {
		message_line("  No database is ever guessed. Say where the string is, in one of these ways:");
		say_ways();
		for (i = 0; i < count; i++)
			message_line("  %s is set: -d env:%s", others[i], others[i]);
		message_line("  A .env file is not read.");
	}
	for (i = 0; i < count; i++)
		free(others[i]);
	return code;
}

/* --- the connection string --- */

struct search {
	struct source *source;
	const char *spot; /* where the word stands: "-d" or "MIG_DATABASE" */
	int wrong;        /* the exit code when the word itself is wrong */
	struct input in;
	int code;
};

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
	const struct target_password as_is = { .start = password->start, .end = password->end };
	size_t raw_len = password->end - password->start, len;
	char *room = secret_room(2 * (raw_len + 1));

	len = target_decode(text, password, room);
	if (!password->encoded && !password->quoted)
		return secret_seal(room, len, 0);
	return secret_seal(room, len, target_decode(text, &as_is, room + len + 1));
}

/* A string that was found: its parts into source, its password into guarded memory. */
static void *
parse_found(const char *text, void *context)
{
	struct search *s = context;
	struct target_password password;
	struct target_error error;

	if (!target_parse(text, secret_length(s->in.secret), &s->source->target, &password, &error))
		s->code = say_malformed(MIG_CONFIG, s->in.label.data, &error);
	else if (s->source->target.is_name) /* it may well be a password: not shown, not tried */
		s->code = say_malformed(MIG_CONFIG, s->in.label.data,
		    &(struct target_error){ 1, "neither a URL nor a keyword string", NULL });
	else if (password.end > password.start)
		s->source->password = password_new(text, &password);
	return NULL;
}

static bool
is_variable(const char *name)
{
	struct secret *value = secret_take(name);
	bool is = value != NULL;

	secret_free(value);
	return is;
}

/* What was given to -d (or MIG_DATABASE) itself, as to psql. */
static int
parse_word(const struct search *s, const char *word)
{
	struct target *target = &s->source->target;
	struct target_password password;
	struct target_error error;

	if (!target_parse(word, strlen(word), target, &password, &error)) {
		if (error.hint != NULL && strstr(error.hint, "PASSWORD") != NULL)
			error.hint = NULL; /* not here */
		(void)say_malformed(s->wrong, s->spot, &error);
		message_line("  %s takes env:NAME, file:PATH, cmd:COMMAND, or a string without a password.",
		    s->spot);
		return s->wrong;
	}
	if (password.end > password.start)
		return say_password_seen(s->wrong, s->spot);
	if (target->is_name && is_variable(word)) {
		(void)message_error(
		    s->wrong, "%s %s: that is a variable, not a database", s->spot, word);
		message_line("  Its value is meant with:  -d env:%s", word);
		return s->wrong;
	}
	return 0;
}

static void *
search(const char *word, void *context)
{
	struct search *s = context;

	if (!source_read(&s->in, word, "connection string", s->wrong))
		s->code = parse_word(s, word);
	else if (s->in.secret != NULL)
		secret_use(s->in.secret, parse_found, s);
	else
		s->code = s->in.code;
	input_free(&s->in);
	return NULL;
}

/*
 * libpq connects without a certificate that it does not find, or leaves the server unverified, and says nothing.  So
 * whatever file is named has to be there.  Prisma looks for a relative one beside schema.prisma.
 */
static int
find_certificates(const struct search *s)
{
	static const char *const keywords[] = { "sslrootcert", "sslcert", "sslkey", "sslcrl" };
	struct target *target = &s->source->target;
	size_t i, k;

	for (i = 0; i < target->count; i++) {
		struct target_parameter *parameter = &target->parameters[i];
		const char *path = parameter->value;
		struct bytes beside = { 0 };

		for (k = 0; k < sizeof keywords / sizeof *keywords; k++)
			if (strcmp(parameter->keyword, keywords[k]) == 0)
				break;
		if (k == sizeof keywords / sizeof *keywords || *path == '\0' || access(path, R_OK) == 0 ||
		    (strcmp(keywords[k], "sslrootcert") == 0 && strcmp(path, "system") == 0) ||
		    (strcmp(keywords[k], "sslkey") == 0 && strchr(path, ':') != NULL)) /* a key in a token */
			continue;
		bytes_format(&beside, "prisma/%s", path);
		if (*path != '/' && access(bytes_text(&beside), R_OK) == 0) {
			free(parameter->value);
			parameter->value = beside.data;
			continue;
		}
		bytes_free(&beside);
		(void)message_error(MIG_CONFIG, "cannot read the file of %s, %s: %s", parameter->keyword, path, strerror(errno));
		message_line("  It was looked for %s. Without it the server would not be verified; nothing was connected.",
		    *path == '/' ? "there" : "in this folder and in prisma/");
		return MIG_CONFIG;
	}
	return 0;
}

/* People are shown these: a password that equals one is not wiped from memory. */
static void
spare_target(const struct target *target)
{
	static const char *const defaults[] = { "PGUSER", "PGDATABASE", "PGHOST", "PGPORT", "PGSERVICE" };
	char *hosts = xstrdup(target->host != NULL ? target->host : ""), *host;
	size_t i;

	for (host = strtok(hosts, ","); host != NULL; host = strtok(NULL, ","))
		secret_spare(host);
	free(hosts);
	secret_spare(target->host);
	secret_spare(target->port);
	secret_spare(target->user);
	secret_spare(target->database);
	secret_spare(target->schema);
	for (i = 0; i < target->count; i++)
		secret_spare(target->parameters[i].value);
	for (i = 0; i < sizeof defaults / sizeof *defaults; i++)
		secret_spare(getenv(defaults[i]));
}

int
source_open(struct source *source, const char *word)
{
	struct search s = { .source = source, .spot = "-d", .wrong = MIG_USAGE };
	struct secret *by_default = secret_take("MIG_DATABASE"), *password;

	*source = (struct source){ 0 };
	if (word != NULL) {
		search(word, &s);
	} else if (secret_length(by_default) > 0) {
		s.spot = "MIG_DATABASE";
		s.wrong = MIG_CONFIG;
		secret_use(by_default, search, &s);
	} else {
		search("env:DATABASE_URL", &s);
	}
	secret_free(by_default);
	secret_free(secret_take("DATABASE_URL"));
	password = secret_take("PGPASSWORD"); /* libpq would look there itself, had it been left */
	if (source->password == NULL && secret_length(password) > 0)
		source->password = password;
	else
		secret_free(password);
	if (s.code == 0)
		s.code = find_certificates(&s);
	if (s.code == 0)
		spare_target(&source->target);
	else
		source_free(source);
	return s.code;
}

void
source_free(struct source *source)
{
	secret_free(source->password);
	target_free(&source->target);
	*source = (struct source){ 0 };
}

bool
source_word_is_public(const char *word)
{
	return word == NULL || strncmp(word, "env:", 4) == 0 || strncmp(word, "file:", 5) == 0;
}
