/*
 * A list of targets, as mig-fleet(1) describes it: NAME TAB SERVER TAB WAVE TAB SOURCE, and in some lines TAB SCHEMA.  Lines that
 * are empty or begin with # are remarks.  No message repeats a source, which may have a secret in it.
 *
 * Pure.
 */
#ifndef MIG_CHECK_FLEET_LIST_H
#define MIG_CHECK_FLEET_LIST_H

#include <stdbool.h>

/* Whether a line, with or without its line break, is a target and no remark. */
bool fleet_list_is_target(const char *line);

/* Why a target cannot be used, or NULL: static text. */
const char *fleet_list_fault(const char *line);

#endif
