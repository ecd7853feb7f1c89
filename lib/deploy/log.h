/*
 * Shows who deployed what, by the result files that were kept: those of mig-apply -o, and in the folders of mig-release.
 *
 * A file is read twice, first for its time and then to be shown, so that memory holds the names and times of all files and the
 * results of one.  A file that is broken is reported, and the others are shown.
 */
#ifndef MIG_DEPLOY_LOG_H
#define MIG_DEPLOY_LOG_H

#include <stddef.h>

#include "base/bytes.h"
#include "records/model.h"
#include "records/output.h"

/*
 * Of a folder every *.rec below it that has results; a path may be "-".  Newest first.  Returns 0, or MIG_DATA or another code if
 * something could not be read, reported; then the stream ends with `failed`.
 */
int log_show(char *const paths[], size_t count, struct output *out);

/* Appends one deploy to a page.  `names`: of the migrations that are done; NULL ends them. */
void log_page(struct bytes *out, const struct deployed *deployed, const char *const names[]);

#endif
