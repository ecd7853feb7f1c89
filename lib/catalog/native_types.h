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
	const char *scalar;  /* the only Prisma type that it may belong to: "Int" */
	int arguments;       /* number of its arguments: all or none are given */
	long long least;     /* the minimum of the first argument */
	long long most;
};

extern const struct native_type native_types[NATIVE_COUNT];

/* Finds a type by Prisma's name; NATIVE_COUNT if unknown. */
enum native native_find(const char *name);

#endif
