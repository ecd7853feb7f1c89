/* The settings of a health check: the address, the headers, what goes together. */
#include "check/health_internal.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/select.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/options.h"
#include "check/check.h"
#include "check/curl.h"
#include "records/json_path.h"
#include "secret/secret.h"
#include "secret/source.h"

static bool
is_source(const char *text)
{
	return strncmp(text, "env:", 4) == 0 || strncmp(text, "file:", 5) == 0 ||
	    strncmp(text, "cmd:", 4) == 0;
}

/* Byte by byte: see secret_room(). */
static struct secret *
part_of(const char *text, size_t len)
{
	char *room = secret_room(len + 1);
	size_t i;

	for (i = 0; i < len; i++)
		room[i] = text[i];
	room[len] = '\0';
	return secret_seal(room, len, 0);
}

static void *
split_url(const char *url, void *context)
{
	struct health_job *h = context;
	const char *host = strstr(url, "://"), *path, *query;

	if (host == NULL)
		return NULL;
	path = host + 3 + strcspn(host + 3, "/?#");
	query = path + strcspn(path, "?#");
	h->path = part_of(path, (size_t)(query - path));
	if (*query == '?')
		h->query = part_of(query + 1, strcspn(query + 1, "#"));
	return NULL;
}

/* What is wrong with a URL, without a part of it: it may be secret; NULL: nothing. */
static void *
url_flaw(const char *url, void *context)
{
	static char none[] = "its value must be a URL that begins with http:// or https://, or env:NAME, file:PATH, cmd:COMMAND";
	static char blank[] = "a URL must not contain a blank or a control character (write %20)";
	static char host[] = "the URL has no host", port[] = "the URL's port is not between 1 and 65535";
	const char *at, *health_end, *colon;

	(void)context;
	if (strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0)
		return none;
	for (at = url; *at != '\0'; at++)
		if ((unsigned char)*at <= ' ' || *at == 0x7F)
			return blank;
	at = strstr(url, "://") + 3;
	health_end = at + strcspn(at, "/?#");
	while ((colon = memchr(at, '@', (size_t)(health_end - at))) != NULL)
		at = colon + 1;
	if (*at == '[') {
		if ((at = memchr(at, ']', (size_t)(health_end - at))) == NULL)
			return host;
		colon = at + 1 < health_end ? at + 1 : NULL;
		if (colon != NULL && *colon != ':')
			return host;
	} else {
		colon = memchr(at, ':', (size_t)(health_end - at));
		if ((colon != NULL ? colon : health_end) == at)
			return host;
	}
	if (colon == NULL || colon + 1 == health_end)
		return NULL;
	at = colon + 1;
	if (at + strspn(at, "0123456789") != health_end || health_end - at > 5 || strtol(at, NULL, 10) < 1 || strtol(at, NULL, 10) > 65535)
		return port;
	return NULL;
}

static int
take_url(struct check_job *job, struct health_job *h)
{
	const char *url = job->value, *host, *flaw;
	int code;

	if (is_source(url)) {
		h->url = secret_open(url, "URL", &code);
		if (h->url == NULL)
			return code;
		if ((flaw = secret_use(h->url, url_flaw, NULL)) != NULL)
			return message_error(MIG_CONFIG, "in the source of the URL: %s", flaw);
		secret_use(h->url, split_url, h);
		return 0;
	}
	if ((flaw = url_flaw(url, NULL)) != NULL)
		return options_wrong("%s: %s", job->name, flaw);
	host = strstr(url, "://") + 3;
	if (memchr(host, '@', strcspn(host, "/?#")) != NULL) {
		(void)options_wrong("%s: the URL contains a user or password, and other users see the command line",
		    job->name);
		message_line("  Put the URL into a variable or a file:  %s=env:HEALTH_URL", job->name);
		return MIG_USAGE;
	}
	bytes_add(&job->target.place, host, strcspn(host, "/?#"));
	return 0;
}

static struct health_header *
new_header(struct health_job *h, char *name)
{
	h->headers = xrealloc(h->headers, (h->header_count + 1) * sizeof *h->headers);
	h->headers[h->header_count] = (struct health_header){ .name = name };
	return &h->headers[h->header_count++];
}

/* "NAME: VALUE"; what logs in must come from a source, since command lines can be seen. */
static int
take_header(struct check_job *job, struct health_job *h, const char *text, size_t len)
{
	static const char *const logins[] = { "Authorization:", "Proxy-Authorization:", "Cookie:" };
	size_t name = strcspn(text, ":\n") + 1, i;
	const char *value = text + name + strspn(text + name, " ");
	char *whole;
	int code;

	if (name >= len)
		return options_wrong("%s.header needs a name, a colon and a value", job->kind->name);
	if (!is_source(value)) {
		for (i = 0; i < sizeof logins / sizeof *logins; i++)
			if (strncasecmp(text, logins[i], strlen(logins[i])) == 0)
				return options_wrong("%s.header: %.*s is a credential; pass it from a source: "
				    "'%s.header=%.*s: env:NAME'",
				    job->kind->name, (int)name - 1, text, job->kind->name, (int)name - 1,
				    text);
		(void)new_header(h, xstrndup(text, len));
		return 0;
	}
	whole = xstrndup(value, len - (size_t)(value - text));
	new_header(h, xformat("%.*s ", (int)name, text))->value = secret_open(whole, "header", &code);
	free(whole);
	h->secret_headers = true;
	return h->headers[h->header_count - 1].value != NULL ? 0 : code;
}

