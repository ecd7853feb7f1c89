/* Adoption: what is known of a database that is said to have the schema of the first migrations. */
#include "plan/plan_internal.h"

#include <string.h>

#include "base/bytes.h"
#include "base/null.h"
#include "records/json.h"
#include "records/words.h"

/* The scan that compares, and the plan of it. */
static char *
compare_remedy(const struct plan_maker *m, const char *last)
{
	struct shell_words words = { 0 };
	struct bytes text = { 0 };

	if (m->scan->command == NULL)
		return xstrdup("a scan with --rehearse compares the schema first");
	shell_append(&words, m->scan->command);
	if (!m->scan->rehearsed.known)
		shell_option(&words, "--rehearse", NULL);
	shell_option(&words, "--to", last);
	shell_program(&words, "mig-plan");
	shell_option(&words, "--baseline", last);
	shell_command(&text, shell_words(&words));
	bytes_str(&text, "    (compares the schema first)");
	shell_words_free(&words);
	return text.data;
}

/* The differences, a line each. */
static char *
differences_text(const struct prefix *p)
{
	const char *list = p->differences;
	struct bytes text = { 0 }, item = { 0 };
	long long told = 0;
	bool null;

	for (; json_list_next(&list, &item, &null); told++)
		bytes_format(&text, "%s%s", told > 0 ? "\n" : "", bytes_text(&item));
	if (told < p->difference_count)
		bytes_format(&text, "\nand %lld more", p->difference_count - told);
	bytes_free(&item);
	return text.data;
}

void
plan_find_baseline(struct plan_maker *m, const char *last)
{
	const struct rehearsal_records *r = &m->scan->rehearsed;
	const struct prefix *at = NULL, *equal = NULL;
	size_t i;

	for (i = 0; i < r->prefix_count; i++) {
		if (strcmp(r->prefixes[i].migration, last) == 0)
			at = &r->prefixes[i];
		if (r->prefixes[i].equal)
			equal = &r->prefixes[i];
	}
	if (at != NULL && at->equal)
		return;
	if (at != NULL)
		plan_add_finding(m, "not_at", last,
		    xformat("the database does not have the schema that the migrations up to here make: %lld difference%s", at->difference_count,
		        at->difference_count == 1 ? "" : "s"),
		    differences_text(at));
	else if (equal != NULL)
		plan_add_finding(m, "not_at", last,
		    xformat("the database has the schema of the migrations up to %s, and not of those up to here", equal->migration), NULL);
	else
		plan_add_finding(m, "on_faith", last, xstrdup("nobody compared whether the database has what the migrations up to here make"),
		    compare_remedy(m, last));
}
