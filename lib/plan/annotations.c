#include "plan/annotations.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/bytes.h"
#include "base/null.h"
#include "base/page.h"
#include "base/terminal.h"
#include "migrations/script_path.h"
#include "plan/finding_text.h"
#include "plan/plan.h"
#include "records/model.h"
#include "records/words.h"

static const char *const commands[] = {
	[SEVERITY_ERROR] = "error",
	[SEVERITY_WARNING] = "warning",
	[SEVERITY_NOTE] = "notice",
};

static void
escaped(struct bytes *out, const char *text, bool property)
{
	size_t skip;

	for (; *text != '\0'; text += skip > 0 ? skip : 1) {
		skip = *text == '\r' ? 0 : terminal_control(text);
		if (skip > 0)
			bytes_str(out, "\xEF\xBF\xBD");
		else if (*text == '%' || *text == '\r' || *text == '\n' || (property && (*text == ':' || *text == ',')))
			bytes_format(out, "%%%02X", (unsigned char)*text);
		else
			bytes_char(out, *text);
	}
}

/* Of a migration without a script there is no file that could be shown. */
static bool
has_file(const struct finding *f)
{
	return f->migration != NULL && strcmp(f->rule, "missing") != 0 && strcmp(f->rule, "no_script") != 0;
}

static void
annotation(struct bytes *out, const struct planned *planned, const struct finding *f)
{
	struct bytes path = { 0 }, text = { 0 }, remedy = { 0 };

	bytes_format(out, "::%s ", commands[f->severity]);
	if (has_file(f)) {
		script_path_of(&path, planned->folder, f->migration, planned_file(planned));
		bytes_str(out, "file=");
		escaped(out, path.data + (strncmp(path.data, "./", 2) == 0 ? 2 : 0), true);
		if (f->line != NUMBER_UNKNOWN)
			bytes_format(out, ",line=%lld,col=%lld", f->line, f->column);
		bytes_char(out, ',');
	} else if (f->migration != NULL) {
		bytes_format(&text, "%s: ", f->migration);
	}
	bytes_format(out, "title=mig %s::", f->rule);
	finding_remedy(&remedy, planned->folder, f);
	bytes_format(&text, "%s%s%s", f->message, remedy.len > 0 ? "\n" : "", bytes_text(&remedy));
	escaped(out, text.data, false);
	bytes_char(out, '\n');
	bytes_free(&path);
	bytes_free(&text);
	bytes_free(&remedy);
}

static void
sum(struct bytes *out, const struct planned *planned, const char *digest)
{
	struct bytes text = { 0 };

	if (planned->plan.database != NULL) {
		page_place(&text, planned->plan.database, planned->plan.host, planned->plan.port, planned->plan.schema);
		bytes_str(&text, ": ");
	}
	if (planned->errors > 0) {
		bytes_str(&text, "the plan is refused, ");
		page_count(&text, planned->errors, "error");
	} else if (planned->step_count == 0) {
		bytes_str(&text, "nothing to do");
	} else {
		page_count(&text, planned->step_count, "step");
		bytes_str(&text, ", ");
		page_count(&text, planned->warnings, "warning");
		if (planned->plan.history_digest != NULL)
			bytes_format(&text, "; to approve: mig-apply --expect %.16s", digest);
	}
	bytes_str(out, "::notice title=mig plan::");
	escaped(out, text.data, false);
	bytes_char(out, '\n');
	bytes_free(&text);
}

void
annotations_plan(struct bytes *out, const struct planned *planned, const char *digest)
{
	static const enum severity order[] = { SEVERITY_ERROR, SEVERITY_WARNING, SEVERITY_NOTE };
	size_t i, k;

	for (k = 0; k < sizeof order / sizeof *order; k++)
		for (i = 0; i < planned->finding_count; i++)
			if (planned->findings[i].severity == order[k])
				annotation(out, planned, &planned->findings[i]);
	sum(out, planned, digest);
}
