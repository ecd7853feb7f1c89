#include "seed/table.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/hidden.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/suggest.h"
#include "database/rights.h"
#include "records/json.h"
#include "seed/copy_source.h"
#include "seed/members.h"
#include "seed/overlay.h"
#include "seed/table_internal.h"
#include "seed/text.h"

/* --- one table --- */

/* It may be there, in a schema that the role may not use. */
static int
say_unseen(struct db *db, const struct seed_file *file)
{
	struct answer *lacked = NULL;
	struct bytes grant = { 0 };
	int code = 0;

	if (rights_to_see(db, file->schema, file->table, &lacked) == DB_OK && answer_rows(lacked) > 0) {
		right_grant(&grant, lacked, 0);
		code = message_error(MIG_DENIED, "%s: the role cannot see the table %s: it lacks %s [42501]", file->path, file->table,
		    right_of_history(lacked, 0));
		message_line("  %s", grant.data);
		message_line("  Nothing was seeded.");
	}
	bytes_free(&grant);
	answer_free(lacked);
	return code;
}

static int
say_missing(struct db *db, const struct seed_file *file, const char *like, const struct client_model *client)
{
	const struct client_table *model = client != NULL ? client_model_table(client, file->table) : NULL;
	struct bytes place = { 0 };
	int code = say_unseen(db, file);

	if (code != 0)
		return code;
	db_place(db, &place);
	(void)message_error(MIG_FAILED, "%s: there is no table %s%s%s in %s [42P01]", file->path,
	    file->schema != NULL ? file->schema : "", file->schema != NULL ? "." : "", file->table, place.data);
	if (model != NULL && strcmp(model->table, file->table) != 0)
		message_line("  The table of the model %s is \"%s\", by its @@map: tables and columns are named as the database names them.",
		    file->table, model->table);
	else if (like != NULL && file->schema == NULL && strcmp(like, file->table) != 0)
		message_line("  There is \"%s\": the name of a file must match its table, capitals included.", like);
	if (model == NULL || strcmp(model->table, file->table) == 0)
		message_line("  Migrations come first: deploy them to this database, then seed it.");
	message_line("  Nothing was seeded.");
	bytes_free(&place);
	return MIG_FAILED;
}

static int
take_names(struct db *db, struct seed_tables *tables, const struct client_model *client)
{
	const struct answer *a = tables->answers[0];
	size_t i, j;

	for (i = 0; i < tables->count; i++) {
		struct seed_table *t = &tables->tables[i];
		const char *kind = answer_text(a, i, NAME_KIND);

		if (kind == NULL)
			return say_missing(db, t->file, answer_text(a, i, NAME_LIKE), client);
		if (*kind != 'r' && *kind != 'p')
			return seed_refuse(t->file, 0, "%s is not a table", t->file->table);
		if (answer_flag(a, i, NAME_PARENT))
			return seed_refuse(t->file, 0,
			    "other tables inherit from %s, and mig cannot tell its rows from theirs: seed "
			    "it with SQL", t->file->table);
		t->oid = answer_word(a, i, NAME_OID);
		t->sql.schema = answer_word(a, i, NAME_SCHEMA);
		t->sql.table = answer_word(a, i, NAME_TABLE);
		t->triggers = answer_flag(a, i, NAME_TRIGGERS);
		t->sql.number = i + 1;
		t->sql.json = t->file->kind == SEED_NDJSON || t->file->kind == SEED_ROWS;
		t->sql.stream = t->file->kind == SEED_ROWS;
		for (j = 0; j < i; j++)
			if (strcmp(tables->tables[j].oid, t->oid) == 0)
				return seed_refuse(t->file, 0, "%s is for the same table",
				    tables->tables[j].file->path);
	}
	return 0;
}

/* Columns whose values are hidden by default, because they look sensitive. */
bool
table_sounds_secret(const char *name)
{
	static const char *const words[] = { "password", "passwd", "secret", "token" };
	size_t i;
	const char *c;

	for (i = 0; i < sizeof words / sizeof *words; i++)
		for (c = name; *c != '\0'; c++)
			if (strncasecmp(c, words[i], strlen(words[i])) == 0)
				return true;
	return false;
}

struct upsert_column *
table_column_named(struct seed_table *t, const char *name)
{
	size_t i;

	for (i = 0; i < t->sql.count; i++)
		if (strcmp(t->sql.columns[i].name, name) == 0)
			return &t->sql.columns[i];
	return NULL;
}

