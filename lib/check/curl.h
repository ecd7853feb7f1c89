/*
 * Loads libcurl when the first health check begins (base/library.h): it pulls in thirty libraries, and mig-check
 * at the end of a pipe should not pay for them.
 */
#ifndef MIG_CHECK_CURL_H
#define MIG_CHECK_CURL_H

#include <curl/curl.h>
#include <sys/select.h>
#include <time.h>

/* The functions that we call: type, name without curl_, parameters. */
#define CURL_FUNCTIONS(USE) \
	USE(CURLcode, global_init, (long flags)) \
	USE(CURL *, easy_init, (void)) \
	USE(CURLcode, easy_setopt, (CURL *easy, CURLoption option, ...)) \
	USE(CURLcode, easy_getinfo, (CURL *easy, CURLINFO info, ...)) \
	USE(const char *, easy_strerror, (CURLcode code)) \
	USE(void, easy_cleanup, (CURL *easy)) \
	USE(CURLM *, multi_init, (void)) \
	USE(CURLMcode, multi_add_handle, (CURLM *multi, CURL *easy)) \
	USE(CURLMcode, multi_remove_handle, (CURLM *multi, CURL *easy)) \
	USE(CURLMcode, multi_perform, (CURLM *multi, int *running)) \
	USE(CURLMcode, multi_fdset, (CURLM *multi, fd_set *in, fd_set *out, fd_set *other, int *highest)) \
	USE(CURLMcode, multi_timeout, (CURLM *multi, long *ms)) \
	USE(CURLMsg *, multi_info_read, (CURLM *multi, int *left)) \
	USE(CURLMcode, multi_cleanup, (CURLM *multi)) \
	USE(struct curl_slist *, slist_append, (struct curl_slist *list, const char *text)) \
	USE(void, slist_free_all, (struct curl_slist *list)) \
	USE(time_t, getdate, (const char *text, const time_t *unused))

#define CURL_POINTER(type, name, parameters) type(*name) parameters;
extern struct curl_functions {
	CURL_FUNCTIONS(CURL_POINTER)
} curl;

/* Call it before any of these functions.  Returns 0, or an exit code with the error reported. */
int curl_load(void);

#endif
