/*
 * Who deploys, from where, and in which job of a CI server, by the variables that are usual for it.  Pure: the variables come
 * through a function.
 *
 * These variables are set by others, and what is taken of them is shown in logs: control characters are dropped, and a value
 * that could contain a password is left out.
 */
#ifndef MIG_DEPLOY_WHO_H
#define MIG_DEPLOY_WHO_H

#include <stdbool.h>

#include "base/arena.h"

struct who {
	const char *deployer;  /* "alice"; NULL: not known, as the others */
	const char *host;      /* of mig-apply */
	const char *job;       /* "https://github.com/acme/shop/actions/runs/1234" */
	const char *note;      /* --note */
};

/* Returns the value of a variable, or NULL: getenv(). */
typedef char *who_variable(const char *name);

/* The texts are in the arena.  `host` and `note` may be NULL. */
struct who who_deploys(who_variable *variable, const char *host, const char *note, struct arena *texts);

/* Whether a text could contain a password: a URL with one, password=. */
bool who_is_secret(const char *text);

#endif
