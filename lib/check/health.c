/*
 * health: an endpoint of the application, asked as its users ask it, each time over a new connection.
 *
 * A URL, a header or a token may come from a source.  It is then in guarded memory; libcurl's copies are wiped
 * after each look.
 */
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/select.h>

#include "base/clock.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/options.h"
#include "base/signals.h"
#include "check/check.h"
#include "check/curl.h"
#include "records/json_path.h"
#include "secret/source.h"

enum { WARN, CRIT, STATUS, REDIRECTS, CONTAINS, JSON, METHOD, HEADER, BEARER, CA, CERTIFICATE_WARN,
    CERTIFICATE_CRIT };
static const struct setting settings[] = {
	[WARN] = { "warn", "TIME", "1s", "the whole answer may take so long", SETTING_TIME, false },
	[CRIT] = { "crit", "TIME", "5s", "then the request is given up", SETTING_TIME, false },
	[STATUS] = { "status", "LIST", "200-299", "which status codes are well: 200,204,300-399",
	    SETTING_TEXT, false },
	[REDIRECTS] = { "redirects", "N", "5", "how many are followed; 0: none", SETTING_COUNT, false },
	[CONTAINS] = { "contains", "TEXT", NULL, "what the body has to contain; may come again", SETTING_TEXT,
	    true },
	[JSON] = { "json", "PATH=VALUE", NULL, "what its JSON has to have: .db.status=up; may come again",
	    SETTING_TEXT, true },
	[METHOD] = { "method", "GET|HEAD|POST|PUT|OPTIONS", "GET", "how it is asked", SETTING_WORD, false },
	[HEADER] = { "header", "NAME: VALUE", NULL, "one more header; VALUE may be a SOURCE; may come again",
	    SETTING_TEXT, true },
	[BEARER] = { "bearer", "SOURCE", NULL, "where a bearer token is: env:NAME, file:PATH, cmd:COMMAND",
	    SETTING_TEXT, false },
	[CA] = { "ca", "FILE", NULL, "authorities to trust, instead of the system's", SETTING_TEXT, false },
	[CERTIFICATE_WARN] = { "certificate-warn", "DAYS", "21d",
	    "the certificate has to be good for so long", SETTING_DAYS, false },
	[CERTIFICATE_CRIT] = { "certificate-crit", "DAYS", "7d", "the same, for CRITICAL", SETTING_DAYS,
	    false },
	{ NULL, NULL, NULL, NULL, SETTING_TEXT, false },
};

static const struct metric response_metric = { "response_ms", "response", "mig_health_response_seconds", NULL,
	"Time until the health endpoint had answered in full.", METRIC_MS, false };
static const struct metric status_metric = { "http_status", NULL, "mig_health_http_status", NULL,
	"Status code of the health endpoint's answer.", METRIC_COUNT, false };
static const struct metric certificate_metric = { "certificate_days", "certificate_days",
    "mig_health_certificate_days", NULL,
	"Days until the first certificate of the chain expires.", METRIC_DAYS, true };

enum { BODY_BYTES = 1 << 20, METHOD_HEAD = 1 /* of the words of method */ };

/* --- what a job keeps --- */

/* A header whose value may be secret. */
struct header {
	char *name;             /* "Authorization: Bearer ", "X-Api-Key: "; or all of a header that is none */
	struct secret *value;   /* NULL: none */
};

struct health_job {
	struct secret *url;     /* NULL: it is in the open, the job's value */
	struct secret *path, *query; /* its parts, which libcurl copies one by one */
	struct header *headers;
	size_t header_count;
	bool secret_headers;    /* that libcurl would send to another host, where it is redirected to one */
	/* of a look */
	CURLM *multi;
	CURL *easy;
	struct curl_slist *list;
	struct bytes body;
	bool too_large;
	char why[CURL_ERROR_SIZE];
	long long bytes;
};

