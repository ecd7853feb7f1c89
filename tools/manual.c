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
#include "manual_search.h"

int
manual_end(void)
{
	return fflush(stdout) == 0 && !ferror(stdout)
	    ? MIG_OK
	    : message_error(MIG_OUTPUT, "cannot write standard output: %s", strerror(errno));
}

/* In the order in which they are searched. */
static const struct {
	const char *section, *name;
} pages[] = { { "7", "mig" }, { "1", "mig-plan" }, { "1", "mig-apply" }, { "1", "mig-scan" }, { "1", "mig-check" }, { "1", "mig-seed" },
	{ "1", "mig-release" }, { "1", "mig-fleet" }, { "1", "mig" }, { "7", "mig-cookbook" }, { "5", "mig-records" } };
enum { PAGES = sizeof pages / sizeof *pages };

/* The page's name of a topic, or NULL. */
static const char *
page_of(const char *topic)
{
	size_t i;

	for (i = 0; i < PAGES; i++)
		if (strcmp(topic, pages[i].name) == 0 ||
		    (strlen(pages[i].name) > strlen("mig-") && strcmp(topic, pages[i].name + strlen("mig-")) == 0))
			return pages[i].name;
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
		if (strncmp(manual_pages[i], page, strlen(page)) == 0 && manual_pages[i][strlen(page)] == '.')
			fputs(manual_pages[i + 1], stdout);
	return manual_end();
}

/* The text of a page; NULL: it is not there.  The caller frees it. */
static char *
page_text(const char *section, const char *name)
{
	char *whole = xformat("%s.%s", name, section);
	const char *text = NULL;
	size_t i;

	for (i = 0; manual_pages[i] != NULL && text == NULL; i += 2)
		if (strcmp(manual_pages[i], whole) == 0)
			text = manual_pages[i + 1];
	free(whole);
	return text != NULL ? xstrdup(text) : NULL;
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

static char *
page_text(const char *section, const char *name)
{
	char *command = xformat("MANWIDTH=80 MANOPT='--no-justification --no-hyphenation' man %s %s 2>/dev/null", section, name), part[4096];
	FILE *man = popen(command, "r");
	struct bytes text = { 0 };
	size_t len;

	free(command);
	while (man != NULL && (len = fread(part, 1, sizeof part, man)) > 0)
		bytes_add(&text, part, len);
	if (man != NULL)
		(void)pclose(man);
	return text.data;
}

int
manual_version(void)
{
	printf("mig %s\n", MIG_VERSION);
	return manual_end();
}
#endif

/* A blank that does not break is a blank. */
static void
blank(char *text)
{
	char *to = text;

	for (; *text != '\0'; text++)
		if (strncmp(text, "\xC2\xA0", 2) == 0)
			*to++ = ' ', text++;
		else
			*to++ = *text;
	*to = '\0';
}

/* What the pages say of a word. */
static int
search(const char *topic)
{
	struct bytes found = { 0 };
	bool any = false, has_pages = false;
	size_t i;
	int code = MIG_OK;

	for (i = 0; i < PAGES; i++) {
		char *text = page_text(pages[i].section, pages[i].name), *page = xformat("%s(%s)", pages[i].name, pages[i].section);

		if (text != NULL)
			blank(text);
		if (text != NULL)
			any |= manual_search(&found, page, text, topic);
		has_pages |= text != NULL;
		free(text);
		free(page);
	}
	if (any)
		code = options_print(&found);
	else if (!has_pages)
		code = message_error(MIG_CONFIG, "cannot read the manual: the package man-db is missing, or the pages of mig are not installed");
	else
		code = options_wrong("the manual has no item on \"%s\"; its pages: mig, scan, plan, apply, seed, check, records, release, fleet, cookbook",
		    topic);
	bytes_free(&found);
	return code;
}

int
manual_show(const char *topic)
{
	const char *page = page_of(topic);

	return page != NULL ? show(page) : search(topic);
}
