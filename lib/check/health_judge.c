/* What an answer of the endpoint means. */
#include "check/health_internal.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/select.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/null.h"
#include "base/trust.h"
#include "check/check.h"
#include "check/curl.h"
#include "records/json_path.h"

static const struct metric response_metric = { "response_ms", "response", "mig_health_response_seconds", NULL,
	"Time until the health endpoint had answered in full.", METRIC_MS, false };
static const struct metric status_metric = { "http_status", NULL, "mig_health_http_status", NULL,
	"Status code of the health endpoint's answer.", METRIC_COUNT, false };
static const struct metric certificate_metric = { "certificate_days", "certificate_days",
    "mig_health_certificate_days", NULL,
	"Days until the first certificate of the chain expires.", METRIC_DAYS, true };

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
		check_say(o, CHECK_CRITICAL, "it accepted the request and did not answer within %s", span);
	else
		check_say(o, CHECK_CRITICAL, "no connection within %s", span);
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

/* libcurl could not go on, whatever the application has answered by then. */
static bool
is_ours(CURLcode code)
{
	return code == CURLE_OUT_OF_MEMORY || code == CURLE_FAILED_INIT || code == CURLE_UNKNOWN_OPTION || code == CURLE_NOT_BUILT_IN;
}

/* Something here is wrong, and nothing was asked: nothing is known of the application. */
static bool
is_local(CURLcode code)
{
	return is_ours(code) || code == CURLE_SSL_CACERT_BADFILE || code == CURLE_URL_MALFORMAT || code == CURLE_BAD_FUNCTION_ARGUMENT ||
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
		check_say(o, CHECK_CRITICAL, "the proxy answered %ld%s and did not connect", number,
		    number == 407 ? " (it requires a login)" : "");
		return;
	}
	hop(&where, h);
	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
		judge_timeout(job, o, h, status);
		break;
	case CURLE_TOO_MANY_REDIRECTS:
		check_say(o, CHECK_CRITICAL, "redirect loop: gave up after %lld",
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
		if (job->settings[CA].text == NULL && trust_file() == NULL && trust_folder() == NULL)
			check_say(o, CHECK_UNKNOWN, "%sits certificate cannot be verified: " TRUST_HINT ", or health.ca", bytes_text(&where));
		else
			check_say(o, CHECK_CRITICAL, "%sits certificate was rejected: %s", bytes_text(&where),
			    h->why[0] != '\0' ? h->why : "unknown reason");
		break;
	case CURLE_SSL_CONNECT_ERROR:
		check_say(o, CHECK_CRITICAL, "%sno TLS connection: %s%s", bytes_text(&where),
		    h->why[0] != '\0' ? h->why : "unknown reason",
		    strstr(h->why, "wrong version number") != NULL || strstr(h->why, "packet length") != NULL
		        ? " (that port does not use TLS: http:// instead of https://?)" : "");
		break;
	default:
		(void)curl.easy_getinfo(h->easy, CURLINFO_REDIRECT_COUNT, &redirects);
		/* libcurl's longer text may repeat the URL */
		check_say(o, is_ours(code) || (is_local(code) && redirects == 0 && status == 0) ? CHECK_UNKNOWN : CHECK_CRITICAL, "%s%s",
		    bytes_text(&where), code == CURLE_UNSUPPORTED_PROTOCOL && redirects == 0
		        ? "its answer is not HTTP (https:// instead of http://?)" : curl.easy_strerror(code));
	}
	o->final = (is_local(code) || code == CURLE_PEER_FAILED_VERIFICATION) && o->state == CHECK_UNKNOWN;
	bytes_free(&where);
}

static long long
certificate_days(struct health_job *h)
{
	static const char field[] = "Expire date:";
	struct curl_certinfo *info = NULL;
	long long days = NUMBER_UNKNOWN;
	int i;

	if (curl.easy_getinfo(h->easy, CURLINFO_CERTINFO, &info) != CURLE_OK || info == NULL)
		return NUMBER_UNKNOWN;
	for (i = 0; i < info->num_of_certs; i++) {
		const struct curl_slist *entry;

		for (entry = info->certinfo[i]; entry != NULL; entry = entry->next) {
			time_t until;

			if (strncmp(entry->data, field, strlen(field)) != 0 ||
			    (until = curl.getdate(entry->data + strlen(field), NULL)) < 0)
				continue;
			until -= time(NULL);
			if (days == NUMBER_UNKNOWN || until / 86400 < days)
				days = until / 86400;
		}
	}
	return days;
}

static void
judge_certificate(const struct check_job *job, struct check_outcome *o, struct health_job *h, bool answered)
{
	long long days = certificate_days(h);
	const char *url = NULL;
	enum check_state state;

	if (days == NUMBER_UNKNOWN) {
		(void)curl.easy_getinfo(h->easy, CURLINFO_EFFECTIVE_URL, &url);
		if (answered && url != NULL && strncasecmp(url, "https:", 6) == 0)
			check_unseen(o, "how long the certificate remains valid");
		return;
	}
	state = check_measure(o, &certificate_metric, days, job->settings[CERTIFICATE_WARN].number,
	    job->settings[CERTIFICATE_CRIT].number);
	if (state != CHECK_OK)
		check_say(o, state, "certificate expires in %lld day%s", days, days == 1 ? "" : "s");
	else
		check_aside(o, "certificate valid for %lld days", days);
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
		check_say(o, CHECK_CRITICAL, "%s of the body is not \"%s\": %s", path, value, why);
	else if (strcmp(bytes_text(&got), value) != 0)
		check_say(o, CHECK_CRITICAL, "%s of the body is \"%.80s\", not \"%s\"", path,
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
			check_say(o, CHECK_CRITICAL, "the body does not contain \"%.*s\"", (int)len, at);
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
	if (health_is_listed(job->settings[STATUS].text, status) == 0)
		check_say(o, CHECK_CRITICAL, "%ld in %s, expected %s", status, took,
		    job->settings[STATUS].text);
	else if (slow != CHECK_OK)
		check_say(o, slow, "%ld in %s, more than %s", status, took, most);
	else
		check_say(o, CHECK_OK, "%ld in %s", status, took);
	o->conclusive = is_failure(status) && o->state == CHECK_CRITICAL;
	judge_body(job, o, h);
}

void
health_judge(struct check_job *job, struct health_job *h, CURLcode code)
{
	struct check_outcome *o = &job->outcome;
	curl_off_t took = 0;
	long status = 0;

	if (code == CURLE_OK)
		code = curl.easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
	else
		(void)curl.easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
	if (code == CURLE_OK)
		code = curl.easy_getinfo(h->easy, CURLINFO_TOTAL_TIME_T, &took);
	check_outcome_clear(o);
	if (status != 0)
		(void)check_measure(o, &status_metric, status, NUMBER_UNKNOWN, NUMBER_UNKNOWN);
	if (code != CURLE_OK && !h->too_large)
		judge_failure(job, o, h, code, status);
	else
		judge_answer(job, o, h, status, (long long)took / 1000);
	judge_certificate(job, o, h, code == CURLE_OK);
}
