/*
 * Check "health": requests an endpoint of the application like its users do, each time over a new connection.
 *
 * A URL, a header or a token may come from a source.  It is then kept in guarded memory, and libcurl's copies are
 * wiped after each poll.
 */
#include "check/health_internal.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/signals.h"
#include "base/trust.h"
#include "check/check.h"
#include "check/curl.h"
#include "postgres/poller.h"
#include "secret/secret.h"

static const struct setting settings[] = {
	[WARN] = { "warn", "TIME", "1s", "longest time for the whole response before WARNING", SETTING_TIME, false },
	[CRIT] = { "crit", "TIME", "5s", "then the request is cancelled: CRITICAL", SETTING_TIME, false },
	[STATUS] = { "status", "LIST", "200-299", "status codes that are OK: 200,204,300-399",
	    SETTING_TEXT, false },
	[REDIRECTS] = { "redirects", "N", "5", "maximum number of redirects to follow; 0: none", SETTING_COUNT, false },
	[CONTAINS] = { "contains", "TEXT", NULL, "text that the body must contain; repeatable", SETTING_TEXT,
	    true },
	[JSON] = { "json", "PATH=VALUE", NULL, "value that the JSON body must have: .db.status=up; repeatable",
	    SETTING_TEXT, true },
	[METHOD] = { "method", "GET|HEAD|POST|PUT|OPTIONS", "GET", "request method", SETTING_WORD, false },
	[HEADER] = { "header", "NAME: VALUE", NULL, "additional header; VALUE may be a SOURCE; repeatable",
	    SETTING_TEXT, true },
	[BEARER] = { "bearer", "SOURCE", NULL, "where a bearer token is: env:NAME, file:PATH, cmd:COMMAND",
	    SETTING_TEXT, false },
	[CA] = { "ca", "FILE", NULL, "CA certificates to trust, instead of the system's", SETTING_TEXT, false },
	[CERTIFICATE_WARN] = { "certificate-warn", "DAYS", "21d",
	    "time for which the certificate must remain valid", SETTING_DAYS, false },
	[CERTIFICATE_CRIT] = { "certificate-crit", "DAYS", "7d", "critical threshold", SETTING_DAYS,
	    false },
	{ NULL, NULL, NULL, NULL, SETTING_TEXT, false },
};

struct health_line {
	struct health_job *job;
	const struct health_header *header;
};

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

/*
 * What libcurl says of a setting.  Without memory the run ends.  Without a setting that has to be, the request would be another
 * one than was asked for: it is not sent.  What not every libcurl has been built with may be left out.
 */
static void
may_take(CURLcode code)
{
	if (code == CURLE_OUT_OF_MEMORY)
		bytes_out_of_memory();
}

static void
must_take(struct health_job *h, CURLcode code)
{
	may_take(code);
	if (h->refused == CURLE_OK)
		h->refused = code;
}

static CURLcode
code_of(CURLMcode code)
{
	return code == CURLM_OK ? CURLE_OK : code == CURLM_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY : CURLE_FAILED_INIT;
}

static void *
set_url(const char *url, void *context)
{
	struct health_job *h = context;

	must_take(h, curl.easy_setopt(h->easy, CURLOPT_URL, url));
	return NULL;
}