static int
take_headers(struct check_job *job, struct health_job *h)
{
	const char *at = bytes_text(&job->settings[HEADER].lines);
	int code = 0;
	size_t len;

	for (; code == 0 && *at != '\0'; at += len + 1) {
		len = strcspn(at, "\n");
		code = take_header(job, h, at, len);
	}
	if (code == 0 && job->settings[BEARER].text != NULL) {
		struct health_header *bearer = new_header(h, xstrdup("Authorization: Bearer "));

		bearer->value = secret_open(job->settings[BEARER].text, "bearer token", &code);
		if (bearer->value != NULL)
			code = 0;
	}
	return code;
}

int
health_is_listed(const char *list, long status)
{
	int found = 0;

	while (*list != '\0') {
		char *health_end;
		long from = strtol(list, &health_end, 10), to = from;

		if (health_end == list)
			return -1;
		if (*health_end == '-') {
			list = health_end + 1;
			to = strtol(list, &health_end, 10);
			if (health_end == list)
				return -1;
		}
		if (from < 100 || to > 599 || from > to || (*health_end != ',' && *health_end != '\0'))
			return -1;
		found |= status >= from && status <= to;
		list = health_end + (*health_end == ',');
	}
	return found;
}

/* A file that libcurl could not use would look like a fault of the application. */
static int
check_authorities(const struct check_job *job)
{
	const char *path = job->settings[CA].text;
	char line[256] = "";
	FILE *file;
	bool found = false;

	if (path == NULL)
		return 0;
	if ((file = fopen(path, "re")) == NULL)
		return message_error(MIG_CONFIG, "%s.ca: cannot open %s: %s", job->kind->name, path, file_why(errno));
	while (!found && fgets(line, sizeof line, file) != NULL)
		found = strstr(line, "-----BEGIN ") != NULL && strstr(line, "CERTIFICATE-----") != NULL;
	fclose(file);
	return found ? 0 : message_error(MIG_CONFIG, "%s.ca: %s has no certificate in PEM format", job->kind->name, path);
}

/* Settings that are sound each by itself. */
static int
check_together(const struct check_job *job, const struct health_job *h)
{
	const struct setting_value *s = job->settings;
	const char *kind = job->kind->name;
	size_t i, logins = 0;

	if (s[METHOD].number == METHOD_HEAD && (s[CONTAINS].lines.len > 0 || s[JSON].lines.len > 0))
		return options_wrong("%s.method=HEAD returns no body, and %s.%s needs one", kind, kind,
		    s[JSON].lines.len > 0 ? "json" : "contains");
	if (s[WARN].given && s[CRIT].given && s[WARN].number > s[CRIT].number)
		return options_wrong("%s.warn=%s is more than %s.crit=%s", kind, s[WARN].text, kind, s[CRIT].text);
	if (s[CERTIFICATE_WARN].given && s[CERTIFICATE_CRIT].given &&
	    s[CERTIFICATE_WARN].number < s[CERTIFICATE_CRIT].number)
		return options_wrong("%s.certificate-warn=%s is less than %s.certificate-crit=%s", kind,
		    s[CERTIFICATE_WARN].text, kind, s[CERTIFICATE_CRIT].text);
	for (i = 0; i < h->header_count; i++)
		logins += strncasecmp(h->headers[i].name, "Authorization:", 14) == 0;
	if (logins > 1)
		return options_wrong("%s: there are two Authorization headers: %s.bearer is one", job->name, kind);
	return 0;
}

static int
check_json(const struct check_job *job)
{
	const char *kind = job->kind->name, *json = bytes_text(&job->settings[JSON].lines), *why;

	for (; *json != '\0'; json += strcspn(json, "\n") + 1) {
		size_t len = strcspn(json, "=");
		char *path;

		if (len >= strcspn(json, "\n"))
			return options_wrong("%s.json needs a path and a value: %s.json=.status=ok", kind, kind);
		path = xstrndup(json, len);
		if ((why = jsonpath_flaw(path)) != NULL)
			(void)options_wrong("%s.json=%s: %s", kind, path, why);
		free(path);
		if (why != NULL)
			return MIG_USAGE;
	}
	return 0;
}

int
health_begin(struct check_job *job)
{
	struct health_job *h = xcalloc(1, sizeof *h);
	int code;

	job->data = h;
	if (health_is_listed(job->settings[STATUS].text, 0) < 0)
		return options_wrong("%s.status=%s: must be a list of status codes: 200,204,300-399",
		    job->kind->name, job->settings[STATUS].text);
	if ((code = check_json(job)) == 0)
		code = take_url(job, h);
	if (code == 0)
		code = take_headers(job, h);
	if (code == 0)
		code = check_together(job, h);
	if (code == 0)
		code = check_authorities(job);
	return code == 0 ? curl_load() : code;
}
