#include "deploy/announce.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/null.h"
#include "check.h"

static struct step steps[2];
static struct run run = { .plan_digest = "4f7cb550d69c7918aa", .database = "shop", .schema = "public", .user = "deployer",
	.started_at = "2026-11-28T03:41:07.000Z", .server_time = "2026-11-28T03:41:07.123999Z", .lsn = "0/1A2B3C8", .timeline = 1 };

static void
check_line(const char *what, const struct announce *announce, const char *want)
{
	struct bytes line = { 0 };

	announce_line(&line, announce);
	check_text(what, line.data, want);
	bytes_free(&line);
}

/* A text of `count` times a part. */
static char *
many(const char *part, size_t count)
{
	struct bytes text = { 0 };

	while (count-- > 0)
		bytes_str(&text, part);
	return text.data;
}

static void
check_lengths(void)
{
	static const char *const parts[] = { "x", "\"", "\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x9A\x80" };
	struct announce a = { .run = &run, .steps = steps, .count = 2, .ends = true, .ascii = true };
	size_t i;

	for (i = 0; i < sizeof parts / sizeof *parts; i++) {
		size_t len = strlen(parts[i]);
		char *note = many(parts[i], 1000 / len), *name = many(parts[i], 255 / len), *place = many(parts[i], 63 / len);
		struct bytes payload = { 0 };

		steps[0].migration = steps[1].migration = a.stopped_at = name;
		run.database = run.schema = run.user = place;
		run.note = note;
		announce_payload(&payload, &a);
		check(parts[i], payload.len < 8000 && payload.data[payload.len - 1] == '}');
	
		bytes_free(&payload);
		free(note);
		free(name);
		free(place);
	}
}

int
main(void)
{
	struct announce a = { .run = &run, .steps = steps, .count = 2, .ends = true, .done = 1, .stopped_at = "2_b", .exit_code = 1, .took_ms = 310 };
	struct bytes payload = { 0 };

	steps[0] = (struct step){ .migration = "1_a" };
	steps[1] = (struct step){ .migration = "2_b" };
	check_line("one that stopped", &a, "mig-apply: plan 4f7cb550d69c7918, 1 of 2 steps done in 0.31 s, 1_a to 2_b, stopped at 2_b, exit code 1, "
	    "to get back: restore to 2026-11-28 03:41:07.123+00, before lsn 0/1A2B3C8");
	a = (struct announce){ .run = &run, .steps = steps, .count = 1, .ends = true, .done = 1, .took_ms = 310 };
	run.deployer = "alice";
	run.deployer_host = "ci-7";
	run.job = "https://ci/1";
	run.note = "ships \xC3\xA4\xE2\x82\xAC";
	run.server_time = NULL;
	check_line("with all that is known of it", &a, "mig-apply: plan 4f7cb550d69c7918, 1 of 1 step done in 0.31 s, 1_a, "
	    "to get back: restore to the state before lsn 0/1A2B3C8, by alice, from ci-7, job https://ci/1, note: ships \xC3\xA4\xE2\x82\xAC");
	a.ascii = true;
	run.lsn = NULL;
	steps[0].migration = "1\n\033[1m_a";
	check_line("one line, and only ASCII", &a, "mig-apply: plan 4f7cb550d69c7918, 1 of 1 step done in 0.31 s, 1[1m_a, "
	    "by alice, from ci-7, job https://ci/1, note: ships ??");
	a.ends = false;
	steps[0].migration = "1_\xF0\x9F\x9A\x80";
	run.timeline = NUMBER_UNKNOWN;
	announce_payload(&payload, &a);
	check_text("the object, with escapes", payload.data, "{\"event\":\"begin\",\"plan_digest\":\"4f7cb550d69c7918aa\",\"system_identifier\":null,"
	    "\"database\":\"shop\",\"schema\":\"public\",\"user\":\"deployer\",\"action\":\"apply\",\"steps\":1,\"first\":\"1_\\uD83D\\uDE80\","
	    "\"last\":\"1_\\uD83D\\uDE80\",\"started_at\":\"2026-11-28T03:41:07.000Z\",\"server_time\":null,\"lsn\":null,\"timeline\":null,"
	    "\"restore_point\":null,\"deployer\":\"alice\",\"deployer_host\":\"ci-7\",\"job\":\"https://ci/1\",\"note\":\"ships \\u00E4\\u20AC\"}");
	bytes_free(&payload);
	check_lengths();
	return checks_failed();
}