static struct upsert_column
make_column(const struct answer *a, size_t row, const struct seed_settings *settings)
{
	const char *name = answer_word(a, row, COLUMN_NAME), *type = answer_word(a, row, COLUMN_TYPE);
	char category = *answer_word(a, row, COLUMN_CATEGORY);

	return (struct upsert_column){ .name = name,
		.insert_only = seed_names_have(&settings->insert_only, name),
		.hidden = seed_names_have(&settings->hide, name) || seed_names_have(&settings->secret, name) || table_sounds_secret(name),
		.exact = answer_flag(a, row, COLUMN_EXACT),
		.bare = category == 'N' || category == 'B',
		.large_number = strcmp(type, "bigint") == 0 || strcmp(type, "numeric") == 0,
		.collatable = answer_flag(a, row, COLUMN_COLLATABLE),
		.always = *answer_word(a, row, COLUMN_IDENTITY) == 'a',
		.boolean = strcmp(type, "boolean") == 0,
		.text = category == 'S',
		.uuid = strcmp(type, "uuid") == 0,
		.json = strcmp(type, "json") == 0 || strcmp(type, "jsonb") == 0,
		.json_list = strcmp(type, "json[]") == 0 || strcmp(type, "jsonb[]") == 0,
		.required = answer_flag(a, row, COLUMN_REQUIRED),
		.absent = answer_text(a, row, COLUMN_DEFAULT),
		.sequence = answer_text(a, row, COLUMN_SEQUENCE) };
}

/* All columns that can be written. */
static void
take_columns(struct seed_tables *tables, struct seed_table *t)
{
	const struct answer *a = tables->answers[1];
	size_t rows = answer_rows(a), i, cap = 0;

	for (i = 0; i < rows; i++) {
		if (strcmp(answer_word(a, i, COLUMN_TABLE), t->oid) != 0 || answer_flag(a, i, COLUMN_GENERATED))
			continue;
		ARRAY_ROOM(t->sql.columns, t->sql.count, cap);
		t->sql.columns[t->sql.count++] = make_column(a, i, &t->file->settings);
	}
}

/* The column that a name is probably meant to be, once what does not show is taken out of it; or NULL. */
static const char *
nearest_column(const struct seed_table *t, const char *name)
{
	const char **names = xcalloc(t->sql.count + 1, sizeof *names), *nearest = NULL;
	struct bytes bare = { 0 };
	size_t i;

	hidden_strip(&bare, name);
	for (i = 0; i < t->sql.count; i++) {
		names[i] = t->sql.columns[i].name;
		if (strcmp(names[i], bare.data) == 0)
			nearest = names[i];
	}
	if (nearest == NULL)
		nearest = suggest_nearest(bare.data, bare.len, names, t->sql.count);
	bytes_free(&bare);
	free(names);
	return nearest;
}

static int
say_unknown(const struct seed_table *t, unsigned long line, const char *name, const char *more)
{
	const char *nearest = nearest_column(t, name);
	struct bytes list = { 0 }, shown = { 0 };
	size_t i;

	for (i = 0; i < t->sql.count; i++)
		bytes_format(&list, "%s%s", i > 0 ? ", " : "", t->sql.columns[i].name);
	hidden_reveal(&shown, name);
	(void)seed_refuse(t->file, line, "table \"%s\" has no column \"%s\"%s", t->sql.table, shown.data, more);
	if (nearest != NULL)
		message_line("  Did you mean \"%s\"?", nearest);
	message_line("  It has %s.", bytes_text(&list));
	bytes_free(&list);
	bytes_free(&shown);
	return MIG_DATA;
}

static int
say_no_column(struct seed_tables *tables, const struct seed_table *t, unsigned long line, const char *name)
{
	const struct answer *a = tables->answers[1];
	size_t rows = a != NULL ? answer_rows(a) : 0, i;

	for (i = 0; i < rows; i++)
		if (strcmp(answer_word(a, i, COLUMN_TABLE), t->oid) == 0 &&
		    answer_flag(a, i, COLUMN_GENERATED) &&
		    strcmp(answer_word(a, i, COLUMN_NAME), name) == 0)
			return seed_refuse(t->file, line,
			    "column \"%s\" is generated by the database: remove it", name);
	return say_unknown(t, line, name, "");
}

