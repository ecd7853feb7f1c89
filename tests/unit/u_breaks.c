#include "sql/breaks.h"

#include <stdlib.h>

#include "check.h"

/* A script, and what it breaks: NULL, or "what object". */
static const struct {
	const char *script, *breaks;
} cases[] = {
	{ "ALTER TABLE \"User\" DROP COLUMN \"name\";", "drops \"User\".\"name\"" },
	{ "ALTER TABLE \"User\" ADD COLUMN \"a\" TEXT,\nDROP COLUMN \"name\";", "drops \"User\".\"name\"" },
	{ "ALTER TABLE public . \"User\" DROP name;", "drops public.\"User\".name" },
	{ "DROP TABLE IF EXISTS a, b;", "drops a" },
	{ "DROP VIEW v;", "drops v" },
	{ "DROP TYPE t;", "drops t" },
	{ "alter table u rename column a to b;", "renames u.a" },
	{ "alter table u rename a to b;", "renames u.a" },
	{ "alter table u rename to v;", "renames u" },
	{ "alter table u rename constraint a to b;", NULL },
	{ "alter table u alter a type bigint;", "retypes u.a" },
	{ "alter table u alter column a set data type bigint;", "retypes u.a" },
	{ "alter table u alter a set not null;", "requires u.a" },
	{ "alter table u alter a drop default;", "requires u.a" },
	{ "alter table u alter a set default 1;", NULL },
	{ "alter table u alter a drop not null;", NULL },
	{ "alter table u add a int not null;", "requires u.a" },
	{ "alter table u add a int not null default 1;", NULL },
	{ "alter table u add a int, add b numeric(3, 1) not null;", "requires u.b" },
	{ "alter table u add a serial not null;", NULL },
	{ "alter table u add a int generated always as identity not null;", NULL },
	{ "alter table u drop constraint c;", NULL },
	{ "alter table u add constraint c check (a is not null);", NULL },
	{ "alter type t rename value 'a' to 'b';", "renames t" },
	{ "alter type t add value 'a';", NULL },
	{ "create table u (a int not null); alter table u drop a; drop table u;", NULL },
	{ "create table u (a int); drop table v;", "drops v" },
	{ "create index i on u (a); drop index i; drop trigger t on u; insert into u values (1);", NULL },
	{ "select 'drop table u;'; -- drop table u;", NULL },
	{ "", NULL },
};

int
main(void)
{
	struct sql_made made = { 0 };
	struct sql_break found = { 0 };
	struct sql_script split;
	const char *before = "create table \"public\".\"New\" ()", *after = "alter table \"New\" drop x";
	size_t i;

	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		char have[100];

		made = (struct sql_made){ 0 };
		found = (struct sql_break){ 0 };
		split = sql_split(cases[i].script, strlen(cases[i].script));
		if (sql_breaks(cases[i].script, &split, &made, &found))
			snprintf(have, sizeof have, "%s %s", found.what, found.object);
		check_text(cases[i].script, found.what != NULL ? have : NULL, cases[i].breaks);
		free(found.object);
		sql_made_free(&made);
		sql_script_free(&split);
	}
	/* what an earlier script made */
	split = sql_split(before, strlen(before));
	check(before, !sql_breaks(before, &split, &made, &found));
	sql_script_free(&split);
	split = sql_split(after, strlen(after));
	check(after, !sql_breaks(after, &split, &made, &found));
	sql_script_free(&split);
	sql_made_free(&made);
	return checks_failed();
}
