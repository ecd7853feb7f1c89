#include "seed/client_ids.h"

#include <sodium.h>
#include <string.h>

static const char base36[] = "0123456789abcdefghijklmnopqrstuvwxyz";
static const char base64[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-";
static const char base32[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; /* Crockford's */

/* A system call for each byte would be most of the time. */
static unsigned char
random_byte(struct client_ids *ids)
{
	if (ids->left == 0) {
		randombytes_buf(ids->pool, sizeof ids->pool);
		ids->left = sizeof ids->pool;
	}
	return ids->pool[--ids->left];
}

/* Below `limit`, which is at most 256, each number equally often. */
static unsigned
random_below(struct client_ids *ids, unsigned limit)
{
	unsigned byte;

	do
		byte = random_byte(ids);
	while (byte >= 256 - 256 % limit);
	return byte % limit;
}

void
client_ids_begin(struct client_ids *ids, unsigned long long ms)
{
	size_t i;

	*ids = (struct client_ids){ .ms = ms };
	for (i = 0; i < sizeof ids->fingerprint; i++)
		ids->fingerprint[i] = base36[random_below(ids, 36)];
}

/* The last `digits` digits of a number, in base 36. */
static void
add_base36(struct bytes *out, unsigned long long number, size_t digits)
{
	char text[16];
	size_t i;

	for (i = digits; i-- > 0; number /= 36)
		text[i] = base36[number % 36];
	bytes_add(out, text, digits);
}

static void
add_random(struct client_ids *ids, struct bytes *out, const char *letters, unsigned letter_count, int count)
{
	while (count-- > 0)
		bytes_char(out, letters[random_below(ids, letter_count)]);
}

/* The time has eight digits until the year 2059. */
static void
add_cuid(struct client_ids *ids, struct bytes *out)
{
	bytes_char(out, 'c');
	add_base36(out, ids->ms, 8);
	add_base36(out, ids->counter++, 4);
	bytes_add(out, ids->fingerprint, sizeof ids->fingerprint);
	add_random(ids, out, base36, 36, 8);
}

static void
add_cuid2(struct client_ids *ids, struct bytes *out)
{
	add_random(ids, out, base36 + 10, 26, 1);
	add_random(ids, out, base36, 36, 23);
}

static void
add_uuid(struct client_ids *ids, struct bytes *out, unsigned version)
{
	unsigned char bytes[16];
	size_t i;

	for (i = 0; i < sizeof bytes; i++)
		bytes[i] = version == 7 && i < 6 ? (unsigned char)(ids->ms >> (40 - 8 * i)) : random_byte(ids);
	bytes[6] = (unsigned char)((bytes[6] & 0x0F) | version << 4);
	bytes[8] = (unsigned char)((bytes[8] & 0x3F) | 0x80);
	for (i = 0; i < sizeof bytes; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			bytes_char(out, '-');
		bytes_char(out, base36[bytes[i] >> 4]);
		bytes_char(out, base36[bytes[i] & 0x0F]);
	}
}

static void
add_ulid(struct client_ids *ids, struct bytes *out)
{
	int i;

	for (i = 45; i >= 0; i -= 5)
		bytes_char(out, base32[ids->ms >> i & 31]);
	add_random(ids, out, base32, 32, 16);
}

void
client_ids_add(struct client_ids *ids, struct bytes *out, enum client_function function, int length)
{
	switch (function) {
	case CLIENT_CUID:
		add_cuid(ids, out);
		break;
	case CLIENT_CUID2:
		add_cuid2(ids, out);
		break;
	case CLIENT_UUID4:
		add_uuid(ids, out, 4);
		break;
	case CLIENT_UUID7:
		add_uuid(ids, out, 7);
		break;
	case CLIENT_NANOID:
		add_random(ids, out, base64, 64, length);
		break;
	case CLIENT_ULID:
		add_ulid(ids, out);
		break;
	case CLIENT_NOW:
	case CLIENT_UPDATED_AT:
		break; /* the server's, in an expression */
	}
}
