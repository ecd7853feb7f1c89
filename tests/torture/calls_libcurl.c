/*
 * Functions of libcurl that fail once, as their manual says that they can.  What frees, or only says a code in words, cannot.
 */
#define _GNU_SOURCE
#include <curl/curl.h>
#include <dlfcn.h>
#include <stdarg.h>

#include "shim.h"

#define LIBRARY "libcurl.so.4"
#define FAILS(type, name, parameters, arguments, failure) TORTURE_FAILS(KIND_CURL, LIBRARY, type, name, parameters, arguments, failure)
#undef curl_easy_setopt
#undef curl_easy_getinfo

/*
 * mig-check looks for these functions in libcurl alone, where we are not: it gets the list of all that is loaded, in which we
 * come first.
 */
void *
dlopen(const char *file, int mode)
{
	static void *(*real)(const char *, int);
	void *found = dlsym(RTLD_NEXT, "dlopen"), *opened;

	memcpy(&real, &found, sizeof real);
	if (file == NULL || strcmp(file, LIBRARY) != 0 || (mode & RTLD_NOLOAD))
		return real(file, mode);
	opened = real(file, mode | RTLD_GLOBAL);
	return opened != NULL ? real(NULL, RTLD_LAZY) : NULL;
}

FAILS(CURLcode, curl_global_init, (long flags), (flags), CURLE_OUT_OF_MEMORY)
FAILS(CURL *, curl_easy_init, (void), (), NULL)
FAILS(CURLM *, curl_multi_init, (void), (), NULL)
FAILS(CURLMcode, curl_multi_add_handle, (CURLM *multi, CURL *easy), (multi, easy), CURLM_OUT_OF_MEMORY)
FAILS(CURLMcode, curl_multi_perform, (CURLM *multi, int *running), (multi, running), CURLM_OUT_OF_MEMORY)
FAILS(CURLMcode, curl_multi_fdset, (CURLM *multi, fd_set *in, fd_set *out, fd_set *other, int *highest),
    (multi, in, out, other, highest), CURLM_INTERNAL_ERROR)
FAILS(CURLMcode, curl_multi_timeout, (CURLM *multi, long *ms), (multi, ms), CURLM_INTERNAL_ERROR)
FAILS(CURLMsg *, curl_multi_info_read, (CURLM *multi, int *left), (multi, left), NULL)
FAILS(struct curl_slist *, curl_slist_append, (struct curl_slist *list, const char *text), (list, text), NULL)

/* Of one parameter, as its manual says, which has the width of a pointer in all that are used here. */
CURLcode
curl_easy_setopt(CURL *easy, CURLoption option, ...)
{
	static CURLcode (*real)(CURL *, CURLoption, ...);
	void *found = torture_next(LIBRARY, "curl_easy_setopt"), *value;
	va_list rest;

	memcpy(&real, &found, sizeof real);
	va_start(rest, option);
	value = va_arg(rest, void *);
	va_end(rest);
	if (torture(KIND_CURL, "curl_easy_setopt: out of memory", __builtin_return_address(0)))
		return CURLE_OUT_OF_MEMORY;
	if (torture(KIND_CURL, "curl_easy_setopt: not this one", __builtin_return_address(0)))
		return CURLE_UNKNOWN_OPTION;
	return real(easy, option, value);
}

CURLcode
curl_easy_getinfo(CURL *easy, CURLINFO info, ...)
{
	static CURLcode (*real)(CURL *, CURLINFO, ...);
	void *found = torture_next(LIBRARY, "curl_easy_getinfo"), *value;
	va_list rest;

	memcpy(&real, &found, sizeof real);
	va_start(rest, info);
	value = va_arg(rest, void *);
	va_end(rest);
	return torture(KIND_CURL, "curl_easy_getinfo", __builtin_return_address(0)) ? CURLE_UNKNOWN_OPTION : real(easy, info, value);
}