/* --- beginning --- */

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
	static char none[] = "its value is a URL with http:// or https:// before it, or env:NAME, file:PATH, cmd:COMMAND";
	static char blank[] = "a URL has no blank and no control character (%20)";
	static char host[] = "the URL has no host", port[] = "the URL's port is none between 1 and 65535";
	const char *at, *end, *colon;

	(void)context;
	if (strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0)
		return none;
	for (at = url; *at != '\0'; at++)
		if ((unsigned char)*at <= ' ' || *at == 0x7F)
			return blank;
	at = strstr(url, "://") + 3;
	end = at + strcspn(at, "/?#");
	while ((colon = memchr(at, '@', (size_t)(end - at))) != NULL)
		at = colon + 1;
	if (*at == '[') {
		if ((at = memchr(at, ']', (size_t)(end - at))) == NULL)
			return host;
		colon = at + 1 < end ? at + 1 : NULL;
		if (colon != NULL && *colon != ':')
			return host;
	} else {
		colon = memchr(at, ':', (size_t)(end - at));
		if ((colon != NULL ? colon : end) == at)
			return host;
	}
	if (colon == NULL || colon + 1 == end)
		return NULL;
	at = colon + 1;
	if (at + strspn(at, "0123456789") != end || end - at > 5 || strtol(at, NULL, 10) < 1 || strtol(at, NULL, 10) > 65535)
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
		(void)options_wrong("%s: there is a user or password in the URL, where other users see it",
		    job->name);
		message_line("  Put the URL into a variable or a file:  %s=env:HEALTH_URL", job->name);
		return MIG_USAGE;
	}
	return 0;
}

