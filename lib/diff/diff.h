/*
 * Two schemas compared: how FROM would have to change to be TO.
 *
 * diff_make() sees what Prisma Migrate sees, and makes its steps: diff_script() is, byte for byte, what
 * `prisma migrate diff --script` (6.19) prints.  diff_drift() compares two live catalogs by all that both cover, as
 * PostgreSQL writes it down; it makes no script.
 *
 * Pure.  The catalogs must outlive the diff; both are settled (catalog_settle()) by it.
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

/* The damage of a difference, the worst first. */
enum damage {
	DAMAGE_LOSES,       /* rows or values would be lost */
	DAMAGE_MAY_FAIL,    /* depends on the rows that are there */
	DAMAGE_CHANGES,     /* what the running code may meet is another */
	DAMAGE_NONE         /* only more is there, or another name */
};

/* One difference, to be named. */
struct difference {
	enum change_kind change;
	enum object_kind object;
	const char *schema;
	const char *relation;    /* of a column, key, index, ...; else NULL */
	const char *name;        /* NULL: a schema itself */
	const char *from;        /* what it is there, in SQL's words; NULL: nothing to be said */
	const char *to;
	enum damage damage;
	const char *consequence; /* what would be lost, or may fail; NULL: nothing */
};

/* Something to be known of the script: records/words.h's struct finding has its form. */
struct diff_finding {
	const char *rule;        /* "broken_ddl", "never_settles" */
	enum severity severity;
	const char *message;
	const char *remedy;      /* NULL: none */
};

struct step;

struct diff {
	struct arena arena;
	struct difference *differences; /* as they were found; diff_by_damage() sorts them */
	size_t difference_count, difference_cap;
	struct diff_finding *findings;
	size_t finding_count, finding_cap;
	struct step *steps;
	size_t step_count, step_cap;
	const char *refused;     /* why Prisma makes no script of the two, and then there is none; NULL: it does */
};

/* FROM NULL: nothing is there. */
void diff_make(struct catalog *from, struct catalog *to, struct diff *diff);
void diff_drift(struct catalog *from, struct catalog *to, struct diff *diff);
void diff_free(struct diff *diff);

/* Whether both sides are live catalogs, so that diff_drift() has more to say. */
bool diff_is_drift(const struct catalog *from, const struct catalog *to);

/* The script, with the line end that the command line of Prisma adds. */
void diff_script(const struct diff *diff, struct bytes *out);

/* The worst first; otherwise as they were. */
void diff_by_damage(struct diff *diff);

/* "column \"User\".\"email\"": a difference's object, as people read it. */
void difference_object(const struct difference *d, struct bytes *out);

/* One line without its end: "column User.email: text -> varchar(20); its values may not fit". */
void difference_line(const struct difference *d, struct bytes *out);

/* The kinds that only one side covers, so that nothing can be said of them: "checks, views". */
void diff_uncovered(const struct catalog *from, const struct catalog *to, struct bytes *out);

#endif
