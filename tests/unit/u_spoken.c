#include "base/spoken.h"

#include <stdlib.h>

#include "check.h"

/* A printed line, and how it is where mig alone is there. */
static const struct {
	const char *line, *spoken;
} rows[] = {
	{ "next: mig-scan | mig-plan | mig-apply", "next: mig deploy" },
	{ "next:  mig-scan -d env:A m | mig-plan --to=2_b | mig-apply -d env:A", "next:  mig deploy -d env:A m --to=2_b" },
	{ "  mig-scan 'a  b|c' | mig-plan    (shows it)", "  mig plan 'a  b|c'    (shows it)" },
	{ "x:  mig-scan --wait=2min | mig-plan | mig-apply --wait=2min -o 'r.rec'", "x:  mig deploy --wait=2min -o 'r.rec'" },
	{ "x:  mig-scan -d env:A | mig-plan | mig-apply -d env:A --expect 671cc30071ee78d6",
	    "x:  mig deploy -d env:A --expect 671cc30071ee78d6" },
	/* two strings, two times: one command line would not say it */
	{ "x:  mig-scan -d env:A | mig-plan | mig-apply -d env:B", "x:  mig scan -d env:A | mig plan - | mig apply -d env:B" },
	{ "x:  mig-scan | mig-plan | mig-apply --wait=1h", "x:  mig scan | mig plan - | mig apply --wait=1h" },
	{ "x:  mig-scan --max-stall=1s | mig-plan --max-stall=2s | mig-apply", "x:  mig scan --max-stall=1s | mig plan --max-stall=2s - | mig apply" },
	{ "x:  mig-scan -o s.rec | mig-plan", "x:  mig scan -o s.rec | mig plan -" },
	{ "x:  mig-scan --offline | mig-scan -", "x:  mig scan --offline | mig scan -" },
	{ "x:  mig-scan - | mig-plan", "x:  mig scan - | mig plan -" },
	{ "x:  mig-plan scan.rec | mig-apply", "x:  mig plan scan.rec | mig apply" },
	{ "x:  mig-scan | mig-plan -v | mig-apply -v", "x:  mig deploy -v" },
	{ "x:  mig-scan | mig-check history history.pending=ok", "x:  mig check history history.pending=ok" },
	{ "x:  mig-scan m | mig-check history", "x:  mig scan m | mig check history" },
	{ "x:  mig-scan | mig-plan | mig-apply | mig-check deploy", "x:  mig deploy | mig check deploy" },
	{ "  mig-apply --expect 4f7cb550d69c7918 plan.rec\n  mig-check deploy", "  mig apply --expect 4f7cb550d69c7918 plan.rec\n  mig check deploy" },
	{ "more (mig-plan -v shows them)", "more (mig plan -v shows them)" },
	{ "mig-scan | jq .", "mig-scan | jq ." },
	/* the name of a session, of a file, of a program in a sentence */
	{ "held by pid 12, mig-apply 1_a, deployer", "held by pid 12, mig-apply 1_a, deployer" },
	{ "./mig-scan.rec and mig-scanner", "./mig-scan.rec and mig-scanner" },
	{ "mig: mig-scan was ended by signal 9", "mig: mig-scan was ended by signal 9" },
	{ "nothing was applied (mig-scan failed)", "nothing was applied (mig-scan failed)" },
	{ "10 edited (mig-scan shows them)", "10 edited (mig scan shows them)" },
	{ "a deadlock with mig-apply 1_a", "a deadlock with mig-apply 1_a" },
	{ "", "" },
};

int
main(void)
{
	size_t i;
	char *text;

	check_text("called by its own name", text = spoken(rows[0].line), rows[0].line);
	free(text);
	spoken_begin();
	for (i = 0; i < sizeof rows / sizeof *rows; i++) {
		check_text(rows[i].line, text = spoken(rows[i].line), rows[i].spoken);
		free(text);
	}
	return checks_failed();
}
