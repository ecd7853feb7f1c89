/*
 * Looks in, effects out: what a statement did to what was there before its migration.  Pure.
 *
 * Texts point into the looks, the list of what was made, or the arena.
 */
#ifndef MIG_REHEARSE_EFFECTS_H
#define MIG_REHEARSE_EFFECTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "records/model.h"
#include "records/words.h"
#include "rehearse/held.h"
#include "rehearse/look.h"

struct effects {
	struct effect *list;
	size_t count, cap;
};
void effects_free(struct effects *effects);

/* What pending migrations have made, so that nothing that runs now can know it. */
struct made {
	long long relation, column;   /* column 0: the relation as a whole */
	const char *migration;
};
struct made_list {
	struct made *list;            /* by relation, column */
	size_t count, cap;
};

/* Adds what `after` has and `before` had not. */
void made_add(struct made_list *made, const struct look *before, const struct look *after, const char *migration);
void made_free(struct made_list *made);

struct effects_of {
	const struct look *before;    /* the migration */
	const struct look *old, *new; /* before and after the statement */
	const struct held *had, *has; /* the locks; had: of the transaction before the statement */
	const char *tag;              /* the server's command tag */
	const struct look_relation *target; /* of before, whose rows the words of the statement say it writes; or NULL */
	const struct made_list *made;
	struct arena *arena;
};

/* Adds one; `column`: the number of the column that it is about, or 0. */
void effects_add(const struct effects_of *of, struct effects *effects, enum effect_kind kind, const struct look_relation *relation,
    long long column, enum lock_mode mode, const char *detail);

/* Adds the locks that a statement took, what it did under them, and which rows it wrote. */
void effects_of_statement(const struct effects_of *of, struct effects *effects);

/* Adds the locks alone: of a statement after which nothing can be looked at. */
void effects_of_locks(const struct effects_of *of, struct effects *effects);

/* Adds what differs between `before` and `new` for those who use it: dropped, renamed, retyped, required, restricted. */
void effects_differences(const struct effects_of *of, struct effects *effects);

/*
 * Of differences one statement later, sorted, which of them there were before: these keep the statement since which they are there
 * (from 0), with their texts; the others are there since `at`, and their details go to the arena.
 */
void effects_since(struct effects *now, const struct effects *before, size_t at, struct arena *arena);

/* Overwrites a list with another one; texts are shared. */
void effects_copy(struct effects *to, const struct effects *from);

/* Sorts those of a migration as they are written, and leaves out what is there twice. */
void effects_sort(struct effects *effects);

#endif
