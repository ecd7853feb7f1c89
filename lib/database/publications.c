#include "database/publications.h"

#include <stdbool.h>
#include <string.h>

#include "base/null.h"
#include "records/words.h"

/*
 * What is in a publication, with what it is a partition of, whose columns are its own, and its partitions, which need a replica
 * identity each: of either the publication may name only the other.
 *
 * Of functions that return rows the planner expects 1000, of arrays ten: with the former it compiled the query (jit), which took
 * 700 ms of the server's time where 50 were enough.
 */
#define PUBLISHED                                                                                                          \
	"(SELECT DISTINCT p.oid AS publication, p.pubname, p.pubupdate OR p.pubdelete AS changes, r.relid "               \
	"FROM unnest(ARRAY(SELECT s.oid::int8 << 32 | g.relid::oid::int8 FROM pg_publication s "                           \
	"CROSS JOIN LATERAL pg_get_publication_tables(s.pubname::text) g)) v (both_oids) "                                 \
	"JOIN pg_publication p ON p.oid = ((v.both_oids >> 32) & 4294967295)::oid "                                        \
	"JOIN pg_class o ON o.oid = (v.both_oids & 4294967295)::oid CROSS JOIN LATERAL unnest(ARRAY(SELECT o.oid UNION ALL " \
	"SELECT t.relid::oid FROM pg_partition_tree(o.oid) t WHERE o.relkind = 'p' UNION ALL "                             \
	"SELECT a.relid::oid FROM pg_partition_ancestors(o.oid) a WHERE o.relispartition)) r (relid))"

/* The index that identifies rows: a deferrable one does not, and neither does one that is not valid. */
#define IDENTITY_INDEX                                                                                                     \
	"(SELECT x.relname FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = c.oid AND i.indisvalid " \
	"AND i.indimmediate AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END)"
#define HAS_NO_IDENTITY "(c.relkind = 'r' AND c.relreplident <> 'f' AND " IDENTITY_INDEX " IS NULL)"

const char publications_without_identity_sql[] =
    "SELECT quote_ident(n.nspname::text) || '.' || quote_ident(c.relname::text), string_agg(DISTINCT quote_ident(u.pubname::text), ', '), "
    "count(*) OVER () FROM " PUBLISHED " u JOIN pg_class c ON c.oid = u.relid JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE u.changes AND " HAS_NO_IDENTITY " GROUP BY n.nspname, c.relname ORDER BY 1 LIMIT 5";

const char publications_slots_sql[] =
    "SELECT s.slot_name, s.database, s.active, s.wal_status, pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN "
    "coalesce(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) ELSE pg_current_wal_lsn() END, s.restart_lsn)::int8 AS retained, "
    "(SELECT setting::int8 * 1048576 FROM pg_settings WHERE name = 'max_wal_size'), quote_literal(s.slot_name::text) "
    "FROM pg_replication_slots s WHERE NOT s.temporary ORDER BY retained DESC NULLS LAST, s.slot_name";

#define NAMES(query) "coalesce((SELECT '[' || string_agg(to_json(q.name)::text, ',' ORDER BY q.name COLLATE \"C\") || ']' FROM (" query ") q), '[]')"
#define NEW_TABLES(condition, schemas)                                                                                     \
	"SELECT p.pubname, p.puballtables, " schemas ", p.pubupdate OR p.pubdelete FROM pg_publication p WHERE p.puballtables " \
	condition " ORDER BY p.pubname COLLATE \"C\""
static const char new_tables_sql[] = NEW_TABLES("", "'[]'"),
	new_tables_in_schemas_sql[] = NEW_TABLES("OR EXISTS (SELECT FROM pg_publication_namespace a WHERE a.pnpubid = p.oid)",
	    NAMES("SELECT n.nspname::text AS name FROM pg_publication_namespace a JOIN pg_namespace n ON n.oid = a.pnnspid WHERE a.pnpubid = p.oid"));

/* Since PostgreSQL 15: the columns that a publication names; before, none does. */
#define COLUMN_LIST                                                                                                        \
	"(SELECT '[' || string_agg(to_json(a.attname)::text, ',' ORDER BY a.attnum) || ']' FROM pg_publication_rel l "     \
	"JOIN pg_attribute a ON a.attrelid = l.prrelid AND a.attnum = ANY (l.prattrs) WHERE l.prpubid = u.publication AND l.prrelid = c.oid)"
