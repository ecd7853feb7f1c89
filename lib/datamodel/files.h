/*
 * The files of a datamodel: one schema.prisma, or all *.prisma below a folder.
 *
 * In Prisma's order: the entries of each folder by the bytes of their names, those of a folder in it at its place; links are
 * followed.  The only part of datamodel/ that opens files.
 */
#ifndef MIG_DATAMODEL_FILES_H
#define MIG_DATAMODEL_FILES_H

#include <stddef.h>

#include "catalog/catalog.h"
#include "datamodel/ast.h"

struct source_files {
	struct source_file *items;   /* their paths begin as the one given does */
	size_t count, cap;
};

/* Returns 0, or an exit code, said.  source_files_free() is due in either case. */
int source_files_read(struct source_files *files, const char *path);
void source_files_free(struct source_files *files);

/* Both in one: the datamodel at a path as a catalog.  Returns 0, or an exit code, said; catalog_free() is due in either case. */
int datamodel_open(const char *path, struct catalog *catalog);

#endif
