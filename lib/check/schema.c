/*
 * Check "schema": does the schema on standard input (of a database, of replayed migrations or of a datamodel)
 * equal that of a file?  The file is a datamodel, or a stream that was kept.
 */
#include <fnmatch.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/null.h"
#include "base/options.h"
#include "base/page.h"
#include "base/shell_quote.h"
#include "catalog/catalog.h"
#include "catalog/stream.h"
#include "check/check.h"
#include "datamodel/files.h"
#include "diff/diff.h"
#include "records/record.h"

enum { IGNORE };
static const struct setting settings[] = {
	[IGNORE] = { "ignore", "GLOB", NULL,
	    "differences to ignore: of objects with this name, or KIND:GLOB\n"
	    "(\"audit_*\", \"Order.note\", \"shop.*\", \"trigger:*\"); may be repeated", SETTING_TEXT, true },
	{ NULL, NULL, NULL, NULL, SETTING_STATE, false },
};

static const struct metric differences_metric = { "differences", "differences", "mig_schema_differences", NULL,
	"Differences of the schema to what is expected.", METRIC_COUNT, false };

struct schema_job {
	struct catalog wanted;       /* what the file says */
	struct reader *reader;       /* of a kept stream, which has its texts */
};

/* --- the file --- */

static bool
is_datamodel(const char *path)
{
	size_t len = strlen(path), end = strlen(".prisma");
	struct stat found;

	return (len > end && strcmp(path + len - end, ".prisma") == 0) || (stat(path, &found) == 0 && S_ISDIR(found.st_mode));
}

static int
read_kept(struct schema_job *s, const char *path)
{
	static const char *const kinds[] = { SCHEMA_STREAM, NULL };
	enum reading got;

	s->reader = reader_open(path, "Nothing was compared.", "");
	if (s->reader == NULL)
		return message_code();
	got = reader_begin(s->reader, kinds);
	if (got == READING_RECORD)
		got = catalog_read(s->reader, &s->wanted);
	if (got == READING_FAILED)
		return message_error(MIG_DATA, "%s is from a run that failed: %s", path, reader_failure(s->reader)->message);
	return got == READING_END ? 0 : MIG_DATA;
}

static int
begin(struct check_job *job)
{
	struct schema_job *s = xcalloc(1, sizeof *s);

	job->data = s;
	if (strcmp(job->value, "-") == 0)
		return options_wrong("schema=FILE: FILE must be a datamodel or a saved schema; the other schema is standard input");
	return is_datamodel(job->value) ? datamodel_open(job->value, &s->wanted) : read_kept(s, job->value);
}

static void
end(struct check_job *job)
{
	struct schema_job *s = job->data;

	catalog_free(&s->wanted);
	reader_free(s->reader);
	free(s);
}

/* --- what does not count --- */

/* Whether a pattern is one for this kind; *glob is then what is behind KIND: */
static bool
is_for_kind(const char *pattern, enum object_kind kind, const char **glob)
{
	const char *name = object_kind_name(kind);
	size_t len = strlen(name);
	enum object_kind other;
	char *word;
	bool is_kind;

	*glob = pattern;
	if (strchr(pattern, ':') == NULL)
		return true;
	word = xstrndup(pattern, strcspn(pattern, ":"));
	is_kind = object_kind_parse(word, &other);
	free(word);
	if (!is_kind) /* a colon of a name */
		return true;
	*glob = strchr(pattern, ':') + 1;
	return strncmp(pattern, name, len) == 0 && pattern[len] == ':';
}

/* Of a name, of it with its schema, of a relation and of what belongs to it. */
static bool
matches(const char *glob, const struct difference *d)
{
	const char *schema = d->schema != NULL ? d->schema : "";
	char *names[6] = { d->name != NULL ? xstrdup(d->name) : xstrdup(schema),
		xformat("%s.%s", schema, d->name != NULL ? d->name : ""),
		d->relation != NULL ? xstrdup(d->relation) : NULL,
		d->relation != NULL ? xformat("%s.%s", schema, d->relation) : NULL,
		d->relation != NULL ? xformat("%s.%s", d->relation, d->name != NULL ? d->name : "") : NULL,
		d->relation != NULL ? xformat("%s.%s.%s", schema, d->relation, d->name != NULL ? d->name : "") : NULL };
	bool match = false;
	size_t i;

	for (i = 0; i < sizeof names / sizeof *names; i++) {
		match |= names[i] != NULL && fnmatch(glob, names[i], 0) == 0;
		free(names[i]);
	}
	return match;
}

static bool
is_ignored(const struct check_job *job, const struct difference *d)
{
	char *lines = xstrdup(bytes_text(&job->settings[IGNORE].lines)), *at = lines, *pattern;
	const char *glob;
	bool ignored = false;

	for (; !ignored && (pattern = strtok(at, "\n")) != NULL; at = NULL)
		ignored = is_for_kind(pattern, d->object, &glob) && matches(glob, d);
	free(lines);
	return ignored;
}

