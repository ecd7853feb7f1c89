/* The end of a dry run that wrote everything. */
#include "seed/seed_internal.h"

#include "base/message.h"

#define SEQUENCES "(SELECT format('%I.%I is at %s', schemaname, sequencename, coalesce(last_value::text, 'its start')) AS place, " \
	"format('%I.%I', schemaname, sequencename) AS name FROM pg_catalog.pg_sequences) q"

enum db_outcome
seed_note_sequences(struct seeding *s)
{
	answer_free(s->sequences);
	s->sequences = NULL;
	return db_query_ours(s->db, &s->sequences, "SELECT coalesce(string_agg(q.place, E'\\n'), '') FROM " SEQUENCES, 0, NULL);
}

/*
 * The values of sequences that the files need were predicted.  What else moves one is code of the database: a trigger, or
 * an SQL file.
 */
enum db_outcome
seed_take_back(struct seeding *s)
{
	const char *before = answer_word(s->sequences, 0, 0);
	struct answer *moved = NULL;
	enum db_outcome outcome = db_query_ours(s->db, &moved,
	    "SELECT string_agg(q.name, ', ') FROM " SEQUENCES " WHERE q.place <> ALL (string_to_array($1, E'\\n'))", 1, &before);

	if (outcome == DB_OK && answer_text(moved, 0, 0) != NULL)
		message_warning("sequences were moved during the dry run, and no rollback undoes that: %s (a trigger or an SQL file did it, or "
		                "another session)", answer_text(moved, 0, 0));
	answer_free(moved);
	return outcome == DB_OK ? db_tell(s->db, "ROLLBACK") : outcome;
}
