#include "diff/page.h"

#include <string.h>

#include "base/bytes.h"
#include "base/page.h"
#include "catalog/catalog.h"

void
page_origin(struct bytes *out, const struct catalog *c)
{
	if (c == NULL)
		bytes_str(out, "nothing");
	else if (c->origin != NULL)
		bytes_format(out, "%s (%s)", c->origin, c->source);
	else
		bytes_str(out, c->source);
}

static void
head(struct bytes *out, const struct catalog *from, const struct catalog *to, const struct diff *diff)
{
	size_t loses = 0, i;

	for (i = 0; i < diff->difference_count; i++)
		loses += diff->differences[i].damage == DAMAGE_LOSES;
	if (diff->difference_count == 0 && diff->step_count == 0) {
		bytes_str(out, PAGE_GREEN "no difference" PAGE_PLAIN "\n");
	} else {
		page_count(out, diff->difference_count, "difference");
		if (loses > 0) {
			bytes_str(out, ", " PAGE_RED);
			bytes_format(out, "%zu of them lose%s rows or values", loses, loses == 1 ? "s" : "");
			bytes_str(out, PAGE_PLAIN);
		}
		bytes_char(out, '\n');
	}
	bytes_str(out, "from  ");
	page_origin(out, from);
	bytes_str(out, "\nto    ");
	page_origin(out, to);
	bytes_char(out, '\n');
}

static const char *
colour(enum damage damage)
{
	switch (damage) {
	case DAMAGE_LOSES:
		return PAGE_RED;
	case DAMAGE_MAY_FAIL:
		return PAGE_YELLOW;
	default:
		return "";
	}
}

static void
add_line(struct bytes *out, const struct difference *d)
{
	static const char *const marks[] = { "+", "-", "~", "~" };
	const char *c = colour(d->damage);

	bytes_format(out, "%s%s ", c, marks[d->change]);
	difference_line(d, out);
	bytes_format(out, "%s\n", *c != '\0' ? PAGE_PLAIN : "");
}

void
page_diff(struct bytes *out, const struct catalog *from, const struct catalog *to, const struct diff *diff)
{
	struct bytes uncovered = { 0 };
	size_t i;

	head(out, from, to, diff);
	if (diff->difference_count > 0)
		bytes_char(out, '\n');
	for (i = 0; i < diff->difference_count; i++)
		add_line(out, &diff->differences[i]);
	for (i = 0; i < diff->finding_count; i++) {
		const struct diff_finding *f = &diff->findings[i];

		bytes_format(out, "%s%s: %s [%s]\n", i == 0 ? "\n" : "", severity_words[f->severity], f->message, f->rule);
		if (f->remedy != NULL)
			bytes_format(out, "  %s\n", f->remedy);
	}
	if (from != NULL)
		diff_uncovered(from, to, &uncovered);
	if (uncovered.len > 0)
		bytes_format(out, "\nnot compared, since only one side knows them: %s\n", uncovered.data);
	bytes_free(&uncovered);
}
