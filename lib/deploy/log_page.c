/* A deploy as people read it, in `mig-scan --log`. */
#include "deploy/log.h"

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/hidden.h"
#include "base/message.h"
#include "base/page.h"
#include "deploy/restore_point.h"
#include "records/model.h"
#include "records/words.h"

enum { NAMES_SHOWN = 10 };

static void
add_line(struct bytes *out, const char *label, const char *text)
{
	bytes_format(out, "    %s", label);
	hidden_strip(out, text);
	bytes_char(out, '\n');
}

static void
add_names(struct bytes *out, const char *const names[])
{
	size_t i;

	for (i = 0; names[i] != NULL; i++)
		if (message_verbosity > 0 || i < NAMES_SHOWN)
			add_line(out, "", names[i]);
	if (message_verbosity <= 0 && i > NAMES_SHOWN)
		bytes_format(out, "    %s %zu more (-v shows all)\n", "…", i - NAMES_SHOWN);
}

static void
add_who(struct bytes *out, const struct deployed *d)
{
	struct bytes who = { 0 };

	if (d->deployer != NULL)
		bytes_format(&who, "by %s", d->deployer);
	if (d->deployer_host != NULL)
		bytes_format(&who, "%son %s", who.len > 0 ? " " : "", d->deployer_host);
	if (d->job != NULL)
		bytes_format(&who, "%s%s", who.len > 0 ? ", " : "", d->job);
	if (who.len > 0)
		add_line(out, "", who.data);
	bytes_free(&who);
}

void
log_page(struct bytes *out, const struct deployed *d, const char *const names[])
{
	bool good = d->status == DEPLOYED_APPLIED || d->status == DEPLOYED_REVERTED || d->status == DEPLOYED_MARKED;
	struct bytes before = { 0 }, place = { 0 }, why = { 0 };
	char when[CLOCK_INSTANT];

	bytes_format(out, "%s  %s%s" PAGE_PLAIN, clock_readable(d->started_at, when), good ? PAGE_GREEN : PAGE_RED,
	    deployed_status_words[d->status]);
	if (d->steps > 0) {
		bytes_format(out, " %lld of ", d->done);
		page_count(out, (size_t)d->steps, "step");
	}
	page_place(&place, d->database != NULL ? d->database : "?", d->host, d->port, d->schema);
	bytes_str(out, "  ");
	hidden_strip(out, place.data);
	bytes_char(out, '\n');
	add_names(out, names);
	if (d->stopped_at != NULL) {
		bytes_format(&why, "%s%s%s", d->stopped_at, d->message != NULL ? ": " : "", d->message != NULL ? d->message : "");
		if (d->sqlstate != NULL)
			bytes_format(&why, " [%s]", d->sqlstate);
		add_line(out, "stopped at ", why.data);
	} else if (!good && d->message != NULL) {
		add_line(out, "", d->message);
	}
	add_who(out, d);
	if (d->note != NULL)
		add_line(out, "note: ", d->note);
	restore_point_text(&before, d->server_time, d->lsn);
	if (d->restore_point != NULL)
		bytes_format(&before, ", or to the restore point %s", d->restore_point);
	if (before.len > 0)
		add_line(out, "to get back: restore to ", before.data);
	add_line(out, "", d->file);
	bytes_free(&before);
	bytes_free(&place);
	bytes_free(&why);
}
