#include "sql/unexpected.h"

#include "check.h"

/* A script → the offset of what does not belong there; -1: nothing. */
static const struct {
	const char *sql;
	int psql, down;
} cases[] = {
	{ "SELECT 1;", -1, -1 },
	{ "\\restrict x\nSELECT 1;", 0, -1 },
	{ "SELECT 1;\n\\connect shop", 10, -1 },
	{ "SELECT '\\restrict';", -1, -1 },
	{ "SELECT E'\\\\';", -1, -1 },
	{ "-- \\restrict\nSELECT 1;", -1, -1 },
	{ "SELECT $$ \\x $$;", -1, -1 },
	{ "SELECT 1;\n-- migrate:down\nDROP TABLE t;", -1, 10 },
	{ "SELECT 1;\n-- +goose Down\nDROP TABLE t;", -1, 10 },
	{ "SELECT 1;\n-- migrate:down\n", -1, -1 },
	{ "SELECT '\n-- migrate:down\n';", -1, -1 },
};

int
main(void)
{
	size_t i;

	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t len = strlen(cases[i].sql);

		check(cases[i].sql, unexpected_psql(cases[i].sql, len) == (cases[i].psql < 0 ? len : (size_t)cases[i].psql));
		check(cases[i].sql, unexpected_down(cases[i].sql, len) == (cases[i].down < 0 ? len : (size_t)cases[i].down));
	}
	return checks_failed();
}
