/* The connection string: found, looked through, parsed, and kept for libpq. */
#include "secret/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/trust.h"
#include "secret/source_internal.h"

struct search {
	struct source *source;
	const char *spot; /* where the word stands: "-d" or "MIG_DATABASE" */
	int wrong;        /* the exit code when the word itself is wrong */
	struct source_input in;
	int code;
};

static int
say_malformed(int code, const char *label, const struct conninfo_error *error)
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
	    code, "%s contains a password; it must only say where the string is", spot);
	if (*spot == '-')
		message_line(
		    "  Other users can see command lines, and shell histories and logs keep them. Instead:");
	else
		message_line(
		    "  A string with a password belongs in DATABASE_URL, or in one of these:");
	source_say_ways();
	return code;
}

static struct secret *
password_new(const char *text, const struct conninfo_password *password)
{
	const struct conninfo_password as_is = { .start = password->start, .end = password->end };
	size_t raw_len = password->end - password->start, len;
	char *room = secret_room(2 * (raw_len + 1));

	len = conninfo_decode(text, password, room);
	if (!password->encoded && !password->quoted && !password->json)
		return secret_seal(room, len, 0);
	return secret_seal(room, len, conninfo_decode(text, &as_is, room + len + 1));
}

/* A string that was found: its parts into source, its password into guarded memory. */
static void *
parse_found(const char *text, void *context)
{
	struct search *s = context;
	struct conninfo_password password;
	struct conninfo_error error;

	if (!conninfo_parse(text, secret_length(s->in.secret), &s->source->target, &password, &error))
		s->code = say_malformed(MIG_CONFIG, s->in.label.data, &error);
	else if (s->source->target.is_name) /* it may well be a password: not shown, not tried */
		s->code = say_malformed(MIG_CONFIG, s->in.label.data,
		    &(struct conninfo_error){ 1, "neither a URL nor a keyword string", NULL });
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
	struct conninfo *target = &s->source->target;
	struct conninfo_password password;
	struct conninfo_error error;

	if (!conninfo_parse(word, strlen(word), target, &password, &error)) {
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
		message_line("  To use its value:  -d env:%s", word);
		return s->wrong;
	}
	return 0;
}

/* It may have a secret in it, too. */
static struct secret *
command_new(const char *command)
{
	size_t len = strlen(command), i;
	char *room = secret_room(len + 1);

	for (i = 0; i <= len; i++)
		room[i] = command[i];
	return secret_seal(room, len, 0);
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
	if (s->code == 0 && s->in.secret != NULL && strncmp(word, "cmd:", 4) == 0)
		s->source->command = command_new(word + 4);
	source_input_free(&s->in);
	return NULL;
}

