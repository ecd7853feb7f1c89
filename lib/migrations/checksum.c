/* Checksums of scripts, as Prisma makes them. */
#include "migrations/folder.h"

#ifdef MIG_NETTLE
#include <nettle/sha2.h>
#endif
#include <sodium.h>
#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"

#ifndef MIG_NETTLE
#define sha256_ctx crypto_hash_sha256_state

static void
sha256_init(struct sha256_ctx *state)
{
	(void)crypto_hash_sha256_init(state);
}

static void
sha256_update(struct sha256_ctx *state, size_t len, const unsigned char *text)
{
	(void)crypto_hash_sha256_update(state, text, len);
}

static void
sha256_digest(struct sha256_ctx *state, size_t len, unsigned char *digest)
{
	(void)len;
	(void)crypto_hash_sha256_final(state, digest);
}
#endif

/* Nettle's SHA-256 uses the processor's instructions for it; libsodium's, in plain C, takes four times as long, which
 * was half of what a scan did.  Where nettle is missing it does, by nettle's names. */
static void
sha256_hex(struct sha256_ctx *state, char hex[MIGRATION_CHECKSUM])
{
	unsigned char digest[crypto_hash_sha256_BYTES];

	sha256_digest(state, sizeof digest, digest);
	sodium_bin2hex(hex, MIGRATION_CHECKSUM, digest, sizeof digest);
}

void
migration_checksum(const char *text, size_t len, char hex[MIGRATION_CHECKSUM])
{
	struct sha256_ctx state;

	sha256_init(&state);
	sha256_update(&state, len, (const unsigned char *)text);
	sha256_hex(&state, hex);
}

/* The checksum of text with its line ends changed: "\n" for every CRLF, or "\r\n" for every LF. */
static void
checksum_line_ends(const char *text, const char *ending, char hex[MIGRATION_CHECKSUM])
{
	struct sha256_ctx state;
	bool to_lf = strcmp(ending, "\n") == 0;
	const char *newline;

	sha256_init(&state);
	for (; (newline = strchr(text, '\n')) != NULL; text = newline + 1) {
		size_t len = (size_t)(newline - text);

		if (to_lf && len > 0 && newline[-1] == '\r')
			len--;
		sha256_update(&state, len, (const unsigned char *)text);
		sha256_update(&state, strlen(ending), (const unsigned char *)ending);
	}
	sha256_update(&state, strlen(text), (const unsigned char *)text);
	sha256_hex(&state, hex);
}

/* prisma-engines#1887: once bytes were written without a leading zero. */
static bool
matches_old_rendering(const char *recorded, const char *checksum)
{
	for (; *checksum != '\0'; checksum += 2) {
		if (checksum[0] != '0' && *recorded++ != checksum[0])
			return false;
		if (*recorded++ != checksum[1])
			return false;
	}
	return *recorded == '\0';
}

bool
migration_checksum_matches(const char *recorded, const char *checksum, const char *text)
{
	char hex[MIGRATION_CHECKSUM];

	if (recorded == NULL)
		return false;
	if (strcmp(recorded, checksum) == 0)
		return true;
	if (*recorded != '\0' && strlen(recorded) != MIGRATION_CHECKSUM - 1)
		return matches_old_rendering(recorded, checksum);
	if (text == NULL || strchr(text, '\n') == NULL)
		return false;
	checksum_line_ends(text, "\n", hex);
	if (strcmp(recorded, hex) == 0)
		return true;
	checksum_line_ends(text, "\r\n", hex);
	return strcmp(recorded, hex) == 0;
}

/* text without the white space at the ends of its lines (`lines`) and of the whole. */
static void
strip_blanks(struct bytes *out, const char *text, bool lines)
{
	for (; *text != '\0'; text++) {
		while (lines && *text == '\n' && out->len > 0 && strchr(" \t\r", out->data[out->len - 1]) != NULL)
			out->len--;
		bytes_char(out, *text);
	}
	while (out->len > 0 && strchr(" \t\r\n", out->data[out->len - 1]) != NULL)
		out->len--;
	bytes_add(out, "", 0);
}

bool
migration_differs_in_blanks(const char *recorded, const char *text)
{
	static const char *const ends[] = { "", "\n", "\r\n", "\n\n" };
	char hex[MIGRATION_CHECKSUM];
	bool same = false;
	size_t i;

	for (i = 0; !same && i < 2 * (sizeof ends / sizeof *ends); i++) {
		struct bytes variant = { 0 };

		strip_blanks(&variant, text, i % 2 == 1);
		bytes_str(&variant, ends[i / 2]);
		migration_checksum(variant.data, variant.len, hex);
		same = migration_checksum_matches(recorded, hex, variant.data);
		bytes_free(&variant);
	}
	return same;
}
