#include "deploy/who.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/hidden.h"

enum { NAME_BYTES = 100, URL_BYTES = 300, NOTE_BYTES = 1000 };

/* The first one that is set counts: a CI server's, whose user is always the same, before the shell's. */
static const char *const deployers[] = { "GITHUB_TRIGGERING_ACTOR", "GITHUB_ACTOR", "GITLAB_USER_LOGIN", "BUILDKITE_UNBLOCKER",
	"BUILDKITE_BUILD_CREATOR", "CIRCLE_USERNAME", "BUILD_REQUESTEDFOR", "BUILD_USER_ID", "CODEBUILD_INITIATOR", "SUDO_USER",
	"LOGNAME", "USER" };
static const char *const jobs[] = { "CI_JOB_URL", "BUILDKITE_BUILD_URL", "CIRCLE_BUILD_URL", "DRONE_BUILD_LINK",
	"TRAVIS_JOB_WEB_URL", "CODEBUILD_BUILD_URL", "CI_PIPELINE_URL", "BUILD_URL" };

/* The authority of a URL, up to its slash: where an @ in it is preceded by a colon, there is a password. */
static bool
has_password(const char *authority)
{
	size_t len = strcspn(authority, "/ ");
	const char *at = memchr(authority, '@', len), *colon = memchr(authority, ':', len);

	return at != NULL && colon != NULL && colon < at;
}

bool
who_is_secret(const char *text)
{
	static const char *const words[] = { "password=", "passwd=", "pwd=", "token=", "secret=" };
	const char *c;
	size_t i;

	for (c = text; *c != '\0'; c++) {
		if (strncmp(c, "://", 3) == 0 && has_password(c + 3))
			return true;
		for (i = 0; i < sizeof words / sizeof *words; i++)
			if (strncasecmp(c, words[i], strlen(words[i])) == 0)
				return true;
	}
	return false;
}

/* Without what is not seen, on one line, and not longer than that; NULL if nothing is left, or it is not UTF-8. */
static const char *
clean(const char *text, size_t most, struct arena *texts)
{
	struct bytes spaced = { 0 }, shown = { 0 };
	const char *kept = NULL;
	size_t len;

	if (text == NULL || utf8_check(text, strlen(text)) != strlen(text))
		return NULL;
	for (; *text != '\0'; text++)
		bytes_char(&spaced, (unsigned char)*text < ' ' ? ' ' : *text);
	hidden_strip(&shown, bytes_text(&spaced));
	for (len = shown.len < most ? shown.len : most; len > 0 && utf8_check(shown.data, len) != len; len--)
		;
	if (len > 0)
		kept = arena_text(texts, shown.data, len);
	bytes_free(&spaced);
	bytes_free(&shown);
	return kept;
}

static const char *
name_of(const char *value, struct arena *texts)
{
	const char *name = clean(value, NAME_BYTES, texts);

	return name == NULL || strstr(name, "://") != NULL || has_password(name) || who_is_secret(name) ? NULL : name;
}

/* An address as a browser opens it: without user and password, and without what follows the path, where tokens are. */
static const char *
url_of(const char *value, struct arena *texts)
{
	const char *url = clean(value, (size_t)-1, texts), *authority, *path, *c;
	size_t scheme, len;

	if (url == NULL || (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0) || strchr(url, ' ') != NULL)
		return NULL;
	scheme = strcspn(url, "/") + 2;
	authority = url + scheme;
	path = authority + strcspn(authority, "/?#");
	for (c = authority; c < path; c++)
		if (*c == '@')
			authority = c + 1;
	len = (size_t)(path - authority) + strcspn(path, "?#");
	if (authority == path || memchr(path, '@', len - (size_t)(path - authority)) != NULL || scheme + len > URL_BYTES)
		return NULL; /* an @ behind a slash: a password may have one */
	return arena_format(texts, "%.*s%.*s", (int)scheme, url, (int)len, authority);
}

static bool
is_number(const char *text)
{
	return text != NULL && *text != '\0' && strspn(text, "0123456789") == strlen(text) && strlen(text) < 24;
}

/* GitHub and Azure have no variable with the whole address. */
static const char *
job_of_parts(who_variable *variable, struct arena *texts)
{
	const char *run = variable("GITHUB_RUN_ID"), *repository = name_of(variable("GITHUB_REPOSITORY"), texts);
	const char *server = url_of(variable("GITHUB_SERVER_URL"), texts), *attempt = variable("GITHUB_RUN_ATTEMPT");
	const char *build = variable("BUILD_BUILDID"), *project = name_of(variable("SYSTEM_TEAMPROJECT"), texts);
	const char *collection = url_of(variable("SYSTEM_TEAMFOUNDATIONCOLLECTIONURI"), texts);

	if (is_number(run) && repository != NULL && server != NULL)
		return url_of(arena_format(texts, "%s/%s/actions/runs/%s%s%s", server, repository, run,
		    is_number(attempt) && strcmp(attempt, "1") != 0 ? "/attempts/" : "",
		    is_number(attempt) && strcmp(attempt, "1") != 0 ? attempt : ""), texts);
	if (is_number(run))
		return arena_copy(texts, run);
	if (is_number(build) && project != NULL && collection != NULL && strchr(project, ' ') == NULL)
		return arena_format(texts, "%s%s/_build/results?buildId=%s", collection, project, build);
	return NULL;
}

struct who
who_deploys(who_variable *variable, const char *host, const char *note, struct arena *texts)
{
	struct who who = { .host = name_of(host, texts), .note = clean(note, NOTE_BYTES, texts) };
	size_t i;

	for (i = 0; i < sizeof deployers / sizeof *deployers && who.deployer == NULL; i++)
		who.deployer = name_of(variable(deployers[i]), texts);
	who.job = job_of_parts(variable, texts);
	for (i = 0; i < sizeof jobs / sizeof *jobs && who.job == NULL; i++)
		who.job = url_of(variable(jobs[i]), texts);
	return who;
}
