/*
 * Hashes of value.h.
 */
#include "formats/value.h"

#include "gateway/base/arena.h"
#include "gateway/base/ascii.h"

/* `key`: the name in lower case without - and _; hex digits, 0 = not hex. */
static const struct {
	const char	*key;
	const char	*name;
	size_t		 digits;
} algorithms[] = {
	{ "md5", "MD5", 32 }, { "sha1", "SHA-1", 40 }, { "sha224", "SHA-224", 56 },
	{ "sha256", "SHA-256", 64 }, { "sha384", "SHA-384", 96 }, { "sha512", "SHA-512", 128 },
	{ "sha3224", "SHA3-224", 56 }, { "sha3256", "SHA3-256", 64 },
	{ "sha3384", "SHA3-384", 96 }, { "sha3512", "SHA3-512", 128 },
	{ "ripemd160", "RIPEMD-160", 40 }, { "whirlpool", "WHIRLPOOL", 128 },
	{ "authentihash", "AUTHENTIHASH", 64 }, { "imphash", "IMPHASH", 32 },
	{ "ssdeep", "SSDEEP", 0 }, { "tlsh", "TLSH", 0 }
};

static bool
is_hex(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (ascii_hex(s.p[i]) < 0)
			return false;
	return s.n > 0;
}

bool
value_any_hash(struct slice s, struct arena *mem, struct slice *out)
{
	s = slice_trim(s);
	for (size_t i = 0; i < COUNTOF(algorithms); i++) {
		if (algorithms[i].digits != s.n || !is_hex(s))
			continue;
		*out = value_lower(s, mem);
		return true;
	}
	return false;
}

/* The row of an algorithm, whatever its case and hyphens; -1 if there is none. */
static int
find_algorithm(struct slice name)
{
	char key[16];
	size_t n = 0;

	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] == '-' || name.p[i] == '_')
			continue;
		if (n == sizeof(key))
			return -1;
		key[n++] = ascii_lower(name.p[i]);
	}
	for (size_t i = 0; i < COUNTOF(algorithms); i++)
		if (slice_is(slice_from(key, n), algorithms[i].key))
			return (int)i;
	return -1;
}

const char *
value_hash_name(struct slice name)
{
	int i = find_algorithm(name);

	return i < 0 ? NULL : algorithms[i].name;
}

/* "blocksize:hash:hash" */
static bool
ssdeep_form(struct slice s)
{
	unsigned long long size;
	struct slice rest = s;

	if (!slice_u64(slice_cut(&rest, ':'), &size))
		return false;
	return slice_cut(&rest, ':').n > 0 && rest.n > 0 && memchr(rest.p, ':', rest.n) == NULL;
}

/* 70 hex digits, since version 4 behind "T1"; printed in upper case. */
static bool
tlsh_form(struct slice s, struct arena *mem, struct slice *out)
{
	struct slice digits = s;
	char *p;

	if (s.n == 72 && ascii_lower(s.p[0]) == 't' && s.p[1] == '1')
		digits = slice_from(s.p + 2, 70);
	if (digits.n != 70 || !is_hex(digits))
		return false;
	p = arena_str(mem, s);
	for (size_t i = 0; i < s.n; i++)
		if (p[i] >= 'a' && p[i] <= 'z')
			p[i] &= ~0x20;
	*out = slice_from(p, s.n);
	return true;
}

bool
value_hash(struct slice name, struct slice s, struct arena *mem, struct slice *out)
{
	int i = find_algorithm(name);

	s = slice_trim(s);
	if (i >= 0 && algorithms[i].digits > 0) {
		if (s.n != algorithms[i].digits || !is_hex(s))
			return false;
		*out = value_lower(s, mem);
		return true;
	}
	if (i >= 0 && slice_is(slice_of(algorithms[i].key), "tlsh"))
		return tlsh_form(s, mem, out);
	if (s.n == 0 || (i >= 0 && !ssdeep_form(s)))
		return false;
	*out = s;
	return true;
}
