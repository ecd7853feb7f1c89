#include "base/paint.h"

#include "base/bytes.h"
#include "base/page.h"
#include "check.h"

/* {r error}: between the mark of red and that of plain; so y, g, b. */
static const struct {
	const char *name, *lines, *painted;
} messages[] = {
	{ "the label of an error", "mig-scan: error: cannot reach x: error: y", "mig-scan: {r error:} cannot reach x: error: y" },
	{ "behind a place", "prisma/migrations/1 a/migration.sql:2:1: error: no", "prisma/migrations/1 a/migration.sql:2:1: {r error:} no" },
	{ "a warning", "mig-plan: warning: no", "mig-plan: {y warning:} no" },
	{ "not in a fact", "  held by  x: error: y", "  held by  x: error: y" },
	{ "not in a line below", "mig-scan: a\nx: error: y", "mig-scan: a\nx: error: y" },
	{ "a caret", "    5 | SELECT 1\n      |      ^", "    5 | SELECT 1\n      |      {r ^}" },
	{ "not that of a script", "    5 | SELECT 1 ^", "    5 | SELECT 1 ^" },
	{ "a step that failed", " 2/4  20261120_order  failed   0.04 s", " 2/4  20261120_order  {r failed}   0.04 s" },
	{ "a name that is a state", " 2/4  failed  applied  0.04 s", " 2/4  failed  {g applied}  0.04 s" },
	{ "one that waits", " 12/40  a  waiting  9.6 s of 10 min", " 12/40  a  {y waiting}  9.6 s of 10 min" },
	{ "what was done", "applied 4 of 4 in 2 s", "{g applied} 4 of 4 in 2 s" },
	{ "no sum", "applied by another", "applied by another" },
	{ "the next command", "next: mig-scan | mig-plan", "next: {b mig-scan | mig-plan}" },
	{ "behind a reason", "next: correct it:  mig deploy    (again)", "next: correct it:  {b mig deploy}    (again)" },
	{ "alone on its line", "next: correct the file, and run it:\n  mig-scan | mig-apply\n  mig-scan", "next: correct the file, and run it:\n  {b mig-scan | mig-apply}\n  mig-scan" },
	{ "no command", "next: wait\nmore", "next: wait\nmore" },
};

static void
show_marks(struct bytes *out, const char *text)
{
	static const struct {
		char mark;
		const char *shown;
	} marks[] = { { PAGE_RED[0], "{r " }, { PAGE_YELLOW[0], "{y " }, { PAGE_GREEN[0], "{g " }, { PAGE_BOLD[0], "{b " }, { PAGE_PLAIN[0], "}" } };
	size_t i;

	for (; *text != '\0'; text++) {
		for (i = 0; i < sizeof marks / sizeof *marks && marks[i].mark != *text; i++)
			;
		if (i < sizeof marks / sizeof *marks)
			bytes_str(out, marks[i].shown);
		else
			bytes_char(out, *text);
	}
}

int
main(void)
{
	struct bytes painted = { 0 }, shown = { 0 };
	size_t i;

	for (i = 0; i < sizeof messages / sizeof *messages; i++) {
		painted.len = shown.len = 0;
		paint_message(&painted, messages[i].lines);
		show_marks(&shown, painted.data);
		check_text(messages[i].name, shown.data, messages[i].painted);
		shown.len = 0;
		paint_show(&shown, painted.data, false);
		check_text("without colour nothing is added", shown.data, messages[i].lines);
	}
	shown.len = 0;
	paint_show(&shown, PAGE_RED "a" PAGE_PLAIN PAGE_BOLD "b" PAGE_PLAIN PAGE_DIM "c", true);
	check_text("the sequences", shown.data, "\033[1;31ma\033[0m\033[1mb\033[0m\033[2mc");
	painted.len = 0;
	paint_page(&painted, "x: error: y\nnext: mig-scan");
	check_text("of a page only the command", painted.data, "x: error: y\nnext: " PAGE_BOLD "mig-scan" PAGE_PLAIN);
	bytes_free(&painted);
	bytes_free(&shown);
	return checks_failed();
}
