/*
 * What Prisma's client knows of a schema.prisma and the database does not: the values that the client makes for new
 * rows, and the names of relations.
 *
 * The client fills in @default(cuid()), uuid(), nanoid(), ulid() and @updatedAt itself: for the database these columns
 * are NOT NULL without a default.
 */
#ifndef MIG_DATAMODEL_CLIENT_H
#define MIG_DATAMODEL_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "catalog/catalog.h"
#include "datamodel/ast.h"
#include "datamodel/datamodel.h"

enum client_function {
	CLIENT_CUID,
	CLIENT_CUID2,
	CLIENT_UUID4,
	CLIENT_UUID7,
	CLIENT_NANOID,
	CLIENT_ULID,
	CLIENT_NOW,
	CLIENT_UPDATED_AT        /* now() in new rows, and in rows that change */
};

/* All names are those of the database; a schema is NULL if the datamodel names none. */
struct client_value {
	const char *schema, *table, *column;
	enum client_function function;
	int length;              /* of a nanoid; else 0 */
};

/* A relation field with `fields:`, as in role Role @relation(fields: [roleId], references: [id]). */
struct client_relation {
	const char *schema, *table;
	const char *name;        /* of the field: "role" */
	struct text_list columns;
};

/* A model, and the table that @@map or its name gives it. */
struct client_table {
	const char *model, *schema, *table;
};

struct client_model {
	struct client_value *values;
	size_t value_count;
	struct client_relation *relations;
	size_t relation_count;
	struct client_table *tables;
	size_t table_count;
	struct arena arena;      /* owns everything */
};

/* Like datamodel_read(): returns false with *errors filled.  Pure. */
bool client_model_read(const struct source_file *files, size_t count, struct client_model *client,
    struct datamodel_errors *errors);
void client_model_free(struct client_model *client);

/* The value of a column, or NULL. */
const struct client_value *client_model_value(const struct client_model *client, const char *schema, const char *table,
    const char *column);
/* The relation with this name, or NULL. */
const struct client_relation *client_model_relation(const struct client_model *client, const char *schema, const char *table,
    const char *name);
/* The relation that these columns are the fields of, or NULL. */
const struct client_relation *client_model_relation_of(const struct client_model *client, const char *schema, const char *table,
    const char *const *columns, size_t count);
/* The table of a model, or NULL. */
const struct client_table *client_model_table(const struct client_model *client, const char *model);

/*
 * Reads "cuid()", "cuid(2)", "uuid()", "uuid(7)", "nanoid()", "nanoid(12)", "ulid()" or "now()".  Returns false if it
 * is none of these.
 */
bool client_function_read(const char *text, size_t len, enum client_function *function, int *length);
/* Appends a function as schema.prisma has it. */
void client_function_write(struct bytes *out, enum client_function function, int length);

#endif
