#include "plan/psql_script.h"

#include <string.h>

#include "base/mig.h"
#include "base/page.h"
#include "migrations/folder.h"
#include "migrations/history.h"
#include "migrations/script_path.h"
#include "plan/psql_script_internal.h"
#include "records/words.h"

/* Names can hold anything, and a comment ends with its line. */
static void
add_comment(const struct psql *p, const char *text)
{
	for (; *text != '\0'; text++)
		bytes_char(p->out, (unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text);
}

/* What a step is of: the file, where one is run. */
static void
add_script(const struct psql *p, const struct step *step)
{
	struct bytes path = { 0 };

	if (step->sql != NULL)
		script_path_of(&path, p->planned->folder, step->migration, step_file(step));
	add_comment(p, step->sql != NULL ? path.data : step->migration);
	bytes_free(&path);
}

int
psql_script(struct bytes *out, const struct planned *planned, const char *digest, const char *command, struct refusal *refusal)
{
	const struct plan *d = &planned->plan;
	struct psql p = { .out = out, .planned = planned, .command = command, .schema = d->schema, .refusal = refusal };
	struct bytes place = { 0 };
	int code = 0;
	size_t i;

	if (d->history_digest == NULL) {
		(void)refusal_make(refusal, MIG_DATA, "a script for psql needs the database side: it must know the history from which it starts");
		refusal_line(refusal, "next: make the plan from a scan that has the database, without --from-empty");
		return MIG_DATA;
	}
	if (d->history_sha256 == NULL && d->history_rows > 0) {
		(void)refusal_make(refusal, MIG_DATA, "this plan was kept by an older release: it has no sum of the history that psql can check");
		refusal_line(refusal, "next: make the plan again from a scan");
		return MIG_DATA;
	}
	bytes_format(out, "-- plan %.16s for ", digest);
	page_place(&place, d->database, d->host, d->port, d->schema);
	add_comment(&p, place.data);
	bytes_free(&place);
	bytes_str(out, "\n-- Run it with:  psql -X -f FILE\n"
	               "\\set ON_ERROR_STOP on\n\\set AUTOCOMMIT on\n\\set ON_ERROR_ROLLBACK off\n"
	               "\\set SINGLELINE off\n\\set FETCH_COUNT 0\n");
	if (planned->step_count == 0) {
		bytes_str(out, "-- nothing to do\n");
		return 0;
	}
	psql_set_readings(&p);
	bytes_str(out, psql_show_all_rows);
	psql_take_lock(&p);
	psql_check_target(&p);
	psql_check_history(&p);
	psql_make_history(&p);
	psql_enter_schema(&p);
	psql_keep_role(&p);
	for (i = 0; code == 0 && i < planned->step_count; i++) {
		const struct step *step = &planned->steps[i];

		bytes_format(out, "\n-- step %lld of %zu: ", step->step, planned->step_count);
		add_script(&p, step);
		bytes_format(out, "\n\\echo %lld/%zu %s\n", step->step, planned->step_count,
		    step->action == ACTION_REVERT ? "taking back" : "applying");
		if (i > 0)
			psql_set_readings(&p);
		if (step->sql != NULL)
			code = psql_write_apply(&p, step);
		else
			psql_write_mark(&p, step);
	}
	if (code == 0)
		bytes_format(out, "\n\\echo %s %zu of %zu\n", planned->steps[0].action == ACTION_REVERT ? "took back" : "applied",
		    planned->step_count, planned->step_count);
	return code;
}
