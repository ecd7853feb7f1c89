#include "seed/text.h"

#include "check.h"

/* A record of CSV → its fields, each in <>, one that had quotes in <<>>; then what is left of the text. */
static const struct {
	char delimiter;
	const char *text, *fields, *rest;
} records[] = {
	{ ',', "a,b\nc", "<a><b>", "\nc" },
	{ ',', "", "<>", "" },
	{ ',', ",\r\n", "<><>", "\r\n" },
	{ ',', "\"a,b\",\"\"\n", "<<a,b>><<>>", "\n" },
	{ ',', "\"two\nlines\",x", "<<two\nlines>><x>", "" },
	{ ',', "\"5\"\" x 6\"\"\"", "<<5\" x 6\">>", "" },
	{ '\t', "a,b\tc", "<a,b><c>", "" },
	{ ',', "caf\xC3\xA9,\xE5\x90\x8D", "<caf\xC3\xA9><\xE5\x90\x8D>", "" },
};

/* CSV, given in one part and byte by byte → what is wrong, and the line where its row begins, from 0. */
static const struct {
	const char *text;
	const char *fault, *other;
	unsigned long row, line;
} scans[] = {
	{ "id,v\n1,a\n", NULL, NULL, 2, 2 },
	{ "id,v\n1,\"two\nlines\"\n2,\"\"\"\"\n", NULL, NULL, 4, 4 },
	{ "id,v\r\n1,\"a\nb\"\r\n", NULL, NULL, 3, 3 },
	{ "id\r1\r2\r", NULL, NULL, 2, 2 },
	{ "id,v\n1,5\" x\n", "a quote inside an unquoted value", NULL, 1, 1 },
	{ "id,v\n1,\"a\"b\n", "text after the closing quote of a value", NULL, 1, 1 },
	{ "id,v\n\"a\nb\",5\"\n", "a quote inside an unquoted value", NULL, 1, 2 },
	{ "id\n1\r\n", NULL, "CRLF", 1, 2 },
	{ "id\r\n1\n", NULL, "LF", 1, 2 },
};

/* A first line → what separates its names, where it is not the delimiter. */
static const struct {
	const char *line;
	char delimiter, separator;
} lines[] = {
	{ "id;name;price", ',', ';' },
	{ "id|name", ',', '|' },
	{ "id\tname", ',', '\t' },
	{ "id,name", '\t', ',' },
	{ "id,a;b", ',', '\0' },
	{ "\"a;b\"", ',', '\0' },
	{ "\"a;b\";c", ',', ';' },
	{ "id", ',', '\0' },
	{ "", ',', '\0' },
};

/* An object of JSON → its members as they stand. */
static const struct {
	const char *text, *members;
} objects[] = {
	{ "{\"a\":1,\"b\":\"x\"}", "<\"a\"=1><\"b\"=\"x\">" },
	{ " {}", "" },
	{ "{ \"a\" : [1, {\"b\": \"}\"}] , \"c\":null }", "<\"a\"=[1, {\"b\": \"}\"}]><\"c\"=null>" },
	{ "{\"a\\\"\":\"\\\\\",\"b\":-1.5e3}", "<\"a\\\"\"=\"\\\\\"><\"b\"=-1.5e3>" },
};

static void
check_record(size_t n)
{
	const char *at = records[n].text, *end = at + strlen(at);
	struct bytes field = { 0 }, all = { 0 };
	bool more = true, quotes;

	while (more) {
		more = seed_csv_field(&at, end, records[n].delimiter, &field, &quotes);
		bytes_format(&all, quotes ? "<<%s>>" : "<%s>", field.data);
	}
	check_text(records[n].text, all.data, records[n].fields);
	check_text(records[n].text, at, records[n].rest);
	bytes_free(&field);
	bytes_free(&all);
}

static void
check_scan(size_t n, size_t step)
{
	struct seed_csv_scan scan = { .delimiter = ',' };
	size_t len = strlen(scans[n].text), at;
	bool good = true;

	for (at = 0; good && at < len; at += step)
		good = seed_csv_scan(&scan, scans[n].text + at, len - at < step ? len - at : step);
	check_text(scans[n].text, scan.fault, scans[n].fault);
	check_text(scans[n].text, scan.other, scans[n].other);
	check(scans[n].text, good == (scans[n].fault == NULL && scans[n].other == NULL));
	check(scans[n].text, scan.row == scans[n].row && scan.line == scans[n].line);
}

static void
check_object(size_t n)
{
	const char *at = objects[n].text, *end = at + strlen(at);
	struct seed_span key, value;
	struct bytes all = { 0 };

	bytes_str(&all, "");
	at = seed_json_blanks(at, end);
	while (seed_json_member(&at, end, &key, &value))
		bytes_format(&all, "<%.*s=%.*s>", (int)key.len, key.text, (int)value.len, value.text);
	check_text(objects[n].text, all.data, objects[n].members);
	bytes_free(&all);
}

int
main(void)
{
	size_t i;

	for (i = 0; i < sizeof records / sizeof *records; i++)
		check_record(i);
	for (i = 0; i < sizeof scans / sizeof *scans; i++) {
		check_scan(i, strlen(scans[i].text));
		check_scan(i, 1);
	}
	for (i = 0; i < sizeof lines / sizeof *lines; i++)
		check(lines[i].line, seed_csv_separator(lines[i].line, strlen(lines[i].line), lines[i].delimiter) == lines[i].separator);
	for (i = 0; i < sizeof objects / sizeof *objects; i++)
		check_object(i);
	return checks_failed();
}
