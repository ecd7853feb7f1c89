/*
 * Compares two schemas: how FROM must change to become TO.
 *
 * diff_make() compares what Prisma Migrate compares, and makes its steps: diff_script() prints, byte for byte,
 * what `prisma migrate diff --script` (6.19) prints.  diff_drift() compares two live catalogs in all kinds that
 * both cover, by PostgreSQL's definitions; it makes no script.
 *
 * Pure.  The catalogs must outlive the diff; it calls catalog_settle() on both.
 */
#ifndef MIG_DIFF_DIFF_H
#define MIG_DIFF_DIFF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "catalog/catalog.h"
#include "records/words.h"

enum change_kind { CHANGE_ADDED, CHANGE_REMOVED, CHANGE_CHANGED, CHANGE_RENAMED };
const char *change_kind_name(enum change_kind kind);

/* The damage of a difference, worst first. */
enum damage {
	DAMAGE_LOSES,       /* rows or values would be lost */
	DAMAGE_MAY_FAIL,    /* depends on the existing rows */
	DAMAGE_CHANGES,     /* running code may see something else */
	DAMAGE_NONE         /* only additions or another name */
};

/* One difference, to be named. */
struct difference {
	enum change_kind change;
	enum object_kind object;
	const char *schema;
	const char *relation;    /* for a column, key, index, ...; else NULL */
	const char *name;        /* NULL: the schema itself */
	const char *from;        /* its SQL on that side; NULL: not shown */
	const char *to;
	enum damage damage;
	const char *consequence; /* what would be lost, or may fail; NULL: nothing */
};

/* A remark about the script, with the form of struct finding (records/words.h). */
struct diff_finding {
	const char *rule;        /* "broken_ddl", "never_settles" */
	enum severity severity;
	const char *message;
	const char *remedy;      /* NULL: none */
};

struct step;

struct diff {
	struct arena arena;
	struct difference *differences; /* in the order found; diff_by_damage() sorts them */
	size_t difference_count, difference_cap;
	struct diff_finding *findings;
	size_t finding_count, finding_cap;
	struct step *steps;
	size_t step_count, step_cap;
	const char *refused;     /* why Prisma makes no script for these; then there is none.  NULL: there is a
	                          * script */
};

/* FROM NULL: an empty schema. */
void diff_make(struct catalog *from, struct catalog *to, struct diff *diff);
void diff_drift(struct catalog *from, struct catalog *to, struct diff *diff);
void diff_free(struct diff *diff);

/* Whether both sides are live catalogs, so that diff_drift() has more to say. */
bool diff_is_drift(const struct catalog *from, const struct catalog *to);

/* The script, with the final line end that Prisma's command line adds. */
void diff_script(const struct diff *diff, struct bytes *out);

/* Sorts worst first; stable. */
void diff_by_damage(struct diff *diff);

/* Appends a difference's object for users: "column \"User\".\"email\"". */
void difference_object(const struct difference *d, struct bytes *out);

/* Appends one line without its line end: "column User.email: text -> varchar(20); its values may not fit". */
void difference_line(const struct difference *d, struct bytes *out);

/* Appends the kinds that only one side covers, which cannot be compared: "checks, views". */
void diff_uncovered(const struct catalog *from, const struct catalog *to, struct bytes *out);

#endif
