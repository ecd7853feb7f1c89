/* For unit tests: check(WHAT, CONDITION) reports what does not hold; main returns checks_failed(). */
#ifndef MIG_TESTS_UNIT_CHECK_H
#define MIG_TESTS_UNIT_CHECK_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static unsigned checks_bad;

static inline void
check(const char *what, bool holds)
{
	if (holds)
		return;
	checks_bad++;
	fprintf(stderr, "not so: %s\n", what);
}

static inline void
check_text(const char *what, const char *have, const char *want)
{
	if (have != NULL && want != NULL ? strcmp(have, want) == 0 : have == want)
		return;
	checks_bad++;
	fprintf(stderr, "%s:\n  have %s\n  want %s\n", what, have != NULL ? have : "NULL", want != NULL ? want : "NULL");
}

static inline int
checks_failed(void)
{
	return checks_bad > 0;
}

#endif
