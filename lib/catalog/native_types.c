#include "catalog/native_types.h"

#include <string.h>

const struct native_type native_types[NATIVE_COUNT] = {
	[NATIVE_SMALLINT] = { "SmallInt", "SMALLINT", "SMALLSERIAL", "Int", 0, 0, 0 },
	[NATIVE_INTEGER] = { "Integer", "INTEGER", "SERIAL", "Int", 0, 0, 0 },
	[NATIVE_BIGINT] = { "BigInt", "BIGINT", "BIGSERIAL", "BigInt", 0, 0, 0 },
	[NATIVE_OID] = { "Oid", "OID", NULL, "Int", 0, 0, 0 },
	[NATIVE_DECIMAL] = { "Decimal", "DECIMAL", NULL, "Decimal", 2, 1, 1000 },
	[NATIVE_MONEY] = { "Money", "MONEY", NULL, "Decimal", 0, 0, 0 },
	[NATIVE_REAL] = { "Real", "REAL", NULL, "Float", 0, 0, 0 },
	[NATIVE_DOUBLE] = { "DoublePrecision", "DOUBLE PRECISION", NULL, "Float", 0, 0, 0 },
	[NATIVE_BOOLEAN] = { "Boolean", "BOOLEAN", NULL, "Boolean", 0, 0, 0 },
	[NATIVE_CHAR] = { "Char", "CHAR", NULL, "String", 1, 0, 4294967295 },
	[NATIVE_VARCHAR] = { "VarChar", "VARCHAR", NULL, "String", 1, 0, 4294967295 },
	[NATIVE_TEXT] = { "Text", "TEXT", NULL, "String", 0, 0, 0 },
	[NATIVE_CITEXT] = { "Citext", "CITEXT", NULL, "String", 0, 0, 0 },
	[NATIVE_BIT] = { "Bit", "BIT", NULL, "String", 1, 1, 4294967295 },
	[NATIVE_VARBIT] = { "VarBit", "VARBIT", NULL, "String", 1, 1, 4294967295 },
	[NATIVE_UUID] = { "Uuid", "UUID", NULL, "String", 0, 0, 0 },
	[NATIVE_XML] = { "Xml", "XML", NULL, "String", 0, 0, 0 },
	[NATIVE_INET] = { "Inet", "INET", NULL, "String", 0, 0, 0 },
	[NATIVE_DATE] = { "Date", "DATE", NULL, "DateTime", 0, 0, 0 },
	[NATIVE_TIME] = { "Time", "TIME", NULL, "DateTime", 1, 0, 6 },
	[NATIVE_TIMETZ] = { "Timetz", "TIMETZ", NULL, "DateTime", 1, 0, 6 },
	[NATIVE_TIMESTAMP] = { "Timestamp", "TIMESTAMP", NULL, "DateTime", 1, 0, 6 },
	[NATIVE_TIMESTAMPTZ] = { "Timestamptz", "TIMESTAMPTZ", NULL, "DateTime", 1, 0, 6 },
	[NATIVE_JSON] = { "Json", "JSON", NULL, "Json", 0, 0, 0 },
	[NATIVE_JSONB] = { "JsonB", "JSONB", NULL, "Json", 0, 0, 0 },
	[NATIVE_BYTEA] = { "ByteA", "BYTEA", NULL, "Bytes", 0, 0, 0 },
};

enum native
native_find(const char *name)
{
	int i;

	for (i = 0; i < NATIVE_COUNT; i++)
		if (strcmp(native_types[i].name, name) == 0)
			break;
	return (enum native)i;
}
