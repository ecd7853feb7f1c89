#include "scratch/packages.h"

#include <stddef.h>
#include <string.h>

/* PostgreSQL's own, which Debian has in postgresql-N and others in postgresql-contrib. */
static const char *const contrib[] = { "adminpack", "amcheck", "autoinc", "bloom", "btree_gin", "btree_gist", "citext", "cube",
	"dblink", "dict_int", "dict_xsyn", "earthdistance", "file_fdw", "fuzzystrmatch", "hstore", "insert_username", "intagg",
	"intarray", "isn", "lo", "ltree", "moddatetime", "pageinspect", "pg_buffercache", "pg_freespacemap", "pg_prewarm",
	"pg_stat_statements", "pg_trgm", "pg_visibility", "pg_walinspect", "pgcrypto", "pgrowlocks", "pgstattuple",
	"postgres_fdw", "refint", "seg", "sslinfo", "tablefunc", "tcn", "tsm_system_rows", "tsm_system_time", "unaccent",
	"uuid-ossp", "xml2" };

/* Debian's packages, and those of the project's own archive: postgresql-N-NAME. */
static const struct {
	const char *extension, *name;
} packaged[] = {
	{ "address_standardizer", "postgis-3" },
	{ "age", "age" },
	{ "debversion", "debversion" },
	{ "h3", "h3" },
	{ "h3_postgis", "h3" },
	{ "hll", "hll" },
	{ "http", "http" },
	{ "hypopg", "hypopg" },
	{ "ip4r", "ip4r" },
	{ "jsquery", "jsquery" },
	{ "numeral", "numeral" },
	{ "orafce", "orafce" },
	{ "periods", "periods" },
	{ "pg_cron", "cron" },
	{ "pg_hint_plan", "pg-hint-plan" },
	{ "pg_ivm", "pg-ivm" },
	{ "pg_partman", "partman" },
	{ "pg_repack", "repack" },
	{ "pg_uuidv7", "pg-uuidv7" },
	{ "pgaudit", "pgaudit" },
	{ "pglogical", "pglogical" },
	{ "pgmp", "pgmp" },
	{ "pgrouting", "pgrouting" },
	{ "pgtap", "pgtap" },
	{ "postgis", "postgis-3" },
	{ "postgis_raster", "postgis-3" },
	{ "postgis_sfcgal", "postgis-3" },
	{ "postgis_tiger_geocoder", "postgis-3" },
	{ "postgis_topology", "postgis-3" },
	{ "prefix", "prefix" },
	{ "rum", "rum" },
	{ "semver", "semver" },
	{ "similarity", "similarity" },
	{ "tdigest", "tdigest" },
	{ "unit", "unit" },
	{ "vector", "pgvector" }
};

/* Named in their own ways. */
static const struct {
	const char *extension, *before, *behind;
} others[] = {
	{ "plperl", "postgresql-plperl-", "" },
	{ "plperlu", "postgresql-plperl-", "" },
	{ "plpython3u", "postgresql-plpython3-", "" },
	{ "pltcl", "postgresql-pltcl-", "" },
	{ "timescaledb", "timescaledb-2-postgresql-", " of its vendor's archive" }
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

void
packages_extension(struct bytes *out, const char *extension, int major)
{
	size_t i;

	for (i = 0; i < COUNT(contrib); i++)
		if (strcmp(contrib[i], extension) == 0) {
			bytes_format(out, "the package postgresql-contrib (in Debian a part of postgresql-%d)", major);
			return;
		}
	for (i = 0; i < COUNT(packaged); i++)
		if (strcmp(packaged[i].extension, extension) == 0) {
			bytes_format(out, "the package postgresql-%d-%s", major, packaged[i].name);
			return;
		}
	for (i = 0; i < COUNT(others); i++)
		if (strcmp(others[i].extension, extension) == 0) {
			bytes_format(out, "the package %s%d%s", others[i].before, major, others[i].behind);
			return;
		}
	bytes_str(out, "it (mig does not know its package)");
}
