#include "check/fleet_list.h"

#include "check.h"

#define CANARY "S3cr3t-canary"

/* A line, and a word of its fault; NULL: it is fine. */
static const struct {
	const char *line, *fault;
} cases[] = {
	{ "acme\tpg1\t1\thost=db.example.com dbname=acme user=deployer\n", NULL },
	{ "acme\tpg1\t1\tpostgresql://deployer@db.example.com/acme", NULL },
	{ "acme\tpg1\t1\tpostgresql://deployer@db.example.com/acme?schema=acme\r\n", NULL },
	{ "acme\tpg1\t1\tenv:ACME_URL", NULL },
	{ "acme\tpg1\t1\tfile:/run/secrets/acme\tacme", NULL },
	{ "acme\tpg1\t1\tcmd:vault read -field=url secret/acme", NULL },
	{ "acme\tpg1\t1\tcmd:echo postgres://u:$PW@h/db", NULL },
	{ "acme\tpg1\t1\tservice=acme", NULL },
	{ "acme\tpg1\t1\tpostgresql://u:" CANARY "@h/db", "contains a password" },
	{ "acme\tpg1\t1\tpostgresql://h/db?user=u&password=" CANARY, "contains a password" },
	{ "acme\tpg1\t1\thost=h password=" CANARY, "contains a password" },
	{ "acme\tpg1\t1\thost=h PGPASSWORD=" CANARY, "cannot be used" },
	{ "acme\tpg1\t1\tcmd:echo postgres://u:" CANARY "@h/db", "contains a password" },
	{ "acme\tpg1\t1\tcmd:PGPASSWORD=" CANARY " psql", "contains a password" },
	{ "acme\tpg1\t1\tenv:postgres://u:" CANARY "@h/db", "a connection string stands" },
	{ "acme\tpg1\t1\tpostgresql://u:" CANARY "@h@/x/db", "" },
	{ "acme\tpg1\t1\tfile:", "nothing that can be used" },
	{ "acme\tpg1\t1\t", "" },
	{ "acme\tpg1\t1", "separated by tabs" },
	{ "acme pg1 1 service=acme", "separated by tabs" },
	{ "../acme\tpg1\t1\tservice=acme", "the name must be" },
	{ "-acme\tpg1\t1\tservice=acme", "the name must be" },
	{ "a b\tpg1\t1\tservice=acme", "the name must be" },
	{ "acme\tpg/1\t1\tservice=acme", "the server must be" },
	{ "acme\tpg1\tfirst\tservice=acme", "the wave must be" },
	{ "acme\tpg1\t1\tservice=acme\tpg_x", "PostgreSQL itself" },
	{ "acme\tpg1\t1\tservice=acme\ta\tb", "more than" },
};

int
main(void)
{
	size_t i;

	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *fault = fleet_list_fault(cases[i].line);

		check(cases[i].line, (fault == NULL) == (cases[i].fault == NULL));
		if (fault == NULL || cases[i].fault == NULL)
			continue;
		check(fault, strstr(fault, cases[i].fault) != NULL);
		check("the secret is not repeated", strstr(fault, CANARY) == NULL);
	}
	check("a remark is no target", !fleet_list_is_target("# acme\tpg1") && !fleet_list_is_target(" \t\r\n"));
	check("others are", fleet_list_is_target("acme\tpg1"));
	return checks_failed();
}
