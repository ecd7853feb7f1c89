/*
 * The findings of a plan as workflow commands of GitHub Actions ("::warning file=...,line=...::..."), which the runner
 * shows at the lines of a pull request.  Pure.
 *
 * Source: GitHub's documentation, "Workflow commands for GitHub Actions", and the escapes of actions/toolkit: % CR LF
 * in messages, and : and , in properties.
 */
#ifndef MIG_PLAN_ANNOTATIONS_H
#define MIG_PLAN_ANNOTATIONS_H

#include "base/bytes.h"
#include "plan/plan.h"

/*
 * Appends a line for each finding, errors first since the runner shows only the first ten of each severity, and one
 * with the sum and the digest of the plan.  Paths are those of the folder as it was given to the scan: relative to the
 * repository's root where the scan ran there.
 */
void annotations_plan(struct bytes *out, const struct planned *planned, const char *digest);

#endif
