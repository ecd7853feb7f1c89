/*
 * libFuzzer (make fuzzers): build/fuzz/fuzz_schema_stream -max_total_time=300 -max_len=8192 CORPUS 2>/dev/null
 *
 * A stream of kind schema, with the lines that frame it made here.  Whatever the records are, they are refused, or a catalog
 * that can be shown and compared with itself.
 */
#define _GNU_SOURCE /* memfd_create() */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/message.h"
#include "catalog/page.h"
#include "catalog/stream.h"
#include "diff/diff.h"
#include "fuzz.h"

static void
frame(struct bytes *out, const uint8_t *data, size_t size)
{
	unsigned char digest[32];
	size_t lines = 0, i;

	bytes_str(out, "{\"record\":\"stream\",\"kind\":\"schema\",\"version\":1}\n");
	bytes_add(out, data, size);
	if (out->data[out->len - 1] != '\n')
		bytes_char(out, '\n');
	for (i = 0; i < out->len; i++)
		lines += out->data[i] == '\n';
	crypto_generichash(digest, sizeof digest, (const unsigned char *)out->data, out->len, NULL, 0);
	bytes_format(out, "{\"record\":\"end\",\"records\":%zu,\"digest\":\"", lines);
	for (i = 0; i < sizeof digest; i++)
		bytes_format(out, "%02x", digest[i]);
	bytes_str(out, "\"}\n");
}

static void
use(struct catalog *one, struct catalog *two)
{
	struct bytes page = { 0 }, script = { 0 };
	struct diff diff = { 0 }, drift = { 0 };

	page_schema(&page, one);
	diff_make(one, two, &diff);
	diff_script(&diff, &script);
	diff_drift(one, two, &drift);
	if (drift.difference_count > 0)
		abort();
	diff_free(&diff);
	diff_free(&drift);
	bytes_free(&page);
	bytes_free(&script);
}

static bool
read_one(const char *path, struct catalog *c)
{
	static const char *const kinds[] = { SCHEMA_STREAM, NULL };
	struct reader *reader = reader_open(path, "", "");
	bool good = reader != NULL && reader_begin(reader, kinds) == READING_RECORD && catalog_read(reader, c) == READING_END;

	reader_free(reader);
	return good;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct catalog one = { 0 }, two = { 0 };
	struct bytes stream = { 0 };
	char path[32];
	int fd = memfd_create("stream", 0);

	message_begin("fuzz");
	frame(&stream, data, size);
	if (write(fd, stream.data, stream.len) != (ssize_t)stream.len)
		abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (read_one(path, &one) && read_one(path, &two))
		use(&one, &two);
	close(fd);
	bytes_free(&stream);
	catalog_free(&one);
	catalog_free(&two);
	return 0;
}
