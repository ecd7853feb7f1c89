#include "sql/uses.h"

#include "check.h"

/* public."User" and public."Post" have a column name; "Tag" has not.  N: not used, ?: perhaps, U: used. */
static const struct {
	char is;
	const char *text;
} columns[] = {
	/* as Prisma's client writes */
	{ 'U', "SELECT \"public\".\"User\".\"id\", \"public\".\"User\".\"name\" FROM \"public\".\"User\" WHERE 1=1 LIMIT $1 OFFSET $2" },
	{ 'N', "SELECT \"public\".\"User\".\"id\" FROM \"public\".\"User\" WHERE (\"public\".\"User\".\"id\" = $1 AND 1=1) LIMIT $2 OFFSET $3" },
	{ 'N', "SELECT \"public\".\"Post\".\"id\", \"public\".\"Post\".\"name\" FROM \"public\".\"Post\" WHERE \"public\".\"Post\".\"id\" IN ($1,$2) OFFSET $3" },
	{ 'U', "SELECT \"public\".\"Post\".\"id\" FROM \"public\".\"Post\" LEFT JOIN \"public\".\"User\" AS \"j0\" ON (\"j0\".\"id\") = "
	       "(\"public\".\"Post\".\"userId\") WHERE (\"j0\".\"name\" = $1 AND (\"j0\".\"id\" IS NOT NULL)) OFFSET $2" },
	{ 'N', "SELECT \"public\".\"User\".\"id\" FROM \"public\".\"User\" LEFT JOIN \"public\".\"Post\" AS \"j0\" ON (\"j0\".\"userId\") = "
	       "(\"public\".\"User\".\"id\") WHERE \"j0\".\"name\" = $1" },
	{ 'N', "SELECT \"public\".\"User\".\"id\" FROM \"public\".\"User\" WHERE (\"public\".\"User\".\"id\") IN (SELECT \"t1\".\"userId\" FROM "
	       "\"public\".\"Post\" AS \"t1\" WHERE (\"t1\".\"name\" = $1 AND \"t1\".\"userId\" IS NOT NULL))" },
	{ 'U', "SELECT COUNT(*) FROM (SELECT \"public\".\"User\".\"id\" FROM \"public\".\"User\" WHERE \"public\".\"User\".\"name\" = $1 OFFSET $2) AS \"sub\"" },
	{ 'N', "SELECT COUNT(*) FROM (SELECT \"public\".\"User\".\"id\" FROM \"public\".\"User\" WHERE 1=1 OFFSET $1) AS \"sub\"" },
	{ 'U', "INSERT INTO \"public\".\"User\" (\"id\",\"name\") VALUES ($1,$2) RETURNING \"public\".\"User\".\"id\"" },
	{ 'N', "INSERT INTO \"public\".\"User\" (\"id\",\"email\") VALUES ($1,$2) RETURNING \"public\".\"User\".\"id\"" },
	{ 'U', "INSERT INTO \"public\".\"User\" (\"id\") VALUES ($1) ON CONFLICT (\"id\") DO UPDATE SET \"name\" = $2 RETURNING \"public\".\"User\".\"id\"" },
	{ 'U', "UPDATE \"public\".\"User\" SET \"email\" = $1, \"name\" = $2 WHERE (\"public\".\"User\".\"id\" = $3 AND 1=1)" },
	{ 'N', "UPDATE \"public\".\"Post\" SET \"name\" = $1 WHERE (\"public\".\"Post\".\"id\" = $2 AND 1=1) RETURNING \"public\".\"Post\".\"id\"" },
	{ 'N', "SELECT \"t0\".\"id\", \"User_posts\".\"__prisma_data__\" AS \"posts\" FROM \"public\".\"User\" AS \"t0\" LEFT JOIN LATERAL (SELECT "
	       "COALESCE(JSONB_AGG(\"__prisma_data__\"), $1) AS \"__prisma_data__\" FROM (SELECT \"t3\".\"__prisma_data__\" FROM (SELECT "
	       "JSONB_BUILD_OBJECT($2, \"t2\".\"id\", $3, \"t2\".\"name\") AS \"__prisma_data__\" FROM (SELECT \"t1\".* FROM \"public\".\"Post\" AS \"t1\" "
	       "WHERE \"t0\".\"id\" = \"t1\".\"userId\" /* root select */) AS \"t2\" /* inner select */) AS \"t3\" /* middle select */) AS \"t4\" "
	       "/* outer select */) AS \"User_posts\" ON $4" },
	{ 'U', "SELECT \"t0\".\"id\" FROM \"public\".\"Post\" AS \"t0\" LEFT JOIN LATERAL (SELECT JSONB_BUILD_OBJECT($1, \"t2\".\"name\") AS \"d\" FROM "
	       "(SELECT \"t1\".* FROM \"public\".\"User\" AS \"t1\" WHERE \"t0\".\"userId\" = \"t1\".\"id\") AS \"t2\") AS \"j\" ON $2" },
	{ 'N', "SELECT \"t0\".\"id\" FROM \"public\".\"Post\" AS \"t0\" LEFT JOIN LATERAL (SELECT JSONB_BUILD_OBJECT($1, \"t2\".\"id\") AS \"d\" FROM "
	       "(SELECT \"t1\".* FROM \"public\".\"User\" AS \"t1\" WHERE \"t0\".\"userId\" = \"t1\".\"id\") AS \"t2\") AS \"j\" ON $2" },
	/* by hand */
	{ 'U', "select name from \"User\"" },
	{ 'U', "select u.name from \"User\" u, \"Post\" p" },
	{ 'N', "select p.name from \"User\" u, \"Post\" p" },
	{ '?', "select name from \"User\" u join \"Post\" p on p.\"userId\" = u.id" },
	{ 'U', "select name from \"User\" u join \"Tag\" t on t.id = u.id" },
	{ 'N', "select name from \"Post\" where id in (select id from \"User\")" },
	{ 'U', "select id from \"Tag\" where id in (select id from \"User\" where name = $1)" },
	{ 'N', "select id from \"User\" where exists (select from \"Post\" where name = $1)" },
	{ 'N', "select Name from \"Tag\"" },
	{ 'N', "select name from shop.\"User\"" },
	{ 'U', "select * from \"User\"" },
	{ 'U', "select u.* from \"User\" u join \"Post\" p on true" },
	{ 'N', "select p.* from \"User\" u join \"Post\" p on true" },
	{ 'N', "select count(*) from \"User\"" },
	{ 'N', "select u.id * 2, 3 * u.id from \"User\" u" },
	{ 'N', "select id from \"Tag\" where exists (select * from \"User\")" },
	{ 'U', "table \"User\"" },
	{ 'U', "select to_jsonb(u) from \"User\" u" },
	{ 'U', "select \"User\" from \"User\"" },
	{ 'N', "select id from \"User\" u where id = $1 for update of u" },
	{ 'U', "with x as (select * from \"User\") select name from x" },
	{ 'N', "with x as (select * from \"User\") select id from x" },
	{ 'U', "with x as (select * from \"User\") select * from x" },
	{ 'U', "with recursive x as (select id, name from \"User\" union all select x.id, x.name from x) select id from x" },
	{ 'U', "select s.name from (select * from \"User\") as s" },
	{ 'U', "(select id from \"Post\") union (select name from \"User\")" },
	{ 'U', "select extract(epoch from name) from \"User\"" },
	{ 'N', "select 1 from \"User\" where id is distinct from email" },
	{ 'N', "select email as name from \"User\"" },
	{ '?', "select email as name from \"User\" order by name" },
	{ 'N', "select name(id) from \"User\"" },
	{ 'N', "select id::name from \"User\"" },
	{ 'N', "select 'name' from \"User\" -- name" },
	{ 'U', "insert into \"User\" values ($1, $2)" },
	{ 'U', "insert into \"User\" select $1, $2" },
	{ 'N', "insert into \"User\" default values" },
	{ 'N', "insert into \"Post\" (name) select email from \"User\"" },
	{ 'U', "insert into \"Post\" (name) select name from \"User\"" },
	{ 'U', "insert into \"User\" (id) values ($1) returning *" },
	{ 'U', "insert into \"User\" (id) select id from \"Post\" returning name" },
	{ 'N', "insert into \"Post\" (id) select id from \"User\" returning name" },
	{ 'N', "select name from \"Post\" union select email from \"User\" order by id" },
	{ 'U', "insert into \"User\" as u (id) values ($1) on conflict (name) do nothing" },
	{ 'U', "insert into \"User\" (id, email) values ($1, $2) on conflict (id) do update set email = excluded.name" },
	{ 'U', "update \"User\" set (id, name) = (select 1, 2)" },
	{ 'U', "update \"Post\" p set name = u.name from \"User\" u where u.id = p.\"userId\"" },
	{ 'N', "update \"Post\" p set name = u.email from \"User\" u where u.id = p.\"userId\"" },
	{ 'N', "delete from \"User\" where id = $1" },
	{ 'U', "delete from \"Post\" using \"User\" u where u.name = $1" },
	{ 'U', "with d as (delete from \"User\" returning *) select name from d" },
	{ 'U', "merge into \"User\" t using \"Tag\" s on t.id = s.id when matched then update set name = $1" },
	{ 'U', "merge into \"User\" t using \"Tag\" s on t.id = s.id when not matched then insert (id, name) values ($1, $2)" },
	{ 'N', "merge into \"Post\" t using \"User\" s on t.id = s.id when matched then update set name = s.email" },
	{ 'U', "prepare p (int) as select name from \"User\"" },
	{ 'U', "declare c cursor for select name from \"User\"" },
	{ 'U', "copy \"User\" (id, name) from stdin" },
	{ 'N', "copy \"User\" (id) from stdin" },
	{ 'U', "copy \"User\" from stdin" },
	{ 'U', "copy (select name from \"User\") to stdout" },
	{ 'N', "COPY public.\"User\" (id, name) TO stdout" },
	{ 'N', "alter table \"User\" drop column name" },
	{ 'N', "create table \"User\" (name text)" },
	{ 'N', "<insufficient privilege>" },
	{ 'N', "select name from \"User" },
	{ 'N', "" },
	{ 'N', ")))((," },
};

