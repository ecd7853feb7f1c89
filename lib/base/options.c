#define _GNU_SOURCE /* strcasestr */
#include "base/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/suggest.h"

enum { OPTION_COLOR = 1 };
const struct option_spec options_common[] = {
	{ 'q', "quiet", NULL, "say nothing but errors", false },
	{ 'v', "verbose", NULL, "say more; unfold lists", true },
	{ OPTION_COLOR, "color", "always|never|auto", "colour (default: auto)\nby NO_COLOR, CLICOLOR_FORCE, and the terminal", false },
	{ 'h', "help", "[=all]", "show this, or with =all everything, and exit", false },
	{ 'V', "version", NULL, "show the version, and exit", false },
	OPTION_LAST,
};

bool
options_has_letter(const struct option_spec *spec)
{
	return spec->letter < 0x7F && strchr("doqvhV", spec->letter) != NULL;
}

/* --- help --- */

enum { HELP_WIDTH = 80, HELP_COLUMN = 28 };

/* The end of the word at text, which does not part a default from its label. */
static const char *
word_end(const char *text, const char *end)
{
	static const char label[] = "(default: ";
	const char *at = strncmp(text, label, sizeof label - 1) == 0 ? text + sizeof label - 1 : text;

	while (at < end && *at != ' ')
		at++;
	return at;
}

/* A line, broken at blanks; further lines are as far to the right as the first. */
static void
help_wrap(struct bytes *out, size_t column, const char *line, const char *end)
{
	size_t at = column;

	while (line < end) {
		const char *word = word_end(line, end);
		size_t len = (size_t)(word - line);

		if (at > column && at + 1 + len > HELP_WIDTH) {
			bytes_format(out, "\n%*s", (int)column, "");
			at = column;
		} else if (at > column) {
			bytes_char(out, ' ');
			at++;
		}
		bytes_add(out, line, len);
		at += len;
		line = word + (word < end);
	}
	bytes_char(out, '\n');
}

void
options_help_line(struct bytes *out, const char *head, size_t column, const char *text, bool all)
{
	const char *end = text + strcspn(text, "\n");

	bytes_str(out, head);
	if (strlen(head) + 2 <= column)
		bytes_format(out, "%*s", (int)(column - strlen(head)), "");
	else if (!all && strlen(head) + 2 + (size_t)(end - text) <= HELP_WIDTH)
		bytes_str(out, "  ");
	else
		bytes_format(out, "\n%*s", (int)column, "");
	if (!all) {
		bytes_format(out, "%.*s\n", (int)(end - text), text);
		return;
	}
	for (;; end = text + strcspn(text, "\n")) {
		help_wrap(out, column, text, end);
		if (*end == '\0')
			return;
		text = end + 1;
		bytes_format(out, "%*s", (int)column, "");
	}
}

void
options_help(struct bytes *out, const struct option_spec *spec, bool all)
{
	char head[120];

	for (; spec->name != NULL; spec++) {
		bool rare = *spec->help == '\n';

		if (rare && !all)
			continue;
		snprintf(head, sizeof head, "  %c%c%s --%s%s%s", options_has_letter(spec) ? '-' : ' ',
		    options_has_letter(spec) ? spec->letter : ' ', options_has_letter(spec) ? "," : " ", spec->name,
		    spec->argument != NULL && *spec->argument != '[' ? "=" : "", spec->argument != NULL ? spec->argument : "");
		options_help_line(out, head, HELP_COLUMN, spec->help + rare, all);
	}
}

static void
help(struct bytes *out, const struct program *program, bool all)
{
	size_t i;

	bytes_format(out, "%s: %s\n\n", program->name, program->about);
	for (i = 0; program->usage[i] != NULL; i++)
		bytes_format(out, "%s %s\n", i == 0 ? "usage:" : "      ", program->usage[i]);
	bytes_str(out, "\noptions:\n");
	options_help(out, program->options, all);
	options_help(out, options_common, all);
	bytes_format(out, "\n%s", program->more);
	if (all && program->all != NULL)
		bytes_format(out, "\n%s", program->all);
}

