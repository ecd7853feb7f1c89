#include "check/fleet_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "secret/conninfo.h"
#include "secret/source.h"

enum { FIELDS = 5 };

bool
fleet_list_is_target(const char *line)
{
	return *line != '#' && line[strspn(line, " \t\r\n")] != '\0';
}

/* A name is a file's as well, and one word in logs and on command lines. */
static bool
is_name(const char *text)
{
	static const char harmless[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._@%+-";
	size_t len = strspn(text, harmless);

	return len > 0 && len <= 200 && text[len] == '\0' && *text != '.' && *text != '-';
}

static const char *
judge(char *const fields[FIELDS], int count)
{
	if (count < 4)
		return "expected NAME, SERVER, WAVE and SOURCE, separated by tabs";
	if (!is_name(fields[0]))
		return "the name must be of letters, digits and ._@%+-, and begin with none of . and -";
	if (!is_name(fields[1]))
		return "the server must be of letters, digits and ._@%+-, and begin with none of . and -";
	if (fields[2][strspn(fields[2], "0123456789")] != '\0' || fields[2][0] == '\0' || strlen(fields[2]) > 6)
		return "the wave must be a number";
	if (count == FIELDS && conninfo_schema_rule(fields[4]) != NULL)
		return conninfo_schema_rule(fields[4]);
	return source_word_fault(fields[3]);
}

const char *
fleet_list_fault(const char *line)
{
	char *copy = xstrndup(line, strcspn(line, "\r\n")), *fields[FIELDS], *at = copy;
	const char *fault = NULL;
	int count = 0;

	while (at != NULL && fault == NULL) {
		char *tab = strchr(at, '\t');

		if (tab != NULL)
			*tab = '\0';
		if (count == FIELDS)
			fault = "there is more than NAME, SERVER, WAVE, SOURCE and SCHEMA";
		else
			fields[count++] = at;
		at = tab != NULL ? tab + 1 : NULL;
	}
	if (fault == NULL)
		fault = judge(fields, count);
	free(copy);
	return fault;
}
