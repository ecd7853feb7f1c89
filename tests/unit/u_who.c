#include "deploy/who.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "check.h"

static const char *const *set; /* NAME, value, ..., NULL */

static char *
variable(const char *name)
{
	const char *const *at;

	for (at = set; *at != NULL; at += 2)
		if (strcmp(*at, name) == 0)
			return (char *)(size_t)at[1];
	return NULL;
}

/* What is set, and who that is. */
static const struct {
	const char *what;
	const char *set[16];
	const char *deployer, *job;
} rows[] = {
	{ "nothing", { NULL }, NULL, NULL },
	{ "a shell", { "USER", "alice", NULL }, "alice", NULL },
	{ "sudo", { "USER", "root", "LOGNAME", "root", "SUDO_USER", "alice", NULL }, "alice", NULL },
	{ "GitHub", { "USER", "runner", "GITHUB_ACTOR", "alice", "GITHUB_SERVER_URL", "https://github.com", "GITHUB_REPOSITORY",
	    "acme/shop", "GITHUB_RUN_ID", "12345", NULL }, "alice", "https://github.com/acme/shop/actions/runs/12345" },
	{ "GitHub, run again", { "GITHUB_ACTOR", "alice", "GITHUB_TRIGGERING_ACTOR", "bob", "GITHUB_SERVER_URL",
	    "https://github.com", "GITHUB_REPOSITORY", "acme/shop", "GITHUB_RUN_ID", "12345", "GITHUB_RUN_ATTEMPT", "2", NULL },
	    "bob", "https://github.com/acme/shop/actions/runs/12345/attempts/2" },
	{ "a run id alone", { "GITHUB_RUN_ID", "12345", NULL }, NULL, "12345" },
	{ "GitLab", { "GITLAB_USER_LOGIN", "alice", "CI_JOB_URL", "https://gitlab.com/acme/shop/-/jobs/7", "USER", "root", NULL },
	    "alice", "https://gitlab.com/acme/shop/-/jobs/7" },
	{ "Jenkins", { "BUILD_URL", "http://jenkins:8080/job/shop/12/", NULL }, NULL, "http://jenkins:8080/job/shop/12/" },
	{ "Azure", { "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI", "https://dev.azure.com/acme/", "SYSTEM_TEAMPROJECT", "shop",
	    "BUILD_BUILDID", "9", "BUILD_REQUESTEDFOR", "Alice Liddell", NULL },
	    "Alice Liddell", "https://dev.azure.com/acme/shop/_build/results?buildId=9" },
	{ "an e-mail address is a name", { "BUILD_REQUESTEDFOR", "alice@example.com", NULL }, "alice@example.com", NULL },
	/* secrets */
	{ "a password in the job's address", { "BUILD_URL", "https://alice:hunter2@jenkins/job/1/", NULL }, NULL, "https://jenkins/job/1/" },
	{ "a slash in that password", { "BUILD_URL", "https://alice:hun/ter2@jenkins/job/1/", NULL }, NULL, NULL },
	{ "an @ in that password", { "BUILD_URL", "https://alice:hun@ter2@jenkins/job/1/", NULL }, NULL, "https://jenkins/job/1/" },
	{ "a token behind the path", { "CI_JOB_URL", "https://ci/1?token=hunter2#x", NULL }, NULL, "https://ci/1" },
	{ "no address of a page", { "BUILD_URL", "postgresql://u:hunter2@h/d", NULL }, NULL, NULL },
	{ "a connection string as the user", { "GITHUB_ACTOR", "postgresql://u:hunter2@h/d", "USER", "alice", NULL }, "alice", NULL },
	{ "user:password@host as the user", { "USER", "u:hunter2@h", NULL }, NULL, NULL },
	{ "a keyword string as the user", { "USER", "host=h Password=hunter2", NULL }, NULL, NULL },
	{ "a password in the server's address", { "GITHUB_SERVER_URL", "https://u:hunter2@github.example", "GITHUB_REPOSITORY",
	    "acme/shop", "GITHUB_RUN_ID", "1", NULL }, NULL, "https://github.example/acme/shop/actions/runs/1" },
	/* what is not seen */
	{ "escapes of a terminal", { "USER", "a\033[31mb", NULL }, "a [31mb", NULL },
	{ "line breaks", { "USER", "alice\nLOG:  forged\n", NULL }, "alice LOG:  forged", NULL },
	{ "text turned around", { "USER", "a\xE2\x80\xAE" "b", NULL }, "ab", NULL },
	{ "only blanks", { "GITHUB_ACTOR", " \n", "USER", "alice", NULL }, "alice", NULL },
	{ "not UTF-8", { "USER", "\xFF", NULL }, NULL, NULL },
	{ "a line break in the address", { "CI_JOB_URL", "https://ci/1\nx", NULL }, NULL, NULL },
};

static void
check_notes(struct arena *texts)
{
	static char many[3001];
	struct who who;

	set = rows[0].set;
	who = who_deploys(variable, "build-7", "  ships invoices\nand more\t", texts);
	check_text("the host", who.host, "build-7");
	check_text("a note of two lines", who.note, "ships invoices and more");
	memset(many, 'x', 3000);
	memcpy(many + 999, "\xC3\xA4", 2);
	who = who_deploys(variable, NULL, many, texts);
	check("a long note is cut between two characters", who.note != NULL && strlen(who.note) == 999);
	check_text("no host", who.host, NULL);
	check("a URL with a password", who_is_secret("see postgres://u:p@h/d"));
	check("a keyword string", who_is_secret("host=h PASSWORD=x"));
	check("an address", !who_is_secret("see https://example.com/a:b@c and alice@example.com"));
	check("a sentence", !who_is_secret("adds the password: reset by mail"));
}

int
main(void)
{
	struct arena texts = { 0 };
	size_t i;

	for (i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct who who;

		set = rows[i].set;
		who = who_deploys(variable, NULL, NULL, &texts);
		check_text(rows[i].what, who.deployer, rows[i].deployer);
		check_text(rows[i].what, who.job, rows[i].job);
	}
	check_notes(&texts);
	arena_free(&texts);
	return checks_failed();
}
