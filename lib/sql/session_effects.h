/*
 * What a script does to its session, as far as its words tell.
 *
 * The journal of a migration knows what is committed, not what the session had by then: a search path, a role, a
 * temporary table.  Here is the one table of statements that change a session, and what it takes to make one again.
 *
 * What it cannot see: triggers, and functions called in INSERT, UPDATE or DDL, that change settings for the session.
 *
 * Pure.
 */
#ifndef MIG_SQL_SESSION_EFFECTS_H
#define MIG_SQL_SESSION_EFFECTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "sql/sql.h"

enum session_effect {
	SESSION_KEPT,    /* nothing outlives the statement */
	SESSION_LOCAL,   /* a setting that ends with its transaction: SET LOCAL, set_config(..., true) */
	SESSION_SET,     /* a setting: the same statement makes it again */
	SESSION_DISCARD, /* DISCARD ALL: the session is as new, and without its locks */
	SESSION_UNLOCK,  /* gives advisory locks away */
	SESSION_OBJECT,  /* makes what only this session has and no statement makes again: a temporary table, ... */
	SESSION_CODE     /* runs code that may do any of these: CALL, DO, SELECT of a function that is not PostgreSQL's */
};

struct session_change {
	enum session_effect effect;
	const char *what;        /* static, for people: "a temporary table"; NULL: KEPT */
	struct sql_token name;   /* of the setting, or of the object; its kind is SQL_END where there is none */
	bool stays;              /* a ROLLBACK does not undo it */
};
struct session_change session_change_of(const char *text, const struct sql_statement *statement);

/* Whether a script may leave its session other than it was; what ends with its transaction does not count. */
bool session_changes(const char *text, const struct sql_script *script);

/* Whether a script says itself that it makes what only its session has: a temporary table, ... */
bool session_makes_objects(const char *text, const struct sql_script *script);

/* Whether a script sets this setting (in lower case), or may: by another spelling, by RESET ALL, by code. */
bool session_may_set(const char *text, const struct sql_script *script, const char *setting);

/* Whether a statement names this setting to change it, for its transaction or for the session. */
bool session_sets(const char *text, const struct sql_statement *statement, const char *setting);

/* The same, to another value than `value` (in lower case); RESET counts. */
bool session_sets_other(const char *text, const struct sql_statement *statement, const char *setting, const char *value);

/*
 * Appends the settings that statements of the script set and the same statements make again, as SQL texts in lower case:
 * , 'timezone', 'work_mem'.  Without those that one of them sets in passing, as in INSERT ... SELECT set_config(...).
 */
void session_names_sql(struct bytes *out, const char *text, const struct sql_script *script);

/* Whether a script may give away the advisory locks that the session has. */
bool session_may_unlock(const char *text, const struct sql_script *script);

/*
 * The session in which statement `done` (from 0) would have run: what those before it have set and kept, without what
 * a transaction of the script rolled back.  session_free() frees it.
 */
struct session_behind {
	struct bytes settings;   /* statements that make its settings again, each with a semicolon; empty: none */
	struct bytes locals;     /* the same of the transaction that `done` is in the middle of */
	const char *lost;        /* static: what no statement makes again, or NULL */
	size_t lost_at;          /* the statement that made or needs it, from 0 */
};
struct session_behind session_behind(const char *text, const struct sql_script *script, size_t done);

/* Whether a statement before `done` made what is lost: then names may have meant other things there. */
bool session_lost_before(const struct session_behind *behind, size_t done);
void session_behind_free(struct session_behind *behind);

#endif
