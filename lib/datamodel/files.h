/*
 * Reads the files of a datamodel: one schema.prisma, or all *.prisma below a folder.
 *
 * Uses Prisma's order: the entries of each folder by the bytes of their names, with the files of a subfolder at
 * its place; follows links.  The only part of datamodel/ that opens files.
 */
#ifndef MIG_DATAMODEL_FILES_H
#define MIG_DATAMODEL_FILES_H

#include <stddef.h>

#include "catalog/catalog.h"
#include "datamodel/ast.h"
#include "datamodel/client.h"

struct source_files {
	struct source_file *items;   /* their paths begin with the given one */
	size_t count, cap;
};

/* Returns 0, or an exit code with the error reported.  Call source_files_free() in both cases. */
int source_files_read(struct source_files *files, const char *path);
void source_files_free(struct source_files *files);

/*
 * Reads and converts the datamodel at a path.  Returns 0, or an exit code with the error reported; call
 * catalog_free() in both cases.
 */
int datamodel_open(const char *path, struct catalog *catalog);

/* The same, for what Prisma's client knows; call client_model_free() in both cases. */
int client_model_open(const char *path, struct client_model *client);

#endif