static struct header *
new_header(struct health_job *h, char *name)
{
	h->headers = xrealloc(h->headers, (h->header_count + 1) * sizeof *h->headers);
	h->headers[h->header_count] = (struct header){ .name = name };
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
		return options_wrong("%s.header wants a name, a colon and a value", job->kind->name);
	if (!is_source(value)) {
		for (i = 0; i < sizeof logins / sizeof *logins; i++)
			if (strncasecmp(text, logins[i], strlen(logins[i])) == 0)
				return options_wrong("%s.header: what is in %.*s belongs into a source: "
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
		struct header *bearer = new_header(h, xstrdup("Authorization: Bearer "));

		bearer->value = secret_open(job->settings[BEARER].text, "bearer token", &code);
		if (bearer->value != NULL)
			code = 0;
	}
	return code;
}

/* Whether a status is in a list such as "200,204,300-399"; -1: the list is none. */
static int
is_listed(const char *list, long status)
{
	int found = 0;

	while (*list != '\0') {
		char *end;
		long from = strtol(list, &end, 10), to = from;

		if (end == list)
			return -1;
		if (*end == '-') {
			list = end + 1;
			to = strtol(list, &end, 10);
			if (end == list)
				return -1;
		}
		if (from < 100 || to > 599 || from > to || (*end != ',' && *end != '\0'))
			return -1;
		found |= status >= from && status <= to;
		list = end + (*end == ',');
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
		return message_error(MIG_CONFIG, "%s.ca: cannot open %s: %s", job->kind->name, path, strerror(errno));
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
		return options_wrong("%s.method=HEAD asks for no body, and %s.%s judges one", kind, kind,
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
			return options_wrong("%s.json wants a path and a value: %s.json=.status=ok", kind, kind);
		path = xstrndup(json, len);
		if ((why = jsonpath_flaw(path)) != NULL)
			(void)options_wrong("%s.json=%s: %s", kind, path, why);
		free(path);
		if (why != NULL)
			return MIG_USAGE;
	}
	return 0;
}

static int
begin(struct check_job *job)
{
	struct health_job *h = xcalloc(1, sizeof *h);
	int code;

	job->data = h;
	if (is_listed(job->settings[STATUS].text, 0) < 0)
		return options_wrong("%s.status=%s: it is a list of status codes: 200,204,300-399",
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

/* --- looking --- */

static size_t
take_body(char *data, size_t size, size_t count, void *context)
{
	struct health_job *h = context;

	(void)size; /* is 1 */
	h->bytes += (long long)count;
	if (h->body.len + count > BODY_BYTES) {
		h->too_large = true;
		return 0;
	}
	bytes_add(&h->body, data, count);
	return count;
}

static void *
set_url(const char *url, void *context)
{
	struct health_job *h = context;

	(void)curl.easy_setopt(h->easy, CURLOPT_URL, url);
	return NULL;
}

struct line {
	struct health_job *job;
	const struct header *header;
};

static void *
add_header(const char *value, void *context)
{
	struct line *l = context;
	char *line = xformat("%s%s", l->header->name, value != NULL ? value : "");
	volatile char *c = line;

	l->job->list = curl.slist_append(l->job->list, line);
	while (*c != '\0')
		*c++ = '\0';
	free(line);
	return NULL;
}

static void
set_how(const struct check_job *job, struct health_job *h)
{
	static const char *const methods[] = { "GET", "HEAD", "POST", "PUT", "OPTIONS" };
	const struct setting_value *s = job->settings;
	long redirects = (long)s[REDIRECTS].number;

	if (h->secret_headers && !s[REDIRECTS].given)
		redirects = 0;
	if (s[METHOD].number == METHOD_HEAD)
		(void)curl.easy_setopt(h->easy, CURLOPT_NOBODY, 1L);
	else if (s[METHOD].number > 1)
		(void)curl.easy_setopt(h->easy, CURLOPT_CUSTOMREQUEST, methods[s[METHOD].number]);
	(void)curl.easy_setopt(h->easy, CURLOPT_FOLLOWLOCATION, redirects > 0 ? 1L : 0L);
	(void)curl.easy_setopt(h->easy, CURLOPT_MAXREDIRS, redirects);
	(void)curl.easy_setopt(h->easy, CURLOPT_TIMEOUT_MS, (long)(s[CRIT].number > 0 ? s[CRIT].number : 1));
	if (s[CA].text != NULL)
		(void)curl.easy_setopt(h->easy, CURLOPT_CAINFO, s[CA].text);
#if LIBCURL_VERSION_NUM >= 0x075500
	(void)curl.easy_setopt(h->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl.easy_setopt(h->easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#else
	(void)curl.easy_setopt(h->easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
	(void)curl.easy_setopt(h->easy, CURLOPT_REDIR_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

static void
look(struct check_job *job)
{
	struct health_job *h = job->data;
	size_t i;

	h->body.len = 0;
	h->bytes = 0;
	h->too_large = false;
	h->why[0] = '\0';
	h->multi = curl.multi_init();
	h->easy = curl.easy_init();
	if (h->multi == NULL || h->easy == NULL)
		MESSAGE_BUG("libcurl has no memory for a request");
	if (h->url != NULL)
		secret_use(h->url, set_url, h);
	else
		set_url(job->value, h);
	for (i = 0; i < h->header_count; i++) {
		struct line line = { h, &h->headers[i] };

		if (h->headers[i].value != NULL)
			secret_use(h->headers[i].value, add_header, &line);
		else
			add_header(NULL, &line);
	}
	(void)curl.easy_setopt(h->easy, CURLOPT_HTTPHEADER, h->list);
	(void)curl.easy_setopt(h->easy, CURLOPT_USERAGENT, "mig-check/" MIG_VERSION);
	(void)curl.easy_setopt(h->easy, CURLOPT_ACCEPT_ENCODING, "");
	(void)curl.easy_setopt(h->easy, CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
	(void)curl.easy_setopt(h->easy, CURLOPT_QUICK_EXIT, 1L); /* a name server that is silent is left */
#endif
	(void)curl.easy_setopt(h->easy, CURLOPT_CERTINFO, 1L);
	(void)curl.easy_setopt(h->easy, CURLOPT_ERRORBUFFER, h->why);
	(void)curl.easy_setopt(h->easy, CURLOPT_WRITEFUNCTION, take_body);
	(void)curl.easy_setopt(h->easy, CURLOPT_WRITEDATA, h);
	set_how(job, h);
	(void)curl.multi_add_handle(h->multi, h->easy);
}

/* Wipes what libcurl and we hold of secrets. */
static void
end_request(struct health_job *h)
{
	struct curl_slist *entry;
	size_t i;

	if (h->multi == NULL)
		return;
	(void)curl.multi_remove_handle(h->multi, h->easy);
	curl.easy_cleanup(h->easy);
	(void)curl.multi_cleanup(h->multi);
	for (entry = h->list; entry != NULL; entry = entry->next) {
		volatile char *c;

		for (c = entry->data; *c != '\0'; c++)
			*c = '\0';
	}
	curl.slist_free_all(h->list);
	h->list = NULL;
	h->easy = NULL;
	h->multi = NULL;
	secret_scrub(h->url);
	secret_scrub(h->path);
	secret_scrub(h->query);
	for (i = 0; i < h->header_count; i++)
		secret_scrub(h->headers[i].value);
}

/* What libcurl waits for. */
static void
await(struct health_job *h, struct polls *polls)
{
	fd_set in, out, other;
	int highest = -1, fd;
	long ms = -1;

	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_ZERO(&other);
	(void)curl.multi_fdset(h->multi, &in, &out, &other, &highest);
	(void)curl.multi_timeout(h->multi, &ms);
	for (fd = 0; fd <= highest; fd++)
		if (FD_ISSET(fd, &in) || FD_ISSET(fd, &out))
			polls_add(polls, fd, (FD_ISSET(fd, &in) ? SIGNALS_READ : 0) | (FD_ISSET(fd, &out)
			    ? SIGNALS_WRITE : 0));
	if (highest < 0 || ms < 0) /* it resolves a name, or has nothing that could be waited for */
		ms = ms < 0 || ms > 20 ? 20 : ms;
	polls_until(polls, clock_now_ms() + ms);
}

/* --- judging --- */

static const char *
span_of(long long ms, char span[CLOCK_SPAN])
{
	struct bytes text = { 0 };

	check_value(&text, &response_metric, ms);
	bytes_copy(span, CLOCK_SPAN, text.data);
	bytes_free(&text);
	return span;
}

static void
judge_timeout(const struct check_job *job, struct check_outcome *o, struct health_job *h, long status)
{
	curl_off_t connected = 0;
	char span[CLOCK_SPAN];

	(void)curl.easy_getinfo(h->easy, CURLINFO_PRETRANSFER_TIME_T, &connected);
	span_of(job->settings[CRIT].number, span);
	if (status != 0)
		check_say(o, CHECK_CRITICAL, "%ld, but the answer did not end within %s (%lld bytes by then)",
		    status, span, h->bytes);
	else if (connected > 0)
		check_say(o, CHECK_CRITICAL, "it took the request and did not answer within %s", span);
	else
		check_say(o, CHECK_CRITICAL, "it cannot be connected to within %s", span);
}

/* "redirect to https://other.example.com: " where it is not the URL that was asked for that failed. */
static void
hop(struct bytes *out, const struct health_job *h)
{
	const char *url = NULL, *host, *at;
	long redirects = 0;
	size_t len;

	(void)curl.easy_getinfo(h->easy, CURLINFO_REDIRECT_COUNT, &redirects);
	if (redirects == 0)
		return;
	(void)curl.easy_getinfo(h->easy, CURLINFO_EFFECTIVE_URL, &url);
	if (h->url != NULL || url == NULL || (host = strstr(url, "://")) == NULL) {
		bytes_str(out, "its redirect: ");
		return;
	}
	host += 3;
	len = strcspn(host, "/?#");
	if ((at = memchr(host, '@', len)) != NULL) { /* a server may send a password too */
		len -= (size_t)(at + 1 - host);
		host = at + 1;
	}
	bytes_format(out, "redirect to %.*s://%.*s: ", (int)strcspn(url, ":"), url, (int)len, host);
}

/* Who it is that cannot be connected to: libcurl's text names a proxy too. */
static void
peer(struct bytes *out, const struct health_job *h)
{
	static const char words[] = "Failed to connect to ";
	const char *why = strstr(h->why, words), *url = NULL, *host, *at;
	size_t len;

	(void)curl.easy_getinfo(h->easy, CURLINFO_EFFECTIVE_URL, &url);
	if (why == NULL || url == NULL || (host = strstr(url, "://")) == NULL)
		return;
	why += strlen(words);
	len = strcspn(why, " ");
	host += 3;
	if ((at = memchr(host, '@', strcspn(host, "/?#"))) != NULL)
		host = at + 1;
	host += strspn(host, "[");
	if (h->url == NULL && strncasecmp(why, host, len) != 0 && strstr(why, " port ") == why + len)
		bytes_format(out, "by the proxy %.*s:%.*s: ", (int)len, why,
		    (int)strspn(why + len + 6, "0123456789"), why + len + 6);
}

/* Something here is wrong, and nothing was asked: nothing is known of the application. */
static bool
is_local(CURLcode code)
{
	return code == CURLE_SSL_CACERT_BADFILE || code == CURLE_URL_MALFORMAT || code == CURLE_FAILED_INIT ||
	    code == CURLE_OUT_OF_MEMORY || code == CURLE_BAD_FUNCTION_ARGUMENT ||
	    code == CURLE_COULDNT_RESOLVE_PROXY || code == CURLE_SSL_CIPHER || code == CURLE_SSL_CERTPROBLEM;
}

/* A request that did not end well, in a person's words. */
static void
judge_failure(const struct check_job *job, struct check_outcome *o, struct health_job *h, CURLcode code,
    long status)
{
	struct bytes where = { 0 };
	long number = 0, redirects = 0;

	(void)curl.easy_getinfo(h->easy, CURLINFO_HTTP_CONNECTCODE, &number);
	if (number >= 300) {
		check_say(o, CHECK_CRITICAL, "the proxy answered %ld%s, and did not connect", number,
		    number == 407 ? " (it wants a login)" : "");
		return;
	}
	hop(&where, h);
	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
		judge_timeout(job, o, h, status);
		break;
	case CURLE_TOO_MANY_REDIRECTS:
		check_say(o, CHECK_CRITICAL, "redirects in circles: gave up after %lld",
		    job->settings[REDIRECTS].number);
		break;
	case CURLE_COULDNT_RESOLVE_HOST:
		check_say(o, CHECK_CRITICAL, "%sits name cannot be resolved", bytes_text(&where));
		break;
	case CURLE_COULDNT_RESOLVE_PROXY:
		check_say(o, CHECK_UNKNOWN, "the proxy's name cannot be resolved");
		break;
	case CURLE_COULDNT_CONNECT:
		peer(&where, h);
		(void)curl.easy_getinfo(h->easy, CURLINFO_OS_ERRNO, &number);
		check_say(o, CHECK_CRITICAL, "%scannot connect%s%s", bytes_text(&where), number != 0 ? ": " : "", number != 0
		    ? strerror((int)number) : "");
		break;
	case CURLE_GOT_NOTHING:
		check_say(o, CHECK_CRITICAL, "%sit closed the connection without an answer", bytes_text(&where));
		break;
	case CURLE_PARTIAL_FILE:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		check_say(o, CHECK_CRITICAL, "%sit closed the connection early, after %lld bytes%s", bytes_text(&where),
		    h->bytes, status != 0 ? " of its answer" : "");
		break;
	case CURLE_PEER_FAILED_VERIFICATION:
		check_say(o, CHECK_CRITICAL, "%sits certificate is refused: %s", bytes_text(&where), h->why[0] != '\0' ? h->why
		    : "unknown reason");
		break;
	case CURLE_SSL_CONNECT_ERROR:
		check_say(o, CHECK_CRITICAL, "%sno TLS connection: %s%s", bytes_text(&where),
		    h->why[0] != '\0' ? h->why : "unknown reason",
		    strstr(h->why, "wrong version number") != NULL || strstr(h->why, "packet length") != NULL
		        ? " (that port speaks no TLS: http:// instead of https://?)" : "");
		break;
	default:
		(void)curl.easy_getinfo(h->easy, CURLINFO_REDIRECT_COUNT, &redirects);
		/* libcurl's longer text may repeat the URL */
		check_say(o, is_local(code) && redirects == 0 && status == 0 ? CHECK_UNKNOWN : CHECK_CRITICAL, "%s%s",
		    bytes_text(&where), code == CURLE_UNSUPPORTED_PROTOCOL && redirects == 0
		        ? "its answer is no HTTP (https:// instead of http://?)" : curl.easy_strerror(code));
	}
	o->settled = is_local(code) && o->state == CHECK_UNKNOWN;
	bytes_free(&where);
}

static long long
certificate_days(struct health_job *h)
{
	static const char field[] = "Expire date:";
	struct curl_certinfo *info = NULL;
	long long days = RECORD_NULL;
	int i;

	if (curl.easy_getinfo(h->easy, CURLINFO_CERTINFO, &info) != CURLE_OK || info == NULL)
		return RECORD_NULL;
	for (i = 0; i < info->num_of_certs; i++) {
		const struct curl_slist *entry;

		for (entry = info->certinfo[i]; entry != NULL; entry = entry->next) {
			time_t until;

			if (strncmp(entry->data, field, strlen(field)) != 0 ||
			    (until = curl.getdate(entry->data + strlen(field), NULL)) < 0)
				continue;
			until -= time(NULL);
			if (days == RECORD_NULL || until / 86400 < days)
				days = until / 86400;
		}
	}
	return days;
}

static void
judge_certificate(const struct check_job *job, struct check_outcome *o, struct health_job *h)
{
	long long days = certificate_days(h);
	enum check_state state;

	if (days == RECORD_NULL)
		return;
	state = check_measure(o, &certificate_metric, days, job->settings[CERTIFICATE_WARN].number,
	    job->settings[CERTIFICATE_CRIT].number);
	if (state != CHECK_OK)
		check_say(o, state, "certificate expires in %lld day%s", days, days == 1 ? "" : "s");
	else
		check_aside(o, "certificate good for %lld days", days);
}

static bool
body_contains(const struct bytes *body, const char *text, size_t len)
{
	size_t i;

	for (i = 0; i + len <= body->len; i++)
		if (memcmp(body->data + i, text, len) == 0)
			return true;
	return false;
}

static void
judge_json(struct check_outcome *o, const struct bytes *body, const char *wanted, size_t len)
{
	size_t path_len = strcspn(wanted, "=");
	char *path = xstrndup(wanted, path_len), *value = xstrndup(wanted + path_len + 1, len - path_len - 1);
	struct bytes got = { 0 };
	const char *why;

	if (!jsonpath_get(bytes_text(body), body->len, path, &got, &why))
		check_say(o, CHECK_CRITICAL, "%s of its body is not \"%s\": %s", path, value, why);
	else if (strcmp(bytes_text(&got), value) != 0)
		check_say(o, CHECK_CRITICAL, "%s of its body is \"%.80s\", not \"%s\"", path,
		    bytes_text(&got), value);
	bytes_free(&got);
	free(path);
	free(value);
}

static void
judge_body(const struct check_job *job, struct check_outcome *o, const struct health_job *h)
{
	const char *at = bytes_text(&job->settings[CONTAINS].lines);
	size_t len;

	if (h->too_large)
		check_say(o, CHECK_WARNING, "the answer is larger than 1 MB; the rest was not read");
	for (; *at != '\0'; at += len + 1) {
		len = strcspn(at, "\n");
		if (!body_contains(&h->body, at, len))
			check_say(o, CHECK_CRITICAL, "its body does not contain \"%.*s\"", (int)len, at);
	}
	for (at = bytes_text(&job->settings[JSON].lines); *at != '\0'; at += len + 1) {
		len = strcspn(at, "\n");
		judge_json(o, &h->body, at, len);
	}
}

/* What an application answers that has started, and fails.  What stands before one that starts says 404, or
 * one of these. */
static bool
is_failure(long status)
{
	return status >= 500 && status != 502 && status != 503 && status != 504;
}

static void
judge_answer(const struct check_job *job, struct check_outcome *o, struct health_job *h, long status,
    long long ms)
{
	enum check_state slow = check_measure(o, &response_metric, ms, job->settings[WARN].number,
	    job->settings[CRIT].number);
	char took[CLOCK_SPAN], most[CLOCK_SPAN];

	span_of(ms, took);
	span_of(job->settings[slow == CHECK_CRITICAL ? CRIT : WARN].number, most);
	if (is_listed(job->settings[STATUS].text, status) == 0)
		check_say(o, CHECK_CRITICAL, "%ld in %s, wanted is %s", status, took,
		    job->settings[STATUS].text);
	else if (slow != CHECK_OK)
		check_say(o, slow, "%ld in %s, more than %s", status, took, most);
	else
		check_say(o, CHECK_OK, "%ld in %s", status, took);
	o->firm = is_failure(status) && o->state == CHECK_CRITICAL;
	judge_body(job, o, h);
}

static void
judge(struct check_job *job, struct health_job *h, CURLcode code)
{
	struct check_outcome *o = &job->outcome;
	curl_off_t took = 0;
	long status = 0;

	(void)curl.easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl.easy_getinfo(h->easy, CURLINFO_TOTAL_TIME_T, &took);
	check_outcome_clear(o);
	if (status != 0)
		(void)check_measure(o, &status_metric, status, RECORD_NULL, RECORD_NULL);
	if (code != CURLE_OK && !h->too_large)
		judge_failure(job, o, h, code, status);
	else
		judge_answer(job, o, h, status, (long long)took / 1000);
	judge_certificate(job, o, h);
}

static bool
go_on(struct check_job *job, struct polls *polls)
{
	struct health_job *h = job->data;
	CURLMsg *message;
	int running = 0, left;

	(void)curl.multi_perform(h->multi, &running);
	if (running > 0) {
		await(h, polls);
		return false;
	}
	message = curl.multi_info_read(h->multi, &left);
	judge(job, h, message != NULL ? message->data.result : CURLE_FAILED_INIT);
	end_request(h);
	return true;
}

static void
end(struct check_job *job)
{
	struct health_job *h = job->data;
	size_t i;

	end_request(h);
	secret_free(h->url);
	secret_free(h->path);
	secret_free(h->query);
	for (i = 0; i < h->header_count; i++) {
		secret_free(h->headers[i].value);
		free(h->headers[i].name);
	}
	free(h->headers);
	bytes_free(&h->body);
	free(h);
}

const struct check_kind check_health_kind = {
	.name = "health",
	.value = "URL",
	.help = "an endpoint over HTTP answers as it should, in time, with a certificate that stays good;\n"
	        "a URL with a secret in it is given as env:NAME, file:PATH or cmd:COMMAND",
	.settings = settings,
	.begin = begin,
	.look = look,
	.go_on = go_on,
	.end = end,
};