static const struct {
	char is;
	const char *text;
} tables[] = {
	{ 'U', "select 1 from \"User\"" },
	{ 'U', "select 1 from public.\"User\" as x" },
	{ 'U', "SELECT 1 FROM \"Tag\" LEFT JOIN (\"Post\" JOIN \"User\" ON true) ON true" },
	{ 'U', "insert into \"User\" default values" },
	{ 'U', "delete from only \"User\"" },
	{ 'U', "truncate table \"Post\", \"User\" cascade" },
	{ 'U', "lock table \"User\" in share mode" },
	{ 'N', "select 1 from \"Post\" as \"User\"" },
	{ 'N', "select \"User\" from \"Post\"" },
	{ 'N', "with \"User\" as (select 1) select * from \"User\"" },
	{ 'N', "select 1 from User" },
	{ 'N', "select 1 from other.\"User\"" },
	{ 'N', "drop table \"User\"" },
};

static char
sign_of(enum uses uses)
{
	return uses == USES_SURELY ? 'U' : uses == USES_PERHAPS ? '?' : 'N';
}

static void
expect(const char *text, char want, const struct uses_target *target)
{
	const char have[] = { sign_of(uses_of(text, target)), '\0' }, wanted[] = { want, '\0' };

	check_text(text, have, wanted);
}

int
main(void)
{
	const struct uses_relation others[] = { { "public", "Post" }, { "shop", "User" } };
	struct uses_target name = { "public", "User", "name", true, others, 1 }, user = { "public", "User", NULL, true, NULL, 0 };
	size_t i;

	for (i = 0; i < sizeof columns / sizeof *columns; i++)
		expect(columns[i].text, columns[i].is, &name);
	for (i = 0; i < sizeof tables / sizeof *tables; i++)
		expect(tables[i].text, tables[i].is, &user);
	/* two schemas have it */
	name.plain = user.plain = false;
	name.other_count = 2;
	expect("select name from \"User\"", '?', &name);
	expect("select name from public.\"User\"", 'U', &name);
	expect("select name from shop.\"User\"", 'N', &name);
	expect("select 1 from \"User\"", '?', &user);
	check("a call", uses_calls("select a.f (1)", "f") && uses_calls("call f()", "f"));
	check("no call", !uses_calls("select f from f", "f") && !uses_calls("create function f() returns int", "f"));
	return checks_failed();
}
