#include "check/page_internal.h"

#include <stdlib.h>

#include "base/bytes.h"

void
check_page_svg(struct bytes *out, const struct check_jobs *jobs, const struct picture *picture)
{
	const char *target = NULL;
	char *title;
	size_t i;

	for (i = 0; i < jobs->count && target == NULL; i++)
		if (jobs->jobs[i].target.label.len > 0)
			target = jobs->jobs[i].target.label.data;
	title = xformat("time until a check had its answer%s%s: %s", target != NULL ? ", " : "", target != NULL ? target : "",
	    check_word(check_page_worst(jobs)));
	picture_svg(out, picture, title);
	free(title);
}

void
check_page_svg_unknown(struct bytes *out, const char *why)
{
	struct picture nothing;
	char *title = xformat("UNKNOWN: %s", why);

	picture_begin(&nothing);
	picture_svg(out, &nothing, title);
	free(title);
}