#define BEFORE_NAMES(columns)                                                                                              \
	"SELECT n.nspname, c.relname, u.pubname, u.changes, CASE WHEN c.relkind <> 'r' THEN NULL WHEN c.relreplident = 'f' THEN 'full' " \
	"WHEN " HAS_NO_IDENTITY " THEN 'none' ELSE 'key' END, " IDENTITY_INDEX ", " columns " FROM " PUBLISHED " u "       \
	"JOIN pg_class c ON c.oid = u.relid JOIN pg_namespace n ON n.oid = c.relnamespace "
#define BEHIND_NAMES " ORDER BY n.nspname COLLATE \"C\", c.relname COLLATE \"C\", u.pubname COLLATE \"C\""

void
publications_sql(struct publications_sql *sql, int server_version_num, const struct activity_wanted *wanted, size_t count)
{
	bool lists = server_version_num >= 150000;
	struct bytes *tables = &sql->text[PUBLICATIONS_TABLES];

	bytes_str(&sql->text[PUBLICATIONS_NEW], lists ? new_tables_in_schemas_sql : new_tables_sql);
	bytes_str(tables, lists ? BEFORE_NAMES(COLUMN_LIST) : BEFORE_NAMES("NULL::text"));
	if (wanted != NULL) {
		bytes_str(tables, "WHERE (u.changes AND " HAS_NO_IDENTITY ") OR (n.nspname, c.relname) IN (SELECT v.schema::name, v.name::name FROM ");
		activity_wanted_sql(tables, wanted, count);
		bytes_str(tables, " v (schema, name))");
	}
	bytes_str(tables, BEHIND_NAMES);
	bytes_str(&sql->text[PUBLICATIONS_SLOTS], publications_slots_sql);
}

void
publications_sql_free(struct publications_sql *sql)
{
	size_t i;

	for (i = 0; i < PUBLICATIONS_ASKS; i++)
		bytes_free(&sql->text[i]);
}

static enum replica_identity
identity_of(const char *word)
{
	enum replica_identity i = IDENTITY_NULL;

	while (word != NULL && identity_words[i] != NULL && strcmp(identity_words[i], word) != 0)
		i++;
	return identity_words[i] != NULL ? i : IDENTITY_NULL;
}

void
publications_take(const struct answer *const answers[PUBLICATIONS_ASKS], struct rehearsal_records *r, struct arena *texts)
{
	const struct answer *new = answers[PUBLICATIONS_NEW], *tables = answers[PUBLICATIONS_TABLES], *slots = answers[PUBLICATIONS_SLOTS];
	size_t i;

	r->publication_count = answer_rows(new);
	r->publications = xcalloc(r->publication_count + 1, sizeof *r->publications);
	for (i = 0; i < r->publication_count; i++)
		r->publications[i] = (struct publication){ .publication = arena_copy(texts, answer_word(new, i, 0)),
			.all_tables = answer_flag(new, i, 1),
			.schemas = arena_copy(texts, answer_word(new, i, 2)),
			.changes = answer_flag(new, i, 3) };
	r->published_count = answer_rows(tables);
	r->published = xcalloc(r->published_count + 1, sizeof *r->published);
	for (i = 0; i < r->published_count; i++)
		r->published[i] = (struct published){ .schema = arena_copy(texts, answer_word(tables, i, 0)),
			.relation = arena_copy(texts, answer_word(tables, i, 1)),
			.publication = arena_copy(texts, answer_word(tables, i, 2)),
			.changes = answer_flag(tables, i, 3),
			.identity = identity_of(answer_text(tables, i, 4)),
			.identity_index = arena_copy(texts, answer_text(tables, i, 5)),
			.columns = arena_copy(texts, answer_text(tables, i, 6)) };
	r->slot_count = answer_rows(slots);
	r->slots = xcalloc(r->slot_count + 1, sizeof *r->slots);
	for (i = 0; i < r->slot_count; i++)
		r->slots[i] = (struct slot){ .slot = arena_copy(texts, answer_word(slots, i, 0)),
			.database = arena_copy(texts, answer_text(slots, i, 1)),
			.active = answer_flag(slots, i, 2),
			.status = arena_copy(texts, answer_text(slots, i, 3)),
			.retained_bytes = answer_number(slots, i, 4),
			.max_wal_bytes = answer_count(slots, i, 5) };
}