/* As libpq will read it: a FIFO without a writer would hold it for ever.  Otherwise false, with errno set. */
static bool
is_usable(const char *path)
{
	int fd = open_given(path);

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

/* The file that libpq will look into for a service, if it was named: its own one may well not exist. */
static int
find_service_file(const struct conninfo *target)
{
	const char *path = getenv("PGSERVICEFILE"), *service = getenv("PGSERVICE");
	size_t i;

	for (i = 0; i < target->count; i++)
		if (strcmp(target->parameters[i].keyword, "service") == 0)
			service = target->parameters[i].value;
	if (service == NULL || *service == '\0' || path == NULL || *path == '\0' || is_usable(path))
		return 0;
	return message_error(MIG_CONFIG, "cannot read the file of PGSERVICEFILE: %s", file_why(errno));
}

/*
 * libpq silently connects without a certificate that it does not find, or does not verify the server.  So every
 * named file must exist.  Prisma resolves a relative path next to schema.prisma.
 */
static int
find_certificates(const struct search *s)
{
	static const char *const keywords[] = { "sslrootcert", "sslcert", "sslkey", "sslcrl" };
	struct conninfo *target = &s->source->target;
	size_t i, k;

	for (i = 0; i < target->count; i++) {
		struct conninfo_parameter *parameter = &target->parameters[i];
		const char *path = parameter->value;
		struct bytes beside = { 0 };
		const char *why;

		for (k = 0; k < sizeof keywords / sizeof *keywords; k++)
			if (strcmp(parameter->keyword, keywords[k]) == 0)
				break;
		if (k == sizeof keywords / sizeof *keywords || *path == '\0' || is_usable(path) ||
		    (strcmp(keywords[k], "sslrootcert") == 0 && strcmp(path, "system") == 0) ||
		    (strcmp(keywords[k], "sslkey") == 0 && strchr(path, ':') != NULL)) /* a key in a token */
			continue;
		bytes_format(&beside, "prisma/%s", path);
		why = file_why(errno);
		if (*path != '/' && is_usable(bytes_text(&beside))) {
			free(parameter->value);
			parameter->value = beside.data;
			continue;
		}
		bytes_free(&beside);
		if (source_path_is_shown(path))
			(void)message_error(MIG_CONFIG, "cannot read the file of %s, %s: %s", parameter->keyword, path, why);
		else
			(void)message_error(MIG_CONFIG, "cannot read the file of %s: %s", parameter->keyword, why);
		message_line("  mig looked for it %s. Without it the server cannot be verified; no connection was made.",
		    *path == '/' ? "there" : "in this folder and in prisma/");
		return MIG_CONFIG;
	}
	return 0;
}

#ifdef MIG_STATIC
static bool
is_wanted(const struct conninfo *target, const char *keyword, const char *variable, const char *value)
{
	const char *said = getenv(variable);
	size_t i;

	for (i = 0; i < target->count; i++)
		if (strcmp(target->parameters[i].keyword, keyword) == 0)
			said = target->parameters[i].value;
	return said != NULL && *said != '\0' && (value == NULL || strcmp(said, value) == 0);
}

/* What the libraries of one static file cannot do, or not without what an empty container lacks. */
static int
refuse_absent(const struct conninfo *target)
{
	if (is_wanted(target, "gssencmode", "PGGSSENCMODE", "require") || is_wanted(target, "krbsrvname", "PGKRBSRVNAME", NULL) ||
	    is_wanted(target, "gsslib", "PGGSSLIB", NULL)) {
		(void)message_error(MIG_CONFIG, "gssencmode=require, krbsrvname or gsslib is set, and this static program has no Kerberos");
		message_line("  Remove it if the server accepts TLS and a password; otherwise use the packaged programs.");
		return MIG_CONFIG;
	}
	if (is_wanted(target, "sslrootcert", "PGSSLROOTCERT", "system") && trust_file() == NULL && trust_folder() == NULL)
		return message_error(MIG_CONFIG, "sslrootcert=system: " TRUST_HINT);
	return 0;
}
#else
static int
refuse_absent(const struct conninfo *target)
{
	(void)target;
	return 0;
}
#endif

/* People are shown these: a password that equals one is not wiped from memory. */
static void
spare_target(const struct conninfo *target)
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
source_open(struct source *source, const char *word, const char *schema)
{
	const char *rule = schema != NULL ? conninfo_schema_rule(schema) : NULL;
	int code;

	if (rule != NULL) {
		*source = (struct source){ 0 };
		return message_error(MIG_USAGE, "--schema: %s", rule);
	}
	code = source_open_option(source, word, "-d");
	if (code == 0 && schema != NULL)
		source_use_schema(source, schema);
	return code;
}

void
source_use_schema(struct source *source, const char *schema)
{
	free(source->target.schema);
	source->target.schema = xstrdup(schema);
	source->schema_given = true;
	secret_spare(schema);
}

int
source_open_option(struct source *source, const char *word, const char *option)
{
	struct search s = { .source = source, .spot = option, .wrong = MIG_USAGE, .in = { .string = true } };
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
		s.code = refuse_absent(&s.source->target);
	if (s.code == 0)
		s.code = find_certificates(&s);
	if (s.code == 0)
		s.code = find_service_file(&s.source->target);
	if (s.code == 0)
		spare_target(&source->target);
	else
		source_free(source);
	return s.code;
}

static bool
is_same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* What the command printed this time. */
static void *
take_again(const char *text, void *context)
{
	struct search *s = context;
	struct conninfo *now = &s->source->target, fresh;
	struct conninfo_password password;
	struct conninfo_error error;
	struct secret *before = s->source->password;

	if (!conninfo_parse(text, secret_length(s->in.secret), &fresh, &password, &error)) {
		message_warning("the command after \"cmd:\", asked again for a new connection, printed something else (%s); its last "
		    "answer is used", error.rule);
		return NULL;
	}
	if (!is_same(now->host, fresh.host) || !is_same(now->port, fresh.port) || !is_same(now->database, fresh.database) ||
	    (!s->source->schema_given && !is_same(now->schema, fresh.schema))) {
		message_warning("the command after \"cmd:\", asked again for a new connection, names another server, database or schema; its "
		    "last answer is used");
	} else {
		char *user = now->user;

		now->user = fresh.user;
		fresh.user = user;
		if (password.end > password.start) {
			s->source->password = password_new(text, &password);
			secret_free(before);
		}
	}
	conninfo_free(&fresh);
	return NULL;
}

static void *
ask_again(const char *command, void *context)
{
	struct search *s = context;

	if (source_command_again(&s->in, command))
		secret_use(s->in.secret, take_again, s);
	source_input_free(&s->in);
	return NULL;
}

void
source_renew(struct source *source)
{
	struct search s = { .source = source, .in = { .string = true } };

	if (source->command != NULL && source->used)
		secret_use(source->command, ask_again, &s);
	source->used = true;
}

void
source_free(struct source *source)
{
	secret_free(source->password);
	secret_free(source->command);
	conninfo_free(&source->target);
	*source = (struct source){ 0 };
}

bool
source_is_set(const char *name)
{
	char *twin = xformat("%s_FILE", name);
	const char *path = getenv(twin);
	bool set = secret_is_taken(name) || (path != NULL && *path != '\0');

	free(twin);
	return set;
}

/* What a command must not have in it: URL://user:password@, password=. */
static bool
shows_password(const char *command)
{
	const char *at;

	for (at = strstr(command, "://"); at != NULL; at = strstr(at + 3, "://")) {
		size_t len = strcspn(at + 3, "/ '\"@"), user = strcspn(at + 3, ":/ '\"@");

		if (at[3 + len] == '@' && user < len && at[3 + user + 1] != '$')
			return true;
	}
	for (at = command; *at != '\0'; at++)
		if (strncasecmp(at, "password=", 9) == 0 && at[9] != '$' && at[9] != '"')
			return true;
	return false;
}

const char *
source_word_fault(const char *word)
{
	static const char *const none[] = { "env:", "file:", "cmd:" };
	struct conninfo target;
	struct conninfo_password password;
	struct conninfo_error error;
	const char *fault = NULL;
	size_t i;

	for (i = 0; i < sizeof none / sizeof *none; i++) {
		size_t len = strlen(none[i]);

		if (strncmp(word, none[i], len) != 0)
			continue;
		if (word[len] == '\0' || utf8_has_control(word))
			return "nothing that can be used stands behind env:, file: or cmd:";
		if (strncmp(word + len, "postgres", 8) == 0 && strstr(word, "://") != NULL)
			return "a connection string stands behind env:, file: or cmd:";
		return i == 2 && shows_password(word) ? "its command contains a password" : NULL;
	}
	if (!conninfo_parse(word, strlen(word), &target, &password, &error))
		return error.hint != NULL && strstr(error.hint, "PASSWORD") != NULL ? "its source contains a password"
		                                                                  : "its source cannot be used; mig(7) lists the forms";
	if (password.end > password.start)
		fault = "its source contains a password";
	conninfo_free(&target);
	return fault;
}

bool
source_word_is_public(const char *word)
{
	return word == NULL || strncmp(word, "env:", 4) == 0 || strncmp(word, "file:", 5) == 0;
}
