/*
 * Writes a catalog as a stream of kind `schema`, and reads it back without loss.
 */
#ifndef MIG_CATALOG_STREAM_H
#define MIG_CATALOG_STREAM_H

#include "catalog/catalog.h"
#include "records/record.h"

#define SCHEMA_STREAM "schema"

/* Writes all records between `stream` and `end`. */
void catalog_write(const struct catalog *catalog, struct writer *writer);

/*
 * Reads the rest of a stream after reader_begin() has returned its kind.  Returns READING_END if the stream was
 * complete; only then may the catalog be used.  Else READING_FAILED or READING_BAD.  Call catalog_free() in every
 * case.
 */
enum reading catalog_read(struct reader *reader, struct catalog *catalog);

#endif
