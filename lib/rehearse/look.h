/*
 * What there is in a database, as far as statements change it: relations with their files and counters, columns,
 * constraints, labels of enums.  Two looks, before and after a statement, say what it did, whatever its text.
 *
 * Everything outside of PostgreSQL's own schemas and those of temporary tables is looked at.  Lists are in the order of
 * their numbers, by which things are known from look to look: a table that is dropped and made again is another one.
 */
#ifndef MIG_REHEARSE_LOOK_H
#define MIG_REHEARSE_LOOK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "postgres/connection.h"

struct look_schema {
	long long oid;
	const char *name;
};

struct look_relation {
	long long oid, namespace;
	const char *schema, *name;
	char kind;               /* as pg_class has it: r table, p partitioned, v view, m materialized view, f foreign table, i I index, ... */
	long long tablespace, filenode;
	long long table;         /* of an index; else 0 */
	bool unique;
	long long scans;         /* of a table: sequential ones; of an index: those of it */
};

struct look_column {
	long long relation, number;
	const char *name, *type;
	bool must;               /* NOT NULL, and nothing fills it */
	bool has_default, dropped;
};

struct look_constraint {
	long long oid, relation;
	char type;               /* as pg_constraint has it */
	const char *name;
};

struct look_label {
	long long oid;
	const char *schema, *type, *label;
};

struct look {
	struct look_schema *schemas;
	struct look_relation *relations;
	struct look_column *columns;
	struct look_constraint *constraints;
	struct look_label *labels;
	size_t schema_count, relation_count, column_count, constraint_count, label_count;
	long long command;       /* of the transaction: the last one of which anything is here; -1: of none */
};

/* Which counters: of the session's transaction, or of all that was flushed. */
enum look_counters { LOOK_TRANSACTION, LOOK_TOTALS };

/* A list of relations' numbers, in order. */
struct look_ids {
	long long *list;
	size_t count, cap;
};
bool look_ids_has(const struct look_ids *ids, long long id);
void look_ids_add(struct look_ids *ids, long long id);   /* once */

/* Looks at all.  Texts go to the arena.  After success the caller calls look_free(); what *look had before is overwritten. */
enum db_outcome look_all(struct db *db, enum look_counters counters, struct arena *arena, struct look *look);

/*
 * The same one statement after `last`, in a transaction that can have changed only these relations: only what was written since then
 * is asked for.  `all`: `last` is that of the transaction's start, since some of it was rolled back.  before: the migration.  The
 * texts of `last` are used on: free them after those of *look.
 */
enum db_outcome look_again(struct db *db, const struct look *last, const struct look *before, const struct look_ids *ids, bool all,
    struct arena *arena, struct look *look);

void look_free(struct look *look);

const struct look_relation *look_relation(const struct look *look, long long oid);   /* or NULL */

bool look_has_constraint(const struct look *look, long long oid);

/* Tables, views and what else has columns that others read: what people are told of. */
bool look_is_told(const struct look_relation *relation);

#endif
