/*
 * Shared by the files that read tables from the catalog (seed/table.h); private to them.
 */
#ifndef MIG_SEED_TABLE_INTERNAL_H
#define MIG_SEED_TABLE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "datamodel/client.h"
#include "postgres/connection.h"
#include "seed/file.h"
#include "seed/table.h"
#include "seed/upsert.h"

/* Columns of answers[0], [1] and [2], in the order of the queries. */
enum { NAME_OID, NAME_KIND, NAME_SCHEMA, NAME_TABLE, NAME_PARENT, NAME_LIKE, NAME_TRIGGERS };
enum { COLUMN_TABLE, COLUMN_NAME, COLUMN_GENERATED, COLUMN_IDENTITY, COLUMN_EXACT, COLUMN_CATEGORY, COLUMN_TYPE,
	COLUMN_COLLATABLE, COLUMN_SEQUENCE, COLUMN_DEFAULT, COLUMN_REQUIRED };
enum { KEY_TABLE, KEY_INDEX, KEY_PRIMARY, KEY_COLUMN, KEY_EQUALS };

/* --- table.c --- */

/* Whether a column of this name is hidden from users. */
bool table_sounds_secret(const char *name);
struct upsert_column *table_column_named(struct seed_table *t, const char *name);

/* --- table_catalog.c --- */

void table_names_sql(struct bytes *out, const struct seed_file *files, size_t count);
enum db_outcome table_ask_catalog(struct db *db, struct seed_tables *tables);
/* Appends a query with text for each ARRAY[%s] of it; other percent signs (of format()) stay. */
void table_fill_in(struct bytes *out, const char *sql, const char *text);

/* --- table_made.c --- */

/*
 * Decides which columns that the file lacks get values of Prisma's client: by seed.conf, else by the datamodel (may be
 * NULL).  Returns 0, or an exit code with the error reported.
 */
int table_take_made(struct seed_table *t, const struct client_model *client);

/* --- table_reference.c --- */

/* r: the tables that are reachable from those of the files by foreign keys, which table_reachable_sql() fills in. */
#define TABLE_REACHABLE "WITH RECURSIVE r(oid) AS (SELECT unnest(ARRAY[%s]::oid[]) UNION SELECT c.confrelid FROM r " \
	"JOIN pg_catalog.pg_constraint c ON c.conrelid = r.oid AND c.contype = 'f') "
void table_reachable_sql(struct bytes *out, const struct seed_tables *tables, const char *sql);

/* Asks for the foreign keys that columns such as role.slug need, if a file has one, or always. */
enum db_outcome table_ask_references(struct db *db, struct seed_tables *tables, bool always);
/* Takes the columns of a file that are references.  Returns 0, or an exit code with the error reported. */
int table_take_references(struct seed_tables *tables, struct seed_table *t, const struct client_model *client);
/* The reference that a column of the file belongs to, or NULL. */
const struct upsert_reference *table_reference_with(const struct seed_table *t, const char *header);
/*
 * Of the foreign keys that were asked for, answers[4]: where the one begins whose only column this is, or the number of
 * rows; the table that it leads to; the column there; and the name that a file has for it, "role", to be freed, or NULL if
 * that name would mean another one.
 */
size_t table_link_of(const struct answer *links, const char *oid, const char *column);
void table_link_target(const struct answer *links, size_t at, const char **oid, const char **schema, const char **table);
const char *table_link_to(const struct answer *links, size_t at);
char *table_link_name(const struct answer *links, size_t at, const char *schema, const char *table, const struct client_model *client);

/* Call it when the tables are in their order: which of the referenced tables this run fills. */
void table_link_references(struct seed_tables *tables);
void table_free_references(struct seed_table *t);

/* --- table_key.c --- */

int table_take_key(struct db *db, const struct seed_tables *tables, struct seed_table *t);
int table_check_key(struct db *db, const struct seed_tables *tables, const struct seed_table *t);

/* --- table_natural.c --- */

/*
 * Of tables for which no columns are named: names them in the header, natural keys in place of ids, without the times of rows.  The
 * foreign keys have been asked for.  A table that must keep its ids is told.
 */
enum db_outcome table_name_naturally(struct db *db, struct seed_tables *tables, const struct client_model *client, bool with_hidden);

/* --- table_order.c --- */

/* Sorts referenced tables first; tables that reference each other in a cycle are adjacent and form one unit. */
void table_order(struct seed_tables *tables);

#endif
