/* Rows of an answer. */
#include "postgres/connection_internal.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "base/null.h"

size_t
answer_rows(const struct answer *answer)
{
	return answer != NULL ? (size_t)PQntuples(answer->result) : 0;
}

const char *
answer_text(const struct answer *answer, size_t row, int column)
{
	if (row >= answer_rows(answer) || column >= PQnfields(answer->result) ||
	    PQgetisnull(answer->result, (int)row, column))
		return NULL;
	return PQgetvalue(answer->result, (int)row, column);
}

long long
answer_number(const struct answer *answer, size_t row, int column)
{
	const char *text = answer_text(answer, row, column);

	return text != NULL ? strtoll(text, NULL, 10) : NUMBER_UNKNOWN;
}

bool
answer_flag(const struct answer *answer, size_t row, int column)
{
	const char *text = answer_text(answer, row, column);

	return text != NULL && *text == 't';
}

const char *
answer_word(const struct answer *answer, size_t row, int column)
{
	const char *text = answer_text(answer, row, column);

	return text != NULL ? text : "";
}

long long
answer_count(const struct answer *answer, size_t row, int column)
{
	long long number = answer_number(answer, row, column);

	return number != NUMBER_UNKNOWN ? number : 0;
}

bool
answer_finds(const struct answer *answer, int column, const char *text)
{
	size_t i;

	for (i = 0; i < answer_rows(answer); i++)
		if (strcmp(answer_word(answer, i, column), text) == 0)
			return true;
	return false;
}

bool
answer_has(const struct answer *answer, int columns)
{
	int i;

	for (i = 0; i < columns; i++)
		if (answer_text(answer, 0, i) == NULL)
			return false;
	return true;
}

void
answer_free(struct answer *answer)
{
	if (answer == NULL)
		return;
	PQclear(answer->result);
	free(answer);
}
