/*
 * Verdicts as JUnit's XML, as CI servers read it: a test case for each check.
 *
 * Source: the schema that Jenkins' xUnit plugin publishes (junit-10.xsd), in the part that GitLab and others read too.
 */
#include "check/page_internal.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"

static void
attribute(struct bytes *out, const char *name, const char *value)
{
	bytes_format(out, " %s=\"", name);
	check_page_xml(out, value);
	bytes_char(out, '"');
}

static void
seconds(struct bytes *out, long long ms)
{
	bytes_format(out, " time=\"%lld.%03lld\"", ms / 1000, ms % 1000);
}

static void
head(struct bytes *out, size_t tests, size_t failures, size_t errors, long long took_ms)
{
	static const char *const names[] = { "testsuites", "testsuite" };
	size_t i;

	bytes_str(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	for (i = 0; i < sizeof names / sizeof *names; i++) {
		bytes_format(out, "<%s name=\"mig-check\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\"", names[i], tests, failures, errors);
		seconds(out, took_ms);
		bytes_str(out, ">\n");
	}
}

static void
tail(struct bytes *out)
{
	bytes_str(out, "</testsuite>\n</testsuites>\n");
}

static void
test_case(struct bytes *out, const struct check_job *job)
{
	const struct check_outcome *o = &job->outcome;
	const char *what = o->state == CHECK_OK ? "system-out" : o->state == CHECK_UNKNOWN ? "error" : "failure";
	struct bytes message = { 0 };

	check_page_message(&message, o);
	bytes_str(out, "<testcase");
	attribute(out, "classname", job->target.label.len > 0 ? job->target.label.data : "mig-check");
	attribute(out, "name", o->name);
	seconds(out, o->took_ms);
	bytes_format(out, ">\n<%s", what);
	if (o->state != CHECK_OK) {
		attribute(out, "type", check_word(o->state));
		attribute(out, "message", bytes_text(&message));
	}
	bytes_char(out, '>');
	check_page_xml(out, bytes_text(o->state == CHECK_OK ? &message : &o->details));
	bytes_format(out, "</%s>\n</testcase>\n", what);
	bytes_free(&message);
}

void
check_page_junit(struct bytes *out, const struct check_jobs *jobs)
{
	size_t failures = 0, errors = 0, i;
	long long took_ms = 0;

	for (i = 0; i < jobs->count; i++) {
		const struct check_outcome *o = &jobs->jobs[i].outcome;

		failures += o->state == CHECK_WARNING || o->state == CHECK_CRITICAL;
		errors += o->state == CHECK_UNKNOWN;
		took_ms += o->took_ms;
	}
	head(out, jobs->count, failures, errors, took_ms);
	for (i = 0; i < jobs->count; i++)
		test_case(out, &jobs->jobs[i]);
	tail(out);
}

void
check_page_junit_unknown(struct bytes *out, const char *why)
{
	head(out, 1, 0, 1, 0);
	bytes_str(out, "<testcase classname=\"mig-check\" name=\"mig-check\" time=\"0.000\">\n<error type=\"UNKNOWN\"");
	attribute(out, "message", why);
	bytes_str(out, "></error>\n</testcase>\n");
	tail(out);
}
