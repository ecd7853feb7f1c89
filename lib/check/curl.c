#include "check/curl.h"

#include <dlfcn.h>

#include "base/library.h"
#include "base/message.h"
#include "base/mig.h"

struct curl_functions curl;

#ifdef MIG_LINK
#define FIND(type, name, parameters) curl.name = curl_##name;

static int
find_curl(void)
{
	CURL_FUNCTIONS(FIND)
	return 0;
}
#else
#define FIND(type, name, parameters) { "curl_" #name, &curl.name },

LIBRARY_NOTE(LIBRARY_FILE("libcurl", "4"), "http", "recommended");

static int
find_curl(void)
{
	static const struct library library = { LIBRARY_FILE("libcurl", "4"), "libcurl4", RTLD_NOW | RTLD_LOCAL };
	static const struct library_function functions[] = { CURL_FUNCTIONS(FIND) };

	return library_load(&library, functions, sizeof functions / sizeof *functions);
}
#endif

int
curl_load(void)
{
	CURLcode began;
	int code;

	if (curl.getdate != NULL)
		return 0;
	if ((code = find_curl()) == 0 && (began = curl.global_init(CURL_GLOBAL_DEFAULT)) != CURLE_OK)
		code = message_error(MIG_FAILED, "libcurl does not start: %s", curl.easy_strerror(began));
	return code;
}