static void *
add_header(const char *value, void *context)
{
	struct health_line *l = context;
	char *line = xformat("%s%s", l->header->name, value != NULL ? value : "");
	struct curl_slist *list = curl.slist_append(l->job->list, line);
	volatile char *c = line;

	if (list == NULL)
		bytes_out_of_memory();
	l->job->list = list;
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
		must_take(h, curl.easy_setopt(h->easy, CURLOPT_NOBODY, 1L));
	else if (s[METHOD].number > 1)
		must_take(h, curl.easy_setopt(h->easy, CURLOPT_CUSTOMREQUEST, methods[s[METHOD].number]));
	must_take(h, curl.easy_setopt(h->easy, CURLOPT_FOLLOWLOCATION, redirects > 0 ? 1L : 0L));
	must_take(h, curl.easy_setopt(h->easy, CURLOPT_MAXREDIRS, redirects));
	must_take(h, curl.easy_setopt(h->easy, CURLOPT_TIMEOUT_MS, (long)(s[CRIT].number > 0 ? s[CRIT].number : 1)));
	if (s[CA].text != NULL)
		must_take(h, curl.easy_setopt(h->easy, CURLOPT_CAINFO, s[CA].text));
	else if (trust_file() != NULL) /* else libcurl's own place, if it was built to have one */
		may_take(curl.easy_setopt(h->easy, CURLOPT_CAINFO, trust_file()));
	if (s[CA].text == NULL && trust_folder() != NULL)
		may_take(curl.easy_setopt(h->easy, CURLOPT_CAPATH, trust_folder()));
#if LIBCURL_VERSION_NUM >= 0x075500
	may_take(curl.easy_setopt(h->easy, CURLOPT_PROTOCOLS_STR, "http,https"));
	may_take(curl.easy_setopt(h->easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https"));
#else
	may_take(curl.easy_setopt(h->easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS)));
	may_take(curl.easy_setopt(h->easy, CURLOPT_REDIR_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS)));
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
	h->refused = CURLE_OK;
	h->multi = curl.multi_init();
	h->easy = curl.easy_init();
	if (h->multi == NULL || h->easy == NULL)
		bytes_out_of_memory();
	if (h->url != NULL)
		secret_use(h->url, set_url, h);
	else
		set_url(job->value, h);
	for (i = 0; i < h->header_count; i++) {
		struct health_line line = { h, &h->headers[i] };

		if (h->headers[i].value != NULL)
			secret_use(h->headers[i].value, add_header, &line);
		else
			add_header(NULL, &line);
	}
	must_take(h, curl.easy_setopt(h->easy, CURLOPT_HTTPHEADER, h->list));
	may_take(curl.easy_setopt(h->easy, CURLOPT_USERAGENT, "mig-check/" MIG_VERSION));
	may_take(curl.easy_setopt(h->easy, CURLOPT_ACCEPT_ENCODING, ""));
	must_take(h, curl.easy_setopt(h->easy, CURLOPT_NOSIGNAL, 1L));
#if LIBCURL_VERSION_NUM >= 0x075700
	may_take(curl.easy_setopt(h->easy, CURLOPT_QUICK_EXIT, 1L)); /* a name server that is silent is left */
#endif
	may_take(curl.easy_setopt(h->easy, CURLOPT_CERTINFO, 1L));
	may_take(curl.easy_setopt(h->easy, CURLOPT_ERRORBUFFER, h->why));
	must_take(h, curl.easy_setopt(h->easy, CURLOPT_WRITEFUNCTION, take_body));
	must_take(h, curl.easy_setopt(h->easy, CURLOPT_WRITEDATA, h));
	set_how(job, h);
	must_take(h, code_of(curl.multi_add_handle(h->multi, h->easy)));
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

static bool
go_on(struct check_job *job, struct polls *polls)
{
	struct health_job *h = job->data;
	CURLMsg *message;
	int running = 0, left;

	if (h->refused == CURLE_OK)
		must_take(h, code_of(curl.multi_perform(h->multi, &running)));
	if (h->refused == CURLE_OK && running > 0) {
		await(h, polls);
		return false;
	}
	message = h->refused == CURLE_OK ? curl.multi_info_read(h->multi, &left) : NULL;
	health_judge(job, h, message != NULL ? message->data.result : h->refused != CURLE_OK ? h->refused : CURLE_FAILED_INIT);
	end_request(h);
	return true;
}

void
health_end(struct check_job *job)
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
	.help = "an HTTP endpoint: right answer, in time, certificate\n"
	        "The certificate remains valid; a URL with a secret in it is given as env:NAME, file:PATH or cmd:COMMAND",
	.settings = settings,
	.begin = health_begin,
	.look = look,
	.go_on = go_on,
	.end = health_end,
};