int
options_print(const struct bytes *text)
{
	fwrite(bytes_text(text), 1, text->len, stdout);
	return fflush(stdout) == 0 && !ferror(stdout) ? MIG_OK
	                                              : message_error(MIG_OUTPUT, "cannot write standard output: %s", strerror(errno));
}

/* --help, --help=all, --help=TOPIC; does not return but for a wrong topic. */
static int
show_help(const struct program *program, const char *topic)
{
	bool all = topic != NULL && strcmp(topic, "all") == 0;
	struct bytes text = { 0 };

	if (topic == NULL || all)
		help(&text, program, all);
	else if (program->topic == NULL || !program->topic(&text, topic))
		return options_wrong(program->topic != NULL ? "--help=%s: must be all or a check" : "--help=%s: must be all", topic);
	exit(options_print(&text));
}

static int
show_version(const struct program *program)
{
	struct bytes text = { 0 };

	bytes_format(&text, "%s (mig) %s\n", program->name, MIG_VERSION);
	exit(options_print(&text));
}

int
options_wrong(const char *format, ...)
{
	struct bytes text = { 0 };
	va_list args;

	va_start(args, format);
	bytes_vformat(&text, format, args);
	va_end(args);
	(void)message_error(MIG_USAGE, "%s", text.data);
	message_line("  see %s --help", message_tool());
	bytes_free(&text);
	return MIG_USAGE;
}

void
options_begin(struct options *o, const struct program *program, int argc, char *const argv[])
{
	*o = (struct options){ .program = program, .argc = argc, .argv = argv };
	optind = 1;
	opterr = 0;
}

static const struct option_spec *
spec_of(const struct program *program, int letter)
{
	const struct option_spec *spec;

	for (spec = program->options; spec->name != NULL; spec++)
		if (spec->letter == letter)
			return spec;
	for (spec = options_common; spec->name != NULL; spec++)
		if (spec->letter == letter)
			return spec;
	return NULL;
}

/* getopt_long()'s two tables, made from ours. */
static void
getopt_tables(const struct program *program, char *letters, struct option *longs)
{
	const struct option_spec *tables[] = { program->options, options_common };
	size_t i, n = 0;

	*letters++ = ':'; /* distinguishes a missing value from an unknown option */
	for (i = 0; i < 2; i++) {
		const struct option_spec *spec;

		for (spec = tables[i]; spec->name != NULL; spec++) {
			bool optional = spec->argument != NULL && spec->argument[0] == '[';

			longs[n++] = (struct option){ spec->name,
				spec->argument == NULL ? no_argument
				    : optional         ? optional_argument
				                       : required_argument,
				NULL, spec->letter };
			if (options_has_letter(spec)) {
				*letters++ = (char)spec->letter;
				if (spec->argument != NULL && !optional)
					*letters++ = ':';
			}
		}
	}
	*letters = '\0';
	longs[n] = (struct option){ NULL, 0, NULL, 0 };
}

/* Whether a word is a connection string that may hold a password: a URL with an @, or a keyword string. */
static bool
is_connection_string(const char *word)
{
	static const char *const begins[] = { "postgres", "jdbc:", "host=", "server=", "user=", "user id=", "dbname=", "data source=",
		"port=", "password=", "pwd=" };
	size_t i;

	for (i = 0; i < sizeof begins / sizeof *begins; i++)
		if (strncasecmp(word, begins[i], strlen(begins[i])) == 0)
			break;
	if (i == sizeof begins / sizeof *begins)
		return false;
	return (strstr(word, "://") != NULL && strchr(word, '@') != NULL) || strcasestr(word, "password") != NULL ||
	    strcasestr(word, "pwd=") != NULL;
}

/* Whatever is made of an operand shows it, in an error at least. */
static int
check_operands(const struct options *o)
{
	int i;

	for (i = o->first; i < o->argc; i++) {
		if (!is_connection_string(o->argv[i]))
			continue;
		(void)options_wrong("argument %d is a connection string; other users see the command line", i);
		message_line("  Put it into the variable DATABASE_URL, or into a file:  -d file:PATH");
		return OPTIONS_WRONG;
	}
	return OPTIONS_DONE;
}

