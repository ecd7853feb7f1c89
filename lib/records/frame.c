/* What stands around the records of a stream: its first and last line, their forms, the seal of a command. */
#include "records/record_internal.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"

static const struct field stream_fields[] = {
	{ "kind", FIELD_TEXT, false, AT(frame_stream, kind), NULL },
	{ "version", FIELD_NUMBER, false, AT(frame_stream, version), NULL },
	{ NULL, FIELD_TEXT, false, 0, NULL },
};
static const struct field end_fields[] = {
	{ "command", FIELD_TEXT, true, AT(frame_end, command), NULL },
	{ "folder", FIELD_TEXT, true, AT(frame_end, folder), NULL },
	{ "place", FIELD_TEXT, true, AT(frame_end, place), NULL },
	{ "seal", FIELD_TEXT, true, AT(frame_end, seal), NULL },
	{ "records", FIELD_NUMBER, false, AT(frame_end, records), NULL },
	{ "digest", FIELD_TEXT, false, AT(frame_end, digest), NULL },
	{ NULL, FIELD_TEXT, false, 0, NULL },
};
static const struct field failed_fields[] = {
	{ "tool", FIELD_TEXT, false, AT(failure, tool), NULL },
	{ "exit_code", FIELD_NUMBER, false, AT(failure, exit_code), NULL },
	{ "message", FIELD_TEXT, false, AT(failure, message), NULL },
	{ NULL, FIELD_TEXT, false, 0, NULL },
};
const struct record_form frame_stream_form = { "stream", stream_fields };
const struct record_form frame_end_form = { "end", end_fields };
const struct record_form frame_plain_end_form = { "end", end_fields + 4 }; /* where neither command nor folder is known */
const struct record_form frame_failed_form = { "failed", failed_fields };

static void
short_digest(const struct bytes *text, char hex[SEAL_HEX])
{
	unsigned char digest[crypto_generichash_BYTES_MIN];

	crypto_generichash(digest, sizeof digest, (const unsigned char *)text->data, text->len, NULL, 0);
	sodium_bin2hex(hex, SEAL_HEX, digest, (SEAL_HEX - 1) / 2);
}

void
frame_place_here(char hex[PLACE_HEX])
{
	char host[256] = "", folder[4096] = "";
	struct bytes text = { 0 };

	if (gethostname(host, sizeof host - 1) != 0 || getcwd(folder, sizeof folder) == NULL)
		*host = *folder = '\0';
	bytes_format(&text, "%s:%s", host, folder);
	short_digest(&text, hex);
	bytes_free(&text);
}

void
frame_seal(const struct frame_end *end, char hex[SEAL_HEX])
{
	struct bytes text = { 0 };

	bytes_format(&text, "%s\n%s\n%s", end->digest, end->place != NULL ? end->place : "",
	    end->command != NULL ? end->command : "");
	if (end->folder != NULL)
		bytes_format(&text, "\n%s", end->folder);
	short_digest(&text, hex);
	bytes_free(&text);
}

bool
frame_is_sealed(const struct frame_end *end)
{
	char seal[SEAL_HEX];

	if (end->command == NULL && end->folder == NULL && end->place == NULL && end->seal == NULL)
		return true;
	frame_seal(end, seal);
	return end->seal != NULL && strcmp(end->seal, seal) == 0;
}

bool
frame_is_pipeline(const char *words)
{
	static const char *const programs[] = { "mig-scan", "mig-plan" };
	size_t program = 0;
	bool begins = true, good = true;

	while (good && *words != '\0') {
		char *word = xstrndup(words, strcspn(words, "\n"));

		words += strlen(word);
		words += *words == '\n';
		good = !utf8_has_control(word);
		if (begins)
			good = good && program < 2 && strcmp(word, programs[program++]) == 0;
		begins = strcmp(word, "|") == 0;
		free(word);
	}
	return good && program > 0 && !begins;
}

void
frame_digest_hex(const crypto_generichash_state *running, char hex[RECORD_DIGEST_HEX])
{
	crypto_generichash_state copy = *running;
	unsigned char digest[RECORD_DIGEST_BYTES];

	crypto_generichash_final(&copy, digest, sizeof digest);
	sodium_bin2hex(hex, RECORD_DIGEST_HEX, digest, sizeof digest);
}
