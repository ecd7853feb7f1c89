/*
 * A catalog as a stream of kind `schema`, and back.  What a catalog has comes back as it was, but for the arrays' spare room.
 */
#ifndef MIG_CATALOG_STREAM_H
#define MIG_CATALOG_STREAM_H

#include "catalog/catalog.h"
#include "records/record.h"

#define SCHEMA_STREAM "schema"

/* Writes all records between `stream` and `end`. */
void catalog_write(const struct catalog *catalog, struct writer *writer);

/*
 * Reads the rest of a stream whose kind reader_begin() has told.  Returns READING_END when the stream was complete: only then may
 * anything of the catalog be used; else READING_FAILED or READING_BAD.  catalog_free() is due in any case.
 */
enum reading catalog_read(struct reader *reader, struct catalog *catalog);

#endif
