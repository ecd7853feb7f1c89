/*
 * The options of a column, pg_attribute a, as somebody has set them: n_distinct=5, ...
 *
 * Since its minor releases of November 2026 PostgreSQL keeps a mark of its own among them (pg_attver=22116832), which it
 * changes with every ALTER TABLE and which pg_dump passes over; and what is set again stands elsewhere in the list.
 */
#ifndef MIG_REHEARSE_COLUMN_OPTIONS_H
#define MIG_REHEARSE_COLUMN_OPTIONS_H

#define OF_COLUMN_OPTIONS(value) "(SELECT string_agg(" value ", ', ' ORDER BY o) FROM unnest(a.attoptions) o WHERE o !~ '^pg_')"
#define COLUMN_OPTIONS OF_COLUMN_OPTIONS("o")
#define COLUMN_OPTION_NAMES OF_COLUMN_OPTIONS("split_part(o, '=', 1)")

#endif
