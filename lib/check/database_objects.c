/* Judges what a database has: indexes, constraints, sequences, transaction ids. */
#include "check/database_internal.h"

#include <stddef.h>

#include "base/null.h"
#include "check/check.h"
#include "postgres/connection.h"

METRIC(indexes, "invalid_indexes", "invalid_indexes", "invalid_indexes", METRIC_COUNT,
    "Invalid indexes that no session is building.");
METRIC(constraints, "constraints_not_validated", "constraints_not_validated", "constraints_not_validated", METRIC_COUNT,
    "Constraints that existing rows were not checked against.");
METRIC(sequence, "sequence_percent", "sequence", "sequence_used_ratio", METRIC_PERCENT,
    "Numbers used of the sequence that is closest to its end.");
METRIC(ids, "transaction_ids_percent", "transaction_ids", "transaction_ids_used_ratio", METRIC_PERCENT,
    "Transaction ids used since the oldest that is not frozen, of two thousand million.");

void
database_judge_indexes(const struct database_look *l)
{
	const struct answer *a = database_answer(l, ASK_INDEXES, "indexes");
	enum check_state means = (enum check_state)database_limit(l, INDEXES);
	size_t count, i;

	if (a == NULL)
		return;
	count = database_count_of(a, 2);
	check_count(l->outcome, &indexes_metric, count, means);
	if (count == 1)
		check_say(l->outcome, means, "index %s is invalid", answer_text(a, 0, 0));
	else if (count > 1)
		check_say(l->outcome, means, "%zu invalid indexes", count);
	for (i = 0; i < answer_rows(a); i++) {
		check_detail(l->outcome, "index", "%s on %s is invalid: a build that did not finish",
		    answer_text(a, i, 0), answer_text(a, i, 1));
		/* one that belongs to a partitioned index cannot be dropped without it */
		check_detail(l->outcome, "", "%s index concurrently %s;", answer_flag(a, i, 4) ? "reindex" : "drop",
		    answer_text(a, i, 3));
	}
}

void
database_judge_constraints(const struct database_look *l)
{
	const struct answer *a = database_answer(l, ASK_CONSTRAINTS, "constraints");
	enum check_state means = (enum check_state)database_limit(l, CONSTRAINTS);
	size_t count, i;

	if (a == NULL)
		return;
	count = database_count_of(a, 2);
	check_count(l->outcome, &constraints_metric, count, means);
	if (count == 1)
		check_say(l->outcome, means, "constraint %s is not validated", answer_text(a, 0, 0));
	else if (count > 1)
		check_say(l->outcome, means, "%zu constraints not validated", count);
	for (i = 0; i < answer_rows(a); i++)
		check_detail(l->outcome, "constraint", "alter table %s validate constraint %s;",
		    answer_text(a, i, 1), answer_text(a, i, 0));
}

void
database_judge_sequences(const struct database_look *l)
{
	const struct answer *a = database_answer(l, ASK_SEQUENCES, "sequences");
	enum check_state state;
	size_t i;

	if (a == NULL || answer_rows(a) == 0)
		return;
	if (answer_number(a, 0, 2) > 0)
		check_unseen(l->outcome, "%lld sequence%s (no right to read)", answer_number(a, 0, 2),
		    answer_number(a, 0, 2) == 1 ? "" : "s");
	state = database_measure(l, &sequence_metric, answer_number(a, 0, 1), SEQUENCE_WARN);
	if (state == CHECK_OK)
		return;
	check_say(l->outcome, state, "sequence %s is used up to %lld %%", answer_text(a, 0, 0),
	    answer_number(a, 0, 1));
	for (i = 0; i < answer_rows(a) && answer_number(a, i, 1) != NUMBER_UNKNOWN &&
	    answer_number(a, i, 1) > database_limit(l, SEQUENCE_WARN); i++)
		check_detail(l->outcome, "sequence",
		    "%s: %lld %%; at the end inserts fail: make sequence and column "
		    "bigint", answer_text(a, i, 0),
		    answer_number(a, i, 1));
}

void
database_judge_ids(const struct database_look *l)
{
	const struct answer *a = database_answer(l, ASK_IDS, "transaction ids");
	enum check_state state;

	if (a == NULL || answer_rows(a) == 0)
		return;
	state = database_measure(l, &ids_metric, answer_number(a, 0, 1), IDS_WARN);
	if (state == CHECK_OK)
		return;
	check_say(l->outcome, state, "transaction ids are used up to %lld %%", answer_number(a, 0, 1));
	check_detail(l->outcome, "ids",
	    "in database %s; VACUUM FREEZE is not keeping up: look for old transactions or replication slots", answer_text(a, 0, 0));
}
