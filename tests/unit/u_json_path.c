#include "records/json_path.h"

#include "check.h"

static const struct {
	const char *json, *path, *value; /* NULL: nothing is there */
} cases[] = {
	{ "{\"status\":\"ok\"}", "status", "ok" },
	{ "{\"status\":\"ok\"}", ".status", "ok" },
	{ "\xEF\xBB\xBF{\"status\":\"ok\"}", "status", "ok" },
	{ "{\"db\":{\"up\":true}}", ".db.up", "true" },
	{ "{\"n\":12}", "n", "12" },
	{ "{\"n\":null}", "n", "null" },
	{ "{\"checks\":[{\"state\":\"up\"},{\"state\":\"down\"}]}", "checks.1.state", "down" },
	{ "[1,2]", "1", "2" },
	{ "{\"status\":\"ok\"}", "state", NULL },
	{ "{\"checks\":[1]}", "checks.1", NULL },
	{ "{\"checks\":[1]}", "checks.-1", NULL },
	{ "{\"status\":\"ok\"}", "status.deeper", NULL },
	{ "not JSON", "status", NULL },
	{ "", "status", NULL },
	{ "{\"a\":1}{\"a\":2}", "a", NULL },
};

int
main(void)
{
	size_t i;

	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct bytes out = { 0 };
		const char *why = NULL;
		bool there = jsonpath_get(cases[i].json, strlen(cases[i].json), cases[i].path, &out, &why);

		check(cases[i].path, there == (cases[i].value != NULL));
		check("why is said where nothing is there", there || why != NULL);
		if (there)
			check_text(cases[i].path, bytes_text(&out), cases[i].value);
		bytes_free(&out);
	}
	check("a path of jq's is no path", jsonpath_flaw(".list[0].name") != NULL);
	check("an empty part", jsonpath_flaw("a..b") != NULL);
	check("a path", jsonpath_flaw(".db.status") == NULL);
	return checks_failed();
}
