/* Which row it is: by trying halves. */
#include "seed/error_row_internal.h"

#include <string.h>

#include "base/bytes.h"
#include "seed/upsert.h"

/* ctid of the n-th staged row, from 0. */
static struct answer *
row_at(const struct trial *trial, size_t n)
{
	struct bytes sql = { 0 };

	bytes_format(&sql, "SELECT ctid FROM pg_temp.mig_seed_%zu%s ORDER BY ctid OFFSET %zu LIMIT 1",
	    trial->table->sql.number,
	    trial->unit != NULL ? "" : "_json", n);
	return error_row_ask(trial->db, &sql);
}

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Whether a statement fails as the whole did; whatever it does is undone. */
bool
error_row_fails(const struct trial *trial, const char *sql)
{
	bool same = false;

	if (!db_run_best_effort(trial->db, "SAVEPOINT mig_trial"))
		return false;
	if (db_query(trial->db, NULL, sql, 0, NULL) == DB_ERROR)
		same = strcmp(db_error(trial->db)->sqlstate, trial->e->sqlstate) == 0 &&
		    same_text(db_error(trial->db)->constraint, trial->e->constraint);
	return db_run_best_effort(trial->db, "ROLLBACK TO mig_trial") && same;
}

static bool
slice_fails(const struct trial *trial, size_t from, size_t to)
{
	struct answer *first = row_at(trial, from), *last = row_at(trial, to);
	struct upsert_slice slice = { .table = &trial->table->sql };
	struct bytes sql = { 0 };
	bool failed = false;

	if (first != NULL && last != NULL) {
		slice.from = answer_word(first, 0, 0);
		slice.to = answer_word(last, 0, 0);
		if (trial->unit != NULL)
			upsert_write(&sql, trial->unit, trial->count, &slice);
		else
			upsert_try_fill(&sql, &trial->table->sql, slice.from, slice.to, NULL);
		failed = error_row_fails(trial, sql.data);
	}
	answer_free(first);
	answer_free(last);
	bytes_free(&sql);
	return failed;
}

/* ctid of the first row that fails by itself, by halves; or NULL. */
struct answer *
error_row_find_row(const struct trial *trial)
{
	size_t from = 0, to = trial->rows, middle;

	if (to == 0)
		return NULL;
	to--;
	while (from < to) {
		middle = from + (to - from) / 2;
		if (slice_fails(trial, from, middle))
			to = middle;
		else
			from = middle + 1;
	}
	return slice_fails(trial, from, from) ? row_at(trial, from) : NULL;
}
