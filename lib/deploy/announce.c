#include "deploy/announce.h"

#include <string.h>

#include "base/clock.h"
#include "base/hidden.h"
#include "base/null.h"
#include "base/page.h"
#include "deploy/restore_point.h"
#include "records/json.h"
#include "records/words.h"

enum { PAYLOAD_BYTES = 8000 };

/* --- the line --- */

static void
add_part(struct bytes *out, const char *word, const char *text)
{
	if (text != NULL)
		bytes_format(out, "%s%s", word, text);
}

/* Everything but ASCII is replaced where the database could not have it. */
static void
add_shown(struct bytes *out, const struct bytes *text, bool ascii)
{
	struct bytes shown = { 0 };
	const char *c;

	hidden_strip(&shown, bytes_text(text));
	for (c = bytes_text(&shown); *c != '\0'; c++) {
		unsigned char byte = (unsigned char)*c;

		if (!ascii || byte < 0x80)
			bytes_char(out, *c);
		else if (byte >= 0xC0)
			bytes_char(out, '?'); /* once for each character */
	}
	bytes_free(&shown);
}

void
announce_line(struct bytes *out, const struct announce *a)
{
	const struct run *run = a->run;
	struct bytes text = { 0 }, before = { 0 };
	char span[CLOCK_SPAN];

	bytes_format(&text, "mig-apply: plan %.16s, %zu of ", run->plan_digest, a->done);
	page_count(&text, a->count, "step");
	bytes_format(&text, " done in %s, %s", clock_span(a->took_ms, span), a->steps[0].migration);
	if (a->count > 1)
		add_part(&text, " to ", a->steps[a->count - 1].migration);
	add_part(&text, ", stopped at ", a->stopped_at);
	if (a->exit_code != 0)
		bytes_format(&text, ", exit code %d", a->exit_code);
	restore_point_text(&before, run->server_time, run->lsn);
	if (before.len > 0)
		bytes_format(&text, ", to get back: restore to %s", before.data);
	add_part(&text, ", by ", run->deployer);
	add_part(&text, ", from ", run->deployer_host);
	add_part(&text, ", job ", run->job);
	add_part(&text, ", note: ", run->note);
	add_shown(out, &text, a->ascii);
	bytes_free(&text);
	bytes_free(&before);
}

/* --- the object --- */

static void
add_text(struct bytes *out, const char *key, const char *value)
{
	bytes_format(out, "%s\"%s\":", out->len > 1 ? "," : "", key);
	if (value != NULL)
		json_add_text(out, value);
	else
		bytes_str(out, "null");
}

static void
add_number(struct bytes *out, const char *key, long long value)
{
	bytes_format(out, ",\"%s\":", key);
	if (value != NUMBER_UNKNOWN)
		bytes_format(out, "%lld", value);
	else
		bytes_str(out, "null");
}

static void
add_object(struct bytes *out, const struct announce *a, bool brief)
{
	const struct run *run = a->run;

	bytes_char(out, '{');
	add_text(out, "event", a->ends ? "end" : "begin");
	add_text(out, "plan_digest", run->plan_digest);
	add_text(out, "system_identifier", run->system_identifier);
	add_text(out, "database", run->database);
	add_text(out, "schema", run->schema);
	add_text(out, "user", run->user);
	add_text(out, "action", step_action_words[a->steps[0].action]);
	add_number(out, "steps", (long long)a->count);
	if (!brief) {
		add_text(out, "first", a->steps[0].migration);
		add_text(out, "last", a->steps[a->count - 1].migration);
	}
	add_text(out, "started_at", run->started_at);
	add_text(out, "server_time", run->server_time);
	add_text(out, "lsn", run->lsn);
	add_number(out, "timeline", run->timeline);
	add_text(out, "restore_point", run->restore_point);
	if (a->ends) {
		add_number(out, "done", (long long)a->done);
		add_text(out, "stopped_at", brief ? NULL : a->stopped_at);
		add_number(out, "exit_code", a->exit_code);
		add_number(out, "took_ms", a->took_ms);
	}
	add_text(out, "deployer", run->deployer);
	add_text(out, "deployer_host", run->deployer_host);
	add_text(out, "job", run->job);
	add_text(out, "note", brief ? NULL : run->note);
	bytes_char(out, '}');
}

/* One character of UTF-8 as \uXXXX, or as two of them; returns how many bytes it had. */
static size_t
escape(struct bytes *out, const char *text)
{
	const unsigned char *c = (const unsigned char *)text;
	size_t more = c[0] >= 0xF0 ? 3 : c[0] >= 0xE0 ? 2 : 1, i;
	unsigned long code = c[0] & (0x3FuL >> more);

	for (i = 1; i <= more; i++)
		code = code << 6 | (c[i] & 0x3F);
	if (code >= 0x10000)
		bytes_format(out, "\\u%04lX\\u%04lX", 0xD800 + ((code - 0x10000) >> 10), 0xDC00 + (code & 0x3FF));
	else
		bytes_format(out, "\\u%04lX", code);
	return more + 1;
}

void
announce_payload(struct bytes *out, const struct announce *a)
{
	struct bytes object = { 0 }, shown = { 0 };
	const char *c;
	bool brief = false;

	do {
		object.len = shown.len = 0;
		add_object(&object, a, brief);
		for (c = object.data; *c != '\0'; c += a->ascii && (unsigned char)*c >= 0x80 ? escape(&shown, c) : (bytes_char(&shown, *c), 1u))
			;
		brief = !brief;
	} while (brief && shown.len >= PAYLOAD_BYTES);
	bytes_str(out, shown.data);
	bytes_free(&object);
	bytes_free(&shown);
}
