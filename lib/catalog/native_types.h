/*
 * The PostgreSQL types that Prisma knows by name.  Pure.
 */
#ifndef MIG_CATALOG_NATIVE_TYPES_H
#define MIG_CATALOG_NATIVE_TYPES_H

#include <stdbool.h>
#include <stddef.h>

/* In the order of the table in native_types.c. */
enum native {
	NATIVE_SMALLINT,
	NATIVE_INTEGER,
	NATIVE_BIGINT,
	NATIVE_OID,
	NATIVE_DECIMAL,
	NATIVE_MONEY,
	NATIVE_REAL,
	NATIVE_DOUBLE,
	NATIVE_BOOLEAN,
	NATIVE_CHAR,
	NATIVE_VARCHAR,
	NATIVE_TEXT,
	NATIVE_CITEXT,
	NATIVE_BIT,
	NATIVE_VARBIT,
	NATIVE_UUID,
	NATIVE_XML,
	NATIVE_INET,
	NATIVE_DATE,
	NATIVE_TIME,
	NATIVE_TIMETZ,
	NATIVE_TIMESTAMP,
	NATIVE_TIMESTAMPTZ,
	NATIVE_JSON,
	NATIVE_JSONB,
	NATIVE_BYTEA,
	NATIVE_COUNT
};

struct native_type {
	const char *name;    /* as @db writes it */
	const char *sql;
	const char *serial;  /* with a sequence; NULL: none */
	const char *scalar;  /* Prisma's type, of which alone it may be: "Int" */
	int arguments;       /* how many it may have, all of them or none */
	long long least;     /* what the first one may be */
	long long most;
};

extern const struct native_type native_types[NATIVE_COUNT];

/* By Prisma's name; NATIVE_COUNT where it is not known. */
enum native native_find(const char *name);

#endif
