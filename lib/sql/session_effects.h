/*
 * What a script does to its session, as far as its words tell.
 *
 * The journal of a migration records what is committed, but not what else the session had by then: a search path,
 * a role, a temporary table.  This is the only table of statements that change a session, and of what restores the
 * change in a new session.
 *
 * Not detected: triggers, and functions called in INSERT, UPDATE or DDL, that change settings of the session.
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
	SESSION_SET,     /* a setting; the same statement restores it */
	SESSION_DISCARD, /* DISCARD ALL: resets the session and releases its locks */
	SESSION_UNLOCK,  /* releases advisory locks */
	SESSION_OBJECT,  /* makes something that exists only in this session and that no statement restores: a
	                  * temporary table, ... */
	SESSION_CODE     /* runs code that may do any of these: CALL, DO, SELECT of a function that is not built in */
};

struct session_change {
	enum session_effect effect;
	const char *what;        /* static text for users: "a temporary table"; NULL: KEPT */
	struct sql_token name;   /* of the setting or object; kind SQL_END if there is none */
	bool stays;              /* ROLLBACK does not undo it */
};
struct session_change session_change_of(const char *text, const struct sql_statement *statement);

/*
 * Notes in each statement that it leaves the session alone, where it does.  Who asks a long script several of the questions
 * below calls it first: they then pass over these statements.  Returns whether all do.
 */
bool session_note(const char *text, struct sql_script *script);

/* Whether a script may leave its session changed; changes that end with its transaction do not count. */
bool session_changes(const char *text, const struct sql_script *script);

/* Whether a script itself makes session-only objects: a temporary table, ... */
bool session_makes_objects(const char *text, const struct sql_script *script);

/*
 * Whether a script sets this setting (in lower case), or may set it: by another spelling, by RESET ALL, by code.
 */
bool session_may_set(const char *text, const struct sql_script *script, const char *setting);

/* Whether a statement names this setting to change it, for its transaction or for the session. */
bool session_sets(const char *text, const struct sql_statement *statement, const char *setting);

/* The same, to a value other than `value` (in lower case); RESET counts. */
bool session_sets_other(const char *text, const struct sql_statement *statement, const char *setting, const char *value);

/*
 * Appends the settings that statements of the script set and that the same statements restore, as SQL strings in
 * lower case, each preceded by a comma: , 'timezone', 'work_mem'.  Omits settings that a statement sets as a side
 * effect, like INSERT ... SELECT set_config(...).
 */
void session_names_sql(struct bytes *out, const char *text, const struct sql_script *script);

/* Whether a script may release the session's advisory locks. */
bool session_may_unlock(const char *text, const struct sql_script *script);

/*
 * The session state that statement `done` (from 0) would have run with: what earlier statements have set, without
 * what the script rolled back.  Free it with session_free().
 */
struct session_behind {
	struct bytes settings;   /* statements that restore the settings, each with a semicolon; empty: none */
	struct bytes locals;     /* the same for the transaction that `done` is in the middle of */
	const char *lost;        /* static text: what no statement restores, or NULL */
	size_t lost_at;          /* the statement that made or needs it, from 0 */
};
struct session_behind session_behind(const char *text, const struct sql_script *script, size_t done);

/* Whether a statement before `done` made the lost object: then names may have meant other objects there. */
bool session_lost_before(const struct session_behind *behind, size_t done);
void session_behind_free(struct session_behind *behind);

#endif