/* --- judging --- */

static const char *
damage_word(enum damage damage)
{
	static const char *const words[] = { "loses", "may fail", "differs", "harmless" };

	return words[damage];
}

/* On one line, as PostgreSQL's definitions are not. */
static void
add_flat(struct bytes *out, const char *text)
{
	for (; *text != '\0'; text++) {
		bool blank = *text == ' ' || *text == '\n' || *text == '\t' || *text == '\r';

		if (!blank)
			bytes_char(out, *text);
		else if (out->len > 0 && out->data[out->len - 1] != ' ')
			bytes_char(out, ' ');
	}
}

/* What is there against what is wanted: "column t.n is nullable, not not null". */
static void
name_difference(struct bytes *out, const struct difference *d)
{
	const char *there = d->from, *wanted = d->to;

	out->len = 0;
	difference_object(d, out);
	bytes_str(out, d->change == CHANGE_ADDED ? " is missing" : d->change == CHANGE_REMOVED ? " is not expected" : " is ");
	if (d->change == CHANGE_ADDED || d->change == CHANGE_REMOVED) {
		there = d->change == CHANGE_ADDED ? d->to : d->from;
		wanted = NULL;
		bytes_str(out, there != NULL ? ": " : "");
	}
	add_flat(out, there != NULL ? there : "");
	if (wanted != NULL) {
		bytes_str(out, "; expected: ");
		add_flat(out, wanted);
	}
}

/* What to type, to see the script that makes one of the other. */
static void
say_next(struct check_job *job, const struct reader *reader)
{
	struct bytes command = { 0 }, file = { 0 };

	shell_word(&file, job->value);
	if (reader_command(reader) != NULL)
		shell_command(&command, reader_command(reader));
	check_detail(&job->outcome, "next", "%s | mig-plan --diff --format=sql - %s",
	    command.len > 0 ? command.data : "the same schema again", file.data);
	bytes_free(&command);
	bytes_free(&file);
}

static void
judge(struct check_job *job, const struct catalog *found, const struct catalog *wanted, const struct diff *diff)
{
	struct check_outcome *outcome = &job->outcome;
	struct bytes line = { 0 }, uncovered = { 0 };
	size_t counted = 0, ignored = 0, i;

	for (i = 0; i < diff->difference_count; i++) {
		const struct difference *d = &diff->differences[i];

		if (is_ignored(job, d)) {
			ignored++;
			continue;
		}
		name_difference(&line, d);
		if (counted++ == 0)
			check_say(outcome, CHECK_CRITICAL, "%s", line.data);
		check_detail(outcome, damage_word(d->damage), "%s", line.data);
	}
	if (counted > 1)
		bytes_format(&outcome->message, ", and %zu more", counted - 1);
	if (counted == 0) {
		line.len = 0;
		page_count(&line, found->relation_count, "table");
		check_say(outcome, CHECK_OK, "%s as %s says", line.data, job->value);
	}
	(void)check_measure(outcome, &differences_metric, (long long)counted, NUMBER_UNKNOWN, 0);
	if (ignored > 0)
		check_aside(outcome, "%zu ignored", ignored);
	diff_uncovered(found, wanted, &uncovered);
	if (uncovered.len > 0)
		check_detail(outcome, "not compared", "%s", uncovered.data);
	bytes_free(&line);
	bytes_free(&uncovered);
}

static void
compare(struct check_job *job, struct catalog *found, const struct reader *reader)
{
	struct schema_job *s = job->data;
	struct diff diff = { 0 };

	if (diff_is_drift(found, &s->wanted))
		diff_drift(found, &s->wanted, &diff);
	else
		diff_make(found, &s->wanted, &diff);
	diff_by_damage(&diff);
	judge(job, found, &s->wanted, &diff);
	if (job->outcome.state != CHECK_OK)
		say_next(job, reader);
	diff_free(&diff);
}

static void
read_schema(struct check_job *job, struct reader *reader)
{
	static const char *const kinds[] = { SCHEMA_STREAM, NULL };
	struct catalog found = { 0 };
	enum reading got = reader_begin(reader, kinds);

	if (got == READING_RECORD)
		got = catalog_read(reader, &found);
	if (got == READING_FAILED)
		check_failed_upstream(&job->outcome, reader_failure(reader));
	else if (got == READING_BAD)
		check_say(&job->outcome, CHECK_UNKNOWN, "the schema on standard input is incomplete or invalid");
	else
		compare(job, &found, reader);
	job->outcome.final = true;
	catalog_free(&found);
}

const struct check_kind check_schema_kind = {
	.name = "schema",
	.value = "FILE",
	.help = "of a schema on standard input: is it that of FILE?\n"
	        "A datamodel (schema.prisma or a folder), or a schema that was kept.",
	.settings = settings,
	.pipeline = "mig-scan --catalog | mig-check schema=prisma/schema.prisma",
	.read = read_schema,
	.begin = begin,
	.end = end,
};
