/* Compares what is staged with the tables: how much there is to do, and whether each row has a key of its own. */
#include "seed/seed_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mig.h"
#include "base/null.h"
#include "seed/file.h"
#include "seed/upsert.h"

static void
take_count(struct seed_table *t, const struct answer *a, const struct seed_job *job)
{
	long long total = answer_number(a, 0, UPSERT_TOTAL), gone = answer_number(a, 0, UPSERT_GONE);

	t->read = answer_number(a, 0, UPSERT_READ);
	t->inserted = answer_number(a, 0, UPSERT_NEW);
	t->updated = answer_number(a, 0, UPSERT_DIFFERENT);
	t->unchanged = answer_number(a, 0, UPSERT_UNCHANGED);
	t->only = total - t->unchanged - t->updated;
	t->deleted = !job->prune || t->file->settings.kept ? 0 : gone != NUMBER_UNKNOWN ? gone : t->only;
	t->only -= t->deleted;
	t->sql.empty = total == 0;
	t->sql.inserts = t->inserted > 0;
	t->sql.updates = t->updated > 0;
	t->sql.deletes = t->deleted > 0;
}

/* The names of the key's columns; the caller frees the list. */
static const char **
key_columns(const struct seed_table *t, size_t *count)
{
	const char **names = xcalloc(t->sql.count + 1, sizeof *names);
	size_t i;

	for (i = 0, *count = 0; i < t->sql.count; i++)
		if (t->sql.columns[i].key)
			names[(*count)++] = t->sql.columns[i].name;
	return names;
}

static int
say_duplicate(struct seeding *s, const struct seed_table *t, const struct answer *a, const char *const *names,
    size_t count)
{
	unsigned long second = seed_table_line(s->db, t, answer_text(a, 0, 0), false);
	unsigned long first = seed_table_line(s->db, t, answer_text(a, 0, 1), false);
	struct bytes sql = { 0 }, place = { 0 };
	struct answer *row = NULL;

	upsert_row_text(&sql, &t->sql, names, count, answer_text(a, 0, 0));
	if (db_query(s->db, &row, sql.data, 0, NULL) == DB_OK && answer_rows(row) > 0) {
		seed_place(&place, t->file, first);
		if (t->file->overlay != NULL)
			(void)seed_refuse(t->file, second, "%s appears already in %s", answer_text(row, 0, 0), place.data);
		else
			(void)seed_refuse(t->file, second, "%s appears already on line %lu", answer_text(row, 0, 0), first);
	}
	bytes_free(&place);
	answer_free(row);
	bytes_free(&sql);
	return MIG_DATA;
}

/* Each row of a file has a key, and no two have the same. */
static enum db_outcome
check_keys(struct seeding *s, const struct seed_table *t, long long keyless)
{
	size_t count;
	const char **names = key_columns(t, &count);
	struct bytes sql = { 0 };
	struct answer *a = NULL;
	enum db_outcome outcome;

	if (keyless > 0)
		upsert_keyless(&sql, &t->sql);
	else
		upsert_duplicate(&sql, &t->sql, names, count);
	outcome = db_query(s->db, &a, sql.data, 0, NULL);
	if (outcome == DB_OK && answer_rows(a) > 0 && keyless > 0)
		s->code = seed_refuse(t->file, seed_table_line(s->db, t, answer_text(a, 0, 0), false),
		    "a column of the key (%s%s) is NULL", names[0], count > 1 ? ", ..." : "");
	else if (outcome == DB_OK && answer_rows(a) > 0)
		s->code = say_duplicate(s, t, a, names, count);
	answer_free(a);
	bytes_free(&sql);
	free(names);
	return outcome;
}

/*
 * Whether two rows could have one key.  In an empty table the index of the key will see to it; and in a large
 * file whose rows are all as the table has them, two such rows could only be equal: to look costs as much as
 * to compare.
 */
static bool
may_repeat(const struct seed_table *t)
{
	return !t->sql.empty && (t->inserted > 0 || t->updated > 0 || t->read <= 100000);
}

/* A file that was truncated before its first row must not empty a table. */
static int
check_empty(const struct seed_table *t)
{
	if (t->file->kind != SEED_NDJSON || t->read > 0 || t->deleted == 0)
		return 0;
	return seed_refuse(t->file, 0,
	    "it contains no rows, and --prune would delete all %lld rows of table \"%s\"; if that is "
	    "intended, use a .csv with only a header line", t->deleted, t->sql.table);
}

/* Compares every file with its table, in one round. */
enum db_outcome
seed_compare(struct seeding *s)
{
	size_t n = s->tables->count, i;
	struct db_ask *asks = xcalloc(n + 1, sizeof *asks);
	struct bytes *texts = xcalloc(n + 1, sizeof *texts);
	enum db_outcome outcome = DB_OK;

	for (i = 0; i < n; i++) {
		upsert_count(&texts[i], &s->tables->tables[i].sql);
		asks[i] = (struct db_ask){ .sql = texts[i].data };
	}
	if (n > 0)
		outcome = db_query_batch(s->db, asks, n);
	for (i = 0; i < n; i++) {
		struct seed_table *t = &s->tables->tables[i];
		long long keyless;

		if (outcome == DB_OK && asks[i].outcome != DB_OK)
			outcome = DB_ERROR;
		if (outcome == DB_OK && !answer_has(asks[i].answer, UPSERT_TOTAL + 1))
			outcome = db_give_up(s->db);
		if (outcome == DB_OK && s->code == 0) {
			take_count(t, asks[i].answer, s->job);
			keyless = answer_number(asks[i].answer, 0, UPSERT_KEYLESS);
			s->code = check_empty(t);
			if (s->code == 0 && (keyless > 0 || may_repeat(t)))
				outcome = check_keys(s, t, keyless);
		}
		answer_free(asks[i].answer);
		bytes_free(&texts[i]);
	}
	free(asks);
	free(texts);
	return outcome;
}
