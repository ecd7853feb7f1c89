/*
 * Shared by the files of the health check (check/check.h: check_health_kind); private to them.
 */
#ifndef MIG_CHECK_HEALTH_INTERNAL_H
#define MIG_CHECK_HEALTH_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "check/check.h"
#include "check/curl.h"

enum { WARN, CRIT, STATUS, REDIRECTS, CONTAINS, JSON, METHOD, HEADER, BEARER, CA, CERTIFICATE_WARN,
    CERTIFICATE_CRIT };

enum { BODY_BYTES = 1 << 20, METHOD_HEAD = 1 /* of the words of method */ };

/* --- state of a job --- */

/* A header, whose value may be secret. */
struct health_header {
	char *name;             /* "Authorization: Bearer ", "X-Api-Key: "; or the whole header if it is not secret */
	struct secret *value;   /* NULL: none */
};

struct health_job {
	struct secret *url;     /* NULL: not secret, the job's value */
	struct secret *path, *query; /* its parts, which libcurl copies separately */
	struct health_header *headers;
	size_t header_count;
	bool secret_headers;    /* libcurl would send them to another host on a redirect */
	/* Of a poll: */
	CURLcode refused;       /* the first setting that libcurl did not take: nothing is sent */
	CURLM *multi;
	CURL *easy;
	struct curl_slist *list;
	struct bytes body;
	bool too_large;
	char why[CURL_ERROR_SIZE];
	long long bytes;
};

/* --- health.c --- */

void health_end(struct check_job *job);

/* --- health_settings.c --- */

/* check_kind.begin: takes URL and settings; health_end() frees what was allocated, also on failure. */
int health_begin(struct check_job *job);
/* Whether a status is in a list such as "200,204,300-399"; -1: the list is malformed. */
int health_is_listed(const char *list, long status);

/* --- health_judge.c --- */

void health_judge(struct check_job *job, struct health_job *h, CURLcode code);

#endif