static int
take_header(struct seed_tables *tables, struct seed_table *t)
{
	const struct seed_names *lists[] =
	    { &t->file->header, &t->file->settings.key, &t->file->settings.insert_only,
		&t->file->settings.hide, &t->file->settings.secret, &t->file->settings.updated_at };
	const struct seed_settings *settings = &t->file->settings;
	size_t i, k;

	for (i = 0; i < settings->default_count; i++)
		if (table_column_named(t, settings->defaults[i].column) == NULL)
			return say_no_column(tables, t, 0, settings->defaults[i].column);
	for (k = 0; k < sizeof lists / sizeof *lists; k++) {
		for (i = 0; i < lists[k]->count; i++) {
			struct upsert_column *c = table_column_named(t, lists[k]->names[i]);

			if (c == NULL && table_reference_with(t, lists[k]->names[i]) != NULL)
				continue;
			if (c == NULL)
				return say_no_column(tables, t, k == 0 ? seed_header_line(t->file) : 0, lists[k]->names[i]);
			c->in_file |= k == 0;
		}
	}
	return 0;
}

/* Columns for which the file has sources, not values. */
static int
take_secrets(struct seed_table *t)
{
	struct bytes names = { 0 };
	size_t i;

	for (i = 0; i < t->sql.count; i++) {
		struct upsert_column *c = &t->sql.columns[i];

		if (!seed_names_have(&t->file->settings.secret, c->name) || !(t->sql.json ? members_any(t->file, c->name) : c->in_file))
			continue;
		if (c->key || c->made != NULL || c->reference != NULL) {
			bytes_free(&names);
			return seed_refuse(t->file, 0, "column \"%s\" cannot be secret: %s", c->name,
			    c->key ? "rows are matched by it" : "its values are made or found by mig-seed");
		}
		c->secret = i + 1;
		t->sql.derived = true;
		bytes_str(&names, names.len == 0 ? "[" : ",");
		json_add_text(&names, c->name);
	}
	if (names.len > 0)
		bytes_char(&names, ']');
	t->secret_names = names.data;
	return 0;
}

int
seed_table_keys(struct db *db, struct seed_table *t, const struct answer *keys)
{
	size_t rows = answer_rows(keys), i;

	for (i = 0; i < rows; i++) {
		const char *name = answer_word(keys, i, 0);
		struct upsert_column *c = table_column_named(t, name);
		bool twice = answer_number(keys, i, 1) != answer_number(keys, i, 2);
		struct bytes sql = { 0 };
		struct answer *line = NULL;
		const char *least = twice ? "1" : "0";
		unsigned long at = 0;

		if (!twice && (c != NULL ? c->made != NULL || c->reference != NULL : table_reference_with(t, name) != NULL))
			continue;
		if (c != NULL && !twice) {
			c->in_file = true;
			c->sometimes = answer_number(keys, i, 2) != answer_number(keys, i, 3);
			continue;
		}
		upsert_json_line(&sql, &t->sql, name);
		if (db_query(db, &line, sql.data, 1, &least) == DB_OK && answer_rows(line) > 0)
			at = seed_table_line(db, t, answer_text(line, 0, 0), true);
		answer_free(line);
		bytes_free(&sql);
		if (twice)
			return seed_refuse(t->file, at, "the key \"%s\" appears twice", name);
		return say_unknown(t, at, name, " that can be written");
	}
	for (i = 0; i < t->sql.count; i++)
		if (t->sql.columns[i].key && (!t->sql.columns[i].in_file) && rows > 0)
			return seed_refuse(t->file, 0, "no row has \"%s\", which is part of the key of table \"%s\"",
			    t->sql.columns[i].name, t->sql.table);
	for (i = 0; i < t->sql.count; i++)
		if (t->sql.columns[i].key) /* a row that lacks it has NULL there, which is reported with its line */
			t->sql.columns[i].sometimes = false, t->sql.columns[i].in_file = true;
	return 0;
}

unsigned long
seed_table_line(struct db *db, const struct seed_table *t, const char *ctid, bool json)
{
	struct bytes sql = { 0 };
	struct answer *count = NULL;
	unsigned long line = 0;

	bytes_format(&sql, "SELECT pg_catalog.count(*) FROM pg_temp.mig_seed_%zu%s WHERE ctid OPERATOR(pg_catalog.<=) $1::pg_catalog.tid", t->sql.number,
	    json ? "_json" : "");
	if (ctid != NULL && db_query(db, &count, sql.data, 1, &ctid) == DB_OK)
		line = copy_source_line_of_row(t->file, (unsigned long)answer_count(count, 0, 0));
	answer_free(count);
	bytes_free(&sql);
	return line;
}

/* --- of an export --- */

struct exporting {
	bool with_hidden, natural;
};

/*
 * Which columns an export writes: those that are named, or all but those that are; hidden ones only if they are named, or all are
 * wanted.  An id that Prisma's client makes need not be written for new rows to have one.
 */
