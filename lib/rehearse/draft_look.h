/*
 * A look at a database from which its differences to an earlier look can be taken back (rehearse/draft.h): every object, what can be
 * changed of it, and the statements that make it so.  Only for looks at the same database: objects are matched by their OIDs.
 */
#ifndef MIG_REHEARSE_DRAFT_LOOK_H
#define MIG_REHEARSE_DRAFT_LOOK_H

#include "postgres/connection.h"

/*
 * The rows of its answer, by key and facet.  An object has a row without facet, which says how it is created and dropped, and one for
 * each facet, which is something that can be changed: its name, its type, its rights.
 */
enum {
	DRAFT_KEY,      /* "c:16384" */
	DRAFT_FACET,    /* "": the object itself */
	DRAFT_ALIAS,    /* identifies it where the server gives it another OID by itself; or NULL */
	DRAFT_PARENT,   /* the key of the object that takes it along when it is dropped; or NULL */
	DRAFT_TITLE,    /* "column city of users" */
	DRAFT_VALUE,    /* of the facet, as text; or NULL */
	DRAFT_RAW,      /* the same as the server keeps it, where it stays the same although names in the text change; else NULL */
	DRAFT_INITIAL,  /* the value right after the object is created */
	DRAFT_PHASE,    /* when `make` runs */
	DRAFT_MAKE,     /* statements that create it, or that set the value; NULL: nothing is to be done */
	DRAFT_UNDO_PHASE,
	DRAFT_UNDO,     /* statements that drop it, or that must run before another value is set; NULL: nothing */
	DRAFT_HEAD,     /* of a name: the statement up to the name, which is in `make` */
	DRAFT_FLAGS,    /* letters, below */
	DRAFT_ORDER     /* objects that were made later have a greater number */
};

#define DRAFT_WITH_PARENT 'p'   /* it is created together with its parent */
#define DRAFT_AGAIN 'r'         /* another value: the object is dropped and created */
#define DRAFT_DEFAULT 'd'       /* is set again after another type */
#define DRAFT_TYPE 't'

/*
 * Phases: drops with the names of after, then renames, then what is created and set with the names of before; and from LATE on drops of what
 * may be in use until then.
 */
enum { DRAFT_EARLY = 390, DRAFT_LATE = 800 };

enum db_outcome draft_look_take(struct db *db, struct answer **look);

#endif
