#include "manual.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/options.h"

int
manual_end(void)
{
	return fflush(stdout) == 0 && !ferror(stdout)
	    ? MIG_OK
	    : message_error(MIG_OUTPUT, "cannot write standard output: %s", strerror(errno));
}

/* The page's name of a topic, or NULL. */
static const char *
page_of(const char *topic)
{
	static const char *const pages[] = { "mig", "mig-scan", "mig-plan", "mig-apply", "mig-seed", "mig-check", "mig-records",
		"mig-release", "mig-cookbook" };
	size_t i;

	for (i = 0; i < sizeof pages / sizeof *pages; i++)
		if (strcmp(topic, pages[i]) == 0 || (i > 0 && strcmp(topic, pages[i] + strlen("mig-")) == 0))
			return pages[i];
	if (strcmp(topic, "status") == 0)
		return "mig-scan";
	return strcmp(topic, "deploy") == 0 || strcmp(topic, "verify") == 0 || strcmp(topic, "help") == 0 ? "mig" : NULL;
}

#ifdef MIG_STATIC
#include <curl/curl.h>
#include <gnu/libc-version.h>
#include <jansson.h>
#include <libpq-fe.h>
#include <nettle/version.h>
#include <openssl/crypto.h>
#include <sodium.h>

/* Made by scripts/embed-manual: name and text of each page, one after the other, NULL behind them. */
extern const char *const manual_pages[];

static int
show(const char *page)
{
	size_t i;

	for (i = 0; manual_pages[i] != NULL; i += 2)
		if (strcmp(manual_pages[i], page) == 0)
			fputs(manual_pages[i + 1], stdout);
	return manual_end();
}

/* In it where libcrypto wanted them. */
extern const char *zlibVersion(void) __attribute__((weak));
extern const char *ZSTD_versionString(void) __attribute__((weak));

static void
print_library(const char *name, const char *version, const char *licence)
{
	printf("  %-9s %-9s %s\n", name, version, licence);
}

int
manual_version(void)
{
	int libpq = PQlibVersion();
	char number[32];

	printf("mig %s, in one file with\n", MIG_VERSION);
	snprintf(number, sizeof number, "%d.%d", libpq / 10000, libpq % 10000);
	print_library("libpq", number, "PostgreSQL License");
	print_library("OpenSSL", OpenSSL_version(OPENSSL_VERSION_STRING), "Apache-2.0");
	print_library("libcurl", curl_version_info(CURLVERSION_NOW)->version, "curl");
	print_library("libsodium", sodium_version_string(), "ISC");
	print_library("jansson", jansson_version_str(), "MIT");
	snprintf(number, sizeof number, "%d.%d", nettle_version_major(), nettle_version_minor());
	print_library("nettle", number, "LGPL-3.0-or-later or GPL-2.0-or-later");
	print_library("glibc", gnu_get_libc_version(), "LGPL-2.1-or-later");
	if (zlibVersion != NULL)
		print_library("zlib", zlibVersion(), "Zlib");
	if (ZSTD_versionString != NULL)
		print_library("zstd", ZSTD_versionString(), "BSD-3-Clause");
	printf("It can be relinked with other releases of these: make static, in the source of this version.\n");
	return manual_end();
}
#else
static int
show(const char *page)
{
	static char man[] = "man";

	(void)execvp(man, (char *[]){ man, xstrdup(page), NULL });
	return message_error(MIG_CONFIG, "cannot run man: %s", strerror(errno));
}

int
manual_version(void)
{
	printf("mig %s\n", MIG_VERSION);
	return manual_end();
}
#endif

int
manual_show(const char *topic)
{
	const char *page = page_of(topic);

	if (page == NULL)
		return options_wrong("unknown topic: mig, scan, plan, apply, seed, check, records, release, cookbook");
	return show(page);
}
