#include "migrations/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/message.h"
#include "base/null.h"
#include "base/page.h"
#include "base/terminal.h"
#include "base/width.h"

enum { FIRST_MS = 10000, EVERY_MS = 30000 };

void
progress_begin(struct progress *p, const struct step *steps, size_t count)
{
	size_t i;

	*p = (struct progress){ .steps = count };
	for (i = 0; i < count; i++) {
		size_t n = width_columns(steps[i].migration, strlen(steps[i].migration));

		p->name_width = n > p->name_width ? n : p->name_width;
	}
	progress_restart(p);
}

void
progress_step(struct progress *p)
{
	p->next_ms = p->next_waiting_ms = FIRST_MS;
}

void
progress_restart(struct progress *p)
{
	p->next_ms = FIRST_MS;
}

/* limit_ms: how long the step may wait in all; NUMBER_UNKNOWN: it does not wait.  columns: what the line may take; 0: all. */
static void
line(const struct progress *p, struct bytes *out, const struct step *step, const char *state, long long ms,
    long long limit_ms, const char *note, size_t columns)
{
	enum { OTHERS = 10 + 2 + 40 }; /* number; state, time and a piece of the note */
	size_t width = page_name_width(p->name_width, columns, OTHERS);
	char number[24], span[CLOCK_SPAN], limit[CLOCK_SPAN];

	snprintf(number, sizeof number, "%zu", p->steps);
	bytes_format(out, " %*lld/%zu  ", (int)strlen(number), step->step, p->steps);
	page_pad_cut(out, step->migration, width, width + 2);
	bytes_format(out, columns == 0 ? "%-8s %12s" : "%-8s %s", state, clock_span(ms, span));
	if (limit_ms != NUMBER_UNKNOWN)
		bytes_format(out, " of %s", clock_age(limit_ms + 500, limit));
	if (*note != '\0')
		bytes_format(out, "   %s", note);
}

/* On a terminal at once; elsewhere when the next message is due. */
static void
tick(const struct progress *p, const struct step *step, const char *state, long long ms, long long limit_ms,
    const char *note, long long *next_ms)
{
	struct bytes text = { 0 };

	if (message_verbosity < 0 || (!message_is_live() && ms < *next_ms))
		return;
	line(p, &text, step, state, ms, limit_ms, note, message_is_live() ? terminal_width(STDERR_FILENO) : 0);
	if (message_is_live()) {
		message_live("%s", text.data);
	} else {
		message_line("%s", text.data);
		while (*next_ms <= ms)
			*next_ms += EVERY_MS;
	}
	bytes_free(&text);
}

void
progress_running(struct progress *p, const struct step *step, long long ms, const char *note)
{
	tick(p, step, "running", ms, NUMBER_UNKNOWN, note, &p->next_ms);
}

void
progress_waiting(struct progress *p, const struct step *step, long long ms, long long limit_ms, const char *note)
{
	tick(p, step, "waiting", ms, limit_ms, note, &p->next_waiting_ms);
}

void
progress_statements(struct bytes *note, const char *sql, const struct sql_script *script, size_t first, size_t count)
{
	const struct sql_statement *statement = &script->statements[first];
	char words[48];

	if (count != 1) {
		bytes_format(note, "one of statements %zu to %zu", first + 1, first + count);
		return;
	}
	sql_words(sql, statement, words, sizeof words);
	bytes_format(note, "statement %zu of %zu, line %lu: %s", first + 1, script->count,
	    sql_place(sql, strlen(sql), statement->start).line, words);
}

void
progress_end(struct progress *p, const struct step *step, const char *status, long long ms, const char *note)
{
	struct bytes text = { 0 };

	if (message_verbosity < 0)
		return;
	line(p, &text, step, status, ms, NUMBER_UNKNOWN, note, 0);
	message_line("%s", text.data);
	bytes_free(&text);
}