static int
choose_columns(struct seed_table *t, const struct client_model *client, bool with_hidden)
{
	const struct seed_names *columns = &t->file->settings.columns;
	bool without = columns->count > 0 && *columns->names[0] == '-';
	size_t i;

	for (i = 0; without && i < columns->count; i++)
		if (table_column_named(t, columns->names[i] + 1) == NULL)
			return say_unknown(t, 0, columns->names[i] + 1, "");
	for (i = 0; i < t->sql.count; i++) {
		struct upsert_column *c = &t->sql.columns[i];
		char *dashed = xformat("-%s", c->name);

		c->filled = client != NULL && client_model_value(client, t->sql.schema, t->sql.table, c->name) != NULL;
		if ((columns->count == 0 && t->file->header.count == 0) || without) {
			c->left_out = c->hidden && !with_hidden && !seed_names_have(columns, dashed);
			c->in_file = !c->left_out && !seed_names_have(columns, dashed);
		}
		free(dashed);
	}
	return 0;
}

/* --- all tables --- */

static enum db_outcome
find(struct db *db, struct seed_file *files, size_t count, const struct client_model *client, const struct exporting *exporting,
    struct seed_tables *tables, int *code)
{
	struct bytes sql = { 0 };
	enum db_outcome outcome;
	size_t i, j;

	*code = 0;
	*tables = (struct seed_tables){ .count = count, .tables = xcalloc(count + 1, sizeof *tables->tables) };
	for (i = 0; i < count; i++)
		tables->tables[i].file = &files[i];
	table_names_sql(&sql, files, count);
	outcome = db_query_ours(db, &tables->answers[0], sql.data, 0, NULL);
	bytes_free(&sql);
	if (outcome == DB_OK && (*code = take_names(db, tables, client)) == 0)
		outcome = table_ask_catalog(db, tables);
	if (outcome == DB_OK && *code == 0)
		outcome = table_ask_references(db, tables, exporting != NULL && exporting->natural);
	for (i = 0; outcome == DB_OK && *code == 0 && i < count; i++)
		take_columns(tables, &tables->tables[i]);
	if (outcome == DB_OK && *code == 0 && exporting != NULL && exporting->natural)
		outcome = table_name_naturally(db, tables, client, exporting->with_hidden);
	for (i = 0; outcome == DB_OK && *code == 0 && i < count; i++) {
		struct seed_table *t = &tables->tables[i];

		t->sql.json &= exporting == NULL;
		*code = table_take_references(tables, t, client);
		if (*code == 0)
			*code = take_header(tables, t);
		if (*code == 0 && exporting != NULL)
			*code = choose_columns(t, client, exporting->with_hidden);
		else if (*code == 0)
			*code = table_take_made(t, client);
		if (*code == 0)
			*code = table_take_key(db, tables, t);
		if (*code == 0 && exporting == NULL)
			*code = take_secrets(t);
		if (*code == 0 && t->file->overlay != NULL && (*code = table_check_key(db, tables, t)) == 0)
			*code = overlay_merge(t);
		for (j = 0; exporting != NULL && j < t->sql.count; j++)
			if (t->sql.columns[j].key) /* or nobody could seed it */
				t->sql.columns[j].in_file = true, t->sql.columns[j].left_out = false;
		if (*code == 0 && !t->sql.json)
			*code = table_check_key(db, tables, t);
	}
	if (outcome == DB_OK && *code == 0) {
		table_order(tables);
		if (exporting == NULL)
			table_link_references(tables);
	}
	return outcome;
}

enum db_outcome
seed_tables_find(struct db *db, struct seed_file *files, size_t count, const struct client_model *client,
    struct seed_tables *tables, int *code)
{
	return find(db, files, count, client, NULL, tables, code);
}

enum db_outcome
seed_tables_export(struct db *db, struct seed_file *files, size_t count, const struct client_model *client, bool with_hidden,
    bool natural, struct seed_tables *tables, int *code)
{
	const struct exporting exporting = { with_hidden, natural };

	return find(db, files, count, client, &exporting, tables, code);
}

void
seed_tables_free(struct seed_tables *tables)
{
	size_t i;

	for (i = 0; i < tables->count; i++) {
		struct seed_table *t = &tables->tables[i];

		while (t->made_count > 0)
			free(t->made[--t->made_count].text);
		free(t->made);
		free(t->secret_names);
		table_free_references(t);
		free(t->sql.columns);
	}
	free(tables->tables);
	for (i = 0; i < sizeof tables->answers / sizeof *tables->answers; i++)
		answer_free(tables->answers[i]);
	*tables = (struct seed_tables){ 0 };
}