static void
wrong_option(const struct option *longs, const char *word)
{
	int len = (int)strcspn(word, "=");
	const char *names[32], *nearest;
	size_t n = 0;

	for (; longs->name != NULL; longs++)
		names[n++] = longs->name;
	nearest = suggest_nearest(word + 2, (size_t)len - 2, names, n);
	if (nearest != NULL)
		(void)options_wrong("there is no option %.*s; did you mean --%s?", len, word, nearest);
	else
		(void)options_wrong("there is no option %.*s", len, word);
}

int
options_next(struct options *o)
{
	char letters[64];
	struct option longs[32];
	const char *word;
	int letter;

	getopt_tables(o->program, letters, longs);
	letter = getopt_long(o->argc, (char *const *)o->argv, letters, longs, NULL);
	/* the option itself, which words before it may have been moved behind; never a word, which may be a secret */
	word = optind > 1 && strncmp(o->argv[optind - 1], "--", 2) == 0 ? o->argv[optind - 1] : "";
	o->value = optarg;
	if (letter == -1) {
		o->first = optind;
		return check_operands(o);
	}
	if (letter == '?' || letter == ':') {
		/* of a long option the word itself; of a short one only the letter: its value may be a secret */
		if (*word == '\0')
			(void)options_wrong(letter == ':' ? "option -%c needs a value" : "there is no option -%c",
			    optopt > 0x20 && optopt < 0x7F ? optopt : '?');
		else if (letter == ':')
			(void)options_wrong("option %.*s needs a value", (int)strcspn(word, "="), word);
		else
			wrong_option(longs, word);
		return OPTIONS_WRONG;
	}
	if (letter == 'h' && show_help(o->program, optarg) != 0)
		return OPTIONS_WRONG;
	if (letter == 'V' && show_version(o->program) != 0)
		return OPTIONS_WRONG;
	if (o->seen[letter] && !spec_of(o->program, letter)->repeatable) {
		(void)options_wrong("option --%s is given twice", spec_of(o->program, letter)->name);
		return OPTIONS_WRONG;
	}
	o->seen[letter] = true;
	if (letter == OPTION_COLOR) {
		if (message_colour_by(o->value))
			return options_next(o);
		(void)options_wrong("--color=%s: must be one of always, never, auto", o->value);
		return OPTIONS_WRONG;
	}
	if (letter == 'q' || letter == 'v') {
		if ((letter == 'q') == (message_verbosity > 0) && message_verbosity != 0) {
			(void)options_wrong("--quiet and --verbose contradict each other");
			return OPTIONS_WRONG;
		}
		message_verbosity += letter == 'q' ? -1 : 1;
		return options_next(o);
	}
	return letter;
}

const char *
options_find(const struct program *program, int argc, char *const argv[], int wanted)
{
	char **copy = xmalloc(((size_t)argc + 1) * sizeof *copy); /* getopt moves words */
	char letters[64];
	struct option longs[32];
	const char *value = NULL;
	int letter;

	getopt_tables(program, letters, longs);
	memcpy(copy, argv, ((size_t)argc + 1) * sizeof *copy);
	optind = 1;
	opterr = 0;
	while ((letter = getopt_long(argc, copy, letters, longs, NULL)) != -1) {
		const char *word = letter == wanted ? copy[optind - (optarg == copy[optind - 1] ? 2 : 1)] : NULL;

		/* not after other letters: in -postgresql://… "o" is not an option */
		if (word != NULL && value == NULL && (word[1] == '-' || word[1] == wanted))
			value = optarg;
	}
	free(copy);
	return value;
}

int
options_time(const char *name, const char *value, long long *ms)
{
	if (clock_parse(value, ms))
		return 0;
	return options_wrong("--%s=%s needs a unit: 200ms, 5s, 10min", name, value);
}

int
options_one_operand(const struct options *o, const char **operand)
{
	if (o->argc - o->first > 1)
		return options_wrong("one argument too many: \"%s\"", o->argv[o->first + 1]);
	if (o->argc - o->first == 1)
		*operand = o->argv[o->first];
	return 0;
}
